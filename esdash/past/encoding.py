"""What was recorded of consecutive entries, as the parts of a segment: by column, and there by row."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from esdash.domain import COUNT, MONEY, PLAIN, TEXT, TIME, Column, Format, Table
from esdash.fold.folding import Fold
from esdash.fold.recording import Record
from esdash.fold.tables import State
from esdash.past.packing import Numbers, pack

APPEARED, VANISHED = 1, 2
"""What a change of a column of numbers may be beside a difference: before or after it there was none."""


class Part(NamedTuple):
    """One part of a segment."""

    name: str
    """`accounts.total` for what changed in a column, `accounts` for rows that entries are about and did not change."""
    rows: bytes
    """The rows, and how often each is in it."""
    data: bytes
    """By row, then in their order: the entries, and what they changed."""


class Entries(NamedTuple):
    """What is known of a segment's entries, whatever they changed."""

    milliseconds: Numbers
    """Of the ids."""
    sequences: Numbers
    """Of the ids."""
    codes: NDArray[Any]
    """Outcomes."""
    kinds: NDArray[Any]
    """Why it is parked, or FIRST + the index of its type."""


class _Grouped(NamedTuple):
    """Pairs of a row and an entry, by row, then by entry."""

    keys: list[Any]
    """Ascending."""
    rows: Numbers
    """Of each pair, the place of its key."""
    entries: Numbers
    order: Numbers
    """Of each pair, where it was found."""


def part_name(table: Table, column: Column) -> str:
    """What a column is called in a track."""
    return f"{table.name}.{column.name}"


def formats(fold: Fold) -> list[Format]:
    """The formats in which the numbers of refusals may be shown, in an order that goes with the domain's source."""
    found: list[Format] = [PLAIN, COUNT, MONEY, TEXT, TIME]
    declared = [column.shown for table in fold.domain.tables for column in table.columns]
    declared += [field.shown for model in fold.models for field in model.fields]
    for shown in declared:
        if shown not in found:
            found.append(shown)
    return found


def encode_entries(name: str, entries: Entries, record: Record, formats: Sequence[Format]) -> bytes:
    """The entries of a segment. `formats`: those in which the numbers of refusals may be shown."""
    decisive = record.decisive
    decided: list[NDArray[Any] | bytes] = [
        numbers([each.entry for each in decisive]),
        _unbounded([each.needed for each in decisive]),
        _unbounded([each.available for each in decisive]),
        numbers([_place(formats, each.shown) for each in decisive]),
    ]
    times = np.diff(entries.milliseconds, prepend=entries.milliseconds[:1])
    return pack(name, [entries.milliseconds[:1], times, entries.sequences, entries.codes, entries.kinds, *decided])


def _unbounded(values: Sequence[int]) -> bytes:
    """Integers that 64 bits may not hold; in base 16, for Python bounds the decimal digits that it reads."""
    return " ".join(map(hex, values)).encode()


def encode_keys(name: str, keys: Sequence[tuple[int, bytes]]) -> bytes:
    """Idempotency keys that entered the window: place of the entry, key."""
    places = numbers([place for place, _ in keys])
    lengths = numbers([len(key) for _, key in keys])
    return pack(name, [places, lengths, b"".join(key for _, key in keys)])


def encode_parts(first: int, fold: Fold, state: State, record: Record) -> Iterator[Part]:
    """The parts of a segment that begins with an ordinal; `state` is that after its last entry."""
    changed: dict[str, list[_Grouped]] = {}
    writes = _by_column(record)
    for table, places in fold.storage.places.values():
        for place, column in zip(places, table.columns, strict=True):
            if place in writes:
                keys, entries, befores = writes[place]
                grouped = _grouped(table, keys, entries)
                found = list(map(befores.__getitem__, grouped.order.tolist()))
                encoded = _encode_column(first, table, column, grouped, found, state.cells[place])
                if encoded is not None:
                    changed.setdefault(table.name, []).append(encoded[1])
                    yield encoded[0]
        if table.name in record.named:
            part = _encode_named(first, table, record.named[table.name], changed.get(table.name, []))
            if part is not None:
                yield part


