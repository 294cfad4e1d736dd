"""The numbers on which two states differ, of one domain or of two."""

from collections.abc import Iterable, Iterator
from typing import Any

from esdash.domain import Column
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.overlay import Cells, Overlay
from esdash.fold.state import State


def numbers_between(one: Fold, before: State, other: Fold, after: State) -> Iterator[Change]:
    """Each number that differs, by table, key and column; what only one of the two domains has is nothing in the other.

    Of a state that was forked from the other one only what was touched is looked at.
    """
    for table in dict.fromkeys((*one.storage.places, *other.storage.places)):
        first, second = _columns(one, before, table), _columns(other, after, table)
        pairs = [
            (name, first.get(name, (None, {})), second.get(name, (None, {})))
            for name in dict.fromkeys((*first, *second))
        ]
        keys: set[Any] = set()
        for _, (was, cells), (now, others) in pairs:
            same_kind = was is not None and now is not None and was.kind is now.kind
            keys.update(_suspects(cells, others) if same_kind else (*cells, *others))
        for key in sorted(keys, key=_order):
            for name, (_, cells), (_, others) in pairs:
                value, another = cells.get(key), others.get(key)
                if value != another or type(value) is not type(another):
                    yield Change(table, key, name, value, another)


def _columns(fold: Fold, state: State, table: str) -> dict[str, tuple[Column | None, Cells]]:
    if table not in fold.storage.places:
        return {}
    declared, places = fold.storage.places[table]
    return {column.name: (column, state.cells[place]) for column, place in zip(declared.columns, places, strict=True)}


def _suspects(cells: Cells, others: Cells) -> Iterable[Any]:
    """The keys whose values may differ."""
    if isinstance(others, Overlay) and others.is_over(cells):
        return others.touched()
    return {key for key in cells.keys() | others.keys() if cells.get(key) != others.get(key)}


def _order(key: Any) -> tuple[bool, Any]:
    return isinstance(key, str), key
