"""Made-up events, like those of the reference's producer: a batch of thirty, or an endless stream.

The same seed gives the same events. Prices are a function of the item alone, so that every batch agrees on them.
"""

import random
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from esdash.shop.events import AddItem, Line, Order, TopUp
from esdash.shop.story import encode

USERS: Final = 10
"""Users, numbered from 1, that events are about unless told otherwise."""

ITEMS: Final = ("hdd", "cpu", "ssd", "ram", "gpu", "psu", "fan", "case", "board", "screen")
"""The first items; more are called `item-11` and so on."""

BATCH: Final = 10
"""Events of each type in a batch."""


def demo_batch(seed: int, users: int = USERS, items: int = len(ITEMS)) -> list[tuple[str, bytes]]:
    """10 top-ups, 10 added items and 10 orders, in this order, as (type, data); users and items are at least 1."""
    chance = random.Random(seed)
    return [
        *(encode(_top_up(chance, users)) for _ in range(BATCH)),
        *(encode(_add_item(chance, 1 + (index % items), items)) for index in range(BATCH)),
        *(encode(_order(chance, users, items)) for _ in range(BATCH)),
    ]


def demo_events(seed: int, users: int = USERS, items: int = len(ITEMS)) -> Iterator[tuple[str, bytes]]:
    """Events without an end as (type, data): about half top-ups, a fifth added items, the rest orders.

    Most orders succeed; now and then one wants more than there is, or costs more than the user has.
    """
    chance = random.Random(seed)
    for number in range(1, items + 1):
        yield encode(_add_item(chance, number, items))
    while True:
        drawn = chance.random()
        if drawn < 0.5:
            yield encode(_top_up(chance, users))
        elif drawn < 0.7:
            yield encode(_add_item(chance, chance.randint(1, items), items))
        else:
            yield encode(_order(chance, users, items))


def item_name(number: int) -> str:
    """The name of an item, counted from 1."""
    return ITEMS[number - 1] if number <= len(ITEMS) else f"item-{number}"


def price_of(item_id: str) -> int:
    """Cents, 1.00 … 100.00, always the same for an item."""
    return (1 + crc32(item_id.encode()) % 100) * 100


def _top_up(chance: random.Random, users: int) -> TopUp:
    return TopUp(chance.randint(1, users), chance.randint(50, 1000) * 100)


def _add_item(chance: random.Random, number: int, items: int) -> AddItem:
    item_id = item_name(min(number, items))
    return AddItem(item_id, chance.randint(5, 100), price_of(item_id))


def _order(chance: random.Random, users: int, items: int) -> Order:
    numbers = chance.sample(range(1, items + 1), min(items, chance.choice((1, 1, 2, 3))))
    greedy = chance.random() < 0.05
    lines = tuple(Line(item_name(number), chance.randint(1, 500 if greedy else 4)) for number in sorted(numbers))
    return Order(chance.randint(1, users), lines)
