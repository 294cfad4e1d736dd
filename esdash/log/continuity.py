"""The proof that nothing between a position and the tail is missing (DESIGN.md, Phases of the consumer).

An entry leaves a stream in two ways only: XTRIM takes from the old end, XDEL takes one and remembers the newest
id it took. So when the oldest entry is not after the position and no id after it was ever deleted, nothing unread
can be missing. Where that does not hold, counting decides:
missing = (entries-added − entries unseen before the start − ordinal) − entries after the position.
"""

from dataclasses import dataclass
from enum import StrEnum

from esdash.log.stream import START, TAIL, Log, StreamFacts, id_parts


class Verdict(StrEnum):
    """What a check found."""

    CONTINUOUS = "CONTINUOUS"
    GAP = "GAP"
    DIVERGED = "DIVERGED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Continuity:
    """The proof, or its failure, that the state is what the whole log says."""

    verdict: Verdict
    missing: int = 0
    """Entries that vanished unread (GAP)."""
    after: str | None = None
    """GAP: the missing entries lie between this id and `before`."""
    before: str | None = None
    unseen_before_start: int = 0
    """Entries that were gone before esdash first read this stream: the history is partial when above 0."""
    explanation: str = ""
    """A sentence for people."""

    def __str__(self) -> str:
        return f"GAP {self.missing}" if self.verdict is Verdict.GAP else str(self.verdict)


def unseen_before(facts: StreamFacts) -> int:
    """Entries that a consumer that starts now at the beginning can never see. 0 when the server cannot tell.

    Below 0 for a stream whose counter was set too low by hand (XSETID); the arithmetic holds all the same.
    """
    return 0 if facts.entries_added is None else facts.entries_added - facts.length


def nothing_vanished(
    facts: StreamFacts, position: bytes, ordinal: int, unseen: int, count: int = 0, end: bytes | None = None
) -> bool:
    """Whether the facts alone prove that no entry after the position is missing; False proves nothing.

    `count` entries up to the id `end` were read after the position before the facts were.
    """
    if facts.entries_added is None or not facts.exists:
        return facts == StreamFacts() and ordinal + unseen == 0
    at = id_parts(position)
    end = end or position
    if id_parts(facts.last_id) < id_parts(end):
        return False
    if facts.last_id == end and facts.entries_added - unseen != ordinal + count:
        return False
    if facts.first_id is None or id_parts(facts.first_id) > at:
        return facts.entries_added - unseen - ordinal == facts.length
    # Neither trimmed nor deleted after the position, or nothing at all has left the stream since it was first read.
    return id_parts(facts.max_deleted_id) <= at or unseen_before(facts) == unseen


def check(
    log: Log, position: bytes, ordinal: int, unseen: int, anchor: str | None, *, exact: bool = False
) -> Continuity:
    """Compare a position with the log as it is.

    `anchor` is `anchor_of` the entry at the position, None when it was not kept. With `exact` the entries after the
    position are counted even where the facts prove that none of them vanished: that tests the ordinal, too.
    Raises LogError.
    """
    evidence = log.evidence(position)
    facts = evidence.facts
    if ordinal == 0:
        return _judge_count(log, position, 0, unseen, facts, len(evidence.tail), exact)
    if not facts.exists or id_parts(facts.last_id) < id_parts(position):
        what = f"ends at {facts.last_id.decode()}" if facts.exists else "is gone"
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation=f"The stream {what}, but entries up to {position.decode()} had been applied.",
        )
    if evidence.anchor is not None:
        if anchor is not None and evidence.anchor != anchor:
            return Continuity(
                Verdict.DIVERGED,
                unseen_before_start=unseen,
                explanation=f"Entry {position.decode()} is not the one that was applied: this is another history.",
            )
    elif (
        facts.first_id is not None
        and id_parts(facts.first_id) <= id_parts(position)
        and facts.entries_added is not None
        and id_parts(facts.max_deleted_id) < id_parts(position)
    ):
        # Neither trimmed nor deleted, so it never was in this log.
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation=f"Entry {position.decode()} had been applied and is not in the log: the log lost its tail.",
        )
    return _judge_count(log, position, ordinal, unseen, facts, len(evidence.tail), exact)


def _judge_count(
    log: Log, position: bytes, ordinal: int, unseen: int, facts: StreamFacts, tail: int, exact: bool
) -> Continuity:
    if facts.entries_added is None:
        return Continuity(
            Verdict.UNKNOWN,
            unseen_before_start=unseen,
            explanation="The server is older than Redis 7 and does not count entries: a gap would not be noticed.",
        )
    if tail < TAIL:
        after = tail
    elif facts.first_id is not None and id_parts(facts.first_id) > id_parts(position):
        after = facts.length
    elif not exact and nothing_vanished(facts, position, ordinal, unseen):
        return Continuity(Verdict.CONTINUOUS, unseen_before_start=unseen)
    else:
        after = sum(len(page) for page, _ in log.pages(position, facts.last_id))
    missing = facts.entries_added - unseen - ordinal - after
    if missing < 0:
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation=f"The log has had {facts.entries_added:,} entries, fewer than were applied: "
            "it was made again or lost entries.",
        )
    if missing > 0:
        # Trimming takes from the old end and the newest deleted id is known: all that vanished lies before this entry.
        following = log.page(max(position, facts.max_deleted_id, key=id_parts), count=1)
        return Continuity(
            Verdict.GAP,
            missing,
            position.decode(),
            following[0][0].decode() if following else None,
            unseen,
            f"{missing:,} {'entry' if missing == 1 else 'entries'} vanished unread after "
            f"{'the beginning' if position == START else position.decode()}: trimmed or deleted.",
        )
    if unseen == 0 and unseen_before(facts) > 0 and id_parts(facts.max_deleted_id) > id_parts(position):
        # An entry after the position was deleted, so one should be missing: the log has lost as many as vanished.
        return Continuity(
            Verdict.DIVERGED,
            explanation=f"Entries after {position.decode()} were deleted, yet none is missing: the log lost others "
            "that had been applied.",
        )
    return Continuity(Verdict.CONTINUOUS, unseen_before_start=unseen)
