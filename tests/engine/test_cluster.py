"""A stream in a cluster: its slot moves, its node is lost, and consumer and publisher follow it."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.consumer.requests import TakeSnapshot
from esdash.engine.shown.view import Phase
from esdash.log.continuity import Verdict
from esdash.log.errors import ElsewhereError, ForbiddenError, UnconnectedError
from esdash.log.finding import server_of
from esdash.log.stream import Stream
from tests.engine.running import STREAM, RunningConsumer
from tests.engine.under_load import Load, found_in
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.together import Clustered
from tests.waiting import eventually

pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.usefixtures("any_domain"),
    pytest.mark.domains_in_turn,
]


@pytest.fixture(autouse=True)
def _empty(cluster: Clustered) -> None:
    cluster.clients[cluster.owner(STREAM)].flushall()


@pytest.mark.parametrize("move", [Clustered.move, Clustered.move_at_once], ids=["key by key", "at once"])
def test_a_slot_that_moves_takes_consumer_and_publisher_with_it(
    cluster: Clustered, move: Callable[[Clustered, str, int, int], None]
) -> None:
    source = cluster.owner(STREAM)
    target = next(place for place in map(cluster.owner, map(str, range(100))) if place != source)
    settings = ConsumerSettings(snapshot_seconds=30)
    with RunningConsumer(cluster.url, settings, timeout=1) as consumer, Load(cluster.url) as load:
        assert consumer.until_live().server.startswith(f"127.0.0.1:{cluster.nodes[source].port} (cluster) · ")
        load.more(100)
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot)
        move(cluster, STREAM, source, target)
        consumer.until(lambda view: view.phase is Phase.LIVE and f":{cluster.nodes[target].port} " in view.server)
        load.more(100)
        load.stop()
        keys, document = found_in(cluster.url)
        view = consumer.until(lambda view: view.position.ordinal == len(keys))
    assert set(load.acknowledged) <= set(keys)
    assert consumer.document == document
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
        keys, document = found_in(cluster.url)
        view = consumer.until(lambda view: view.position.ordinal == len(keys))
    assert consumer.document == document
    lost = set(load.acknowledged) - set(keys)
    assert view.orphans_gone >= len(lost)
    assert view.continuity is not None
    assert view.continuity.verdict in (Verdict.CONTINUOUS, Verdict.DIVERGED)


def test_what_is_wrong_with_a_cluster_is_said(
    cluster: Clustered, new_server: Callable[..., RunningServer], certificate: Path
) -> None:
    with cluster.clients[0] as client:
        client.execute_command("ACL", "SETUSER", "stranger", "on", ">pw", "~*", "+xinfo")
    for url, kind, told in (
        ("redis+cluster://127.0.0.1:1", UnconnectedError, r"No node of redis\+cluster://127.0.0.1:1 answers\."),
        (f"redis+cluster://stranger:pw@127.0.0.1:{cluster.nodes[0].port}", ForbiddenError, r"\(\+cluster\|slots\)"),
    ):
        with pytest.raises(kind, match=told):
            server_of(url, STREAM).connect()
    alone = new_server(port=True, cluster_enabled="yes", appendonly="no")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with alone.client() as client, Proxy(alone, context) as tls:
        client.config_set("cluster-announce-port", tls.port)
        url = tls.url.replace("rediss:", "rediss+cluster:") + f"?ssl_ca_certs={certificate}"
        log = Stream(server_of(url, STREAM), STREAM)
        with pytest.raises(ElsewhereError, match=r"No node of the cluster of .* serves this stream just now"):
            log.facts()
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        assert eventually(lambda: log.append([b"a", b"1"]), ignore=ElsewhereError)
        log.server.close()
