"""A page of entries sorted by what they are: the envelope of each is read, its payload is not.

Payloads are grouped by event type, so that one call decodes a group. A second process may do this, which knows no
domain but the names of its types (`Kinds`).
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from esdash.fold.outcomes import INVALID_DATA, MISSING_FIELD, PARKED, TOO_LARGE, UNKNOWN_TYPE, UNSUPPORTED_VERSION

Fields = Sequence[bytes]
"""name, value, name, value, … as the server sends them."""

MAX_DATA: Final = 64 * 1024
"""Bytes of a payload."""

MAX_KEY: Final = 128
"""Bytes of an idempotency key."""

MAX_DEPTH: Final = 512
"""Arrays and objects inside one another. A bound of our own: the parsers' depends on the caller's stack."""

FIRST: Final = len(PARKED)
"""The kind of the first event type; the kinds before it are the reasons for which an entry is parked."""

MESSAGEPACK: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
"""First bytes of a MessagePack map."""

_BRACE: Final = ord("{")
_OPENERS: Final = {False: b"[{", True: bytes((*range(0x80, 0xA0), *range(0xDC, 0xE0)))}


class Kinds(Struct, frozen=True):
    """How a domain's entries look: the names of their fields, and its event types as (name, v, MessagePack)."""

    type: str
    data: str
    key: str
    v: str
    only: str
    types: list[tuple[str, str, bool]]
    ids: bool
    """Whether the fold wants to know the entries' ids."""
    program: str = ""
    """Whose entries they are, where a `Codec` says it; `data` means nothing then, and the others name headers."""


class Sorted(Struct, frozen=True, array_like=True, gc=False):
    """A page of entries, sorted."""

    kinds: bytes
    """Of each entry, in order: why it is parked, or FIRST + the index of its type."""
    groups: list[bytes | list[bytes]]
    """The payloads of each type, in order. Bytes for JSON of which each line is surely one payload."""
    keys: list[bytes | None]
    """The idempotency key of each entry; empty when none has one."""
    ids: list[bytes]
    """The id of each entry, where the fold wants it."""


class Envelope(NamedTuple):
    """What an entry of another program says."""

    program: str
    """As people call it."""
    payload: bytes
    """The name that the payload has in `told`."""
    told: list[tuple[bytes, bytes]]
    """Names and values."""


class Sorter:
    """Sorts pages for one domain."""

    title = ""
    """What people call the program whose entries it opens; empty where nothing needs to be opened."""
    objection = ""
    """Why nothing may be published among that program's entries, in a sentence."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._only = kinds.only.encode()
        self._known: dict[tuple[bytes, bytes, bool], int] = {}
        self._versions: set[tuple[bytes, bytes]] = set()
        self._names: set[bytes] = set()
        for index, (name, version, packed) in enumerate(kinds.types):
            self._known[name.encode(), version.encode(), packed] = FIRST + index
            self._versions.add((name.encode(), version.encode()))
            self._names.add(name.encode())
        self._plain = [
            {name: kind for (name, version, packed), kind in self._known.items() if version == b"1" and packed is each}
            for each in (False, True)
        ]
        names = [name.encode() or None for name in (kinds.type, kinds.data, kinds.key)]
        self._usual = names if kinds.data and not kinds.only else [None, None, None]
        """The names of the fields in their usual order; None for one that no entry has, for a name may be empty."""

    def sort(self, entries: Sequence[tuple[bytes, Fields]]) -> Sorted:
        """Sort a page."""
        found = bytearray()
        groups: list[list[bytes]] = [[] for _ in self._kinds.types]
        keys: list[bytes | None] = []
        keyed = False
        # Bound once: this loop is a sixth of a replay.
        note, hold = found.append, keys.append
        take: list[Callable[[bytes], object]] = [bytes] * FIRST
        take += [group.append for group in groups]
        of_json, of_messagepack = self._plain[0].get, self._plain[1].get
        type_field, data_field, key_field = self._usual
        for _, fields in entries:
            kind = key = None
            data = b""
            size = len(fields)
            if size == 4:
                first, name, second, data = fields
                if first != type_field or second != data_field:
                    # The reference program writes the payload first for one of its types.
                    name, data = (data, name) if first == data_field and second == type_field else (name, b"")
            elif size == 6:
                first, name, second, data, third, key = fields
                if first != type_field or second != data_field or third != key_field or not 0 < len(key) <= MAX_KEY:
                    data = b""
            if 0 < len(data) <= MAX_DEPTH:
                start = data[0]
                if start == _BRACE:
                    kind = of_json(name)
                elif start in MESSAGEPACK:
                    kind = of_messagepack(name)
            if kind is None:
                kind, data, key = self.open(fields)
            note(kind)
            hold(key)
            take[kind](data)
            if key is not None:
                keyed = True
        packed = [group if kind[2] else _lines(group) for group, kind in zip(groups, self._kinds.types, strict=True)]
        ids = [entry_id for entry_id, _ in entries] if self._kinds.ids else []
        return Sorted(bytes(found), packed, keys if keyed else [], ids)

    def type_of(self, fields: Fields) -> str:
        """What an entry says of its type, bytes that are not UTF-8 escaped; empty where it says nothing."""
        kinds = self._kinds
        return kinds.only or field_of(fields, kinds.type.encode()).decode("utf-8", "backslashreplace")

    def payload_of(self, fields: Fields) -> bytes:
        """An entry's payload; empty where it has none. Fields that are members themselves are JSON."""
        kinds = self._kinds
        if kinds.data:
            return field_of(fields, kinds.data.encode())
        others = {kinds.v.encode(), kinds.key.encode(), *([] if kinds.only else [kinds.type.encode()])}
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        return msgspec.json.encode(
            {
                name.decode("utf-8", "backslashreplace"): value.decode("utf-8", "backslashreplace")
                for name, value in members.items()
                if name not in others
            }
        )

    def version_of(self, fields: Fields) -> bytes:
        """The version that an entry says it is of; empty where entries say none."""
        v = self._kinds.v.encode()
        return (field_of(fields, v) or b"1") if v else b""

    def envelope(self, fields: Fields) -> Envelope | None:  # noqa: ARG002
        """What an entry says, where its fields do not say it as they stand."""
        return None

    def open(self, fields: Fields) -> tuple[int, bytes, bytes | None]:
        """One entry's kind, payload and key, whatever the order of its fields; of one given twice the last counts."""
        kinds = self._kinds
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        name: bytes | None = self._only
        key: bytes | None = None
        if not name:
            name = members.pop(kinds.type.encode(), None)
        version = members.pop(kinds.v.encode(), b"1") if kinds.v else b"1"
        if kinds.key:
            key = members.pop(kinds.key.encode(), None)
        data = members.get(kinds.data.encode()) if kinds.data else _members(members)
        return self.judge(name, version, data, key)

    def judge(
        self, name: bytes | None, version: bytes, data: bytes | None, key: bytes | None
    ) -> tuple[int, bytes, bytes | None]:
        """The kind, payload and key of an entry that says so."""
        if name is None or data is None:
            return MISSING_FIELD, b"", None
        if name in self._names and (name, version) not in self._versions:
            return UNSUPPORTED_VERSION, b"", None
        if len(data) > MAX_DATA:
            return TOO_LARGE, b"", None
        packed = data[:1] != b"" and data[0] in MESSAGEPACK
        kind = self._known.get((name, version, packed), UNKNOWN_TYPE)
        if kind >= FIRST and (
            (key is not None and not 0 < len(key) <= MAX_KEY) or (len(data) > MAX_DEPTH and is_too_deep(data, packed))
        ):
            kind = INVALID_DATA
        return kind, data, key if kind >= FIRST else None


