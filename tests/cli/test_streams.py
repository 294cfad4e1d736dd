"""`esdash streams`: the streams of a server, and who reads them."""

from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import Call, append, day, rules
from tests.generations import Generation
from tests.newer import Newer
from tests.servers import RunningServer

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def test_each_is_told(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 50))
    call("snapshot", "take", "--url", url)
    append(client, day(2, 7))
    client.xadd("other", {"a": "b"}, id="5-1")
    client.pexpire("other", 100_000)
    client.set("text", "no stream")
    found = call("streams", "--json", "--url", url)
    assert found.code == 0
    assert found.json["whole"] is True
    orders, other = sorted(found.json["streams"], key=lambda each: each["stream"] == "other")
    assert (orders["stream"], orders["length"], orders["domain"], orders["behind"]) == ("orders", 57, rules(), 7)
    assert orders["continuity"] == "CONTINUOUS"
    assert orders["memory"] > 1000
    assert orders["expires_in_ms"] is None
    assert orders["events_per_second"] > 0
    assert (other["stream"], other["length"], other["last_event_id"], other["snapshot"]) == ("other", 1, "5-1", None)
    assert 0 < other["expires_in_ms"] <= 100_000
    shown = call("streams", "o*", "--url", url).out
    assert "orders" in shown
    assert rules() in shown
    only = call("streams", "or*", "--json", "--url", url).json["streams"]
    assert [each["stream"] for each in only] == ["orders"]


def test_those_that_the_settings_list_are_shown_in_that_order(
    call: Call, url: str, client: redis.Redis, home: Path
) -> None:
    for name in ("a", "b", "c"):
        client.xadd(name, {"a": "b"})
    client.set("text", "no stream")
    settings = home / "settings.toml"
    settings.write_text('streams = ["c", "a", "text", "1", "2", "3", "c"]')
    found = call("streams", "--json", "--url", url, "--config", settings)
    assert [each["stream"] for each in found.json["streams"]] == ["c", "a"]
    assert "not there: 'text', '1', '2' and 1 more." in found.err
    assert "b" in call("streams", "*", "--url", url, "--config", settings).out
    assert "c, a, text" in call("config", "--config", settings).out
    settings.write_text('streams = "orders"')
    assert "streams in" in call("streams", "--url", url, "--config", settings).err


def test_no_stream(call: Call, url: str, client: redis.Redis) -> None:
    client.set("text", "no stream")
    assert call("streams", "--json", "--url", url).json == {"streams": [], "whole": True}
    assert "no such stream" in call("streams", "--url", url).out


def test_not_all_keys_were_looked_at(call: Call, url: str, client: redis.Redis) -> None:
    pipeline = client.pipeline()
    for number in range(3000):
        pipeline.set(f"key {number}", 1)
    pipeline.execute()
    found = call("streams", "--keys", 1000, "--url", url)
    assert found.code == 0
    assert "there may be more" in found.err


@pytest.mark.every_generation
class TestGroups:
    def test_lag_what_waits_and_what_is_gone(
        self, call: Call, url: str, client: redis.Redis, generation: Generation
    ) -> None:
        ids = append(client, day(1, 10))
        client.xgroup_create("orders", "billing", id="0")
        client.xreadgroup("billing", "ann", {"orders": ">"}, count=6)
        client.xack("orders", "billing", ids[0])
        client.xdel("orders", ids[1])
        (stream,) = call("streams", "--json", "--url", url).json["streams"]
        (group,) = stream["groups"]
        assert (group["group"], group["pending"], group["gone"]) == ("billing", 5, 1)
        assert group["lag"] == (4 if generation.counts_entries else None)
        (consumer,) = group["consumers"]
        assert (consumer["consumer"], consumer["pending"], consumer["dead"]) == ("ann", 5, False)
        shown = call("streams", "--url", url).out
        assert "billing" in shown
        assert generation.counts_entries or "unknown" in shown

    def test_a_lag_that_the_server_cannot_tell_is_not_known(self, call: Call, url: str, client: redis.Redis) -> None:
        ids = append(client, day(1, 10))
        client.xgroup_create("orders", "middle", id=ids[4])
        client.xdel("orders", ids[7])
        (stream,) = call("streams", "--json", "--url", url).json["streams"]
        assert stream["groups"][0]["lag"] is None


FUTURE = [b"from-the-future", [[b"a", 1], None, -7]]

IDEMPOTENT = [
    *(b"idmp-duration", 100, b"idmp-maxsize", 50, b"pids-tracked", 2),
    *(b"iids-tracked", 31, b"iids-added", 4321, b"iids-duplicates", 17),
]
"""What Redis 8.6 adds to XINFO STREAM."""


def as_redis_8_8_tells_it(words: list[bytes], reply: Any) -> Any:
    """Of each group two entries were given back (XNACK)."""
    match [word.upper() for word in words[:2]], words[3:]:
        case [b"XINFO", b"STREAM"], []:
            return [*FUTURE, *reply, *IDEMPOTENT]
        case [b"XINFO", b"STREAM"], _:
            groups = reply.index(b"groups") + 1
            more = [[*each, b"nacked-count", 2, *FUTURE] for each in reply[groups]]
            return [*FUTURE, *IDEMPOTENT, *reply[:groups], more, *reply[groups + 1 :]]
        case [b"XINFO", _], _:
            return [[*FUTURE, *each] for each in reply]
        case [b"XPENDING", _], _:
            return [[entry_id, b"", -1, count] for entry_id, *_, count in reply]
    return reply


def test_what_newer_servers_tell_is_shown_and_what_is_not_known_breaks_nothing(
    call: Call, valkey: RunningServer, url: str, client: redis.Redis
) -> None:
    append(client, day(1, 10))
    client.xgroup_create("orders", "billing", id="0")
    client.xreadgroup("billing", "ann", {"orders": ">"}, count=6)
    (now,) = call("streams", "--json", "--url", url).json["streams"]
    assert (now["groups"][0]["nacked"], now["groups"][0]["entries_read"], now["idempotent"]) == (None, 6, None)
    before = call("streams", "--url", url).out
    with Newer(valkey, as_redis_8_8_tells_it) as newer:
        (stream,) = call("streams", "--json", "--url", newer.url).json["streams"]
        shown = call("streams", "--url", newer.url).out
        assert call("state", "--url", newer.url).code == 0
        assert call("consume", "--once", "--url", newer.url).code == 0
    assert (stream["groups"][0]["nacked"], stream["groups"][0]["pending"]) == (2, 6)
    told = {"seconds": 100, "most": 50, "producers": 2, "tracked": 31, "added": 4321, "duplicates": 17}
    assert stream["idempotent"] == told
    for word in ("nacked", "Idempotent adds", "4,321"):
        assert word in shown
        assert word not in before


def test_names_that_hide_something_are_shown(call: Call, url: str, client: redis.Redis) -> None:
    client.xadd("bad\x1b[31m", {"a": "b"})
    client.xgroup_create("bad\x1b[31m", b"\x1b]0;group\x07\xff", id="0")
    client.xadd(b"no text \xff", {"a": "b"})
    found = call("streams", "--url", url)
    assert found.code == 0
    assert "\x1b" not in found.out
    assert "1 stream whose name is no UTF-8" in found.err
    assert len(call("streams", "--json", "--url", url).json["streams"]) == 1
