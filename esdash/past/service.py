"""The past of a stream as a dashboard asks for it, while the consumer goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct

from esdash.domain import Table
from esdash.engine.console import EngineError
from esdash.engine.moments.places import Reached, end_of
from esdash.engine.shown.kept import row_of
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.log.errors import LogError
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.past.building.process import Built, Task, TrackProcess
from esdash.past.building.shared import LOOK_SECONDS, SharedTrack
from esdash.past.entries.board import Board, Refusals
from esdash.past.entries.searching import Found, Known, Searching, known_of, read_rows
from esdash.past.entries.timeline import Timeline, timeline
from esdash.past.numbers.difference import Between, Difference, differences
from esdash.past.numbers.story import StoryLine, story_of_row
from esdash.past.numbers.summary import Summary, summary_of
from esdash.past.numbers.turns import Search
from esdash.past.shown.moments import LastRows, Moment, Moments, parked_codes, refused_codes
from esdash.past.shown.refolding import refolded
from esdash.past.shown.stored import Stored, stored_snapshots
from esdash.past.track.folder import TrackFolder
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader
from esdash.query.conditions import Condition
from esdash.query.places import Id, Numbered, Place
from esdash.query.questions import Question
from esdash.query.terms import Since, Until

SEGMENTS: Final = 4
"""That are counted at a time."""

STEP_SECONDS: Final = 0.05
"""How long it is looked for a moment before others are let in."""

ANEW: Final = "The past is being put together anew. Try again soon."


class Shown(Struct, frozen=True):
    """A moment with the last entries of the log."""

    moment: Moment
    rows: Sequence[Row]


class Span(Struct, frozen=True):
    """What can be shown."""

    first: int
    """The ordinal after which the first state can be shown; 0: that before the first entry."""
    last: int
    first_ms: int = 0
    last_ms: int = 0
    """Unix milliseconds of the ids of the first and the last entry."""


class Looked(Struct, frozen=True):
    """How far a moment was looked for."""

    to: int
    """The ordinal up to which, or down to which, all moments were looked at."""
    found: int | None = None
    """The ordinal of the moment that was looked for, once it is found."""


class Past:
    """The past of one stream by the rules of one domain. Every method may block but `start`, and may be called from
    any thread; each raises EngineError with a sentence where it has no answer."""

    def __init__(
        self,
        log: Stream,
        fold: Fold,
        path: Path,
        process: TrackProcess | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`path` is the track's file; `process` builds it, where that is done for this past."""
        self._log = log
        self._fold = fold
        self._process = process
        self._track = SharedTrack(fold, path, lambda: self.built, clock)
        self._rows = LastRows(log)

    def start(self) -> None:
        """Have the track kept up with the stream, in a process of its own, where there is to be one."""
        if self._process is not None:
            self._process.start()

    def close(self) -> None:
        """End that."""
        if self._process is not None:
            self._process.close()
        self._track.close()

    @property
    def built(self) -> Built:
        """How far the track is."""
        return Built() if self._process is None else self._process.built

    def span(self) -> Span:
        """What can be shown now."""
        with self._track.reading() as moments:
            reader = moments.reader
            if not reader.segments:
                return Span(reader.shown_from, reader.built_to)
            first, last = reader.segments[0], reader.segments[-1]
            return Span(reader.shown_from, reader.built_to, first.first_ms, last.last_ms)

    def at(self, ordinal: int, unseen: int = 0) -> Shown:
        """The moment after an entry, or the nearest one that can be shown; `unseen`: entries before the history.

        What is not in the track yet is folded once more.
        """
        if not self._track.has(ordinal) and ordinal > 0:
            with self._track.plainly():
                found = refolded(self._log, self._fold, ordinal, unseen)
            if found is not None:
                return Shown(*found)
            self._track.require(ordinal)
        with self._track.reading() as moments:
            reader = moments.reader
            moment = moments.at(min(max(ordinal, reader.shown_from), reader.built_to))
            last = moments.last(moment)
        with self._track.plainly():
            return Shown(moment, self._rows.of(last))

    def place(self, place: Place, unseen: int = 0) -> int:
        """The ordinal of the last entry up to and with a place."""
        if isinstance(place, Numbered):
            return place.number - unseen
        with self._track.plainly():
            entry_id = min(end_of(self._log, place), self._log.facts().last_id, key=id_parts)
        self._track.require_id(entry_id)
        with self._track.reading() as moments:
            return moments.reader.ordinal_of(entry_id)

    def snapshots(self) -> list[Stored]:
        """The stored snapshots that the domain could use, the newest first."""
        with self._track.plainly():
            return stored_snapshots(self._log, self._fold)

    def at_time(self, milliseconds: int) -> int:
        """The ordinal of the last entry up to a time in Unix milliseconds."""
        with self._track.reading() as moments:
            return moments.reader.ordinal_of(b"%d-%d" % (milliseconds, 2**64 - 1))

    def refused(self, ordinal: int, *, back: bool = False) -> int | None:
        """The next entry after an ordinal that a rule refused, or the one before it; None where there is none."""
        return self._next(ordinal, lambda moments: moments.next_of(ordinal, refused_codes(self._fold), back=back), back)

    def parked(self, ordinal: int, *, back: bool = False) -> int | None:
        """The next entry that could not be understood, or the one before it; None where there is none."""
        return self._next(ordinal, lambda moments: moments.next_of(ordinal, parked_codes(), back=back), back)

    def about(self, ordinal: int, table: Table, key: int | str, *, back: bool = False) -> int | None:
        """The next entry that is about a row, or the one before it; None where there is none."""
        return self._next(ordinal, lambda moments: moments.next_about(ordinal, table, key, back=back), back)

    def _next(self, ordinal: int, find: Callable[[Moments], int | None], back: bool) -> int | None:
        """What is found; "none" only where all that is to be looked at is in the track."""
        if back:
            self._track.require(ordinal - 1)
        with self._track.reading() as moments:
            found = find(moments)
        if found is None and not back:
            with self._track.plainly():
                newest = self._log.facts().last_id
            self._track.require_id(newest)
            with self._track.reading() as moments:
                found = find(moments)
        return found

    def story(self, table: Table, key: int | str, until: int, most: int) -> list[tuple[StoryLine, Row | None]]:
        """The entries that changed a row or are about it, newest first, up to an ordinal; at most so many.

        Beside each the entry itself; None where it has left the stream.
        """
        self._track.require(until)
        with self._track.reading() as moments:
            lines = list(islice(story_of_row(moments.reader, table, key, until), most))
            told = [moments.reader.told(line.ordinal, line.changes) for line in lines]
        with self._track.plainly():
            entries = list(self._log.entries([line.entry_id for line in lines]))
        return [
            (line, None if entry is None else row_of(line.ordinal, entry, line.code, did))
            for line, entry, did in zip(lines, entries, told, strict=True)
        ]

    def summary(self, table: Table, key: int | str, until: int, points: int) -> Summary:
        """A row in short, up to an ordinal; the curves at so many moments."""
        self._track.require(until)
        return summary_of(self._track.reading, table, key, until, points, refused_codes(self._fold))

    def timeline(self, start: int, end: int, parts: int) -> Timeline:
        """The entries from one time up to another, in Unix milliseconds, counted in equal parts."""
        with self._track.reading() as moments:
            return timeline(moments.reader, start, end, parts)

    def rows_at(self, ordinals: Sequence[int]) -> list[Row]:
        """Those of these entries that can be shown; ordinals ascend.

        A row without fields is one that has left the stream.
        """
        if not ordinals:
            return []
        self._track.require(ordinals[-1])
        with self._track.reading() as moments:
            reader = moments.reader
            there = [ordinal for ordinal in ordinals if reader.shown_from < ordinal <= reader.built_to]
            known = known_of(reader, there, moments.deeds)
        with self._track.plainly():
            return read_rows(self._log, known)

    def reach(self, term: Since | Until) -> Id:
        """The least id that a place reaches from, or the greatest that it reaches up to."""
        with self._track.plainly():
            return Reached(self._log)(term)

    def search(self, question: Question, until: int) -> Iterator[Found]:
        """The entries up to an ordinal that a question asks for, newest first; a bit further back with each step.

        While the track does not reach so far, there are steps without progress.
        """
        with self._track.reading() as moments:
            unseen = moments.reader.origin.unseen
        with self._track.plainly():
            searching = Searching(self._fold, question, self._log, unseen)
        at = until
        while True:
            with self._track.reading() as moments:
                reader = moments.reader
                lacking = at - reader.built_to
                if at <= reader.shown_from:
                    return
                candidates = searching.candidates(reader, at) if lacking <= 0 else None
            if candidates is not None:
                with self._track.plainly():
                    found = searching.found(candidates, partial(self._told, reader))
                at = found.down_to - 1
                yield found
            elif self.built.error:
                raise EngineError(self.built.error)
            else:
                time.sleep(LOOK_SECONDS)
                yield Found([], at + 1)

    def _told(self, reader: TrackReader, ordinals: Numbers) -> list[Known]:
        with self._track.reading() as moments:
            if moments.reader is not reader:
                raise EngineError(ANEW)
            return known_of(reader, ordinals, moments.deeds)

    def begins(self, condition: Condition, at: int | None, *, back: bool = False) -> Iterator[Looked]:
        """Where a condition begins to hold: first of all, or after the moment of an ordinal, or last before it.

        A bit further with each step; the last one has found it, or there is no such moment. While the track does not
        reach so far, there are steps without progress.
        """
        if back and at is not None:
            self._track.require(at - 1)
        with self._track.plainly():
            newest = id_parts(self._log.facts().last_id)
        with self._track.reading() as moments:
            search = Search(moments.reader, condition, at, back=back)
        while True:
            with self._track.reading() as moments:
                reader, deadline = moments.reader, time.monotonic() + STEP_SECONDS
                if reader is not search.reader:
                    raise EngineError(ANEW)
                whole = id_parts(reader.last_id) >= newest
                while (is_left := search.left(whole=whole)) and time.monotonic() < deadline:
                    search.step(whole=whole)
            yield Looked(search.looked_to, search.found)
            if is_left:
                continue
            if whole or back or search.found is not None:
                return
            if self.built.error:
                raise EngineError(self.built.error)
            time.sleep(LOOK_SECONDS)

    def board(
        self, length: int | None, until: int | None, now: int, parts: int, stopped: Callable[[], bool] = bool
    ) -> Board:
        """What was refused and parked in the last `length` milliseconds, or in all: up to an ordinal, or up to `now` in
        Unix milliseconds and the last entry there is. Counted in equal parts; when it is `stopped`, not to the end."""
        with self._track.reading() as moments:
            refusals = Refusals(moments.reader, length, until, now, parts)
        self._take_all(refusals, stopped)
        return refusals.board()

    def difference(
        self, first: int, second: int, tables: Sequence[Table], stopped: Callable[[], bool] = bool
    ) -> Difference:
        """What differs in some tables between the moments after two ordinals, and what came between them."""
        self._track.require(max(first, second))
        with self._track.reading() as moments:
            reader = moments.reader
            if min(first, second) < reader.shown_from:
                number = reader.shown_from + reader.origin.unseen
                raise EngineError(f"The past that is kept reaches back to #{number:,} only.")
            numbers = differences(reader, first, second, tables)
            between = Between(reader, first, second)
        self._take_all(between, stopped)
        return Difference(numbers, between.came())

    def _take_all(self, counting: "Refusals | Between", stopped: Callable[[], bool]) -> None:
        """Count all segments, a few at a time: whoever asks for a moment meanwhile waits for those only."""
        while not counting.done and not stopped():
            with self._track.reading() as moments:
                for _ in range(SEGMENTS):
                    if counting.done:
                        break
                    if counting.next > moments.reader.built_to:
                        raise EngineError(ANEW)
                    counting.take(moments.reader)


def past_of(log: Stream, fold: Fold, folder: TrackFolder) -> Past:
    """The past of a log, kept in a folder. Raises EngineError while nobody knows where the server is."""
    try:
        url = log.server.url
    except LogError as error:
        raise EngineError(str(error)) from error
    path = folder.file_of(url, log.name, fold)
    task = Task(url, log.name, fold.choice, str(path), folder.bound // 2**20, log.archive_root)
    return Past(log, fold, path, TrackProcess(task))
