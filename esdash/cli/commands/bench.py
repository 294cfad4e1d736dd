"""`esdash bench`: what the server gives."""

import time
from typing import Any

import click

from esdash.cli.connect import open_log, require_writable
from esdash.cli.domains import fold_of, require_samples
from esdash.cli.failures import BadInputError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import print_json, say, tell
from esdash.config import Settings
from esdash.engine.operations.bench import Bench, Measured


@click.command()
@click.option(
    "--entries",
    type=click.IntRange(1_000, 1_000_000),
    default=100_000,
    show_default=True,
    metavar="N",
    help="So many events are published and replayed.",
)
@click.option("--yes", is_flag=True, help="Put this load on a server that is not esdash's own.")
@as_json
@with_settings
def command(settings: Settings, entries: int, yes: bool, as_json: bool) -> None:
    """Measure publishing, replay and latency.

    Takes a few seconds and works on a scratch stream beside the stream, which is removed again. For these seconds the
    server has all the work that it can do.
    """
    fold = fold_of(settings)
    require_writable(settings, "Nothing was measured", fold)
    require_samples(fold)
    if settings.url and not yes:
        raise BadInputError(
            "This puts a heavy load on a server that is not esdash's own. Say --yes if that is all right, or leave "
            "out --url."
        )
    with open_log(settings) as log:
        server = log.server.facts()
        events = map(fold.encode, fold.samples(time.time_ns()))
        found = Bench(log, fold, events).run(entries, lambda what: say(f"{what} …"))
        name = f"{log.server.name} · {server.product} {server.version}"
    if as_json:
        print_json(_document(name, found))
    else:
        _tell(name, found)


def _document(server: str, found: Measured) -> dict[str, Any]:
    latency = found.latency
    return {
        "server": server,
        "entries": found.entries,
        "publish": {"events_per_second": round(found.publish, 1)},
        "read": {"events_per_second": round(found.read, 1)},
        "replay": {"events_per_second": round(found.replay, 1)},
        "latency": {
            "events": latency.events,
            "p50_ms": round(latency.median * 1000, 3),
            "p99_ms": round(latency.p99 * 1000, 3),
            "max_ms": round(latency.longest * 1000, 3),
            "append_p50_ms": round(latency.append * 1000, 3),
        },
    }


def _tell(server: str, found: Measured) -> None:
    latency = found.latency
    tell(f"server    {server}, {found.entries:,} events")
    click.echo(f"publish   {found.publish:>9,.0f} events/s  in batches of 1,000")
    click.echo(f"read      {found.read:>9,.0f} events/s  page after page, without folding")
    click.echo(f"replay    {found.replay:>9,.0f} events/s  from the beginning of the stream")
    click.echo(
        f"latency   {latency.median * 1000:>9.2f} ms        append → applied; 99 % within {latency.p99 * 1000:.2f} ms, "
        f"all within {latency.longest * 1000:.2f} ms"
    )
    click.echo(f"append    {latency.append * 1000:>9.2f} ms        until the server has answered")
