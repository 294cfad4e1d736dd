"""What stands between a page and the fold: nothing is applied while something before it is missing."""

from esdash.engine.projection import Projection
from esdash.log.continuity import Continuity, Verdict, check, judge_page
from esdash.log.facts import Evidence, StreamFacts
from esdash.log.pages import PackedPage, Page
from esdash.log.stream import Stream


class HaltError(Exception):
    """Continuity is broken: nothing may be applied until a person chooses."""

    def __init__(self, continuity: Continuity) -> None:
        super().__init__(continuity.explanation)
        self.continuity = continuity


class DivergedError(Exception):
    """The log is not the one that the state was made from."""

    def __init__(self, continuity: Continuity) -> None:
        super().__init__(continuity.explanation)
        self.continuity = continuity


def unbroken(continuity: Continuity) -> Continuity:
    """The same. Raises HaltError for a gap and DivergedError for a divergence."""
    if continuity.verdict is Verdict.GAP:
        raise HaltError(continuity)
    if continuity.verdict is Verdict.DIVERGED:
        raise DivergedError(continuity)
    return continuity


def forgotten_by(projection: Projection, evidence: Evidence) -> int:
    """Entries that a projection has seen and that have left the stream: what a rebuild would forget."""
    facts = evidence.facts
    added = facts.entries_added
    if added is None:
        # The server does not count; the projection has.
        if evidence.after is None:
            return 0
        added = projection.ordinal + projection.unseen + evidence.after
    return min(projection.ordinal, max(0, added - facts.length - projection.unseen))


def lag_of(projection: Projection, facts: StreamFacts, gap: Continuity | None = None) -> int:
    """Entries after the position; what vanished in a gap is none."""
    if facts.entries_added is None:
        return 0 if facts.last_id == projection.last_id else max(0, facts.length - projection.ordinal)
    not_there = gap.unseen_before_start + gap.missing if gap else projection.unseen
    return max(0, facts.entries_added - not_there - projection.ordinal)


def check_position(log: Stream, projection: Projection) -> Continuity:
    """Compare where a projection stands with the log as it is. Raises LogError."""
    return check(log, projection.standing)


def check_page(log: Stream, projection: Projection, page: Page | PackedPage) -> Continuity:
    """Whether a page that was read after a projection has all that there was. Raises LogError."""
    return judge_page(log, projection.standing, page)
