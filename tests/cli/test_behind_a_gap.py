"""`events`, `--follow` and `state --at` on streams that are capped or lost an entry that had been read."""

import json
import subprocess
from collections.abc import Callable

import pytest
import redis

from tests.cli.conftest import Call, append, day, line_with, rows_counted, said_of, sounds
from tests.generations import Generation

pytestmark = [pytest.mark.two_generations, pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


@pytest.fixture
def ids(call: Call, url: str, client: redis.Redis) -> list[str]:
    """180 entries, with snapshots after 100 and 150."""
    entries = day(9, 180)
    ids = append(client, entries[:100])
    call("snapshot", "take", "--url", url)
    ids += append(client, entries[100:150])
    call("snapshot", "take", "--url", url)
    return ids + append(client, entries[150:])


@pytest.fixture(params=["capped", "deleted"])
def broken(request: pytest.FixtureRequest, client: redis.Redis, ids: list[str]) -> list[str]:
    """The ids, when the stream was trimmed behind #80, or #80 alone was deleted."""
    if request.param == "capped":
        client.xtrim("orders", minid=ids[80], approximate=False)
    else:
        client.xdel("orders", ids[79])
    return ids


def oldest(call: Call, url: str) -> str:
    snapshots = call("snapshot", "list", "--json", "--url", url).json
    found: str = next(snapshot["id"] for snapshot in snapshots if snapshot["ordinal"] == 100)
    return found


def test_events_begin_with_the_oldest_snapshot_that_connects_and_say_what_is_left_out(
    call: Call, url: str, client: redis.Redis, broken: list[str]
) -> None:
    left_out = client.xlen("orders") - 80
    shown = call("events", "--json", "--url", url)
    assert shown.code == 0
    assert [(event["ordinal"], event["id"]) for event in shown.lines] == list(enumerate(broken[100:], 101))
    assert f"What became of {left_out} entries that are still in the stream cannot be told" in shown.err
    way_on = f"--from snapshot:{oldest(call, url)}"
    assert f"after #100: {way_on}." in shown.err
    assert "Shown is what came after #100." in call("why", rows_counted(), "--url", url).err
    again = call("events", "--json", *way_on.split(), "--url", url)
    assert (again.code, again.out, again.err) == (0, shown.out, "")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("which", [["--tail"], ["--reverse", "--count"]])
def test_of_the_last_ones_it_is_said_only_where_there_are_fewer(call: Call, url: str, which: list[str]) -> None:
    enough = call("events", *which, 80, "--json", "--url", url)
    assert (len(enough.lines), enough.err) == (80, "")
    fewer = call("events", *which, 81, "--json", "--url", url)
    assert len(fewer.lines) == 80
    assert "Shown is what came after #100: --from" in fewer.err


def test_what_is_asked_for_and_cannot_be_told_at_all_is_4_with_a_place_that_works(
    call: Call, url: str, broken: list[str]
) -> None:
    for arguments in (("events", "--from", broken[84], "--to", "#100"), ("state", "--at", broken[90])):
        refused = call(*arguments, "--url", url)
        assert refused.code == 4
        assert f"The oldest place that can be told is #100, snapshot:{oldest(call, url)}." in refused.err
        assert "unread" not in refused.err


def test_a_state_that_can_be_told_is(call: Call, url: str, broken: list[str], generation: Generation) -> None:
    verdict = "CONTINUOUS" if generation.counts_entries else "UNKNOWN"
    for count in (100, 101, 150, 180):
        shown = call("state", "--json", "--at", f"#{count}", "--url", url)
        assert (shown.code, shown.json["continuity"]) == (0, verdict)
        computed = said_of(broken[:count], day(9, 180)[:count])
        assert {name: shown.json[name] for name in computed} == computed


def test_following_goes_on(
    start: Callable[..., "subprocess.Popen[str]"], url: str, broken: list[str], client: redis.Redis
) -> None:
    follower = start("events", "--json", "--follow", "--count", 81, "--url", url)
    line_with(follower.stderr, "esdash: What became of")
    for entry_id in broken[100:]:
        assert json.loads(line_with(follower.stdout, "{"))["id"] == entry_id
    (added,) = append(client, sounds())
    assert json.loads(line_with(follower.stdout, "{"))["id"] == added
    assert follower.wait(timeout=30) == 0
