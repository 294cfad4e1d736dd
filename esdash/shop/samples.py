"""Made-up events, like those of the reference's producer: a batch of thirty, or an endless stream.

The same seed gives the same events. Prices are a function of the item alone, so that every batch agrees on them.
"""

import random
from collections.abc import Iterator
from typing import Final

from esdash.shop.events import AddItem, Line, Order, TopUp
from esdash.shop.older import first_price

Event = TopUp | AddItem | Order

USERS: Final = 10
"""Users, numbered from 1, that events are about unless told otherwise."""

ITEMS: Final = ("hdd", "cpu", "ssd", "ram", "gpu", "psu", "fan", "case", "board", "screen")
"""The first items; more are called `item-11` and so on."""

_REMEMBERED: Final = 100_000
"""Users topped up so far from whom orders come: an order of anybody else would be refused."""

BATCH: Final = 30
"""Events of a batch, a third of each type."""


def demo_batch(seed: int, users: int = USERS, items: int = len(ITEMS), count: int = BATCH) -> list[Event]:
    """`count` events: a third each of top-ups, added items and orders, in this order.

    Every number is at least 1; what cannot be divided goes to the kinds that come first.
    """
    chance = random.Random(seed)
    top_ups, added, orders = ((count + more) // 3 for more in (2, 1, 0))
    payers = chance.sample(range(1, users + 1), min(users, top_ups))
    return [
        *(_top_up(chance, payers[index % len(payers)]) for index in range(top_ups)),
        *(_add_item(chance, 1 + index % items) for index in range(added)),
        *(_order(chance, chance.choice(payers), items) for _ in range(orders)),
    ]


def demo_events(seed: int, users: int = USERS, items: int = len(ITEMS)) -> Iterator[Event]:
    """Events without an end: about half top-ups, a fifth added items, the rest orders.

    Most orders succeed; now and then one wants more than there is, or costs more than its user has.
    """
    chance = random.Random(seed)
    for number in range(1, items + 1):
        yield _add_item(chance, number)
    payers = [chance.randint(1, users)]
    yield _top_up(chance, payers[0])
    while True:
        drawn = chance.random()
        if drawn < 0.5:
            payer = chance.randint(1, users)
            if len(payers) < _REMEMBERED:
                payers.append(payer)
            yield _top_up(chance, payer)
        elif drawn < 0.7:
            yield _add_item(chance, chance.randint(1, items))
        else:
            yield _order(chance, chance.choice(payers), items)


def item_name(number: int) -> str:
    """The name of an item, counted from 1."""
    return ITEMS[number - 1] if number <= len(ITEMS) else f"item-{number}"


def _top_up(chance: random.Random, user_id: int) -> TopUp:
    return TopUp(user_id, chance.randint(50, 1000) * 100)


def _add_item(chance: random.Random, number: int) -> AddItem:
    item_id = item_name(number)
    return AddItem(item_id, chance.randint(5, 100), first_price(item_id))


def _order(chance: random.Random, user_id: int, items: int) -> Order:
    numbers = chance.sample(range(1, items + 1), min(items, chance.choice((1, 1, 2, 3))))
    greedy = chance.random() < 0.05
    lines = tuple(Line(item_name(number), chance.randint(1, 500 if greedy else 4)) for number in sorted(numbers))
    return Order(user_id, lines)
