"""`esdash diff`: what differs between two places."""

import itertools

import pytest
import redis

from tests.cli.conftest import Call, append
from tests.cli.told import DOMAINS, kinds_between, numbers_between, publish
from tests.strategies import raw_entry, seeded_entries


@pytest.mark.parametrize("domain", DOMAINS)
def test_numbers_and_entries_are_those_of_the_plainest_reading(
    call: Call, url: str, client: redis.Redis, domain: str
) -> None:
    facts = publish(client, domain)
    for first, second in [*itertools.pairwise([1, 40, 41, 150, 300]), (300, 40), (60, 60)]:
        shown = call("diff", f"#{first}", f"n{second}", "--json", "--domain", DOMAINS[domain], "--url", url)
        document = shown.json
        assert list(document) == ["from", "to", "numbers", "entries"]
        numbers = {each["number"]: (each["before"], each["after"]) for each in document["numbers"]}
        expected = numbers_between(facts[first - 1].cells, facts[second - 1].cells)
        assert numbers == expected
        assert len(numbers) == len(document["numbers"])
        counted = {(each["type"], each["outcome"], each["reason"]): each["count"] for each in document["entries"]}
        assert counted == kinds_between(facts[min(first, second) : max(first, second)])
        for end, number in (("from", first), ("to", second)):
            assert document[end]["ordinal"] == number
            assert document[end]["last_event_id"] == facts[number - 1].id
        assert shown.code == (3 if expected else 0)


class TestPlaces:
    @pytest.fixture
    def snapshots(self, call: Call, url: str, client: redis.Redis) -> list[str]:
        """Two, at #100 and at #200; then a hundred entries more."""
        taken = []
        for seed in (1, 2):
            append(client, seeded_entries(seed, 100))
            taken.append(call("snapshot", "take", "--json", "--url", url).json["id"])
        append(client, seeded_entries(3, 100))
        return taken

    def test_two_snapshots(self, call: Call, url: str, snapshots: list[str]) -> None:
        one, other = snapshots
        found = call("diff", f"snapshot:{one}", f"snapshot:{other}", "--json", "--url", url)
        assert found.json == call("diff", "#100", "#200", "--json", "--url", url).json
        assert found.code == 3
        back = call("diff", f"snapshot:{other}", f"snapshot:{one}", "--json", "--url", url).json
        assert [(each["after"], each["before"]) for each in back["numbers"]] == [
            (each["before"], each["after"]) for each in found.json["numbers"]
        ]

    def test_two_snapshots_of_which_the_entries_are_gone(
        self, call: Call, url: str, client: redis.Redis, snapshots: list[str]
    ) -> None:
        one, other = (f"snapshot:{each}" for each in snapshots)
        whole = call("diff", one, other, "--json", "--url", url).json
        client.xtrim("orders", maxlen=50, approximate=False)
        shown = call("diff", one, other, "--json", "--url", url)
        assert shown.code == 3
        assert shown.json == {**whole, "entries": None}
        assert "gone from the stream, so they are not counted" in shown.err
        assert call("diff", one, "now", "--json", "--url", url).code == 4

    def test_times_and_ends(self, call: Call, url: str, snapshots: list[str]) -> None:
        assert snapshots
        for first in ("-5m", "-1h"):
            document = call("diff", first, "now", "--json", "--url", url).json
            assert document["from"] == {"last_event_id": "0-0", "ordinal": 0, "unseen": 0, "time": None}
            assert (document["to"]["ordinal"], sum(each["count"] for each in document["entries"])) == (300, 300)
        assert call("diff", "now", "now", "--url", url).code == 0
        assert call("diff", "first", "now", "--json", "--url", url).json["from"]["ordinal"] == 1

    def test_what_is_no_place(self, call: Call, url: str, snapshots: list[str]) -> None:
        assert snapshots
        assert call("diff", "12", "now", "--url", url).code == 2
        for arguments in ((), ("now",)):
            refused = call("diff", *arguments, "--url", url)
            assert refused.code == 2
            assert "write n123 for #123" in refused.err
        assert call("diff", "#1", "#301", "--url", url).code == 1
        missing = call("diff", "snapshot:nothing", "now", "--url", url)
        assert missing.code == 1
        assert "There is no snapshot nothing" in missing.err

    def test_a_partial_history_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 20))
        client.xtrim("orders", maxlen=10, approximate=False)
        shown = call("diff", "#12", "#20", "--json", "--url", url)
        assert "Partial history: 10 entries were gone" in shown.err
        assert (shown.json["from"]["ordinal"], shown.json["from"]["unseen"]) == (2, 10)


class TestForPeople:
    def test_what_differs_most_comes_first(self, call: Call, url: str, client: redis.Redis) -> None:
        amounts = {1: 500, 2: 90_000, 3: 1_000}
        append(client, [raw_entry("TopUp", b'{"user_id": %d, "amount": 1}' % user) for user in amounts])
        append(
            client, [raw_entry("TopUp", b'{"user_id": %d, "amount": %d}' % (user, by)) for user, by in amounts.items()]
        )
        shown = call("diff", "#3", "now", "--url", url)
        assert shown.code == 3
        lines = [" ".join(line.split()) for line in shown.out.splitlines()]
        assert lines[0].startswith("from #3, ")
        assert lines[1].startswith("to #6, ")
        assert [line for line in lines if line.startswith("users:")] == [
            "users:2.balance 0.01 900.01 +900.00",
            "users:3.balance 0.01 10.01 +10.00",
            "users:1.balance 0.01 5.01 +5.00",
        ]
        assert "TopUp applied 3" in lines

    def test_json_has_the_order_of_tables_and_keys(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [raw_entry("TopUp", b'{"user_id": %d, "amount": 1}' % user) for user in (5, 10, 2, 9)])
        append(client, [raw_entry("AddItem", b'{"item_id": "b", "count": 1, "price": 1}')])
        numbers = [each["number"] for each in call("diff", "#1", "now", "--json", "--url", url).json["numbers"]]
        assert numbers == ["users:2.balance", "users:9.balance", "users:10.balance", "items:b.price", "items:b.remain"]
