"""`esdash` without a command: the dashboard."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from esdash.cli.asked import book_of
from esdash.cli.connect import open_log
from esdash.cli.domains import RAW, bound_by, fold_of
from esdash.cli.ending import Ending, ignore_endings
from esdash.cli.failures import BadInputError
from esdash.cli.interpreter import collect_rarely, paint_promptly, take_short_turns
from esdash.cli.output import warn
from esdash.config import DEFAULT_DOMAIN, Settings, names, sandboxes_file

if TYPE_CHECKING:
    from esdash.engine.operations.survey import Survey
    from esdash.fold.folding import Fold
    from esdash.log.stream import Stream
    from esdash.past.service import Past
    from esdash.ui.app import DashboardApp
    from esdash.ui.browser import Pipes
    from esdash.ui.main.settings import Setting
    from esdash.ui.main.streams import StreamBoard
    from esdash.ui.terminal import DriverOf
    from esdash.whatif.rules_process import RulesProcess
    from esdash.whatif.sandbox import Sandbox

UNABLE: Final = frozenset({"dumb", "unknown"})
"""Values of TERM that say that nothing can be drawn."""

_WITHOUT: Final = (
    "These commands work without one: publish, produce, consume, state, events, snapshot, verify, doctor, server, "
    "config."
)


def require_terminal() -> None:
    """Raises BadInputError when there is no terminal that the dashboard can be drawn on."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise BadInputError(f"The dashboard needs a terminal, and stdin or stdout is none. {_WITHOUT}")
    kind = os.environ.get("TERM", "").strip()
    if kind.lower() in UNABLE:
        raise BadInputError(
            f"The dashboard needs a terminal that it can draw on, and TERM={kind} says that this one cannot be drawn "
            f"on. {_WITHOUT}"
        )


def open_dashboard(
    settings: Settings,
    file: Path | None,
    *,
    sources: Mapping[str, str] | None = None,
    named: Path | None = None,
    tour: bool = False,
    watched: bool = False,
) -> None:
    """Run the dashboard in the terminal, as `run_dashboard` does. Raises BadInputError also when there is none."""
    require_terminal()
    paint_promptly()
    from esdash.ui.terminal import wait_until_in_front

    if not wait_until_in_front(sys.stdin.fileno()):
        raise BadInputError("The dashboard needs the terminal, and runs in the background. Start it without an `&`.")
    run_dashboard(settings, file, sources=sources, named=named, tour=tour, watched=watched)


def run_dashboard(
    settings: Settings,
    file: Path | None,
    *,
    sources: Mapping[str, str] | None = None,
    named: Path | None = None,
    tour: bool = False,
    watched: bool = False,
    page: "Pipes | None" = None,
) -> None:
    """Run the dashboard until the person leaves it, or the terminal is closed, or the `page` that it is drawn on.

    In `file` it remembers how it was arranged. `sources` says where each setting comes from, `named` is the settings
    file that somebody named. `tour`: a person is led through it. `watched`: the file of the domain is being written.

    Raises BadInputError for settings that name nothing; DomainFileError.
    """
    from esdash.log.finding import server_of, stream_on

    fold = fold_of(settings)
    told: list[str] = []  # said when the screen is gone
    with ExitStack() as stack:
        log = stack.enter_context(open_log(settings, told.append))
        lines = partial(_told, settings, named, sources or {})
        app = _show(log, fold, settings, stack.close, file, lines, tour=tour, watched=watched, page=page)
        while app.wants_raw or app.wants_stream:
            chosen, stream = {"domain": "chosen here"}, app.wants_stream
            del app  # or all that it holds would stay as long as the next one
            if stream:
                server = log.server
                if settings.url and server.moves:  # its slot may go elsewhere than that of the stream before
                    server = server_of(settings.url, stream)
                    stack.callback(server.close)
                log = stream_on(server, stream, log.archive_root)
                settings = replace(settings, stream=log.name)
                settings = replace(settings, domain=settings.domains.get(log.name, settings.domain))
                chosen["stream"] = "chosen here"
            else:
                settings = replace(settings, domain=RAW)
            lines = partial(_told, settings, named, {**(sources or {}), **chosen})
            app = _show(log, fold_of(settings), settings, stack.close, file, lines, page=page)
    for text in told:
        warn(text)
    if app.return_code:
        raise click.exceptions.Exit(app.return_code)


