"""`esdash doctor`."""

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import redis

from esdash.fold.declaration import invariants_of
from tests.cli.conftest import Call, append, day, sounds
from tests.domains.ways import present
from tests.servers import RunningServer
from tests.strategies import raw_entry

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

NewServer = Callable[..., RunningServer]

METERS = "tests.domains.meters:METERS"


def examined(call: Call, url: str, code: int) -> Mapping[str, Any]:
    """The checks by their names."""
    shown = call("doctor", "--json", "--url", url)
    assert shown.code == code, shown
    for check in shown.json["checks"]:
        assert set(check) == {"name", "status", "seen", "advice"}
        assert check["seen"]
        assert check["advice"] or check["status"] == "ok"
    statuses = {check["status"] for check in shown.json["checks"]}
    expected = "problem" if "problem" in statuses else "warning" if "warning" in statuses else "ok"
    assert shown.json["status"] == expected
    return {check["name"]: check for check in shown.json["checks"]}


def invariants() -> list[str]:
    """The checks of the domain's own."""
    return [f"invariant {each.name}" for each in invariants_of(present().fold().domain)]


def with_a_stream(server: RunningServer) -> RunningServer:
    """The server, with an entry and a snapshot."""
    with server.client() as client:
        append(client, sounds())
    return server


def status(checks: Mapping[str, Any]) -> dict[str, str]:
    """Name → status, of those that are not ok."""
    return {name: check["status"] for name, check in checks.items() if check["status"] != "ok"}


def test_a_sound_server(call: Call, new_server: NewServer) -> None:
    server = new_server(appendfsync="always")
    with server.client() as client:
        append(client, sounds(3))
    call("snapshot", "take", "--url", server.url)
    checks = examined(call, server.url, 0)
    assert status(checks) == {}
    assert set(checks) == {
        *("server", "client", "role", "persistence", "durability", "eviction", "memory", "clock", "stream"),
        *("continuity", "parked", "duplicates", "snapshots", "expiry", "keys", *invariants()),
    }
    assert checks["durability"]["seen"] == "Publishing can wait for synced (at once); no replica follows."
    assert "3 entries" in checks["stream"]["seen"]
    assert "survives a power cut" in checks["persistence"]["seen"]


def test_for_people(call: Call, url: str, client: redis.Redis) -> None:
    append(client, [raw_entry("Refund", b"{}")])
    shown = call("doctor", "--url", url)
    assert shown.code == 3
    assert "✗ persistence" in shown.out
    assert "! parked" in shown.out
    assert "unknown_type 1" in shown.out


def test_nothing_is_written(call: Call, url: str, client: redis.Redis) -> None:
    call("doctor", "--url", url)
    assert client.keys() == []


def test_a_server_that_keeps_nothing_and_evicts(call: Call, new_server: NewServer) -> None:
    server = with_a_stream(new_server(appendonly="no", maxmemory="100mb", maxmemory_policy="allkeys-lru"))
    assert status(examined(call, server.url, 3)) == {"persistence": "problem", "eviction": "problem"}


def test_a_server_that_saves_now_and_then(call: Call, new_server: NewServer) -> None:
    server = with_a_stream(new_server(appendonly="no", save="3600 1", maxmemory_policy="volatile-ttl"))
    assert status(examined(call, server.url, 0)) == {"persistence": "warning", "eviction": "warning"}


@pytest.mark.every_generation
def test_a_stream_that_expires_is_a_problem_and_the_remedy_is_said(call: Call, new_server: NewServer) -> None:
    server = with_a_stream(new_server(maxmemory_policy="volatile-ttl", maxmemory="100mb"))
    call("snapshot", "take", "--url", server.url)
    with server.client() as client:
        client.expire("orders", 3600)
        expiry = examined(call, server.url, 3)["expiry"]
        assert (expiry["status"], "orders in 60 minutes" in expiry["seen"]) == ("problem", True)
        assert "`PERSIST orders`" in expiry["advice"]
        client.persist("orders")
        assert examined(call, server.url, 0)["expiry"]["status"] == "ok"


def test_each_key_of_esdash_that_expires_is_named_but_the_lease(call: Call, new_server: NewServer) -> None:
    server = with_a_stream(new_server())
    taken = call("snapshot", "take", "--json", "--url", server.url).json
    own = ["esdash:{orders}:snapshots", f"esdash:{{orders}}:snapshot:{taken['id']}"]
    with server.client() as client:
        for key in own:
            assert client.expire(key, 500)
        client.set("esdash:{orders}:lease:shop 1", "somebody", px=60_000)
    expiry = examined(call, server.url, 0)["expiry"]
    assert expiry["status"] == "warning"
    assert all(key in expiry["seen"] and f"`PERSIST {key}`" in expiry["advice"] for key in own)
    assert "lease" not in str(expiry)


def test_memory_that_is_nearly_full(call: Call, new_server: NewServer) -> None:
    server = with_a_stream(new_server(maxmemory="100mb"))
    with server.client() as client:
        client.execute_command("DEBUG", "POPULATE", 80, "some", 1_000_000)
        assert status(examined(call, server.url, 0)) == {"memory": "warning"}
        client.execute_command("DEBUG", "POPULATE", 15, "more", 1_000_000)
        assert status(examined(call, server.url, 3)) == {"memory": "problem"}


def test_a_replica(call: Call, new_server: NewServer) -> None:
    primary = with_a_stream(new_server(port=True))
    replica = new_server(replica_of=primary)
    assert status(examined(call, replica.url, 0)) == {"role": "warning"}
    assert "1 replicas" in examined(call, primary.url, 0)["role"]["seen"]


