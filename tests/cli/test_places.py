"""Places as people type them after --at, --from and --to; streams and rows that are not there."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Call, append, day, line_with, rows_counted, sounds
from tests.servers import RunningServer
from tests.strategies import raw_entry

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

SECOND = 1_700_000_000_000


def ordinals(call: Call, url: str, *arguments: object) -> list[int]:
    shown = call("events", "--json", "--url", url, *arguments)
    assert shown.code == 0, shown
    return [event["ordinal"] for event in shown.lines]


class TestPlaces:
    @pytest.fixture
    def ids(self, url: str, client: redis.Redis) -> list[str]:  # noqa: ARG002 - url empties the server
        """Twelve entries, four a second."""
        ids = [f"{SECOND + number * 250}-7" for number in range(12)]
        for entry_id in ids:
            client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'}, id=entry_id)
        return ids

    def test_a_bare_number_is_refused_with_the_three_ways_to_write_it(self, call: Call, url: str) -> None:
        for command in (("state", "--at"), ("events", "--from"), ("events", "--to")):
            refused = call(*command, "216924", "--url", url)
            assert (refused.code, refused.out) == (2, "")
            for way in ("#216924", "n216924", "216924-0", "1970-01-03T"):
                assert way in refused.err

    @pytest.mark.parametrize("place", ["#5", "n5", f"{SECOND + 1000}-7", SECOND + 1000])
    def test_the_same_entry_however_it_is_named(self, call: Call, url: str, ids: list[str], place: object) -> None:
        document = call("state", "--json", "--at", place, "--url", url).json
        assert (document["last_event_id"], document["ordinal"]) == (ids[4], 5)
        assert ordinals(call, url, "--from", place, "--to", place) == [5]

    def test_a_range_holds_the_whole_second_it_ends_with(self, call: Call, url: str, ids: list[str]) -> None:
        assert len(ids) == 12
        second = "2023-11-14T22:13:21Z"
        assert ordinals(call, url, "--from", second, "--to", second) == [5, 6, 7, 8]
        assert ordinals(call, url, "--from", "2023-11-14T22:13Z", "--to", "#3") == [1, 2, 3]

    def test_the_ends_and_a_snapshot(self, call: Call, url: str, client: redis.Redis, ids: list[str]) -> None:
        taken = call("snapshot", "take", "--json", "--url", url).json["id"]
        append(client, sounds())
        assert ordinals(call, url, "--from", "first", "--to", "first") == [1]
        assert ordinals(call, url, "--from", "now") == []
        assert ordinals(call, url, "--from", f"snapshot:{taken}", "--to", "now") == [13]
        assert call("state", "--json", "--at", f"snapshot:{taken}", "--url", url).json["last_event_id"] == ids[-1]

    def test_so_long_ago_is_an_argument_although_it_begins_like_an_option(
        self, call: Call, url: str, client: redis.Redis
    ) -> None:
        append(client, sounds())
        for arguments in (("--from", "-5m"), ("--from=-1h",), ("--from", "-2d", "--to", "-0s")):
            assert ordinals(call, url, *arguments) == [1]
        assert ordinals(call, url, "--to", "-5m") == []

    def test_a_number_is_the_same_entry_in_a_partial_history(
        self, call: Call, url: str, client: redis.Redis, ids: list[str]
    ) -> None:
        client.xtrim("orders", minid=ids[4], approximate=False)
        document = call("state", "--json", "--at", "#6", "--url", url).json
        assert (document["last_event_id"], document["ordinal"], document["unseen"]) == (ids[5], 2, 4)
        shown = call("state", "--at", "#6", "--url", url).out
        assert f"{ids[5]}, #6" in shown
        for line, number in zip(call("events", "--url", url).out.splitlines(), range(5, 13), strict=True):
            assert line.split()[0] == f"#{number}"

    def test_a_number_that_is_gone_or_not_there_yet_is_a_sentence(
        self, call: Call, url: str, client: redis.Redis, ids: list[str]
    ) -> None:
        client.xtrim("orders", minid=ids[4], approximate=False)
        for place, said in (("#4", "holds #5 to #12"), ("n13", "the newest entry is #12")):
            refused = call("state", "--at", place, "--url", url)
            assert (refused.code, refused.out) == (1, "")
            assert said in refused.err

    def test_an_unquoted_number_sign_is_explained(self, call: Call, url: str) -> None:
        refused = call("state", "--url", url, "--at")
        assert refused.code == 2
        assert "n123" in refused.err


class TestAStreamThatIsNotThere:
    @pytest.mark.parametrize(
        "command",
        [
            *(("state",), ("state", "--json"), ("state", "--at", "#1"), ("events",), ("verify",), ("doctor",)),
            *(("why", "COUNT"), ("diff", "first", "now"), ("find", "COUNT > 1"), ("events", "-hdd")),
            *(("snapshot", "list"), ("snapshot", "show", "5-ab"), ("snapshot", "delete", "5-ab"), ("snapshot", "take")),
        ],
    )
    def test_is_said_with_what_there_is_and_1(
        self, call: Call, url: str, client: redis.Redis, command: tuple[str, ...]
    ) -> None:
        append(client, day(1, 5))
        arguments = (each.replace("COUNT", rows_counted()) for each in command)
        refused = call(*arguments, "--url", url, "--stream", "ordres")
        assert refused.code == 1
        assert "There is no stream 'ordres'" in refused.err
        assert "Did you mean 'orders'?" in refused.err
        if command != ("doctor",):
            assert refused.out == ""
        assert client.keys() == [b"orders"]

    def test_names_others_that_are_not_similar_and_hides_nothing_in_them(
        self, call: Call, url: str, client: redis.Redis
    ) -> None:
        for name in ("b\x1b[31m", "a", "c", "d"):
            append(client, day(1, 1), name)
        client.set("orders-text", "no stream")
        refused = call("state", "--url", url)
        assert "There are 'a', 'b␛[31m', 'c' and 1 more." in refused.err
        assert "orders-text" not in refused.err

    def test_on_an_empty_server_says_what_makes_it(self, call: Call, url: str) -> None:
        assert "The first event that is published makes it." in call("state", "--url", url).err

    def test_whose_snapshot_is_there_is_no_misspelling(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 5))
        call("snapshot", "take", "--url", url)
        client.delete("orders")
        for command in ("state", "events"):
            assert "There is no stream" not in call(command, "--url", url).err
        assert call("snapshot", "list", "--json", "--url", url).code == 0

    def test_others_are_not_named_to_whoever_may_not_see_them(
        self, call: Call, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server(port=True)
        with server.client() as client:
            append(client, day(1, 5))
            client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "-scan", "+info", "+ping")
        refused = call("state", "--url", f"redis://reader:pw@127.0.0.1:{server.port}", "--stream", "ordres")
        assert refused.code == 1
        assert "There is no stream 'ordres'" in refused.err
        assert "orders" not in refused.err

    def test_is_waited_for_by_consume_and_follow_and_they_say_so(
        self, start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis
    ) -> None:
        consumer = start("consume", "--json", "--url", url)
        follower = start("events", "--json", "--follow", "--count", 1, "--url", url)
        for process in (consumer, follower):
            assert "Waiting for its first entry." in line_with(process.stderr, "esdash: There is no stream 'orders'")
        line_with(consumer.stdout, '{"phase": "live"')
        (entry_id,) = append(client, sounds())
        assert json.loads(line_with(follower.stdout, "{"))["id"] == entry_id
        consumer.terminate()
        assert (consumer.wait(timeout=30), follower.wait(timeout=30)) == (0, 0)

    @pytest.mark.shop_alone
    def test_of_ones_own_server_is_made_by_publishing(self, call: Call, data_dir: Path) -> None:
        assert call("state", "--data-dir", data_dir).code == 1
        assert call("publish", "top-up", 7, 1, "--data-dir", data_dir).code == 0
        assert call("state", "--data-dir", data_dir).code == 0


@pytest.mark.shop_alone
class TestRowsThatAreNotThere:
    @pytest.fixture(autouse=True)
    def shop(self, client: redis.Redis) -> None:
        data = (
            ("TopUp", b'{"user_id": 7, "amount": 100}'),
            ("AddItem", b'{"item_id": "hdd", "count": 1, "price": 1}'),
            ("Order", b'{"user_id": 8, "lines": [{"item_id": "hdd", "quantity": 1}]}'),
        )
        append(client, [raw_entry(kind, payload) for kind, payload in data])

    def test_of_the_state_are_a_sentence_and_1(self, call: Call, url: str) -> None:
        for flags, said in (
            (("--about", "users:999"), "There is no user 999."),
            (("--about", "items:no\x1bpe"), "There is no item no␛pe."),
            (("--about", "users:7", "--about", "users:8", "--about", "items:x"), "There is no user 8, no item x."),
            (("--at", "#1", "--about", "items:hdd"), "There is no item hdd then."),
        ):
            shown = call("state", "--json", *flags, "--url", url)
            assert shown.code == 1
            assert said in shown.err
        assert call("state", "--about", "users:7", "--about", "items:hdd", "--url", url).code == 0

    def test_of_events_are_a_sentence_and_1(self, call: Call, url: str) -> None:
        for flags, said in (
            (("--about", "users:999"), "no user 999"),
            (("--about", "items:nope", "--about", "users:7"), "no item nope"),
        ):
            shown = call("events", "--json", *flags, "--url", url)
            assert (shown.code, shown.out) == (1, "")
            assert f"There is {said} in these entries" in shown.err

    def test_that_were_refused_or_did_nothing_then_are_there(self, call: Call, url: str) -> None:
        assert ordinals(call, url, "--about", "users:8") == [3], "an order by a user who is not there"
        assert ordinals(call, url, "--about", "users:7", "--outcome", "rejected") == []
        assert ordinals(call, url, "--about", "users:7", "--from", "#2") == []
