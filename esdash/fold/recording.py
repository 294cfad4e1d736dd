"""What entries did: of one, for a person who looks at it; of many, for whoever keeps the past of a state."""

from collections.abc import Callable, Sequence
from itertools import chain, count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct

from esdash.domain import PLAIN, Format, Refusal
from esdash.fold.cells import MAX_DIGITS, Change
from esdash.fold.hooks import Writes
from esdash.fold.outcomes import APPLIED, DUPLICATE
from esdash.fold.overlay import Cells
from esdash.fold.schema import Field, Model, names_rows

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    Places = NDArray[int64]

Write = tuple[int, Any, Any]
"""Column, key, what was there before (None: nothing)."""


class Told(Struct, frozen=True, gc=False):
    """What one entry did. So many are kept that the garbage collector must not look at them."""

    changes: tuple[Change, ...] = ()
    needed: int | None = None
    """Of a refusal, with `available`: the two numbers that decided it."""
    available: int | None = None
    shown: Format = PLAIN


UNTOLD: Final = Told()

_TOO_LARGE: Final = 10**MAX_DIGITS


def told_by(refusal: object) -> Told:
    """The numbers that decided a refusal; a domain may give anything for them, and what is no number is not told."""
    if not isinstance(refusal, Refusal):
        return UNTOLD
    shown = refusal.shown
    return Told(
        (), _tellable(refusal.needed), _tellable(refusal.available), shown if isinstance(shown, Format) else PLAIN
    )


def _tellable(number: object) -> int | None:
    return number if type(number) is int and -_TOO_LARGE < number < _TOO_LARGE else None


class Decisive(NamedTuple):
    """The two numbers that decided a refusal."""

    entry: int
    """Its place in the record, from 0."""
    needed: int
    available: int
    """As large as the domain makes them: they are no part of a state."""
    shown: Format


class Record:
    """What was recorded of consecutive entries; grows with every page."""

    def __init__(self, models: Sequence[Model], columns: int) -> None:
        self.codes = bytearray()
        """Of each entry, its outcome."""
        self.kinds = bytearray()
        """Of each entry, why it is parked, or FIRST + the index of its type."""
        self.writes = Writes(columns)
        self.decisive: list[Decisive] = []
        self.keys: list[tuple[int, bytes]] = []
        """The idempotency keys that entered the window: place of the entry, key."""
        self.named: dict[str, tuple[list[Places], list[Any]]] = {}
        """By table, the rows that events name: places of the entries, in pieces, and keys."""
        self._naming = {model.type: model for model in models if any(map(names_rows, model.fields))}

    def __len__(self) -> int:
        return len(self.codes)

    def heard(self, journal: list[Write], cells: Sequence[Cells]) -> Callable[[Told], object]:
        """What to tell of each entry of the next page, when the journal has what it alone wrote to the columns."""
        entries = count(len(self.codes))

        def hear(told: Told) -> None:
            entry = next(entries)
            self._decide(entry, told)
            for place, key, before in journal:
                self.writes.add(place, entry, key, before, cells[place].get(key))

        return hear

    def decide(self, place: int, refusal: Refusal) -> None:
        """An entry of the page that is being folded was refused for two numbers."""
        self._decide(len(self.codes) + place, told_by(refusal))

    def _decide(self, entry: int, by: Told) -> None:
        if by.needed is not None and by.available is not None:
            self.decisive.append(Decisive(entry, by.needed, by.available, by.shown))

    def add(
        self, codes: bytes, kinds: bytes, keys: Sequence[bytes | None], groups: Sequence[tuple[int, list[Any]]]
    ) -> None:
        """A page was folded, or the part of it that `codes` is of; its writes were noted as they were made.

        `groups`: the events of each kind that is in it.
        """
        import numpy as np  # takes 0.1 s to import, and who records has it anyway

        start, size = len(self.codes), len(codes)
        self.codes += codes
        self.kinds += kinds[:size]
        if keys:
            self.keys += [
                (start + place, key)
                for place, (key, code) in enumerate(zip(keys, codes, strict=False))
                if key is not None and code >= APPLIED and code != DUPLICATE
            ]
        of_kinds = np.frombuffer(kinds, np.uint8, size)
        for kind, events in groups:
            places = np.flatnonzero(of_kinds == kind)
            self._name(places + start, events[: len(places)])

    def _name(self, places: "Places", events: list[Any]) -> None:
        """Note the rows that events name, which are of one kind: most often of one model."""
        models = set(map(type, events))
        for each in models:
            model = self._naming.get(each)
            if model is not None and len(models) == 1:
                self._name_all(model, places, events)
            elif model is not None:
                chosen = [place for place, event in enumerate(events) if type(event) is each]
                self._name_all(model, places[chosen], [events[place] for place in chosen])

    def _name_all(self, model: Model, places: "Places", records: Sequence[Any]) -> None:
        for field in model.fields:
            if names_rows(field):
                self._name_field(field, places, list(map(attrgetter(field.name), records)))

    def _name_field(self, field: Field, places: "Places", values: list[Any]) -> None:
        if (field.optional or not field.required) and None in values:
            there = [place for place, value in enumerate(values) if value is not None]
            places, values = places[there], [values[place] for place in there]
        if field.about:
            entries, keys = self.named.setdefault(field.about, ([], []))
            entries.append(places)
            keys += values
        elif field.record is not None:
            self._name_all(field.record, places, values)
        elif field.element is not None:
            repeated = places.repeat(list(map(len, values)))
            self._name_field(field.element, repeated, list(chain.from_iterable(values)))
