"""What the entries of a page say: their payloads decoded, by the event types of a domain."""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from esdash.domain import Domain, EventType, Wire
from esdash.fold.decoding import Decoder
from esdash.fold.failing import ENDS, FAILURES, raise_signals
from esdash.fold.hooks import UnfitError
from esdash.fold.outcomes import INVALID_DATA
from esdash.fold.schema import Model, first_line
from esdash.fold.sorting import FIRST, Fields, Sorted, Sorter

Apply = Callable[[Any, Any], object]
"""What applies an event: state, event → None, a reason or a Refusal."""


class Read(NamedTuple):
    """One entry, read."""

    code: int | None
    """Why it is parked; None when it is understood."""
    type: EventType | None
    """The type that was found for it, an older schema perhaps."""
    event: Any
    """Of a declared model with an `apply`; None when it is parked."""


class Broken:
    """Stands for an event that a function of the domain failed to make: its `upcast`, or its model."""

    __slots__ = ("error", "maker")

    def __init__(self, error: BaseException, maker: Callable[..., object]) -> None:
        self.error = error
        self.maker = maker


def fail(_: Any, broken: Broken) -> object:
    """In the place of an `apply`: raise what made it impossible to have an event."""
    raise broken.error


def skip(_: Any, __: Any) -> None:
    """In the place of an `apply`: the entry was decided already."""


class PageEvents(NamedTuple):
    """The events of a page."""

    events: list[Any]
    """In the order of the entries; None for what cannot be understood, or was not to be decoded."""
    applies: list[Apply]
    """What applies each."""
    whole: bool
    """Whether every payload that was decoded is an event."""
    groups: list[tuple[int, list[Any]]]
    """The events of each kind that has some, in order."""


class EventReader:
    """Reads the events of a domain."""

    def __init__(self, domain: Domain, models: Sequence[Model], sorter: Sorter) -> None:
        self._domain = domain
        self._sorter = sorter
        lenient = isinstance(domain.wire, Wire) and not domain.wire.data
        self.decoders = [
            Decoder(model, packed=event_type.encoding == "msgpack", lenient=lenient)
            for event_type, model in zip(domain.events, models, strict=True)
        ]
        self._names = {model.type: decoder.names for model, decoder in zip(models, self.decoders, strict=True)}
        self.applies: dict[type, Apply] = {each.model: each.apply for each in domain.events if each.apply is not None}
        """What applies the events of each model."""
        older = [each for each in domain.events if each.upcast is not None]
        self._upcasts: dict[type, Any] = {
            each.model: each.upcast
            for each in older
            if all(other.upcast is each.upcast for other in older if other.model is each.model)
        }
        """What makes the events of an older model into those of another, where only one function does."""

    def page(self, page: Sorted) -> PageEvents:
        """The events of a page."""
        ways: list[Any] = [repeat(None)] * FIRST
        applies: list[Apply] = [skip] * FIRST
        whole = True
        groups: list[tuple[int, list[Any]]] = []
        for kind, (group, event_type, decoder) in enumerate(
            zip(page.groups, self._domain.events, self.decoders, strict=True), FIRST
        ):
            size = page.kinds.count(kind)
            events, apply, sound = self._group(group, size, event_type, decoder) if size else ([], skip, True)
            whole = whole and sound
            ways.append(iter(events))
            applies.append(apply)
            if size:
                groups.append((kind, events))
        return PageEvents(
            list(map(next, map(ways.__getitem__, page.kinds))),
            list(map(applies.__getitem__, page.kinds)),
            whole,
            groups,
        )

    def _group(
        self, group: bytes | list[bytes], size: int, event_type: EventType, decoder: Decoder
    ) -> tuple[list[Any], Apply, bool]:
        try:
            events, whole = decoder.many(group, size)
        except FAILURES as error:  # each is asked again, and says it for itself
            raise_signals(error)
            return self._upcast_each(event_type, self._decode_each(event_type, decoder, group)), self._apply_any, False
        if event_type.apply is not None:
            return events, event_type.apply, whole
        if whole:
            upcast: Any = event_type.upcast
            try:
                newer = list(map(upcast, events))
            except FAILURES as error:  # each is asked again, and says it for itself
                raise_signals(error)
                newer = []
            classes = set(map(type, newer))
            if len(classes) == 1:
                (only,) = classes
                if only in self.applies and self._names[only].all_could_be(newer):
                    return newer, self.applies[only], True
        return self._upcast_each(event_type, events), self._apply_any, False

    def _upcast_each(self, event_type: EventType, olds: list[Any]) -> list[Any]:
        if event_type.upcast is None:
            return olds
        return [None if old is None else self._upcast(event_type, old) for old in olds]

    def _apply_any(self, view: Any, event: Any) -> object:
        if type(event) is Broken:
            return fail(view, event)
        return self.applies[type(event)](view, event)

    def one(self, fields: Fields) -> Read:
        """What an entry says, or why it cannot be understood. Never raises for what it holds."""
        kind, data, _ = self._sorter.open(fields)
        if kind < FIRST:
            return Read(kind, None, None)
        event_type = self._domain.events[kind - FIRST]
        events = self._decode_each(event_type, self.decoders[kind - FIRST], [data])
        (event,) = self._upcast_each(event_type, events)
        if event is None or type(event) is Broken:
            return Read(INVALID_DATA, event_type, None)
        return Read(None, event_type, event)

    def decode(self, event_type: EventType, payload: bytes) -> tuple[Any, str]:
        """The event of a payload of one type, and why there is none."""
        decoder = self.decoders[self._domain.events.index(event_type)]
        try:
            event = decoder.one(payload)
        except FAILURES as error:  # whatever a model of the domain raises
            raise_signals(error)
            why = ENDS if isinstance(error, SystemExit) else f"failed: {first_line(error)}"
            return None, f"{event_type.model.__name__} {why}"
        return event, decoder.why_not(payload) if event is None else ""

    def _decode_each(self, event_type: EventType, decoder: Decoder, group: bytes | list[bytes]) -> list[Any]:
        """The events of a group of which the model fails on some."""
        events: list[Any] = []
        for payload in group.split(b"\n") if isinstance(group, bytes) else group:
            try:
                events.append(decoder.one(payload))
            except FAILURES as error:  # raised when the entry's turn comes
                events.append(Broken(error, event_type.model))
        return events

    def _upcast(self, event_type: EventType, old: Any) -> Any:
        event = self.upcast(event_type, old)
        return None if type(event) is Broken and isinstance(event.error, ValueError) else event

    def upcast(self, event_type: EventType, old: Any) -> Any:
        """The event of today that one of an older schema is; a Broken where there is none, with the ValueError that
        says so, or with what a function of the domain fails with."""
        event = old
        upcast: Any = event_type.upcast
        for _ in self._domain.events:  # from one schema to the next, through each at most once
            if type(event) is Broken:
                return event
            try:
                event = upcast(event)
            except FAILURES as error:  # raised when the entry's turn comes
                return Broken(error, upcast)
            model = type(event)
            if model in self._names and (why := self._names[model].why_not(event)):
                return Broken(ValueError(why), upcast)
            if model in self.applies:
                return event
            if model not in self._upcasts:
                return Broken(UnfitError(f"upcast returned {event!r:.60}, which is no event of this domain"), upcast)
            upcast = self._upcasts[model]
        return Broken(UnfitError(f"upcast returned {event!r:.60}, which is upcast again without an end"), upcast)
