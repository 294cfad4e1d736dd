"""What the banner says of rules that are being written."""

from collections.abc import Sequence
from typing import Final

from esdash.counted import counted
from esdash.ui.declared import Actions
from esdash.ui.paint.drawing import clock_time
from esdash.ui.paint.painted import Chunk, Line, Span, join
from esdash.visible import visible
from esdash.whatif.telling import Result, Told

NARROW: Final = 110
"""Columns under which less is said."""


def rules_line(told: Told, file: str, actions: Actions, wall: float, width: int) -> Line:
    """One line; glyph, word and colour each tell how it stands. `file` is the name of the file."""
    name = visible(file, 40)
    when = f" {clock_time(told.saved_ms, wall)}" if told.saved_ms else ""
    narrow = width < NARROW
    shows, takes = (
        Chunk((Span(actions.key(name), "accent"), Span(short if narrow else long, "dim")), rank)
        for name, short, long, rank in (
            ("rules", " shows", " shows them", 1),
            ("take_rules", " takes", " takes the new rules", 2),
        )
    )
    if told.folding:
        done = f" {told.done * 100 // told.total} %" if told.total else ""
        chunks = [
            Chunk((Span(f"◔ {name}{when}", "information"),)),
            Chunk((Span("folding the log", "information"), Span(f"{done} …", "strong"))),
        ]
    elif told.error:
        chunks = [
            Chunk((Span(f"✗ {name}{when}", "bad"),)),
            Chunk((Span(visible(told.error, 300), "bad"),)),
            *([takes] if told.stuck else []),
        ]
    elif told.result is None:
        chunks = [
            Chunk((Span(f"● {name} is watched", "dim"),)),
            Chunk((Span("save it, and here stands what would be otherwise", "dim"),), 1),
        ]
    elif not told.result.differ:
        same = f"the same on {counted(told.result.entries, 'entry', 'entries')}"
        chunks = [Chunk((Span(f"✓ {name}{when}", "good"),)), Chunk((Span(same, "good"),)), *_ends(told.result), takes]
    else:
        chunks = [
            Chunk((Span(f"≠ {name}{when}", "bad"),)),
            *_unheld(told.result),
            *_differences(told.result, narrow=narrow),
            *_ends(told.result),
            shows,
            takes,
        ]
    return join(chunks, width, " · ")


def _differences(result: Result, *, narrow: bool) -> Sequence[Chunk]:
    numbers = counted(result.number_count, "number differs", "numbers differ")
    if not result.number_count and not result.decided:
        return []
    if not result.decided:
        return [Chunk((Span(numbers, "bad"),))]
    first = result.decided[0].number
    if narrow:
        entries = counted(result.decided_count, "entry", "entries")
        numbers = counted(result.number_count, "number", "numbers")
        return [Chunk((Span(f"{numbers}, {entries} from #{first:,}", "bad"),))]
    return [
        Chunk((Span(numbers, "bad"),)),
        Chunk((Span(f"first #{first:,} decided otherwise, {result.decided_count:,} in all", "bad"),)),
    ]


def _ends(result: Result) -> Sequence[Chunk]:
    return [Chunk((Span(visible(result.ends, 200), "warning"),), 3)] if result.ends else ()


def _unheld(result: Result) -> Sequence[Chunk]:
    names = ", ".join(visible(name, 64) for name in result.unheld)
    return [Chunk((Span(f"✗ not held: {names}", "bad-strong"),))] if names else ()
