"""Where the state came from: every rung of the restore ladder, the replay after it, and who takes snapshots."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from esdash.counted import counted
from esdash.engine.console import Console
from esdash.engine.view import Phase, Restored, Rung, View
from esdash.ui.paint.drawing import age, duration, rate
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.text_dialog import TextDialog
from esdash.visible import visible

_LABEL: Final = 11
"""Cells of the column of labels."""


class LadderScreen(TextDialog[None]):
    """The whole ladder, also while it is climbed down."""

    LOOKED_AT_EVERY = 0.25
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,L,enter", "leave", "Close", show=False)]

    def __init__(self, console: Console, wall_clock: Callable[[], float]) -> None:
        super().__init__("Where the state came from")
        self.engine = console
        self._wall_clock = wall_clock

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
