"""What is stored beside a log, judged by somebody who knows everything: what a restore must, may and must not say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from esdash.fold.folding import Fold
from esdash.log.snapshots import Header, SnapshotStore, Unreadable
from tests.chaos.nemesis.stage import Stage
from tests.chaos.nemesis.truth import TrueLog, parts


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one log, for one version of the rules."""

    usable: tuple[int, ...]
    """Unseen of each snapshot that leads to the end of the log."""
    own: tuple[int, ...]
    """Unseen of each sound snapshot of this log's history and this version."""
    known: tuple[int, ...]
    """Unseen of each snapshot, of whatever rules and however broken, that is of this log's history."""
    unreadable: tuple[int, ...]
    """Unseen, as far as is known, of each that nobody can read."""
    forged: bool
    """Whether one can be read that says what is not so."""
    ambiguous: bool
    """Whether a snapshot of another history could as well be one of this, with a gap behind it."""
    removed: int
    """Entries that are gone from the log."""
    confirmed: bool

    @classmethod
    def read(cls, stage: Stage, store: SnapshotStore, log: TrueLog, domain: Fold) -> Evidence:
        """Look at what is stored."""
        usable, own, known, unreadable, forged, ambiguous = [], [], [], [], False, False
        for header in store.headers():
            if isinstance(header, Unreadable):
                unreadable.append(header.unseen)
                continue
            place = cls.place(stage, header, log)
            forged |= header.snapshot_id in stage.broken
            if place is None:
                ambiguous |= log.may_have_had(parts(header.last_event_id), header.ordinal + header.unseen)
                continue
            known.append(header.unseen)
            if header.snapshot_id not in stage.broken and header.version == domain.version:
                own.append(header.unseen)
                if not place:
                    usable.append(header.unseen)
        # Where nobody counts, a state may lack entries without a trace, and its place in the log says nothing.
        ambiguous |= stage.lost and not stage.site.counts
        return cls(
            tuple(usable),
            tuple(own),
            tuple(known),
            tuple(unreadable),
            forged,
            ambiguous,
            len(log.gone),
            stage.confirmed,
        )

    @staticmethod
    def place(stage: Stage, header: Header, log: TrueLog) -> int | None:
        """How many entries vanished after a snapshot; None when it was not made from a beginning of this log."""
        for absent in stage.absences.get(header.unseen, ()):
            index = log.seen(absent, header.ordinal, header.last_event_id)
            if index:
                entry_id, fields = log.history[index - 1]
                content = [entry_id, *(fields or ())]
                joined = b"".join(b"%d:%b" % (len(part), part) for part in content)
                if hashlib.sha1(joined, usedforsecurity=False).hexdigest() == header.anchor:
                    return log.missing_after(index, absent)
        return None

    @property
    def must_be_continuous(self) -> bool:
        """Whether anything else would be a false alarm."""
        if not self.removed:
            return True
        if self.usable:
            # One that has seen less than another, behind which there is a gap, is used only where that was confirmed.
            return min(self.usable) <= min(self.own)
        return not (self.unreadable or self.forged or self.ambiguous) and all(
            unseen >= self.removed for unseen in self.known
        )

    def forgets(self, unseen: int) -> str:
        """What is wrong with a state that lacks so many entries; empty when nothing is."""
        if self.usable and unseen > min(self.usable):
            return f"{unseen} unseen, though a usable snapshot has only {min(self.usable)}"
        if self.confirmed:
            return ""
        known = self.own if self.usable else self.known
        if any(each < unseen for each in known):
            return f"{unseen} unseen without a word, though a snapshot had seen all but {min(known)}"
        if not self.usable and any(each < unseen for each in self.unreadable):
            return f"{unseen} unseen without a word, though a snapshot is there that cannot be read"
        return ""