def _by_column(record: Record) -> dict[int, tuple[list[Any], Numbers, list[Any]]]:
    """By column: the keys, entries and former values of its writes, in their order."""
    writes = record.writes
    entries = np.repeat(np.arange(len(record.ends)), np.diff(numbers(record.ends), prepend=0))
    places = np.frombuffer(array("H", writes.places), np.uint16)
    return {
        place: (keys, entries[places == place], befores)
        for place, (keys, befores) in enumerate(zip(writes.keys, writes.befores, strict=True))
        if keys
    }


def _grouped(table: Table, keys: list[Any], entries: Numbers) -> _Grouped:
    """Of each row and entry that belong together the first pair, sorted; entries ascend among those of a row."""
    if table.key is int:
        unique, found = np.unique(numbers(keys), return_inverse=True)
        ascending = unique.tolist()
    else:
        ascending = sorted(set(keys))
        number = dict(zip(ascending, range(len(ascending)), strict=True))
        found = numbers(list(map(number.__getitem__, keys)))
    # A stable sort of 16 bits is the only one that takes no comparisons.
    order = np.argsort(found.astype(np.uint16) if len(ascending) < 2**16 else found, kind="stable")
    rows, sorted_entries = found[order], entries[order]
    again = np.zeros(len(order), bool)
    again[1:] = (rows[1:] == rows[:-1]) & (sorted_entries[1:] == sorted_entries[:-1])
    return _Grouped(ascending, rows[~again], sorted_entries[~again], order[~again])


def _encode_column(
    first: int, table: Table, column: Column, grouped: _Grouped, befores: list[Any], cells: Mapping[Any, Any]
) -> tuple[Part, _Grouped] | None:
    """The part, and what is in it: the writes that changed something."""
    # What a change made is what the next one of its row found, and in the end what is there now.
    last = np.flatnonzero(np.append(grouped.rows[1:] != grouped.rows[:-1], True))
    now = list(map(cells.get, grouped.keys))
    values, changed = (_texts if column.kind is str else _differences)(befores, now, last)
    if not changed.all():
        kept = np.flatnonzero(changed)
        if not len(kept):
            return None
        values = [value if isinstance(value, bytes) else value[kept] for value in values]
        grouped = grouped._replace(rows=grouped.rows[kept], entries=grouped.entries[kept], order=grouped.order[kept])
    rows, entries = grouped.rows, grouped.entries
    return _part(part_name(table, column), first, table, grouped.keys, rows, entries, values), grouped


def _differences(
    befores: list[Any], now: list[Any], last: Numbers
) -> "tuple[list[NDArray[Any] | bytes], NDArray[np.bool_]]":
    """Differences, and what appeared or vanished; which of them are changes."""
    before, was_absent = _absent_as_zero(befores)
    final, is_absent = _absent_as_zero(now)
    moved = _after(before, final, last) - before
    flags = np.zeros(len(moved), np.int64)
    if was_absent.any() or is_absent.any():
        absent = _after(was_absent, is_absent, last)
        flags[was_absent & ~absent] = APPEARED
        flags[~was_absent & absent] = VANISHED
    return [moved, flags], (moved != 0) | (flags != 0)


def _after(before: NDArray[Any], final: NDArray[Any], last: Numbers) -> NDArray[Any]:
    after = np.empty_like(before)
    after[:-1] = before[1:]
    after[last] = final
    return after


def _absent_as_zero(values: list[Any]) -> tuple[Numbers, NDArray[np.bool_]]:
    absent = np.zeros(len(values), bool)
    if None in values:
        absent[[place for place, value in enumerate(values) if value is None]] = True
        values = [value or 0 for value in values]
    return numbers(values), absent


