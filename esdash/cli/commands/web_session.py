"""A session of `esdash web`: the dashboard in a process of its own, drawn on a page."""

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from msgspec import Struct, field

from esdash import signals
from esdash.cli.failures import ExitCode, exit_code_of, known, message_of
from esdash.cli.output import warn
from esdash.cli.secrecy import URL_VARIABLE, redacted
from esdash.config import Settings
from esdash.packets import Kind
from esdash.visible import visible
from esdash.web.session import SIZE

if TYPE_CHECKING:
    from esdash.ui.browser import Pipes

TASK: Final = "ESDASH_WEB_SESSION"
"""The environment variable that says what to show: others can read the command lines of a user's processes."""

FUNCTION: Final = "esdash.cli.commands.web_session:main"


class Task(Struct, frozen=True):
    """What a session shows."""

    settings: Settings
    sources: dict[str, str] = field(default_factory=dict)
    """Where each setting comes from, for people."""
    named: Path | None = None
    """The settings file that somebody named."""


def environment_of(task: Task, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a session: neither the token is in it, nor what belongs to the terminal of the server."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("ESDASH_", "TEXTUAL_", "TMUX"))}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        kept.pop(name, None)
    if task.settings.url:
        kept[URL_VARIABLE] = task.settings.url  # what is to be hidden where it is quoted
    # Other servers are none of a page's business, nor their passwords.
    task = msgspec.structs.replace(task, settings=replace(task.settings, profiles={}))
    task_in_json = msgspec.json.encode(task, enc_hook=str).decode()
    return {**kept, TASK: task_in_json, "TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "truecolor"}


def task_of(text: str) -> Task:
    """The task that such an environment holds."""
    return msgspec.json.decode(text, type=Task, dec_hook=_path)


def main() -> None:
    """Run a session between the two pipes that are standard input and output, and exit."""
    reading, writing = os.dup(0), os.dup(1)  # which no other process inherits
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever a domain prints is no packet
    signals.end_at_once()
    from esdash.ui.browser import Pipes

    columns, lines = json.loads(os.environ.pop(SIZE))
    pipes = Pipes(reading, writing, (columns, lines))
    task = task_of(os.environ.pop(TASK))
    code, why = _run(task, pipes)
    pipes.send(Kind.ENDED, why.encode("utf-8", "replace"))
    sys.stderr.flush()
    sys.exit(code)


def _run(task: Task, pipes: "Pipes") -> tuple[int, str]:
    """Run it; its exit code, and what is to be said on the page."""
    from esdash.cli.commands.dashboard import run_dashboard
    from esdash.cli.interpreter import paint_promptly

    paint_promptly()
    try:
        run_dashboard(task.settings, None, sources=task.sources, named=task.named, page=pipes)
    except (SystemExit, KeyboardInterrupt):
        return ExitCode.FAILED, "The session was ended."
    except click.exceptions.Exit as request:  # a fault of the dashboard, which has said it on stderr
        return request.exit_code, "The session has failed; `esdash web` has said why."
    except known() as error:
        code, message = exit_code_of(error), visible(redacted(message_of(error)), 400)
        with contextlib.suppress(OSError):
            warn(message)
        return code, message
    return ExitCode.DONE, "The session has ended."


def _path(_: type, value: Any) -> Any:
    return Path(value)
