"""The stored snapshots as moments of the past."""

import redis

from esdash.fold.loading import load
from esdash.log.headers import Header
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from esdash.past.service import Past, past_of
from esdash.past.track.folder import TrackFolder
from tests.domains.shop import shop
from tests.engine.running import STREAM, RunningConsumer, top_up


def times(past: Past) -> list[int]:
    return [each.entry_ms for each in past.snapshots()]


def test_they_are_those_of_the_snapshots_that_the_domain_can_use(
    client: redis.Redis, log: Stream, url: str, folder: TrackFolder
) -> None:
    past = past_of(log, shop(), folder)
    assert times(past) == []
    for number in (1, 2):
        entry_id = client.xadd(STREAM, top_up(1), id=f"{number}000-0")
        with RunningConsumer(url, domain=shop()) as consumer:
            consumer.until_live(entry_id)
    assert times(past) == [2000, 1000]
    assert times(past_of(log, load("tests/domains/bank.py"), folder)) == []
    store = SnapshotStore(log)
    store.condemn([each.snapshot_id for each in store.headers() if isinstance(each, Header) and each.ordinal == 1])
    assert times(past) == [2000]
