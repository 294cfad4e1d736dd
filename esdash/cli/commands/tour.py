"""`esdash tour`: the dashboard with somebody who explains it."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from esdash.cli.commands.dashboard import open_dashboard
from esdash.cli.domains import fold_of
from esdash.cli.options import with_settings
from esdash.config import DEFAULT_DOMAIN, Settings
from esdash.signals import ending_in_order


@click.command()
@with_settings
def command(settings: Settings) -> None:
    """Learn in two minutes, by doing, what an event log can do.

    Opens the dashboard on a server and a log of its own, which are thrown away in the end. Nothing of yours is read
    or written; only colours, keys and mouse are those of your settings.
    """
    from esdash.ui.keymap import unknown

    strange = unknown(settings.keys, fold_of(replace(Settings(), domain=DEFAULT_DOMAIN)))  # of other domains
    with ending_in_order(), TemporaryDirectory(prefix="esdash") as folder:
        private = replace(
            Settings(),
            data_dir=Path(folder, "data"),
            track_dir=Path(folder, "cache"),
            domain=DEFAULT_DOMAIN,
            snapshot_seconds=0,  # or there might be nothing to replay
            theme=settings.theme,
            keys={name: keys for name, keys in settings.keys.items() if name not in strange},
            mouse=settings.mouse,
        )
        open_dashboard(private, None, tour=True)
