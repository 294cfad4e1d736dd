"""Entries made from what the models of a domain say: the edges of every field first, then at random by a seed."""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from esdash.checking.reading import constants_of
from esdash.domain import Codec, EventType
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.fold.decoding import could_be_key
from esdash.fold.folding import Entry, Fold
from esdash.fold.schema import Field, Model
from esdash.fold.writing import written

SAMPLES: Final = 200
"""Events of the domain's own that are tried."""

AT_RANDOM: Final = 600

_FIRST_TIME: Final = 1_700_000_000_000
_ABSENT: Final = object()
_NAMES: Final = ("a", "b", "c", "ä", "x-1", "two words")
_TEXTS: Final = ("", "a", "ä\u0301", "\u202eabc", '"\\', "line\nbreak", "\x00", "😀", "z" * 300, "z" * 5000)
_DECIMALS: Final = ("0", "1", "-1.50", "0.01", "12345678901234567890.12", "1E+3", "9E+4000")
_TIMES: Final = ("1970-01-01T00:00:00Z", "2024-02-29T23:59:59.999999+14:00", "9999-12-31T23:59:59Z")


class Maker:
    """Makes entries for one domain."""

    def __init__(self, fold: Fold, seed: int = 1) -> None:
        self._fold = fold
        self._chance = random.Random(seed)
        self._known: dict[str, list[Any]] = {}
        """Keys of each table which samples name: what rules do with a row that is there shows only so."""
        self.samples: list[Any] = []
        self._numbers, self._words = constants_of(fold)

    def take_samples(self) -> None:
        """Take the domain's own samples. Raises what its `sample` raises."""
        self.samples = list(islice(self._fold.samples(1), SAMPLES))
        for event in self.samples[:50]:
            for table, key in self._fold.model(event).rows(event):
                known = self._known.setdefault(table, [])
                if key not in known and len(known) < 6:
                    known.append(key)

    def entries(self) -> list[Entry]:
        """All of them, with ids."""
        half = len(self.samples) // 2
        found = [*self._of_samples(0, half), *self._edges(), *self._at_random(AT_RANDOM)]
        found += [*self._malformed(), *self._of_samples(half, len(self.samples)), *self._at_random(AT_RANDOM // 4)]
        return [(f"{_FIRST_TIME + 1000 * number}-0".encode(), fields) for number, fields in enumerate(found)]

    def _of_samples(self, start: int, end: int) -> Iterator[list[bytes]]:
        for event in self.samples[start:end]:
            event_type = self._fold.type_of(event)
            yield self._fields(event_type, self._fold.encode(event)[1], b"")

    def _edges(self) -> Iterator[list[bytes]]:
        for event_type, model in zip(self._fold.domain.events, self._fold.models, strict=True):
            for _ in range(3):
                yield self._entry(event_type, model, self._record(model))
            for field in model.fields:
                for value in self._edges_of(field):
                    yield self._entry(event_type, model, self._record(model) | {field.member: value})

    def _at_random(self, count: int) -> Iterator[list[bytes]]:
        types = list(zip(self._fold.domain.events, self._fold.models, strict=True))
        for _ in range(count):
            event_type, model = self._chance.choice(types)
            key = f"key-{self._chance.randint(1, 60)}".encode() if self._chance.random() < 0.1 else b""
            yield self._entry(event_type, model, self._record(model), key)

    def _malformed(self) -> Iterator[list[bytes]]:
        event_type = self._fold.domain.events[0]
        for data in (b"", b"{", b"[]", b'{"":0}', b"\xff", b"\x81", b"[" * 2000):
            yield self._fields(event_type, data, b"")
        yield [b"nothing", b"of this domain"]
        wire = self._fold.domain.wire
        if isinstance(wire, Codec):
            yield written(wire, "nobody knows", "1", b"{}", None)
            yield from broken(self._fields(event_type, b"{}", b"key"))
        else:
            yield [wire.type.encode(), b"nobody knows", b"data", b"{}"]

    # Entries

    def _entry(self, event_type: EventType, model: Model, record: dict[str, Any], key: bytes = b"") -> list[bytes]:
        members = {name: value for name, value in record.items() if value is not _ABSENT}
        config = getattr(model.type, "__struct_config__", None)
        if config is not None and config.tag is not None:
            members[config.tag_field] = config.tag
        encode = msgspec.msgpack.encode if event_type.encoding == "msgpack" else msgspec.json.encode
        return self._fields(event_type, encode(members), key)

    def _fields(self, event_type: EventType, data: bytes, key: bytes) -> list[bytes]:
        wire = self._fold.domain.wire
        if isinstance(wire, Codec):
            return written(wire, event_type.wire_name, event_type.v, data, key or None)
        fields = [] if wire.only else [wire.type.encode(), event_type.wire_name.encode()]
        if wire.data:
            fields += [wire.data.encode(), data]
        else:
            try:
                members = msgspec.json.decode(data, type=dict[str, Any])
            except msgspec.MsgspecError:
                members = {"": ""}
            for name, value in members.items():
                fields += [name.encode(), value.encode() if isinstance(value, str) else msgspec.json.encode(value)]
        if event_type.v != "1":
            fields += [wire.v.encode(), event_type.v.encode()]
        return [*fields, wire.key.encode(), key] if wire.key and key else fields

    # Values

    def _record(self, model: Model) -> dict[str, Any]:
        return {field.member: self._value(field, top=True) for field in model.fields}

    def _value(self, field: Field, *, top: bool = False) -> Any:
        chance = self._chance
        if top and not field.required and chance.random() < 0.3:
            return _ABSENT
        if field.optional and chance.random() < 0.2:
            return None
        if field.about and (known := self._known.get(field.about)) and chance.random() < 0.6:
            return chance.choice(known)
        if field.kind == "int":
            return self._whole(field)
        if field.kind == "str":
            drawn = chance.random()
            new = f"new-{chance.randint(1, 300)}"  # so that some name what is not there
            if self._words and chance.random() < 0.05:
                return _fitting(field, chance.choice(self._words))
            return _fitting(
                field, chance.choice(_NAMES) if drawn < 0.8 else chance.choice(_TEXTS) if drawn < 0.9 else new
            )
        if field.kind == "list":
            assert field.element is not None
            most = min(field.bound("max_length") or 4, 4)
            return [
                self._value(field.element)
                for _ in range(chance.randint(min(field.bound("min_length") or 0, most), most))
            ]
        if field.record is not None:
            return {name: value for name, value in self._record(field.record).items() if value is not _ABSENT}
        return chance.choice(_few(field))

    def _whole(self, field: Field) -> int:
        chance = self._chance
        low, high = _bounds(field)
        drawn = chance.random()
        if self._numbers and chance.random() < 0.1:
            number = chance.choice(self._numbers) + chance.randint(-1, 1)
        elif drawn < 0.4:
            number = max(low, 0) + chance.randint(0, 5)
        elif drawn < 0.8:
            number = chance.randint(0, 200)
        else:
            number = chance.choice((1, 1, 1, -1)) * int(10 ** chance.uniform(0, 19))
        number = min(max(number, low), high)
        step = field.bound("multiple_of")
        return number - number % step if step else number

    def _edges_of(self, field: Field) -> Iterator[Any]:
        if field.optional:
            yield None
        if not field.required:
            yield _ABSENT
        if field.kind == "int":
            low, high = _bounds(field)
            said = (number + by for number in self._numbers for by in (0, 1, -1))
            wanted = (low, low + 1, -1, 0, 1, high - 1, high, MIN_INT, MAX_INT, MAX_INT + 1, *said)
            yield from dict.fromkeys(number for number in wanted if low <= number <= high)
        elif field.kind == "str":
            longest = "m" * min(field.bound("max_length") or 0, 5000)
            texts = (*_NAMES[:2], *_TEXTS, longest, *self._words)
            yield from dict.fromkeys(_fitting(field, text) for text in texts)
        elif field.kind == "list":
            assert field.element is not None
            item = self._value(field.element)
            most = min(field.bound("max_length") or 20, 100)
            yield from ([], [item], [item, item], [self._value(field.element) for _ in range(most)])
            for edge in self._edges_of(field.element):
                yield [edge]
        elif field.record is not None:
            for inner in field.record.fields:
                for edge in self._edges_of(inner):
                    record = self._record(field.record) | {inner.member: edge}
                    yield {name: value for name, value in record.items() if value is not _ABSENT}
        else:
            yield from _few(field)


def broken(fields: list[bytes]) -> Iterator[list[bytes]]:
    """An entry of another program cut short, and with a byte that does not belong there, in each of its fields."""
    for place in range(1, len(fields), 2):
        value = fields[place]
        for other in (value[: len(value) // 2], value[:10], b"\xff" + value, value[:12] + b"\xff" + value[13:]):
            yield [*fields[:place], other, *fields[place + 1 :]]


def _few(field: Field) -> tuple[Any, ...]:
    """The values that are tried of a kind that is neither a number, a text, a list nor a record."""
    return {"bool": (True, False), "decimal": _DECIMALS, "time": _TIMES}.get(field.kind, field.choices) or (None,)


def _bounds(field: Field) -> tuple[int, int]:
    low, high, over, under = (field.bound(name) for name in ("ge", "le", "gt", "lt"))
    low = MIN_INT if low is None and over is None else int(low if low is not None else over + 1)
    high = MAX_INT + 1 if high is None and under is None else int(high if high is not None else under - 1)
    return low, high


def _fitting(field: Field, text: str) -> str:
    least, most = field.bound("min_length") or 0, field.bound("max_length")
    if field.about and not could_be_key(text) and text:
        text = text[:8].replace("\n", " ").replace("\x00", "0")
    text = text.ljust(least, "x")
    return text if most is None else text[:most]
