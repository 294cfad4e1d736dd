"""Parked entries and orphans are open or done by what the log says, for every consumer, also one that starts later."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
import redis

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.consumer.requests import Crash, TakeSnapshot
from esdash.engine.shown.corrections import Correction
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.log.stream import Stream
from tests.engine.running import QUIET, STREAM, Fields, RunningConsumer, expected, publish_more, refused, sound

REFUND: Fields = {"type": "Refund", "data": '{"user_id":7}'}

pytestmark = pytest.mark.usefixtures("any_domain")

_numbers = count(100)

HEADLESS = ConsumerSettings(snapshot_seconds=0, watched=False)


def add(client: redis.Redis, fields: Fields) -> bytes:
    """Append an entry; its id."""
    added = client.xadd(STREAM, fields)
    assert isinstance(added, bytes)
    return added


def park(client: redis.Redis, key: str = "") -> bytes:
    """Append an entry that nobody understands."""
    return add(client, REFUND | ({"key": key} if key else {}))


def correct(client: redis.Redis, parked: bytes, number: int = 1, *, rejected: bool = False) -> bytes:
    """Append a correction."""
    key = f"corrects:{parked.decode()}:{number}".removesuffix(":1")
    return add(client, refused(key) if rejected else sound(next(_numbers), 100, key))


def found(view: View, parked: bytes) -> Correction | None:
    """What a view knows of the correction of a parked entry."""
    return view.corrections.of_parked(row_of(view, parked))


def row_of(view: View, parked: bytes) -> Row:
    """The parked entry."""
    return next(row for row in view.parked if row.entry_id == parked)


def corrected_by(view: View, parked: bytes) -> int | None:
    """The number of the entry that corrected it."""
    correction = found(view, parked)
    return view.nth(correction.done.ordinal) if correction is not None and correction.done else None


class TestAParkedEntry:
    def test_is_corrected_once_whoever_does_it_and_every_consumer_knows(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        with RunningConsumer(url) as one, RunningConsumer(url) as other:
            one.until_live()
            other.until_live()
            parked = park(client)
            assert (
                one.until(lambda view: view.parked).corrections.key_for_parked(row_of(one.view, parked))
                == f"corrects:{parked.decode()}"
            )
            first, second = correct(client, parked), correct(client, parked)
            for consumer in (one, other):
                view = consumer.until_live(second)
                assert corrected_by(view, parked) == 2
                correction = found(view, parked)
                assert correction is not None
                assert correction.done is not None
                assert correction.done.entry_id == first
                assert correction.last.entry_id == second, "the duplicate is known for what it is"
                assert not correction.elsewhere
        with RunningConsumer(url) as later:
            assert corrected_by(later.until_live(second), parked) == 2
        assert later.document == expected(log)

    def test_a_rejected_correction_leaves_it_open_and_uses_its_key_up(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            parked = park(client)
            for number in (1, 2):
                view = consumer.until_live(correct(client, parked, number, rejected=True))
                correction = found(view, parked)
                assert correction is not None
                assert (correction.done, correction.refused) == (None, number)
                key = view.corrections.key_for_parked(row_of(view, parked))
                assert key == f"corrects:{parked.decode()}:{number + 1}"
            view = consumer.until_live(correct(client, parked, 3))
            assert corrected_by(view, parked) == 4

    def test_a_correction_that_is_parked_leaves_it_open_and_its_key_too(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            parked = park(client)
            again = park(client, key=f"corrects:{parked.decode()}")
            view = consumer.until_live(again)
            correction = found(view, parked)
            assert correction is not None
            assert correction.done is None
            assert correction.last.entry_id == again
            keys = {view.corrections.key_for_parked(row_of(view, entry)) for entry in (parked, again)}
            assert keys == {f"corrects:{parked.decode()}"}, "what corrects the one corrects the other"
            view = consumer.until_live(correct(client, parked))
            assert corrected_by(view, parked) == corrected_by(view, again) == 3

    @pytest.mark.parametrize("settings", [QUIET, HEADLESS], ids=["watched", "headless"])
    def test_a_snapshot_remembers_what_became_of_it(
        self, url: str, client: redis.Redis, settings: ConsumerSettings
    ) -> None:
        with RunningConsumer(url, settings) as consumer:
            consumer.until_live()
            done, rejected, opened = park(client), park(client), park(client)
            correct(client, done)
            consumer.until_live(correct(client, rejected, rejected=True))
        publish_more(client, 5)
        with RunningConsumer(url) as later:
            view = later.until(lambda view: view.position.ordinal == 10)
            assert view.restored is not None
            assert view.restored.snapshot_id is not None
            assert corrected_by(view, done) == 4
            correction = found(view, rejected)
            assert correction is not None
            assert (correction.done, correction.refused) == (None, 1)
            assert found(view, opened) is None

    @pytest.mark.parametrize("ahead", [False, True], ids=["here", "by another process"])
    def test_a_long_replay_sees_corrections(
        self, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, ahead: bool
    ) -> None:
        if ahead:
            monkeypatch.setattr(replaying, "FAR", 1000)
        parked = park(client)
        for number in range(4):
            publish_more(client, 1000)
            correct(client, parked, number + 1, rejected=number < 2)
        last = publish_more(client, 3000)[-1]
        with RunningConsumer(url, ConsumerSettings(snapshot_seconds=0, ignore_snapshots=True)) as consumer:
            view = consumer.until_live(last)
            known = found(view, parked)
            assert known is not None
            assert known.done is not None
            assert known.done.ordinal == 1 + 3 * 1001
            assert known.refused == 2

    def test_its_number_is_the_same_in_a_partial_history(self, url: str, client: redis.Redis) -> None:
        publish_more(client, 10)
        parked = park(client)
        last = correct(client, parked)
        client.xtrim(STREAM, maxlen=2, approximate=False)
        with RunningConsumer(url) as consumer:
            assert corrected_by(consumer.until_live(last), parked) == 12

    def test_a_duplicate_of_one_that_nobody_here_saw_is_told_apart(self, url: str, client: redis.Redis) -> None:
        parked = park(client)
        correct(client, parked)
        client.xtrim(STREAM, maxlen=0, approximate=False)
        with RunningConsumer(url) as consumer:
            again = add(client, sound(7, 100, f"corrects:{parked.decode()}"))
            view = consumer.until_live(again)
            known = view.corrections.of_parked(Row(0, parked, (), None))
            assert known is not None
            assert known.done is not None, "it is the first with this key that this history saw"

    def test_keys_that_only_look_like_it_are_nothing(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            parked = park(client)
            keys = ("corrects:", f"corrects:{parked.decode()}:1", f"corrects:{parked.decode()}:x", "corrects:1", "x")
            for key in keys:
                last = add(client, sound(7, 1, key))
            assert found(consumer.until_live(last), parked) is None


class TestAnOrphan:
    @contextmanager
    def lost(self, url: str, client: redis.Redis, *entries: Fields) -> Iterator[tuple[RunningConsumer, list[Row]]]:
        """A consumer that had applied entries which then vanished."""
        add(client, sound(1, 100))
        with RunningConsumer(url) as consumer:
            consumer.until_live()
        saved = client.dump(STREAM)
        assert saved is not None
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            for fields in entries:
                last = add(client, fields)
            consumer.until_live(last)
            client.restore(STREAM, 0, saved, replace=True)
            add(client, sound(2, 5))
            view = consumer.until(lambda view: len(view.orphans) == len(entries))
            yield consumer, list(view.orphans)

    def test_goes_back_under_its_own_key_else_its_old_id_and_is_known_to_be_back(
        self, url: str, client: redis.Redis
    ) -> None:
        with self.lost(url, client, sound(3, 7, "own"), sound(4, 8)) as (consumer, (keyed, keyless)):
            corrections = consumer.until_live().corrections
            assert corrections.key_for_orphan(keyed) == "own"
            assert corrections.key_for_orphan(keyless) == f"restores:{keyless.entry_id.decode()}"
            add(client, sound(3, 7, "own"))
            last = add(client, sound(4, 8, f"restores:{keyless.entry_id.decode()}"))
            view = consumer.until_live(last)
            done = [view.corrections.of_orphan(row) for row in (keyed, keyless)]
            assert [found.done.ordinal for found in done if found and found.done] == [3, 4]

    def test_that_is_rejected_now_stays_open_under_another_key(self, url: str, client: redis.Redis) -> None:
        with self.lost(url, client, sound(3, 7, "own")) as (consumer, (row,)):
            view = consumer.until_live(add(client, refused("own")))
            found = view.corrections.of_orphan(row)
            assert found is not None
            assert (found.done, found.refused) == (None, 1)
            key = view.corrections.key_for_orphan(row)
            assert key == f"restores:{row.entry_id.decode()}"
            view = consumer.until_live(add(client, sound(3, 7, key)))
            found = view.corrections.of_orphan(row)
            assert found is not None
            assert found.done is not None

    def test_that_is_back_stays_known_after_a_restore(self, url: str, client: redis.Redis) -> None:
        with self.lost(url, client, sound(3, 7, "own")) as (consumer, (row,)):
            last = add(client, sound(3, 7, "own"))
            consumer.until_live(last)
            consumer.ask(TakeSnapshot())
            consumer.until(lambda view: view.snapshot is not None and view.snapshot.position.ordinal == 3)
            consumer.ask(Crash())
            view = consumer.until(lambda view: view.restored is not None and view.restored.position.ordinal == 3)
            found = view.corrections.of_orphan(row)
            assert found is not None
            assert found.done is not None
            assert found.done.entry_id == last


def test_what_is_known_is_bounded(url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esdash.engine.shown.corrections.KEPT", (10, 10))
    with RunningConsumer(url) as consumer:
        consumer.until_live()
        entries = [park(client) for _ in range(20)]
        for entry in entries:
            last = correct(client, entry)
        view = consumer.until_live(last)
        known = [found(view, entry) is not None for entry in entries]
        assert known == [False] * 10 + [True] * 10
