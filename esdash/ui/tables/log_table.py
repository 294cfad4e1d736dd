"""The event log's table: it follows the tail until a person looks at something else."""

from collections.abc import Hashable

from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.log_source import LogSource


class LogTable(LineTable):
    """A table that stays at its last line while that moves, and stays where it is once a person moved it."""

    def __init__(self, source: LogSource, *, id: str | None = None) -> None:
        super().__init__(source, id=id)
        self.log_source = source
        self.following = True
        """New entries scroll in."""
        self._seen = 0
        """The newest ordinal there was when a person left the tail."""
        self._top_anchor: Hashable | None = None

    @property
    def waiting(self) -> int:
        """Entries that arrived since a person left the tail."""
        return 0 if self.following else self.log_source.after(self._seen)

    def forget(self) -> None:
        """Follow the tail again."""
        super().forget()
        self.following = True

    def chosen(self) -> None:
        """In the log every line is worth keeping, the first one too."""
        self._anchor = self.selected

    def move_to(self, index: int) -> None:
        """The last line is the tail: going there follows it."""
        self._follow(index >= len(self.source) - 1)
        super().move_to(index)

    def scroll_by(self, lines: int) -> None:
        """Scrolling up leaves the tail, scrolling down to it follows it."""
        if self.following:
            self.chosen()
        top = self.top + lines
        self._follow(top >= len(self.source) - self.page)
        super().scroll_by(lines)

    def choose(self, index: int) -> None:
        """A line that was clicked is meant, even the last one: it stays selected while others arrive."""
        super().choose(index)
        self._follow(False)
        self.touched()

    def touched(self) -> None:
        """Remember what is in view."""
        self._mark_top()
        super().touched()
        self._mark_top()

    def _mark_top(self) -> None:
        self._top_anchor = self.source.identity(self.top) if 0 <= self.top < len(self.source) else None

    def _follow(self, following: bool) -> None:
        if self.following and not following and len(self.source):
            # Those that came after a moment of the past were there before.
            self._seen = max(self.log_source.identity(len(self.source) - 1), self.log_source.live_last)
        self.following = following

    def _settle(self) -> None:
        count = len(self.source)
        if self.following:
            self.cursor = max(0, count - 1)
            self.top = max(0, count - self.page)
            return
        cursor = None if self._anchor is None else self.source.find(self._anchor)
        top = None if self._top_anchor is None else self.source.find(self._top_anchor)
        self.cursor = max(0, min(self.cursor if cursor is None else cursor, count - 1))
        self.top = max(0, min(self.top if top is None else top, count - self.page))
