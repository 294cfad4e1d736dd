"""What can go wrong, as exit codes and sentences."""

import errno
from enum import IntEnum

import click

from esdash.config import ConfigError


class ExitCode(IntEnum):
    """What the exit of a command means."""

    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    DIFFERENCE = 3
    BROKEN = 4
    UNREACHABLE = 5


class FailedError(Exception):
    """The command could not do what it was asked to. The message is one or two plain sentences."""


class BadInputError(Exception):
    """What was typed, or read from a file, cannot be used. The message is one or two plain sentences."""

    def __init__(self, sentence: str, lines: tuple[str, ...] = ()) -> None:
        """`lines` show what was typed, and where it is wrong."""
        super().__init__(sentence)
        self.lines = lines


def known() -> tuple[type[Exception], ...]:
    """Every exception that is meant for people. What else is raised is a bug.

    A function, so that the parts that raise them are imported only when something was raised.
    """
    from esdash.engine.console import EngineError
    from esdash.engine.guard import HaltError
    from esdash.fold.failing import DomainError
    from esdash.fold.loading import DomainFileError
    from esdash.log.embedded_server.data_directory import EmbeddedServerError
    from esdash.log.errors import LogError

    return (
        click.ClickException,
        ConfigError,
        FailedError,
        BadInputError,
        EngineError,
        HaltError,
        DomainError,
        DomainFileError,
        EmbeddedServerError,
        LogError,
        OSError,
    )


def lacking_of(error: Exception) -> FailedError | None:
    """What the machine, or a limit that is set for this process, has too little of; None where it is something else."""
    if isinstance(error, MemoryError):
        return FailedError("There is not enough memory for that. Raise the limit of this process, or free some.")
    if str(error) == "can't start new thread":
        return FailedError("No more threads may be started. Raise the limit of processes (`ulimit -u`), or end some.")
    return None


def exit_code_of(error: Exception) -> int:
    """The exit code for one of the `known` exceptions."""
    from esdash.engine.guard import HaltError
    from esdash.engine.moments.history import BrokenError
    from esdash.fold.loading import DomainFileError
    from esdash.log.embedded_server.data_directory import EmbeddedServerError
    from esdash.log.errors import BrokenLogError, ElsewhereError, UnreachableError

    if isinstance(error, click.UsageError | ConfigError | BadInputError | DomainFileError):
        return ExitCode.BAD_INPUT
    if isinstance(error, FailedError):
        return ExitCode.FAILED
    cause: BaseException | None = error
    while cause is not None:
        # An engine's error has the server's, or a broken history, as its cause.
        if isinstance(cause, HaltError | BrokenError | BrokenLogError):
            return ExitCode.BROKEN
        if isinstance(cause, UnreachableError | ElsewhereError | EmbeddedServerError):
            return ExitCode.UNREACHABLE
        cause = cause.__cause__
    return ExitCode.FAILED


def message_of(error: Exception) -> str:
    """What to say about one of the `known` exceptions."""
    if isinstance(error, click.UsageError):
        message = error.format_message().replace("\n", " ")
        path = error.ctx.command_path if error.ctx else "esdash"
        if (isinstance(error, click.BadOptionUsage) and error.option_name in ("--at", "--from", "--to")) or (
            isinstance(error, click.MissingParameter) and error.param is not None and error.param.type.name == "place"
        ):
            message = f"{message.rstrip('.')}. In a shell an unquoted # begins a comment: write n123 for #123"
        message = message.rstrip(".")
        return f"{message}{'' if message.endswith('?') else '.'} See `{path} --help`."
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.errno == errno.EBADF:
        return "Standard input or output is closed."
    if isinstance(error, OSError) and error.errno == errno.EMFILE:
        return "Too many files are open. Raise the limit of this process (`ulimit -n`)."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return str(error)
