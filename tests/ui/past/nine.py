"""Nine entries of each domain, alike in what becomes of them: the fourth is parked, the sixth refused, others applied.

The first row of the first table is what most of them are about; of the bank, where rows stay as they are, two.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from esdash.fold.folding import Entry
from tests.domains.ways import present
from tests.ui.past.depots import FIRST_MS

Event = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Nine:
    """What they are, and what is to be seen of them."""

    events: tuple[Event, ...]
    table: str
    """The first table."""
    key: str
    """Of its first row."""
    row: str
    """That row, as details name it."""
    about: tuple[int, ...]
    """Which of them are about that row."""
    question: str
    """What lists these."""
    page: str
    """The title of the row's page."""
    number: str
    """One of its numbers."""
    shown: tuple[str, ...]
    """That number before the first of them, and after each."""
    refused: str
    """What is said of the sixth."""
    seventh: str
    """What that changed."""
    rows_then: int
    """So many that table has after the sixth."""
    condition: str
    """What begins to hold with the seventh, after it did not for a while."""
    without_first: int
    """Which of them is the first that would be decided otherwise without the first."""
    outcomes: tuple[str, ...]
    """What the log says of each at the end of its line, and of an event of a new row after them."""
    most: tuple[str, int, int]
    """Of which row a number differs most between the fourth and the ninth: what lists the entries about it, how many
    there are, and how many of these lie between."""

    @property
    def entries(self) -> list[Entry]:
        """As they are in a stream, one a second."""
        return [
            (b"%d-0" % (FIRST_MS + 1_000 * number), [b"type", name.encode(), b"data", json.dumps(data).encode()])
            for number, (name, data) in enumerate(self.events, 1)
        ]


def nine() -> Nine:
    """Those of the present domain."""
    return _NINE[present().fold().domain.name]


def _order(user: int, quantity: int) -> Event:
    return "Order", {"user_id": user, "lines": [{"item_id": "hdd", "quantity": quantity}]}


def _built(depot: str) -> Event:
    return "Built", {"depot": depot, "name": depot.upper(), "opened": "2026-01-02T03:04:05Z"}


def _withdrawn(pieces: int) -> Event:
    return "Withdrawn", {"depot": "d 1", "sku": "x", "pieces": pieces}


def _opened(account: str, owner: str = "Ann") -> Event:
    return "Opened", {"account": account, "owner": owner}


_PARKED: Final[Event] = ("?", {})

_NINE: Final = {
    # User 7 has 50.00, buys twice for 17.00, and between that not for 170.00.
    "shop": Nine(
        (
            ("TopUp", {"user_id": 7, "amount": 3000}),
            ("AddItem", {"item_id": "hdd", "count": 20, "price": 1700}),
            ("TopUp", {"user_id": 7, "amount": 2000}),
            _PARKED,
            _order(7, 1),
            _order(7, 10),
            _order(7, 1),
            ("TopUp", {"user_id": 8, "amount": 100}),
            ("TopUp", {"user_id": 9, "amount": 100}),
        ),
        table="users",
        key="7",
        row="user 7",
        about=(1, 3, 5, 6, 7),
        question="user:7",
        page="Users › 7",
        number="users:7.balance",
        shown=("–", "30.00", "30.00", "50.00", "50.00", "33.00", "33.00", "16.00", "16.00", "16.00"),
        refused="insufficient_funds needed 170.00, had 33.00, short 137.00",
        seventh="balance of 7 33.00 → 16.00",
        rows_then=1,
        condition="users:7.balance < 20",
        without_first=7,
        outcomes=(
            *("+30.00", "+20", "+20.00", "! unknown_type", "−17.00", "✗ insufficient_funds", "−17.00"),
            *("+1.00", "+1.00", "+1.00"),
        ),
        most=("user:7", 5, 3),
    ),
    # Nothing moves there but what is opened.
    "bank": Nine(
        (
            _opened("A é"),
            _opened("B"),
            _opened("C"),
            _PARKED,
            _opened("D"),
            ("Transferred", {"source": "B", "target": "A é", "amount": 100}),
            _opened("E"),
            _opened("F"),
            _opened("G"),
        ),
        table="accounts",
        key="A é",
        row="account A é",
        about=(1, 6),
        question='account:"A é"',
        page="Accounts › A é",
        number='accounts:"A é".owner',
        shown=("–", *["Ann"] * 9),
        refused="insufficient_funds needed 1.00, had 0.00, short 1.00",
        seventh="balance of E – → 0.00",
        rows_then=4,
        condition="count(accounts) > 4",
        without_first=6,
        outcomes=("new", "new", "new", "! unknown_type", "new", "✗ insufficient_funds", *["new"] * 4),
        most=("account:D", 1, 1),
    ),
    # Of 500 pieces 170 are taken twice, and between that not 1,700.
    "depots": Nine(
        (
            _built("d 1"),
            ("Weighed", {"ticket": 1, "grams": 5000}),
            ("Delivered", {"depot": "d 1", "sku": "x", "pieces": 500}),
            _PARKED,
            _withdrawn(170),
            _withdrawn(1700),
            _withdrawn(170),
            _built("d 2"),
            _built("d 3"),
        ),
        table="depots",
        key="d 1",
        row="depot d 1",
        about=(1, 3, 5, 6, 7),
        question='depot:"d 1"',
        page="Depots › d 1",
        number='depots:"d 1".pieces',
        shown=("–", "0", "0", "500", "500", "330", "330", "160", "160", "160"),
        refused="too_few needed 1,700, had 330, short 1,370",
        seventh="pieces of d 1 330 → 160",
        rows_then=1,
        condition='depots:"d 1".pieces < 200',
        without_first=3,
        outcomes=(
            *("new", "+5.000 kg", "+500", "! unknown_type", "−170", "✗ too_few", "−170"),
            *("new", "new", "+0.100 kg"),
        ),
        most=('depot:"d 1"', 5, 3),
    ),
}
