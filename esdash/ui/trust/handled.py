"""What this dashboard did about single entries and does not know from the log yet; and what a person dismissed."""

from typing import NamedTuple

from esdash.engine.shown.row import Row


class Sent(NamedTuple):
    """An event that was published in the place of an entry, before the consumer has come to it."""

    row: Row
    new_id: str
    parked: bool
    """Or else an orphan."""


class Handled:
    """For as long as the dashboard runs. Threads may write while the screen reads."""

    def __init__(self) -> None:
        self._sent: dict[bytes, Sent] = {}
        self._dismissed: set[bytes] = set()
        self.changes = 0
        """Grows with each change."""
        self.told_gone = 0
        """Of how many orphans the person has been told in the list of them, be they listed or not."""

    def publish_as(self, row: Row, new_id: str, *, parked: bool) -> None:
        """An event that stands for the entry is in the log under this id; the fold has yet to decide about it."""
        self._sent[row.entry_id] = Sent(row, new_id, parked)
        self.changes += 1

    def sent(self, entry_id: bytes) -> str | None:
        """The id of what was published for the entry, until its outcome is known."""
        found = self._sent.get(entry_id)
        return None if found is None else found.new_id

    def waiting(self) -> list[Sent]:
        """All that was published and is not decided yet, as far as is known here."""
        return list(self._sent.values())

    def settle(self, sent: Sent) -> None:
        """Its outcome is known from the log."""
        self._sent.pop(sent.row.entry_id, None)
        self.changes += 1

    def dismiss(self, entry_id: bytes) -> None:
        """A person has decided to do nothing about the entry; again, to undo that."""
        self._dismissed ^= {entry_id}
        self.changes += 1

    def dismissed(self, entry_id: bytes) -> bool:
        """Whether a person has decided to do nothing about it."""
        return entry_id in self._dismissed
