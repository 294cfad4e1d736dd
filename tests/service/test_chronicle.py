"""What a service says of what happens to its consumer."""

import redis

from esdash.engine.consumer.requests import TakeSnapshot
from esdash.engine.shown.view import View
from esdash.service.chronicle import Chronicle
from esdash.service.logs import Happening, Level
from tests.engine.running import RunningConsumer, publish_day, publish_more, top_up


def told(views: list[View], name: str = "host:1") -> dict[str, Happening]:
    """What is said of some views, by its event; the last where there are several."""
    chronicle = Chronicle(name)
    return {happening.event: happening for view in views for happening in chronicle.look(view)}


def test_where_a_state_came_from_with_what_could_not_be_used(url: str, client: redis.Redis) -> None:
    publish_day(client, 10)
    with RunningConsumer(url) as consumer:
        consumer.until_live()
        consumer.ask(TakeSnapshot())
        older = consumer.until(lambda view: view.snapshot).snapshot
        consumer.until_live(publish_more(client, 5)[-1])
    newer = consumer.view.snapshot
    assert older is not None
    assert newer is not None
    client.hset(f"esdash:{{orders}}:snapshot:{newer.snapshot_id}", "1", b"nonsense")
    with RunningConsumer(url) as again:
        again.until_live()
    happenings = told(again.views)
    restored = happenings["restored"]
    assert (restored.level, restored.fields["snapshot"], restored.fields["ordinal"]) == (
        Level.WARNING,
        older.snapshot_id,
        10,
    )
    (unused,) = restored.fields["not_used"]
    assert (unused["snapshot"], bool(unused["reason"])) == (newer.snapshot_id, True)
    assert f"Snapshot {newer.snapshot_id} was not used" in restored.text
    assert happenings["live"].fields["replayed"] == 5


def test_a_log_that_lost_what_was_applied(url: str, client: redis.Redis) -> None:
    ids = publish_day(client, 10)
    with RunningConsumer(url) as consumer:
        consumer.until_live(ids[-1])
        client.delete("orders")
        client.xadd("orders", top_up(), id=f"{int(ids[-1].split(b'-')[0]) + 1}-0")
        consumer.until(lambda view: view.orphans_gone)
    diverged = told(consumer.views)["diverged"]
    assert (diverged.level, diverged.fields) == (Level.ERROR, {"orphans": 10})


def test_a_history_that_is_partial(url: str, client: redis.Redis) -> None:
    publish_day(client, 10)
    client.xtrim("orders", maxlen=7, approximate=False)
    with RunningConsumer(url) as consumer:
        consumer.until_live()
    assert told(consumer.views)["partial"].fields == {"unseen": 3}


def test_nothing_is_said_twice_or_of_what_was_there_before(url: str, client: redis.Redis) -> None:
    publish_day(client, 10)
    with RunningConsumer(url) as first:
        first.until_live()
    with RunningConsumer(url) as consumer:
        consumer.until_live(publish_more(client, 5)[-1])
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot and view.snapshot.position.ordinal == 15)
    chronicle = Chronicle("host:1")
    events = [happening.event for view in consumer.views for happening in chronicle.look(view)]
    assert sorted(events) == sorted(
        ["connecting", "restoring", "restored", "replaying", "live", "snapshot", "notice", "stopped"]
    )
