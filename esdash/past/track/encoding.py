"""What was recorded of consecutive entries, as the parts of a segment: by column, and there by row."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import is_
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from esdash.domain import COUNT, MONEY, PLAIN, TEXT, TIME, Column, Format, Table
from esdash.fold.folding import Fold
from esdash.fold.recording import Record
from esdash.past.track.packing import Numbers, pack

KINDS: Final = 256
"""An outcome and a kind together are the outcome times so much, and the kind."""

STRIDE: Final = 256
"""Of keys that are integers, each of so many is kept as it is; of the others, how far they are from the one before."""

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


class _Pairs(NamedTuple):
    """Pairs of a row and an entry, by row, then by entry; none is there twice."""

    rows: Numbers
    """Of each pair, the place of its key among those of the segment's table."""
    entries: Numbers
    first: Numbers
    """Of each pair, where it was found first, and where `last`."""
    last: Numbers

    def only(self, chosen: NDArray[Any]) -> "_Pairs":
        """Some of them."""
        return _Pairs(*(each[chosen] for each in self))


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
    shown = {id(each.shown): each.shown for each in decisive}
    places = {name: formats.index(each) if each in formats else 0 for name, each in shown.items()}
    decided: list[NDArray[Any] | bytes] = [
        np.diff(numbers([each.entry for each in decisive]), prepend=0),
        *_unbounded([each.needed for each in decisive]),
        *_unbounded([each.available for each in decisive]),
        numbers([places[id(each.shown)] for each in decisive]),
    ]
    times = np.diff(entries.milliseconds, prepend=entries.milliseconds[:1])
    # Few outcomes come of entries of one kind: together they take less.
    both = entries.codes * np.int64(KINDS) + entries.kinds
    there = np.flatnonzero(np.bincount(both))
    number = np.zeros(there[-1] + 1, np.int64)
    number[there] = np.arange(len(there))
    return pack(name, [entries.milliseconds[:1], times, entries.sequences, there, number[both], *decided])


def _unbounded(values: Sequence[int]) -> "tuple[Numbers, bytes]":
    """Integers, or where 64 bits do not hold each, all in base 16: Python bounds the decimal digits that it reads."""
    try:
        return numbers(values), b""
    except OverflowError:
        return numbers([]), " ".join(map(hex, values)).encode()


def encode_keys(name: str, keys: Sequence[tuple[int, bytes]]) -> bytes:
    """Idempotency keys that entered the window: place of the entry, key."""
    places = numbers([place for place, _ in keys])
    lengths = numbers([len(key) for _, key in keys])
    return pack(name, [places, lengths, b"".join(key for _, key in keys)])


def encode_parts(first: int, fold: Fold, record: Record) -> Iterator[Part]:
    """The parts of a segment that begins with an ordinal."""
    writes = record.writes
    for table, places in fold.storage.places.values():
        columns = [(place, column) for place, column in zip(places, table.columns, strict=True) if writes.keys[place]]
        named, naming = record.named.get(table.name, ([], []))
        keys, *found = _numbered(table, naming, *(writes.keys[place] for place, _ in columns))
        changed: list[_Pairs] = []
        for (place, column), rows in zip(columns, found[1:], strict=True):
            pairs = _paired(rows, numbers(writes.entries[place]), len(keys))
            pairs, values = _changes(column, pairs, writes.befores[place], writes.afters[place])
            if len(pairs.rows):
                changed.append(pairs)
                yield _part(part_name(table, column), first, table, keys, pairs, values)
        about = _others(_paired(found[0], np.concatenate((numbers([]), *named)), len(keys)), changed, len(record))
        if len(about.rows):
            yield _part(table.name, first, table, keys, about, [])


def _numbered(table: Table, *lists: list[Any]) -> "tuple[NDArray[Any], *tuple[Numbers, ...]]":
    """All keys of some lists, ascending, and for each list the places of its keys among them."""
    together = list(chain.from_iterable(lists))
    if table.key is int:
        keys, found = np.unique(numbers(together), return_inverse=True)
    else:
        unique = sorted(set(together))
        keys = np.array(unique, object)
        number = dict(zip(unique, range(len(unique)), strict=True))
        found = np.fromiter(map(number.__getitem__, together), np.int64, len(together))
    return keys, *np.split(found, np.cumsum(list(map(len, lists)))[:-1])


def _paired(rows: Numbers, entries: Numbers, most: int) -> _Pairs:
    """Pairs of rows and entries; `most`: there are so many rows. Where entries ascend, those of a row do."""
    if len(entries) and (np.diff(entries) < 0).any():
        by_entry = _sorted(entries, int(entries.max()) + 1)
        by_row = by_entry[_sorted(rows[by_entry], most)]
    else:
        by_row = _sorted(rows, most)
    rows, entries = rows[by_row], entries[by_row]
    borders = np.ones(len(rows) + 1, bool)
    borders[1:-1] = (rows[1:] != rows[:-1]) | (entries[1:] != entries[:-1])
    first, last = np.flatnonzero(borders[:-1]), np.flatnonzero(borders[1:])
    return _Pairs(rows[first], entries[first], by_row[first], by_row[last])


