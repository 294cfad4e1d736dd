"""`esdash dev`: the dashboard of a domain while its file is being written."""

import os
import sys
from dataclasses import replace

import click

from esdash.cli.commands.dashboard import open_dashboard
from esdash.cli.failures import BadInputError
from esdash.cli.options import file_of, sources_of, with_settings
from esdash.config import Settings, remembered_file
from esdash.visible import visible


@click.command()
@click.argument("file", metavar="FILE")
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, file: str) -> None:
    """Write rules, and see at each save what they would change.

    Opens the dashboard with the domain of FILE (path/to/file.py, with :NAME where it has several), and watches that
    file and what it imports from its own folder. Each time it is saved, the whole log is folded by the new rules beside
    the old ones: the line under the status says how many numbers are other ones, which entry is decided otherwise
    first, and how many. B shows them. The consumer goes on by the old rules until T takes the new ones.
    """
    from esdash.fold.loading import is_file

    if not is_file(file):
        raise BadInputError(f"{visible(file, 200)!r} is no file to watch: name one such as path/to/bank.py.")
    # A file that is saved twice within a second may look to Python like its own bytecode.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    _, sources = sources_of(context)
    open_dashboard(
        replace(settings, domain=file),
        remembered_file(),
        sources={**sources, "domain": "esdash dev"},
        named=file_of(context),
        watched=True,
    )
