"""Domains with entries for them, by name: what every promise of the past is tried with.

`EXAMPLES=1000 pytest tests/past` looks for faults for longer than the suite does.
"""

import os
from collections.abc import Callable
from typing import Final

from hypothesis import settings
from hypothesis.strategies import SearchStrategy

from esdash.fold.folding import Entry, Fold
from tests import strategies
from tests.domains import the_bank, the_depots
from tests.domains.shop import Shop
from tests.domains.streams import bank_entries, depot_entries

tried = settings(max_examples=int(os.environ.get("EXAMPLES", "10")), deadline=None)
"""With so many streams each promise is tried."""


def shop_entries() -> SearchStrategy[list[Entry]]:
    """Entries of the shop, most of them sound."""

    def numbered(raw: list[strategies.RawEntry]) -> list[Entry]:
        return [
            (entry_id.encode(), [part for field in fields for part in field])
            for entry_id, fields in strategies.numbered(raw)
        ]

    return strategies.entries().map(numbered)


DOMAINS: Final[dict[str, tuple[Callable[[], Fold], Callable[[], SearchStrategy[list[Entry]]]]]] = {
    "shop": (Shop, shop_entries),
    "bank": (the_bank, bank_entries),
    "depots": (the_depots, depot_entries),
}
