"""A network and a server that misbehave: pauses, connections cut in the middle of a reply, a failover."""

import random
from collections.abc import Callable

import pytest

from esdash.engine.shown.view import Phase
from esdash.log.errors import UnreachableError
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from tests.chaos.actors import STREAM, ConsumerProcess, Customers, audit, settled
from tests.engine.running import RunningConsumer, publish_day
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = pytest.mark.two_generations

Consume = Callable[..., ConsumerProcess]
NewServer = Callable[..., RunningServer]


@pytest.mark.one_generation
def test_a_server_that_is_paused_past_the_timeouts(new_server: NewServer, consume: Consume) -> None:
    chance = random.Random(4)
    server = new_server(appendfsync="always")
    consumer = consume(f"{server.url}?socket_timeout=0.3")
    consumer.until_phase("live")
    log = Stream(Server(server.url, timeout=0.3), STREAM)

    def does_not_answer() -> bool:
        try:
            log.facts()
        except UnreachableError:
            return True
        return False

    with Customers(server.url, timeout=0.3) as customers:
        for _ in range(4):
            customers.more(chance.randrange(1, 500))
            server.pause()
            assert does_not_answer()
            assert does_not_answer()
            server.resume()
    log.server.close()
    ordinal = settled(server.url)
    assert consumer.terminate() == 0
    assert audit(server.url, customers).ordinal == ordinal
    assert customers.complaints == [] or "does not answer in time" in customers.complaints[0]


def test_connections_that_are_cut_in_the_middle_of_replies(new_server: NewServer, consume: Consume) -> None:
    chance = random.Random(5)
    server = new_server()
    with server.client() as client:
        publish_day(client, 3000)
    commands = [b"XREAD", b"XINFO", b"XRANGE", b"XADD", b"EVAL", b"EXEC", b"HSET", b"HGETALL", b"INFO"]
    with Proxy(server) as proxy:
        consumer = consume(proxy.url, snapshot_seconds=0.05)
        with Customers(proxy.url) as customers:
            consumer.until_phase("live")
            for _ in range(40):
                cuts = proxy.cuts
                proxy.cut_reply_to(chance.choice(commands), chance.choice((0, 1, 3, 17, 200, 5000)))
                customers.more(chance.randrange(1, 60))
                if proxy.cuts == cuts:
                    proxy.cut()
        settled(server.url)
        assert consumer.terminate() == 0
    assert proxy.cuts > 4
    audit(server.url, customers)


@pytest.mark.counts_entries
def test_a_replica_that_lacks_the_tail_is_promoted(new_server: NewServer, consume: Consume) -> None:
    primary = new_server(port=True)
    replica = new_server(port=True, replica_of=primary)
    with Proxy(primary) as proxy, replica.client() as promoted, primary.client() as client:
        consumer = consume(proxy.url, snapshot_seconds=0.05)
        consumer.until_phase("live")
        with Customers(proxy.url) as customers:
            customers.more(500)
            before = int(client.xlen(STREAM))
            eventually(lambda: promoted.xlen(STREAM) >= before)
            promoted.replicaof("NO", "ONE")
            had = int(promoted.xlen(STREAM))
            customers.more(500)
            proxy.point_at(replica)
            primary.kill()
            customers.more(300)
        ordinal = settled(replica.url)
        assert consumer.terminate() == 0
    model = audit(replica.url, customers, lost=True)
    assert model.ordinal == ordinal > had
    lost = len(customers.acknowledged) - sum(user >= 1_000_000 for user in model.users)
    assert lost > 0, "a replica that is promoted may lack what was acknowledged"
    assert "Going back to the newest snapshot that still fits" in consumer.complaints
    assert "had been applied and are gone from the log" in consumer.complaints


@pytest.mark.counts_entries
def test_a_stream_that_is_deleted_and_made_again(new_server: NewServer, consume: Consume) -> None:
    server = new_server()
    consumer = consume(server.url, snapshot_seconds=0.05)
    consumer.until_phase("live")
    with server.client() as client, Customers(server.url) as customers:
        for _ in range(4):
            customers.more(400)
            client.delete(STREAM)
        customers.more(100)
    ordinal = settled(server.url)
    assert consumer.terminate() == 0
    assert audit(server.url, customers, lost=True).ordinal == ordinal


@pytest.mark.one_generation
def test_consumers_that_race_for_snapshots(new_server: NewServer, consume: Consume) -> None:
    server = new_server()
    consumers = [consume(server.url, snapshot_seconds=0.02) for _ in range(3)]
    log = Stream(Server(server.url), STREAM)
    store = SnapshotStore(log)
    newest = [0]
    with Customers(server.url) as customers:
        for consumer in consumers:
            consumer.until_phase("live")
        for _ in range(30):
            customers.more(20)
            headers = store.headers()
            assert len(headers) <= 5
            assert all(isinstance(header, Header) for header in headers)
            newest += [header.ordinal for header in headers[:1] if isinstance(header, Header)]
        consumers[0].kill()
        customers.more(100)
    assert newest == sorted(newest), "an older one never replaces a newer one"
    ordinal = settled(server.url)
    for consumer in consumers[1:]:
        assert consumer.terminate() == 0
    assert audit(server.url, customers).ordinal == ordinal
    eventually(lambda: store.lease_holder(("shop", "1")) is None)
    log.server.close()


def test_a_troubled_and_an_undisturbed_consumer_agree_in_the_end(new_server: NewServer) -> None:
    server = new_server()
    with (
        Proxy(server) as proxy,
        RunningConsumer(proxy.url) as troubled,
        RunningConsumer(server.url) as calm,
        Customers(server.url) as customers,
    ):
        for _ in range(15):
            customers.more(50)
            proxy.cut()
        calm.until(lambda view: view.phase is Phase.LIVE and view.position.ordinal > 700)
        troubled.until(lambda view: view.phase is Phase.LIVE and view.position.ordinal > 700)
    model = audit(server.url, customers)
    for consumer in (troubled, calm):
        assert consumer.document["ordinal"] <= model.ordinal
