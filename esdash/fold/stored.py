"""A state's digest, its bytes for a snapshot, and what two states do not agree on."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from esdash.domain import Table
from esdash.fold.cells import MAX_INT, MAX_NAME, MAX_TEXT, MIN_INT, is_name
from esdash.fold.outcomes import Outcome
from esdash.fold.overlay import Cells, Overlay
from esdash.fold.sorting import MAX_KEY
from esdash.fold.state import KEY_WINDOW, State

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

SLICE: Final = 10_000
"""Numbers converted at a time: under a millisecond, so that other threads run in between."""

ROWS: Final = 200
"""Rows with texts encoded at a time; one may have several texts of 4 KiB."""

CHUNK: Final = 256 * 1024
"""Bytes from which a chunk is full; with the last slice it stays below a megabyte."""

KEYS: Final = 5_000
"""Idempotency keys in a chunk."""


class StateError(ValueError):
    """The bytes are not those of a state of this domain."""


class Difference(NamedTuple):
    """A number on which two states do not agree: `users:7.balance`, or a count; None where one has none."""

    number: str
    first: Any
    second: Any


class _Counts(Struct, frozen=True, array_like=True, tag="counts"):
    counts: list[tuple[str, str | None, int]]


class _Keys(Struct, frozen=True, array_like=True, tag="keys"):
    keys: list[bytes]


class _Numbers(Struct, frozen=True, array_like=True, tag="numbers"):
    """Rows of a table of which key and all cells are integers that are there."""

    table: str
    columns: list[bytes]
    """The keys and each column: little-endian 64-bit integers."""


class _Rows(Struct, frozen=True, array_like=True, tag="rows"):
    """Rows of any table."""

    table: str
    slices: list[bytes]
    """MessagePack lists of rows: key, then the cells, nil where there is none."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Counts | _Keys | _Numbers | _Rows).decode


