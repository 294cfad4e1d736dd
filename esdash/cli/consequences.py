"""What would be otherwise, as output: JSON, or tables for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from esdash.cli.entries import change_document, place_document
from esdash.cli.output import new_table, number, print_tables, tell
from esdash.counted import counted
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.outcomes import Outcome
from esdash.fold.stored import number_name
from esdash.visible import visible
from esdash.whatif.beside import Consequences, Tried
from esdash.words.changes import by_size, text_between
from esdash.words.entries import describe, type_of
from esdash.words.lines import deeds

if TYPE_CHECKING:
    from rich.table import Table


ROWS: Final = 1000
"""Numbers, and entries, that people are shown at most."""


def consequences_document(found: Consequences) -> dict[str, Any]:
    """All of it. An entry that was inserted behind #130 has `nth` 1, 2 and so on, and the ordinal of that."""
    return {
        "begin": {"last_event_id": found.begin.last_event_id, "ordinal": found.begin.ordinal},
        "end": {"last_event_id": found.end.last_event_id, "ordinal": found.end.ordinal},
        "numbers": [
            {"number": number_name(each.table, each.key, each.column), "was": each.before, "is": each.after}
            for each in found.numbers
        ],
        "decided": [
            {
                **place_document(each.ordinal, each.entry_id),
                "type": each.type,
                "was": each.was.name,
                "was_reason": each.was.reason,
                "is": each.now.name,
                "is_reason": each.now.reason,
            }
            for each in found.decided
        ],
        "decided_count": found.count,
        "unheld": list(found.unheld),
        "tried": [
            {
                **place_document(each.place.ordinal, each.entry[0]),
                "nth": each.place.nth,
                "outcome": each.outcome.name,
                "reason": each.outcome.reason,
                "changes": [change_document(change) for change in each.told.changes],
            }
            for each in found.tried
        ],
    }


def print_consequences(fold: Fold, found: Consequences, other: Fold | None = None) -> None:
    """What people read first: what was tried, what is decided otherwise, what numbers come out.

    `other` is the domain by which the log would be another one, where that is not the same.
    """
    unseen = found.end.unseen
    tables: list[Table] = []
    if found.tried:
        tables.append(
            new_table(
                f"Tried ({_of(len(found.tried), ROWS)})",
                [("entry", "right"), ("says", "left"), ("outcome", "left"), ("", "left")],
                [_tried(fold, each, unseen) for each in found.tried[:ROWS]],
            )
        )
    if found.count:
        tables.append(
            new_table(
                f"Decided otherwise ({_of(found.count, ROWS)})",
                [("entry", "right"), ("type", "left"), ("was", "left"), ("is", "left")],
                [
                    (f"#{each.ordinal + unseen:,}", visible(each.type, 40), _words(each.was), _words(each.now))
                    for each in found.decided[:ROWS]
                ],
            )
        )
    if found.numbers:
        hidden = {table.name for each in (fold, other or fold) for table in each.domain.tables if table.hidden}
        shown = [each for each in found.numbers if each.table not in hidden]
        if shown:
            tables.append(_numbers(fold, other or fold, shown))
        if rest := len(found.numbers) - len(shown):
            tell(f"{counted(rest, 'number of a hidden table differs', 'numbers of hidden tables differ')}: see --json.")
    if found.unheld:
        tell(f"✗ Invariants that would not hold: {', '.join(found.unheld)}.")
    if not found.differ:
        tell("Nothing would be otherwise.")
    print_tables(*tables)


def _numbers(fold: Fold, other: Fold, shown: Sequence[Change]) -> "Table":
    rows = [text_between(fold, other, change) for change in by_size(shown, fold, other)[:ROWS]]
    return new_table(
        f"Numbers ({_of(len(shown), ROWS)})",
        [("number", "left"), ("was", "right"), ("is", "right"), ("", "right")],
        [[visible(part) for part in (each.number, each.before, each.after, each.moved)] for each in rows],
    )


def _tried(fold: Fold, tried: Tried, unseen: int) -> tuple[str, ...]:
    _, fields = tried.entry
    says = f"{type_of(fold, fields)} {describe(fold, fields)}"
    return (
        tried.place.named(unseen),
        visible(says, 200),
        _words(tried.outcome),
        visible(deeds(fold, tried.told), 400),
    )


def _words(outcome: Outcome) -> str:
    return f"{outcome.name} {outcome.reason}" if outcome.reason else outcome.name


def _of(count: int, most: int) -> str:
    return number(count) if count <= most else f"{count:,}, the first {most:,} shown; --json has more"
