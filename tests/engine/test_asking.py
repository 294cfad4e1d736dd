"""Questions, put to the entries of three domains: the answers are those of the plainest reading."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from esdash.engine.moments.asking import Asked, Examined, bounds_of
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.query.places import Between, Id
from esdash.query.questions import read_question
from esdash.query.terms import Since, Until
from esdash.words.asked import schema_of
from tests.engine.asked import BEGINNING, Fact, Plain, day

NOW = BEGINNING / 1000 + 1000


@cache
def a_day(domain: str) -> tuple[Fold, list[Row], list[Fact]]:
    return day(domain)


def reach(term: Since | Until) -> Id:
    assert isinstance(term.place, Between)
    return term.place.first if isinstance(term, Since) else term.place.last


def answered(domain: str, question: str, unseen: int = 0) -> list[int]:
    fold, rows, _ = a_day(domain)
    asks = Asked(fold, read_question(question, schema_of(fold), NOW), reach)
    return [row.ordinal for row in rows if asks(Examined(fold, row, unseen))]


def plainly(domain: str, holds: Plain) -> list[int]:
    return [fact.number for fact in a_day(domain)[2] if holds(fact)]


def number(fact: Fact, name: str) -> int:
    """A member that is a number, -1 where there is none."""
    found = fact.data.get(name)
    return found if isinstance(found, int) else -1


def named(fact: Fact, *members: str) -> set[Any]:
    return {fact.data.get(member) for member in members}


SHOP: list[tuple[str, Plain]] = [
    ("", lambda _: True),
    ("type:Order", lambda fact: fact.type == "Order"),
    ("type:Nothing", lambda fact: fact.type == "Nothing"),
    ("type:top-up", lambda fact: fact.type == "TopUp"),
    ("-outcome:applied", lambda fact: fact.outcome != "applied"),
    ("outcome:duplicate or outcome:parked", lambda fact: fact.outcome in ("duplicate", "parked")),
    ("reason:unknown_type", lambda fact: fact.reason == "unknown_type"),
    ("reason:out_of_stock -user:3", lambda fact: fact.reason == "out_of_stock" and fact.data["user_id"] != 3),
    ("user:7", lambda fact: number(fact, "user_id") == 7),
    ("amount>500", lambda fact: number(fact, "amount") > 50_000),
    ("amount<=500.5", lambda fact: 0 <= number(fact, "amount") <= 50_050),
    ("price>=30 price<60", lambda fact: 3000 <= number(fact, "price") < 6000),
    ("quantity>=3", lambda fact: any(line["quantity"] >= 3 for line in fact.data.get("lines", ()))),
    ("lines.quantity!=3", lambda fact: any(line["quantity"] != 3 for line in fact.data.get("lines", ()))),
    ("-quantity:3", lambda fact: all(line["quantity"] != 3 for line in fact.data.get("lines", ()))),
    ("lines.item_id:hdd", lambda fact: any(line["item_id"] == "hdd" for line in fact.data.get("lines", ()))),
    ("item_id>m", lambda fact: any(name > "m" for name in items(fact))),
    ("item:hdd", lambda fact: "hdd" in items(fact)),
    (
        "item:hdd or item:cpu user:2",
        lambda fact: "hdd" in items(fact) or ("cpu" in items(fact) and fact.data.get("user_id") == 2),
    ),
    ("key:k24", lambda fact: fact.key == "k24"),
    (f"since:{BEGINNING + 100_000}-1", lambda fact: fact.number > 100 or fact.id == f"{BEGINNING + 100_000}-1"),
    (f"until:{BEGINNING + 100_000}", lambda fact: fact.number <= 100),
    ("since:-800s", lambda fact: fact.milliseconds >= NOW * 1000 - 800_000),
    (f"-(since:{BEGINNING + 100_000} until:{BEGINNING + 200_000})", lambda fact: not 100 <= fact.number <= 200),
    (f"id:{BEGINNING + 5000}", lambda fact: fact.number == 5),
    (f"id:{BEGINNING + 5000}-2 or id:{BEGINNING + 6000}-1", lambda fact: fact.number == 5),
    ("#17", lambda fact: str(fact.number).startswith("17")),
    ("OUT_OF_stock", lambda fact: fact.reason == "out_of_stock"),
    ("/out_of_stock|unknown_type/", lambda fact: fact.reason in ("out_of_stock", "unknown_type")),
    ("/OUT_of/", lambda _: False),
    ("/OUT_of/i", lambda fact: fact.reason == "out_of_stock"),
    ("/^#5 /", lambda fact: fact.number == 5),
]


def items(fact: Fact) -> set[str]:
    ordered = {line["item_id"] for line in fact.data.get("lines", ())}
    return ordered | {fact.data[name] for name in ("item_id",) if name in fact.data}


BANK: list[tuple[str, Plain]] = [
    ("type:Opened owner:Ann", lambda fact: fact.data.get("owner") == "Ann"),
    ("owner!=Ann", lambda fact: "owner" in fact.data and fact.data["owner"] != "Ann"),
    ('account:"A-1 é"', lambda fact: "A-1 é" in named(fact, "account", "source", "target")),
    ('account="A-1 é"', lambda fact: fact.data.get("account") == "A-1 é"),
    ('source:"A-1 é" or target:"A-1 é"', lambda fact: "A-1 é" in named(fact, "source", "target")),
    ("amount>2.5 outcome:applied", lambda fact: number(fact, "amount") > 250 and fact.outcome == "applied"),
    ("reason:unknown_account", lambda fact: fact.reason == "unknown_account"),
    ("ليلى", lambda fact: fact.data.get("owner") == "ليلى"),
    ('"owner ann"', lambda fact: fact.data.get("owner") == "Ann"),
]

DEPOTS: list[tuple[str, Plain]] = [
    (
        "depot:d3",
        lambda fact: fact.data.get("depot") == "d3" or any(name.startswith("depots:d3.") for name in fact.changed),
    ),
    ("Withdrawn.depot:d6", lambda fact: fact.type == "Withdrawn" and fact.data.get("depot") == "d6"),
    (
        'slot:"d3/s2"',
        lambda fact: fact.data.get("slot") == "d3/s2" or any(name.startswith("slots:d3/s2.") for name in fact.changed),
    ),
    ("ticket:39", lambda fact: fact.data.get("ticket") == 39),
    ("climate:cold", lambda fact: fact.data.get("climate") == "cold"),
    ("manager:Ann", lambda fact: fact.data.get("manager") == "Ann"),
    ("manager!=Ann", lambda _: False),
    ("-manager:Ann", lambda fact: fact.data.get("manager") != "Ann"),
    ("batch:b1 or batch=b2", lambda fact: fact.data.get("batch") in ("b1", "b2")),
    ("kilos>=1.5", lambda fact: "kilos" in fact.data and Decimal(fact.data["kilos"]) >= Decimal("1.5")),
    ("goods.pieces>70", lambda fact: any(each["pieces"] > 70 for each in fact.data.get("goods", ()))),
    ("pieces>50 -type:Delivered", lambda fact: number(fact, "pieces") > 50),
    ("care:fragile", lambda fact: bool(fact.data.get("goods"))),
    ("grams>500kg", lambda fact: number(fact, "grams") > 500_000),
    ("opened>=2026-01-20T00:00Z", lambda fact: opened(fact) >= "2026-01-20"),
    ("opened:2026-01-05T00:00Z", lambda fact: opened(fact) == "2026-01-05"),
    ("opened<2026-01-05T00:00Z", lambda fact: "" < opened(fact) < "2026-01-05"),
]


def opened(fact: Fact) -> str:
    text = fact.data.get("opened")
    return f"{datetime.fromisoformat(text):%Y-%m-%d}" if text else ""


@pytest.mark.parametrize(
    ("domain", "question", "holds"),
    [(domain, *each) for domain, known in (("shop", SHOP), ("bank", BANK), ("depots", DEPOTS)) for each in known],
)
def test_the_answer_is_that_of_the_plainest_reading(domain: str, question: str, holds: Plain) -> None:
    assert answered(domain, question) == plainly(domain, holds)


def test_the_questions_are_worth_asking() -> None:
    for domain, known in (("shop", SHOP), ("bank", BANK), ("depots", DEPOTS)):
        idle = [question for question, holds in known if not plainly(domain, holds)]
        assert len(idle) <= 2, idle


def test_the_number_is_that_of_the_line() -> None:
    assert answered("shop", '"#1005 "', unseen=1000) == [5]


def test_what_an_entry_did_is_part_of_its_line() -> None:
    _, _, facts = a_day("bank")
    moved = [fact.number for fact in facts if any(name.endswith(".owner") for name in fact.changed)]
    assert answered("bank", '"new → ann" or "new → bob" or "new → ليلى"') == moved


class TestBounds:
    def bounds(self, question: str) -> list[str]:
        fold, _, _ = a_day("shop")
        return [str(term) for term in bounds_of(read_question(question, schema_of(fold), NOW))]

    def test_of_what_must_hold(self) -> None:
        assert self.bounds("since:-5m hdd until:5-3 since:first") == ["since:-5m", "until:5-3", "since:first"]
        assert self.bounds("since:-5m") == ["since:-5m"]

    def test_not_of_what_may(self) -> None:
        assert self.bounds("hdd or since:-5m") == self.bounds("hdd -(since:-5m)") == self.bounds("-since:-5m") == []
