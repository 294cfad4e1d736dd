"""`esdash events`: the entries and what became of them."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.moments import moment
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import iso_time, paint, plural, warn
from esdash.config import Settings
from esdash.shop.outcomes import OUTCOMES

if TYPE_CHECKING:
    from esdash.engine.domain import Row
    from esdash.shop.story import Change

COLOURS: Final = {"applied": "green", "rejected": "yellow", "parked": "red", "duplicate": "blue"}

_NAMES: Final = tuple(dict.fromkeys(outcome.name for outcome in OUTCOMES))
_REASONS: Final = tuple(outcome.reason for outcome in OUTCOMES if outcome.reason)

_Told = tuple["Row", "Sequence[Change]"]


@click.command()
@click.option("--from", "first", callback=moment(last=False), metavar="ID|TIME", help="From this entry or time on.")
@click.option("--to", "last", callback=moment(last=True), metavar="ID|TIME", help="Up to this entry or time.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after printing this many.")
@click.option("--follow", is_flag=True, help="Go on with what is appended, until interrupted.")
@click.option("--user", "users", type=int, multiple=True, metavar="USER", help="Only what is about this user.")
@click.option("--item", "items", multiple=True, metavar="ITEM", help="Only what is about this item.")
@click.option(
    "--outcome",
    "outcomes",
    type=click.Choice((*_NAMES, *_REASONS)),
    metavar="OUTCOME",
    multiple=True,
    help="Only applied, rejected, parked or duplicate entries, or those with a reason, like out_of_stock.",
)
@as_json
@with_settings
def command(
    settings: Settings,
    first: bytes | None,
    last: bytes | None,
    count: int | None,
    follow: bool,
    as_json: bool,
    **wanted: tuple[Any, ...],
) -> None:
    """Show entries and what became of them.

    In their order: number, what they say, outcome, and what changed. Everything from the first entry on, unless
    told otherwise. --user, --item and --outcome may be repeated; an entry is shown when it fits one of each kind
    that is given. --follow goes on until interrupted, and ends with exit code 5 when the server is lost: --from with
    the last id that was shown goes on from there.
    """
    from esdash.engine.history import History
    from esdash.log.stream import START, id_parts
    from esdash.shop.domain import Shop

    show = _as_json if as_json else _as_line
    fits = _filter(**wanted)
    left = count
    with open_log(settings) as log:
        history = History(log, Shop())
        projection = history.before(first or START)
        if projection.unseen > 0:
            gone = plural(projection.unseen, "entry was", "entries were")
            warn(f"Partial history: {gone} gone, and what is shown is the fold of those that are left.")
        for told in history.explain(projection, follow=follow):
            if last is not None and id_parts(told[0].entry_id) > id_parts(last):
                break
            if not fits(told):
                continue
            print(show(told), flush=follow)
            if left is not None:
                left -= 1
                if not left:
                    break


def _filter(users: tuple[int, ...], items: tuple[str, ...], outcomes: tuple[str, ...]) -> Callable[[_Told], bool]:
    subjects = {("balance", str(user)) for user in users} | {("stock", item) for item in items}
    by_user, by_item, codes = bool(users), bool(items), set(_codes(outcomes))

    def fits(told: _Told) -> bool:
        row, changes = told
        if outcomes and row.code not in codes:
            return False
        if not subjects:
            return True
        found = {change.kind for change in changes if (change.kind, change.subject) in subjects}
        return (not by_user or "balance" in found) and (not by_item or "stock" in found)

    return fits


def _codes(outcomes: tuple[str, ...]) -> Iterator[int]:
    for code, (name, reason) in enumerate(OUTCOMES):
        if name in outcomes or reason in outcomes:
            yield code


def _as_json(told: _Told) -> str:
    from esdash.log.stream import id_parts
    from esdash.shop import story
    from esdash.shop.decoding import key_of

    row, changes = told
    assert row.code is not None, "an entry that was just folded"
    outcome = OUTCOMES[row.code]
    key = key_of(row.fields)
    data, raw = _payload(row.fields)
    return json.dumps(
        {
            "ordinal": row.ordinal,
            "id": row.entry_id.decode(),
            "time": iso_time(id_parts(row.entry_id)[0]),
            "type": story.type_of(row.fields),
            "key": None if key is None else key.decode("utf-8", "backslashreplace"),
            "outcome": outcome.name,
            "reason": outcome.reason,
            "data": data,
            "raw": raw,
            "changes": [change._asdict() for change in changes],
        }
    )


def _payload(fields: Sequence[bytes]) -> tuple[Any, str | None]:
    """The `data` as an object, or, when it is none, its bytes as hexadecimal digits; neither when there is none."""
    from esdash.shop import story

    if b"data" not in fields[::2]:
        return None, None
    payload = story.payload_of(fields)
    try:
        data = json.loads(payload.decode(), parse_constant=_refuse)
        if isinstance(data, dict):
            json.dumps(data, allow_nan=False)
            return data, None
    except (ValueError, RecursionError):
        pass
    return None, payload.hex()


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _as_line(told: _Told) -> str:
    from datetime import datetime

    from esdash.log.stream import id_parts
    from esdash.shop import story
    from esdash.ui.outlook import amount
    from esdash.visible import visible

    row, changes = told
    assert row.code is not None, "an entry that was just folded"
    outcome = OUTCOMES[row.code]
    try:
        when = f"{datetime.fromtimestamp(id_parts(row.entry_id)[0] / 1000):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        when = "–"
    moved = ", ".join(
        f"{change.kind} of {visible(change.subject, 64)} {amount(change, change.before)} → "
        f"{amount(change, change.after)}"
        for change in changes
        if change.before != change.after
    )
    decision = outcome.name + (f" {outcome.reason}" if outcome.reason else "")
    return "  ".join(
        (
            f"{row.ordinal:>7}",
            f"{when:<19}",
            f"{row.entry_id.decode():<15}",
            f"{visible(story.type_of(row.fields), 20):<7}",
            f"{visible(story.describe(row.fields), 100):<36}",
            paint(f"{decision:<9}", COLOURS[outcome.name]),
            moved,
        )
    ).rstrip()
