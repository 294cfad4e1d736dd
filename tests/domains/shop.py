"""The built-in domain, and how tests look into its states."""

from functools import cache
from typing import Any

from esdash.engine.shown.picture import Picture
from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.fold.state import State
from esdash.shop.domain import SHOP


@cache
def shop() -> Fold:
    """The built-in domain."""
    return load("esdash.shop.domain:SHOP")


class Shop(Fold):
    """The built-in domain, made anew: for tests that change one."""

    def __init__(self) -> None:
        super().__init__(SHOP)
        self.choice, self.fingerprint = shop().choice, shop().fingerprint


def users_of(state: State) -> dict[int, int]:
    """Of the shop: each user's balance in cents. What a state goes on changing."""
    return shop().cells_of(state)["users"][0]


def items_of(state: State) -> dict[str, tuple[int, int]]:
    """Of the shop: each item's price and what remains."""
    prices, remain = shop().cells_of(state)["items"]
    return {item: (prices[item], remain[item]) for item in prices}


def document_of(state: State) -> dict[str, Any]:
    """Of the shop: users, items and outcomes, as the model has them."""
    outcomes: dict[str, Any] = {"applied": 0, "rejected": {}, "parked": {}, "duplicate": 0}
    for (name, reason), count in zip(shop().outcomes, state.counts, strict=True):
        if reason is None:
            outcomes[name] = count
        elif count:
            outcomes[name][reason] = count
    users, items = users_of(state), items_of(state)
    return {
        "users": {str(user): users[user] for user in sorted(users)},
        "items": {item: {"price": items[item][0], "remain": items[item][1]} for item in sorted(items)},
        "outcomes": outcomes,
    }


def users_shown(picture: Picture | None) -> dict[int, int]:
    """Of the shop: each user's balance in a picture."""
    assert picture is not None
    table = picture.tables["users"]
    return {row.key: row.cells[0] for number in range(len(table)) if isinstance((row := table.row(number)).key, int)}


def items_shown(picture: Picture | None) -> dict[str, tuple[int, int]]:
    """Of the shop: each item's price and what remains in a picture."""
    assert picture is not None
    table = picture.tables["items"]
    rows = map(table.row, range(len(table)))
    return {str(row.key): (row.cells[0], row.cells[1]) for row in rows}


def counts_shown(picture: Picture | None) -> tuple[int, ...]:
    """Entries by outcome code in a picture."""
    assert picture is not None
    return picture.counts