def _show(
    log: "Stream",
    fold: "Fold",
    settings: Settings,
    let_go: Callable[[], object],
    file: Path | None,
    told: "Callable[[], Sequence[Setting]]",
    *,
    tour: bool = False,
    watched: bool = False,
    page: "Pipes | None" = None,
) -> "DashboardApp":
    """Run a dashboard for one domain to its end. Raises BadInputError for settings that name nothing."""
    from esdash.engine.consumer.consumer import ConsumerSettings
    from esdash.engine.live import LiveConsole
    from esdash.log.durability import read_durability
    from esdash.ui import remembered
    from esdash.ui.app import DashboardApp, UiSettings

    book = book_of(fold, settings, kept=file is not None)
    # Where the settings know of no other domain, neither keys nor questions can be meant for another one.
    only = not settings.domains and settings.domain == DEFAULT_DOMAIN
    if only and (wrong := next(book.wrong(fold), "")):
        raise BadInputError(wrong)
    looks = UiSettings(
        keymap=_keymap(settings, fold, tuple(book.saved), only=only),
        export=settings.export,
        told=told,
        profile=settings.profile or "",
    )
    if settings.theme is not None:
        looks = msgspec.structs.replace(looks, theme=settings.theme)
    settings = bound_by(settings, fold)
    console = LiveConsole(
        log,
        fold,
        ConsumerSettings(snapshot_seconds=settings.snapshot_seconds, readonly=settings.readonly),
        seed=time.time_ns(),
        durability=read_durability(settings.durability),
    )
    app = DashboardApp(
        console,
        looks,
        may_go_raw=settings.domain != RAW and not tour and not watched,
        past_of=_past_of(log, settings),
        remembered=remembered.read(file),
        book=book,
        tour=tour,
        rules=_rules_of(log, fold) if watched else None,
        # A page is for the stream that was named.
        survey=None if tour or watched or page else partial(_survey_of, log, settings.streams),
        sandbox_of=_sandbox_of(log),
        sandboxes=None if file is None else sandboxes_file(),
        driver=_driver_of(page),
    )
    if looks.theme and looks.theme not in app.available_themes:
        raise BadInputError(f"There is no theme {looks.theme!r}. There are {', '.join(sorted(app.available_themes))}.")
    collect_rarely()
    take_short_turns()
    try:
        asyncio.run(_run(app, settings, let_go, page))
    finally:
        ignore_endings()
        remembered.write(file, app.remembered)
    return app


def _told(settings: Settings, named: Path | None, sources: Mapping[str, str]) -> "list[Setting]":
    """Every setting and path, for people."""
    from esdash.cli.commands.config import document_of, shown
    from esdash.ui.main.settings import Setting

    settable = names()
    return [
        Setting(name, shown(value), sources.get(name, "default") if name in settable else "")
        for name, value in document_of(settings, named).items()
    ]


def _past_of(log: "Stream", settings: Settings) -> "Callable[[Fold], Past] | None":
    """What gives the past by the rules of a domain; None where none is kept."""
    folder = settings.track_dir
    if not settings.track_mb or folder is None:
        return None

    def begin(fold: "Fold") -> "Past":
        from esdash.past.service import past_of
        from esdash.past.track.folder import FOLDER, TrackFolder

        return past_of(log, fold, TrackFolder(folder / FOLDER, settings.track_mb))

    return begin


def _rules_of(log: "Stream", fold: "Fold") -> "RulesProcess":
    from esdash.whatif.rules_process import RulesProcess

    return RulesProcess(log, Path(fold.choice.rpartition(":")[0]))


def _survey_of(log: "Stream", listed: Sequence[str]) -> "StreamBoard":
    """What looks at the streams of the server, or of all nodes of the cluster."""
    from esdash.log.servers.nodes import is_cluster
    from esdash.ui.main.streams import StreamBoard

    def look() -> "Survey":
        from esdash.engine.console import EngineError
        from esdash.engine.operations.survey import survey
        from esdash.log.errors import LogError

        try:
            return survey(log.server, time.time, listed=listed)
        except LogError as error:
            raise EngineError(str(error)) from error

    return StreamBoard(look, clustered=is_cluster(log.server))


def _sandbox_of(log: "Stream") -> "Callable[[Fold], Sandbox]":
    """What gives the sandbox of the log by the rules of a domain."""

    def of(fold: "Fold") -> "Sandbox":
        from esdash.whatif.sandbox import Sandbox

        return Sandbox(log, fold)

    return of


def _keymap(settings: Settings, fold: "Fold", questions: Sequence[str], *, only: bool) -> dict[str, str]:
    from esdash.ui.keymap import KeymapError, checked, unknown

    try:
        keymap = checked(settings.keys, fold, questions)
    except KeymapError as error:
        raise BadInputError(str(error)) from error
    strange = unknown(settings.keys, fold, questions)
    if strange and only:
        raise BadInputError(f"The settings give keys to {strange[0]!r}, which is no action.")
    return dict(keymap)


def _driver_of(page: "Pipes | None") -> "DriverOf | None":
    """What draws on a page; None: what draws on the terminal."""
    if page is None:
        return None
    from esdash.ui.browser import Browser

    return partial(Browser, page)


async def _run(app: "DashboardApp", settings: Settings, let_go: Callable[[], object], page: "Pipes | None") -> None:
    descriptors = page.descriptors if page else (sys.stdin.fileno(), sys.stdout.fileno())
    ending = Ending(app, asyncio.get_running_loop(), let_go, descriptors)
    ending.listen()
    ending.start()
    try:
        await app.run_async(mouse=settings.mouse)
    finally:
        app.wants_raw = app.wants_raw and not ending.told
        app.wants_stream = "" if ending.told else app.wants_stream
        app.ending = True  # however it ended: what still runs in threads has as long as after a signal
        if app.wants_raw or app.wants_stream:
            ending.over()
