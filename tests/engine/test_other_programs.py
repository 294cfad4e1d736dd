"""Consumers of streams that other programs write."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import redis

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Crash, TakeSnapshot
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, View
from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.fold.raw import RAW, RawFold
from esdash.log.stream import Stream
from tests.domains import CUSTOMERS, PLACED, ROOMS, SENSORS
from tests.engine.running import STREAM, RunningConsumer, stored
from tests.samples import samples

DOMAINS = {"faststream": SENSORS, "cloudevents": ROOMS, "watermill": PLACED, "debezium": CUSTOMERS}


def raw(_: Path) -> Fold:
    """The fold that knows no domain."""
    return RawFold(RAW)


def domain(file: Path) -> Fold:
    """That of an example."""
    return load(str(file))


def entries(program: str, count: int, seed: int = 1) -> list[list[bytes]]:
    """So many of its samples, and now and then one of another program."""
    chance = random.Random(seed)
    own, other = (
        list(samples(each).entries.values()) for each in (program, chance.choice([*DOMAINS.keys() - {program}]))
    )
    return [chance.choice(own if chance.random() < 0.95 else other) for _ in range(count)]


def digest(fold: Fold, log: Stream) -> str:
    """That of the state after all entries, folded one by one."""
    state = fold.empty()
    for entry in stored(log):
        fold.fold(state, [entry])
    return fold.digest(state)


def is_of(count: int, view: View) -> bool:
    """Whether a view shows the state of so many entries."""
    return view.state_position.ordinal == count


@pytest.mark.parametrize("program", DOMAINS)
def test_one_crashes_and_comes_back(program: str, url: str, log: Stream) -> None:
    fold = domain(DOMAINS[program])
    log.append_many(entries(program, 200))
    with RunningConsumer(url, domain=fold) as consumer:
        consumer.until(partial(is_of, 200))
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot is not None and view.snapshot.position.ordinal == 200)
        log.append_many(entries(program, 50, 2))
        consumer.until_live(log.facts().last_id)
        consumer.ask(Crash())
        consumer.until(lambda view: view.restored is not None and view.restored.replayed == 50)
        consumer.until(lambda view: view.phase is Phase.LIVE and is_of(250, view))
    assert fold.digest(consumer.projection.state) == digest(fold, log)


@pytest.mark.parametrize(
    ("program", "made"), [*((program, domain) for program in DOMAINS), ("cloudevents", raw), ("debezium", raw)]
)
def test_a_long_way_is_read_ahead_by_another_process(
    program: str, made: Callable[[Path], Fold], log: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "FAR", 4000)
    fold = made(DOMAINS[program])
    for seed in range(5):
        log.append_many(entries(program, 1000, seed))
    consumer = Consumer(log, fold, ConsumerSettings(once=True, watched=False))
    consumer.run()
    assert consumer.projection is not None
    assert fold.digest(consumer.projection.state) == digest(fold, log)


@pytest.mark.parametrize("program", ["faststream", "cloudevents", "watermill"])
@pytest.mark.parametrize("watched", [True, False])
def test_what_corrects_a_parked_entry_is_known_by_its_key(
    program: str, watched: bool, url: str, log: Stream, client: redis.Redis
) -> None:
    fold = domain(DOMAINS[program])
    parked = client.xadd(STREAM, {"nothing": "of it"})
    assert isinstance(parked, bytes)
    event_type = fold.publishable[0]
    example = next(fields for fields in samples(program).entries.values() if fold.read(fields).type is event_type)
    with RunningConsumer(url, ConsumerSettings(snapshot_seconds=0, watched=watched), domain=fold) as consumer:
        view = consumer.until(lambda view: view.parked)
        key = view.corrections.key_for_parked(view.parked[0])
        assert key == f"corrects:{parked.decode()}"
        published = Publisher(log, fold.fields).publish(*fold.encode(fold.read(example).event), key)
        view = consumer.until_live(published.entry_id.encode())
        correction = view.corrections.of_parked(view.parked[0])
        assert correction is not None
        assert correction.done is not None
        assert correction.done.entry_id == published.entry_id.encode()


def test_corrections_are_found_by_the_other_process_too(log: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "FAR", 4000)
    fold = domain(SENSORS)
    example = fold.read(samples("faststream").entries["JSON"]).event
    log.append_many([[b"nothing", b"of it"]])
    ((parked, _),) = stored(log)
    filling = entries("faststream", 3000)
    log.append_many([*filling, fold.fields(*fold.encode(example), b"corrects:" + parked), *filling])
    consumer = Consumer(log, fold, ConsumerSettings(once=True))
    consumer.run()
    correction = consumer.view.corrections.of_parked(Row(1, parked, (), None))
    assert correction is not None
    assert correction.done is not None
    assert correction.done.ordinal == 3002
