"""What the tests of the shop share: entries as the server sends them, and folding told in words."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, settings

from esdash.fold.folding import Entry
from esdash.fold.loading import load
from esdash.fold.state import State
from esdash.shop.events import MAX_INT
from tests.model import Model
from tests.strategies import RawEntry, json_bytes, numbered, raw_entry

SHOP = load("esdash.shop.domain:SHOP")
"""The fold of the shop."""


RICH_USERS = {0: MAX_INT - 10**15, 1: MAX_INT, 2: 10**17, 3: 0, MAX_INT: 10**12}
RICH_ITEMS = {"cpu": (250, MAX_INT), "ram": (0, MAX_INT - 10**12), "x": (10**15, 10**12), "\U0001f600" * 64: (1, 5)}
"""A shop in which large numbers meet: balances and stocks can overflow, sums pass 64 bits."""


def steady(examples: int) -> settings:
    """Settings of a property test that draws the same examples in every run."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def as_sent(raw: RawEntry) -> list[bytes]:
    """The fields of an entry as the server sends them: name, value, name, value, …"""
    return [part for pair in raw for part in pair]


def as_entries(stream: Iterable[RawEntry]) -> list[Entry]:
    """Entries with increasing ids, as the server sends them."""
    return [(entry_id.encode(), as_sent(raw)) for entry_id, raw in numbered(stream)]


def event(name: str, key: bytes | None = None, **data: Any) -> RawEntry:
    """An entry of schema v1."""
    return raw_entry(name, json_bytes(data), key)


def told(codes: Iterable[int]) -> list[str]:
    """Outcome codes in words: `applied`, `rejected:overflow`."""
    outcomes = (SHOP.outcomes[code] for code in codes)
    return [name if reason is None else f"{name}:{reason}" for name, reason in outcomes]


def fold_all(stream: Iterable[RawEntry], state: State | None = None) -> tuple[State, list[str]]:
    """The state after a stream, and what was decided for each entry, in words."""
    state = SHOP.empty() if state is None else state
    return state, told(SHOP.fold(state, as_entries(stream)))


def model_all(stream: Iterable[RawEntry], model: Model | None = None) -> tuple[Model, list[str]]:
    """The same from the model."""
    model = Model() if model is None else model
    outcomes = (model.apply(entry_id, raw) for entry_id, raw in numbered(stream))
    return model, [name if reason is None else f"{name}:{reason}" for name, reason in outcomes]


def shop(users: dict[int, int] | None = None, items: dict[str, tuple[int, int]] | None = None) -> State:
    """A state to begin with: users' balances, items' (price, stock)."""
    state = SHOP.empty()
    balance, price, remain = state.cells
    balance.update(users or {})
    for item_id, (cents, stock) in (items or {}).items():
        price[item_id], remain[item_id] = cents, stock
    return state


def goods(state: State) -> tuple[dict[int, int], dict[str, tuple[int, int]]]:
    """What events can change: users' balances, items' (price, stock). A copy."""
    balance, price, remain = state.cells
    assert price.keys() == remain.keys()
    return dict(balance.items()), {item_id: (price[item_id], stock) for item_id, stock in remain.items()}


def shuffle(numbers: dict[Any, int], chance: random.Random) -> None:
    """Let the keys of a dict have come in another order."""
    items = list(numbers.items())
    chance.shuffle(items)
    numbers.clear()
    numbers.update(items)


def assert_equals_the_model(state: State, model: Model) -> None:
    """Users, items, counters and the window of keys in its order."""
    assert goods(state) == (model.users, model.items)
    counts = {"applied": model.applied, "duplicate": model.duplicate}
    counts |= {f"rejected:{reason}": count for reason, count in model.rejected.items()}
    counts |= {f"parked:{reason}": count for reason, count in model.parked.items()}
    names = told(range(len(SHOP.outcomes)))
    assert {name: count for name, count in zip(names, state.counts, strict=True) if count} == {
        name: count for name, count in counts.items() if count
    }
    assert list(state.key_order) == list(model.keys)
    assert state.keys == set(model.keys)
    assert sum(state.counts) == model.ordinal


def pages(entries: Sequence[Entry], cuts: Iterable[int]) -> Iterator[Sequence[Entry]]:
    """The entries in pages that end at the cuts; some may be empty."""
    start = 0
    for cut in (*sorted(min(cut, len(entries)) for cut in cuts), len(entries)):
        yield entries[start:cut]
        start = cut
