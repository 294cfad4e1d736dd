"""`esdash serve`: the consumer as a service."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.domains import another_domain, bound_by, fold_of
from esdash.cli.failures import BadInputError, ExitCode, FailedError, exit_code_of, known, message_of
from esdash.cli.interpreter import collect_rarely
from esdash.cli.options import with_settings
from esdash.cli.presence import absence
from esdash.cli.secrecy import redacted
from esdash.config import Settings
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.fold.folding import Fold
from esdash.log.errors import ElsewhereError, UnreachableError
from esdash.log.stream import Stream
from esdash.service.health import unready
from esdash.service.http import AddressError, Answer, Page, ProbeServer, address_of
from esdash.service.logs import Happening, Level, Log
from esdash.service.running import Service
from esdash.signals import NUMBERS
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.service.metrics import Metrics

MAX_LAG: Final = 10_000
"""Entries behind the end of the stream at which a consumer is still ready, unless told otherwise."""


@click.command()
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Answer GET /metrics, /livez and /readyz here; :PORT is for this machine alone.",
)
@click.option(
    "--max-lag",
    type=click.IntRange(min=0),
    default=MAX_LAG,
    show_default=True,
    metavar="N",
    help="So many entries behind it is still ready.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "plain", "json"]),
    default="auto",
    show_default=True,
    help="How it says on stderr what happens; auto is plain on a terminal, JSON elsewhere.",
)
@click.option("--exit-when-halted", is_flag=True, help="End with exit code 4 when continuity is broken.")
@with_settings
def command(settings: Settings, listen: str | None, max_lag: int, log_format: str, exit_when_halted: bool) -> None:
    """Be a consumer as a service.

    Restores the newest good snapshot, replays what came since and follows the stream, taking snapshots, and goes on
    when the server is lost. SIGINT and SIGTERM end it with a last snapshot. Of several on one stream each consumes and
    one takes the snapshots; when it is gone, another takes over.

    With --listen it is measured by Prometheus. /livez says that it runs; /readyz is 503 until it is live, while it is
    halted and when it lags too far. When continuity is broken it halts and stays, so that a person can look.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    log = Log(sys.stderr, as_json=as_json, wall_clock=time.time, hide=lambda text: redacted(text, sys.argv))
    with _telling(log):
        address = _address(listen) if listen is not None else None
        fold = fold_of(settings)
        settings = bound_by(settings, fold)
        with open_log(settings, told=log.warn) as stream:
            service = _service(stream, fold, settings, log)
            with _answering(service, address, stream, fold, max_lag, log):
                for number in NUMBERS:
                    if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                        signal.signal(number, partial(_stop, service))
                _look_at(stream, fold, log, readonly=settings.readonly)
                collect_rarely()
                halted = service.run(exit_when_halted=exit_when_halted)
                if service.view.phase != "stopped":
                    raise FailedError("The consumer ended by itself.")
                if halted:
                    click.get_current_context().exit(ExitCode.BROKEN)


@contextmanager
def _telling(log: Log) -> Iterator[None]:
    """What ends the service is told as a line of its log."""
    try:
        yield
    except click.exceptions.Exit:
        raise
    except known() as error:
        code = exit_code_of(error)
        log.write(Happening("failed", message_of(error), Level.ERROR, {"exit_code": code}))
        click.get_current_context().exit(code)


def _address(listen: str) -> tuple[str, int]:
    """Where to listen. Raises BadInputError, and FailedError without what is needed for that."""
    from importlib.util import find_spec

    if find_spec("prometheus_client") is None:
        raise FailedError("--listen needs prometheus-client: `pip install 'esdash[service]'`, or leave --listen out.")
    try:
        return address_of(listen)
    except AddressError as error:
        raise BadInputError(f"--listen: {error}") from error


def _service(stream: Stream, fold: Fold, settings: Settings, log: Log) -> Service:
    consumer_settings = ConsumerSettings(
        snapshot_seconds=settings.snapshot_seconds, readonly=settings.readonly, watched=False
    )
    return Service(stream, fold, consumer_settings, log)


@contextmanager
def _answering(
    service: Service, address: tuple[str, int] | None, stream: Stream, fold: Fold, max_lag: int, log: Log
) -> Iterator[None]:
    """Answer probes and scrapes in this block, where an address is given. Raises FailedError."""
    if address is None:
        yield
        return
    from esdash.service.metrics import Metrics

    metrics = Metrics(
        stream.name,
        fold,
        lambda: service.view,
        name=service.name,
        reconnects=lambda: service.reconnects,
        lines_lost=lambda: log.lost,
        unready=lambda view: unready(view, max_lag),
    )
    service.consumer.on_folded = metrics.folded
    pages: dict[str, Page] = {
        "/metrics": partial(_scraped, metrics),
        "/livez": lambda _: _probed("" if service.alive else "The consumer does not run."),
        "/readyz": lambda _: _probed(unready(service.view, max_lag)),
    }
    try:
        server = ProbeServer(address, pages, lambda error: log.warn(f"A request could not be answered: {error!r}."))
    except OSError as error:
        host, port = address
        why = error.strerror or str(error)
        raise FailedError(f"--listen: {host}, port {port:,}, cannot be listened on: {why}.") from error
    log.write(Happening("listening", f"Listening on {server.url}.", fields={"url": server.url}))
    server.begin()
    try:
        yield
    finally:
        server.end()


def _scraped(metrics: "Metrics", accept: str) -> Answer:
    return Answer(HTTPStatus.OK, *metrics.exposition(accept))


def _probed(trouble: str) -> Answer:
    if trouble:
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, f"{visible(trouble, 1000)}\n".encode())
    return Answer(HTTPStatus.OK, b"ok\n")


def _look_at(stream: Stream, fold: Fold, log: Log, *, readonly: bool) -> None:
    """Say what a person may have got wrong, where the server answers already. Raises RefusedError."""
    try:
        if missing := absence(stream):
            log.warn(f"{missing} Waiting for its first entry.")
        if not readonly and (told := another_domain(stream, fold)):
            log.warn(told)
    except (UnreachableError, ElsewhereError):
        return  # the consumer says so, and tries again


def _stop(service: Service, number: int, _: FrameType | None) -> None:
    service.stop(f"Told to end by {signal.Signals(number).name}.")
