"""`raw`: a stream that nobody described, watched as it is.

Every entry is applied, whatever its fields. The state says which types of entries there are, how many of each, how
often, and when the last one came. Nothing is ever written to Redis in its name.

What a type is: the field `type`, where there is none the field `event`, where there is none either what a program says
that puts more into a field (`fold.codecs`), else the names of the fields. A field without a value counts as none, and
so does one that holds an object.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import Struct

from esdash.domain import COUNT, TEXT, TIME, Column, Domain, EventType, Table, about, decimal
from esdash.fold.cells import MAX_INT, MAX_NAME
from esdash.fold.codecs.programs import recognise
from esdash.fold.codecs.sorting import envelope_of
from esdash.fold.decoding import Decoder
from esdash.fold.folding import Entry, Fold
from esdash.fold.hooks import Way
from esdash.fold.outcomes import APPLIED
from esdash.fold.reading import Read
from esdash.fold.recording import Record, Told
from esdash.fold.schema import Model
from esdash.fold.sorting import FIRST, MAX_DATA, Envelope, Fields, Kinds, Sorted, Sorter
from esdash.fold.state import State

MOST_TYPES: Final = 1000
"""Types that are remembered; the one that was seen longest ago is forgotten first, and begins anew when it returns."""

MOST_MEMBERS: Final = 100
"""Fields of an entry that are told."""

HEX: Final = 256
"""Bytes that are told of what is no text."""

_ENOUGH: Final = 4 * (MAX_NAME + 1)
"""Bytes in which there is surely one character more than a key may have."""

_TYPES: Final = (b"type", b"event")
"""Fields that say what an entry is, the first of these that holds."""

_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_UNCLEAN: Final = bytes(sorted({*range(32), 127} - set(b"\t\n\r")))
_PRINTABLE: Final = bytes((*b"\t\n\r", *range(32, 127)))
_COMPOUND: Final = frozenset((*range(0x80, 0xA0), *range(0xDC, 0xE0)))
"""First bytes of a MessagePack map or array; none of them begins a text in UTF-8 whose next byte is their length."""

PER_MINUTE: Final = decimal(2, "/min")
"""Entries a minute, in hundredths."""


class Member(Struct, frozen=True):
    """A field of an entry, as text: JSON, MessagePack as JSON, text, or hexadecimal digits."""

    name: str
    value: str


class RawEntry(Struct, frozen=True):
    """An entry, whatever it says."""

    type: Annotated[str, about("types")]
    fields: tuple[Member, ...] = ()


def seen(state: Any, event: RawEntry) -> None:
    """Count an entry by its type. What is `often` is the mean between the first and the last that were counted."""
    kind, types = event.type, state.types
    milliseconds, _, sequence = state.entry.id.partition("-")
    # An id may be beyond what a cell holds.
    time = min(int(milliseconds), MAX_INT)
    count = types.count.get(kind, 0) + 1
    if count == 1:
        if len(types.count) >= MOST_TYPES:
            newest = state.newest.id
            oldest = min(newest, key=newest.get)
            types.remove(oldest)
            state.newest.remove(oldest)
        types.first[kind] = time
    types.count[kind] = count
    span = time - types.first[kind]
    if span > 0:
        types.often[kind] = min((count - 1) * 6_000_000 // span, MAX_INT)
    types.last[kind] = time
    # Filled up, so that the order of the texts is that of the ids.
    state.newest.id[kind] = f"{milliseconds:0>20}-{sequence:0>20}"


def describe(event: RawEntry) -> str:
    """The line of the log: every field but that which is the type."""
    told = [
        f"{each.name} {each.value}"
        for each in event.fields
        if not (each.name in ("type", "event") and each.value == event.type)
    ]
    return " · ".join(told)


class RawSorter(Sorter):
    """Sorts entries of any kind: of each, the payload is the text of its type."""

    def sort(self, entries: Sequence[tuple[bytes, Fields]]) -> Sorted:
        """Sort a page."""
        types = [_type_of(fields).encode() for _, fields in entries]
        return Sorted(bytes((FIRST,)) * len(types), [types], [], [entry_id for entry_id, _ in entries])

    def open(self, fields: Fields) -> tuple[int, bytes, bytes | None]:
        """One entry's kind, which all have, its type, and no key."""
        return FIRST, _type_of(fields).encode(), None

    def type_of(self, fields: Fields) -> str:
        """The row it counts for."""
        return _type_of(fields)

    def envelope(self, fields: Fields) -> Envelope | None:
        """What another program has put into it; None where it is of none that is known."""
        found = recognise(fields)
        return None if found is None else envelope_of(*found)

    def payload_of(self, fields: Fields) -> bytes:
        """What another program calls so, else the field `data` where there is one, else all fields as JSON."""
        if (found := recognise(fields)) is not None:
            return found[1].data
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        data = members.get(b"data")
        if data is not None:
            return data
        return msgspec.json.encode({_escaped(name): text_of(value) for name, value in members.items()})


class _Types(Decoder):
    """What the sorter made of entries, to events."""

    def many(self, payloads: bytes | list[bytes], size: int) -> tuple[list[Any], bool]:  # noqa: ARG002
        """The event of each; every entry has one."""
        return list(map(_counted, _listed(payloads))), True

    def one(self, payload: bytes) -> Any:
        """The event."""
        return _counted(payload)


