"""A full replay in the background, compared with every snapshot and the live state."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from esdash.counted import counted
from esdash.engine.console import Console, VerificationStatus
from esdash.engine.shown.view import Position
from esdash.fold.folding import Fold
from esdash.ui.paint.drawing import bar, duration, fit, rate
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.text_dialog import TextDialog
from esdash.ui.trust.verification import VerificationWatch, compared, percent
from esdash.visible import visible
from esdash.words.changes import difference_of

if TYPE_CHECKING:
    from esdash.engine.shown.verification import Segment, Verification
    from esdash.fold.stored import Difference

_LABEL: Final = 10
"""Cells of the column of labels."""


class VerifyScreen(TextDialog[None]):
    """Starts a verification, or shows the one that runs or ran last. Leaving lets it run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,v", "leave", "Close", show=False),
        Binding("x", "stop", "Stop", show=False),
        Binding("r", "again", "Verify again", show=False),
    ]
    LOOKED_AT_EVERY = 0.1
    AUTO_FOCUS = "#pager"

    def __init__(self, console: Console, watch: VerificationWatch) -> None:
        super().__init__("Verification", "x stop · r again · Esc close, it runs on")
        self.engine = console
        self._watch = watch

    def foot(self) -> ComposeResult:
        with Vertical(id="foot"), Horizontal(id="buttons"):
            yield Button("Stop", id="switch", action="screen.switch", compact=True)
            yield Button("Close", id="close", action="screen.leave", compact=True)

    def on_mount(self) -> None:
        if self.engine.verifying.verification is None:
            self.engine.verifying.start_verification()
        super().on_mount()

    def known(self) -> object:
        return self.engine.verifying.verification

    def look(self) -> None:
        self._watch.look(self.engine.verifying.verification)
        if self.is_current:  # else it is being left: what it shows now nobody sees
            self._watch.ended = None
            self.relabel("switch", "Stop" if self._runs else "Verify again")
            super().look()

    @property
    def _runs(self) -> bool:
        status = self.engine.verifying.verification
        return status is not None and status.running

    def action_stop(self) -> None:
        if self._runs:
            self.engine.verifying.stop_verification()

    def action_again(self) -> None:
        if not self._runs:
            self.engine.verifying.start_verification()
            self.look()

    def action_switch(self) -> None:
        if self._runs:
            self.action_stop()
        else:
            self.action_again()

    def tell(self, width: int) -> Iterator[Paragraph]:
        status = self.engine.verifying.verification
        if status is None:
            return
        if status.running:
            yield from self._progress(status, width)
        elif status.result is not None:
            yield from tell_result(status.result, self.engine.fold)
        else:
            yield Paragraph(f"✗ There is no result. {visible(status.error, 500)}", style="bad")

    def _progress(self, status: VerificationStatus, width: int) -> Iterator[Paragraph]:
        if not status.total or not status.done:
            yield Paragraph("◔ Reading the snapshots …")
        else:
            done = f"{percent(status):3} %"
            filled = bar(status.done / status.total, max(8, width - len(done) - 2)).rstrip()
            track = "─" * (max(8, width - len(done) - 2) - len(filled))
            yield Paragraph(f"{filled}{track}  {done}", verbatim=True)
        speed = self._watch.rate(status)
        left = f" · {duration((status.total - status.done) / speed)} left" if speed and percent(status) else ""
        yield Paragraph(f"{status.done:,} of {status.total:,} events · {rate(speed)}{left}")
        yield Paragraph("")
        yield Paragraph(
            "All events are replayed from the beginning, the segments between snapshots side by side. At each stored "
            "snapshot, and at the end with the live state, the two must agree.",
            style="dim",
        )


def tell_result(found: "Verification", fold: Fold) -> Iterator[Paragraph]:
    """What a verification found: the verdict first, then each segment and snapshot."""
    events = counted(found.entries, "event", "events")
    took = f"{events} replayed in {duration(found.seconds)}"
    first = found.first_difference
    if first is not None:
        yield from _tell_difference(first, fold)
    elif found.damaged:
        yield Paragraph("✗ The replay agrees with all that could be read, but a snapshot is damaged.", style="bad")
    else:
        yield Paragraph(f"✓ Everything agrees: {took}, the same as {compared(found)}.", style="good")
    if found.unseen > 0:
        missing = counted(found.unseen, "older event is", "older events are")
        yield Paragraph(f"◐ {missing} not in the stream any more and could not be replayed.", style="warning")
    for title, style, snapshots in (
        ("Damaged snapshots, which no start can use", "bad", found.damaged),
        ("Snapshots that were not compared", "dim", found.skipped),
    ):
        if snapshots:
            yield Paragraph("")
            yield Paragraph(title, style="accent")
        for snapshot_id, reason in snapshots:
            glyph = "✗" if style == "bad" else "–"
            yield Paragraph(f"{glyph} {visible(snapshot_id, 40)}: {visible(reason, 300)}", style=style)
    yield Paragraph("")
    yield Paragraph(f"Segments · {took}", style="accent")
    for segment in found.segments:
        glyph = "–" if segment.found_digest is None else "✓" if segment.holds else "✗"
        style = {"–": "dim", "✓": "good", "✗": "bad"}[glyph]
        yield Paragraph(f"{glyph} {_window(segment)} → {_end(segment)}", style=style)


def _tell_difference(segment: "Segment", fold: Fold) -> Iterator[Paragraph]:
    yield Paragraph(f"✗ The first difference: the replay and {_end(segment)} do not agree.", style="bad")
    yield Paragraph(_place(segment.start), "after", indent=_LABEL)
    yield Paragraph(_place(segment.end), "up to", indent=_LABEL)
    yield Paragraph("")
    if segment.differences:
        yield from _table(segment.differences, fold)
    elif segment.snapshot_id is None:
        yield Paragraph("The digests differ; crash or rebuild the consumer to have its state made anew.")
    else:
        yield Paragraph("The states agree, but the digest that was stored with the snapshot is another.")
    if segment.snapshot_id is not None:
        yield Paragraph("")
        yield Paragraph(
            f"The log decides. `esdash snapshot delete {visible(segment.snapshot_id, 40)}` removes the snapshot; "
            "rebuild a consumer that was restored from it."
        )


def _table(differences: "tuple[Difference, ...]", fold: Fold) -> Iterator[Paragraph]:
    rows = [("", "replayed", "found")]
    for each in differences:
        first, second = difference_of(fold, each)
        rows.append((visible(each.number, 60), visible(first, 40), visible(second, 40)))
    widest = [max(cell_len(row[column]) for row in rows) for column in range(3)]
    for index, (name, replayed, found) in enumerate(rows):
        padded = name + " " * (widest[0] - cell_len(name))
        line = f"{padded}  {fit(replayed, widest[1], right=True)}  {fit(found, widest[2], right=True)}"
        yield Paragraph(line, verbatim=True, style="dim" if index == 0 else "")


def _window(segment: "Segment") -> str:
    if segment.start.ordinal == segment.end.ordinal:
        return f"no event after #{segment.end.number:,}"
    return f"events {segment.start.number + 1:,} to {segment.end.number:,}"


def _end(segment: "Segment") -> str:
    if segment.snapshot_id is not None:
        return f"snapshot {visible(segment.snapshot_id, 40)}"
    return "the newest event, compared with nothing" if segment.found_digest is None else "the live state"


def _place(position: Position) -> str:
    if not position.ordinal:
        return "the beginning of the stream"
    return f"event #{position.number:,}, {visible(position.last_event_id, 45)}"
