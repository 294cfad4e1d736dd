"""What stands between a page and the fold: nothing is applied while something before it is missing."""

from typing import Any

from esdash.engine.projection import Projection
from esdash.log.continuity import Continuity, Verdict, check, nothing_vanished
from esdash.log.stream import Log, StreamFacts, id_parts


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


def check_position(log: Log, projection: Projection[Any]) -> Continuity:
    """Compare where a projection stands with the log as it is. Raises LogError."""
    return check(log, projection.last_id, projection.ordinal, projection.unseen, projection.anchor)


def check_page(
    log: Log, projection: Projection[Any], facts: StreamFacts, count: int, end: bytes | None
) -> Continuity | None:
    """Whether `count` entries up to the id `end`, read after the projection and before the facts, are all there were.

    None when the facts prove it, or when the server is too old for facts that prove anything; otherwise what a closer
    look found. Raises LogError.
    """
    if nothing_vanished(facts, projection.last_id, projection.ordinal, projection.unseen, count, end):
        return None
    if facts.entries_added is None and id_parts(facts.last_id) >= id_parts(projection.last_id):
        return None
    if not count or end is None:
        return check_position(log, projection)
    # Trimmed since it was read, the page may be whole all the same: then the count after it is right.
    return check(log, end, projection.ordinal + count, projection.unseen, None, exact=True)