def test_a_gap(call: Call, new_server: NewServer) -> None:
    server = new_server()
    with server.client() as client:
        append(client, sounds(3))
        call("snapshot", "take", "--url", server.url)
        append(client, sounds(3))
        client.xtrim("orders", maxlen=1, approximate=False)
    checks = examined(call, server.url, 3)
    assert status(checks) == {"continuity": "problem"}
    assert checks["continuity"]["seen"].startswith("GAP 2")


def test_partial_history_and_a_damaged_snapshot(call: Call, new_server: NewServer) -> None:
    server = new_server()
    with server.client() as client:
        append(client, sounds(6))
        client.xtrim("orders", maxlen=3, approximate=False)
        taken = call("snapshot", "take", "--json", "--url", server.url).json
        client.hset(f"esdash:{{orders}}:snapshot:{taken['id']}", "0", b"nonsense")
    checks = examined(call, server.url, 0)
    assert status(checks) == {"continuity": "warning", "damaged snapshots": "warning"}
    assert taken["id"] in checks["damaged snapshots"]["seen"]


def test_ids_from_the_future(call: Call, new_server: NewServer) -> None:
    server = new_server()
    with server.client() as client:
        (entry,) = sounds()
        client.xadd("orders", dict(entry), id="9999999999999-0")
    assert status(examined(call, server.url, 0)) == {"clock": "warning"}


def test_each_invariant_holds_or_is_broken_since_an_entry_and_then_the_exit_code_is_3(
    call: Call, new_server: NewServer
) -> None:
    server = new_server(appendfsync="always")
    shown = [raw_entry("Read", b'{"meter":"a","shown":%d}' % value) for value in (1, -1, 2, -2, -3)]
    with server.client() as client:
        append(client, shown[:3])
        code = call("doctor", "--url", server.url, "--domain", METERS).code
        assert code == 0
        broke = append(client, shown[3:])[0]
    found = call("doctor", "--json", "--url", server.url, "--domain", METERS)
    assert found.code == 3
    checks = {check["name"]: check for check in found.json["checks"]}
    assert checks["invariant below_hundred"]["seen"] == "It holds after #5."
    broken = checks["invariant none_below_zero"]
    assert broken["status"] == "problem"
    assert broken["seen"].startswith(f"It is broken since #4, {broke}, 2")
    assert broken["seen"].endswith("; 2 times in all.")
    assert broken["advice"].startswith("`esdash events --from n4 --count 1` shows it.")
    verified = call("verify", "--json", "--url", server.url, "--domain", METERS)
    assert (verified.code, verified.json["invariants"]) == (0, {"none_below_zero": False, "below_hundred": True})
    assert "✗ the invariant none_below_zero does" in call("verify", "--url", server.url, "--domain", METERS).out


def test_a_key_that_is_no_stream(call: Call, new_server: NewServer) -> None:
    server = new_server()
    with server.client() as client:
        client.set("orders", "x")
    assert "not a stream" in str(examined(call, server.url, 3))


def test_a_user_who_may_not_ask(call: Call, new_server: NewServer) -> None:
    server = new_server(port=True)
    with server.client() as client:
        append(client, day(1, 5))
        client.execute_command(
            *("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-info", "-config", "-memory", "-pttl")
        )
    checks = examined(call, f"redis://reader:pw@127.0.0.1:{server.port}", 0)
    assert {"server", "keys", "expiry"} <= set(status(checks))


def test_no_server(call: Call) -> None:
    assert call("doctor", "--url", "redis://127.0.0.1:1").code == 5


class TestWatching:
    """`doctor --watch` says what changes and ends with what needs a person."""

    @pytest.mark.parametrize(("ending", "code"), [("gap", 4), ("expiry", 3), ("server", 5)])
    def test_it_ends_with_the_exit_code_of_the_first_problem(
        self, start: Callable[..., "subprocess.Popen[str]"], call: Call, new_server: NewServer, ending: str, code: int
    ) -> None:
        server = new_server()
        with server.client() as client:
            append(client, sounds(3))
            call("snapshot", "take", "--url", server.url)
            watch = start("doctor", "--watch", "--every", "0.1", "--json", "--url", server.url)
            assert watch.stdout is not None
            first = [json.loads(watch.stdout.readline()) for _ in range(15 + len(invariants()))]
            assert "keys" in [each["name"] for each in first]
            assert {(line["status"], line["was"]) for line in first} == {("ok", None)}
            append(client, [raw_entry("Refund", b"{}")])
            parked = json.loads(watch.stdout.readline())
            assert (parked["name"], parked["status"], parked["was"]) == ("parked", "warning", "ok")
            if ending == "gap":
                with client.pipeline(transaction=True) as pipeline:
                    for _ in range(3):
                        pipeline.xadd("orders", {"type": "x", "data": "y"})
                    pipeline.xtrim("orders", maxlen=1, approximate=False)
                    pipeline.execute()
            elif ending == "expiry":
                client.expire("orders", 3600)
            else:
                server.kill()
        out, err = watch.communicate(timeout=30)
        assert watch.returncode == code, err
        if ending == "server":
            assert "No connection" in err
        else:
            changes = {line["name"]: line for line in map(json.loads, out.splitlines())}
            last = changes[{"gap": "continuity", "expiry": "expiry"}[ending]]
            assert (last["status"], last["was"]) == ("problem", "ok")

    def test_what_is_a_problem_already_ends_it_at_once(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, sounds())
        watched = call("doctor", "--watch", "--url", url)
        assert watched.code == 3
        assert "\n✗ persistence" in watched.out
        assert "\n✓ keys" in watched.out

    def test_how_often_is_for_watching_alone(self, call: Call, url: str) -> None:
        assert call("doctor", "--every", "5", "--url", url).code == 2
        assert "no stream" in call("doctor", "--watch", "--url", url).err
