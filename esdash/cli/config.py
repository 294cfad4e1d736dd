"""`esdash config`: what is set, and where things are."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esdash.cli.options import as_json, file_of, with_settings
from esdash.cli.output import print_json, tell
from esdash.cli.secrecy import redacted
from esdash.config import Settings, questions_file, remembered_file, usual_file


@click.command()
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, as_json: bool) -> None:
    """Show every setting and path.

    What holds in this very call: flags go before the environment, which goes before the settings file. Looks at no
    server.
    """
    document = _document(settings, file_of(context))
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if isinstance(value, dict):
            tell(f"{name:<17} {', '.join(f'{key} = {each}' for key, each in value.items()) or '–'}")
        else:
            tell(f"{name:<17} {_shown(value)}")


def _document(settings: Settings, named: Path | None) -> dict[str, Any]:
    values = asdict(settings)
    values["url"] = redacted(settings.url) if settings.url else None
    values["config"] = named or usual_file()
    values["remembered"] = remembered_file()
    values["questions_file"] = questions_file()
    values["log_file"] = None
    if settings.data_dir is not None:
        from esdash.log.data_directory import DataDirectory

        values["log_file"] = DataDirectory.at(settings.data_dir).log_file
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
