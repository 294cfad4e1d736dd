"""The lines of the event log: every entry and what the fold decided about it."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from textual.cache import LRUCache

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.ui.paint.drawing import cells_of, day
from esdash.ui.tables.columns import Cell, Column
from esdash.ui.tables.log_answer import Answer
from esdash.ui.tables.log_cells import columns_of, line_cells, not_read, the_newest
from esdash.ui.tables.log_rows import BLOCK, LogRows
from esdash.ui.tables.rows_source import WAITING
from esdash.ui.tables.table_source import Searchable
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.engine.moments.asking import Examined
    from esdash.query.schema import Schema

REMEMBERED: Final = 12_000
"""Entries of which is remembered what a question looks at: more than a view has."""


class Wrong(NamedTuple):
    """What is wrong with a question."""

    sentence: str
    carets: str = ""
    """Under the place in the text; empty where that does not help."""


class LogSource(Searchable):
    """What the log panel shows."""

    def __init__(
        self,
        fold: Fold,
        hint: Sequence[str] = (),
        missing: Callable[[], object] = lambda: None,
        asked: Callable[[Answer | None], object] = id,
        saved: Mapping[str, str] | None = None,
    ) -> None:
        """`missing` is called when lines are wanted whose entries are not here; `asked` when older entries are to be
        looked through for a question, or none any more. `saved` are a person's questions by their names."""
        self.columns: Sequence[Column] = columns_of(fold)
        self.behind = False
        """Entries were folded, but which they were is not known yet: the consumer replays."""
        self.known = False
        """A consumer has looked into the stream."""
        self.entries = LogRows()
        self.answer: Answer | None = None
        """To the last question."""
        self.filtering = False
        """Only what it asks for is shown."""
        self.wrong: Wrong | None = None
        """With what was typed last; then the question before is still answered."""
        self._early = ""
        """The question that needs a past, which may be about to come."""
        self.history = 0
        """Grows when the history of the entries is another one."""
        self.fold = fold
        self._hint = hint
        self._missing = missing
        self._asked = asked
        self._saved = saved
        self._schema: Schema | None = None
        self.live_last = 0
        """The ordinal of the newest entry there was, whatever is shown."""
        self._live_id = b""
        """Its id; empty where it is not known."""
        self._past = False
        """A moment of the past is shown."""
        self._settled = True
        """The consumer does not replay."""
        self._now = self._wall = 0.0
        self.unseen = 0
        """Entries that came before the first of all."""
        # What entries say does not change, and reading ten thousand of them for each key takes too long.
        self._examined: LRUCache[tuple[int, bytes, bool], Examined] = LRUCache(REMEMBERED)
        self._cells: LRUCache[tuple[int, bytes, int | None, bool, int], tuple[Cell, ...]] = LRUCache(1024)
        self._widest = [8, 3, 15, self.columns[3].least, 36, *(max(31, each.least + 11) for each in self.columns[5:])]

    @property
    def needle(self) -> str:  # type: ignore[override]  # it is not set from outside
        """The question by which lines are chosen; empty for all."""
        return self.answer.text if self.answer is not None and self.filtering else ""

    @property
    def total(self) -> int:
        entries = self.entries
        return entries.last - entries.start + 1 if entries.last else 0

    @property
    def older(self) -> int:
        """Entries before the first line: they are in the log, but cannot be shown here."""
        return max(0, self.entries.start - 1)

    @property
    def searched(self) -> int | None:
        """Percent of all entries that were looked at for the question; None where that is all of them."""
        answer, entries = self.answer, self.entries
        if answer is None or not self.total or (answer.newest and not answer.searching and not answer.stopped):
            return None
        looked_at = answer.newest - answer.oldest + 1 if answer.newest else 0
        return min(99, looked_at * 100 // max(1, max(answer.newest, entries.last) - entries.start + 1))

    @property
    def schema(self) -> "Schema":
        """What can be asked for."""
        if self._schema is None:
            from esdash.words.asked import schema_of

            self._schema = schema_of(self.fold, self._saved)
        return self._schema

    def update(
        self, rows: Sequence[Row], now: float, unseen: int = 0, *, moment: int | None = None, settled: bool = True
    ) -> None:
        """Show other rows; `now` in Unix seconds. `unseen` entries came before the first of all.

        `moment` is the ordinal of the last entry of the past that is shown; None: it is now. `settled`: the consumer
        does not replay.
        """
        self._now, self._settled = now, settled
        if unseen != self.unseen:
            self.unseen = unseen
            self._cells.clear()
        last = rows[-1].ordinal if rows else 0
        self._past = moment is not None
        if moment is None:
            self._wall = now
            if last < self.live_last or self._has_changed(rows):
                self._begin_anew()
            self.live_last, self._live_id = last, rows[-1].entry_id if rows else b""
        entries = self.entries
        entries.show(rows, last if moment is None else moment)
        if rows:
            self._widest[1] = max(self._widest[1], len(f"{last + unseen:,}"))
            self._widest[2] = max(self._widest[2], len(rows[-1].entry_id))
        self._look_at_newer()

    def can_begin(self, beginning: int) -> None:
        """Entries can be read from this ordinal on, which is 1 or more."""
        first_time = not self.entries.beginning
        self.entries.beginning = beginning
        if self.answer is not None:
            self.answer.hits.drop_below(beginning)
            if first_time:
                self._ask(self.answer)
        if self._early:
            self.search(self._early)

    def add(self, rows: Sequence[Row]) -> None:
        self.entries.add(rows)

    def search(self, needle: str) -> None:
        """Show only what this question asks for; nothing: all."""
        from esdash.query.errors import QueryError
        from esdash.query.questions import read_question

        self.wrong, self._early = None, ""
        if not needle.strip():
            if self.answer is not None:
                self._asked(None)
            self.answer, self.filtering = None, False
            return
        if self.answer is not None and self.answer.text == needle.strip():
            self.filtering = True
            return
        try:
            question = read_question(needle, self.schema, self._wall)
        except QueryError as error:
            self.wrong = Wrong(str(error), error.pointed()[1])
            return
        answer = Answer(self.fold, needle.strip(), question)
        if not self.entries.beginning and (places := list(answer.places())):
            self._early, named = needle, visible(str(places[0]), 40)
            self.wrong = Wrong(f"{named} can only be found where a past is kept; a time like since:-5m always.")
            return
        self.filtering = True
        self._ask(answer)

    def reached(self, answer: Answer) -> None:
        """The answer was prepared: now entries can be looked at."""
        if answer is self.answer:
            answer.searching = False
            self._look_at_newer()

    def next_hit(self, ordinal: int, direction: int) -> int | None:
        """The next entry after an ordinal that the last question asks for, or the one before; None where none is."""
        if self.answer is None:
            return None
        hits = self.answer.hits
        place = hits.below(ordinal + 1) if direction > 0 else hits.below(ordinal) - 1
        return hits[place] if 0 <= place < hits.below(self.entries.last + 1) else None

    def __len__(self) -> int:
        if self.answer is not None and self.filtering:
            return self.answer.hits.below(self.entries.last + 1)
        return self.total

    def row(self, index: int) -> Row | None:
        """The entry on a line; None while it is being read."""
        return self.entries.get(self.identity(index))

    def after(self, ordinal: int) -> int:
        """Lines that stand for entries after this ordinal."""
        if self.answer is not None and self.filtering:
            return len(self) - self.answer.hits.below(ordinal + 1)
        return max(0, min(self.entries.last - ordinal, self.total))

    def cells(self, index: int) -> tuple[Cell, ...]:
        row = self.row(index)
        if row is None:
            self._want(index)
            return not_read(self.identity(index), self.unseen, len(self.columns))
        if row.told is None and not self.fold.readonly and self.entries.is_untold(row):
            self._want(index)
        key = (row.ordinal, row.entry_id, row.code, row.told is None, day(self._now))
        cells = self._cells.get(key)
        if cells is None:
            cells = self._cells[key] = self._describe(row)
        return cells

    def identity(self, index: int) -> int:
        return self.answer.hits[index] if self.answer is not None and self.filtering else self.entries.start + index

    def find(self, identity: Hashable) -> int | None:
        """Where the entry is, or its nearest neighbour when it is filtered out or too old."""
        if not len(self) or not isinstance(identity, int):
            return None
        filtered = self.answer is not None and self.filtering
        place = self.answer.hits.below(identity) if self.answer and filtered else identity - self.entries.start
        return max(0, min(place, len(self) - 1))

    def wanted(self) -> Sequence[int]:
        return self._widest

    def hint(self) -> Sequence[str]:
        if self.needle and self.answer is not None:
            if self.answer.stopped:
                return (f"None so far; {self.searched} % were searched.", self.answer.stopped)
            if self.searched is not None:
                return (f"None so far: {self.searched} % are searched.", "Esc gives up.")
            if self.older:
                newest = the_newest(self.total, self.older)
                return (f"None of {newest} matches.", "`esdash events` reads those before them.")
            if self.answer.gone:
                return ("no entry matches", f"of those still in the stream: {self.answer.gone:,} have left it.")
        if self.total:
            return ("no entry matches",)
        if self.behind and self._past:
            return ("Of the entries before this moment", "none is kept with the past.")
        if self.behind:
            return ("The newest entries show here", "when the replay has caught up.")
        return self._hint if self.known else WAITING

    def _describe(self, row: Row) -> tuple[Cell, ...]:
        cells = line_cells(self.fold, row, self._now, self.unseen)
        for place in (0, 2):
            self._widest[place] = max(self._widest[place], len(cells[place].text))
        for place, outcome in enumerate(cells[5:], 5):
            # What was short is worth its room; all of the numbers are shown where there is more of it.
            wanted = cells_of(outcome.shorter[0] if outcome.shorter else outcome.text)
            self._widest[place] = max(self._widest[place], wanted)
        return cells

    def _want(self, index: int) -> None:
        entries, answer = self.entries, self.answer
        if not entries.beginning:
            return
        noted = bool(entries.missing), bool(entries.untold)
        if answer is None or not self.filtering:
            entries.want_around(self.identity(index))
        else:
            start = index // BLOCK * BLOCK
            entries.want(answer.hits[each] for each in range(start, min(start + BLOCK, len(self))))
        if (bool(entries.missing), bool(entries.untold)) > noted:
            self._missing()

    def _has_changed(self, rows: Sequence[Row]) -> bool:
        """Whether the newest entry there was is another one now: then the history is."""
        place = self.live_last - rows[0].ordinal if rows and self._live_id else -1
        return 0 <= place < len(rows) and rows[place].entry_id != self._live_id

    def _begin_anew(self) -> None:
        """The consumer did: what was known of entries may be wrong."""
        self.history += 1
        self._cells.clear()
        self._examined.clear()
        self.entries.forget()
        if self.answer is not None:
            self._asked(None)
            self.answer = Answer(self.fold, self.answer.text, self.answer.question)

    def _ask(self, answer: Answer) -> None:
        """Answer a question from the beginning."""
        self.answer = answer = Answer(self.fold, answer.text, answer.question)
        if not list(answer.places()):
            answer.prepare({})
            self._look_at_newer()
        elif self.entries.beginning:
            answer.searching = True
            self._asked(answer)

    def _look_at_newer(self) -> None:
        """Look at those entries of the view that the answer does not know; have the others searched."""
        answer, rows = self.answer, self.entries.newest
        if answer is None or not answer.ready:
            return
        if self._past:
            if self.entries.beginning and not answer.newest:
                answer.oldest, answer.newest = self.live_last + 1, self.live_last
                self._search(answer)
            return
        if not rows:
            return
        first = rows[0].ordinal
        answer.hasty = answer.hasty or 0 < answer.newest < first - 1
        if not self.entries.beginning:
            answer.hits.drop_below(first)
        elif answer.newest and self._settled and answer.hasty:
            self._ask(answer)
            return
        elif not answer.newest:
            # What the view does not know is known to the past.
            first = 1 + next((row.ordinal for row in reversed(rows) if row.told is None), first - 1)
            answer.oldest, answer.newest = first, first - 1
            self._search(answer)
        answer.look(rows[max(0, answer.newest + 1 - rows[0].ordinal) :], self._examine)

    def _search(self, answer: Answer) -> None:
        if answer.oldest > self.entries.beginning:
            answer.searching = True
            self._asked(answer)

    def _examine(self, row: Row) -> "Examined":
        from esdash.engine.moments.asking import Examined

        key = row.ordinal, row.entry_id, row.told is None
        found = self._examined.get(key)
        if found is None:
            found = self._examined[key] = Examined(self.fold, row, self.unseen)
        return found
