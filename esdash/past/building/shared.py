"""A track that is built while several threads read it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from esdash.counted import counted
from esdash.engine.console import EngineError
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.errors import LogError
from esdash.log.facts import id_parts
from esdash.past.building.process import Built
from esdash.past.shown.moments import Moments
from esdash.past.track.packing import DamagedTrackError, TrackError
from esdash.past.track.reader import TrackReader

PATIENCE: Final = 0.4
"""Seconds that an entry is waited for which is not in the track yet: the newest ones are in a moment."""

LOOK_SECONDS: Final = 0.05


class SharedTrack:
    """Opens the file when it is first wanted, and anew whenever it has become another one."""

    def __init__(self, fold: Fold, path: Path, built: Callable[[], Built], clock: Callable[[], float]) -> None:
        """`built` says how far whoever builds it is, `clock` gives seconds."""
        self._fold = fold
        self._path = path
        self._built = built
        self._clock = clock
        self._lock = threading.Lock()
        self._moments: Moments | None = None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._forget()

    @contextmanager
    def reading(self) -> Iterator[Moments]:
        """What is in it now, for this thread alone. Raises EngineError."""
        with self._lock, self.plainly():
            try:
                while True:
                    moments = self._opened()
                    with moments.reader.reading() as same:
                        if same:
                            yield moments
                            return
                    self._forget()
            except DamagedTrackError:
                self._forget()
                raise

    def _opened(self) -> Moments:
        if self._moments is not None and self._moments.reader.is_stale():
            self._forget()
        if self._moments is None:
            self._moments = Moments(TrackReader(self._path, self._fold))
        return self._moments

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """Whatever goes wrong within becomes an EngineError with a sentence."""
        try:
            yield
        except DamagedTrackError as error:
            told = "The past is being put together anew, for its file was damaged. Try again soon."
            raise EngineError(told) from error
        except TrackError as error:
            raise EngineError(self._built().error or "The past is not there yet. Try again in a moment.") from error
        except (LogError, DomainError) as error:
            raise EngineError(str(error)) from error

    def has(self, ordinal: int) -> bool:
        """Whether an entry is in it; waits a moment for that."""
        return self._comes(lambda moments: moments.reader.built_to >= ordinal)

    def require(self, ordinal: int) -> None:
        """Raises EngineError where an entry is not in it, after a moment."""
        if not self.has(ordinal):
            raise self._lacking()

    def require_id(self, entry_id: bytes) -> None:
        """The same for all entries up to an id, which is one of the log's."""
        wanted = id_parts(entry_id)
        if not self._comes(lambda moments: id_parts(moments.reader.last_id) >= wanted):
            raise self._lacking()

    def _comes(self, there: Callable[[Moments], bool]) -> bool:
        deadline = self._clock() + PATIENCE
        while True:
            try:
                with self.reading() as moments:
                    if there(moments):
                        return True
            except EngineError:
                pass  # it is only being begun
            if self._clock() >= deadline:
                return False
            time.sleep(LOOK_SECONDS)

    def _lacking(self) -> EngineError:
        built = self._built()
        if built.error:
            return EngineError(f"That part of the past is not there: {built.error}")
        left = f": about {counted(built.waiting, 'entry is', 'entries are')} left" if built.waiting else ""
        return EngineError(f"That part of the past is still being put together{left}. Try again soon.")

    def _forget(self) -> None:
        if self._moments is not None:
            self._moments.reader.close()
            self._moments = None
