"""`esdash serve`, as a process on real servers."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from esdash.log.headers import Header
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from tests.cli.conftest import Call, append, day, sounds
from tests.cli.serving import Serving
from tests.domains.ways import present
from tests.servers import RunningServer
from tests.waiting import eventually

Start = Callable[..., Any]
NewServer = Callable[..., RunningServer]
Samples = dict[str, dict[tuple[str, ...], float]]

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


@pytest.fixture
def serve(start: Start) -> Callable[..., Serving]:
    """Start `esdash serve` and read what it says."""
    return lambda *arguments, **options: Serving(start("serve", *arguments, **options))


Serve = Callable[..., Serving]


def measured(text: str, labels: tuple[str, ...] = ()) -> Samples:
    """The samples of an exposition: name → values of some labels → value."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type != "unknown"
        for sample in family.samples:
            if sample.name.startswith("esdash_"):
                assert (sample.labels["stream"], sample.labels["domain"]) == ("orders", present().fold().name)
                of = tuple(sample.labels.get(label, "") for label in labels)
                found.setdefault(sample.name, {})[of] = sample.value
    return found


def vanish(client: redis.Redis) -> None:
    """Let three entries leave the stream that nobody has read."""
    pipeline = client.pipeline(transaction=True)
    for _ in range(4):
        pipeline.xadd("orders", {"type": "x", "data": "y"})
    pipeline.xtrim("orders", maxlen=1, approximate=False)
    pipeline.execute()


def test_it_is_measured_and_ends_with_a_snapshot(serve: Serve, call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 100))
    state = call("state", "--json", "--url", url).json
    service = serve("--listen", ":0", "--url", url)
    service.until("live")
    status, text = service.get("/metrics")
    assert status == 200
    plain = {name: of[()] for name, of in measured(text).items() if () in of}
    assert plain["esdash_position_ordinal"] == state["ordinal"] == 100
    assert plain["esdash_replay_entries"] == 100
    assert (plain["esdash_lag_entries"], plain["esdash_ready"], plain["esdash_reconnects_total"]) == (0, 1, 0)
    assert plain["esdash_fold_seconds_count"] == 1
    assert plain["esdash_position_timestamp_seconds"] == int(state["last_event_id"].split("-")[0]) / 1000
    decided = measured(text, ("outcome", "reason"))["esdash_entries_total"]
    outcomes = state["outcomes"]
    expected = {("applied", ""): outcomes["applied"], ("duplicate", ""): outcomes["duplicate"]}
    expected |= {(name, reason): n for name in ("rejected", "parked") for reason, n in outcomes[name].items()}
    assert {of: count for of, count in decided.items() if count} == expected
    assert len(outcomes["rejected"]) > 2
    assert measured(text, ("phase",))["esdash_phase"][("live",)] == 1
    assert measured(text, ("verdict",))["esdash_continuity"][("CONTINUOUS",)] == 1
    assert service.get("/livez") == (200, "ok\n")

    assert service.end() == 0
    (snapshot,) = call("snapshot", "list", "--json", "--url", url).json
    assert (snapshot["ordinal"], snapshot["usable"]) == (100, True)
    assert service.events() == [
        *("listening", "connecting", "restoring", "restored", "replaying", "live", "ending", "snapshot", "stopped")
    ]
    for line in service.lines:
        assert list(line)[:4] == ["time", "level", "event", "text"]
    taken = service.until("snapshot")
    assert (taken["snapshot"], taken["bytes"]) == (snapshot["id"], snapshot["size"])


def test_it_is_ready_while_its_state_can_be_relied_on(serve: Serve, new_server: NewServer) -> None:
    server = new_server(port=True, requirepass="s3cret")
    with server.client() as client:
        append(client, sounds())
    server.terminate()
    service = serve("--listen", "127.0.0.1:0", env={**os.environ, "ESDASH_URL": server.url})
    service.until_unready("disconnected: ")
    assert service.get("/livez")[0] == 200
    server.start()
    service.until_ready()
    server.kill()
    service.until_unready("disconnected: ")
    server.start()
    service.until_ready()
    assert service.until("reconnected")["reconnects"] == 1
    with server.client() as client:
        vanish(client)
        service.until_unready("halted: 3 entries vanished")
        assert service.get("/livez")[0] == 200
        missing = measured(service.get("/metrics")[1])
        assert (missing["esdash_missing_entries"][()], missing["esdash_ready"][()]) == (3, 0)
        halted = service.until("halted")
        assert (halted["level"], halted["missing"], halted["continuity"]) == ("error", 3, "GAP 3")
    other = serve("--exit-when-halted", env={**os.environ, "ESDASH_URL": server.url})
    assert other.wait() == 4
    assert other.until("halted")["level"] == "error"
    assert service.end() == 0
    assert "s3cret" not in service.text + other.text


def owners(log: Stream) -> set[str]:
    """Who took the snapshots that there are."""
    return {header.owner for header in SnapshotStore(log).headers() if isinstance(header, Header)}


def test_a_standby_takes_over_when_the_other_is_gone(
    serve: Serve, url: str, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESDASH_SNAPSHOT_SECONDS", "1")

    def held_by(service: Serving, holder: str) -> bool:
        return holder.startswith(f"{socket.gethostname()}:{service.process.pid}:")

    def appending(service: Serving, event: str) -> Any:
        """Append until a service says that something happened."""
        eventually(lambda: append(client, sounds()) and event in service.events(), timeout=30, interval=0.05)
        return service.until(event)

    first = serve("--url", url)
    appending(first, "lease_taken")
    second = serve("--url", url)
    holder = appending(second, "standby")["holder"]
    assert held_by(first, holder)
    assert owners(log) == {holder}

    first.process.send_signal(signal.SIGKILL)
    appending(second, "lease_taken")
    eventually(lambda: any(held_by(second, owner) for owner in owners(log)))
    third = serve("--url", url)
    assert third.until("restored")["snapshot"] is not None
    assert held_by(second, appending(third, "standby")["holder"])
    assert (second.end(), third.end()) == (0, 0)


def test_for_people_it_says_sentences(start: Start, url: str, client: redis.Redis) -> None:
    append(client, sounds())
    service = start("serve", "--log-format", "plain", "--url", url)
    assert service.stderr is not None
    assert next(line for line in service.stderr if " Live: 1 entry, the last " in line)
    service.send_signal(signal.SIGINT)
    assert service.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--listen", "9464"), 2, "write HOST:PORT"),
        (("--listen", "203.0.113.1:1"), 1, "cannot be listened on"),
        (("--url", "nonsense"), 2, "URL"),
    ],
)
def test_what_it_cannot_begin_with_is_said(call: Call, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = call("serve", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_without_what_it_is_measured_with_it_says_what_to_install(
    call: Call, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    ended = call("serve", "--listen", ":0", "--url", url)
    assert ended.code == 1
    assert "pip install 'esdash[service]'" in ended.err
