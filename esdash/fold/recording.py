"""What entries did: of one, for a person who looks at it; of many, for whoever keeps the past of a state."""

from collections.abc import Callable, Sequence
from itertools import chain, compress, repeat
from operator import attrgetter, is_
from typing import Any, Final, NamedTuple

from msgspec import Struct

from esdash.domain import PLAIN, Format, Refusal
from esdash.fold.hooks import Writes
from esdash.fold.outcomes import APPLIED, DUPLICATE
from esdash.fold.schema import Field, Model, names_rows
from esdash.fold.tables import Change

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


class Decisive(NamedTuple):
    """The two numbers that decided a refusal."""

    entry: int
    """Its place in the record, from 0."""
    needed: int
    available: int
    """As large as the domain makes them: they are no part of a state."""
    shown: Format


_ONLY: Final = [bytes(each == kind for each in range(256)) for kind in range(256)]
"""By kind: what makes of kinds 1 for that one and 0 for all others."""


class Record:
    """What was recorded of consecutive entries; grows with every page."""

    def __init__(self, models: Sequence[Model], columns: int) -> None:
        self.codes = bytearray()
        """Of each entry, its outcome."""
        self.kinds = bytearray()
        """Of each entry, why it is parked, or FIRST + the index of its type."""
        self.writes = Writes(columns)
        self.ends: list[int] = []
        """Of each entry: how many writes there were after it."""
        self.decisive: list[Decisive] = []
        self.keys: list[tuple[int, bytes]] = []
        """The idempotency keys that entered the window: place of the entry, key."""
        self.named: dict[str, tuple[list[int], list[Any]]] = {}
        """By table, the rows that events name: places of the entries, keys."""
        self._naming = {model.type: model for model in models if any(map(names_rows, model.fields))}

    def __len__(self) -> int:
        return len(self.codes)

    def note(self, writes: Writes, ends: Sequence[int]) -> None:
        """Entries of the page that is being folded wrote this; what is after the last end is left."""
        start = len(self.writes.places)
        writes.move(self.writes, 0, ends[-1] if ends else 0)
        self.ends += [start + end for end in ends]

    def take_back(self, writes: Writes, place: int) -> None:
        """Give back what the entries of the page that is being folded wrote, from a place on."""
        keep = len(self.codes) + place
        self.writes.move(writes, self.ends[keep - 1] if keep else 0)
        del self.ends[keep:]

    def heard(self, journal: list[Write]) -> Callable[[Told], object]:
        """What to tell of each entry, when the journal has what it alone wrote."""

        def hear(told: Told) -> None:
            self._decide(len(self.ends), told)
            for write in journal:
                self.writes.add(*write)
            self.ends.append(len(self.writes.places))

        return hear

    def decide(self, place: int, refusal: Refusal) -> None:
        """An entry of the page that is being folded was refused for two numbers."""
        self._decide(len(self.codes) + place, refusal)

    def _decide(self, entry: int, by: Refusal | Told) -> None:
        # A domain may give anything for them.
        if type(by.needed) is int and type(by.available) is int:
            self.decisive.append(Decisive(entry, by.needed, by.available, by.shown))

    def add(self, codes: bytes, kinds: bytes, keys: Sequence[bytes | None], events: Sequence[Any]) -> None:
        """A page was folded, or the part of it that `codes` is of; its writes were noted as they were made."""
        start, size = len(self.codes), len(codes)
        self.codes += codes
        self.kinds += kinds[:size]
        if keys:
            self.keys += [
                (start + place, key)
                for place, (key, code) in enumerate(zip(keys, codes, strict=False))
                if key is not None and code >= APPLIED and code != DUPLICATE
            ]
        for kind in set(kinds[:size]):
            # A mask of bytes: no call of Python's is made for an entry.
            chosen = kinds[:size].translate(_ONLY[kind])
            self._name(list(compress(range(start, start + size), chosen)), list(compress(events, chosen)))

    def _name(self, places: list[int], events: list[Any]) -> None:
        """Note the rows that events name, which are of one kind: most often of one model."""
        models = set(map(type, events))
        for each in models:
            model = self._naming.get(each)
            if model is not None and len(models) == 1:
                self._name_all(model, places, events)
            elif model is not None:
                chosen = list(map(is_, map(type, events), repeat(each)))
                self._name_all(model, list(compress(places, chosen)), list(compress(events, chosen)))

    def _name_all(self, model: Model, places: Sequence[int], records: Sequence[Any]) -> None:
        for field in model.fields:
            if names_rows(field):
                self._name_field(field, places, list(map(attrgetter(field.name), records)))

    def _name_field(self, field: Field, places: Sequence[int], values: list[Any]) -> None:
        if (field.optional or not field.required) and None in values:
            there = [place for place, value in enumerate(values) if value is not None]
            places, values = [places[place] for place in there], [values[place] for place in there]
        if field.about:
            entries, keys = self.named.setdefault(field.about, ([], []))
            entries += places
            keys += values
        elif field.record is not None:
            self._name_all(field.record, places, values)
        elif field.element is not None:
            repeated = list(chain.from_iterable(map(repeat, places, map(len, values))))
            self._name_field(field.element, repeated, list(chain.from_iterable(values)))
