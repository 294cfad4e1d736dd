"""A whole stream as lines: they say all there is, and nothing that is not as it was written is taken for it."""

import hashlib
import io
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esdash.export.whole import LARGE, LONGEST, Export, Header, WrongExportError, lines_of
from esdash.log.facts import Entry, StreamFacts

HOSTILE: list[Entry] = [
    (b"1-0", [b"type", b"TopUp", b"data", b'{"user_id":7,"amount":5}']),
    (b"1-1", [b"type", b"a", b"type", b"b", b"", b"", b"\xff\xfe", b"\x00\n\r\x1b[31m"]),
    (b"2-7", ["é\u2028\u202e漢".encode(), b'{"base64":"AA=="}', b"data", b"\x80\x81"]),
    (b"18446744073709551615-18446744073709551615", [b"k", b"v"]),
]


def facts_of(entries: Sequence[Entry]) -> StreamFacts:
    """Of a stream that has exactly these."""
    first, last = (entries[0][0], entries[-1][0]) if entries else (None, b"0-0")
    return StreamFacts(len(entries), len(entries), first, last)


def exported(entries: Sequence[Entry], facts: StreamFacts | None = None) -> bytes:
    header = Header.of("orders", "shop", facts or facts_of(entries))
    return b"".join(lines_of(header, entries))


def read(data: bytes) -> list[Entry]:
    """All of it. Raises WrongExportError."""
    return list(Export(io.BytesIO(data)).entries())


def signed(lines: Sequence[bytes]) -> bytes:
    """Lines, with an end that fits them."""
    data = b"".join(lines)
    return data + b'{"entries":%d,"sha256":"%b"}\n' % (len(lines) - 1, hashlib.sha256(data).hexdigest().encode())


ids = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), unique=True, max_size=6).map(sorted)
values = st.binary(max_size=12) | st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass"))
fields = st.lists(st.tuples(values, values), min_size=1, max_size=3).map(lambda pairs: [*itertools.chain(*pairs)])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ids.flatmap(lambda found: st.tuples(st.just(found), st.lists(fields, min_size=6, max_size=6))))
def test_whatever_a_stream_has_comes_back_as_it_was(drawn: tuple[list[tuple[int, int]], list[list[bytes]]]) -> None:
    entries = [(b"%d-%d" % parts, each) for parts, each in zip(*drawn, strict=False) if parts > (0, 0)]
    data = exported(entries)
    assert data.isascii()
    assert data.count(b"\n") == len(entries) + 2, "a line each"
    assert [(entry_id, list(each)) for entry_id, each in read(data)] == entries


def test_large_values_come_back_and_stay_within_the_bound() -> None:
    entries: list[Entry] = [(b"1-0", [b"text", b"\x01" * LARGE, b"bytes", b"\xff" * LARGE])]
    data = exported(entries)
    assert len(data) < 3 * LARGE
    assert read(data) == [(b"1-0", list(entries[0][1]))]


def test_every_cut_is_noticed() -> None:
    data = exported(HOSTILE)
    for end in range(len(data)):
        with pytest.raises(WrongExportError):
            read(data[:end])


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_every_changed_byte_is_noticed(mask: int) -> None:
    data = exported(HOSTILE)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= mask
        with pytest.raises(WrongExportError):
            read(bytes(changed))


def test_lines_that_are_left_out_doubled_or_turned_are_noticed() -> None:
    lines = exported(HOSTILE).splitlines(keepends=True)
    for place in range(len(lines)):
        for other in (lines[:place] + lines[place + 1 :], lines[: place + 1] + lines[place:], [*lines, lines[place]]):
            with pytest.raises(WrongExportError):
                read(b"".join(other))
    with pytest.raises(WrongExportError):
        read(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"id":"3-0","fields":[]}\n', "without fields"),
        (b'{"id":"1-0","fields":[["a","b"]]}\n', "after the one before"),
        (b'{"id":"9-0","fields":[["a","b"]]}\n', "after the last of all"),
        (b'{"id":"03-0","fields":[["a","b"]]}\n', "an id that is none"),
        (b'{"id":"3","fields":[["a","b"]]}\n', "an id that is none"),
        (b'{"id":"3-18446744073709551616","fields":[["a","b"]]}\n', "an id that is none"),
        (b'{"id":"3-0","fields":[["a","\\ud800"]]}\n', "is no entry"),
        (b'{"id":"3-0","fields":[["a",{"base64":"?"}]]}\n', "is no entry"),
        (b'{"id":"3-0","fields":[["a"]]}\n', "is no entry"),
        (b'{"id":"3-0","fields":[["a","b"]],"more":1}\n', "is no entry"),
        (b"\n", "is no entry"),
        (b"[" * 200_000 + b"\n", "is no entry"),
    ],
)
def test_what_no_stream_has_is_refused_though_the_sums_are_right(line: bytes, told: str) -> None:
    header = exported([], StreamFacts(2, 2, b"2-0", b"5-0")).splitlines(keepends=True)[0]
    with pytest.raises(WrongExportError, match=told):
        read(signed([header, b'{"id":"2-0","fields":[["a","b"]]}\n', line]))


@pytest.mark.parametrize(
    "facts",
    [
        StreamFacts(2, 2, b"1-0", b"1-0"),
        StreamFacts(1, 0, b"1-0", b"1-0"),
        StreamFacts(1, 2**63, b"1-0", b"1-0"),
        StreamFacts(1, 1, b"1-0", b"1-0", b"2-0"),
    ],
)
def test_a_first_line_that_cannot_be_is_refused(facts: StreamFacts) -> None:
    with pytest.raises(WrongExportError):
        read(exported([(b"1-0", [b"a", b"b"])], facts))


def test_what_is_something_else_is_told_as_such() -> None:
    for data in (b"{}\n", b'{"type":"TopUp","data":{}}\n', b"\xff\n", b"\xef\xbb\xbf" + exported([])):
        with pytest.raises(WrongExportError, match="first line"):
            read(data)
    with pytest.raises(WrongExportError, match="format 2"):
        read(exported([]).replace(b'"format":1', b'"format":2', 1))
    with pytest.raises(WrongExportError, match="empty"):
        read(b"")


class Endless(io.RawIOBase):
    """A file of zeros that has no end and no line."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        buffer[:] = bytes(len(buffer))
        self.given += len(buffer)
        return len(buffer)


def test_a_line_without_an_end_is_read_up_to_the_bound_only() -> None:
    endless = Endless()
    with pytest.raises(WrongExportError, match="longer than 96 MiB"):
        Export(io.BufferedReader(endless, 2**20))  # type: ignore[type-var]
    assert endless.given < LONGEST + 2**22
