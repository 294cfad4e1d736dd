"""A node that is not where the stream is now: the consumer looks again, and goes on where it is."""

from collections.abc import Callable

import pytest
import redis

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.consumer.requests import TakeSnapshot
from esdash.engine.shown.view import Phase
from esdash.log.errors import ElsewhereError
from esdash.log.snapshots import SnapshotStore
from tests.engine.running import STREAM, Clock, RunningConsumer, publish_day, publish_more, sound
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def test_a_primary_that_becomes_a_replica_is_left_for_the_new_one(new_server: Callable[..., RunningServer]) -> None:
    old = new_server(port=True)
    new = new_server(port=True, replica_of=old)
    with old.client() as left, new.client() as promoted, Proxy(old) as proxy:
        last = publish_day(left, 20)[-1]
        eventually(lambda: promoted.xlen(STREAM) == 20)
        with RunningConsumer(proxy.url) as consumer:
            consumer.until_live(last)
            proxy.point_at_next(new)
            promoted.replicaof("NO", "ONE")

            def demoted() -> bool:
                # Only who is waiting just then is told.
                left.replicaof("NO", "ONE")
                left.replicaof("127.0.0.1", str(new.port))
                return Phase.DISCONNECTED in consumer.phases

            eventually(demoted, interval=0.2)
            view = consumer.until_live(publish_more(promoted, 10)[-1])
            assert view.position.ordinal == 30


def test_a_node_of_a_cluster_is_waited_for_until_it_serves_the_stream(
    new_server: Callable[..., RunningServer],
) -> None:
    server = new_server(port=True, cluster_enabled="yes", appendonly="no")
    with server.client() as client, RunningConsumer(server.url) as consumer:
        view = consumer.until_phase(Phase.DISCONNECTED)
        assert "does not serve this stream just now" in view.phase_note
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        eventually(lambda: client.execute_command("XLEN", STREAM) == 0, ignore=redis.ResponseError)
        consumer.until_live(publish_day(client, 10)[-1])


def test_on_a_cluster_a_stream_of_whatever_name_has_snapshots(new_server: Callable[..., RunningServer]) -> None:
    server = new_server(port=True, cluster_enabled="yes", appendonly="no")
    with server.client() as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        for stream in ("{}", "x{}y", "a}b{c", "{a}{b}"):
            last = eventually(lambda name=stream: client.xadd(name, sound()), ignore=redis.ResponseError)  # type: ignore[misc]
            with RunningConsumer(server.url, ConsumerSettings(snapshot_seconds=30), stream=stream) as consumer:
                consumer.until_live(last)
                consumer.ask(TakeSnapshot())
                snapshot = consumer.until(lambda view: view.snapshot).snapshot
            with RunningConsumer(server.url, stream=stream) as again:
                restored = again.until_live(last).restored
                assert restored is not None
                assert snapshot is not None
                assert restored.snapshot_id == snapshot.snapshot_id


def test_a_server_that_took_writes_and_takes_none_any_more_is_looked_for_again(
    url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    hold_lease, refusals = SnapshotStore.hold_lease, [False, True, True]

    def hold(store: SnapshotStore, rules: tuple[str, str], owner: str, seconds: float) -> str:
        if refusals and refusals.pop(0):
            raise ElsewhereError("It is a replica and takes no writes.")
        return hold_lease(store, rules, owner, seconds)

    monkeypatch.setattr(SnapshotStore, "hold_lease", hold)
    with RunningConsumer(url, ConsumerSettings(snapshot_seconds=30), clock=clock) as consumer:
        for left in (2, 1, 0):
            consumer.until_live(publish_more(client, 1)[-1])
            clock.ahead += 31
            eventually(lambda left=left: len(refusals) == left)  # type: ignore[misc]
        assert "takes no writes" in consumer.until(lambda view: view.snapshot_note).snapshot_note
    assert consumer.phases.count(Phase.DISCONNECTED) == 1, "the second time it is one that never took any"
