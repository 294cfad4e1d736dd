"""Which invariants hold of a state, and since which entry those that are broken are so: for `doctor`."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from esdash.domain import TIME, Invariant
from esdash.engine.console import EngineError
from esdash.engine.invariants.asked import UnfitInvariantError, condition_of, holds_in
from esdash.engine.invariants.watching import InvariantWatch
from esdash.engine.moments.history import History
from esdash.engine.operations.findings import Finding, Status
from esdash.engine.projection import Projection
from esdash.fold.declaration import invariants_of
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.stream import START, Stream, id_parts
from esdash.query.conditions import Condition
from esdash.visible import visible


class Break(NamedTuple):
    """The last time that an invariant was broken."""

    ordinal: int
    entry_id: bytes
    times: int
    """How often it was broken, that time included."""
    exact: bool = True
    """False: it was broken there already, by this entry or one before."""


ByPast = Callable[[Condition], Break | None]
"""Tells it without folding, where something is kept that can."""


def invariant_findings(log: Stream, projection: Projection, by_past: ByPast) -> Iterator[Finding]:
    """Whether each invariant holds of the newest state. Raises LogError."""
    fold = projection.domain
    broken: list[Invariant] = []
    for each in invariants_of(fold.domain):
        name = f"invariant {visible(each.name)}"
        try:
            holds = not projection.ordinal or holds_in(fold, projection.state, each)
        except UnfitInvariantError as error:
            seen = f"It cannot be told whether it holds: {str(error).rstrip('.')}."
            yield Finding(name, Status.WARNING, seen, "Mend the function: it returns True or False and writes nothing.")
            continue
        if holds:
            yield Finding(name, Status.OK, f"It holds after #{projection.position.number:,}.")
        else:
            broken.append(each)
    found = _breaks(log, fold, broken, by_past) if broken else {}
    for each in broken:
        yield _finding(f"invariant {visible(each.name)}", found.get(each.name), projection)


def _breaks(log: Stream, fold: Fold, broken: Sequence[Invariant], by_past: ByPast) -> dict[str, Break]:
    found: dict[str, Break] = {}
    for each in broken:
        if isinstance(each.condition, str) and (told := by_past(condition_of(fold, each.condition))) is not None:
            found[each.name] = told
    if rest := [each for each in broken if each.name not in found]:
        history = History(log, fold)
        try:
            projection = history.since(START).projection
            watch = InvariantWatch(projection, rest)
            history.advance(projection, told=lambda page, told: watch.see(projection, told, page.__getitem__))
            watch.catch_up(projection, force=True)
        except (EngineError, DomainError):
            return found  # what is missing there is said of the stream
        for now in watch.now:
            if now.broken is not None:
                at = now.broken.position
                found[now.name] = Break(at.ordinal, at.last_event_id.encode(), now.times, now.exact)
    return found


def _finding(name: str, broken: Break | None, projection: Projection) -> Finding:
    remedy = "Mend the rules that let it happen, or publish what makes it hold again."
    if broken is None:
        return Finding(name, Status.PROBLEM, "It is broken; since when cannot be told.", remedy)
    number = broken.ordinal + projection.unseen
    time = TIME.write(id_parts(broken.entry_id)[0])
    times = f"; {broken.times:,} times in all" if broken.times > 1 else ""
    at_latest = "" if broken.exact else " at the latest"
    seen = f"It is broken since #{number:,}{at_latest}, {broken.entry_id.decode()}, {time}{times}."
    return Finding(name, Status.PROBLEM, seen, f"`esdash events --from n{number} --count 1` shows it. {remedy}")
