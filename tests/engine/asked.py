"""Some entries of a domain with what became of each, and the plainest reading of them, to compare answers with."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.fold.state import State
from tests.domains.days import DOMAINS, entries

BEGINNING = 1_700_000_000_000


@dataclass(frozen=True)
class Fact:
    """One entry as plainly as it can be said."""

    number: int
    id: str
    milliseconds: int
    type: str
    key: str | None
    outcome: str
    reason: str | None
    data: dict[str, Any]
    """Empty where the entry cannot be understood."""
    cells: dict[str, Any]
    """The whole state behind it: `users:7.balance` → 1234."""
    before: dict[str, Any]
    """And before it."""

    @property
    def changed(self) -> set[str]:
        """The cells that it changed."""
        names = self.before.keys() | self.cells.keys()
        return {name for name in names if self.before.get(name) != self.cells.get(name)}


def cells_of(fold: Fold, state: State) -> dict[str, Any]:
    """Every cell there is, by a plain name: `table:key.column`."""
    return {
        f"{table}:{key}.{column.name}": value
        for table, (declared, places) in fold.storage.places.items()
        for column, place in zip(declared.columns, places, strict=True)
        for key, value in state.cells[place].items()
    }


@cache
def day(domain: str, count: int = 300, seed: int = 7) -> tuple[Fold, list[Row], list[Fact]]:
    """A domain's fold, rows as `History.explain` gives them, and the facts about each; all to be read only."""
    fold = DOMAINS[domain]()
    state = fold.empty()
    rows: list[Row] = []
    facts: list[Fact] = []
    after: dict[str, Any] = {}
    for number, fields in enumerate(entries(domain, count, seed), 1):
        milliseconds = BEGINNING + 1000 * number
        entry_id = b"%d-%d" % (milliseconds, number % 3)
        if b"Delivered" in fields:
            fields = [*fields, b"v", b"2"]
        code, told = fold.explain(state, (entry_id, fields))
        rows.append(Row(number, entry_id, fields, code, told=told))
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        before, after = after, cells_of(fold, state)
        outcome = fold.outcomes[code]
        data = json.loads(members[b"data"]) if outcome.name != "parked" else {}
        facts.append(
            Fact(
                number,
                entry_id.decode(),
                milliseconds,
                members.get(b"type", b"").decode(),
                members[b"key"].decode() if b"key" in members else None,
                outcome.name,
                outcome.reason,
                data,
                after,
                before,
            )
        )
    return fold, rows, facts


Plain = Callable[[Fact], bool]
