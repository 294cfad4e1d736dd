"""Ways to fold the same entries, of which the same must come."""

from collections.abc import Callable, Sequence
from typing import Final

from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import State

CLOSELY: Final = 2000
"""Entries around which everything is looked at; of more, some are looked at so."""

Run = Callable[[Sequence[Entry]], str]
"""Folds entries from nothing; the digest, or what went wrong."""


class Ways:
    """Those of one process."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._bare = type(fold)(fold.domain)

    def whole(self, entries: Sequence[Entry]) -> str:
        """In one page."""
        return result(self._fold, entries)

    def on_bare(self, entries: Sequence[Entry]) -> str:
        """On bare mappings."""
        self._bare.careful = False
        return result(self._bare, entries)

    def in_pages(self, size: int) -> Run:
        """In pages of a size."""

        def run(entries: Sequence[Entry]) -> str:
            state = self._fold.empty()
            for start in range(0, len(entries), size):
                self._fold.fold(state, entries[start : start + size])
            return self._fold.digest(state)

        return run

    def restored(self, entries: Sequence[Entry]) -> str:
        """Stored and restored after every entry, or every few."""
        state = self._fold.empty()
        step = 1 + len(entries) // CLOSELY
        for start in range(0, len(entries), step):
            self._fold.fold(state, entries[start : start + step])
            state = self._fold.load(self._fold.dump(state))
        return self._fold.digest(state)

    def forked(self, entries: Sequence[Entry]) -> str:
        """While snapshots are taken of the state."""
        state = self._fold.empty()
        for start in range(0, len(entries), 5):
            self._fold.fold(state, entries[start : start + 2])
            other = state.fork()
            digest = self._fold.digest(other)
            self._fold.fold(state, entries[start + 2 : start + 5])
            if self._fold.digest(other) != digest:
                return "a snapshot that was being taken changed"
            state.join()
        return self._fold.digest(state)


def result(fold: Fold, entries: Sequence[Entry]) -> str:
    """The digest of what comes of entries in one page, or what went wrong."""

    def run(some: Sequence[Entry]) -> str:
        state: State = fold.empty()
        fold.fold(state, some)
        return fold.digest(state)

    return guarded(run, entries)


def guarded(run: Run, entries: Sequence[Entry]) -> str:
    """What a way to fold gives, or what went wrong."""
    try:
        return run(entries)
    except DomainError as error:
        return error.where
    except Exception as error:  # noqa: BLE001 - bare functions may have left anything in a state
        return type(error).__name__