class RawFold(Fold):
    """Folds entries of any kind."""

    readonly = True

    def __init__(self, domain: Domain) -> None:
        super().__init__(domain)
        self.packing = f"{__name__}:pack"
        self.sorter = RawSorter(self.kinds)
        self.publishable = ()
        self.reader.decoders = [_Types(self.models[0], packed=False, lenient=False)]

    def fold_sorted(
        self, state: State, page: Sorted, tell: list[Told] | None = None, record: Record | None = None
    ) -> bytes:
        """`fold` for a page that was sorted."""
        if tell is not None or record is not None:
            return super().fold_sorted(state, page, tell, record)
        # What the only function writes needs no check, and nothing is refused.
        bare = self._seen(state, Way.BARE)
        entry, view = bare.entry, bare.state
        for entry_id, kind in zip(page.ids, _listed(page.groups[0]), strict=True):
            entry._id = entry_id
            seen(view, _counted(kind))
        state.counts[APPLIED] += len(page.ids)
        return bytes((APPLIED,)) * len(page.ids)

    def read(self, fields: Fields) -> Read:
        """What an entry says; every entry is understood."""
        told = self.sorter.envelope(fields)
        members = fields if told is None else [part for member in told.told for part in member]
        event = RawEntry(_type_of(fields), tuple(_members(members)))
        return Read(None, self.domain.events[0], event)

    def events(self, entries: Sequence[Entry]) -> list[Any]:
        """What entries say."""
        return [self.read(fields).event for _, fields in entries]

    def model(self, event: Any) -> Model:  # noqa: ARG002
        """The fields of the only model."""
        return self.models[0]


class Raw(Domain):
    """A domain that is folded in a way of its own."""

    __slots__ = ()
    folded_by = RawFold


def pack(entries: Sequence[tuple[bytes, Fields]]) -> bytes:
    """Sort a page for another process."""
    return _encode(_SORTER.sort(entries))


_encode = msgspec.msgpack.Encoder().encode


def _type_of(fields: Fields) -> str:
    """The text of an entry's type, which could be a key."""
    if len(fields) % 2:
        raise ValueError("a field without a value")
    names = fields[::2]
    for field in _TYPES:
        if field in names:
            # Of a name given twice the last counts.
            value = fields[2 * (len(names) - 1 - names[::-1].index(field)) + 1]
            if value and value[:1] != b"{":
                return _key_of(value[:_ENOUGH])
    if (found := recognise(fields, whole=False)) is not None:
        return _key_of(found[0].kind(found[1])[:_ENOUGH])
    # In one order, since some clients send the members of a map in whatever order they come.
    return _shortened(", ".join(_key_of(name[:_ENOUGH]) for name in sorted(set(names))[:MAX_NAME]) or '""')


@lru_cache(maxsize=4096)
def _key_of(value: bytes) -> str:
    return _shortened(_escaped(value).translate(_CONTROLS)) or '""'


def _listed(group: bytes | list[bytes]) -> list[bytes]:
    assert isinstance(group, list), "the sorter makes no lines of them"
    return group


@lru_cache(maxsize=4096)
def _counted(kind: bytes) -> RawEntry:
    return RawEntry(kind.decode())


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_NAME else text[: MAX_NAME - 1] + "…"


def _escaped(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _members(fields: Fields) -> Iterator[Member]:
    """The fields as text, as much of them as a payload may be long."""
    told, room = 0, MAX_DATA
    for place in range(0, min(len(fields), 2 * MOST_MEMBERS), 2):
        name, value = fields[place : place + 2]
        if room <= 0:
            break
        yield Member(_key_of(name[:_ENOUGH]), text_of(value, room))
        room -= len(name) + len(value)
        told += 1
    if told < len(fields) // 2:
        yield Member("…", f"and {len(fields) // 2 - told:,} more")


def text_of(value: bytes, room: int = MAX_DATA) -> str:
    """A value as JSON, MessagePack as JSON, text, or hexadecimal digits; at most `room` bytes of it are looked at."""
    seen, cut = value[:room], len(value) > room
    if not seen:
        return "…" if cut else '""'
    text = _text(seen, cut)
    if text is None and not cut and seen[0] in _COMPOUND:
        text = _unpacked(seen)
    if text is None:
        if 4 * len(seen.translate(None, _PRINTABLE)) > len(seen):
            more = f"… {len(value):,} bytes" if len(value) > HEX else ""
            return f"0x{seen[:HEX].hex()}{more}"
        text = _escaped(seen).translate(_CONTROLS)
    return f"{text}…" if cut else text


def _text(value: bytes, cut: bool) -> str | None:
    """A value as text, JSON in one line; None where it is none."""
    if value.translate(None, _UNCLEAN) != value:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        # The cut may have gone through a character.
        if not cut or error.start < len(value) - 3:
            return None
        text = value[: error.start].decode()
    if text[:1] in ("{", "[") and not cut:
        try:
            return msgspec.json.format(text, indent=-1)
        except (msgspec.MsgspecError, RecursionError):
            pass
    return text


def _unpacked(value: bytes) -> str | None:
    """MessagePack as JSON; None where it is none."""
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(value), enc_hook=_written).decode()
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return None


def _written(value: Any) -> Any:
    if isinstance(value, msgspec.msgpack.Ext):
        return {"ext": value.code, "data": bytes(value.data).hex()}
    return str(value)


_COLUMNS: Final = (
    Column("count", int, COUNT),
    Column("often", int, PER_MINUTE),
    Column("last", int, TIME),
    Column("first", int, TIME),
)

RAW: Final = Raw(
    name="raw",
    version="2",
    tables=(
        Table("types", "kind", str, _COLUMNS),
        Table("newest", "newest entry", str, (Column("id", str, TEXT),), hidden=True),
    ),
    events=(EventType(RawEntry, seen),),
    describe=describe,
)

_SORTER: Final = RawSorter(Kinds("type", "data", "", "", "", [], ids=True))
