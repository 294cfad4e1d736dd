"""Every command on every generation of servers, from Redis 6.2 on."""

from collections.abc import Callable

import pytest
import redis

from tests.cli.conftest import Call, append, day, rows_counted, sounds
from tests.generations import Generation
from tests.servers import RunningServer

pytestmark = [pytest.mark.two_generations, pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def verdict(generation: Generation) -> str:
    """What is said of a log from which nothing is missing."""
    return "CONTINUOUS" if generation.counts_entries else "UNKNOWN"


COMMANDS = """
publish top-up 1 2.00 --wait
produce --count 5
snapshot take
snapshot list
state
state --at n100
events --count 5
events --from n100 --to n110
consume --once
consume --once --from-start
verify
"""


@pytest.mark.oldest_generation
@pytest.mark.shop_alone
def test_no_command_ends_in_a_traceback(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 300))
    for as_json in ([], ["--json"]):
        for line in COMMANDS.strip().splitlines():
            ended = call(*line.split(), *as_json, "--url", url)
            assert (ended.code, bool(ended.out)) == (0, True), (line, ended)
        assert call("doctor", *as_json, "--url", url).code == 3, "nothing is persistent on this server"
    assert call("bench", "--entries", "1000", "--yes", "--url", url).code == 0


def test_the_verdict_is_what_the_server_can_tell(
    call: Call, url: str, client: redis.Redis, generation: Generation
) -> None:
    append(client, sounds(6))
    client.xtrim("orders", maxlen=3, approximate=False)
    taken = call("snapshot", "take", "--json", "--url", url)
    assert taken.code == 0, taken
    state = call("state", "--json", "--url", url).json
    assert (state["continuity"], state["ordinal"]) == (verdict(generation), 3)
    assert state["unseen"] == (3 if generation.counts_entries else 0)
    consumed = call("consume", "--once", "--json", "--url", url)
    assert (consumed.code, consumed.lines[-1]["continuity"]) == (0, verdict(generation))
    for command in (
        *("state", "events", "consume --once", "snapshot list", "verify", "events --tail 1 since:first"),
        *(f"why {rows_counted()}", f"find {rows_counted()}>0", "diff now now", f"diff -5m -{10**6}d"),
    ):
        shown = call(*command.split(), "--url", url)
        assert shown.code == 0, shown


def test_a_snapshot_is_not_accused_where_the_server_cannot_tell_what_was_trimmed(
    call: Call, url: str, client: redis.Redis, generation: Generation
) -> None:
    append(client, sounds(6))
    call("snapshot", "take", "--url", url)
    client.xtrim("orders", maxlen=3, approximate=False)
    append(client, sounds(4))
    call("snapshot", "take", "--url", url)
    append(client, sounds(2))
    assert call("verify", "--url", url).code == 0
    client.xtrim("orders", maxlen=1, approximate=False)
    found = call("verify", "--url", url)
    assert found.code == (4 if generation.counts_entries else 0), found
    assert "✗" not in found.out


def test_the_doctor_says_what_the_server_cannot_tell(
    call: Call, new_server: Callable[..., RunningServer], generation: Generation
) -> None:
    server = new_server(appendfsync="always")
    with server.client() as client:
        append(client, sounds(3))
    call("snapshot", "take", "--url", server.url)
    shown = call("doctor", "--json", "--url", server.url)
    assert shown.code == 0
    unsound = {check["name"]: check["status"] for check in shown.json["checks"] if check["status"] != "ok"}
    assert unsound == ({} if generation.counts_entries else {"server": "warning", "continuity": "warning"})
    (stream,) = (check for check in shown.json["checks"] if check["name"] == "stream")
    assert "has 3 entries" in stream["seen"]
    assert "ever added" not in stream["seen"]


def test_the_nth_entry_is_found_and_what_was_assumed_is_said(
    call: Call, url: str, client: redis.Redis, generation: Generation
) -> None:
    ids = append(client, day(1, 40))
    client.xtrim("orders", maxlen=30, approximate=False)
    number = 12 if generation.counts_entries else 2
    shown = call("state", "--json", "--at", f"n{number}", "--url", url)
    assert (shown.code, shown.json["last_event_id"]) == (0, ids[11])
    assert ("#n is counted from" in shown.err) is not generation.counts_entries
