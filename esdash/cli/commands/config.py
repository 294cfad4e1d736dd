"""`esdash config`: what is set, and where things are."""

import stat
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esdash.cli.options import as_json, file_of, sources_of, with_settings
from esdash.cli.output import print_json, tell, warn
from esdash.cli.secrecy import redacted
from esdash.config import Settings, questions_file, remembered_file, usual_file
from esdash.visible import visible


@click.command()
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, as_json: bool) -> None:
    """Show every setting and path.

    What holds in this very call, and where it comes from: flags go before the environment, which goes before a
    profile, and that before the rest of the settings file; --profile goes before the environment. Looks at no server.
    """
    _, sources = sources_of(context)
    document = document_of(settings, file_of(context))
    if told := _exposed(settings, document["config"], sources):
        warn(told)
    if as_json:
        print_json(document | {"sources": sources})
        return
    for name, value in document.items():
        source = sources.get(name, "default")
        tell(f"{name:<17} {shown(value)}{'' if source == 'default' else f'  ({source})'}")


def document_of(settings: Settings, named: Path | None) -> dict[str, Any]:
    """Every setting and path, without a password; `named` is the settings file that somebody named."""
    values = asdict(settings)
    values["url"] = redacted(settings.url, [settings.url]) if settings.url else None
    values["profiles"] = {name: _server(profile) for name, profile in settings.profiles.items()}
    values["config"] = named or usual_file()
    values["remembered"] = remembered_file()
    values["questions_file"] = questions_file()
    values["log_file"] = None
    if settings.data_dir is not None:
        from esdash.log.embedded_server.data_directory import DataDirectory

        values["log_file"] = DataDirectory.at(settings.data_dir).log_file
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _server(profile: Mapping[str, Any]) -> str:
    """The server of a profile, without a password."""
    url = profile["url"]
    return str(profile["data_dir"]) if url is None else redacted(url, [url])


def _exposed(settings: Settings, file: str | None, sources: Mapping[str, str]) -> str:
    """Says that others can read a password in the settings file; empty where they cannot, or there is none."""
    urls = [
        settings.url if sources["url"] == "settings file" else None,
        *(each["url"] for each in settings.profiles.values()),
    ]
    if file is None or not any(url and redacted(url, [url]) != url for url in urls):
        return ""
    if not Path(file).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return f"Others can read {file}, in which a URL has a password: chmod 600 makes it yours alone."


def shown(value: object) -> str:
    """A setting or a path, for people."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return visible(", ".join(f"{key} = {each}" for key, each in value.items()), 4000) or "–"
    if isinstance(value, list):
        return visible(", ".join(map(str, value)), 4000) or "–"
    return ("yes" if value else "no") if isinstance(value, bool) else visible(str(value), 1000)
