"""Where an export goes: stdout, or a file that is there as a whole or not at all."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from msgspec.structs import replace

from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.options import settings_of
from esdash.cli.output import say
from esdash.cli.progress import Progress
from esdash.config import Settings
from esdash.counted import counted
from esdash.export.file import FileThereError, whole_file
from esdash.export.formats import Format, written
from esdash.export.sheet import Sheet

T = TypeVar("T")

FORMATS: Final = ("csv", "jsonl", "markdown")
ENDINGS: Final = {".csv": "csv", ".md": "markdown", ".markdown": "markdown"}
"""Of files that are written in another way than as JSON lines."""


class Target:
    """A place to write to, once; it counts the lines that are about something."""

    def __init__(self, output: Path | None, *, force: bool, form: str | None = None) -> None:
        """`form` is one of FORMATS; None: what the file's ending says, else JSON lines."""
        self.output = output
        self._form = form or ENDINGS.get("" if output is None else output.suffix.lower(), "jsonl")
        self._force = force
        self._counted = 0

    @property
    def form(self) -> Format:
        """How sheets are written."""
        return Format(self._form)

    @property
    def is_terminal(self) -> bool:
        """Whether what is written is seen at once, where progress would stand in the way."""
        return self.output is None and sys.stdout.isatty()

    def counting(self, lines: Iterable[T]) -> Iterator[T]:
        """The lines, counted on their way."""
        for line in lines:
            self._counted += 1
            yield line

    def write_sheets(self, *sheets: Sheet[Any], progress: Progress | None = None) -> None:
        """Write sheets, all of their lines counted. Raises BadInputError, OSError, and what making lines does."""
        self.write_text(
            written([replace(each, lines=self.counting(each.lines)) for each in sheets], self.form), progress
        )

    def write_text(self, lines: Iterable[str], progress: Progress | None = None) -> None:
        """Write lines of text; raises the same."""
        self.write((line.encode() for line in lines), progress)

    def write(self, lines: Iterable[bytes], progress: Progress | None = None) -> None:
        """Write lines; raises the same."""
        output = self.output
        try:
            with nullcontext(sys.stdout.buffer) if output is None else whole_file(output, replace=self._force) as file:
                for line in lines:
                    if progress is not None and self.is_terminal:
                        progress.clear()
                    file.write(line)
        except FileThereError as error:
            raise BadInputError(f"{error} Nothing was written; --force replaces a file.") from error
        if progress is not None:
            progress.clear()
        if output is not None:
            say(f"{counted(self._counted, 'line is', 'lines are')} in {output}.")


def to_file(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options for a file."""
    command = click.option("--force", is_flag=True, help="Replace the file if it is there.")(command)
    return click.option(
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to this file, which only you may read, and which is there when all of it is.  [stdout]",
    )(command)


def exported(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that gets a target, after the settings; it is not called where exporting is forbidden."""

    def call(*, form: str | None, output: Path | None, force: bool, **options: Any) -> None:
        require_allowed(settings_of(click.get_current_context()))
        command(Target(output, force=force, form=form), **options)

    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__dict__.update(command.__dict__)
    return click.option(
        "--format", "form", type=click.Choice(FORMATS), help="How it is written.  [as FILE ends, else jsonl]"
    )(to_file(call))


def require_allowed(settings: Settings) -> None:
    """Raises FailedError where the settings forbid it."""
    if not settings.export:
        raise FailedError("Nothing was exported: the setting export is false, which forbids it.")
