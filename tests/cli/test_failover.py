"""Publishing that begins while there is no primary: it waits for the next one, as what began before does."""

import json
import time

import pytest

from esdash.engine.console import EngineError
from esdash.engine.publishing.publisher import Publisher
from esdash.log.finding import server_of
from esdash.log.stream import Stream
from tests.cli.conftest import STREAM, Call
from tests.engine.under_load import found_in
from tests.together import Clustered, Watched
from tests.waiting import eventually


@pytest.mark.xdist_group("sentinel")
def test_a_publisher_that_begins_during_a_failover_waits_for_the_new_primary(call: Call, watched: Watched) -> None:
    primary, replica = watched.pair()
    with primary.client() as client:
        client.flushall()
    primary.kill()
    begun = time.monotonic()
    published = call("publish", "top-up", "7", "5", "--key", "mine", "--url", watched.url)
    assert (published.code, json.loads(published.out)["key"]) == (0, "mine"), published.err
    assert time.monotonic() - begun < 20
    produced = call("produce", "--count", "10", "--url", watched.url)
    assert produced.code == 0, produced.err
    eventually(lambda: watched.named_by_all(replica))
    keys, _ = found_in(watched.url)
    assert (len(keys), keys.count("mine")) == (11, 1)
    primary.start()


@pytest.mark.xdist_group("cluster")
def test_so_does_one_in_a_cluster(call: Call, cluster: Clustered) -> None:
    owner = cluster.owner(STREAM)
    cluster.clients[owner].flushall()
    cluster.nodes[owner].pause()
    published = call("publish", "top-up", "7", "5", "--key", "mine", "--url", f"{cluster.url}?socket_timeout=0.5")
    assert published.code == 0, published.err
    keys, _ = found_in(cluster.url)
    cluster.nodes[owner].resume()
    assert keys == ["mine"]
    eventually(lambda: cluster.clients[owner].info("replication")["role"] == "slave")


def test_where_nobody_ever_answered_or_one_server_is_named_it_is_not_waited_for(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 0.01)
    for url in ("redis+sentinel://127.0.0.1:1/shop", "redis+cluster://127.0.0.1:1", "redis://127.0.0.1:1"):
        begun = time.monotonic()
        found = call("publish", "top-up", "7", "5", "--url", url)
        assert found.code == 5
        assert "127.0.0.1:1" in found.err
        assert time.monotonic() - begun < 10


@pytest.mark.xdist_group("sentinel")
def test_what_depends_on_the_last_entry_is_sent_once_there_is_a_primary(watched: Watched) -> None:
    primary, replica = watched.pair()
    with primary.client() as client:
        client.flushall()
    log = Stream(server_of(watched.url, STREAM, timeout=1), STREAM)
    publisher = Publisher(log)
    last_id = publisher.publish("TopUp", b'{"user_id":1,"amount":1}').entry_id.encode()
    with replica.client() as client:
        eventually(lambda: client.exists(STREAM))
    primary.kill()
    entry = [b"type", b"TopUp", b"data", b'{"user_id":1,"amount":2}', b"key", b"second"]
    assert len(publisher.publish_after(last_id, [entry])) == 1
    assert publisher.publish_after(last_id, [entry]) == []
    keys, _ = found_in(watched.url)
    assert keys.count("second") == 1
    primary.start()
    publisher.close()
    log.server.close()
    strangers = Publisher(Stream(server_of("redis+cluster://127.0.0.1:1", STREAM), STREAM))
    strangers.close()
    with pytest.raises(EngineError, match="Nothing was published"):
        strangers.publish_after(b"0-0", [entry])
