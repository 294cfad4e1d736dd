"""`esdash consume`: the consumer without a screen."""

import signal
import sys
import threading
import time
from types import FrameType
from typing import Any, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.domains import bound_by, fold_of, warn_of_another_domain
from esdash.cli.failures import BadInputError, ExitCode, FailedError
from esdash.cli.interpreter import collect_rarely
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import (
    print_json,
    require_reader,
    say,
    warn,
    warn_of_edited,
    warn_of_partial_history,
    warn_of_rungs,
)
from esdash.cli.presence import absence
from esdash.config import Settings
from esdash.counted import counted
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Stop
from esdash.engine.guard import HaltError
from esdash.engine.shown.view import Rung, View
from esdash.engine.snapshots.snapshot import forgotten
from esdash.engine.verification.live import LiveVerifying
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream

LOOK_SECONDS: Final = 0.2
"""Between two looks at the consumer."""

REPORT_SECONDS: Final = 10.0
"""Between two lines of progress, when something was consumed."""


@click.command()
@click.option("--once", is_flag=True, help="Stop when caught up, and print what was restored and replayed as JSON.")
@click.option("--from-start", is_flag=True, help="Ignore snapshots: replay from the beginning of the stream.")
@click.option("--no-snapshot", is_flag=True, help="Write no snapshots.")
@click.option("--yes", is_flag=True, help="With --from-start: forget what is not in the stream any more, unasked.")
@as_json
@with_settings
def command(settings: Settings, once: bool, from_start: bool, no_snapshot: bool, yes: bool, as_json: bool) -> None:
    """Be a consumer without a screen.

    Restores the newest good snapshot, replays what came since and follows the stream, taking snapshots. Says on
    stderr what it does. SIGINT, SIGTERM or the end of whoever reads its output end it with a last snapshot. When
    continuity is broken it stops with exit code 4.

    --from-start asks before it forgets entries that a snapshot has seen and that have left the stream since; without a
    terminal it wants --yes. With --json, and without --once, each line of progress is a JSON
    object on stdout.
    """
    fold = fold_of(settings)
    settings = bound_by(settings, fold)
    consumer_settings = ConsumerSettings(
        snapshot_seconds=settings.snapshot_seconds,
        write_snapshots=not no_snapshot,
        ignore_snapshots=from_start,
        readonly=settings.readonly,
        watched=False,
        once=once,
    )
    with open_log(settings) as log:
        if missing := absence(log):
            warn(missing if once else f"{missing} Waiting for its first entry.")
        if from_start and not yes and not fold.readonly:
            _ask_before_forgetting(log)
        if not settings.readonly:
            warn_of_another_domain(log, fold)
        if once:
            _catch_up(log, fold, consumer_settings)
        else:
            _go_on(log, fold, consumer_settings, as_json)


def _ask_before_forgetting(log: Stream) -> None:
    """Raises BadInputError when nobody can be asked, and FailedError when the answer is no."""
    gone = forgotten(log, SnapshotStore(log))
    if not gone:
        return
    entries = counted(gone, "entry that a snapshot has seen has", "entries that a snapshot has seen have")
    consequence = f"{entries} left the stream, and a state made from its beginning is without them."
    if not sys.stdin.isatty():
        raise BadInputError(f"{consequence} Leave --from-start out to keep them, or add --yes to lose them.")
    if not click.confirm(f"{consequence} Lose them?", err=True):
        raise FailedError("Nothing was done.")


def _catch_up(log: Stream, fold: Fold, settings: ConsumerSettings) -> None:
    consumer = Consumer(log, fold, settings)
    halt: HaltError | None = None
    begun = time.perf_counter()
    try:
        consumer.run()
    except HaltError as error:
        halt = error
    elapsed = time.perf_counter() - begun
    view, projection = consumer.view, consumer.projection
    assert projection is not None, "run raises when it cannot restore"
    restored = view.restored
    assert restored is not None, "a projection was restored"
    replayed = projection.ordinal - restored.position.ordinal
    seconds = restored.replay_seconds if restored.done else elapsed
    continuity = halt.continuity if halt else view.continuity
    assert continuity is not None, "it was checked when the state was restored"
    print_json(
        {
            "restored_from": restored.snapshot_id,
            "replayed": replayed,
            "seconds": round(seconds, 6),
            "events_per_second": round(replayed / seconds, 1) if replayed and seconds else 0.0,
            "last_event_id": projection.position.last_event_id,
            "ordinal": projection.ordinal,
            "unseen": projection.unseen,
            "digest": projection.domain.digest(projection.state),
            "continuity": str(continuity),
            "missing": continuity.missing,
            "partial": continuity.unseen_before_start,
            **({"invariants": _invariants(view)} if view.invariants else {}),
        }
    )
    warn_of_rungs(restored.rungs)
    warn_of_partial_history(continuity.unseen_before_start)
    warn_of_edited(view)
    for notice in view.notices:
        warn(notice.text)
    if halt:
        warn(str(halt))
        click.get_current_context().exit(ExitCode.BROKEN)


