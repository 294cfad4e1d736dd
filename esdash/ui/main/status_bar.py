"""The status at the top: the phase, whose stream this is, whether it can be trusted; how much, how fast, how safe."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from esdash.counted import counted
from esdash.engine.console import LoadStatus, VerificationStatus
from esdash.engine.shown.view import Continuity, Phase, Verdict, View
from esdash.ui.main.trouble import domain_failed
from esdash.ui.paint.drawing import age, clock_time, rate, sparkline
from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span, join
from esdash.ui.past.past_now import PastNow
from esdash.ui.tables.log_cells import Mark
from esdash.ui.trust.verification import percent
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.whatif.telling import Told

PHASES: Final = {
    Phase.CONNECTING: Mark("◌", "warning"),
    Phase.RESTORING: Mark("◔", "information"),
    Phase.REPLAYING: Mark("▶", "information"),
    Phase.LIVE: Mark("●", "good"),
    Phase.DISCONNECTED: Mark("○", "warning"),
    Phase.HALTED: Mark("■", "bad"),
    Phase.STOPPED: Mark("□", "dim"),
}
"""Glyph, word and colour all tell the phase, each alone."""

VERDICTS: Final = {
    Verdict.CONTINUOUS: Mark("✓", "good"),
    Verdict.GAP: Mark("✗", "bad"),
    Verdict.DIVERGED: Mark("✗", "bad"),
    Verdict.UNKNOWN: Mark("?", "warning"),
}


ROOMY: Final = 140
"""Columns from which a partial history is told in a sentence."""


class TrustNow(Struct, frozen=True):
    """What the dashboard itself knows about trust, beside the view."""

    verification: VerificationStatus | None = None
    """The one that runs or ran last."""
    undecided: int = 0
    """Orphans about which nothing was decided yet."""
    stayed: bool = False
    """While halted: a person has chosen to stay on the last good state."""


class Moment(Struct, frozen=True):
    """All that the screen shows of one moment."""

    live: View
    """The consumer now."""
    shown: View
    """What the panels show: the same, or an older one while paused."""
    load: LoadStatus
    now: float
    """On the clock of `View.phase_since`."""
    wall: float
    """Unix seconds."""
    paused: bool = False
    """A person stopped the picture."""
    trust: TrustNow = TrustNow()
    past: PastNow | None = None
    """The moment of the past that `shown` is of; None: it is of now."""
    rules: "Told | None" = None
    """What is told of rules that are being written; None where none are watched."""


class StatusBar(PaintedLines):
    """Two lines."""

    DEFAULT_CSS = """
    StatusBar { height: 2; padding: 0 1; background: $panel; &:ansi { background: ansi_default; } }
    """

    def __init__(self, profile: str = "", *, id: str | None = None) -> None:
        """`profile` is what a person calls the server; empty: nothing."""
        super().__init__(id=id)
        self._profile = [Chunk((Span(f" {visible(profile, 40)} ", "tag"),), 1)] if profile else []
        self._moment: Moment | None = None

    def show(self, moment: Moment) -> None:
        self._moment = moment
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        if self._moment is None:
            return ()
        if self._moment.past is not None:
            past = self._moment.past
            return _as_of(self._moment, past, width), _counts(self._moment, past, self._profile, width)
        return _identity(self._moment, self._profile, width), _numbers(self._moment, width)


def _as_of(moment: Moment, past: PastNow, width: int) -> Line:
    live, mark = moment.live, PHASES[moment.live.phase]
    when = clock_time(past.time, moment.wall) if past.time else "before the first entry"
    now = f"live: {mark.glyph} {live.phase.value.upper()}"
    chunks = [
        Chunk((Span(f" ◆ AS OF #{past.number:,} ", "tag"), Span(f" {when}", "strong"))),
        *([Chunk((Span(f"{age(moment.wall - past.time / 1000)} ago", "strong"),), 2)] if past.time else []),
        *([Chunk((Span(f"▶ playing {_pace(past.pace)}", "accent"),), 1)] if past.pace else []),
        Chunk((Span(now, mark.style),)),
        Chunk((Span(f"#{live.position.number:,} · {rate(live.rate)}", "dim"),), 3),
    ]
    return join(chunks, width, "  ")


def _pace(pace: int) -> str:
    if pace > 0:
        return f"{pace:,}/s"
    return "as it came" if pace == -1 else f"{-pace:,} × as fast as it came"


def _counts(moment: Moment, past: PastNow, profile: Sequence[Chunk], width: int) -> Line:
    chunks = [
        Chunk((Span(f"✓ {past.applied:,}", "good"), Span(" applied", "dim"))),
        Chunk((Span(f"✗ {past.rejected:,}", "bad"), Span(" rejected", "dim"))),
        Chunk((Span(f"! {past.parked:,}", "warning"), Span(" parked", "dim"))),
        *profile,
        Chunk((Span("stream ", "dim"), Span(visible(moment.live.stream, 60), "strong")), 2),
        *([Chunk((Span(" READ-ONLY ", "tag"),), 1)] if moment.live.readonly else []),
        *_partial(moment.live.continuity, width, 3),
    ]
    return join(chunks, width, " · ")


def _identity(moment: Moment, profile: Sequence[Chunk], width: int) -> Line:
    view = moment.live
    mark = PHASES[view.phase]
    chunks = [Chunk((Span(f"{mark.glyph} {view.phase.value.upper()}", f"{mark.style}-strong"),))]
    if moment.paused:
        behind = max(0, view.position.ordinal - moment.shown.position.ordinal)
        since = f" +{behind:,} events since" if behind else ""
        chunks.append(Chunk((Span(" ❚❚ PAUSED ", "tag"), Span(since, "strong"))))
    chunks += profile
    chunks.append(Chunk((Span(visible(view.server, 80) or "…"),), 3))
    label = (Span("stream ", "dim"),) if width >= 80 else ()
    chunks.append(Chunk((*label, Span(visible(view.stream, 60), "strong")), 2))
    if view.readonly:
        chunks.append(Chunk((Span(" READ-ONLY ", "tag"),), 1))
    trust = _trust(view.continuity, width)
    used = sum(chunk.width + 2 for chunk in trust)
    left = join(chunks, width - used, "  ")
    filled = sum(Chunk((span,)).width for span in left)
    return (*left, Span(" " * max(2, width - filled - used + 2)), *join(trust, max(used, 0), "  "))


def _trust(continuity: Continuity | None, width: int) -> list[Chunk]:
    if continuity is None:
        return [Chunk((Span("· continuity not checked yet", "dim"),), 4)]
    mark = VERDICTS[continuity.verdict]
    verdict = Chunk((Span(f"{mark.glyph} {continuity}", f"{mark.style}-strong"),))
    return [*_partial(continuity, width, 1), verdict]


def _partial(continuity: Continuity | None, width: int, rank: int) -> list[Chunk]:
    """That entries had left the stream before the first one was read."""
    unseen = 0 if continuity is None else continuity.unseen_before_start
    if unseen <= 0:
        return []
    text = f"◐ PARTIAL HISTORY −{unseen:,}"
    if width >= ROOMY:
        missing = counted(unseen, "entry before the first is", "entries before the first are")
        text = f"◐ PARTIAL: {missing} missing"
    return [Chunk((Span(text, "warning"),), rank)]


def _numbers(moment: Moment, width: int) -> Line:
    view = moment.shown
    number, events = counted(view.position.ordinal, "event", "events").split()
    chunks = [
        Chunk((Span(number, "strong"), Span(f" {events}", "dim"))),
        _lag(view),
        Chunk((Span(rate(view.rate).ljust(7), "strong"),)),
        _snapshot(view, moment.wall),
    ]
    if view.snapshot_note.startswith("taken by "):
        chunks.append(Chunk((Span(f"snapshots {visible(view.snapshot_note)}", "dim"),), 4))
    elif view.snapshot_note:
        chunks.append(Chunk((Span(visible(view.snapshot_note), "warning"),), 4))
    verification = moment.trust.verification
    if verification is not None and verification.running:
        chunks.append(Chunk((Span(f"verifying {percent(verification)} %", "accent"),), 1))
    load = moment.load
    if load.running:
        wanted = f"▸ producing {rate(load.rate)}"
        chunks.append(Chunk((Span(wanted, "accent"), Span(f" {load.sent:,} sent", "dim")), 2))
    elif load.error:
        chunks.append(Chunk((Span(f"load stopped: {visible(load.error)}", "warning"),), 3))
    used = sum(chunk.width + 3 for chunk in chunks)
    room = min(len(view.rates), width - used, max(10, width // 4))
    if room >= 6:
        speed = chunks[2].spans
        chunks[2] = Chunk((*speed, Span(" "), Span(sparkline(view.rates, room), "information")))
    return join(chunks, width, " · ")


def _lag(view: View) -> Chunk:
    # The entry that the domain failed on waits, whatever was heard of the stream before.
    told = f"≥ {max(1, view.lag):,}" if domain_failed(view) else f"{view.lag:,}"
    return Chunk((Span("lag ", "dim"), Span(told, "strong" if told == "0" else "warning-strong")))


def _snapshot(view: View, wall: float) -> Chunk:
    snapshot = view.snapshot
    if snapshot is None:
        return Chunk((Span("no snapshot" if view.readonly else "no snapshot yet", "dim"),), 1)
    old = age(wall - snapshot.created_ms / 1000)
    at = f" at #{snapshot.position.number:,}"
    return Chunk((Span("snapshot ", "dim"), Span(f"{old} ago", "strong"), Span(at, "dim")), 1)
