"""`esdash state`: the state now or as it was."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.failures import ExitCode, FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import (
    new_table,
    number,
    print_json,
    print_tables,
    tell,
    warn,
    warn_of_partial_history,
    warn_of_rung,
)
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import require_stream
from esdash.config import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from esdash.query.places import Place

DOMAIN: Final = "shop"
"""The name of the domain, as programs are told."""

ROWS: Final = 1000
"""Users or items that a table shows at most."""


@click.command()
@click.option("--at", type=PLACE, metavar="PLACE", help="As it was after this place: #123, an id, a time, -5m.")
@click.option(
    "--user", "users", type=int, multiple=True, metavar="USER", help="This user, and no item unless --item is given."
)
@click.option("--item", "items", multiple=True, metavar="ITEM", help="This item, and no user unless --user is given.")
@as_json
@with_settings
def command(
    settings: Settings, at: "Place | None", users: tuple[int, ...], items: tuple[str, ...], as_json: bool
) -> None:
    """Show balances, stock and outcomes.

    Answers from the newest good snapshot and the entries since; needs no running consumer and writes nothing.
    --user and --item may be repeated, and show a part of the users and items; position, outcomes and digest remain
    those of the whole state.
    """
    from esdash.engine.history import History
    from esdash.engine.view import Rung, Verdict
    from esdash.shop import story
    from esdash.shop.domain import Shop

    tried: tuple[Rung, ...] = ()

    def note(rungs: tuple[Rung, ...]) -> None:
        nonlocal tried
        tried = rungs

    with open_log(settings) as log:
        require_stream(log)
        until = None if at is None else end_of(log, at)
        projection, continuity = History(log, Shop()).at(until, on_rung=note)
    document: dict[str, Any] = {
        "stream": settings.stream,
        "domain": DOMAIN,
        "last_event_id": projection.position.last_event_id,
        "ordinal": projection.ordinal,
        "unseen": projection.unseen,
        **story.document(projection.state),
        "digest": projection.domain.digest(projection.state),
        "continuity": str(continuity),
        "missing": continuity.missing,
        "partial": continuity.unseen_before_start,
    }
    unknown: list[str] = []
    if users or items:
        unknown += _choose(document, "users", "user", map(str, users))
        unknown += _choose(document, "items", "item", items)
    if as_json:
        print_json(document)
    else:
        _print_facts(document)
        print_tables(*_tables(document, balances=bool(users or not items), stock=bool(items or not users)))
    for rung in tried:
        if rung.reason is not None:
            warn_of_rung(rung)
    warn_of_partial_history(continuity.unseen_before_start)
    if continuity.verdict in (Verdict.GAP, Verdict.DIVERGED):
        warn(f"{'The state then cannot be told: ' if at else ''}{continuity.explanation}")
        click.get_current_context().exit(ExitCode.BROKEN)
    if continuity.verdict is Verdict.UNKNOWN:
        warn(continuity.explanation)
    if unknown:
        raise FailedError(f"There is no {', no '.join(unknown)}{' then' if at else ''}.")


def _choose(document: dict[str, Any], member: str, one: str, wanted: Iterable[str]) -> list[str]:
    """Keep these only; those that are not there, for people."""
    from esdash.visible import visible

    names = dict.fromkeys(wanted)
    unknown = [f"{one} {visible(name, 64)}" for name in names if name not in document[member]]
    document[member] = {name: value for name, value in document[member].items() if name in names}
    return unknown


def _print_facts(document: Mapping[str, Any]) -> None:
    for name, value in (
        ("stream", document["stream"]),
        ("last event", f"{document['last_event_id']}, #{document['ordinal'] + document['unseen']:,}"),
        ("continuity", document["continuity"]),
        ("digest", document["digest"]),
    ):
        tell(f"{name:<11} {value}")


def _tables(document: Mapping[str, Any], *, balances: bool, stock: bool) -> "Iterator[Table]":
    from esdash.shop.money import format_money
    from esdash.visible import visible

    users, items, outcomes = document["users"], document["items"], document["outcomes"]
    if balances:
        yield new_table(
            _title("Balances", users),
            [("user", "right"), ("balance", "right")],
            [(user, format_money(balance)) for user, balance in islice(users.items(), ROWS)],
        )
    if stock:
        yield new_table(
            _title("Stock", items),
            [("item", "left"), ("price", "right"), ("remaining", "right")],
            [
                (visible(item), format_money(values["price"]), number(values["remain"]))
                for item, values in islice(items.items(), ROWS)
            ],
        )
    counts = [("applied", "", outcomes["applied"])]
    for name in ("rejected", "parked"):
        counts += [(name, reason, count) for reason, count in outcomes[name].items()]
    counts.append(("duplicate", "", outcomes["duplicate"]))
    yield new_table(
        "Outcomes",
        [("outcome", "left"), ("reason", "left"), ("entries", "right")],
        [(name, reason, number(count)) for name, reason, count in counts],
    )


def _title(name: str, rows: Mapping[str, Any]) -> str:
    more = f", the first {ROWS:,} shown; --json has all" if len(rows) > ROWS else ""
    return f"{name} ({len(rows):,}{more})"
