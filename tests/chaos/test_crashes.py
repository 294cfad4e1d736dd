"""kill -9 at moments drawn by lot: consumers, the server, both."""

import random
from collections.abc import Callable

import pytest

from esdash.log.servers.server import Server
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from tests.chaos.actors import STREAM, ConsumerProcess, Customers, audit, settled, sound
from tests.engine.running import publish_day
from tests.servers import RunningServer

pytestmark = pytest.mark.two_generations

Consume = Callable[..., ConsumerProcess]
NewServer = Callable[..., RunningServer]


@pytest.mark.one_generation
def test_a_consumer_that_is_killed_again_and_again(new_server: NewServer, consume: Consume) -> None:
    chance = random.Random(1)
    server = new_server()
    with server.client() as client:
        publish_day(client, 2000)
    with Customers(server.url) as customers:
        for _ in range(5):
            consumer = consume(server.url, snapshot_seconds=0.05)
            consumer.until_phase("live")
            customers.more(chance.randrange(1, 1000))
            consumer.kill()
    log = Stream(Server(server.url), STREAM)
    assert SnapshotStore(log).headers(), "it left snapshots"
    expected = sound(log)
    log.server.close()
    last = consume(server.url, arguments=("--once",))
    assert last.wait() == 0
    (report,) = last.reports
    model = audit(server.url, customers)
    assert report["restored_from"] is not None
    assert report["replayed"] < model.ordinal
    assert report["ordinal"] == model.ordinal
    assert report["continuity"] == expected


@pytest.mark.parametrize("appendfsync", ["always", "everysec"])
def test_a_server_that_is_killed_again_and_again(new_server: NewServer, consume: Consume, appendfsync: str) -> None:
    """What the server acknowledged it had written: a killed process loses nothing of that, whatever the policy."""
    chance = random.Random(2)
    server = new_server(appendfsync=appendfsync)
    consumer = consume(server.url)
    consumer.until_phase("live")
    with Customers(server.url) as customers:
        for _ in range(4):
            customers.more(chance.randrange(1, 1500))
            server.kill()
            server.start()
        customers.more(1)
    ordinal = settled(server.url)
    assert consumer.terminate() == 0
    model = audit(server.url, customers)
    assert consumer.reports[-1]["last_event_id"] == model.last_event_id
    assert consumer.reports[-1]["ordinal"] == model.ordinal == ordinal


@pytest.mark.one_generation
def test_a_server_and_its_consumers_that_are_killed_together(new_server: NewServer, consume: Consume) -> None:
    chance = random.Random(3)
    server = new_server(appendfsync="always")
    with Customers(server.url) as customers:
        for _ in range(3):
            consumers = [consume(server.url), consume(server.url)]
            for consumer in consumers:
                consumer.until_phase("live")
            customers.more(chance.randrange(1, 1500))
            deaths = [server.kill, consumers[0].kill, consumers[1].kill]
            chance.shuffle(deaths)
            for kill in deaths:
                kill()
            server.start()
    audit(server.url, customers)


@pytest.mark.counts_entries
def test_a_machine_that_crashes_and_loses_what_was_not_yet_on_its_disk(new_server: NewServer, consume: Consume) -> None:
    """The end of the append-only file is cut off, in the middle of a command: acknowledged events are gone."""
    server = new_server(appendfsync="everysec")
    consumer = consume(server.url, snapshot_seconds=0.05)
    consumer.until_phase("live")
    with Customers(server.url) as customers:
        for lost in (3000, 101, 20_007):
            customers.more(1000)
            server.kill()
            (file,) = (server.dir / "appendonlydir").glob("*.incr.aof")
            content = file.read_bytes()
            file.write_bytes(content[: max(0, len(content) - lost)])
            server.start()
            customers.more(500)
    ordinal = settled(server.url)
    assert consumer.terminate() == 0
    model = audit(server.url, customers, lost=True)
    assert consumer.reports[-1]["ordinal"] == model.ordinal == ordinal
    assert "Going back to the newest snapshot that still fits" in consumer.complaints
    assert "gone from the log" in consumer.complaints
