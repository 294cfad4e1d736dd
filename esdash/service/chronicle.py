"""What happens to a consumer, read from one view after the other."""

from collections.abc import Iterator
from typing import Any

from esdash.counted import counted
from esdash.engine.shown.view import Phase, Restored, Rung, View
from esdash.log.continuity import Verdict
from esdash.service.logs import Happening, Level

_LEVELS = {"information": Level.INFO, "warning": Level.WARNING, "error": Level.ERROR}


class Chronicle:
    """Compares each view with the one before. Belongs to the thread that runs the consumer."""

    def __init__(self, name: str) -> None:
        """`name` is what this process is called as a holder of the lease on snapshots."""
        self.reconnects = 0
        """How often it was live or on its way there, lost its server, and found it again."""
        self._name = name
        self._last: View | None = None
        self._told: Restored | None = None
        self._lost = False
        self._was_connected = False
        self._unseen = 0
        self._noticed = 0

    def look(self, view: View) -> Iterator[Happening]:
        """What happened since the last view."""
        last, self._last = self._last, view
        yield from self._restored(last, view)
        yield from self._snapshot(last, view)
        yield from self._phase(last, view)
        yield from self._partial(view)
        if last is not None and view.orphans_gone > last.orphans_gone:
            gone = counted(view.orphans_gone, "entry", "entries")
            yield Happening(
                "diverged", f"Applied and gone from the log: {gone}.", Level.ERROR, {"orphans": view.orphans_gone}
            )
        if view.edited and not (last is not None and last.edited):
            yield Happening(
                "rules_edited",
                "The source of the rules was edited since the snapshot was taken, and their version was not.",
                Level.WARNING,
            )
        for notice in view.notices:
            if notice.number > self._noticed:
                self._noticed = notice.number
                yield Happening("notice", notice.text, _LEVELS.get(notice.severity, Level.WARNING))

    def _phase(self, last: View | None, view: View) -> Iterator[Happening]:
        if view.phase is Phase.DISCONNECTED:
            self._lost = self._lost or self._was_connected
        elif view.phase in (Phase.RESTORING, Phase.REPLAYING, Phase.LIVE):
            if self._lost:
                self.reconnects += 1
                yield Happening("reconnected", "Connected again.", fields={"reconnects": self.reconnects})
            self._lost, self._was_connected = False, True
        if last is None or (view.phase, view.phase_note) != (last.phase, last.phase_note):
            level = {Phase.DISCONNECTED: Level.WARNING, Phase.HALTED: Level.ERROR}.get(view.phase, Level.INFO)
            replayed = self._replayed(view)
            yield Happening(str(view.phase), _phase_text(view, replayed), level, _fields(view, replayed))

    def _replayed(self, view: View) -> Restored | None:
        """What was replayed, when that is told for the first time."""
        if view.phase is not Phase.LIVE or view.restored is None or view.restored == self._told:
            return None
        self._told = view.restored
        return view.restored

    def _restored(self, last: View | None, view: View) -> Iterator[Happening]:
        """The ladder, when it was climbed down to its end."""
        restored = view.restored
        if restored is None or not restored.rungs or restored.rungs[-1].reason is not None:
            return
        before = last.restored if last else None
        if before is not None and before.rungs == restored.rungs:
            return
        yield Happening(
            "restored",
            _restored_text(restored),
            Level.WARNING if len(restored.rungs) > 1 else Level.INFO,
            {
                "snapshot": restored.snapshot_id,
                "ordinal": restored.position.ordinal,
                "seconds": round(restored.load_seconds, 6),
                "not_used": [
                    {"snapshot": rung.snapshot_id, "reason": rung.reason} for rung in restored.rungs if rung.reason
                ],
            },
        )

    def _partial(self, view: View) -> Iterator[Happening]:
        unseen = view.continuity.unseen_before_start if view.continuity else self._unseen
        if unseen > self._unseen:
            gone = counted(unseen, "entry was", "entries were")
            yield Happening(
                "partial",
                f"Partial history: {gone} gone from the stream before this state began, and not in it.",
                Level.WARNING,
                {"unseen": unseen},
            )
        self._unseen = unseen

    def _snapshot(self, last: View | None, view: View) -> Iterator[Happening]:
        before = last.snapshot if last else None
        snapshot = view.snapshot
        known = view.phase in (Phase.CONNECTING, Phase.RESTORING) or (
            before is not None and snapshot is not None and before.snapshot_id == snapshot.snapshot_id
        )
        if snapshot is not None and not known:
            who = f", taken by {view.lease_holder}" if self._stands_by(view) else " taken"
            yield Happening(
                "snapshot",
                f"Snapshot {snapshot.snapshot_id} at event {snapshot.position.number:,}{who}.",
                fields={
                    "snapshot": snapshot.snapshot_id,
                    "ordinal": snapshot.position.ordinal,
                    "bytes": snapshot.size,
                    "seconds": round(snapshot.seconds, 6),
                },
            )
        if view.lease_holder and view.lease_holder != (last.lease_holder if last else ""):
            if self._stands_by(view):
                text = f"Standing by: {view.lease_holder} takes the snapshots."
                yield Happening("standby", text, fields={"holder": view.lease_holder})
            else:
                yield Happening("lease_taken", "This process takes the snapshots now.")

    def _stands_by(self, view: View) -> bool:
        return view.lease_holder not in ("", self._name)


def _phase_text(view: View, replayed: Restored | None) -> str:
    if view.phase is Phase.CONNECTING:
        return f"Connecting to {view.server} for the stream {view.stream}."
    text = str(view.phase).capitalize()
    if view.phase_note:
        return f"{text}: {view.phase_note}"
    if view.phase in (Phase.LIVE, Phase.REPLAYING, Phase.STOPPED):
        entries = counted(view.position.ordinal, "entry", "entries")
        since = f", {replayed.replayed:,} replayed in {replayed.replay_seconds:.2f} s" if replayed else ""
        latest = f", the last {view.position.last_event_id}" if view.position.ordinal else ""
        return f"{text}: {entries}{latest}{since}."
    return f"{text}."


def _fields(view: View, replayed: Restored | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"stream": view.stream, "server": view.server}
    if view.position.ordinal:
        fields |= {"ordinal": view.position.ordinal, "last_event_id": view.position.last_event_id, "lag": view.lag}
    if replayed is not None:
        fields |= {"replayed": replayed.replayed, "replay_seconds": round(replayed.replay_seconds, 6)}
    if view.continuity is not None:
        fields["continuity"] = str(view.continuity)
        if view.continuity.verdict is Verdict.GAP:
            fields |= {
                "missing": view.continuity.missing,
                "after": view.continuity.after,
                "before": view.continuity.before,
            }
    return fields


def _restored_text(restored: Restored) -> str:
    where = (
        f"from snapshot {restored.snapshot_id} at event {restored.position.number:,}"
        if restored.snapshot_id
        else "from the beginning of the stream"
    )
    return " ".join([f"Restored {where}.", *(_refused(rung) for rung in restored.rungs if rung.reason)])


def _refused(rung: Rung) -> str:
    reason = (rung.reason or "").rstrip(".")
    return f"Snapshot {rung.snapshot_id} was not used: {reason}." if rung.snapshot_id else f"{reason}."
