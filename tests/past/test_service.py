"""The past as a dashboard asks for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import redis

from esdash.engine.console import EngineError
from esdash.engine.moments.history import History
from esdash.fold.stored import number_name
from esdash.log.errors import ClosedError
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.building.process import Built
from esdash.past.service import Looked, Past, past_of
from esdash.past.track.folder import TrackFolder
from esdash.query.conditions import read_condition
from esdash.query.lexing import quoted
from esdash.query.places import read_place
from esdash.words.asked import schema_of
from esdash.words.changes import column_of
from esdash.words.entries import write
from tests.domains.ways import Present, present
from tests.engine.running import STREAM, Fields, publish_more, refused, rows, sound, top_up
from tests.engine.running import shown as rows_shown
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


@pytest.fixture
def past(log: Stream, folder: TrackFolder) -> Iterator[Past]:
    past = past_of(log, Present(), folder)
    past.start()
    yield past
    past.close()


def built(past: Past, ordinal: int) -> bool:
    return past.built.ordinal >= ordinal


def test_a_moment_that_was_just_appended_is_waited_for(past: Past, client: redis.Redis, log: Stream) -> None:
    publish_more(client, 50)
    eventually(lambda: built(past, 50))
    ids = publish_more(client, 1)
    shown = past.at(51)
    projection, _ = History(log, Present()).at(ids[-1])
    assert shown.moment.position == projection.position
    assert rows_shown(shown.moment.picture) == rows(projection.state)
    assert [row.ordinal for row in shown.rows] == list(range(1, 52))


def test_while_no_server_answers_the_moments_near_the_one_that_was_read_are_shown(
    past: Past, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_more(client, 9)
    eventually(lambda: built(past, 9))
    before, _ = past.at(4), past.at(8)

    def away(*_: object) -> NoReturn:
        raise ClosedError("nobody answers")

    monkeypatch.setattr(log, "newest", away)
    assert past.at(4).rows == before.rows
    assert [row.ordinal for row in past.at(7).rows] == list(range(1, 8)), "although it was elsewhere in between"
    with pytest.raises(EngineError, match="nobody answers"):
        past.at(9)


def test_what_is_not_there_is_said_in_a_sentence(log: Stream, folder: TrackFolder) -> None:
    past = past_of(log, Present(), folder)
    with pytest.raises(EngineError, match="Entry #1 is not there yet"):
        past.at(1)
    with pytest.raises(EngineError, match="The past is not there yet"):
        past.at(0)
    with pytest.raises(EngineError, match="still being put together"):
        past.story(Present().domain.tables[0], 7, 1, 10)


def test_where_nobody_puts_it_together_it_is_said_why(
    log: Stream, folder: TrackFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = past_of(log, Present(), folder)
    monkeypatch.setattr(Past, "built", property(lambda _: Built(error="The disk is full.")))
    with pytest.raises(EngineError, match="That part of the past is not there: The disk is full"):
        past.story(Present().domain.tables[0], 7, 1, 10)


def test_without_a_track_a_moment_is_folded_once_more(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    publish_more(client, 80)
    path = folder.file_of(log.server.url, STREAM, Present())
    past = Past(log, Present(), path)
    seen = {ordinal: past.at(ordinal) for ordinal in (1, 2, 40, 80)}
    Builder(log, Present(), folder, path).run()
    for ordinal, shown in seen.items():
        tracked = past.at(ordinal)
        assert shown.moment.position == tracked.moment.position
        assert shown.moment.time == tracked.moment.time
        assert rows_shown(shown.moment.picture) == rows_shown(tracked.moment.picture)
        assert shown.moment.picture.counts == tracked.moment.picture.counts
        assert set(shown.moment.changes) == set(tracked.moment.changes)
        assert [(row.ordinal, row.code) for row in shown.rows] == [(row.ordinal, row.code) for row in tracked.rows]
        told, also = shown.rows[-1].told, tracked.rows[-1].told
        assert told is not None
        assert also is not None
        assert (set(told.changes), told.needed, told.available) == (set(also.changes), also.needed, also.available)


def test_places_are_those_of_the_commands(past: Past, client: redis.Redis) -> None:
    ids = publish_more(client, 40)
    eventually(lambda: built(past, 40))
    assert past.place(read_place("#7", 0)) == 7
    assert past.place(read_place(ids[11].decode(), 0)) == 12
    assert past.place(read_place("first", 0)) == 1
    assert past.place(read_place("now", 0)) == 40


def test_the_next_refused_parked_and_about_a_row(past: Past, client: redis.Redis) -> None:
    unreadable: Fields = {"type": "?"}
    for fields in (sound(1), refused(), unreadable, sound(8), sound(2)):
        client.xadd(STREAM, fields)
    eventually(lambda: built(past, 5))
    name, key, _, _ = present().cell(8, 1)
    table, _ = present().fold().storage.places[name]
    assert past.refused(0) == 2
    assert past.refused(5, back=True) == 2
    assert past.refused(2) is None
    assert past.parked(0) == 3
    assert past.parked(3, back=True) is None
    assert [past.about(0, table, key), past.about(2, table, key), past.about(4, table, key)] == [4, 4, None]
    assert past.about(4, table, key, back=True) is None
    assert past.about(5, table, key, back=True) == 4


@pytest.mark.shop_alone
def test_where_a_condition_begins_to_hold(past: Past, client: redis.Redis) -> None:
    for user, amount in ((7, 100), (8, 100), (7, 400), (8, 900)):
        client.xadd(STREAM, top_up(user, amount))
    eventually(lambda: built(past, 4))

    def found(text: str, at: int | None = None, *, back: bool = False) -> int | None:
        *_, last = past.begins(read_condition(text, schema_of(Present()), 0), at, back=back)
        return last.found

    assert found("users:7.balance > 4") == 3
    assert found("users:7.balance > 4", 3) is None
    assert found("users:7.balance > 4", 3, back=True) is None
    assert found("users:7.balance > 4", 5, back=True) == 3
    assert found("count(users) < 2") == 1
    assert found("max(users.balance) >= 10") == 4
    assert found("sum(users.balance) < 0") is None


class TestLookingForWhatTheTrackLacks:
    @pytest.fixture
    def build(self, log: Stream, folder: TrackFolder) -> Callable[[], Path]:
        """Brings the track up to what is in the log."""

        def built() -> Path:
            path = folder.file_of(log.server.url, STREAM, Present())
            Builder(log, Present(), folder, path).run()
            return path

        return built

    @pytest.fixture
    def steps(self, log: Stream, client: redis.Redis, build: Callable[[], Path]) -> Iterator[Iterator[Looked]]:
        """Those of a condition that holds behind the 21st entry alone, which the track lacks."""
        publish_more(client, 20)
        past = Past(log, Present(), build())
        client.xadd(STREAM, sound(10**6, 77))
        table, key, column, value = present().cell(10**6, 77)
        typed = quoted(write(column_of(present().fold(), table, column)[1].shown, value))
        condition = f"{number_name(table, key, column)} = {typed}"
        yield past.begins(read_condition(condition, schema_of(Present()), 0), None)
        past.close()

    def test_it_is_waited_for(self, steps: Iterator[Looked], build: Callable[[], Path]) -> None:
        assert next(steps).found is None
        build()
        assert [step.found for step in steps][-1] == 21

    def test_another_track_is_none_to_go_on_in(self, steps: Iterator[Looked], build: Callable[[], Path]) -> None:
        next(steps)
        build().unlink()
        build()
        with pytest.raises(EngineError, match="being put together anew"):
            list(steps)


def test_time_is_counted_in_parts(past: Past, client: redis.Redis) -> None:
    for number in range(100):
        fields = refused() if number % 10 == 0 else sound(number)
        client.xadd(STREAM, fields, id=f"{1_000_000 + number * 10}-0")
    eventually(lambda: built(past, 100))
    span = past.span()
    assert (span.first, span.last, span.first_ms, span.last_ms) == (0, 100, 1_000_000, 1_000_990)
    line = past.timeline(1_000_000, 1_001_000, 10)
    assert line.entries == [10] * 10
    assert line.refused == [1] * 10
    assert line.parked == [0] * 10


def test_a_deleted_folder_is_filled_anew(past: Past, client: redis.Redis, folder: TrackFolder) -> None:
    publish_more(client, 30)
    eventually(lambda: built(past, 30))
    past.at(10)
    for path in folder.path.iterdir():
        path.unlink()
    eventually(lambda: past.span().last == 30, ignore=EngineError)  # though nothing comes
    publish_more(client, 5)
    eventually(lambda: past.at(35).moment.position.ordinal == 35, ignore=EngineError)
