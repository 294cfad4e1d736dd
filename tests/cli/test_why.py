"""`esdash why`: every entry that moved a number."""

import pytest
import redis

from tests.cli.conftest import Call, append
from tests.cli.told import DOMAINS, name_of, place_of, publish
from tests.strategies import raw_entry, seeded_entries


@pytest.mark.parametrize("domain", DOMAINS)
def test_all_that_moved_a_cell_newest_first(call: Call, url: str, client: redis.Redis, domain: str) -> None:
    facts = publish(client, domain)
    changed = sorted({name for fact in facts for name in fact.changed})
    # Some of them, those that moved most among them.
    moves = {name: sum(name in fact.changed for fact in facts) for name in changed}
    for plain in [*sorted(changed, key=moves.__getitem__)[-3:], changed[0]]:
        shown = call("why", name_of(plain), "--json", "--domain", DOMAINS[domain], "--url", url)
        assert shown.code == 0
        assert shown.lines == [
            {
                **place_of(fact),
                "type": fact.type,
                "outcome": "applied",
                "before": fact.before.get(plain),
                "after": fact.cells.get(plain),
            }
            for fact in reversed(facts)
            if plain in fact.changed
        ]


def test_a_row_that_came_and_went(call: Call, url: str, client: redis.Redis) -> None:
    facts = publish(client, "depots")
    gone = next(
        fact for fact in facts if any(name.endswith(".cold") and name not in fact.cells for name in fact.changed)
    )
    plain = next(name for name in gone.changed if name.endswith(".cold") and name not in gone.cells)
    at = ("--domain", DOMAINS["depots"], "--url", url)
    shown = call("why", name_of(plain), "--json", "--at", f"#{gone.number}", *at)
    assert shown.lines[0] == {
        **place_of(gone),
        "type": "Closed",
        "outcome": "applied",
        "before": gone.before[plain],
        "after": None,
    }
    people = call("why", name_of(plain), "--at", f"#{gone.number}", *at)
    assert f"{name_of(plain)} was –." in people.err
    assert "gone  → –" in people.out.splitlines()[0]


@pytest.mark.parametrize("over", ["count(users)", "sum(users.balance)", "min(items.price)", "max(users.balance)"])
def test_a_number_over_a_table(call: Call, url: str, client: redis.Redis, over: str) -> None:
    facts = publish(client, "shop")
    function, _, rest = over[:-1].partition("(")
    table, _, column = rest.partition(".")

    def value(cells: dict[str, int]) -> int | None:
        found = [
            cell
            for name, cell in cells.items()
            if name.startswith(f"{table}:") and name.endswith(f".{column or 'balance'}")
        ]
        if function == "count":
            return len(found)
        return sum(found) if function == "sum" else (min if function == "min" else max)(found, default=None)

    expected = [
        {
            **place_of(fact),
            "type": fact.type,
            "outcome": "applied",
            "before": value(fact.before),
            "after": value(fact.cells),
        }
        for fact in reversed(facts)
        if value(fact.before) != value(fact.cells)
    ]
    assert expected
    assert call("why", over, "--json", "--url", url).lines == expected


class TestForPeople:
    @pytest.fixture
    def shop(self, call: Call, url: str) -> None:
        call("publish", "top-up", 7, 10, "--url", url)
        call("publish", "add-item", "hdd", 5, "--price", 2, "--url", url)
        call("publish", "order", 7, "hdd:2", "--url", url)

    @pytest.mark.usefixtures("shop")
    def test_a_line_says_by_how_much_and_what_it_was_then(self, call: Call, url: str) -> None:
        shown = call("why", "users:7.balance", "--url", url)
        assert shown.err.splitlines() == ["users:7.balance is 6.00. 2 entries moved it."]
        newest, oldest = (" ".join(line.split()) for line in shown.out.splitlines())
        assert newest.startswith("#3 ")
        assert "−4.00 → 6.00 Order user 7 buys 2 × hdd" in newest
        assert "new → 10.00 TopUp user 7 +10.00" in oldest

    @pytest.mark.usefixtures("shop")
    def test_at_a_place_in_the_past(self, call: Call, url: str) -> None:
        shown = call("why", "users:7.balance", "--json", "--at", "#2", "--url", url)
        assert [line["ordinal"] for line in shown.lines] == [1]
        assert "users:7.balance was 10.00. 1 entry moved it." in shown.err

    @pytest.mark.usefixtures("shop")
    def test_what_never_was_there_is_a_sentence_and_1(self, call: Call, url: str) -> None:
        for flags, said in (((), "never was there."), (("--at", "#1"), "never was there until then.")):
            shown = call("why", "items:ssd.price", *flags, "--url", url)
            assert (shown.code, shown.out) == (1, "")
            assert f"items:ssd.price {said}" in shown.err
        assert call("why", "count(items)", "--at", "#1", "--url", url).code == 0

    @pytest.mark.usefixtures("shop")
    def test_what_is_typed_wrong_is_pointed_at(self, call: Call, url: str) -> None:
        shown = call("why", "users:7.balanc", "--url", url)
        assert shown.code == 2
        assert shown.err.splitlines()[1:] == ["  users:7.balanc", "          ^^^^^^"]

    def test_what_is_gone_from_the_stream_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [raw_entry("TopUp", b'{"user_id": 7, "amount": 100}') for _ in range(6)])
        call("snapshot", "take", "--url", url)
        client.xtrim("orders", maxlen=1, approximate=False)
        call("publish", "top-up", 7, 1, "--url", url)
        shown = call("why", "users:7.balance", "--json", "--url", url)
        assert [(line["ordinal"], line["before"], line["after"]) for line in shown.lines] == [(7, 600, 700)]
        assert "Entries up to #6 are gone" in shown.err or "still in the stream cannot be told" in shown.err


def test_a_key_of_any_text(call: Call, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(3, 400))
    names = call("state", "--json", "--url", url).json["tables"]["items"]
    for name in names:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        assert call("why", f"items:{quoted}.price", "--json", "--url", url).lines
