"""`esdash doctor`: what an operator should know."""

import sys
import textwrap
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click
from msgspec.structs import asdict

from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.failures import BadInputError, ExitCode, FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import iso_time, local_time, paint, print_json, require_reader
from esdash.cli.presence import absence
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.engine.operations.doctor import Doctor
from esdash.engine.operations.findings import Finding, Status
from esdash.fold.folding import Fold
from esdash.log.errors import LogError, UnreachableError
from esdash.log.stream import Stream
from esdash.query.conditions import Condition
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.engine.operations.breaks import Break, ByPast
    from esdash.past.track.reader import TrackReader

_MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}

EVERY_SECONDS: Final = 60.0
"""Between two examinations with --watch, unless told otherwise."""


@click.command()
@click.option("--watch", is_flag=True, help="Go on, say what changes, and end when something needs a person.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help=f"With --watch: between two examinations.  [{EVERY_SECONDS:g}]",
)
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, watch: bool, every: float | None, as_json: bool) -> None:
    """Examine the server and the stream.

    Looks at persistence, memory, continuity, invariants, snapshots, clock and more, and says what to do about each.
    Exits with 3 when there is a problem; warnings alone are no failure. Writes nothing.

    With --watch it looks again and again, prints each judgement that is another one than before (with --json one object
    a line), and ends with the first problem: exit code 4 when it is continuity, 5 when the server does not answer,
    else 3.
    """
    if every is not None and not watch:
        raise BadInputError("--every goes with --watch.")
    fold = fold_of(settings)
    with ExitStack() as stack:
        fault = ""
        try:
            log = stack.enter_context(open_log(settings))
        except LogError as error:
            settings, fault = replace(settings, archive=None), str(error)
            log = stack.enter_context(open_log(settings))
        by_past = _by_past(settings, log, fold)
        doctor = Doctor(log, fold, snapshot_seconds=settings.snapshot_seconds, by_past=by_past, archive_fault=fault)
        context.exit(_watch(doctor, log, every or EVERY_SECONDS, as_json) if watch else _once(doctor, log, as_json))


def _require_something(log: Stream) -> None:
    """Raises FailedError where neither the stream nor a snapshot exists; UnreachableError."""
    try:
        missing = absence(log)
    except UnreachableError:
        raise
    except LogError:
        return  # a finding has said why
    if missing:
        raise FailedError(missing)


def _once(doctor: Doctor, log: Stream, as_json: bool) -> int:
    findings = []
    for finding in doctor.examine():
        findings.append(finding)
        if not as_json:
            _print(finding)
    statuses = [finding.status for finding in findings]
    worst = next((status for status in (Status.PROBLEM, Status.WARNING) if status in statuses), Status.OK)
    if as_json:
        print_json({"checks": [asdict(finding) for finding in findings], "status": worst})
    _require_something(log)
    return ExitCode.DIFFERENCE if worst is Status.PROBLEM else ExitCode.DONE


def _watch(doctor: Doctor, log: Stream, every: float, as_json: bool) -> int:
    """Examine until there is a problem; the exit code that tells which. Raises FailedError, UnreachableError."""
    before: dict[str, Finding] = {}
    while True:
        found: dict[str, Finding] = {}
        for finding in doctor.examine():
            found[finding.name] = finding
            was = before.get(finding.name)
            if was is None or was.status is not finding.status:
                _print_change(finding, was, as_json)
        for name in before.keys() - found.keys():
            _print_change(Finding(name, Status.OK, "Not found any more."), before[name], as_json)
        _require_something(log)
        for finding in found.values():
            if finding.status is Status.PROBLEM:
                return ExitCode.BROKEN if finding.name == "continuity" else ExitCode.DIFFERENCE
        before = found
        sys.stdout.flush()
        time.sleep(every)
        require_reader(sys.stdout)


def _print_change(finding: Finding, was: Finding | None, as_json: bool) -> None:
    now = round(time.time() * 1000)
    if as_json:
        print_json({"time": iso_time(now), **asdict(finding), "was": was.status if was else None})
    else:
        if was is not None:
            click.echo(f"{local_time(now)}, was {was.status}:")
        _print(finding)


def _print(finding: Finding) -> None:
    mark, colour = _MARKS[finding.status]
    click.echo(f"{paint(mark, colour)} {finding.name:<17} {visible(finding.seen, 1000)}")
    if finding.advice:
        click.echo(textwrap.indent(textwrap.fill(visible(finding.advice, 1000), 100), " " * 20))


def _by_past(settings: Settings, log: Stream, fold: Fold) -> "ByPast":
    """Tells by the past that a dashboard keeps when a condition ceased to hold last."""

    def tell(condition: Condition) -> "Break | None":
        def told(reader: "TrackReader") -> "Break | None":
            from esdash.engine.operations.breaks import Break
            from esdash.past.numbers.turns import turns

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
