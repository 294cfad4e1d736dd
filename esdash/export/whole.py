"""A whole stream as JSON lines: every entry with its id and its fields as they are, in a file that proves itself.

The first line says what it is of, the last one how many entries there are and what all lines before it add up to. So a
file that is cut, or of which a byte is another one, is noticed before anything is made of it.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii
from typing import BinaryIO, Final, Literal

import msgspec
from msgspec import Struct

from esdash.log.facts import START, Entry, StreamFacts, id_parts
from esdash.log.shapes import UnreadableError, entry_id

FORMAT: Final = 1

LONGEST: Final = 96 * 1024 * 1024
"""Bytes of a line at most: what a server's largest reply takes as base64."""

LARGE: Final = 1024 * 1024
"""Bytes of a value from which it is written as base64, text or not: escaped, some texts take six times the room."""

_PROPER: Final = re.compile(rb"(?:0|[1-9][0-9]*)-(?:0|[1-9][0-9]*)")
_ENDS: Final = b'{"entries":'
"""How the last line begins, and no other."""


class WrongExportError(Exception):
    """It is no export of a whole stream, or not as it was written. The message is a sentence."""


class Header(Struct, forbid_unknown_fields=True):
    """What the first line says of the stream, as it was when the first entries were read."""

    esdash: Literal["stream"]
    format: int
    stream: str
    domain: str
    """Its name; the entries are as they are, whatever they mean."""
    length: int
    entries_added: int | None
    """Entries ever added; None where the server was too old to tell."""
    first_id: str | None
    last_id: str
    """The newest id ever given, whether or not its entry is there."""
    max_deleted_id: str

    @classmethod
    def of(cls, stream: str, domain: str, facts: StreamFacts) -> "Header":
        """From what the server says."""
        first = None if facts.first_id is None else facts.first_id.decode()
        last, deleted = facts.last_id.decode(), facts.max_deleted_id.decode()
        return cls("stream", FORMAT, stream, domain, facts.length, facts.entries_added, first, last, deleted)


class _Bytes(Struct, forbid_unknown_fields=True):
    """What is no text."""

    base64: str


class _Line(Struct, forbid_unknown_fields=True):
    """One entry: a text is text, bytes are an object."""

    id: str
    fields: list[tuple[str | _Bytes, str | _Bytes]]


_decode_header: Final = msgspec.json.Decoder(Header).decode
_decode_line: Final = msgspec.json.Decoder(_Line).decode


def lines_of(header: Header, entries: Iterable[Entry]) -> Iterator[bytes]:
    """The lines of a file, one after the other, in ASCII. Raises WrongExportError for an entry that is too large."""
    first = json.dumps(msgspec.structs.asdict(header), separators=(",", ":")).encode() + b"\n"
    hashed, count = hashlib.sha256(first), 0
    yield first
    for each, fields in entries:
        values = map(_written, fields)
        pairs = ",".join(f"[{name},{value}]" for name, value in zip(values, values, strict=True))
        line = b'{"id":"%b","fields":[%b]}\n' % (each, pairs.encode())
        if len(line) > LONGEST:
            raise WrongExportError(
                f"The entry {each.decode()} is too large: it would be a line of {len(line):,} bytes."
            )
        hashed.update(line)
        count += 1
        yield line
    yield _trailer(count, hashed.hexdigest())


class Export:
    """A file of such lines, read from where it stands. Each time it is read it is checked anew."""

    def __init__(self, file: BinaryIO) -> None:
        """Reads the header. Raises WrongExportError, OSError."""
        self._file = file
        self._number = 0
        line = self._line()
        self._hashed = hashlib.sha256(line)
        try:
            self.header = _decode_header(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise WrongExportError(
                "Its first line is not that of a whole stream, which `esdash export --all` writes."
            ) from None
        if self.header.format != FORMAT:
            raise WrongExportError(f"It has format {self.header.format}, and this esdash reads {FORMAT}.")
        self._last = START
        self._most = self._number_of(self.header.last_id)
        self._check_header()

    def entries(self) -> Iterator[Entry]:
        """Every entry, in the order of ids. Raises WrongExportError, OSError, at the end as well."""
        count = 0
        while not (line := self._line()).startswith(_ENDS):
            self._hashed.update(line)
            count += 1
            yield self._entry(line)
        if line != _trailer(count, self._hashed.hexdigest()):
            raise WrongExportError("It was changed after it was written: what its last line says is not so.")
        if count != self.header.length:
            raise WrongExportError(f"It has {count:,} entries, and its first line says {self.header.length:,}.")
        if self._file.read(1):
            raise WrongExportError(f"Something follows its last line, which is line {self._number:,}.")

    def _line(self) -> bytes:
        line = self._file.readline(LONGEST + 1)
        self._number += 1
        if len(line) > LONGEST:
            raise WrongExportError(
                f"Line {self._number:,} is longer than {LONGEST // 2**20} MiB, which no entry of an export is."
            )
        if not line and self._number == 1:
            raise WrongExportError("It is empty.")
        if not line.endswith(b"\n"):
            where = f"in line {self._number:,}" if line else f"after line {self._number - 1:,}"
            raise WrongExportError(f"It ends {where}, before the line that every export ends with: it was cut.")
        return line

    def _entry(self, line: bytes) -> Entry:
        try:
            read = _decode_line(line)
            fields = [_read(value) for pair in read.fields for value in pair]
        except (msgspec.DecodeError, UnicodeError, binascii.Error):
            raise WrongExportError(f"Line {self._number:,} is no entry: it was changed after it was written.") from None
        if not fields:
            raise WrongExportError(f"Line {self._number:,} is an entry without fields, which no stream has.")
        if not id_parts(self._last) < self._number_of(read.id) <= self._most:
            raise WrongExportError(
                f"The id in line {self._number:,} is not after the one before, or after the last of all."
            )
        self._last = read.id.encode()
        return self._last, fields

    def _number_of(self, text: str) -> tuple[int, int]:
        written = text.encode("utf-8", "surrogatepass")
        try:
            if _PROPER.fullmatch(written):
                return id_parts(entry_id(written))
        except UnreadableError:
            pass
        raise WrongExportError(f"Line {self._number:,} has an id that is none.")

    def _check_header(self) -> None:
        header = self.header
        added = header.length if header.entries_added is None else header.entries_added
        if not 0 <= header.length <= added < 2**63 or self._number_of(header.max_deleted_id) > self._most:
            raise WrongExportError("Its first line says what no stream is like.")


def _trailer(count: int, checksum: str) -> bytes:
    return b'%b%d,"sha256":"%b"}\n' % (_ENDS, count, checksum.encode())


def _written(value: bytes) -> str:
    """As JSON."""
    document = value_document(value)
    return encode_basestring_ascii(document) if isinstance(document, str) else f'{{"base64":"{document["base64"]}"}}'


def value_document(value: bytes) -> str | dict[str, str]:
    """As a value of JSON: a text, or `{"base64": …}` of what is none or large."""
    if len(value) < LARGE:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return {"base64": base64.b64encode(value).decode()}


def _read(value: str | _Bytes) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value.base64, validate=True)
