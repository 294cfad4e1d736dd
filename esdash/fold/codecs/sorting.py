"""Sorting the entries of another program: each is opened, and then it is as good as any."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec

from esdash.fold.codecs.opening import Opened, UnreadableError
from esdash.fold.codecs.programs import PROGRAMS, Program
from esdash.fold.keys import Keys
from esdash.fold.sorting import MAX_KEY, Envelope, Fields, Kinds, Sorter

_ALONE: Final = b"\x00key"
"""The field of an entry of which only the key is kept."""


class CodecSorter(Sorter):
    """Sorts pages of a domain with a codec."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__(kinds)
        self.program = PROGRAMS[kinds.program]
        self.title, self.objection = self.program.title, self.program.objection
        self._usual = [None, None, None]
        self._type, self._key, self._v = kinds.type.encode(), kinds.key.encode(), kinds.v.encode()
        self._wanted = {self._type, self._key, self._v} | self.program.identity

    def open(self, fields: Fields) -> tuple[int, bytes, bytes | None]:
        """One entry's kind, payload and key."""
        try:
            headers, data = self.program.opened(dict(zip(fields[::2], fields[1::2], strict=True)), self._wanted)
        except UnreadableError as error:
            return error.code, b"", None
        name = self._only or headers.get(self._type)
        version = (headers.get(self._v) or b"1") if self._v else b"1"
        return self.judge(name, version, data, self._key_in(headers))

    def type_of(self, fields: Fields) -> str:
        """What an entry says of its type; empty where it says nothing, or cannot be read."""
        if self._only:
            return self._only.decode()
        opened = self.opened(fields)
        return "" if opened is None else opened.headers.get(self._type, b"").decode("utf-8", "backslashreplace")

    def payload_of(self, fields: Fields) -> bytes:
        """An entry's payload; of one that cannot be read its longest field."""
        opened = self.opened(fields)
        return max(fields[1::2], key=len, default=b"") if opened is None else opened.data

    def version_of(self, fields: Fields) -> bytes:
        """The version that an entry says it is of; empty where entries say none."""
        opened = self.opened(fields)
        return b"" if opened is None or not self._v else opened.headers.get(self._v) or b"1"

    def envelope(self, fields: Fields) -> Envelope | None:
        """What an entry says; None where it cannot be read."""
        opened = self.opened(fields)
        return None if opened is None else envelope_of(self.program, opened)

    def opened(self, fields: Fields) -> Opened | None:
        """An entry, opened; None where it cannot be read."""
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        # A header that a page is not sorted by may be broken: then those that it is sorted by are told.
        for names in (None, self._wanted):
            with suppress(UnreadableError):
                return self.program.opened(members, names)
        return None

    def key_of(self, fields: Fields) -> bytes | None:
        """An entry's key."""
        opened = self.opened(fields)
        return None if opened is None else self._key_in(opened.headers)

    def _key_in(self, headers: dict[bytes, bytes]) -> bytes | None:
        key = self.program.key(headers, self._key) if self._key else None
        if not key:
            return None
        # What identifies an event may be as long as its program likes.
        return key if len(key) <= MAX_KEY else blake2b(key, digest_size=16).hexdigest().encode()


class CodecKeys(Keys):
    """Keys within what a program writes."""

    within = True

    def __init__(self, sorter: CodecSorter) -> None:
        super().__init__(b"")
        self._sorter = sorter

    def of(self, fields: Fields) -> bytes | None:
        """The entry's key, when it has one."""
        if len(fields) == 2 and fields[0] == _ALONE:
            return fields[1] if 0 < len(fields[1]) <= MAX_KEY else None
        return self._sorter.key_of(fields)

    def alone(self, fields: Fields) -> Fields:
        """The key, so that `of` finds it."""
        key = self.of(fields)
        return () if key is None else (_ALONE, key)


def envelope_of(program: Program, opened: Opened) -> Envelope:
    """What an opened entry says."""
    return Envelope(program.title, program.payload, program.told(opened))


def packer(kinds: str) -> Callable[[Sequence[tuple[bytes, Fields]]], bytes]:
    """As that of `fold.sorting`."""
    sorter = CodecSorter(msgspec.json.decode(kinds, type=Kinds))
    encode = msgspec.msgpack.Encoder().encode
    return lambda entries: encode(sorter.sort(entries))
