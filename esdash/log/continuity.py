"""The proof that nothing between a position and the tail is missing.

An entry leaves a stream in two ways only: XTRIM takes from the old end, XDEL takes one and remembers the newest
id it took. So when the oldest entry is not after the position and no id after it was ever deleted, nothing unread
can be missing. Where that does not hold, counting decides:
missing = (entries-added − entries unseen before the start − ordinal) − entries after the position.

Counts alone can match in another log. So the entry at the position, the anchor, is compared, too, as it was when the
entries after it were read: what follows an anchor that stands follows the state.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from esdash.counted import counted
from esdash.log.facts import START, Evidence, StreamFacts, anchor_of, id_parts
from esdash.log.pages import PackedPage, Page
from esdash.log.stream import Stream


class Verdict(StrEnum):
    """What a check found."""

    CONTINUOUS = "CONTINUOUS"
    GAP = "GAP"
    DIVERGED = "DIVERGED"
    UNKNOWN = "UNKNOWN"


class Continuity(Struct, frozen=True):
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


class Standing(Struct, frozen=True):
    """Where a state stands in the log that it was made from."""

    last_id: bytes
    ordinal: int
    """Entries applied, whatever their outcome."""
    unseen: int
    """Entries that were gone before the first of them was read."""
    anchor: str | None
    """`anchor_of` the entry at the position; None when it was not kept."""


def judge(standing: Standing, evidence: Evidence, *, must_stand: bool = False) -> Continuity | None:
    """What the evidence around a position proves of it; None when the entries after it must be counted first.

    With `must_stand` only an entry that is there counts: the position is known to have been one of another history.
    """
    facts, unseen = evidence.facts, standing.unseen
    at = id_parts(standing.last_id)
    if standing.ordinal and (not facts.exists or id_parts(facts.last_id) < at):
        what = f"ends at {facts.last_id.decode()}" if facts.exists else "is gone"
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation=f"The stream {what}, but entries up to {standing.last_id.decode()} had been applied.",
        )
    if evidence.anchor is not None and standing.anchor is not None and evidence.anchor != standing.anchor:
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation=f"Entry {standing.last_id.decode()} is not the one that was applied: this is another history.",
        )
    if must_stand and evidence.anchor is None:
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation="It is of another history: this log was found to lack the entries that it was made from.",
        )
    trimmed = facts.first_id is None or id_parts(facts.first_id) > at
    deleted = id_parts(facts.max_deleted_id)
    if facts.entries_added is None:
        return Continuity(
            Verdict.UNKNOWN,
            unseen_before_start=unseen,
            explanation="The server is older than Redis 7 and does not count entries: a gap would not be noticed.",
        )
    if standing.ordinal and evidence.anchor is None and not trimmed and deleted < at:
        # Neither trimmed nor deleted, so it never was in this log.
        return Continuity(
            Verdict.DIVERGED,
            unseen_before_start=unseen,
            explanation=f"Entry {standing.last_id.decode()} had been applied and is not in the log: "
            "the log lost its tail.",
        )
    if evidence.after is not None:
        after = evidence.after
    elif trimmed:
        after = facts.length
    elif deleted <= at or unseen_before(facts) == unseen:
        # Neither trimmed nor deleted after the position, or nothing at all has left the stream since it was first read.
        return Continuity(Verdict.CONTINUOUS, unseen_before_start=unseen)
    else:
        return None
    missing = facts.entries_added - unseen - standing.ordinal - after
    if missing < 0:
        explanation = (
            f"The log has had {counted(facts.entries_added, 'entry', 'entries')}, fewer than were applied: it was made "
            "again or lost entries."
        )
        if evidence.anchor is not None:
            # The same entry is there: a server that did not count gives its streams their length as counter when they
            # are first loaded by one that does.
            counted_to = unseen + standing.ordinal + after
            explanation += (
                " If the server was upgraded from one older than Redis 7, set its counter: `XSETID <stream> "
                f"{facts.last_id.decode()} ENTRIESADDED {counted_to}`."
            )
        return Continuity(Verdict.DIVERGED, unseen_before_start=unseen, explanation=explanation)
    if missing > 0:
        entries = counted(missing, "entry", "entries")
        if not trimmed and deleted <= at:
            # Nothing can have vanished after the position, but that was not counted on the way.
            return Continuity(
                Verdict.GAP,
                missing,
                unseen_before_start=unseen,
                explanation=f"The server counts {entries} more than were read up to {standing.last_id.decode()}: "
                "vanished before they were read, or never there because its counter was set by hand.",
            )
        return Continuity(
            Verdict.GAP,
            missing,
            standing.last_id.decode(),
            None,
            unseen,
            f"{entries} vanished unread after "
            f"{'the beginning' if standing.last_id == START else standing.last_id.decode()}: trimmed or deleted.",
        )
    if unseen == 0 and unseen_before(facts) > 0 and deleted > at:
        # An entry after the position was deleted, so one should be missing: the log has lost as many as vanished.
        return Continuity(
            Verdict.DIVERGED,
            explanation=f"Entries after {standing.last_id.decode()} were deleted, yet none is missing: the log lost "
            "others that had been applied.",
        )
    return Continuity(Verdict.CONTINUOUS, unseen_before_start=unseen)


def check(log: Stream, standing: Standing, *, exact: bool = False, must_stand: bool = False) -> Continuity:
    """Compare where a state stands with the log as it is now.

    With `exact` the entries after the position are counted even where the facts prove that none of them vanished: that
    tests the ordinal, too. `must_stand` is that of `judge`. Raises LogError.
    """
    evidence = log.evidence(standing.last_id)
    facts = evidence.facts
    found = judge(standing, evidence, must_stand=must_stand)
    if found is None or (exact and found.verdict is Verdict.CONTINUOUS and evidence.after is None):
        after = sum(page.count for page in log.pages(standing.last_id, facts.last_id))
        found = judge(standing, replace(evidence, after=after), must_stand=must_stand)
        assert found is not None, "they are counted"
    return bounded(log, found, facts)


def judge_page(log: Stream, standing: Standing, page: Page | PackedPage) -> Continuity:
    """Whether a page that was read after a position has all that there was. Raises LogError."""
    found = judge(standing, page.evidence)
    if found is not None:
        return bounded(log, found, page.evidence.facts)
    last = page.last_entry
    if last is None:
        return check(log, standing)
    # Trimmed since it was read, the page may be whole all the same: then the count after it is right.
    end = Standing(last[0], standing.ordinal + page.count, standing.unseen, anchor_of(last))
    found = check(log, end, exact=True)
    # What is missing is told from where the state stands, not from the end of what will not be applied.
    told = check(log, standing) if found.verdict is Verdict.GAP else found
    return told if told.verdict in (Verdict.GAP, Verdict.DIVERGED) else found


def bounded(log: Stream, found: Continuity, facts: StreamFacts) -> Continuity:
    """The same; a gap with the entry before which all that vanished lay. Raises LogError."""
    if found.verdict is not Verdict.GAP or found.after is None:
        return found
    # Trimming takes from the old end, and the newest deleted id is known.
    following = log.page(max(found.after.encode(), facts.max_deleted_id, key=id_parts), count=1)
    return replace(found, before=following[0][0].decode() if following else None)
