"""How to say of any domain what tests that are about no particular event say: a day, an event, what becomes of them.

Such tests are marked `usefixtures("any_domain")`. They run once with each of `WAYS`, which is then the present one; all
other tests have the shop. Nothing here knows what events mean but the few lines that say one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from esdash.fold.folding import Fold
from esdash.fold.state import State
from tests.domains import the_bank, the_depots
from tests.domains.days import entries
from tests.domains.shop import document_of, shop
from tests.model import Model
from tests.strategies import RawEntry, seeded_entries

Cell = tuple[str, Any, str, Any]
"""A table, a key in it, a column, and what stands there."""


class Reference(Protocol):
    """What entries should become, computed apart from what is tested."""

    def apply(self, entry_id: str, fields: RawEntry, /) -> tuple[str, str | None]:
        """Take the next entry; its outcome and why."""

    def document(self) -> dict[str, Any]:
        """All of it."""


@dataclass(frozen=True)
class Ways:
    """How a domain says it."""

    fold: Callable[[], Fold]
    """It; not to be changed."""
    day: Callable[[int, int], list[RawEntry]]
    """Entries of every kind, of which some are refused, parked or repeated, by a seed and how many."""
    sound: Callable[[int, int], tuple[str, dict[str, Any]]]
    """An event that is applied if none with its number was, and says a value: its type and members."""
    cell: Callable[[int, int], Cell]
    """What that event sets."""
    refused: tuple[str, dict[str, Any]]
    """An event that the rules always refuse."""
    reference: Callable[[], Reference]
    document: Callable[[State], dict[str, Any]]
    """A state as the reference has it, without the position."""
    typed: Callable[[int, int], tuple[str, str]]
    """What is typed into the form of that first event: a row, which is shown in the same way, and a value."""
    press: str
    """The key of that form."""
    asked: str
    """A question about a row that some of a day's entries are about."""


class Folded:
    """The reference of a domain that has no model: entries go one by one through a fold that nothing interrupts."""

    def __init__(self, name: str) -> None:
        self._ways = WAYS[name]
        self._fold = self._ways.fold()
        self._state = self._fold.empty()
        self._last, self._ordinal = "0-0", 0

    def apply(self, entry_id: str, fields: RawEntry) -> tuple[str, str | None]:
        """Take the next entry; its outcome and why."""
        (code,) = self._fold.fold(self._state, [(entry_id.encode(), [part for pair in fields for part in pair])])
        self._last, self._ordinal = entry_id, self._ordinal + 1
        name, reason = self._fold.outcomes[code]
        return name, reason

    def document(self) -> dict[str, Any]:
        """All of it."""
        return {"last_event_id": self._last, "ordinal": self._ordinal, **self._ways.document(self._state)}


def _others(
    name: str, fold: Callable[[], Fold], sound: Any, cell: Any, refused: Any, typed: Any, press: str, asked: str
) -> Ways:
    def day(seed: int, count: int) -> list[RawEntry]:
        return [list(zip(fields[::2], fields[1::2], strict=True)) for fields in entries(name, count, seed)]

    def document(state: State) -> dict[str, Any]:
        tables = {table: [dict(column) for column in columns] for table, columns in fold().cells_of(state).items()}
        return {"tables": tables, "outcomes": list(state.counts)}

    return Ways(fold, day, sound, cell, refused, lambda: Folded(name), document, typed, press, asked)


def _account(number: int) -> str:
    """In an order of texts that is that of the numbers up to 9,999."""
    return f"é {number:04}"


WAYS: Final = {
    "shop": Ways(
        shop,
        seeded_entries,
        lambda number, value: ("TopUp", {"user_id": number, "amount": value}),
        lambda number, value: ("users", number, "balance", value),
        ("TopUp", {"user_id": 7, "amount": 0}),
        Model,
        document_of,
        lambda number, value: (f"{number}", f"{value / 100:.2f}"),
        "t",
        "user:3",
    ),
    "bank": _others(
        "bank",
        the_bank,
        lambda number, value: ("Opened", {"account": _account(number), "owner": f"{value}"}),
        lambda number, value: ("accounts", _account(number), "owner", f"{value}"),
        ("Transferred", {"source": "nobody", "target": "no one", "amount": 1}),
        lambda number, value: (_account(number), f"{value}"),
        "a",
        'account:"A-3 é"',
    ),
    "depots": _others(
        "depots",
        the_depots,
        lambda number, value: ("Weighed", {"ticket": number, "grams": value}),
        lambda number, value: ("tickets", number, "grams", value),
        ("Withdrawn", {"depot": "nowhere", "sku": "none", "pieces": 1}),
        lambda number, value: (f"{number}", f"{value / 1000:.3f}"),
        "t",
        "depot:d3",
    ),
}

_present = "shop"


def choose(name: str) -> None:
    """Make one of `WAYS` the present one, for every thread."""
    global _present
    _present = name


def present() -> Ways:
    """Of the domain that the test runs with."""
    return WAYS[_present]


class Present(Fold):
    """The domain that the test runs with, made anew: for tests that change one."""

    def __init__(self) -> None:
        there = present().fold()
        super().__init__(there.domain)
        self.choice, self.fingerprint = there.choice, there.fingerprint
