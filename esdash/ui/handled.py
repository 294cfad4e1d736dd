"""What a person has done about single entries: parked ones that were corrected, orphans that were published again."""

from collections.abc import Iterable

from esdash.engine.domain import Row


class Handled:
    """Remembers by entry id, for as long as the dashboard runs. Threads may write while the screen reads."""

    def __init__(self) -> None:
        self._became: dict[bytes, str] = {}

    def publish_as(self, entry_id: bytes, new_id: str) -> None:
        """An event that stands for the entry is in the log under this id."""
        self._became[entry_id] = new_id

    def dismiss(self, entry_id: bytes) -> None:
        """A person has decided to do nothing about the entry; again, to undo that. What was published stays so."""
        if self._became.get(entry_id) == "":
            del self._became[entry_id]
        else:
            self._became.setdefault(entry_id, "")

    def became(self, entry_id: bytes) -> str | None:
        """The id of what was published for the entry, empty when it was dismissed, None while nothing was done."""
        return self._became.get(entry_id)

    def undecided(self, rows: Iterable[Row]) -> list[Row]:
        """Those about which nothing was done yet."""
        return [row for row in rows if row.entry_id not in self._became]

    def __contains__(self, entry_id: bytes) -> bool:
        return entry_id in self._became

    def __len__(self) -> int:
        return len(self._became)
