"""What is wrong with a domain, by what a view shows. No textual."""

from typing import Final

from esdash.engine.shown.view import Phase, Verdict, View
from esdash.fold.folding import Fold
from esdash.fold.outcomes import MISSING_FIELD, UNKNOWN_TYPE

ENOUGH: Final = 10
"""Entries that say something about a stream."""

_STRANGE: Final = frozenset({MISSING_FIELD, UNKNOWN_TYPE})


def domain_failed(view: View) -> bool:
    """Whether the consumer has halted because a function of the domain failed, and not for what the log lacks."""
    lacking = view.continuity is not None and view.continuity.verdict in (Verdict.GAP, Verdict.DIVERGED)
    return view.phase is Phase.HALTED and not lacking


def fits_nowhere(view: View, fold: Fold) -> bool:
    """Whether none of the stream's entries is one of the domain's events."""
    if view.state is None or view.phase is not Phase.LIVE or len(view.rows) < ENOUGH:
        return False
    counts = view.state.counts
    strange = sum(counts[code] for code in _STRANGE)
    return len(counts) == len(fold.outcomes) and sum(counts) == strange and strange >= ENOUGH