def _sorted(values: Numbers, most: int) -> Numbers:
    """In which order values from 0 below `most` ascend; alike ones stay in theirs."""
    # A stable sort of 16 bits is the only one that takes no comparisons.
    return np.argsort(values.astype(np.uint16) if most <= 2**16 else values, kind="stable")


def _changes(
    column: Column, pairs: _Pairs, befores: list[Any], afters: list[Any]
) -> "tuple[_Pairs, list[NDArray[Any] | bytes]]":
    """Those of the writes that changed something, and what."""
    values, changed = (_texts if column.kind is str else _differences)(pairs, befores, afters)
    if changed.all():
        return pairs, values
    kept = np.flatnonzero(changed)
    return pairs.only(kept), [value if isinstance(value, bytes) else value[kept] for value in values]


def _differences(
    pairs: _Pairs, befores: list[Any], afters: list[Any]
) -> "tuple[list[NDArray[Any] | bytes], NDArray[np.bool_]]":
    """Differences, and what appeared or vanished; which of them are changes."""
    before, was_absent = (each[pairs.first] for each in _absent_as_zero(befores))
    after, is_absent = (each[pairs.last] for each in _absent_as_zero(afters))
    moved = after - before
    flags = np.zeros(len(moved), np.int64)
    flags[was_absent & ~is_absent] = APPEARED
    flags[~was_absent & is_absent] = VANISHED
    return [moved, flags], (moved != 0) | (flags != 0)


def _absent_as_zero(values: list[Any]) -> tuple[Numbers, NDArray[np.bool_]]:
    try:
        return numbers(values), np.zeros(len(values), bool)
    except TypeError:  # there are some without
        absent = np.frombuffer(bytes(map(is_, values, repeat(None))), bool)
        return numbers([value or 0 for value in values]), absent


def numbers(values: Sequence[int]) -> Numbers:
    """Python's integers as an array."""
    return np.fromiter(values, np.int64, len(values))


def _texts(
    pairs: _Pairs, befores: list[Any], afters: list[Any]
) -> "tuple[list[NDArray[Any] | bytes], NDArray[np.bool_]]":
    """Numbers of texts before and after, 0 for none, and the texts; which of them are changes."""
    pool: dict[Any, int] = {None: 0}
    before, after = (numbers([pool.setdefault(value, len(pool)) for value in values]) for values in (befores, afters))
    before, after = before[pairs.first], after[pairs.last]
    return [before, after, msgspec.msgpack.encode(list(pool)[1:])], before != after


def _others(pairs: _Pairs, changed: Sequence[_Pairs], entries: int) -> _Pairs:
    """Pairs that are not among those of changes; `entries`: so many are in the segment."""
    codes = pairs.rows * entries + pairs.entries
    other = np.ones(len(codes), bool)
    for each in changed:
        theirs = each.rows * entries + each.entries
        other &= theirs[np.minimum(theirs.searchsorted(codes), len(theirs) - 1)] != codes
    return pairs.only(other)


def _part(
    name: str, first: int, table: Table, keys: NDArray[Any], pairs: _Pairs, values: "Sequence[NDArray[Any] | bytes]"
) -> Part:
    rows, entries = pairs.rows, pairs.entries
    begins = np.append(True, rows[1:] != rows[:-1])
    starts = np.flatnonzero(begins)
    counts = np.diff(starts, append=len(rows))
    gaps = np.where(begins, entries, np.diff(entries, prepend=0))
    place = f"{name} {first}"
    return Part(
        name,
        pack(f"{place} rows", [*_packed_keys(table, keys[rows[starts]]), counts]),
        pack(f"{place} data", [gaps, *values]),
    )


def _packed_keys(table: Table, keys: "NDArray[Any] | list[Any]") -> "list[NDArray[Any] | bytes]":
    if table.key is int:
        found = np.asarray(keys, np.int64)
        return [found[::STRIDE], np.diff(found)]
    # No key has a control character, so each is found as it stands between two ends of lines.
    return ["\n".join(["", *keys, ""]).encode()]


def encode_cells(name: str, ordinal: int, table: Table, column: Column, cells: Mapping[Any, Any]) -> bytes:
    """All cells of a column after an ordinal."""
    keys = sorted(cells)
    found = list(map(cells.__getitem__, keys))
    values = msgspec.msgpack.encode(found) if column.kind is str else numbers(found)
    return pack(f"{name} {ordinal} cells", [*_packed_keys(table, keys), values])
