"""The command line: the one place where the parts are put together.

Each command lives in a module of `commands`, imported when it is called: `esdash state` must not wait for textual.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn

import click

from esdash import signals
from esdash.cli.failures import BadInputError, ExitCode, exit_code_of, known, lacking_of, message_of
from esdash.cli.options import common_options
from esdash.cli.output import say, warn
from esdash.cli.secrecy import hide_password, redacted

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS: Final = {
    "tour": ("tour", "Learn in two minutes, by doing, what an event log can do."),
    "publish": ("publish", "Append an event, or many."),
    "produce": ("produce", "Append made-up events."),
    "consume": ("consume", "Be a consumer without a screen."),
    "serve": ("serve", "Be a consumer as a service."),
    "web": ("web", "Show the dashboard in a page of a browser."),
    "state": ("state", "Show the tables and the outcomes."),
    "events": ("events", "Show entries and what became of them."),
    "why": ("why", "Show every entry that moved a number, newest first."),
    "diff": ("diff", "Show what differs between two places."),
    "find": ("find", "Find where a condition holds."),
    "export": ("export", "Hand on what the other commands show, or the whole stream."),
    "try": ("attempt", "Try what would have been."),
    "streams": ("streams", "Show the streams of the server."),
    "snapshot": ("snapshots", "List, take, show, delete snapshots."),
    "archive": ("archive", "Write what the stream holds to files."),
    "trim": ("trim", "Remove what is archived from the stream."),
    "verify": ("verify", "Replay everything and compare with every snapshot."),
    "doctor": ("doctor", "Examine the server and the stream."),
    "bench": ("bench", "Measure publishing, replay and latency."),
    "server": ("server", "Look at or stop esdash's own server."),
    "config": ("config", "Show every setting and path."),
    "domain": ("domain", "Check a domain, compare two versions, begin a new one."),
    "dev": ("dev", "Write rules, and see at each save what they would change."),
    "completion": ("completion", "Print a shell's completion script."),
}
"""Command → the module of `commands` that defines a click command named `command`, and how the help of that begins."""


_COMPLETE: Final = "_ESDASH_COMPLETE"
"""The environment variable by which a shell asks for completions."""


class _Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = _COMMANDS[name][0]
        command: click.Command = importlib.import_module(f"esdash.cli.commands.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """What each is for; none is imported for that."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in _COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Those that begin so; none is imported for that."""
        from click.shell_completion import CompletionItem

        begun = [
            CompletionItem(name, help=what) for name, (_, what) in _COMMANDS.items() if name.startswith(incomplete)
        ]
        return begun + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
@click.version_option(package_name="esdash", message="esdash %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """The console for systems whose state is computed from the events of a Redis Stream.

    Without a command, esdash opens the dashboard. Every other command works without a terminal, prints its data on
    stdout and everything else on stderr.

    Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 a check found a difference, 4 continuity broken, 5 server
    unreachable.
    """
    if context.invoked_subcommand is None:
        from esdash.cli.commands.dashboard import open_dashboard
        from esdash.cli.options import file_of, sources_of
        from esdash.config import remembered_file

        settings, sources = sources_of(context)
        open_dashboard(settings, remembered_file(), sources=sources, named=file_of(context))


def main() -> NoReturn:
    """Run the program and exit."""
    signals.end_at_once()
    _fill_missing_streams()
    hide_password()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:])
    except SystemExit as request:
        code = request.code if isinstance(request.code, int) else ExitCode.FAILED
    except BaseException:
        # An ending that came to light as another exception, as in the middle of a class statement.
        if (ended := signals.told_to_end()) is None:
            raise
        code = ended
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        if code == ExitCode.DONE:
            code = _tell(error, ())
    _let_go()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. What goes wrong is said on stderr, in plain sentences."""
    try:
        if os.environ.get(_COMPLETE):
            _require_shell()
            cli.main(prog_name="esdash", args=list(arguments))
        with cli.make_context("esdash", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as request:
        return request.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except SystemExit:
        raise  # before what is known is imported
    except BrokenPipeError:
        return ExitCode.DONE
    except known() as error:
        return _tell(error, arguments)
    except (MemoryError, RuntimeError) as error:
        if (lacking := lacking_of(error)) is None:
            raise
        return _tell(lacking, arguments)
    return ExitCode.DONE


def _tell(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong; its exit code."""
    # What has to be imported comes before what is said, so that nothing is said twice over when the program is ended.
    code, message = exit_code_of(error), redacted(message_of(error), arguments)
    lines = [redacted(line, arguments) for line in getattr(error, "lines", ())]
    with contextlib.suppress(OSError):  # nobody can be told
        warn(message)
        for line in lines:
            say(f"  {line}")
    return code


def _require_shell() -> None:
    """Raises BadInputError when completion is asked for without the words that a shell gives along with it."""
    how, where = os.environ[_COMPLETE], os.environ.get("COMP_CWORD", "")
    # fish gives the word itself, the others its number.
    given = not where or where.strip() if how == "fish_complete" else where.isdecimal()
    if how.endswith("_complete") and not (given and {"COMP_WORDS", "COMP_CWORD"} <= os.environ.keys()):
        raise BadInputError(
            f"{_COMPLETE} is set, but not COMP_WORDS and COMP_CWORD: only a shell's completion sets them. Unset it."
        )


def _fill_missing_streams() -> None:
    """Open what was closed with `<&-`, `>&-` or `2>&-`, so that no file or socket takes its number.

    Reading from, or writing to, such a stream fails as it should, except that nobody misses what stderr would say.
    """
    for name, access, mode in (("stdin", os.O_WRONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, access)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - till the end


def _let_go() -> None:
    """Keep the interpreter from complaining, when it ends, about what could not be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
