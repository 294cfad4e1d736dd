"""`esdash server`: the embedded server."""

from pathlib import Path
from typing import Any

import click
from msgspec.structs import asdict

from esdash.cli.failures import FailedError
from esdash.cli.options import as_json, common_options, with_settings
from esdash.cli.output import number, print_json, tell, warn
from esdash.config import Settings, place_of_data
from esdash.log.embedded_server import embedded


@click.group(no_args_is_help=False)
@common_options
def command() -> None:
    """Look at or stop esdash's own server.

    It runs in the data directory as long as somebody uses it.
    """


@command.command()
@as_json
@with_settings
def status(settings: Settings, as_json: bool) -> None:
    """Show whether it runs, who uses it and how it does. Starts nothing."""
    _note_url(settings)
    found = embedded.status(place_of_data(settings))
    facts = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(found).items()}
    facts["kept_copies"] = list(map(str, found.kept_copies))
    if as_json:
        print_json(facts)
        return
    state = "not running"
    if found.running:
        state = "running" if found.responding else "running, but it does not answer"
    lines: dict[str, Any] = {"server": state, "data": found.data_dir, "log": found.log_file}
    if found.running:
        pids = ", ".join(map(str, found.member_pids))
        lines |= {
            "process": found.pid,
            "version": f"{found.server_name} {found.version}",
            "socket": found.socket_path,
            "used by": f"{found.members} ({pids})" if pids else "nobody",
            "up": f"{number(found.uptime_seconds)} s",
            "memory": f"{number(found.used_memory_bytes)} bytes",
            "on disk": f"{number(found.aof_size_bytes)} bytes",
            "last write": "failed" if found.aof_last_write_ok is False else "ok",
        }
    rows = [*lines.items(), *(("older data", copy) for copy in found.kept_copies)]
    for name, value in rows:
        tell(f"{name:<11} {value}")


@command.command()
@click.option("--force", is_flag=True, help="Also when esdash processes use it.")
@as_json
@with_settings
def stop(settings: Settings, force: bool, as_json: bool) -> None:
    """Stop it cleanly. The last esdash process to end does so anyway."""
    _note_url(settings)
    try:
        stopped = embedded.stop(place_of_data(settings), force)
    except embedded.EmbeddedServerError as error:
        raise FailedError(str(error)) from error
    if as_json:
        print_json({"stopped": stopped})
    else:
        tell("The embedded server is stopped." if stopped else "No embedded server ran.")


def _note_url(settings: Settings) -> None:
    if settings.url:
        warn("A server is set by --url or the settings; this is about esdash's own.")
