"""Nothing left: memory, disk; and entries that are taken away under the cursor."""

import contextlib
import itertools
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esdash.engine.console import EngineError
from esdash.engine.consumer.requests import Crash, TakeSnapshot
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.shown.view import Phase
from esdash.log.embedded_server import embedded
from esdash.log.embedded_server.embedded import EmbeddedServer
from esdash.log.embedded_server.server_process import AppendFsync
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.chaos.actors import STREAM, ConsumerProcess, Customers, audit, settled
from tests.engine.running import (
    RunningConsumer,
    modelled,
    publish_day,
    publish_more,
    stored,
    top_up,
)
from tests.generations import Generation
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = pytest.mark.two_generations

Consume = Callable[..., ConsumerProcess]
NewServer = Callable[..., RunningServer]


def test_a_memory_that_is_full(new_server: NewServer, consume: Consume, generation: Generation) -> None:
    server = new_server()
    consumer = consume(server.url, snapshot_seconds=0.05)
    consumer.until_phase("live")
    with server.client() as client, Customers(server.url) as customers:
        customers.more(300)
        for _ in range(3):
            client.config_set("maxmemory", "100kb")
            told = len(customers.complaints)
            while len(customers.complaints) == told:
                client.ping()
            client.config_set("maxmemory", "0")
            customers.more(200)
    assert "has reached its memory limit and takes no writes" in customers.complaints[0]
    assert all("Nothing was published" in each or "may or may not be" in each for each in customers.complaints)
    settled(server.url)
    assert consumer.terminate() == 0
    audit(server.url, customers)
    seen = {report["phase"] for report in consumer.reports}
    if generation.reads_when_full:
        assert seen <= {"connecting", "restoring", "replaying", "live", "stopped"}


@pytest.mark.counts_entries
@pytest.mark.parametrize("seed", range(4))
def test_entries_that_are_trimmed_and_deleted_under_the_cursor(new_server: NewServer, seed: int) -> None:
    """Either the consumer has seen an entry before it went, or it halts before anything after it."""
    chance = random.Random(seed)
    server = new_server(appendonly="no")
    log = Stream(Server(server.url), STREAM)
    record: dict[bytes, list[bytes]] = {}
    with server.client() as client, RunningConsumer(server.url) as consumer:
        consumer.until_live()
        (first,) = publish_more(client, 1)
        record.update((entry_id, list(fields)) for entry_id, fields in stored(log))
        consumer.until_live(first)
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot)
        for _ in range(200):
            # What is added is put on record before anybody can take it away.
            publish_more(client, chance.randrange(1, 40))
            record.update((entry_id, list(fields)) for entry_id, fields in stored(log))
            what = chance.random()
            if what < 0.3:
                client.xtrim(STREAM, maxlen=chance.randrange(0, 60), approximate=False)
            elif what < 0.5:
                client.xdel(STREAM, *chance.sample(sorted(record)[-60:], k=min(3, len(record))))
            elif what < 0.6:
                consumer.ask(TakeSnapshot())
                consumer.ask(Crash())
            if consumer.view.phase is Phase.HALTED:
                break
        last = sorted(record, key=lambda entry_id: tuple(map(int, entry_id.split(b"-"))))
        view = consumer.until(
            lambda view: (
                view.phase is Phase.HALTED
                or (view.phase is Phase.LIVE and view.position.last_event_id == last[-1].decode())
            )
        )
        halted = view.phase is Phase.HALTED
        if halted:
            assert view.continuity is not None
            assert view.continuity.missing > 0
            publish_more(client, 50)
    consumed = [(entry_id, record[entry_id]) for entry_id in last[: consumer.projection.ordinal]]
    assert consumer.document == modelled(consumed).document(), "what was applied is a beginning of what was added"
    log.server.close()


@pytest.mark.counts_entries
def test_a_consumer_process_halts_at_a_gap_and_says_so(new_server: NewServer, consume: Consume) -> None:
    server = new_server()
    consumer = consume(server.url)
    with server.client() as client:
        publish_day(client, 500)
        consumer.until_phase("live")
        ordinal = settled(server.url)
        with client.pipeline(transaction=True) as pipeline:
            for _ in range(10):
                pipeline.xadd(STREAM, top_up())
            pipeline.xtrim(STREAM, maxlen=3, approximate=False)
            pipeline.execute()
    assert consumer.wait() == 4
    assert "7 entries vanished unread" in consumer.complaints
    assert consumer.reports[-1]["ordinal"] == ordinal


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of eight megabytes, gone when the test is over."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.getuid() != 0 or mount is None or umount is None:
        pytest.skip("only root can mount a small file system")
    folder = Path(tempfile.mkdtemp(prefix="es"))
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        with contextlib.suppress(Exception):
            embedded.stop(folder / "data")
        subprocess.run([umount, "-l", folder], check=True)
        folder.rmdir()


@pytest.mark.parametrize("appendfsync", ["always", "everysec"])
def test_a_disk_that_is_full_under_the_embedded_server(small_disk: Path, appendfsync: AppendFsync) -> None:
    """The server stops taking writes (everysec) or ends (always); with room again, everything goes on."""
    with EmbeddedServer.join(small_disk / "data", appendfsync=appendfsync) as server:
        log = Stream(Server(server.url), STREAM)
        publisher = Publisher(log)
        users = itertools.count(1)

        def publish() -> str:
            return publisher.publish("TopUp", b'{"user_id":%d,"amount":100}' % next(users)).entry_id

        with RunningConsumer(server.url) as consumer:
            acknowledged = [publish() for _ in range(200)]
            consumer.until_live(acknowledged[-1])
            filler = small_disk / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            complaint = ""
            while not complaint:
                try:
                    acknowledged.append(publish())
                except EngineError as error:
                    complaint = str(error)
            if appendfsync == "always":
                assert "may or may not be in the log" in complaint
            else:
                assert "cannot write to its disk and takes no writes" in complaint
                assert "Nothing was published" in complaint
            filler.unlink()

            def publish_again() -> str:
                server.ensure_running()
                return publish()

            acknowledged.append(eventually(publish_again, ignore=EngineError))
            consumer.until_live(acknowledged[-1])
        assert set(acknowledged) <= {entry_id.decode() for entry_id, _ in stored(log)}
        log.server.close()
        assert set(audit(server.url).users.values()) == {100}
