"""Builds the track of a stream, and keeps it up with what is appended."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from esdash.engine.guard import check_page
from esdash.engine.moments.history import BrokenError, History
from esdash.engine.projection import Projection
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.continuity import Standing, Verdict, check
from esdash.log.errors import LogError, UnreadableReplyError
from esdash.log.reading.follower import Follower
from esdash.log.stream import START, Page, Stream
from esdash.past.building.recorder import SEGMENT, Recorder
from esdash.past.shown.cursor import Cursor
from esdash.past.track.file import FORMAT, Segment, Track
from esdash.past.track.folder import TrackFolder, remove
from esdash.past.track.packing import DamagedTrackError
from esdash.past.track.reader import TrackReader

WAIT_SECONDS: Final = 1.0
"""How long one read waits for new entries."""

GATHER_SECONDS: Final = 0.1
"""How long more are waited for once some came: taking many together costs little more than taking one."""

STORE_SHARE: Final = 20
"""The last entries are stored again and again until they make a segment: for one part of the time in so many."""


class Builder:
    """Writes one track."""

    def __init__(
        self,
        log: Stream,
        fold: Fold,
        folder: TrackFolder,
        path: Path,
        *,
        progressed: Callable[[int, int], object] = max,
        clock: Callable[[], float] = time.monotonic,
        segment: int = SEGMENT,
    ) -> None:
        """`path`: the track's file, in the folder.

        `progressed` hears of the ordinal of the last entry that is stored, and about how many are to come.
        """
        self._log = log
        self._fold = fold
        self._folder = folder
        self._progressed = progressed
        self._clock = clock
        self._size = segment
        self.path = path
        self._due = 0.0

    def run(self, stopped: threading.Event | None = None) -> None:
        """Until `stopped`; without that until all is recorded.

        Raises LogError, BrokenError where entries vanished unread, DomainError, TrackError; DeletedTrackError where it
        is to be run once more.
        """
        self._folder.make()
        try:
            self._run(stopped)
        except DamagedTrackError:
            # Made anew from the log: a track is a cache.
            remove(self.path)
            self._run(stopped)

    def _run(self, stopped: threading.Event | None) -> None:
        track = Track(self.path, write=True)
        try:
            recorder = self._resumed(track) or self._anew(track)
            try:
                for page in self._pages(recorder.projection, stopped):
                    self._take(recorder, page)
            except UnreadableReplyError:
                raise  # nobody knows what became of the state
            except (LogError, BrokenError, DomainError):
                recorder.store()
                raise
            recorder.store()
            self._told(recorder, 0)
        finally:
            track.close()

    def _pages(self, projection: Projection, stopped: threading.Event | None) -> Iterator[Page]:
        for page in self._log.pages(projection.last_id):
            if stopped is not None and stopped.is_set():
                return
            yield page
        if stopped is not None:
            with self._log.connection() as connection:
                follower = Follower(self._log, connection)
                while not stopped.wait(GATHER_SECONDS):
                    yield follower.next(projection.last_id, WAIT_SECONDS)

    def _take(self, recorder: Recorder, page: Page) -> None:
        recorder.require_file()
        projection = recorder.projection
        found = check_page(self._log, projection, page)
        if found.verdict is Verdict.GAP and projection.ordinal == 0:
            projection.unseen += found.missing
            recorder.begin()
        elif found.verdict in (Verdict.GAP, Verdict.DIVERGED):
            raise BrokenError(found)
        if page.entries:
            recorder.add(page.entries)
            self._bound(recorder)
        now = self._clock()
        if recorder.pending and now >= self._due:
            recorder.store()
            self._due = self._clock() + (self._clock() - now) * STORE_SHARE
        if not recorder.pending:
            self._told(recorder, page.evidence.facts.length if page.full else 0)

    def _told(self, recorder: Recorder, length: int) -> None:
        done = recorder.projection.ordinal - recorder.pending
        self._progressed(done, max(0, length - done))

    def _anew(self, track: Track) -> Recorder:
        beginning = History(self._log, self._fold).since(START)
        recorder = Recorder(track, self._log.name, beginning.projection, self._size)
        recorder.begin()
        return recorder

    def _resumed(self, track: Track) -> Recorder | None:
        """What is in the track already, as much of it as is of this log; None where it is to be made anew."""
        origin = track.origin()
        if origin is None or origin.format != FORMAT:
            return None
        segments = track.segments()
        kept = self._still_true(segments, origin.unseen)
        if kept and kept[-1].count < self._size:
            # Made again with what comes after it, where that is there, or short ones would pile up.
            kept = self._still_true(kept[:-1], origin.unseen) or kept
        if not kept:
            return None
        with track.writing():
            track.cut(kept[-1].last + 1)
        reader = TrackReader(self.path, self._fold, still=True)
        try:
            cursor = Cursor(reader)
            cursor.seek(reader.built_to)
            projection = cursor.projection(kept[-1].anchor)
        finally:
            reader.close()
        return Recorder(track, self._log.name, projection, self._size)

    def _still_true(self, segments: list[Segment], unseen: int) -> list[Segment]:
        """Those up to the last one whose end is in the log as it was; none where entries after it are missing."""
        kept = list(segments)
        while kept:
            last = kept[-1]
            found = check(self._log, Standing(last.last_id, last.last, unseen, last.anchor))
            if found.verdict in (Verdict.CONTINUOUS, Verdict.UNKNOWN):
                return kept
            if found.verdict is Verdict.GAP:
                return []
            kept.pop()
        return []

    def _bound(self, recorder: Recorder) -> None:
        with suppress(OSError):
            if not recorder.pending and not self._folder.make_room(self.path):
                recorder.thin()