def numbers(values: Sequence[int]) -> Numbers:
    """Python's integers as an array."""
    return np.frombuffer(array("q", values), np.int64)


def _texts(befores: list[Any], now: list[Any], last: Numbers) -> "tuple[list[NDArray[Any] | bytes], NDArray[np.bool_]]":
    """Numbers of texts before and after, 0 for none, and the texts; which of them are changes."""
    pool: dict[Any, int] = {None: 0}
    before, final = (numbers([pool.setdefault(value, len(pool)) for value in values]) for values in (befores, now))
    after = _after(before, final, last)
    return [before, after, msgspec.msgpack.encode(list(pool)[1:])], before != after


def _encode_named(
    first: int, table: Table, named: tuple[list[int], list[Any]], changed: Sequence[_Grouped]
) -> Part | None:
    places, keys = named
    entries, values = numbers(places), _values(table, keys)
    again = np.zeros(len(entries), bool)
    for each in changed:
        again |= _is_among(entries, values, each.entries, _values(table, each.keys)[each.rows])
    if again.all():
        return None
    rest = np.flatnonzero(~again)
    order = rest[np.argsort(entries[rest], kind="stable")]
    grouped = _grouped(table, list(map(keys.__getitem__, order.tolist())), entries[order])
    return _part(table.name, first, table, grouped.keys, grouped.rows, grouped.entries, [])


def _values(table: Table, keys: list[Any]) -> Numbers:
    """Numbers that are alike where keys are alike."""
    return numbers(keys if table.key is int else list(map(hash, keys)))


def _is_among(entries: Numbers, values: Numbers, their_entries: Numbers, their_values: Numbers) -> NDArray[np.bool_]:
    """Which pairs of an entry and a value are among others."""
    order = np.argsort(their_entries.astype(np.uint16), kind="stable")
    sorted_entries, sorted_values = their_entries[order], their_values[order]
    at, end = sorted_entries.searchsorted(entries), sorted_entries.searchsorted(entries, "right")
    found = np.zeros(len(entries), bool)
    last = len(sorted_values) - 1
    while True:
        # An entry has few changes: so often this looks at the next one of each.
        looking = at < end
        if not looking.any():
            return found
        found |= looking & (sorted_values[np.minimum(at, last)] == values)
        at = at + 1


def _part(
    name: str,
    first: int,
    table: Table,
    keys: list[Any],
    rows: Numbers,
    entries: Numbers,
    values: "Sequence[NDArray[Any] | bytes]",
) -> Part:
    begins = np.append(True, rows[1:] != rows[:-1])
    starts = np.flatnonzero(begins)
    found = rows[starts].tolist()
    counts = np.diff(starts, append=len(rows))
    gaps = np.where(begins, entries, np.diff(entries, prepend=0))
    place = f"{name} {first}"
    return Part(
        name,
        pack(f"{place} rows", [*_packed_keys(table, list(map(keys.__getitem__, found))), counts]),
        pack(f"{place} data", [gaps, *values]),
    )


def _packed_keys(table: Table, keys: list[Any]) -> "list[NDArray[Any] | bytes]":
    if table.key is int:
        found = numbers(keys)
        return [found[:1], np.diff(found)]
    # No key has a control character, so each is found as it stands between two ends of lines.
    return ["\n".join(["", *keys, ""]).encode()]


def _place(formats: Sequence[Format], shown: Any) -> int:
    return formats.index(shown) if shown in formats else 0


def encode_cells(name: str, ordinal: int, table: Table, column: Column, cells: Mapping[Any, Any]) -> bytes:
    """All cells of a column after an ordinal."""
    keys = sorted(cells)
    found = list(map(cells.__getitem__, keys))
    values = msgspec.msgpack.encode(found) if column.kind is str else numbers(found)
    return pack(f"{name} {ordinal} cells", [*_packed_keys(table, keys), values])
