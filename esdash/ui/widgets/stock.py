"""The lines of the stock: every item, its price, what remains, and what changed it last."""

from collections.abc import Hashable, Sequence
from operator import itemgetter
from typing import Final

from esdash.shop.money import format_money
from esdash.shop.view import ItemRow, ShopView
from esdash.ui.widgets.balances import WAITING, change_cells
from esdash.ui.widgets.columns import Cell, Column, Kind
from esdash.ui.widgets.line_table import Order
from esdash.visible import visible

_COLUMNS = (
    Column("item", "item", Kind.TEXT, least=8, sortable=True),
    Column("price", "price", Kind.NUMBER, rank=1, sortable=True, starts_descending=True),
    Column("remain", "remaining", Kind.NUMBER, sortable=True, starts_descending=True),
    Column("bar", "", Kind.BAR, least=5, rank=2, stretch=1),
    Column("change", "change", Kind.NUMBER, rank=3, sortable=True, starts_descending=True),
    Column("ago", "ago", Kind.NUMBER, rank=4),
)

_ITEM_ID, _PRICE, _REMAIN = map(itemgetter, range(3))  # at 10,000 items, by attribute takes twice as long

_LOW: Final = 5
"""Pieces under which the line warns."""


class StockSource:
    """What the stock panel shows."""

    columns = _COLUMNS
    older = 0
    """All items are here."""

    def __init__(self, hint: Sequence[str] = ()) -> None:
        self.order: Order | None = Order("item", False)
        self.needle = ""
        """Text that an item's id contains, whatever its case."""
        self._hint = hint
        self._known = False
        self._items: tuple[ItemRow, ...] = ()
        self._rows: list[ItemRow] = []
        self._places: dict[str, int] | None = None
        self._now = 0.0
        self._largest = 0
        self._widest = [8, 6, 6, 10, 5, 6]

    @property
    def total(self) -> int:
        """Items, whether they match the filter or not."""
        return len(self._items)

    def update(self, state: ShopView | None, now: float) -> None:
        """Show another state; `now` in Unix seconds."""
        items = () if state is None else state.items
        self._now = now
        self._known = state is not None
        if items is self._items:
            return
        self._items = items
        if items:
            remain = max(map(_REMAIN, items))
            self._largest = max(self._largest, remain)
            self._widest[0] = max(self._widest[0], min(24, max(map(len, map(_ITEM_ID, items)))))
            self._widest[1] = max(self._widest[1], len(format_money(max(map(_PRICE, items)))))
            self._widest[2] = max(self._widest[2], len(f"{remain:,}"))
        self._arrange()

    def sort(self, order: Order) -> None:
        """Change the order."""
        self.order = order
        self._arrange()

    def search(self, needle: str) -> None:
        """Only items whose id contains this text, in any case."""
        self.needle = needle
        self._arrange()

    def __len__(self) -> int:
        return len(self._rows)

    def cells(self, index: int) -> tuple[Cell, ...]:
        """One line."""
        item = self._rows[index]
        change, ago = change_cells(item.change, self._now, money=False)
        self._widest[4] = max(self._widest[4], len(change.text))
        self._widest[5] = max(self._widest[5], len(ago.text))
        fraction = item.remain / self._largest if self._largest else 0.0
        tone = "bad" if item.remain == 0 else "warning" if item.remain < _LOW else ""
        return (
            Cell(visible(item.item_id), "strong"),
            Cell(format_money(item.price)),
            Cell(f"{item.remain:,}", tone),
            Cell("", tone or "information", fraction=fraction),
            change,
            ago,
        )

    def identity(self, index: int) -> Hashable:
        """The item's id."""
        return self._rows[index].item_id

    def find(self, identity: Hashable) -> int | None:
        """Where an item is in the order."""
        if self._places is None:
            self._places = {item.item_id: place for place, item in enumerate(self._rows)}
        return self._places.get(identity) if isinstance(identity, str) else None

    def wanted(self) -> Sequence[int]:
        """Cells for the widest content so far."""
        return self._widest

    def hint(self) -> Sequence[str]:
        """What to do about an empty panel."""
        return ("no item matches",) if self.total else self._hint if self._known else WAITING

    def _arrange(self) -> None:
        assert self.order is not None
        needle = self.needle.casefold()
        rows = [item for item in self._items if needle in item.item_id.casefold()] if needle else list(self._items)
        column, descending = self.order
        if column == "price":
            rows.sort(key=_PRICE, reverse=descending)
        elif column == "remain":
            rows.sort(key=_REMAIN, reverse=descending)
        elif column == "change":
            rows.sort(key=_newness, reverse=descending)
        elif descending:
            rows.reverse()  # the state has its items by id
        self._rows = rows
        self._places = None


def _newness(item: ItemRow) -> tuple[int, int]:
    if item.change is None:
        return -1, -1
    milliseconds, _, sequence = item.change.entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
