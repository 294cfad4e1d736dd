"""Data on stdout, everything else on stderr."""

import errno
import json
import os
import select
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

import click

from esdash.counted import counted
from esdash.visible import visible
from esdash.words.times import iso_time as iso_time
from esdash.words.times import local_time as local_time

if TYPE_CHECKING:
    from rich.table import Table

    from esdash.engine.moments.history import History
    from esdash.engine.projection import Projection
    from esdash.engine.shown.view import Rung, View

LINE: Final = 1000
"""Characters of a line for people."""

WIDE: Final = 10_000
"""Columns that a table may take when it is not read on a terminal."""


def print_json(document: object) -> None:
    """One JSON document on one line, in ASCII, so that no text in it reaches the terminal as anything but text."""
    click.echo(json.dumps(document, allow_nan=False))


def tell(text: str) -> None:
    """A line for people, on stdout. What is no text in it, in a path or a server's reply, becomes text."""
    click.echo(visible(text, LINE))


def say(text: str) -> None:
    """A line for people, on stderr. What is no text in it, in a server's reply or an argument, becomes text."""
    click.echo(visible(text, LINE), err=True)


def warn(text: str) -> None:
    """Something a person should know that is no failure."""
    say(f"esdash: {text}")


def warn_of_partial_history(unseen: int) -> None:
    """Say how many entries were gone before esdash first read the stream, when there are any."""
    if unseen > 0:
        gone = counted(unseen, "entry was", "entries were")
        warn(f"Partial history: {gone} gone from the stream before this state began, and not in it.")


def warn_of_rungs(rungs: "Iterable[Rung]") -> None:
    """Say of each snapshot that was not used why."""
    for rung in rungs:
        if rung.reason is not None and not rung.snapshot_id:
            warn(rung.reason)
        elif rung.reason is not None:
            where = f" at event {rung.position.number:,}" if rung.position.ordinal else ""
            warn(f"Snapshot {rung.snapshot_id}{where} was not used: {rung.reason.rstrip('.')}.")


def warn_of_edited(told: "History | Projection | View") -> None:
    """Say that a state which was told is of a snapshot that another source of the same version made."""
    if told.edited:
        warn(
            "The source of the rules was edited since the snapshot was taken, and their version was not. "
            "`esdash verify` says whether they make the same state."
        )


def require_reader(stream: IO[Any]) -> None:
    """Raises BrokenPipeError when whoever read this stream has gone, which writing finds out only with the next line.

    For commands that may have nothing to write for hours.
    """
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file of the system's
        return
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(found & (select.POLLERR | select.POLLHUP) for _, found in poll.poll(0)):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def print_tables(*tables: "Table") -> None:
    """Tables on stdout: in colours on a terminal, unless NO_COLOR is set; as wide as they are elsewhere."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else WIDE, highlight=False, markup=False, emoji=False)
    for table in tables:
        if terminal:
            console.print(table)
        else:
            with console.capture() as capture:
                console.print(table)
            # Rich fills the last column with spaces.
            click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def new_table(title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> "Table":
    """A table; a column is (heading, `left` or `right`). Text from outside must have been made `visible` before."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
    for heading, justify in columns:
        table.add_column(heading, justify="right" if justify == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def in_colour() -> bool:
    """Whether lines on stdout may be coloured."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str) -> str:
    """The text in a colour, where that is wanted."""
    return click.style(text, fg=colour) if in_colour() else text


def number(value: int | None) -> str:
    """With separators; `–` for what is not known."""
    return "–" if value is None else f"{value:,}"
