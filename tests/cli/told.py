"""A day of a domain in a stream, with the plain facts about each entry."""

from collections import Counter
from typing import Any

import redis

from esdash.cli.output import iso_time
from esdash.fold.stored import number_name
from tests.domains import BANK, DEPOT
from tests.engine.asked import Fact, day

DOMAINS = {"shop": "shop", "bank": str(BANK), "depots": str(DEPOT)}
"""What --domain is given."""


def publish(client: redis.Redis, domain: str, count: int = 300) -> list[Fact]:
    """Append a day under the ids that its facts have."""
    _, rows, facts = day(domain, count)
    pipeline = client.pipeline(transaction=False)
    for row in rows:
        pipeline.execute_command("XADD", "orders", row.entry_id, *row.fields)
    pipeline.execute()
    return facts


def name_of(plain: str) -> str:
    """A number as it is named: of `slots:d3/s2.pieces` the key is quoted."""
    table, _, rest = plain.partition(":")
    key, _, column = rest.rpartition(".")
    return number_name(table, key, column)


def place_of(fact: Fact) -> dict[str, Any]:
    """How an entry is told."""
    return {"ordinal": fact.number, "id": fact.id, "time": iso_time(fact.milliseconds)}


def numbers_between(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two states: number → before, after."""
    names = first.keys() | second.keys()
    return {name_of(name): (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}


def kinds_between(facts: list[Fact]) -> "Counter[tuple[str, str, str | None]]":
    """How many entries of each kind there are."""
    return Counter((fact.type, fact.outcome, fact.reason) for fact in facts)
