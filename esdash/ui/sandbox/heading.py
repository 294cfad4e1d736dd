"""The first lines of a sandbox: where it stands, and what would be otherwise."""

from typing import Final

from esdash.counted import counted
from esdash.ui.paint.painted import Line, Span
from esdash.ui.sandbox.drafts import Draft
from esdash.ui.sandbox.folding import Folding
from esdash.visible import visible

NOTHING: Final = "Nothing is tried yet."


def heading_of(name: str, draft: Draft, folding: Folding) -> tuple[Line, Line]:
    """What is said of a sandbox, and of what is known of it; `name` is harmless."""
    where = "At the end of the log" if draft.begin is None else f"Behind #{draft.number:,}"
    what = Span(f"  What if? {where}. Nothing is published.")
    return (Span(f" ◇ {name} ", "tag"), what), (_state(folding),)


def _state(folding: Folding) -> Span:
    found = folding.found
    if folding.why:
        return Span(visible(folding.why, 300), "warning")
    if found is None:
        told = f"folding the log once more … {folding.done:,} entries" if folding.running else NOTHING
        return Span(told, "dim")
    compared = f"after #{found.end.number:,}"
    if not found.differ:
        return Span(f"Nothing would be otherwise {compared}.", "good")
    numbers = counted(len(found.numbers), "number", "numbers") if found.numbers else "No number"
    entries = counted(found.count, "entry", "entries") if found.count else "no entry"
    told = f"{numbers} would be otherwise {compared}, and {entries} decided otherwise."
    if found.unheld:
        names = ", ".join(visible(name, 64) for name in found.unheld)
        return Span(f"✗ INVARIANT {names} would not hold. {told}", "bad-strong")
    return Span(told, "warning")
