"""The line under the status: how the state came to be, and what stands in the way of the consumer."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from esdash.counted import counted
from esdash.engine.shown.view import Phase, Progress, Restored, Rung, SnapshotInfo, View
from esdash.fold.folding import Fold
from esdash.ui.declared import Actions
from esdash.ui.main.invariants import live_lines, past_lines
from esdash.ui.main.status_bar import Moment
from esdash.ui.main.trouble import domain_failed, fits_nowhere
from esdash.ui.paint.drawing import age, bar, clock_time, duration, rate
from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span, join
from esdash.visible import visible

MOST_LINES: Final = 5

_UNDER_WAY: Final = {Phase.CONNECTING: "connecting …", Phase.REPLAYING: "replaying …", Phase.STOPPED: "stopped"}
"""What is said of a phase that says nothing itself."""


def _cut(line: Line, width: int) -> Line:
    return join([Chunk((span,)) for span in line], width, "")


class Banner(PaintedLines):
    """One line as a rule; more while something needs explaining."""

    DEFAULT_CSS = """
    Banner { height: 1; padding: 0 1; }
    """

    def __init__(
        self, fold: Fold, actions: Actions, *, past_kept: bool = False, watched: str = "", id: str | None = None
    ) -> None:
        """`past_kept`: what was replayed can be watched. `watched` is the name of the file whose rules are written."""
        super().__init__(id=id)
        self._watched = watched
        self._fold = fold
        self._actions = actions
        self._past_kept = past_kept
        self._moment: Moment | None = None
        self._origin: SnapshotInfo | None = None
        """The snapshot that the state was restored from."""
        self.farewell = False
        """The person is leaving."""
        self.failure = ""
        """Why the consumer ended by itself."""

    def show(self, moment: Moment) -> None:
        self._moment = moment
        restored, newest = moment.live.restored, moment.live.snapshot
        if restored is not None and newest is not None and restored.snapshot_id == newest.snapshot_id:
            self._origin = newest
        self.refit()

    def refit(self) -> None:
        """Take as many lines as are needed, and draw them."""
        height = max(1, min(MOST_LINES, len(self.lines(self.size.width or 80))))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.sync()

    async def on_click(self) -> None:
        if self._moment is not None and self._moment.past is None and self._moment.live.broken:
            await self.screen.run_action("broken")

    def on_resize(self) -> None:
        """Sentences are wrapped for a width."""
        self.refit()

    def lines(self, width: int) -> Sequence[Line]:
        if self.farewell:
            key = self._actions.key("quit")
            text = f"Leaving: the consumer takes a farewell snapshot … {key} again leaves at once."
            return ((Span(text, "accent"),),)
        if self.failure:
            return tuple((Span(line, "bad"),) for line in wrap(f"✗ {self.failure}", max(width, 20)))
        if self._moment is None:
            return ()
        view, past = self._moment.live, self._moment.past
        in_the_way = view.phase in (Phase.HALTED, Phase.DISCONNECTED)
        lines = self._of_phase(view, width) if past is None or in_the_way else [_cut(past.line, width)]
        if past is None:
            key = self._actions.key("go_to") if self._past_kept else ""
            lines = [*live_lines(view, key, self._moment.wall, width), *lines]
        else:
            lines = [*lines, *past_lines(past.broken, width)]
        if undecided := self._moment.trust.undecided:
            lines = [*lines, self._orphans(view, undecided, width)]
        if fits_nowhere(view, self._fold):
            lines = [*lines, *self._strange(view, width)]
        if (rules := self._moment.rules) is not None:
            from esdash.ui.main.rules_line import rules_line

            lines = [
                *lines[: MOST_LINES - 1],
                rules_line(rules, self._watched, self._actions, self._moment.wall, width),
            ]
        return lines

    def _of_phase(self, view: View, width: int) -> list[Line]:
        if view.phase is Phase.HALTED:
            return self._halted(view, width)
        if view.phase is Phase.DISCONNECTED:
            return self._disconnected(view, width)
        if view.phase is Phase.REPLAYING and view.progress is not None:
            refused = view.restored.rungs if view.restored is not None else ()
            return [*_refused(refused), _replaying(view.progress, width)]
        if view.phase is Phase.RESTORING:
            return _restoring(view, width)
        if view.restored is not None and view.restored.done:
            return [self._restored(view.restored, width), *self._failed_rungs(view, view.restored, width)]
        note = visible(view.phase_note) or _UNDER_WAY.get(view.phase, "")
        return [(Span(note, "dim"),)]

    def _restored(self, restored: Restored, width: int) -> Line:
        if not restored.position.ordinal and not restored.replayed:
            return (Span("↺ the stream was empty at the start", "dim"),)
        replayed = f"{restored.replayed:,} event{'s' if restored.replayed != 1 else ''}"
        took = f"in {duration(restored.replay_seconds)}"
        watches = self._watches(restored)
        if restored.snapshot_id is None:
            chunks = [
                Chunk((Span("↺ replayed ", "dim"), Span(replayed, "strong"), Span(f" {took}", "dim"))),
                Chunk((Span("from the beginning of the stream", "dim"),)),
                *watches,
            ]
        else:
            old = self._age(restored.snapshot_id)
            at = Span(f"#{restored.position.number:,}", "strong")
            load = f" in {duration(restored.load_seconds)}"
            if width < 80:
                return join(
                    [
                        Chunk((Span("↺ snapshot ", "dim"), at)),
                        Chunk((Span("+ ", "dim"), Span(replayed, "strong"), Span(f" replayed {took}", "dim"))),
                        *(Chunk((Span("· ", "dim"), *chunk.spans), chunk.rank) for chunk in watches),
                    ],
                    width,
                    " ",
                )
            chunks = [
                Chunk((Span("↺ restored from snapshot ", "dim"), at)),
                Chunk((Span(visible(restored.snapshot_id, 40), "dim"),), 5),
                *([Chunk((Span(f"{old} old{load}", "dim"),), 4)] if old else [Chunk((Span(load[1:], "dim"),), 4)]),
                Chunk((Span("replayed ", "dim"), Span(replayed, "strong"), Span(f" {took}", "dim"))),
                *watches,
                Chunk((Span(f"{restored.position.ordinal:,} did not have to be", "dim"),), 2),
            ]
        return join(chunks, width, " · ")

    def _watches(self, restored: Restored) -> list[Chunk]:
        """The key that plays what was replayed, where there is something to play."""
        if not self._past_kept or not restored.replayed or not (key := self._actions.key("watch")):
            return []
        return [Chunk((Span(key, "accent"), Span(" watches it", "dim")), 1)]

    def _failed_rungs(self, view: View, restored: Restored, width: int) -> Sequence[Line]:
        """Until another snapshot is stored, which the next start begins with."""
        failed = [rung for rung in restored.rungs if rung.reason]
        tried = {rung.snapshot_id for rung in restored.rungs}
        if not failed or (view.snapshot is not None and view.snapshot.snapshot_id not in tried):
            return ()
        count = counted(len(failed), "snapshot", "snapshots")
        if not failed[0].snapshot_id:
            count = "snapshots"
        key = self._actions.key("ladder")
        chunks = [
            Chunk((Span(f"▲ {count} could not be used", "warning"), Span(f" ({key})", "accent"))),
            Chunk((Span(visible(failed[0].reason or ""), "dim"),)),
        ]
        return (join(chunks, width, ": "),)

    def _orphans(self, view: View, undecided: int, width: int) -> Line:
        what = "entry had been applied and is" if undecided == 1 else "entries had been applied and are"
        key = self._actions.key("orphans")
        chunks = [
            Chunk((Span(f"▲ {undecided:,} {what} gone from the log", "warning"),)),
            Chunk((Span(key, "accent"), Span(" shows them", "dim"))),
        ]
        if view.orphans:
            first = visible(view.orphans[0].entry_id.decode("utf-8", "backslashreplace"))
            known = "the first" if view.orphans_gone <= len(view.orphans) else "the first known"
            chunks.insert(1, Chunk((Span(f"{known} {first}", "warning"),), 1))
        return join(chunks, width, ", ")

    def _age(self, snapshot_id: str) -> str:
        if self._moment is None or self._origin is None or self._origin.snapshot_id != snapshot_id:
            return ""
        return age(self._moment.wall - self._origin.created_ms / 1000)

    def _strange(self, view: View, width: int) -> list[Line]:
        name, stream = visible(self._fold.name, 40), visible(view.stream, 60)
        told = f"▲ These entries are none of {name}'s events. "
        if "raw" in self._actions:
            told += f"{self._actions.key('raw')} shows them as they are, like `esdash --domain raw`."
        else:
            told += f"`esdash --domain raw --stream {stream}` shows any stream."
        return [(Span(line, "warning"),) for line in wrap(told, max(width, 20))]

    def _disconnected(self, view: View, width: int) -> list[Line]:
        assert self._moment is not None
        ago = self._moment.now - view.phase_since
        since = clock_time(int((self._moment.wall - ago) * 1000), self._moment.wall)
        chunks = [
            Chunk((Span(f"○ nothing has been read since {since}", "warning-strong"), Span(f" ({age(ago)})", "dim")))
        ]
        if view.retry_at is not None:
            wait = max(0.0, view.retry_at - self._moment.now)
            chunks.append(Chunk((Span("next try in ", "dim"), Span(f"{wait:.0f} s", "strong"))))
        shown = "What is shown is the last state known." if self._moment.past is None else ""
        why = f"{visible(view.phase_note, 500)} {shown}".strip()
        told = wrap(why, max(width, 20))
        return [join(chunks, width, " · "), *((Span(line, "warning"),) for line in told[:5])]

    def _halted(self, view: View, width: int) -> list[Line]:
        assert self._moment is not None
        gap = view.continuity
        note = view.phase_note or (gap.explanation if gap is not None else "")
        if gap is not None and gap.after and gap.before and gap.before not in note:
            note += f" They lay between {gap.after} and {gap.before}."
        told = wrap(f"■ {visible(note, 400)}", max(width, 20))[:3]
        lines: list[Line] = [(Span(line, "bad"),) for line in told]
        narrow = width < 78
        choices = [("stay", "stay, read-only" if narrow else "stay on the last good state, read-only")]
        if domain_failed(view):
            choices.append(("reload", "mended: reload" if narrow else "reload the mended file and go on"))
        else:
            choices.append(("rebuild", "rebuild, partial" if narrow else "rebuild from what is left"))
        choices.append(("quit", "quit"))
        if self._moment.trust.stayed:
            staying = "The last good state; nothing is applied or published."
            lines.append(join([Chunk((Span(staying, "strong"),))], width))
            choices = choices[1:]
        chunks = [
            Chunk((Span(self._actions.key(name), "accent"), Span(f" {consequence}"))) for name, consequence in choices
        ]
        lines.append(join(chunks, width, "  "))
        return lines


def _restoring(view: View, width: int) -> list[Line]:
    rungs = view.restored.rungs if view.restored is not None else ()
    lines = list(_refused(rungs))
    used = [rung for rung in rungs if rung.reason is None]
    if used:
        lines.append((Span(f"✓ {_name(used[-1])}", "good"),))
    else:
        note = visible(view.phase_note) or "looking for the newest good snapshot …"
        lines.append(join([Chunk((Span(f"◔ {note}", "information"),))], width))
    return lines


def _refused(rungs: Sequence[Rung]) -> tuple[Line, ...]:
    tried = [rung for rung in rungs if rung.reason]
    return tuple(
        (Span(f"✗ {_name(rung)}", "warning"), Span(f": {visible(rung.reason or '')}", "dim")) for rung in tried[-3:]
    )


def _name(rung: Rung) -> str:
    if rung.snapshot_id is None:
        return "from the beginning of the stream"
    return f"snapshot {visible(rung.snapshot_id, 40)} #{rung.position.number:,}"


def _replaying(progress: Progress, width: int) -> Line:
    fraction = progress.done / progress.total if progress.total else 1.0
    left = "" if progress.seconds_left is None else f"{duration(progress.seconds_left)} left"
    chunks = [
        Chunk((Span("▶ replaying", "information"),)),
        Chunk((Span(f"{int(fraction * 100):3} %", "strong"),)),
        Chunk((Span(f"{progress.done:,}", "strong"), Span(f" of {progress.total:,}", "dim")), 2),
        Chunk((Span(rate(progress.rate), "strong"),), 1),
        *([Chunk((Span(left, "strong"),))] if left else []),
    ]
    line = join(chunks, width - 14, "  ")
    room = min(60, width - sum(Chunk((span,)).width for span in line) - 4)
    if room < 6:
        return line
    drawn = bar(fraction, room)
    filled = drawn.rstrip()
    return (
        line[0],
        Span("  "),
        Span(filled, "information"),
        Span("─" * (room - len(filled)), "track"),
        *line[1:],
    )
