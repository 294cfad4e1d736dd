"""`esdash events`: the entries and what became of them."""

import json
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.failures import FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import iso_time, local_time, paint, plural, warn
from esdash.cli.places import PLACE, begin_of, end_of
from esdash.cli.presence import absence
from esdash.config import Settings
from esdash.shop.outcomes import OUTCOMES, PARKED

if TYPE_CHECKING:
    from esdash.engine.domain import Row
    from esdash.engine.history import Beginning
    from esdash.query.places import Place
    from esdash.shop.story import Change

COLOURS: Final = {"applied": "green", "rejected": "red", "parked": "yellow", "duplicate": "blue"}

_NAMES: Final = tuple(dict.fromkeys(outcome.name for outcome in OUTCOMES))
_REASONS: Final = tuple(outcome.reason for outcome in OUTCOMES if outcome.reason)

_Told = tuple["Row", "Sequence[Change]"]


@click.command()
@click.option("--from", "first", type=PLACE, metavar="PLACE", help="From this place on: #123, an id, a time, -5m.")
@click.option("--to", "last", type=PLACE, metavar="PLACE", help="Up to and with this place.")
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
    first: "Place | None",
    last: "Place | None",
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
    from esdash.engine.open_entries import ReadAhead
    from esdash.log.stream import START, id_parts
    from esdash.shop.domain import Shop

    fits = _Filter(**wanted)
    left = count
    with open_log(settings) as log:
        if missing := absence(log):
            if not follow:
                raise FailedError(missing)
            warn(f"{missing} Waiting for its first entry.")
        history, ahead = History(log, Shop()), ReadAhead(History(log, Shop()), Shop())
        until = None if last is None else end_of(log, last)
        beginning = history.since(START if first is None else begin_of(log, first), until)
        projection = beginning.projection
        if beginning.snapshot_id is not None:
            warn(_what_is_left_out(beginning))
        if projection.unseen > 0:
            gone = plural(projection.unseen, "entry was", "entries were")
            warn(f"Partial history: {gone} gone, and what is shown is the fold of those that are left.")
        for told in history.explain(projection, follow=follow):
            if until is not None and id_parts(told[0].entry_id) > id_parts(until):
                break
            if not fits(told):
                continue
            corrected_by = None
            if told[0].code in PARKED:
                corrected_by = ahead.corrected_by(told[0], told[0].ordinal + projection.unseen)
            line = _as_json(told, corrected_by) if as_json else _as_line(told, projection.unseen, corrected_by)
            print(line, flush=follow)
            if left is not None:
                left -= 1
                if not left:
                    return
    state = projection.state
    if unknown := fits.never_met(set(map(str, state.users)), state.stock):
        raise FailedError(f"There is no {', no '.join(unknown)} in these entries or before them.")


def _what_is_left_out(beginning: "Beginning[Any]") -> str:
    number = beginning.projection.ordinal + beginning.projection.unseen
    shown = f"Shown is what came after #{number:,}: --from snapshot:{beginning.snapshot_id}."
    if not beginning.left_out:
        return f"Entries up to #{number:,} are gone from the stream. {shown}"
    still_there = plural(beginning.left_out, "entry that is", "entries that are")
    return f"What became of {still_there} still in the stream cannot be told, since others are gone. {shown}"


class _Filter:
    """Which entries are wanted; remembers which users and items it has met."""

    def __init__(self, users: tuple[int, ...], items: tuple[str, ...], outcomes: tuple[str, ...]) -> None:
        self._users = dict.fromkeys(map(str, users))
        self._items = dict.fromkeys(items)
        self._codes = set(_codes(outcomes)) if outcomes else None
        self._met: set[tuple[str, str]] = set()

    def __call__(self, told: _Told) -> bool:
        row, changes = told
        wanted = self._codes is None or row.code in self._codes
        if not self._users and not self._items:
            return wanted
        found = {
            (change.kind, change.subject)
            for change in changes
            if (change.kind == "balance" and change.subject in self._users)
            or (change.kind == "stock" and change.subject in self._items)
        }
        self._met |= found
        kinds = {kind for kind, _ in found}
        return wanted and (not self._users or "balance" in kinds) and (not self._items or "stock" in kinds)

    def never_met(self, users: Container[str], items: Container[str]) -> list[str]:
        """Users and items that no entry was about and that are not among these either, for people."""
        from esdash.visible import visible

        return [
            f"{one} {visible(name, 64)}"
            for one, kind, wanted, known in (
                ("user", "balance", self._users, users),
                ("item", "stock", self._items, items),
            )
            for name in wanted
            if (kind, name) not in self._met and name not in known
        ]


def _codes(outcomes: tuple[str, ...]) -> Iterator[int]:
    for code, (name, reason) in enumerate(OUTCOMES):
        if name in outcomes or reason in outcomes:
            yield code


def _as_json(told: _Told, corrected_by: int | None) -> str:
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
            **({} if corrected_by is None else {"corrected_by": corrected_by}),
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


def _as_line(told: _Told, unseen: int, corrected_by: int | None) -> str:
    from esdash.log.stream import id_parts
    from esdash.shop import story
    from esdash.ui.outlook import amount
    from esdash.visible import visible

    row, changes = told
    assert row.code is not None, "an entry that was just folded"
    outcome = OUTCOMES[row.code]
    when = local_time(id_parts(row.entry_id)[0])
    moved = ", ".join(
        f"{change.kind} of {visible(change.subject, 64)} {amount(change, change.before)} → "
        f"{amount(change, change.after)}"
        for change in changes
        if change.before != change.after
    )
    if corrected_by is not None:
        moved = f"corrected by #{corrected_by}"
    decision = outcome.name + (f" {outcome.reason}" if outcome.reason else "")
    return "  ".join(
        (
            f"{f'#{row.ordinal + unseen}':>7}",
            f"{when:<19}",
            f"{row.entry_id.decode():<15}",
            f"{visible(story.type_of(row.fields), 20):<7}",
            f"{visible(story.describe(row.fields), 100):<36}",
            paint(f"{decision:<9}", COLOURS[outcome.name]),
            moved,
        )
    ).rstrip()
