"""`esdash find`: where a condition held."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.cli.conftest import Call, append
from tests.cli.told import DOMAINS, place_of, publish
from tests.strategies import raw_entry

Cells = dict[str, Any]

CONDITIONS: list[tuple[str, str, Callable[[Cells], bool]]] = [
    ("shop", "users:7.balance < 500", lambda cells: cells.get("users:7.balance", 10**9) < 50_000),
    (
        "shop",
        "count(users) >= 8 and not items:hdd.remain = 0",
        lambda cells: _rows(cells, "users") >= 8 and cells.get("items:hdd.remain") != 0,
    ),
    (
        "bank",
        "count(accounts) >= 10 and count(accounts) < 20",
        lambda cells: 10 <= _rows(cells, "accounts", "owner") < 20,
    ),
    ("bank", 'accounts:"B-38 é".owner = "Bob"', lambda cells: cells.get("accounts:B-38 é.owner") == "Bob"),
    (
        "depots",
        "depots:d4.cold = yes or depots:d1.pieces > 100",
        lambda cells: cells.get("depots:d4.cold") is True or cells.get("depots:d1.pieces", 0) > 100,
    ),
]


def _rows(cells: Cells, table: str, column: str = "balance") -> int:
    return sum(name.startswith(f"{table}:") and name.endswith(f".{column}") for name in cells)


@pytest.mark.parametrize(("domain", "condition", "holds"), CONDITIONS, ids=[each[1] for each in CONDITIONS])
def test_places_are_those_of_the_plainest_reading(
    call: Call, url: str, client: redis.Redis, domain: str, condition: str, holds: Callable[[Cells], bool]
) -> None:
    facts = publish(client, domain)
    found = [holds(fact.cells) for fact in facts]
    places = [fact for fact, held in zip(facts, found, strict=True) if held]
    assert places
    common = ("--json", "--domain", DOMAINS[domain], "--url", url)
    assert call("find", condition, *common).json == place_of(places[0])
    assert call("find", "--last", condition, *common).json == place_of(places[-1])
    assert call("find", condition, "--all", *common).lines == [
        {**place_of(fact), "holds": held}
        for fact, held, before in zip(facts, found, [False, *found], strict=False)
        if held is not before
    ]


class TestFinding:
    @pytest.fixture(autouse=True)
    def shop(self, client: redis.Redis) -> None:
        """A user who has nothing, has 3.00, has 1.00."""
        data = (
            ("AddItem", b'{"item_id": "hdd", "count": 9, "price": 100}'),
            ("TopUp", b'{"user_id": 7, "amount": 300}'),
            ("Order", b'{"user_id": 7, "lines": [{"item_id": "hdd", "quantity": 2}]}'),
        )
        append(client, [raw_entry(kind, payload) for kind, payload in data])

    def ordinals(self, call: Call, url: str, *arguments: object) -> list[int]:
        return [each["ordinal"] for each in call("find", "--json", "--url", url, *arguments).lines]

    def test_several_arguments_are_one_condition(self, call: Call, url: str) -> None:
        assert self.ordinals(call, url, "users:7.balance", "<", "2.00") == [3]
        assert self.ordinals(call, url, "users:7.balance", ">", "-5") == [2]

    def test_what_is_not_there_is_nothing(self, call: Call, url: str) -> None:
        assert self.ordinals(call, url, "not users:7.balance >= 0") == [1]
        assert self.ordinals(call, url, "--last", "not users:7.balance >= 0") == [1]
        assert self.ordinals(call, url, "users:8.balance != 1") == []

    def test_what_holds_from_the_outset_does_so_at_the_first_entry(self, call: Call, url: str) -> None:
        assert self.ordinals(call, url, "count(users) = 0") == [1]
        places = call("find", "--all", "--json", "count(users) = 0", "--url", url).lines
        assert [(each["ordinal"], each["holds"]) for each in places] == [(1, True), (2, False)]
        places = call("find", "--all", "--json", "count(items) = 0", "--url", url).lines
        assert [(each["ordinal"], each["holds"]) for each in places] == [(1, False)]

    def test_never_is_a_sentence_and_1(self, call: Call, url: str) -> None:
        for flags in ((), ("--last",), ("--json",)):
            shown = call("find", "users:7.balance > 100", *flags, "--url", url)
            assert (shown.code, shown.out) == (1, "")
            assert "users:7.balance > 100 never holds." in shown.err
        assert "never begins" in call("find", "users:7.balance > 100", "--all", "--url", url).err

    def test_for_people(self, call: Call, url: str) -> None:
        (line,) = call("find", "users:7.balance > 2", "--url", url).out.splitlines()
        assert line.split()[0] == "#2"
        first, second = call("find", "users:7.balance > 2", "--all", "--url", url).out.splitlines()
        assert first.endswith("  holds")
        assert second.endswith("  holds no more")

    def test_what_is_typed_wrong_is_pointed_at(self, call: Call, url: str) -> None:
        shown = call("find", "users:7.balance < x", "--url", url)
        assert (shown.code, shown.out) == (2, "")
        assert shown.err.splitlines()[1:] == ["  users:7.balance < x", "                    ^"]
        assert call("find", "--url", url).code == 2
        assert call("find", "count(users) = 1", "--last", "--all", "--url", url).code == 2

    def test_a_history_that_begins_with_a_snapshot(self, call: Call, url: str, client: redis.Redis) -> None:
        call("snapshot", "take", "--url", url)
        client.xtrim("orders", maxlen=1, approximate=False)
        call("publish", "top-up", 7, 1, "--url", url)
        shown = call("find", "users:7.balance >= 1", "--json", "--url", url)
        assert shown.json["ordinal"] == 3
        assert "came after #3" in shown.err
        assert self.ordinals(call, url, "users:7.balance > 1") == [4]

    def test_a_partial_history_tells_its_own_ordinals(self, call: Call, url: str, client: redis.Redis) -> None:
        client.xtrim("orders", maxlen=2, approximate=False)
        shown = call("find", "users:7.balance = 3", "--json", "--url", url)
        assert shown.json["ordinal"] == 1
        assert "Partial history: 1 entry was gone" in shown.err
        assert call("find", "users:7.balance = 3", "--url", url).out.split()[0] == "#2"