class Storage:
    """Digest and bytes for the states of one domain."""

    def __init__(self, tables: Sequence[Table], outcomes: Sequence[Outcome]) -> None:
        self._tables = tables
        self._outcomes = outcomes
        self.places: dict[str, tuple[Table, range]] = {}
        """Each table, and which columns of a state are its."""
        start = 0
        for table in tables:
            self.places[table.name] = table, range(start, start + len(table.columns))
            start += len(table.columns)

    def digest(self, state: State) -> str:
        """32 hexadecimal digits; equal states have equal digests, whatever the order of insertion.

        BLAKE2b over the counts, the keys in their order, and the rows of each table by key.
        """
        hashed = hashlib.blake2b(digest_size=16)
        for outcome, count in sorted(zip(self._outcomes, state.counts, strict=True), key=str):
            hashed.update(f"{outcome.name} {outcome.reason} {count}\n".encode())
        hashed.update(struct.pack("<Q", len(state.key_order)))
        for key in state.key_order:
            hashed.update(struct.pack("<I", len(key)) + key)
        for name, (table, places) in sorted(self.places.items()):
            columns = [_whole(state.cells[place]) for place in places]
            hashed.update(f"{name} {len(columns[0])} {[column.name for column in table.columns]}\n".encode())
            if _all_numbers(table, columns):
                for part in _ascending(columns):
                    hashed.update(part)
            else:
                for rows in _sliced(_rows(columns, sorted(columns[0])), ROWS):
                    hashed.update(_encode(rows))
        return hashed.hexdigest()

    def dump(self, state: State) -> Iterator[bytes]:
        """The state as chunks of at most a megabyte."""
        counts = zip(self._outcomes, state.counts, strict=True)
        yield _encode(_Counts([(*outcome, count) for outcome, count in counts]))
        for keys in _sliced(state.key_order, KEYS):
            yield _encode(_Keys(keys))
        for name, (table, places) in self.places.items():
            columns = [_whole(state.cells[place]) for place in places]
            if _all_numbers(table, columns):
                for keys in _sliced(columns[0], SLICE):
                    layout = f"<{len(keys)}q"
                    cells = (map(column.__getitem__, keys) for column in columns)
                    yield _encode(_Numbers(name, [struct.pack(layout, *each) for each in (keys, *cells)]))
                continue
            slices: list[bytes] = []
            size = 0
            for rows in _sliced(_rows(columns, columns[0]), _rows_of(table)):
                slices.append(_encode(rows))
                size += len(slices[-1])
                if size > CHUNK:
                    yield _encode(_Rows(name, slices))
                    slices, size = [], 0
            if slices:
                yield _encode(_Rows(name, slices))

    def load(self, chunks: Iterable[bytes], state: State) -> State:
        """Fill an empty state with what `dump` wrote. Raises StateError for anything else."""
        codes: dict[tuple[str, str | None], int] = {(*outcome,): code for code, outcome in enumerate(self._outcomes)}
        sizes = dict.fromkeys(self.places, 0)
        try:
            for chunk in chunks:
                part = _decode(chunk)
                if isinstance(part, _Counts):
                    for name, reason, count in part.counts:
                        if not 0 <= count < 2**64:
                            raise StateError("a count is out of its bounds")
                        state.counts[codes[name, reason]] = count
                elif isinstance(part, _Keys):
                    if not all(0 < len(key) <= MAX_KEY for key in part.keys):
                        raise StateError("a key is empty or too long")
                    state.key_order.extend(part.keys)
                else:
                    table, places = self.places[part.table]
                    columns = [state.cells[place] for place in places]
                    if isinstance(part, _Numbers):
                        sizes[part.table] += _load_numbers(part, table, columns)
                    else:
                        sizes[part.table] += _load_rows(part, table, columns)
        except (msgspec.MsgspecError, struct.error, ValueError, TypeError, LookupError, RecursionError) as error:
            raise StateError(f"the state cannot be read: {error}") from error
        state.keys.update(state.key_order)
        if len(state.keys) != len(state.key_order):
            raise StateError("the state names a key twice")
        for name, (_, places) in self.places.items():
            if len(state.cells[places[0]]) != sizes[name]:
                raise StateError(f"the state names a row of {name} twice")
        if len(state.keys) > KEY_WINDOW:
            raise StateError("the state remembers too many keys")
        return state

    def differences(self, one: State, other: State, limit: int) -> list[Difference]:
        """The numbers that two states do not agree on, at most `limit`."""

        def found() -> Iterator[Difference]:
            for outcome, first, second in zip(self._outcomes, one.counts, other.counts, strict=True):
                if first != second:
                    yield Difference(f"{outcome.name} {outcome.reason or ''}".strip(), first, second)
            for table, places in self.places.values():
                for place, column in zip(places, table.columns, strict=True):
                    ours, theirs = _whole(one.cells[place]), _whole(other.cells[place])
                    for key in sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)):
                        yield Difference(number_name(table.name, key, column.name), ours.get(key), theirs.get(key))
            if list(one.key_order) != list(other.key_order):
                yield Difference("idempotency keys", len(one.key_order), len(other.key_order))

        return list(islice(found(), limit))

    def is_numeric(self, state: State, table: str) -> bool:
        """Whether keys and cells of a table are integers, and no cell is absent."""
        declared, places = self.places[table]
        return _all_numbers(declared, [state.cells[place] for place in places])

    def columns(self, state: State, table: str) -> "tuple[NDArray[int64], list[NDArray[int64]]]":
        """The keys of a table of which all is integers, ascending, and its columns beside them."""
        _, places = self.places[table]
        arrays = _arrays([_whole(state.cells[place]) for place in places])
        return arrays[0], arrays[1:]


def number_name(table: str, key: int | str, column: str) -> str:
    """`users:7.balance`; a key with anything but letters, digits, `-` and `_` in it is quoted."""
    text = str(key)
    if not text.replace("-", "").replace("_", "").isalnum():
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{table}:{text}.{column}"


