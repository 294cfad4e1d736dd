"""Watches the invariants of a domain while its state moves on: which is broken, and by which entry."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from esdash.domain import Invariant
from esdash.engine.invariants.asked import UnfitInvariantError, condition_of
from esdash.engine.invariants.patience import PATIENCE
from esdash.engine.invariants.turning import ByAsking, ByChanges, Stopwatch, Turn
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Position, Turning, Watched
from esdash.fold.declaration import invariants_of
from esdash.fold.folding import Entry, Fold, Told
from esdash.query.errors import QueryError
from esdash.visible import visible
from esdash.words.entries import type_of

NEWS_SECONDS: Final = 10.0
"""Between two notices about one invariant."""

EntryOf = Callable[[int], Entry | None]
"""An entry of the page, by its place from 0; None where it cannot be had any more."""


class InvariantWatch:
    """All invariants of a domain beside one state. Belongs to the thread that folds."""

    def __init__(
        self,
        projection: Projection,
        invariants: Sequence[Invariant] | None = None,
        *,
        stopwatch: Stopwatch = Stopwatch(),  # noqa: B008 - a value
        patience: float = PATIENCE,
    ) -> None:
        """They are asked of the state as it is at once, unless nothing was consumed yet. Of `invariants` only these.

        After `patience` seconds a function is left behind.
        """
        fold = projection.domain
        self._clock = stopwatch.clock
        wanted = invariants_of(fold.domain) if invariants is None else invariants
        self._each = [_Standing(fold, projection, invariant, stopwatch, patience) for invariant in wanted]
        self.now: tuple[Watched, ...] = tuple(each.now for each in self._each)
        """How each stands."""

    def see(self, projection: Projection, told: Sequence[Told], entry_of: EntryOf) -> None:
        """Entries were applied, up to where the projection stands; what each of them did."""
        if told:
            for each in self._each:
                each.see(projection, told, entry_of)
            self.now = tuple(each.now for each in self._each)

    def catch_up(self, projection: Projection, *, force: bool = False) -> None:
        """Ask functions that were saved, if it is time to, or with `force` in any case."""
        for each in self._each:
            each.catch_up(projection, force=force)
        self.now = tuple(each.now for each in self._each)

    def news(self) -> Iterator[tuple[str, str]]:
        """Severity and sentence of what a person was not told yet."""
        now = self._clock()
        for each in self._each:
            if each.now != each.told and now >= each.news_due:
                each.told, each.news_due = each.now, now + NEWS_SECONDS
                yield "information" if each.now.holds and not each.now.failed else "warning", sentence(each.now)


class _Standing:
    """One invariant beside the state."""

    def __init__(
        self, fold: Fold, projection: Projection, invariant: Invariant, stopwatch: Stopwatch, patience: float
    ) -> None:
        self.now = self.told = Watched(invariant.name)
        self.news_due = 0.0
        self._fold = fold
        self._looked = projection.ordinal
        """The ordinal of the last entry after which it was looked at."""
        self._looks: ByChanges | ByAsking | None = None
        try:
            if isinstance(invariant.condition, str):
                self._looks = ByChanges(fold, projection.state, condition_of(fold, invariant.condition))
            else:
                self._looks = ByAsking(fold, invariant.condition, stopwatch, patience)
            if projection.ordinal and not self._looks.at(projection.state):
                broken = Turning(projection.position)
                self.now = replace(self.now, broken=broken, from_snapshot=True, times=1)
        except (QueryError, UnfitInvariantError) as error:
            self._give_up(error)

    def see(self, projection: Projection, told: Sequence[Told], entry_of: EntryOf) -> None:
        if self._looks is None:
            return
        first = projection.ordinal - len(told) + 1
        try:
            turns = self._looks.turns(projection.state, told, self.now.holds, begins=first == 1)
        except UnfitInvariantError as error:
            self._give_up(error)
            return
        if turns is not None:
            self._turn(projection, first, turns, entry_of)

    def catch_up(self, projection: Projection, *, force: bool) -> None:
        if not isinstance(self._looks, ByAsking) or not self._looks.is_due(force=force):
            return
        try:
            holds = self._looks.at(projection.state)
        except UnfitInvariantError as error:
            self._give_up(error)
            return
        turns = [] if holds is self.now.holds else [Turn(0, holds, exact=False)]
        self._turn(projection, projection.ordinal, turns, lambda _: (projection.last_id, ()))

    def _turn(self, projection: Projection, first: int, turns: Sequence[Turn], entry_of: EntryOf) -> None:
        """It turned at these entries, of which the first of all has an ordinal."""
        broke = [turn for turn in turns if not turn.holds]
        if broke:
            self.now = replace(
                self.now,
                broken=self._turning(projection, first, broke[-1], entry_of),
                mended=None,
                held_at=first + broke[-1].place - 1 if broke[-1].exact else self._looked,
                from_snapshot=False,
                times=self.now.times + len(broke),
            )
        if turns and turns[-1].holds:
            self.now = replace(self.now, mended=self._turning(projection, first, turns[-1], entry_of))
        self._looked = projection.ordinal

    def _turning(self, projection: Projection, first: int, turn: Turn, entry_of: EntryOf) -> Turning:
        entry = entry_of(turn.place)
        entry_id, fields = (b"", ()) if entry is None else entry
        position = Position(entry_id.decode("utf-8", "backslashreplace"), first + turn.place, projection.unseen)
        return Turning(position, type_of(self._fold, fields) if turn.exact and entry is not None else "")

    def _give_up(self, error: Exception) -> None:
        self._looks = None
        self.now = replace(self.now, failed=str(error).rstrip("."))


def sentence(watched: Watched) -> str:
    """How an invariant stands."""
    name = f"The invariant {visible(watched.name)}"
    if watched.failed:
        return f"{name} is watched no more: {visible(watched.failed, 200)}."
    if watched.broken is None:
        return f"{name} holds."
    if watched.mended is not None:
        times = f", {watched.times:,} times in all" if watched.times > 1 else ""
        since = "" if watched.mended.type else " at the latest"
        return f"{name} holds again since {watched.mended.named}{since}. {_broken(watched)}{times}."
    return f"{name} is broken. {_broken(watched)}."


def _broken(watched: Watched) -> str:
    assert watched.broken is not None
    if watched.from_snapshot:
        return f"It was already at #{watched.broken.position.number:,}, the snapshot"
    if watched.exact:
        return f"{watched.broken.named} broke it"
    held = watched.held_at + watched.broken.position.unseen
    return f"It was broken after #{held:,}, up to #{watched.broken.position.number:,}"
