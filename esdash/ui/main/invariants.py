"""What the banner says of invariants: loudly which is broken and by which entry, and which nobody watches any more."""

from collections.abc import Sequence
from typing import Final

from esdash.engine.shown.view import Turning, View, Watched
from esdash.ui.paint.drawing import clock_time, milliseconds_of
from esdash.ui.paint.painted import Chunk, Line, Span, join
from esdash.visible import visible

MOST: Final = 2
"""Broken ones that are named, a line each."""


def live_lines(view: View, key: str, wall: float, width: int) -> list[Line]:
    """How they stand now; `key` goes to the entry, where there is one. `wall` is Unix seconds."""
    broken = view.broken
    lines = [_broken(each, key if not place else "", wall, width) for place, each in enumerate(broken[:MOST])]
    if more := broken[MOST:]:
        names = ", ".join(visible(each.name, 64) for each in more)
        lines.append(join([_tag(f"{len(more)} more broken"), Chunk((Span(names, "strong"),))], width))
    lines += [
        join(
            [Chunk((Span(f"▲ invariant {visible(each.name, 64)} is watched no more", "warning"),)), _why(each)],
            width,
            ": ",
        )
        for each in view.invariants
        if each.failed
    ]
    return lines


def past_lines(names: Sequence[str], width: int) -> list[Line]:
    """Those that do not hold at a moment of the past."""
    if not names:
        return []
    told = ", ".join(visible(name, 64) for name in names)
    return [join([_tag(told), Chunk((Span("broken at this moment", "strong"),))], width)]


def _broken(watched: Watched, key: str, wall: float, width: int) -> Line:
    assert watched.broken is not None
    number = f"#{watched.broken.position.number:,}"
    if watched.from_snapshot:
        how = f"broken already at {number}, the snapshot"
    elif watched.exact:
        how = f"broken by {watched.broken.named}"
    else:
        how = f"broken after #{watched.held_at + watched.broken.position.unseen:,}, up to {number}"
    chunks = [_tag(visible(watched.name, 64)), Chunk((Span(how, "strong"),))]
    if when := _time(watched.broken, wall):
        chunks.append(Chunk((Span(when, "dim"),), 1))
    if watched.times > 1:
        chunks.append(Chunk((Span(f"{watched.times:,} times", "dim"),), 3))
    if key:
        chunks.append(Chunk((Span(key, "accent"), Span(" goes there", "dim")), 2))
    return join(chunks, width)


def _tag(name: str) -> Chunk:
    return Chunk((Span(" ✗ INVARIANT ", "bad-tag"), Span(f" {name}", "bad-strong")))


def _why(watched: Watched) -> Chunk:
    return Chunk((Span(visible(watched.failed, 200), "dim"),))


def _time(turning: Turning, wall: float) -> str:
    entry_id = turning.position.last_event_id
    return clock_time(milliseconds_of(entry_id.encode()), wall) if entry_id else ""
