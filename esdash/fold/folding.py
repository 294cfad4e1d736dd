"""The fold: what the entries of a log make of a state, by the rules of a declared domain.

Nothing here reads a clock, a server or a file. The same entries give the same state in every process.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from esdash.domain import Domain, EventType, Wire
from esdash.fold import decoding, schema, sorting
from esdash.fold.deciding import Decider
from esdash.fold.failing import FAILURES, DomainError, failure, in_short
from esdash.fold.hooks import OverflowedError, Seen, UnfitError, Way
from esdash.fold.ledger import Ledger
from esdash.fold.outcomes import APPLIED, DUPLICATE, INVALID_DATA, OVERFLOW, Outcome, outcomes
from esdash.fold.overlay import Cells
from esdash.fold.reading import Broken, EventReader, Read, skip
from esdash.fold.recording import UNTOLD, Record
from esdash.fold.recording import Told as Told
from esdash.fold.schema import Model, model_of
from esdash.fold.sorting import FIRST, Fields, Sorted
from esdash.fold.state import State
from esdash.fold.stored import Difference, Storage
from esdash.fold.writing import EntryWriter, keys_of, kinds_of, packing, sorter_of

Entry = tuple[bytes, Fields]
"""id, fields"""

EXCERPT: Final = 200
"""Bytes of a payload that cannot be understood which are worth telling."""

_NOWHERE: Final = b"0-0"


class Fold:
    """Folds entries into states of one domain."""

    readonly = False
    """Whether the domain is for looking only: nothing is published or stored in its name."""

    def __init__(self, domain: Domain) -> None:
        """The domain was checked (`fold.declaration`). Raises SchemaError where a model does not fit its wire."""
        self.domain = domain
        self.name, self.version = domain.name, domain.version
        self.outcomes: tuple[Outcome, ...] = outcomes(domain.reasons)
        self.models: tuple[Model, ...] = tuple(model_of(event_type.model) for event_type in domain.events)
        """Of each event type."""
        for model in self.models:
            schema.require_sayable(model, domain.wire)
        self.kinds = kinds_of(domain)
        self.packing = packing(self.kinds)
        """What sorts pages in another process, as `log.reading.readahead` names it."""
        self.sorter = sorter_of(self.kinds)
        self.keys = keys_of(self.sorter, self.kinds)
        """Where entries have their idempotency keys."""
        self.payload_field = domain.wire.data if isinstance(domain.wire, Wire) else ""
        """The field that holds the payload as it is; empty where there is none."""
        self.lenient = isinstance(domain.wire, Wire) and not domain.wire.data
        """Whether members are fields of an entry, and so texts."""
        self.objection = self.sorter.objection
        """Why nothing may be published among these entries, in a sentence; empty where something may."""
        self.publishable: tuple[EventType, ...] = tuple(
            each
            for each in domain.events
            if each.apply is not None and each.encoding == "json" and domain.wire.only in ("", each.wire_name)
            if not self.objection
        )
        """The types that people and programs are offered."""
        self.storage = Storage(domain.tables, self.outcomes)
        self.careful = not domain.fast
        """Whether every write is checked; a fast domain that fails once is folded carefully from then on."""
        self.source: Callable[[], str] = str
        """What makes the fingerprint of the domain's source, where it has one (`fold.loading`)."""
        self.choice = ""
        """What the domain was called, for another process to load it."""
        self._reasons = {str(outcome.reason): code for code, outcome in enumerate(self.outcomes) if code >= OVERFLOW}
        self.reader = EventReader(domain, self.models, self.sorter)
        self._applies = self.reader.applies
        self._writer = EntryWriter(domain, self.models)
        self._model_of = {model.type: model for model in self.models}
        self._type_of = {each.model: each for each in domain.events if each.apply is not None}

    @property
    def rules(self) -> tuple[str, str]:
        """Its name and its version."""
        return self.name, self.version

    @cached_property
    def fingerprint(self) -> str:
        """Of the domain's source, without what means nothing to a fold."""
        return self.source()

    # States

    def empty(self) -> State:
        """The state before the first entry."""
        return State(sum(len(table.columns) for table in self.domain.tables), len(self.outcomes))

    def digest(self, state: State) -> str:
        """A hash of the state: equal states have equal digests."""
        return self.storage.digest(state)

    def differences(self, one: State, other: State, limit: int) -> list[Difference]:
        """The numbers that two states do not agree on, at most `limit`."""
        return self.storage.differences(one, other, limit)

    def dump(self, state: State) -> Iterator[bytes]:
        """The state as chunks of at most a megabyte."""
        return self.storage.dump(state)

    def load(self, chunks: Iterable[bytes]) -> State:
        """The state that `dump` wrote. Raises ValueError for anything else."""
        return self.storage.load(chunks, self.empty())

    def size(self, state: State) -> int:
        """About how many rows the state has; digest and dump take a microsecond or so for each."""
        return sum(map(len, state.cells)) + len(state.key_order)

    def cells_of(self, state: State) -> dict[str, list[Cells]]:
        """The columns of each table."""
        return {name: [state.cells[place] for place in places] for name, (_, places) in self.storage.places.items()}

    def cell(self, state: State, table: str, key: int | str, column: str) -> Any:
        """One number; None where there is none."""
        declared, places = self.storage.places[table]
        for place, each in zip(places, declared.columns, strict=True):
            if each.name == column:
                return state.cells[place].get(key)
        raise KeyError(column)

    # Folding

    def fold(self, state: State, entries: Sequence[Entry], tell: "list[Told] | None" = None) -> bytes:
        """Apply entries in order to the state; one outcome code each. `tell` is given what each did.

        Raises DomainError where a function of the domain fails; never for what an entry holds.
        """
        return self.fold_sorted(state, self.sorter.sort(entries), tell)

    def fold_packed(self, state: State, packed: bytes) -> bytes:
        """`fold` for a page that another process sorted."""
        return self.fold_sorted(state, sorting.from_bytes(packed))

    def tell_packed(self, state: State, packed: bytes, tell: "list[Told]") -> bytes:
        """The same; `tell` is given what each entry did."""
        return self.fold_sorted(state, sorting.from_bytes(packed), tell)

    def explain(self, state: State, entry: Entry) -> tuple[int, Told]:
        """Fold one entry; its outcome code, and what it did."""
        told: list[Told] = []
        (code,) = self.fold(state, (entry,), told)
        return code, told[0]

    def record(self, state: State, entries: Sequence[Entry], record: Record) -> bytes:
        """`fold`, and record what is written. Where it raises, the record has what was done before."""
        return self.fold_sorted(state, self.sorter.sort(entries), record=record)

    def fold_sorted(
        self, state: State, page: Sorted, tell: "list[Told] | None" = None, record: Record | None = None
    ) -> bytes:
        """`fold` for a page that was sorted."""
        checked = self.careful or tell is not None
        way = Way.CHECKED if checked else Way.BARE if record is None else Way.NOTED
        seen = self._seen(state, way)
        # A kind up to FIRST is the code of its reason; the others are applied until something else is decided.
        codes = bytearray(page.kinds.translate(_CODES))
        events, applies, whole, groups = self.reader.page(page)
        if not whole:
            for place, event in enumerate(events):
                if event is None and codes[place] == APPLIED:
                    codes[place], applies[place] = INVALID_DATA, skip
        ledger = Ledger(state, page.keys, codes) if page.keys else None
        if ledger is not None and DUPLICATE in codes:
            applies = [skip if code == DUPLICATE else apply for code, apply in zip(codes, applies, strict=True)]
        decider = Decider(self._reasons)
        try:
            if checked:
                heard = _forget if record is None else record.heard(seen.journal, state.cells)
                told = tell.append if tell is not None else heard
                decider.checked(seen, page, events, applies, codes, told, changes=tell is not None)
            elif record is not None:
                decider.noted(seen, events, applies, codes, record)
            else:
                decider.bare(seen, events, applies, codes)
        except FAILURES as error:
            seen.undo()
            found = self._failed(error, events[decider.place])
            found.codes, found.spoiled = bytes(codes[: decider.place]), way is Way.BARE
            self.careful = True
            if ledger is not None:
                ledger.take_back(decider.place)
            del codes[decider.place :]
            raise found from error
        finally:
            for code, count in _tally(codes):
                state.counts[code] += count
            if record is not None:
                record.add(bytes(codes), page.kinds, page.keys, groups)
        return bytes(codes)

    def _seen(self, state: State, way: Way) -> Seen:
        seen = state.seen.get(way)
        if seen is None:
            seen = state.seen[way] = Seen(state.cells, self.domain.tables, way)
        return seen

    def _failed(self, error: BaseException, event: Any) -> DomainError:
        maker = event.maker if isinstance(event, Broken) else self._applies.get(type(event))
        found = failure(error, maker, self.domain)
        found.event = "" if isinstance(event, Broken) else in_short(event)
        return found

    # One entry

    def read(self, fields: Fields) -> Read:
        """What an entry says, or why it cannot be understood. Never raises for what it holds."""
        return self.reader.one(fields)

    def events(self, entries: Sequence[Entry]) -> list[Any]:
        """What many entries say: the event of each, None for what cannot be understood. As `read`, and much faster."""
        found, _, whole, _ = self.reader.page(self.sorter.sort(entries))
        return found if whole else [None if type(event) is Broken else event for event in found]

    def decode(self, event_type: EventType, payload: bytes) -> tuple[Any, str]:
        """The event of a payload of one type, and why there is none."""
        return self.reader.decode(event_type, payload)

    def made(self, event_type: EventType, payload: bytes) -> tuple[Any, str]:
        """The event of a payload that is to be published, and why none can be."""
        event, why = self.decode(event_type, payload)
        if event is None:
            return None, why
        data = decoding.encode(event)
        again, _ = self.decode(event_type, data)
        if again is not None and decoding.encode(again) == data:
            return event, why
        name = event_type.model.__name__
        return None, f"what is written of it is read as another event: serializers and validators of {name} differ"

    def encode(self, event: Any) -> tuple[str, bytes]:
        """An event as it is published: `type` and `data`, JSON."""
        return self.type_of(event).wire_name, decoding.encode(event)

    def fields(self, name: str, data: bytes, key: bytes | None) -> list[bytes]:
        """An entry's fields on this domain's wire: of a type, a payload (JSON), and a key, if it is to have one."""
        return self._writer.fields(name, data, key)

    def samples(self, seed: int) -> Iterator[Any]:
        """Made-up events of the domain, without an end; none where it has no `sample`. Raises DomainError."""
        sample = self.domain.sample
        while sample is not None:
            empty = True
            try:
                for event in sample(seed):
                    if type(event) not in self._type_of:
                        raise UnfitError(f"sample yielded {event!r:.60}, which is no event of this domain")
                    empty = False
                    yield event
            except FAILURES as error:
                raise self._failed(error, None) from error
            if empty:
                return
            seed += 1

    def model(self, event: Any) -> Model:
        """The fields of an event's model."""
        return self._model_of[type(event)]

    def type_of(self, event: Any) -> EventType:
        """The type under which an event is published."""
        return self._type_of[type(event)]

    def decide(
        self, state: State, event: Any, entry_id: bytes = _NOWHERE, key: bytes | None = None
    ) -> tuple[int, Told]:
        """What would come of an event if it were the next one; the state stays as it is. Raises DomainError."""
        if key is not None and key in state.keys:
            return DUPLICATE, UNTOLD
        trial = state.over(keys=False)
        seen = self._seen(trial, Way.CHECKED)
        seen.entry._id, seen.entry._key = entry_id, key
        told: list[Told] = []
        try:
            try:
                refusal = self._applies[type(event)](seen.state, event)
            except OverflowedError:
                refusal = "overflow"
            if refusal is not None or seen.raised:
                return Decider(self._reasons).refuse(seen, refusal, told.append), told[0]
            seen.require_rows()
        except FAILURES as error:
            raise self._failed(error, event) from error
        return APPLIED, Told(seen.changes())


def _forget(_: Told) -> None:
    """Nobody listens."""


_CODES: Final = bytes((*range(FIRST), *[APPLIED] * (256 - FIRST)))


def _tally(codes: bytearray) -> Iterator[tuple[int, int]]:
    for code in set(codes):
        yield code, codes.count(code)
