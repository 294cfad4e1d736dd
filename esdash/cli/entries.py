"""One entry with what became of it as a line of output: JSON, or for people."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from esdash.cli.output import LINE, iso_time, local_time, paint

if TYPE_CHECKING:
    from esdash.engine.row import Row
    from esdash.fold.folding import Fold
    from esdash.fold.tables import Change

COLOURS: Final = {"applied": "green", "rejected": "red", "parked": "yellow", "duplicate": "blue"}


def place_document(ordinal: int, entry_id: bytes) -> dict[str, Any]:
    """Which entry it is, as JSON has it."""
    from esdash.log.stream import id_parts

    return {"ordinal": ordinal, "id": entry_id.decode(), "time": iso_time(id_parts(entry_id)[0])}


def place_line(ordinal: int, entry_id: bytes, unseen: int) -> str:
    """Which entry it is and when it came, as a line for people begins."""
    from esdash.log.stream import id_parts

    return f"{f'#{ordinal + unseen}':>7}  {local_time(id_parts(entry_id)[0]):<19}"


def as_json_line(fold: "Fold", row: "Row", corrected_by: int | None) -> str:
    """A JSON object on one line."""
    from esdash.engine.corrections import key_field, key_of
    from esdash.words.entries import type_of

    assert row.code is not None, "an entry that was just folded"
    outcome = fold.outcomes[row.code]
    key = key_of(row.fields, key_field(fold))
    data, raw = _payload(fold, row.fields)
    told = row.told
    short = {} if told is None or told.needed is None else {"needed": told.needed, "available": told.available}
    return json.dumps(
        {
            **place_document(row.ordinal, row.entry_id),
            "type": type_of(fold, row.fields),
            "key": None if key is None else key.decode("utf-8", "backslashreplace"),
            "outcome": outcome.name,
            "reason": outcome.reason,
            **short,
            **({} if corrected_by is None else {"corrected_by": corrected_by}),
            "data": data,
            "raw": raw,
            "changes": [change_document(change) for change in told.changes] if told is not None else [],
        }
    )


def change_document(change: "Change") -> dict[str, Any]:
    """A change as JSON has it."""
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


def as_line(fold: "Fold", row: "Row", unseen: int, corrected_by: int | None) -> str:
    """A line for people; `unseen` entries had left the stream before the row's history began."""
    from esdash.visible import visible
    from esdash.words.entries import describe, type_of
    from esdash.words.lines import deeds

    assert row.code is not None, "an entry that was just folded"
    outcome = fold.outcomes[row.code]
    decision = outcome.name + (f" {outcome.reason}" if outcome.reason else "")
    return "  ".join(
        (
            place_line(row.ordinal, row.entry_id, unseen),
            f"{row.entry_id.decode():<15}",
            f"{visible(type_of(fold, row.fields), 20):<7}",
            f"{visible(describe(fold, row.fields), 100):<36}",
            paint(f"{decision:<9}", COLOURS[outcome.name]),
            visible(deeds(fold, row.told), LINE) if corrected_by is None else f"corrected by #{corrected_by}",
        )
    ).rstrip()