def field_of(fields: Fields, name: bytes) -> bytes:
    """A field's value, empty where there is none; of one given twice the last counts."""
    for index in range(len(fields) - 2, -1, -2):
        if fields[index] == name:
            return fields[index + 1]
    return b""


_UNREADABLE: Final[list[object]] = [{}, []]
"""Stands for a member that is no UTF-8: no model has a field that this could be."""


def _members(members: dict[bytes, bytes]) -> bytes:
    """Fields that are members themselves, as JSON of texts. One that no model can know by its name is left out."""
    texts: dict[str, object] = {}
    for name, value in members.items():
        with suppress(UnicodeDecodeError):
            member = name.decode()
            texts[member] = _UNREADABLE
            texts[member] = value.decode()
    return msgspec.json.encode(texts)


def _lines(payloads: list[bytes]) -> bytes | list[bytes]:
    """JSON payloads as lines, when that is safe.

    Each line begins with { and ends with }, so no value spans two of them: after a } inside a value comes no {. And
    with neither escapes nor bytes above 0x7e, no text in them is invalid and none holds a control character.
    """
    joined = b"\n".join(payloads)
    joints = len(payloads) - 1
    if (
        joined.isascii()
        and joined[:1] == b"{"
        and joined[-1:] == b"}"
        and joined.count(b"\n") == joints == joined.count(b"}\n{")
        and b"\\" not in joined
        and b"\x7f" not in joined
    ):
        return joined
    return payloads


def is_too_deep(data: bytes, packed: bool) -> bool:
    """Whether a payload is nested more than MAX_DEPTH deep; it is decoded only where it could be."""
    if len(data) - len(data.translate(None, _OPENERS[packed])) <= MAX_DEPTH:
        return False
    deep = [True]
    # In a thread of its own, since how deep a parser gets depends on the stack of its caller.
    thread = threading.Thread(target=lambda: deep.append(_depth(data, packed) > MAX_DEPTH), daemon=True)
    thread.start()
    thread.join()
    return deep[-1]


def _depth(data: bytes, packed: bool) -> int:
    try:
        level: list[Any] = [msgspec.msgpack.decode(data) if packed else msgspec.json.decode(data)]
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        # Else it would be the stack of the caller that decides about a payload which only its model's decoder reads.
        return MAX_DEPTH + 1
    depth = 0
    while level := [each for each in level if isinstance(each, list | dict)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def packer(kinds: str) -> Callable[[Sequence[tuple[bytes, Fields]]], bytes]:
    """A function that sorts a page for another process, by `Kinds` as JSON; `from_bytes` reads what it makes."""
    sorter = Sorter(msgspec.json.decode(kinds, type=Kinds))
    encode = msgspec.msgpack.Encoder().encode
    return lambda entries: encode(sorter.sort(entries))


from_bytes = msgspec.msgpack.Decoder(Sorted).decode
