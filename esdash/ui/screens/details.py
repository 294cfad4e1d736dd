"""Everything about one entry: what it is, what it did, and how it is stored."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerState

from esdash.engine.console import Console, Details, EngineError
from esdash.engine.domain import Row
from esdash.shop.story import Change, describe, payload_of, type_of
from esdash.ui.handled import Handled
from esdash.ui.outlook import amount
from esdash.ui.reasons import GLYPHS, MEANINGS, outcome_of, sentence
from esdash.ui.screens.dialog import Dialog
from esdash.ui.standing import of_parked
from esdash.ui.widgets.log_source import the_newest
from esdash.ui.widgets.pager import Pager, Paragraph
from esdash.ui.widgets.payload import LABEL, copyable, tell_fields, too_large
from esdash.visible import visible

_STYLES: Final = {"applied": "good", "rejected": "bad", "parked": "warning", "duplicate": "dim"}


class DetailsScreen(Dialog[None]):
    """One entry of the log. With `rows`, its neighbours are a key away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter", "leave", "Close", show=False),
        Binding("n,right", "turn(1)", "Next entry", show=False),
        Binding("p,left", "turn(-1)", "Previous entry", show=False),
        Binding("y", "copy", "Copy the payload", show=False),
    ]

    def __init__(self, console: Console, row: Row, rows: Sequence[Row] = (), zone: tzinfo | None = None) -> None:
        """`zone` is for the local time; None is the computer's."""
        super().__init__()
        self.engine = console
        self.row = row
        self._rows = rows
        self._place = next((place for place, other in enumerate(rows) if other.entry_id == row.entry_id), None)
        self._zone = zone
        self._found: Details | str | None = None
        """What the entry changed, why that cannot be said, or None while it is computed."""
        self._asking: Worker[Details] | None = None
        self._asked: Row | None = None

    def compose(self) -> ComposeResult:
        """One long text."""
        turn = "n/p next/previous · " if self._place is not None else ""
        with self.frame("Entry", f"↑↓ scroll · {turn}y copy · Esc close"):
            yield Pager(self._tell, id="pager")

    def on_mount(self) -> None:
        """Show what is known, and ask for the rest."""
        self.query_one("#dialog").add_class("-wide")
        self._title()
        self._ask()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The engine has answered; when the reader is at another entry by now, ask for that one."""
        if event.worker is not self._asking or event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self._asking = None
        if self._asked is not self.row:
            self._ask()
            return
        error = event.worker.error
        if event.state is WorkerState.SUCCESS:
            self._found = event.worker.result
        elif isinstance(error, EngineError):
            self._found = str(error)
        else:
            self._found = f"This could not be computed: {error!r}."
        self.query_one(Pager).write(self._tell, keep_place=True)

    def action_turn(self, step: int) -> None:
        """Go to a neighbour in the log; stay at its ends, and say where there are more beyond."""
        if self._place is None:
            return
        if not 0 <= self._place + step < len(self._rows):
            if step < 0 and (older := self._rows[0].ordinal - 1) > 0:
                kept = the_newest(len(self._rows), older)
                self.notify(f"The dashboard keeps {kept}; `esdash events` reads those before them.", markup=False)
            return
        self._place += step
        self.row = self._rows[self._place]
        self._found = None
        self._title()
        self.query_one(Pager).write(self._tell)
        self._ask()

    def action_copy(self) -> None:
        """Put the payload on the clipboard."""
        if why_not := too_large(self.row, "copied"):
            self.notify(why_not, severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(copyable(payload_of(self.row.fields)))
        self.notify("The payload was copied.", markup=False)

    def _title(self) -> None:
        number = f" {self.engine.view.nth(self.row.ordinal):,}" if self.row.ordinal else ""
        self.query_one("#dialog").border_title = f"Entry{number}"

    def _ask(self) -> None:
        # One question at a time: leafing through many entries must not start a replay for each.
        if self._asking is None:
            self._asked = self.row
            ask = partial(self.engine.details, self.row)
            self._asking = self.run_worker(ask, group="details", thread=True, exit_on_error=False)

    def _tell(self, width: int) -> Iterator[Paragraph]:
        yield from self._identity()
        yield Paragraph("")
        yield Paragraph("Before → after", style="title")
        yield from self._changes()
        yield Paragraph("")
        yield Paragraph("As it is stored", style="title")
        yield from tell_fields(self.row.fields, width, self.row.sizes)

    def _identity(self) -> Iterator[Paragraph]:
        row = self.row
        entry_id = visible(row.entry_id.decode("ascii", "backslashreplace"), 60)
        yield Paragraph(entry_id, "Id", indent=LABEL)
        yield from (Paragraph(line, label, indent=LABEL) for label, line in _times(row.entry_id, self._zone))
        ordinal = f"{row.ordinal:,}" if row.ordinal else "not known"
        number = self.engine.view.nth(row.ordinal)
        ever = f", and #{number:,} of all that were ever added" if row.ordinal and number != row.ordinal else ""
        yield Paragraph(ordinal + ever, "Ordinal", indent=LABEL)
        yield Paragraph(visible(type_of(row.fields)) or "none", "Type", indent=LABEL)
        yield Paragraph(visible(describe(row.fields)), "What", indent=LABEL)
        outcome = outcome_of(row.code)
        if outcome is None:
            yield Paragraph("not known any more", "Outcome", "dim", LABEL)
            return
        name = outcome.name if outcome.reason is None else f"{outcome.name}: {outcome.reason}"
        yield Paragraph(f"{GLYPHS[outcome.name]} {name}", "Outcome", _STYLES[outcome.name], LABEL)
        yield Paragraph(sentence(outcome), indent=LABEL)
        if outcome.name == "parked":
            yield Paragraph(f"Parked means: {MEANINGS['parked']}.", indent=LABEL)
            stands = of_parked(self.engine.view, Handled(), row)
            yield Paragraph(stands.cell, "Stands", stands.style, LABEL)

    def _changes(self) -> Iterator[Paragraph]:
        if self._found is None:
            yield Paragraph("computing …", style="dim")
        elif isinstance(self._found, str):
            yield Paragraph(f"✗ {visible(self._found, 400)}", style="bad")
        elif not self._found.changes:
            yield Paragraph("The entry is about no number of the state.", style="dim")
        else:
            yield from _table(self._found.changes)


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


def _table(changes: Sequence[Change]) -> Iterator[Paragraph]:
    if all(change.before == change.after for change in changes):
        yield Paragraph("Nothing changed. At that moment the numbers were:", style="dim")
    names = [f"{'user ' if change.kind == 'balance' else ''}{visible(change.subject, 30)}" for change in changes]
    widest = max(map(cell_len, names))
    for name, change in zip(names, changes, strict=True):
        subject = name + " " * (widest - cell_len(name))
        before, after = amount(change, change.before), amount(change, change.after)
        label = f"{change.kind:<8}"
        if change.before == change.after:
            number = "does not exist" if change.before is None else f"{before}, unchanged"
            yield Paragraph(f"{subject}  {number}", label, "dim", LABEL)
        else:
            yield Paragraph(f"{subject}  {before} → {after}{_difference(change)}", label, indent=LABEL)


def _difference(change: Change) -> str:
    if change.before is None or change.after is None:
        return ""
    difference = change.after - change.before
    told = amount(change, abs(difference))
    return f"  ({'+' if difference > 0 else '−'}{told})"
