"""Known users and items that fit what is being typed, found without walking through all of them."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from esdash.engine.view import View
from esdash.shop.money import format_money
from esdash.shop.view import ItemRow, ShopView
from esdash.ui.typed import read_item, read_lines, read_user, write_item, write_line_item
from esdash.visible import visible

MOST: Final = 5
"""Matches offered at once."""
SCANNED: Final = 20_000
"""Items looked through for a match in the middle of the id: a few milliseconds."""
EAGERLY_LISTED: Final = 200_000
"""With more users than this, none is listed before a digit is typed: sorting them all takes too long for a key."""


class Match(NamedTuple):
    """One thing that could be meant."""

    written: str
    """What the field holds when it is taken."""
    name: str
    detail: str
    """Balance, or price and stock."""


class Completion(NamedTuple):
    """What fits a part of a text."""

    start: int
    end: int
    """Where in the text the part stands that a match replaces."""
    matches: Sequence[Match]
    more: int
    """Known matches that are not listed; for items 0 or 1, which stands for some."""

    def part_of(self, text: str) -> str:
        """The part that a match replaces."""
        return text[self.start : self.end]


def complete_user(view: View, text: str, may_be_new: bool) -> Completion:
    """Users whose number begins with what is typed, lowest first.

    When the user may be new, what is typed comes first, so that taking the first match never changes a whole number.
    """
    typed = text.strip().replace(",", "")
    if typed.isascii() and typed.isdigit():
        typed = typed.lstrip("0") or "0"
    matches: list[Match] = []
    more = 0
    if isinstance(view.state, ShopView):
        balances = view.state.balances
        if typed or len(balances) <= EAGERLY_LISTED:
            order = balances.order(needle=typed)
            for number in order[:MOST].tolist():
                row = balances.row(number)
                matches.append(Match(str(row.user_id), f"{row.user_id}", format_money(row.balance)))
            more = len(order) - len(matches)
    if may_be_new and typed and (not matches or matches[0].written != typed):
        try:
            matches.insert(0, Match(typed, f"{read_user(typed)}", "new user"))
        except ValueError:
            pass
        else:
            more += len(matches) - len(matches[:MOST])
    return Completion(0, len(text), matches[:MOST], more)


def complete_item(view: View, text: str) -> Completion:
    """Items whose id begins with what is typed, then items that hold it."""
    rows = list(islice(_items(view, text), MOST + 1))
    matches = [Match(write_item(row.item_id), *_shown(row)) for row in rows[:MOST]]
    return Completion(0, len(text), matches, len(rows) - len(matches))


def complete_line(view: View, text: str, cursor: int) -> Completion:
    """The same for the item that the cursor is at, in the text of an order. None beside an item."""
    for line in read_lines(text):
        if line.start < cursor <= line.item_end:
            rows = list(islice(_items(view, text[line.start : line.item_end].strip('"')), MOST + 1))
            matches = [Match(write_line_item(row.item_id), *_shown(row)) for row in rows[:MOST]]
            return Completion(line.start, line.item_end, matches, len(rows) - len(matches))
        if line.start < cursor <= line.end:
            return Completion(cursor, cursor, (), 0)
    rows = list(islice(_items(view, ""), MOST + 1))
    matches = [Match(write_line_item(row.item_id), *_shown(row)) for row in rows[:MOST]]
    return Completion(cursor, cursor, matches, len(rows) - len(matches))


def _shown(row: ItemRow) -> tuple[str, str]:
    return visible(row.item_id, 30), f"{format_money(row.price)} · {row.remain:,} left"


def _items(view: View, text: str) -> Iterator[ItemRow]:
    if not isinstance(view.state, ShopView):
        return
    try:
        typed = read_item(text)
    except ValueError:
        typed = ""
    items = view.state.items
    first = bisect_left(items, typed, key=lambda row: row.item_id)
    after = first
    while after < len(items) and items[after].item_id.startswith(typed):
        yield items[after]
        after += 1
    needle = typed.casefold()
    for index, row in enumerate(islice(items, SCANNED)):
        if not first <= index < after and needle in row.item_id.casefold():
            yield row
