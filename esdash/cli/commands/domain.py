"""`esdash domain`: what the authors of a domain need."""

import keyword
import sys
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import click

from esdash.checking.trial import check as try_out
from esdash.cli.commands import comparing
from esdash.cli.domains import OWN
from esdash.cli.failures import BadInputError, ExitCode
from esdash.cli.options import as_json, common_options, with_settings
from esdash.cli.output import print_json, say, tell
from esdash.cli.presence import open_stream
from esdash.config import Settings
from esdash.counted import counted
from esdash.fold.folding import Entry
from esdash.fold.loading import DomainFileError
from esdash.signals import ending_in_order

ENTRIES: Final = 5_000
"""Entries of a real stream that are tried, at most: those at its beginning."""

BYTES: Final = 64 * 1024 * 1024
"""What these may hold together."""

SHOWN: Final = 5
"""Entries of an input that people are shown; --json has all."""


@click.group(no_args_is_help=False)
@common_options
def command() -> None:
    """Check a domain, compare two versions, begin a new one."""


command.add_command(comparing.command, "compare")


@command.command()
@click.argument("file", metavar="FILE")
@click.option("--seconds", type=click.FloatRange(1, 86_400), default=60.0, help="Stop when it takes longer.  [60]")
@as_json
@with_settings
@click.pass_context
def check(context: click.Context, settings: Settings, file: str, seconds: float, as_json: bool) -> None:
    """Try whether a domain keeps its promises.

    FILE is a domain as --domain takes it: path/to/file.py, with :NAME where it has several, or module:NAME. It is
    folded in many ways, in several processes, with entries that are made from its models and its samples; with
    --stream also with the entries at the beginning of that stream. For each promise that is broken it says with what
    input, and where. Exits with 3 when one is.
    """
    real = _entries(settings) if _is_stream_named(context) else []
    if sys.stderr.isatty():
        say(f"Trying {file}…")
    try:
        with ending_in_order():  # or its processes would go on, and its folder stay
            found = try_out(OWN.get(file, file), real, seconds)
    except DomainFileError as error:
        raise BadInputError(str(error), error.lines) from error
    if as_json:
        print_json(found)
    else:
        _tell(found)
    if not found["holds"]:
        context.exit(ExitCode.DIFFERENCE)


def _is_stream_named(context: click.Context) -> bool:
    """Whether the command line, and not the settings alone, says which stream."""
    each: click.Context | None = context
    while each is not None:
        if each.get_parameter_source("stream") is click.core.ParameterSource.COMMANDLINE:
            return True
        each = each.parent
    return False


def _entries(settings: Settings) -> list[Entry]:
    """The entries at the beginning of a stream."""
    found: list[Entry] = []
    size = 0
    with open_stream(settings) as log, closing(log.pages(b"0-0")) as pages:
        for entry in islice(chain.from_iterable(page.entries for page in pages), ENTRIES):
            size += sum(map(len, entry[1]))
            if size > BYTES:
                break
            found.append(entry)
    return found


def _tell(found: dict[str, Any]) -> None:
    for promise in found["promises"]:
        tell(f"✓ {promise}")
    for each in found["broken"]:
        tell(f"✗ {each['where']}: {each['promise'].rstrip('.')} – not so:")
        hidden = len(each["input"]) - SHOWN
        if hidden > 0:
            tell(f"    {counted(hidden, 'entry', 'entries')}, which --json shows, and then")
        for entry in each["input"][-SHOWN:]:
            tell(f"    {' '.join(f'{name}={value}' for name, value in entry.items())}")
    if found.get("unfinished"):
        tell("– There was no time to try everything; --seconds gives more.")
    for name, count in found.get("understood", {}).items():
        if not count:
            tell(f"– No {name} could be made that its model understands; `sample` may give some.")
    if never := found.get("reasons_never_given"):
        tell(f"– Never refused for: {', '.join(never)}.")
    fast = found.get("fast")
    if fast is not None and not fast["declared"]:
        if fast["proved"]:
            tell("– It writes only after its last refusal. Where it keeps kinds and bounds too, it may be fast=True.")
        else:
            tell(f"– It cannot be fast=True. {fast['where']}: {fast['sentence']}.")
    if found.get("speed") is not None:
        tell(
            f"– {counted(found['entries'], 'entry', 'entries')} tried; an entry takes {found['speed']} µs of CPU time."
        )
        for name, size in found["bytes_a_row"].items():
            if size:
                tell(f"– A row of {name} takes about {size} bytes.")


@command.command()
@click.argument("name", metavar="NAME")
@with_settings
def new(settings: Settings, name: str) -> None:  # noqa: ARG001 - as every command takes them
    """Write NAME.py, a small domain with comments to start from, into the current directory."""
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii() or name.startswith("_"):
        raise BadInputError(f"{name!r} is no name for a domain: letters, digits and _, as in Python, such as parking.")
    path = Path(f"{name}.py")
    if len(name) > 64:
        raise BadInputError("A domain's name has at most 64 characters.")
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        raise BadInputError(f"There is a {path} already; it is left as it is. Choose another name.") from None
    try:
        with file:
            file.write(_example().replace("parking", name))
    except OSError:
        path.unlink(missing_ok=True)  # half of it
        raise
    tell(f"{path} is written. Try it with `esdash domain check {path}`, then `esdash --domain {path}`.")


def _example() -> str:
    return Path(__file__).with_name("example.py.txt").read_text(encoding="utf-8")
