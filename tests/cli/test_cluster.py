"""The streams of a cluster, wherever they are."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.crc import key_slot

from tests.cli.conftest import Call, append
from tests.cli.terminals import OpenTerminal
from tests.readme import SCALING
from tests.servers import RunningServer
from tests.strategies import seeded_entries
from tests.together import Clustered
from tests.waiting import eventually

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture
def spread(cluster: Clustered) -> dict[str, int]:
    """Three streams, each on another primary, in the order of their slots: name → the place of its node."""
    names = map(cluster.named, {cluster.owner(f"stream{number}") for number in range(100)})
    found = {name: cluster.owner(name) for name in sorted(names, key=lambda name: key_slot(name.encode()))}
    assert len(found) == 3
    for owner in found.values():
        cluster.clients[owner].flushall()
    for number, (name, owner) in enumerate(found.items(), 5):
        append(cluster.clients[owner], seeded_entries(number, number), name)
    return found


def test_those_of_all_nodes_are_shown(call: Call, cluster: Clustered, spread: dict[str, int], home: Path) -> None:
    found = call("streams", "--json", "--url", cluster.url)
    assert (found.code, found.err, found.json["whole"]) == (0, "", True)
    places = {name: f"127.0.0.1:{cluster.nodes[owner].port}" for name, owner in spread.items()}
    assert {each["stream"]: each["node"] for each in found.json["streams"]} == places
    assert sorted(each["length"] for each in found.json["streams"]) == [5, 6, 7]
    first, second, third = spread
    shown = call("streams", f"{first}*", "--url", cluster.url).out
    assert places[first] in shown
    assert places[second] not in shown
    missing = call("state", "--stream", f"{second}s", "--url", cluster.url)
    assert missing.code == 1
    assert f"Did you mean '{second}'" in missing.err
    # Those that are listed are not searched for.
    settings = home / "settings.toml"
    settings.write_text(f'streams = ["{third}", "{first}", "gone"]')
    for owner in spread.values():
        cluster.clients[owner].execute_command("ACL", "SETUSER", "some", "on", ">pw", "~*", "+@all", "-scan")
    url = cluster.url.replace("://", "://some:pw@")
    listed = call("streams", "--json", "--url", url, "--config", settings)
    assert listed.code == 0
    assert [each["stream"] for each in listed.json["streams"]] == [third, first]
    assert "Listed in the settings, and not there: 'gone'." in listed.err
    assert listed.json["whole"] is False
    refused = call("streams", "*", "--url", url, "--config", settings)
    assert refused.code == 1
    assert "(+scan)" in refused.err


@contextmanager
def one_lost(cluster: Clustered, place: int) -> Iterator[None]:
    """A primary hangs, no replica takes over, and the other nodes go on."""

    def settle(whole: str, alone: str) -> None:
        for node, client in zip(cluster.nodes, cluster.clients, strict=True):
            if node is not cluster.nodes[place]:
                client.config_set("cluster-require-full-coverage", whole)
                client.config_set("cluster-replica-no-failover", alone)

    settle("no", "yes")
    cluster.nodes[place].pause()
    try:
        yield
    finally:
        cluster.nodes[place].resume()
        eventually(
            lambda: all(b"cluster_slots_fail:0" in each.execute_command("CLUSTER", "INFO") for each in cluster.clients)
        )
        settle("yes", "no")


def test_a_node_that_does_not_answer_is_said_and_the_others_are_shown(
    call: Call, cluster: Clustered, spread: dict[str, int]
) -> None:
    lost, *others = spread
    with one_lost(cluster, spread[lost]):
        found = call("streams", "--json", "--url", f"{cluster.url}?socket_timeout=0.5")
    assert found.code == 5
    assert sorted(each["stream"] for each in found.json["streams"]) == sorted(others)
    assert found.json["whole"] is False
    port = cluster.nodes[spread[lost]].port
    assert f"127.0.0.1:{port} (cluster) does not answer in time. Streams of this node are left out." in found.err
    assert call("streams", "--url", cluster.url).code == 0


def test_what_the_page_about_splitting_types_works(
    call: Call, cluster: Clustered, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", SCALING.read_text("utf-8"), re.S)
    first, *lines = map(shlex.split, block.splitlines())
    assert first[:1] == ["export"]
    monkeypatch.setenv("ESDASH_URL", cluster.url)
    for place in {cluster.owner(name) for name in ("orders:{eu}", "orders:{us}")}:
        cluster.clients[place].flushall()
    for program, *arguments in lines:
        assert program == "esdash"
        found = call(*arguments)
        assert found.code == 0, found.err
    for name in ("orders:{eu}", "orders:{us}"):
        assert name in found.out
    assert "shop 1" in found.out


def test_slots_that_no_node_has_are_said(call: Call, new_server: Callable[..., RunningServer]) -> None:
    alone = new_server(port=True, cluster_enabled="yes", appendonly="no")
    url = alone.url.replace("redis:", "redis+cluster:")
    with alone.client() as client:
        found = call("streams", "--url", url)
        assert found.code == 5
        assert "serves any stream just now" in found.err
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16282)
    found = call("streams", "--json", "--url", url)
    assert found.code == 0
    assert "101 slots have no node in this cluster just now" in found.err


def test_one_of_another_node_is_opened_from_the_board(
    open_terminal: OpenTerminal, cluster: Clustered, spread: dict[str, int]
) -> None:
    first, other, _ = spread
    terminal = open_terminal("--url", cluster.url, "--stream", first)
    terminal.read_until(f"127.0.0.1:{cluster.nodes[spread[first]].port}")
    since = terminal.type("\x0f")
    terminal.read_until(other, since=since)
    # The first line is that of the stream that is shown.
    since = terminal.type("\x1b[B\r")
    terminal.read_until(f"127.0.0.1:{cluster.nodes[spread[other]].port} (cluster)", since=since)
    terminal.type("q")
    assert terminal.end() == 0
