"""Where the stored snapshots stand, for whoever marks them in time."""

import redis

from esdash.fold.loading import load
from esdash.log.headers import Header
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from esdash.past.folder import TrackFolder
from esdash.past.service import past_of
from tests.domains.shop import shop
from tests.engine.running import STREAM, RunningConsumer, top_up


def test_they_are_those_of_the_snapshots_that_the_domain_can_use(
    client: redis.Redis, log: Stream, url: str, folder: TrackFolder
) -> None:
    past = past_of(log, shop(), folder)
    assert past.snapshot_times() == []
    for number in (1, 2):
        entry_id = client.xadd(STREAM, top_up(1), id=f"{number}000-0")
        with RunningConsumer(url, domain=shop()) as consumer:
            consumer.until_live(entry_id)
    assert past.snapshot_times() == [1000, 2000]
    assert past_of(log, load("tests/domains/bank.py"), folder).snapshot_times() == []
    store = SnapshotStore(log)
    store.condemn([each.snapshot_id for each in store.headers() if isinstance(each, Header) and each.ordinal == 1])
    assert past.snapshot_times() == [2000]
