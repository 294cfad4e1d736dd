"""Where the state came from: every rung of the restore ladder, the replay after it, and the snapshots there are."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esdash.counted import counted
from esdash.engine.console import Console
from esdash.engine.shown.view import Phase, Restored, Rung, View
from esdash.ui.asking import find_out
from esdash.ui.paint.drawing import age, clock_time, duration, rate
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.text_dialog import TextDialog
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.past.shown.stored import Stored

_LABEL: Final = 11
"""Cells of the column of labels."""


class LadderScreen(TextDialog[str]):
    """The whole ladder, also while it is climbed down; under it the stored snapshots, where a past is kept. Left with
    Enter on one of them, it gives the id."""

    LOOKED_AT_EVERY = 0.25
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark the moment of a snapshot", show=False),
        Binding("q,L,enter", "leave", "Close", show=False),
    ]
    DEFAULT_CSS = """
    LadderScreen OptionList, LadderScreen OptionList:focus {
        dock: bottom; height: auto; max-height: 6; border: none; padding: 0; background: $surface;
        &:ansi { background: ansi_default; }
    }
    """

    def __init__(
        self,
        console: Console,
        wall_clock: Callable[[], float],
        stored: "Callable[[], Sequence[Stored]] | None" = None,
        mark: "Callable[[Stored], object]" = id,
    ) -> None:
        """`stored` gives the snapshots, and may take its time; `mark` is called with the one that is to be marked."""
        super().__init__("Where the state came from")
        self.engine = console
        self._wall_clock = wall_clock
        self._stored = stored
        self._mark = mark
        self._listed: Sequence[Stored] = ()

    def foot(self) -> ComposeResult:
        options = OptionList(id="stored", markup=False)
        options.display = False
        yield options

    def on_mount(self) -> None:
        super().on_mount()
        if self._stored is not None:
            # What is wrong with the server is said by the banner.
            find_out(self, self._stored, self._list, lambda _: None, "snapshots")

    def _list(self, found: "Sequence[Stored]") -> None:
        if not found:
            return
        self._listed = found
        options = self.query_one(OptionList)
        wall = self._wall_clock()
        options.add_options(
            Option(f"#{each.number:<10,} {clock_time(each.created_ms, wall):>11}  {visible(each.snapshot_id, 40)}")
            for each in found
        )
        options.display = True
        options.highlighted = 0
        options.focus()
        self._frame.border_subtitle = "snapshots: ↑↓ choose · Enter that moment · m mark, compare · Esc close"

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._listed[event.option_index].snapshot_id)

    def action_mark(self) -> None:
        """Mark the moment of the chosen snapshot, or compare it with the one that is marked."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self._mark(self._listed[place])

    def known(self) -> object:
        """A rung may be tried just now, and snapshots grow old."""
        view = self.engine.view
        return view.phase, view.restored, view.snapshot, view.snapshot_note, int(self._wall_clock()) // 10

    def tell(self, width: int) -> Iterator[Paragraph]:  # noqa: ARG002 - the same at every width
        view = self.engine.view
        yield Paragraph("The ladder", style="accent")
        if view.restored is None:
            yield Paragraph("Nothing was restored yet.", style="dim")
        else:
            yield from _rungs(view.restored, view.phase)
            yield Paragraph("")
            yield Paragraph("Replay", style="accent")
            yield from _replay(view.restored, view)
        yield Paragraph("")
        yield Paragraph("Snapshots", style="accent")
        yield from _snapshots(view, self._wall_clock())


def _rungs(restored: Restored, phase: Phase) -> Iterator[Paragraph]:
    for rung in restored.rungs:
        if rung.reason is not None:
            yield Paragraph(f"✗ {_name(rung)}", style="warning")
            yield Paragraph(f"could not be used: {visible(rung.reason, 300)}", "  ", "dim", 2)
        else:
            yield Paragraph(f"✓ {_name(rung)}", style="good")
            if rung.snapshot_id is not None:
                yield Paragraph(f"up to {visible(rung.position.last_event_id, 45)}", "  ", "dim", 2)
    if phase is Phase.RESTORING and (not restored.rungs or restored.rungs[-1].reason is not None):
        yield Paragraph("◔ trying the next one …", style="dim")


def _replay(restored: Restored, view: View) -> Iterator[Paragraph]:
    if restored.snapshot_id is not None:
        yield Paragraph(duration(restored.load_seconds), "loaded in", indent=_LABEL)
        saved = restored.position.ordinal
        events = counted(saved, "event", "events")
        yield Paragraph(f"{events} that did not have to be replayed", "saved", indent=_LABEL)
    if not restored.done:
        progress = view.progress
        done = "not yet" if progress is None else f"{progress.done:,} of {progress.total:,} events so far"
        yield Paragraph(done, "replayed", indent=_LABEL)
        return
    events = counted(restored.replayed, "event", "events")
    speed = restored.replayed / restored.replay_seconds if restored.replay_seconds > 0 else 0.0
    at = f", {rate(speed)}" if restored.replayed >= 1000 and speed else ""
    yield Paragraph(f"{events} in {duration(restored.replay_seconds)}{at}", "replayed", indent=_LABEL)


def _snapshots(view: View, wall: float) -> Iterator[Paragraph]:
    newest = view.snapshot
    if newest is None:
        yield Paragraph("none is stored", "newest", indent=_LABEL)
    else:
        old = age(wall - newest.created_ms / 1000)
        kilobytes = max(1, newest.size // 1024)
        yield Paragraph(f"{visible(newest.snapshot_id, 40)} at event #{newest.position.number:,}", "newest", "", _LABEL)
        yield Paragraph(
            f"{old} ago in {duration(newest.seconds)}, {kilobytes:,} kB, digest {visible(newest.digest, 16)}",
            "taken",
            indent=_LABEL,
        )
    note = visible(view.snapshot_note, 300)
    if view.readonly:
        yield Paragraph("not by this dashboard: it is read-only", "taken by", indent=_LABEL)
    elif note.startswith("taken by "):
        yield Paragraph(f"{note.removeprefix('taken by ')}, which holds the lease", "taken by", indent=_LABEL)
    elif note:
        yield Paragraph(note, "failed", "warning", _LABEL)
    else:
        yield Paragraph("this dashboard", "taken by", indent=_LABEL)


def _name(rung: Rung) -> str:
    if rung.snapshot_id is None:
        return "the beginning of the stream"
    if not rung.snapshot_id:
        return "snapshots"
    at = f" at event #{rung.position.number:,}" if rung.position.ordinal else ""
    return f"snapshot {visible(rung.snapshot_id, 40)}{at}"
