"""What there is to say of the moment of the past that is shown."""

from typing import TYPE_CHECKING

from msgspec import Struct

from esdash.fold.folding import Fold
from esdash.ui.paint.painted import Line
from esdash.ui.past.entry_line import about_entry

if TYPE_CHECKING:
    from esdash.past.service import Shown


class PastNow(Struct, frozen=True):
    """What status and banner show of the past."""

    number: int
    """Of the entry, as people count."""
    time: int
    """Unix milliseconds of its id; 0 before the first."""
    applied: int
    rejected: int
    parked: int
    line: Line
    """What the entry says and did."""
    pace: int = 0
    """While it is played entries a second, below 0 so many times as fast as they came; else 0."""
    broken: tuple[str, ...] = ()
    """Invariants, in the language of conditions, that do not hold at that moment."""


def now_of(fold: Fold, shown: "Shown", broken: tuple[str, ...] = ()) -> PastNow:
    """What is said of a moment that was found; `broken`: the invariants that do not hold there."""
    moment = shown.moment
    totals = dict.fromkeys(("applied", "rejected", "parked", "duplicate"), 0)
    for outcome, count in zip(fold.outcomes, moment.picture.counts, strict=True):
        totals[outcome.name] += count
    line = about_entry(fold, shown.rows[-1] if shown.rows else None, moment.position.ordinal)
    return PastNow(
        moment.position.number,
        moment.time,
        totals["applied"],
        totals["rejected"],
        totals["parked"],
        line,
        broken=broken,
    )


def broken_at(fold: Fold, shown: "Shown") -> tuple[str, ...]:
    """The invariants that do not hold at a moment; before the first entry none is asked for."""
    if not fold.domain.invariants or not shown.moment.position.ordinal:
        return ()
    from esdash.engine.invariants.asked import broken_in

    return broken_in(fold, shown.moment.picture)
