"""What happens to each domain on some day, by a seed: most of it is applied, some is refused, a little is nonsense."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import msgspec

from esdash.fold.folding import Fold
from tests.domains import the_bank, the_depots
from tests.domains.shop import shop

NONSENSE: Final = (
    [b"type", b"Nothing", b"data", b"{}"],
    [b"data", b"{}"],
    [b"type", b"Opened", b"data", b"[]"],
    [b"type", b"Built", b"data", b'{"depot":""}'],
    [b"type", b"TopUp", b"data", b"\xff"],
)


def _of_the_bank(chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    while True:
        names = [f"{chance.choice('ABC')}-{chance.randrange(40)} é" for _ in range(2)]
        if chance.random() < 0.4:
            yield "Opened", {"account": names[0], "owner": chance.choice(["Ann", "Bob", "ليلى"])}
        else:
            yield "Transferred", {"source": names[0], "target": names[1], "amount": chance.randrange(1, 500)}


def _of_the_depots(chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    while True:
        depot_id, sku = f"d{chance.randrange(12)}", f"s{chance.randrange(9)}"
        kind = chance.random()
        if kind < 0.2:
            opened = datetime(2026, 1, 1 + chance.randrange(28), tzinfo=UTC)
            manager = chance.choice([None, "Ann"])
            climate = chance.choice(["dry", "cold"])
            built = {"depot": depot_id, "name": f"Depot {depot_id}", "opened": opened.isoformat(), "climate": climate}
            yield "Built", built if manager is None else {**built, "manager": manager}
        elif kind < 0.5:
            goods = [
                {"sku": f"s{chance.randrange(9)}", "pieces": chance.randrange(1, 80), "care": "fragile"}
                for _ in range(chance.randrange(1, 4))
            ]
            yield "Delivered", {"depot": depot_id, "goods": goods, "kilos": str(Decimal(chance.randrange(0, 9)) / 2)}
        elif kind < 0.55:
            yield "Delivered", {"depot": depot_id, "sku": sku, "pieces": chance.randrange(0, 80)}
        elif kind < 0.7:
            yield "Withdrawn", {"depot": depot_id, "sku": sku, "pieces": chance.randrange(1, 60)}
        elif kind < 0.85:
            yield "Labelled", {"slot": f"{depot_id}/{sku}", "batch": chance.choice([None, "b1", "b2"])}
        elif kind < 0.95:
            yield "Weighed", {"ticket": chance.randrange(50), "grams": chance.randrange(10**6)}
        else:
            yield "Closed", {"depot": depot_id}


def _of_the_shop(seed: int) -> Iterator[tuple[str, bytes]]:
    fold = shop()
    yield from map(fold.encode, fold.samples(seed))


DOMAINS: Final[dict[str, Callable[[], Fold]]] = {"shop": shop, "bank": the_bank, "depots": the_depots}


def entries(domain: str, count: int, seed: int) -> list[list[bytes]]:
    """The fields of so many entries, of which some repeat a key and some say nothing."""
    chance = random.Random(seed)
    events: Iterator[tuple[str, bytes]]
    if domain == "shop":
        events = _of_the_shop(seed)
    else:
        drawn = _of_the_bank(chance) if domain == "bank" else _of_the_depots(chance)
        events = ((name, msgspec.json.encode(members)) for name, members in drawn)
    made: list[list[bytes]] = []
    for name, data in islice(events, count):
        if chance.random() < 0.03:
            made.append(list(chance.choice(NONSENSE)))
            continue
        # One kind of goods at a time was said without a version once.
        version = [b"v", b"2"] if b'"goods"' in data else []
        fields = [b"type", name.encode(), *version, b"data", data]
        made.append([*fields, b"key", b"k%d" % chance.randrange(count)] if chance.random() < 0.2 else fields)
    return made
