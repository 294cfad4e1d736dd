"""Everything about one entry: what it is, what it did, which rows it is about, and how it is stored."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from esdash.engine.console import Console, Details
from esdash.engine.shown.row import Row
from esdash.ui.asking import find_out
from esdash.ui.messages import tell
from esdash.ui.paint.pager import Pager, Paragraph
from esdash.ui.paint.payload import LABEL, copy_payload, tell_stored
from esdash.ui.paint.text_dialog import TextDialog
from esdash.ui.tables.log_cells import the_newest
from esdash.ui.trust import standing
from esdash.ui.trust.entry_text import Place, links_of, name_of, tell_changes, tell_outcome
from esdash.ui.trust.handled import Handled
from esdash.visible import visible
from esdash.words.entries import describe, type_of
from esdash.words.outcomes import MEANINGS, outcome_of

MOST_LINKS: Final = 9
"""Rows that a digit goes to."""


class DetailsScreen(TextDialog[Place]):
    """One entry of the log. With `rows`, its neighbours are a key away. Its result is a row that a person went to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter,backspace", "leave", "Close", show=False),
        Binding("n,right", "turn(1)", "Next entry", show=False),
        Binding("p,left", "turn(-1)", "Previous entry", show=False),
        Binding("y", "copy", "Copy the payload", show=False),
        *(Binding(f"{number}", f"go({number})", "Go to a row", show=False) for number in range(1, MOST_LINKS + 1)),
    ]

    def __init__(
        self,
        console: Console,
        row: Row,
        rows: Sequence[Row] = (),
        zone: tzinfo | None = None,
        *,
        more_before: bool = False,
        title: str = "",
        go: Callable[[Place], object] | None = None,
    ) -> None:
        """`zone` is for the local time; None is the computer's. `more_before`: the log reaches to entries before all
        of `rows`. `title`: the way that led here, where that is known. `go`: goes to a row, and this stays below."""
        self._place = next((place for place, other in enumerate(rows) if other.entry_id == row.entry_id), None)
        turn = "n/p next/previous · " if self._place is not None else ""
        super().__init__("Entry", f"↑↓ scroll · {turn}y copy · Esc close")
        self.engine = console
        self.row = row
        self._fold = console.fold
        self._rows = rows
        self._more_before = more_before
        self._zone = zone
        self._way = title
        self._go = go or self.dismiss
        self._found: Details | str | None = None
        """What the entry changed, why that cannot be said, or None while it is computed."""
        self._asking = False

    def on_mount(self) -> None:
        super().on_mount()
        self._title()
        self._ask()

    def _answered(self, asked: Row, found: Details | str) -> None:
        """When the reader is at another entry by now, ask for that one."""
        self._asking = False
        if asked is not self.row:
            self._ask()
        else:
            self._found = found
            self.query_one(Pager).write(self.tell, keep_place=True)

    def action_turn(self, step: int) -> None:
        """Go to a neighbour in the log; stay at its ends, and say so."""
        if self._place is None:
            return
        if not 0 <= self._place + step < len(self._rows):
            if step > 0:
                newest = self._rows[-1].ordinal >= self.engine.view.position.ordinal
                tell(self.app, "This is the newest entry." if newest else "The log goes on after this entry.")
            elif self._more_before and self._rows[0].ordinal > 1:
                tell(self.app, "The log goes on before this entry: go there, and open it again.")
            elif (older := self._rows[0].ordinal - 1) > 0:
                kept = the_newest(len(self._rows), older)
                tell(self.app, f"The dashboard keeps {kept}; `esdash events` reads those before them.")
            else:
                tell(self.app, "This is the first entry.")
            return
        self._place += step
        self.row = self._rows[self._place]
        self._found = None
        self._title()
        self._ask()
        self.query_one(Pager).write(self.tell)

    def action_copy(self) -> None:
        copy_payload(self.app, self._fold, self.row)

    def action_go(self, number: int) -> None:
        links = self._links()
        if number <= len(links):
            self._go(links[number - 1])

    def _title(self) -> None:
        number = f" {self.engine.view.nth(self.row.ordinal):,}" if self.row.ordinal else ""
        self._frame.border_title = Content(self._way or f"Entry{number}")

    def _ask(self) -> None:
        if self.row.told is not None:
            self._found = Details(self.row, self.row.told)
        # One question at a time: leafing through many entries must not start a replay for each.
        elif not self._asking:
            self._asking = True
            answered = partial(self._answered, self.row)
            find_out(self, partial(self.engine.details, self.row), answered, answered, "details")

    def _links(self) -> list[Place]:
        """The rows that it is about and that have a panel."""
        row = self._found.row if isinstance(self._found, Details) else self.row
        return links_of(self._fold, row)[:MOST_LINKS]

    def tell(self, width: int) -> Iterator[Paragraph]:
        yield from self._identity()
        yield Paragraph("")
        yield Paragraph("Before → after", style="accent")
        yield from self._changes(width)
        if links := self._links():
            yield Paragraph("")
            yield Paragraph("Its rows: a digit goes there", style="accent")
            for number, place in enumerate(links, 1):
                yield Paragraph(name_of(self._fold, place), f"{number}", indent=LABEL)
        yield Paragraph("")
        yield from tell_stored(self._fold, self.row, width)

    def _identity(self) -> Iterator[Paragraph]:
        row, fold = self.row, self._fold
        entry_id = visible(row.entry_id.decode("ascii", "backslashreplace"), 60)
        yield Paragraph(entry_id, "Id", indent=LABEL)
        yield from (Paragraph(line, label, indent=LABEL) for label, line in _times(row.entry_id, self._zone))
        ordinal = f"{row.ordinal:,}" if row.ordinal else "not known"
        number = self.engine.view.nth(row.ordinal)
        ever = f", and #{number:,} of all that were ever added" if row.ordinal and number != row.ordinal else ""
        yield Paragraph(ordinal + ever, "Ordinal", indent=LABEL)
        yield Paragraph(visible(type_of(fold, row.fields)) or "none", "Type", indent=LABEL)
        yield Paragraph(visible(describe(fold, row.fields)), "What", indent=LABEL)
        yield from tell_outcome(fold, row, "Outcome", LABEL)
        outcome = outcome_of(fold, row.code)
        if outcome is None:
            return
        if outcome.name == "duplicate":
            yield Paragraph(self._first(), indent=LABEL)
        if outcome.name == "parked":
            yield Paragraph(f"Parked means: {MEANINGS['parked']}.", indent=LABEL)
            stands = standing.of_parked(self.engine.view, fold, Handled(), row)
            yield Paragraph(stands.cell, "Stands", stands.style, LABEL)

    def _first(self) -> str:
        """Which entry was decided under the key of this one."""
        keys = self._fold.keys
        key = keys.of(self.row.fields)
        for other in self._rows[: self._place]:
            outcome = outcome_of(self._fold, other.code)
            first = outcome is not None and outcome.name in ("applied", "rejected")
            if first and other.mark is None and keys.of(other.fields) == key:
                entry_id = visible(other.entry_id.decode("ascii", "backslashreplace"), 60)
                return f"The first with its key is #{self.engine.view.nth(other.ordinal):,}, {entry_id}."
        return "The first with its key came before all that is kept here."

    def _changes(self, width: int) -> Iterator[Paragraph]:
        if self._found is None:
            yield Paragraph("computing …", style="dim")
        elif isinstance(self._found, str):
            yield Paragraph(f"✗ {visible(self._found, 400)}", style="bad")
        else:
            yield from tell_changes(self._fold, self._found.told, width)


def _times(entry_id: bytes, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    """The time that the server put into the id, in UTC and where the reader is."""
    try:
        moment = datetime.fromtimestamp(int(entry_id.partition(b"-")[0]) / 1000, UTC)
        local = moment.astimezone(zone)
    except (ValueError, OverflowError, OSError):
        yield "Time", "the id holds no time"
        return
    yield "UTC", f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"
    offset = f"{local:%z}"
    yield "Local", f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03} {offset[:3]}:{offset[3:5]}"
