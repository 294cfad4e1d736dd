"""A primary that Sentinels watch is lost: consumer and publisher find the next one, and say what was lost with it."""

import re
import ssl
import time
from pathlib import Path

import pytest

from esdash.engine.shown.view import Phase, View
from esdash.log.continuity import Verdict
from esdash.log.durability import Durability
from esdash.log.errors import ElsewhereError, RefusedError, UnconnectedError
from esdash.log.finding import server_of
from tests.engine.running import STREAM, RunningConsumer
from tests.engine.under_load import Load, found_in
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.together import PASSWORD, SERVICE, Watched, cut_off, heal
from tests.waiting import eventually

pytestmark = [
    pytest.mark.xdist_group("sentinel"),
    pytest.mark.usefixtures("any_domain"),
    pytest.mark.domains_in_turn,
]


@pytest.fixture(autouse=True)
def _empty(watched: Watched) -> None:
    with watched.pair()[0].client() as client:
        client.flushall()


def is_live_on(view: View, server: RunningServer) -> bool:
    return view.phase is Phase.LIVE and view.server.startswith(f"127.0.0.1:{server.port} ({SERVICE}) · ")


def test_what_was_acknowledged_on_the_wrong_side_of_a_split_is_said_when_it_heals(watched: Watched) -> None:
    primary, replica = watched.pair()
    with RunningConsumer(watched.url, timeout=1) as consumer:
        consumer.until_live()
        with Load(watched.url) as load:
            load.more(50)
            cut_off(primary)
            load.more(50)
            eventually(lambda: watched.named_by_all(replica))
            load.more(50)
        consumer.until(lambda view: view.position.ordinal == len(load.acknowledged))
        heal(primary)
        consumer.until(lambda view: is_live_on(view, replica))
        with Load(watched.url) as later:
            later.more(50)
        keys, document = found_in(watched.url)
        view = consumer.until(lambda view: view.position.ordinal == len(keys))
    assert len(keys) == len(set(keys))
    assert set(later.acknowledged) <= set(keys)
    lost = set(load.acknowledged) - set(keys)
    assert len(lost) >= 50
    assert view.orphans_gone == len(lost)
    assert consumer.document == document
    assert any("gone" in notice.text for notice in view.notices)


def test_nothing_that_a_replica_had_is_lost_or_counted_twice_when_the_primary_dies(watched: Watched) -> None:
    primary, replica = watched.pair()
    with RunningConsumer(watched.url, timeout=1) as consumer, Load(watched.url, Durability(replicas=1)) as load:
        assert is_live_on(consumer.until_live(), primary)
        load.more(100)
        primary.kill()
        killed_at = time.monotonic()
        consumer.until_phase(Phase.DISCONNECTED)
        consumer.until(lambda view: is_live_on(view, replica))
        assert time.monotonic() - killed_at < 15
        # Nobody follows the new primary, so that none of these is as safe as was asked for.
        before = consumer.view.position.ordinal
        consumer.until(lambda view: view.position.ordinal > before)
        load.stop()
        assert not load.errors
        keys, document = found_in(watched.url)
        view = consumer.until(lambda view: view.position.ordinal == len(keys))
        primary.start()
    assert set(load.acknowledged) <= set(keys)
    assert consumer.document == document
    assert view.continuity is not None
    assert view.continuity.verdict in (Verdict.CONTINUOUS, Verdict.DIVERGED)
    assert Phase.HALTED not in consumer.phases


def test_what_is_wrong_with_the_sentinels_is_said(watched: Watched) -> None:
    port, served = watched.sentinels[0].port, watched.pair()[0].port
    for url, kind, told in (
        (f"redis+sentinel://127.0.0.1:{port}/other", RefusedError, f"know no service other. They watch {SERVICE}."),
        (
            f"redis+sentinel://127.0.0.1:{served}/{SERVICE}?sentinel_password={PASSWORD}",
            RefusedError,
            "is no Sentinel. Give the",
        ),
        (f"redis+sentinel://127.0.0.1:1/{SERVICE}", UnconnectedError, "No Sentinel of redis+sentinel://127.0.0.1:1"),
        (f"redis://127.0.0.1:{port}", RefusedError, "is a Sentinel. Give the URL of the server that it watches, or"),
        (f"redis+cluster://:{PASSWORD}@127.0.0.1:{served}", RefusedError, "is in no cluster. Write redis:// in"),
    ):
        server = server_of(url, STREAM)
        with pytest.raises(kind, match=re.escape(told)):
            server.facts()
        server.close()
    with watched.sentinels[0].client() as client:
        client.execute_command("SENTINEL", "MONITOR", "stale", "127.0.0.1", watched.pair()[1].port, 2)
        server = server_of(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/stale", STREAM)
        with pytest.raises(ElsewhereError, match="is not the primary yet, or not any more"):
            server.facts()
        client.execute_command("SENTINEL", "REMOVE", "stale")
        client.execute_command("ACL", "SETUSER", "default", ">pw")
        server = server_of(f"redis+sentinel://127.0.0.1:{port}/{SERVICE}", STREAM)
        with pytest.raises(RefusedError, match="wants another user name or password"):
            server.facts()
        server = server_of(f"redis+sentinel://:{PASSWORD}@127.0.0.1:{port}/{SERVICE}?sentinel_password=pw", STREAM)
        assert server.facts().role == "master"
        server.close()
        client.execute_command("ACL", "SETUSER", "default", "nopass")


def test_all_connections_are_encrypted_where_the_url_says_so(watched: Watched, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    primary, _ = watched.pair()
    sentinel = watched.sentinels[0]
    with sentinel.client() as client, Proxy(primary, context) as served, Proxy(sentinel, context) as asked:
        client.execute_command("SENTINEL", "MONITOR", "encrypted", "127.0.0.1", served.port, 2)
        url = f"rediss+sentinel://:{PASSWORD}@127.0.0.1:{asked.port}/encrypted?ssl_ca_certs={certificate}"
        server = server_of(url, STREAM)
        assert server.facts().role == "master"
        assert server.name == f"127.0.0.1:{served.port} (encrypted)"
        server.close()
        client.execute_command("SENTINEL", "REMOVE", "encrypted")
