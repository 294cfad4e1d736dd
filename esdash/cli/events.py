"""`esdash events`: the entries and what became of them."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.failures import FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import iso_time, local_time, paint, warn
from esdash.cli.places import PLACE, begin_of, end_of
from esdash.cli.presence import absence
from esdash.cli.rows import Named, called, read_rows
from esdash.config import Settings
from esdash.counted import counted

if TYPE_CHECKING:
    from esdash.engine.history import Beginning
    from esdash.engine.row import Row
    from esdash.fold.folding import Fold
    from esdash.fold.tables import Change, State
    from esdash.query.places import Place

COLOURS: Final = {"applied": "green", "rejected": "red", "parked": "yellow", "duplicate": "blue"}


@click.command()
@click.option("--from", "first", type=PLACE, metavar="PLACE", help="From this place on: #123, an id, a time, -5m.")
@click.option("--to", "last", type=PLACE, metavar="PLACE", help="Up to and with this place.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after printing this many.")
@click.option("--follow", is_flag=True, help="Go on with what is appended, until interrupted.")
@click.option("--about", multiple=True, metavar="ROW", help="Only what is about this row, like accounts:7.")
@click.option(
    "--outcome",
    "outcomes",
    metavar="OUTCOME",
    multiple=True,
    help="Only applied, rejected, parked or duplicate entries, or those with a reason, like invalid_data.",
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
    about: tuple[str, ...],
    outcomes: tuple[str, ...],
) -> None:
    """Show entries and what became of them.

    In their order: number, what they say, outcome, and what changed. Everything from the first entry on, unless
    told otherwise. --about and --outcome may be repeated; an entry is shown when it is about one of the rows of each
    table that is named, and has one of the outcomes. --follow goes on until interrupted, and ends with exit code 5 when
    the server is lost: --from with the last id that was shown goes on from there.
    """
    from esdash.engine.history import History
    from esdash.engine.open_entries import ReadAhead
    from esdash.fold.outcomes import PARKED
    from esdash.log.stream import START, id_parts

    fold = fold_of(settings)
    fits, parked = _Filter(fold, read_rows(fold, about), outcomes), range(len(PARKED))
    left = count
    with open_log(settings) as log:
        if missing := absence(log):
            if not follow:
                raise FailedError(missing)
            warn(f"{missing} Waiting for its first entry.")
        history, ahead = History(log, fold), ReadAhead(History(log, fold), fold)
        until = None if last is None else end_of(log, last)
        beginning = history.since(START if first is None else begin_of(log, first), until)
        projection = beginning.projection
        if beginning.snapshot_id is not None:
            warn(_what_is_left_out(beginning))
        if projection.unseen > 0:
            gone = counted(projection.unseen, "entry was", "entries were")
            warn(f"Partial history: {gone} gone, and what is shown is the fold of those that are left.")
        for row in history.explain(projection, follow=follow):
            if until is not None and id_parts(row.entry_id) > id_parts(until):
                break
            if not fits(row):
                continue
            corrected_by = None
            if row.code in parked:
                corrected_by = ahead.corrected_by(row, row.ordinal + projection.unseen)
            line = (
                _as_json(fold, row, corrected_by) if as_json else _as_line(fold, row, projection.unseen, corrected_by)
            )
            print(line, flush=follow)
            if left is not None:
                left -= 1
                if not left:
                    return
    if unknown := fits.never_met(projection.state):
        raise FailedError(f"There is no {', no '.join(unknown)} in these entries or before them.")


def _what_is_left_out(beginning: "Beginning") -> str:
    number = beginning.projection.ordinal + beginning.projection.unseen
    shown = f"Shown is what came after #{number:,}: --from snapshot:{beginning.snapshot_id}."
    if not beginning.left_out:
        return f"Entries up to #{number:,} are gone from the stream. {shown}"
    still_there = counted(beginning.left_out, "entry that is", "entries that are")
    return f"What became of {still_there} still in the stream cannot be told, since others are gone. {shown}"


class _Filter:
    """Which entries are wanted; remembers which of the wanted rows it has met."""

    def __init__(self, fold: "Fold", rows: Sequence[Named], outcomes: tuple[str, ...]) -> None:
        """Raises click.BadParameter for what is no outcome."""
        self._fold = fold
        self._rows = rows
        self._tables = {row.table for row in rows}
        self._codes = set(_codes(fold, outcomes)) if outcomes else None
        self._met: set[Named] = set()

    def __call__(self, row: "Row") -> bool:
        wanted = self._codes is None or row.code in self._codes
        if not self._rows:
            return wanted
        found = self._rows_of(row).intersection(self._rows)
        self._met |= found
        return wanted and self._tables <= {each.table for each in found}

    def _rows_of(self, row: "Row") -> set[Named]:
        """The rows that an entry is about: those that its event names, and those that it changed."""
        changes = row.told.changes if row.told is not None else ()
        rows = {Named(change.table, change.key) for change in changes}
        event = self._fold.read(row.fields).event
        if event is not None:
            rows.update(Named(table, key) for table, key in self._fold.model(event).rows(event))
        return rows

    def never_met(self, state: "State") -> list[str]:
        """Rows that no entry was about and that the state does not hold either, for people."""
        cells = self._fold.cells_of(state)
        return [
            called(self._fold, row) for row in self._rows if row not in self._met and row.key not in cells[row.table][0]
        ]


def _codes(fold: "Fold", outcomes: tuple[str, ...]) -> Iterator[int]:
    there = [part for outcome in fold.outcomes for part in outcome if part]
    for wanted in outcomes:
        if wanted not in there:
            raise click.BadParameter(
                f"{wanted!r} is none of {', '.join(dict.fromkeys(there))}.", param_hint="'--outcome'"
            )
    for code, (name, reason) in enumerate(fold.outcomes):
        if name in outcomes or reason in outcomes:
            yield code


def _as_json(fold: "Fold", row: "Row", corrected_by: int | None) -> str:
    from esdash.engine.corrections import key_field, key_of
    from esdash.log.stream import id_parts
    from esdash.words.entries import type_of

    assert row.code is not None, "an entry that was just folded"
    outcome = fold.outcomes[row.code]
    key = key_of(row.fields, key_field(fold))
    data, raw = _payload(fold, row.fields)
    told = row.told
    short = {} if told is None or told.needed is None else {"needed": told.needed, "available": told.available}
    return json.dumps(
        {
            "ordinal": row.ordinal,
            "id": row.entry_id.decode(),
            "time": iso_time(id_parts(row.entry_id)[0]),
            "type": type_of(fold, row.fields),
            "key": None if key is None else key.decode("utf-8", "backslashreplace"),
            "outcome": outcome.name,
            "reason": outcome.reason,
            **short,
            **({} if corrected_by is None else {"corrected_by": corrected_by}),
            "data": data,
            "raw": raw,
            "changes": [_change(change) for change in told.changes] if told is not None else [],
        }
    )


def _change(change: "Change") -> dict[str, Any]:
    from msgspec.structs import asdict

    from esdash.fold.stored import number_name

    return {"number": number_name(change.table, change.key, change.column), **asdict(change)}


def _payload(fold: "Fold", fields: Sequence[bytes]) -> tuple[Any, str | None]:
    """The payload as an object, or, when it is none, its bytes as hexadecimal digits; neither when there is none."""
    from esdash.words.entries import payload_of

    name = fold.domain.wire.data.encode()
    if name and name not in fields[::2]:
        return None, None
    payload = payload_of(fold, fields)
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


def _as_line(fold: "Fold", row: "Row", unseen: int, corrected_by: int | None) -> str:
    from esdash.log.stream import id_parts
    from esdash.visible import visible
    from esdash.words.entries import describe, type_of

    assert row.code is not None, "an entry that was just folded"
    outcome = fold.outcomes[row.code]
    when = local_time(id_parts(row.entry_id)[0])
    decision = outcome.name + (f" {outcome.reason}" if outcome.reason else "")
    return "  ".join(
        (
            f"{f'#{row.ordinal + unseen}':>7}",
            f"{when:<19}",
            f"{row.entry_id.decode():<15}",
            f"{visible(type_of(fold, row.fields), 20):<7}",
            f"{visible(describe(fold, row.fields), 100):<36}",
            paint(f"{decision:<9}", COLOURS[outcome.name]),
            _what_it_did(fold, row) if corrected_by is None else f"corrected by #{corrected_by}",
        )
    ).rstrip()


def _what_it_did(fold: "Fold", row: "Row") -> str:
    """The numbers that moved, or those for which an entry was refused."""
    from esdash.visible import visible
    from esdash.words.changes import text_of
    from esdash.words.outcomes import shortfall

    if row.told is None:
        return ""
    moved = []
    for change in row.told.changes:
        if fold.storage.places[change.table][0].hidden:
            continue
        text = text_of(fold, change)
        before = "new" if change.before is None else text.before
        moved.append(f"{text.column} of {visible(text.key, 64)} {before} → {text.after}")
    return visible(", ".join(moved) or shortfall(row.told), 1000)
