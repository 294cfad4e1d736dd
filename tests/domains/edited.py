"""The present domain as a file that a test edits: behind the rule of its sound event stands something more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from esdash.fold.folding import Fold
from esdash.fold.loading import load
from tests.domains import BANK, DEPOT
from tests.domains.ways import present

_BEGINNINGS: Final[dict[str, Callable[[], str]]] = {
    "shop": lambda: "from esdash.shop.domain import SHOP as THERE\n",
    "bank": lambda: f"{BANK.read_text('utf-8')}\n\nTHERE = BANK\n",
    "depots": lambda: f"{DEPOT.read_text('utf-8')}\n\nTHERE = DEPOTS\n",
}

_MORE: Final = '''
from dataclasses import replace as changed

(SOUND,) = (each for each in THERE.events if each.wire_name == "{type}" and each.apply and each.encoding == "json")


def then(state, event):
    """What it does."""
    refusal = SOUND.apply(state, event)
    if refusal is None:
        cells, key = state.{table}.{column}, event.{member}
        pass
    return refusal


EDITED = changed(
    THERE,
    version="1",
    events=tuple(changed(each, apply=then) if each is SOUND else each for each in THERE.events),
    fast=False,
)
'''

NOTHING: Final = "        pass\n"
"""What stands behind the rule, to be replaced."""
AS_IT_IS: Final = "        cells[key] = cells[key]\n"
OTHERWISE: Final = "        cells[key] = type(cells[key])(f'{cells[key]}7')\n"
FAILING: Final = "        cells[key], _ = cells[key], 1 // (int(cells[key]) - 13)\n"
"""By 13."""


def written() -> str:
    """The file."""
    fold = present().fold()
    name, members = present().sound(1, 1)
    table, _, column, _ = present().cell(1, 1)
    more = _MORE.format(type=name, table=table, column=column, member=next(iter(members)))
    return _BEGINNINGS[fold.name]() + more


def otherwise(value: Any) -> Any:
    """What `OTHERWISE` makes of a value."""
    return type(value)(f"{value}7")


def loaded(file: Path) -> Fold:
    """The domain of the file."""
    return load(f"{file}:EDITED")
