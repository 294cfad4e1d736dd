"""`esdash config`: what is set, and where things are."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esdash.cli.options import as_json, file_of, sources_of, with_settings
from esdash.cli.output import print_json, tell
from esdash.cli.secrecy import redacted
from esdash.config import Settings, questions_file, remembered_file, usual_file
from esdash.visible import visible


@click.command()
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, as_json: bool) -> None:
    """Show every setting and path.

    What holds in this very call, and where it comes from: flags go before the environment, which goes before the
    settings file. Looks at no server.
    """
    _, sources = sources_of(context)
    document = document_of(settings, file_of(context))
    if as_json:
        print_json(document | {"sources": sources})
        return
    for name, value in document.items():
        source = sources.get(name, "default")
        tell(f"{name:<17} {shown(value)}{'' if source == 'default' else f'  ({source})'}")


def document_of(settings: Settings, named: Path | None) -> dict[str, Any]:
    """Every setting and path, without a password; `named` is the settings file that somebody named."""
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


def shown(value: object) -> str:
    """A setting or a path, for people."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return visible(", ".join(f"{key} = {each}" for key, each in value.items()), 4000) or "–"
    if isinstance(value, list):
        return visible(", ".join(map(str, value)), 4000) or "–"
    return ("yes" if value else "no") if isinstance(value, bool) else visible(str(value), 1000)