def _invariants(view: View) -> dict[str, bool | None]:
    """Whether each holds; None for one that cannot tell."""
    return {each.name: None if each.failed else each.holds for each in view.invariants}


def _go_on(log: Stream, fold: Fold, settings: ConsumerSettings, as_json: bool) -> None:

    # The first connection is made here, so that a wrong URL ends the command instead of being tried for ever.
    log.server.facts()
    consumer = Consumer(log, fold, settings)
    verifying = LiveVerifying(log, fold, consumer, readonly=settings.readonly)
    failures: list[DomainError] = []

    def run() -> None:
        try:
            consumer.run()
        except DomainError as error:
            failures.append(error)

    def stop(_: int, __: FrameType | None) -> None:
        consumer.ask(Stop())

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    collect_rarely()
    thread = threading.Thread(target=run, name="consumer")
    thread.start()
    reporter = _Reporter(as_json)
    halted = ""
    try:
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
            view = consumer.view
            reporter.look(view)
            if view.phase == "halted":
                halted = view.phase_note
                consumer.ask(Stop())
    finally:
        # What cannot be reported any more must not leave the consumer running without its log.
        verifying.stop_verification()
        consumer.ask(Stop())
        thread.join()
    reporter.look(consumer.view, last=True)
    if failures:
        raise failures[0]
    if halted:
        warn(halted)
        click.get_current_context().exit(ExitCode.BROKEN)
    if consumer.view.phase != "stopped":
        raise FailedError("The consumer ended by itself.")


class _Reporter:
    """Says now and then what a consumer does: each change of phase, each notice, and how far it has come."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._phase = ""
        self._notice = 0
        self._told: set[Rung] = set()
        self._unseen = 0
        self._edited = False
        self._ordinal = -1
        self._due = time.monotonic() + REPORT_SECONDS

    def look(self, view: View, *, last: bool = False) -> None:
        """Say what is new. Raises OSError when that cannot be written, or nobody reads it any more."""
        require_reader(sys.stdout if self._as_json else sys.stderr)
        rungs = view.restored.rungs if view.restored else ()
        warn_of_rungs(rung for rung in rungs if rung not in self._told)
        self._told.update(rungs)
        if view.continuity and view.continuity.unseen_before_start != self._unseen:
            self._unseen = view.continuity.unseen_before_start
            warn_of_partial_history(self._unseen)
        if view.edited and not self._edited:
            warn_of_edited(view)
        self._edited = view.edited
        for notice in view.notices:
            if notice.number > self._notice:
                self._notice = notice.number
                warn(notice.text)
        now = time.monotonic()
        changed = view.phase != self._phase
        due = (last and view.position.ordinal != self._ordinal) or (
            now >= self._due and view.position.ordinal != self._ordinal
        )
        if not changed and not due:
            return
        self._phase, self._ordinal, self._due = view.phase, view.position.ordinal, now + REPORT_SECONDS
        if self._as_json:
            print_json(_progress(view))
        else:
            note = f": {view.phase_note}" if view.phase_note else ""
            say(
                f"{view.phase}{note} · {counted(view.position.ordinal, 'entry', 'entries')} · last "
                f"{view.position.last_event_id} · {view.rate:,.0f} events/s · lag {view.lag:,}"
                f"{f' · snapshot {view.snapshot.snapshot_id}' if view.snapshot else ''}"
            )


def _progress(view: View) -> dict[str, Any]:
    return {
        "phase": str(view.phase),
        "note": view.phase_note,
        "last_event_id": view.position.last_event_id,
        "ordinal": view.position.ordinal,
        "lag": view.lag,
        "events_per_second": view.rate,
        "snapshot": view.snapshot.snapshot_id if view.snapshot else None,
        "continuity": str(view.continuity) if view.continuity else None,
        "missing": view.continuity.missing if view.continuity else None,
        "partial": view.continuity.unseen_before_start if view.continuity else None,
    }