def _whole(cells: Cells) -> Cells:
    return cells.whole() if isinstance(cells, Overlay) else cells


def _all_numbers(table: Table, columns: Sequence[Cells]) -> bool:
    """Whether keys and cells are integers, and no cell is absent."""
    return _is_numeric(table) and len({len(column) for column in columns}) == 1


def _is_numeric(table: Table) -> bool:
    return table.key is int and all(column.kind is int for column in table.columns)


def _rows(columns: Sequence[Cells], keys: Iterable[Any]) -> Iterator[list[Any]]:
    gets = [column.get for column in columns]
    for key in keys:
        yield [key, *[get(key) for get in gets]]


def _rows_of(table: Table) -> int:
    """How many rows are encoded at a time: what they take at most stays well below a megabyte."""
    texts = sum(column.kind is str for column in table.columns)
    return max(1, min(ROWS, 512 * 1024 // (1100 + 4200 * texts + 10 * len(table.columns))))


def _sliced(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _ascending(columns: Sequence[Cells]) -> Iterator[bytes]:
    """The keys, then each column, as little-endian integers, by key."""
    keys = columns[0]
    if len(keys) > SLICE:
        for array in _arrays(columns):
            yield array.tobytes()
        return
    # So few are sorted long before numpy is imported.
    layout, ordered = f"<{len(keys)}q", sorted(keys)
    yield struct.pack(layout, *ordered)
    for column in columns:
        yield struct.pack(layout, *map(column.__getitem__, ordered))


def _arrays(columns: Sequence[Cells]) -> "list[NDArray[int64]]":
    """The keys, ascending, and the columns beside them; little-endian."""
    import numpy as np  # takes 0.1 s to import, and the first paint needs none of it

    keys = columns[0]
    arrays = [np.empty(len(keys), "<i8") for _ in range(len(columns) + 1)]
    # In slices, since one conversion of a million would stop every other thread for as long as it takes.
    sources = [iter(keys), iter(keys.values()), *(map(column.__getitem__, keys) for column in columns[1:])]
    for start in range(0, len(keys), SLICE):
        end = min(start + SLICE, len(keys))
        for array, source in zip(arrays, sources, strict=True):
            array[start:end] = np.fromiter(islice(source, SLICE), np.int64, end - start)
    order = np.argsort(arrays[0])
    return [array[order] for array in arrays]


def _load_numbers(part: _Numbers, table: Table, columns: Sequence[Cells]) -> int:
    if not _is_numeric(table):
        raise StateError(f"{table.name} holds more than integers")
    layout = f"<{len(part.columns[0]) // 8}q"
    keys, *cells = (struct.unpack(layout, column) for column in part.columns)
    for column, values in zip(columns, cells, strict=True):
        column.update(zip(keys, values, strict=True))
    return len(keys)


def _load_rows(part: _Rows, table: Table, columns: Sequence[Cells]) -> int:
    size = 0
    kinds = [column.kind for column in table.columns]
    for encoded in part.slices:
        for key, *cells in msgspec.msgpack.decode(encoded, type=list[list[Any]]):
            if (
                type(key) is not table.key
                or not _fits(key, 4 * MAX_NAME)
                or (key.__class__ is str and not is_name(key))
            ):
                raise StateError(f"a key of {table.name} is out of its bounds")
            for place, (column, kind, value) in enumerate(zip(columns, kinds, cells, strict=True)):
                if value is None and place:
                    continue
                if type(value) is not kind or not _fits(value, MAX_TEXT):
                    raise StateError(f"a cell of {table.name} is no {kind.__name__} or out of its bounds")
                column[key] = value
            size += 1
    return size


def _fits(value: Any, most: int) -> bool:
    if type(value) is int:
        return MIN_INT <= value <= MAX_INT
    return type(value) is bool or len(value.encode("utf-8", "replace")) <= most
