"""`esdash doctor`: what an operator should know."""

import textwrap
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.failures import ExitCode, FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import paint, print_json
from esdash.cli.presence import absence
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.engine.breaks import Break, ByPast
    from esdash.fold.folding import Fold
    from esdash.log.stream import Stream
    from esdash.past.reader import TrackReader
    from esdash.query.conditions import Condition

_MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


@click.command()
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, as_json: bool) -> None:
    """Examine the server and the stream.

    Looks at persistence, memory, continuity, invariants, snapshots, clock and more, and says what to do about each.
    Exits with 3 when there is a problem; warnings alone are no failure. Writes nothing.
    """
    from esdash.engine.doctor import Doctor
    from esdash.engine.findings import Status
    from esdash.log.errors import RefusedError

    fold = fold_of(settings)
    statuses = []
    findings = []
    with open_log(settings) as log:
        by_past = _by_past(settings, log, fold)
        for finding in Doctor(log, fold, snapshot_seconds=settings.snapshot_seconds, by_past=by_past).examine():
            statuses.append(finding.status)
            findings.append(asdict(finding))
            if not as_json:
                mark, colour = _MARKS[finding.status]
                click.echo(f"{paint(mark, colour)} {finding.name:<17} {visible(finding.seen, 1000)}")
                if finding.advice:
                    click.echo(textwrap.indent(textwrap.fill(visible(finding.advice, 1000), 100), " " * 20))
        missing = None
        with suppress(RefusedError):  # a finding has said why
            missing = absence(log)
    worst = next((status for status in (Status.PROBLEM, Status.WARNING) if status in statuses), Status.OK)
    if as_json:
        print_json({"checks": findings, "status": worst})
    if missing:
        raise FailedError(missing)
    if worst is Status.PROBLEM:
        context.exit(ExitCode.DIFFERENCE)


def _by_past(settings: Settings, log: "Stream", fold: "Fold") -> "ByPast":
    """Tells by the past that a dashboard keeps when a condition ceased to hold last."""

    def tell(condition: "Condition") -> "Break | None":
        def told(reader: "TrackReader") -> "Break | None":
            from esdash.engine.breaks import Break
            from esdash.past.turns import turns

            last, times = 0, 0
            # Before the first entry nothing is asked: where it does not hold behind it, that one broke it.
            found = list(turns(reader, condition))
            if not found or (found[0].holds and found[0].ordinal > 1):
                last, times = 1, 1
            broke = [turn.ordinal for turn in found if not turn.holds]
            last, times = (broke[-1] if broke else last), times + len(broke)
            return Break(last, reader.id_of(last), times)

        return by_track(settings, log, fold, None, told)

    return tell
