"""A log with other entries, folded once more beside the one that there is. Nothing of it can reach a server."""

from collections.abc import Sequence

from esdash.engine.console import EngineError
from esdash.engine.history import History
from esdash.fold.folding import Entry, Fold
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.whatif.beside import Beside, Consequences
from esdash.whatif.edits import Edit, Plan


def consequences(
    history: History, fold: Fold, edits: Sequence[Edit], until: bytes, *, begin: bytes | None = None, now_ms: int = 0
) -> Consequences:
    """What would be otherwise after the entry `until`, had the log been another one.

    What is folded begins after `begin`, or wherever the first edit is. `now_ms` is the time of what is inserted at the
    end. Raises EngineError where an edit is about what comes later, and where entries are missing; LogError.
    """
    if fold.readonly:
        raise EngineError(f"The domain {fold.name} has no rules, so there is nothing to try.")
    plan = Plan(edits, now_ms)
    starts = [each for each in (begin, plan.begin, until) if each is not None]
    for place in plan.places:
        if id_parts(place) > id_parts(until):
            raise EngineError(f"Entry {place.decode()} comes after {until.decode()}, where the comparison ends.")
    was = history.after(min(starts, key=id_parts))
    base = was.state.fork()
    # A fold of its own: where a rule fails on what was never appended, that is nothing to the consumer.
    beside = Beside(was, Fold(fold.domain), base.over(), plan)
    history.advance(was, beside.see, until)
    return beside.end()


def entry_of(log: Stream, entry_id: bytes) -> Entry:
    """An entry of the log, to be changed. Raises EngineError where there is none, LogError."""
    entry = log.entry(entry_id)
    if entry is None:
        raise EngineError(f"There is no entry {entry_id.decode()} in the stream, so nothing can be tried with it.")
    return entry
