"""Whoever reads a track sees one and the same of it while a question takes, and never two histories at once."""

import weakref
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from esdash.engine.projection import Projection
from esdash.fold.folding import Entry
from esdash.past.building.process import Built
from esdash.past.building.recorder import Recorder
from esdash.past.building.shared import SharedTrack
from esdash.past.entries.searching import known_of
from esdash.past.numbers.story import Story
from esdash.past.shown.cursor import Cursor
from esdash.past.track.file import Track
from esdash.past.track.reader import TrackReader
from tests.domains.shop import Shop

SEGMENT = 10


def top_ups(first: int, last: int, amount: int = 1) -> list[Entry]:
    """Of user 7."""
    data = b'{"user_id":7,"amount":%d}' % amount
    return [(b"%d-0" % each, [b"type", b"TopUp", b"data", data]) for each in range(first, last + 1)]


class Writer:
    """Writes a track; balances are those that a test expects."""

    def __init__(self, path: Path) -> None:
        self._track = Track(path, write=True)
        self.begin()

    def begin(self) -> None:
        """Make it anew, of nothing."""
        self.recorder = Recorder(self._track, "stream", Projection(Shop()), SEGMENT)
        self.recorder.begin()

    def write(self, entries: Sequence[Entry]) -> None:
        """Add entries, a whole segment at most."""
        self.recorder.add(entries)
        self.recorder.store()

    def close(self) -> None:
        """Close the file."""
        self._track.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The track's file."""
    return tmp_path / "track"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    """Its writer."""
    writer = Writer(path)
    yield writer
    writer.close()


@pytest.fixture
def shared(path: Path) -> Iterator[SharedTrack]:
    """It, as several threads read it."""
    times = count()
    shared = SharedTrack(Shop(), path, Built, lambda: float(next(times)))
    yield shared
    shared.close()


def story(reader: TrackReader) -> Story:
    """That of the balance of user 7."""
    users = reader.fold.domain.tables[0]
    return Story(reader, users, users.columns[0], 7)


def balance(reader: TrackReader, ordinal: int) -> int:
    """That of user 7 after an entry."""
    cursor = Cursor(reader)
    cursor.seek(ordinal)
    found = cursor.columns("users")[0].get(7)
    assert isinstance(found, int)
    return found


def test_what_is_stored_within_a_question_is_seen_by_the_next(writer: Writer, shared: SharedTrack) -> None:
    writer.write(top_ups(1, 5))
    with shared.reading() as moments:
        reader = moments.reader
        told = story(reader).backwards()
        assert next(told).after == 5
        writer.write(top_ups(6, 10))
        writer.write(top_ups(11, 13))
        assert [each.after for each in told] == [4, 3, 2, 1]
        assert story(reader).newest() == 5
        assert (reader.built_to, balance(reader, 5)) == (5, 5)
    with shared.reading() as moments:
        assert (moments.reader.built_to, story(moments.reader).newest(), balance(moments.reader, 13)) == (13, 13, 13)


def test_the_entries_of_a_segment_that_grows_are_held_once(writer: Writer, path: Path) -> None:
    writer.write(top_ups(1, 1))
    reader = TrackReader(path, Shop())
    held = [weakref.ref(reader.entries(0))]
    for each in range(2, 8):
        writer.write(top_ups(each, each))
        with reader.reading() as is_same:
            assert is_same
            assert len(reader.entries(0)) == each
            assert reader.entries(0) is reader.entries(0)
            held.append(weakref.ref(reader.entries(0)))
    assert [read() is not None for read in held] == [False] * 6 + [True]
    reader.close()


def test_a_reader_of_a_command_stays_at_what_was_there(writer: Writer, path: Path) -> None:
    writer.write(top_ups(1, 5))
    reader = TrackReader(path, Shop(), still=True)
    writer.write(top_ups(6, 9))
    assert (story(reader).newest(), balance(reader, 5)) == (5, 5)
    writer.begin()
    assert (story(reader).newest(), balance(reader, 3)) == (5, 3)
    reader.close()


def test_a_file_that_was_begun_anew_is_read_anew(writer: Writer, shared: SharedTrack) -> None:
    for last in (5, 10, 12):
        writer.write(top_ups(max(1, last - 4), last) if last < 12 else top_ups(11, last))
    with shared.reading() as moments:
        assert (balance(moments.reader, 3), moments.at(12).picture.cell("users", 7, "balance")) == (3, 12)
    writer.begin()
    writer.write(top_ups(1, 10, amount=2))
    writer.write(top_ups(11, 12, amount=2))
    with shared.reading() as moments:
        assert (balance(moments.reader, 3), moments.at(12).picture.cell("users", 7, "balance")) == (6, 24)


@pytest.mark.parametrize("last", [12, 15])
def test_another_tail_is_read_anew(writer: Writer, shared: SharedTrack, last: int) -> None:
    writer.write(top_ups(1, 10))
    writer.write(top_ups(11, 12))
    with shared.reading() as moments:
        assert moments.at(12).picture.cell("users", 7, "balance") == 12
    writer.begin()
    writer.write(top_ups(1, 10))
    writer.write(top_ups(11, last, amount=2))
    with shared.reading() as moments:
        assert moments.at(12).picture.cell("users", 7, "balance") == 14
        (known,) = known_of(moments.reader, [12], moments.deeds)
        assert known.told is not None
        assert known.told.changes[0].after == 14


def test_the_first_moment_of_a_thinned_track_has_its_place_and_time(writer: Writer, shared: SharedTrack) -> None:
    for first in range(1, 40, 10):
        writer.write(top_ups(first, first + 9))
    writer.recorder.thin()
    with shared.reading() as moments:
        assert moments.reader.shown_from == 10
        moment = moments.at(10)
        assert (moment.position.last_event_id, moment.position.ordinal, moment.time) == ("10-0", 10, 10)
        assert moment.picture.cell("users", 7, "balance") == 10
        assert list(moment.picture.counts) == moments.reader.counts_before(0)
        assert sum(moment.picture.counts) == 10
        assert moments.at(11).position.last_event_id == "11-0"
