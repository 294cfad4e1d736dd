"""The command line: the one place where the parts are put together.

Each command lives in a module of its own, imported when it is called: `esdash state` must not wait for textual.
"""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

import click

from esdash.cli.failures import ExitCode, exit_code_of, known, message_of
from esdash.cli.options import common_options
from esdash.cli.secrecy import hide_password, redacted

_COMMANDS: Final = {
    "publish": "publish",
    "produce": "produce",
    "consume": "consume",
    "state": "state",
    "events": "events",
    "snapshot": "snapshots",
    "verify": "verify",
    "doctor": "doctor",
    "bench": "bench",
    "server": "server",
    "completion": "completion",
}
"""Command → the module here that defines a click command named `command`."""


class _Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"esdash.cli.{_COMMANDS[name]}").command
        return command


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
@click.version_option(package_name="esdash", message="esdash %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """An event-sourced shop on a Redis Stream.

    Without a command, esdash opens the dashboard. Every other command works without a terminal, prints its data on
    stdout and everything else on stderr.

    Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 a check found a difference, 4 continuity broken, 5 server
    unreachable.
    """
    if context.invoked_subcommand is None:
        from esdash.cli.dashboard import open_dashboard
        from esdash.cli.options import settings_of

        open_dashboard(settings_of(context))


def main() -> NoReturn:
    """Run the program and exit."""
    hide_password()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _end)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    if sys.stdout is not None:  # it is when somebody closed it: `>&-`
        try:
            sys.stdout.flush()
        except OSError as error:
            code = _stop_writing(code if isinstance(error, BrokenPipeError) else ExitCode.FAILED)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. What goes wrong is said on stderr, in plain sentences."""
    try:
        if "_ESDASH_COMPLETE" in os.environ:
            cli.main(prog_name="esdash", args=list(arguments))
        with cli.make_context("esdash", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as request:
        return request.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        return _stop_writing(0)
    except known() as error:
        click.echo(redacted(f"esdash: {message_of(error)}", arguments), err=True)
        return exit_code_of(error)
    return 0


def _end(number: int, _: FrameType | None) -> None:
    """End as after an error, so that the embedded server is left and stopped."""
    sys.exit(128 + number)


def _stop_writing(code: int) -> int:
    """Nobody reads stdout any more: keep the interpreter from complaining about that when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
