"""`esdash produce`: made-up events, for trying things out."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import click
from msgspec import Struct, field

from esdash.cli.connect import open_log, require_server, require_writable
from esdash.cli.domains import fold_of, require_samples
from esdash.cli.options import as_json, durability_option, with_settings
from esdash.cli.output import print_json, say
from esdash.config import Settings
from esdash.counted import counted
from esdash.engine.publishing.publisher import Publisher
from esdash.log.durability import read_durability

TICK_SECONDS: Final = 0.05
"""Between two appends at a given rate, unless the rate is so low that less often is enough."""

REPORT_SECONDS: Final = 1.0
"""Between two lines of progress."""

PAGE: Final = 1000

BATCH: Final = 30
"""Events, unless told otherwise: the reference's ten of each kind."""


def _sensible(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0.001 <= value <= 1e9:
        raise click.BadParameter(f"{value:g} is not a number from 0.001 to 1e9.")
    return value


@click.command()
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=BATCH,
    show_default=True,
    metavar="N",
    help="So many events in all.",
)
@click.option("--rate", type=float, callback=_sensible, metavar="R", help="Events a second.  [no limit]")
@click.option(
    "--seconds",
    type=float,
    callback=_sensible,
    metavar="S",
    help="Go on for so long, whatever their number; --count, when given, ends it sooner.",
)
@click.option("--seed", type=int, metavar="SEED", help="The same seed makes the same events.  [from the clock]")
@durability_option
@as_json
@with_settings
@click.pass_context
def command(
    context: click.Context,
    settings: Settings,
    count: int,
    rate: float | None,
    seconds: float | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Append made-up events.

    Those that the domain gives as a sample, as fast as possible, unless told otherwise.
    """
    fold = fold_of(settings)
    require_writable(settings, "Nothing was published", fold)
    require_samples(fold)
    limited = seconds is None or context.get_parameter_source("count") is click.core.ParameterSource.COMMANDLINE
    samples = fold.samples(time.time_ns() if seed is None else seed)
    events = map(fold.encode, islice(samples, count if limited else None))
    with open_log(settings) as log:
        require_server(log)
        production = _Production(Publisher(log, fold.fields, durability=read_durability(settings.durability)))
        try:
            production.run(events, rate, seconds)
        finally:
            if as_json:
                print_json(production.document())
            else:
                click.echo(production.summary())


class _Production(Struct):
    """Appends events, no faster than wanted, and counts them."""

    publisher: Publisher
    types: Counter[str] = field(default_factory=Counter)
    last_id: str | None = None
    seconds: float = 0.0

    @property
    def published(self) -> int:
        """Events appended so far."""
        return self.types.total()

    def run(self, events: Iterator[tuple[str, bytes]], rate: float | None, seconds: float | None) -> None:
        """Append until the events or the time run out. Raises EngineError."""
        begun = time.monotonic()
        reported = begun
        while seconds is None or time.monotonic() - begun < seconds:
            if rate is None:
                due = PAGE
            else:
                wait = max(TICK_SECONDS, begun + (self.published + 1) / rate - time.monotonic())
                time.sleep(wait if seconds is None else max(0.0, min(wait, begun + seconds - time.monotonic())))
                due = min(PAGE, int((time.monotonic() - begun) * rate) - self.published)
            page = list(islice(events, due))
            for published in self.publisher.publish_many((kind, data, None) for kind, data in page):
                self.types[published.event_type] += 1
                self.last_id = published.entry_id
            now = time.monotonic()
            self.seconds = now - begun
            if now - reported >= REPORT_SECONDS:
                reported = now
                say(f"{counted(self.published, 'event', 'events')}, {self._speed():,.0f} a second")
            if due and not page:
                return

    def document(self) -> dict[str, Any]:
        """What was done, as JSON."""
        return {
            "published": self.published,
            "types": dict(self.types),
            "seconds": round(self.seconds, 6),
            "events_per_second": round(self._speed(), 1),
            "last_event_id": self.last_id,
        }

    def summary(self) -> str:
        """What was done, in a line."""
        return (
            f"{counted(self.published, 'event', 'events')} published in {self.seconds:.2f} s, "
            f"{self._speed():,.0f} a second."
        )

    def _speed(self) -> float:
        return self.published / self.seconds if self.seconds else 0.0
