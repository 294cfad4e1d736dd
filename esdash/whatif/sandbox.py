"""A log with other entries, folded once more beside the one that there is. Nothing of it can reach a server."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from esdash.engine.console import EngineError
from esdash.engine.moments.history import History, id_before
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold
from esdash.log.errors import LogError
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.whatif.beside import Beside, Consequences
from esdash.whatif.edits import Edit, Insert, Plan


class Sandbox:
    """Tries edits of one log. Writes nothing; every method may block and raises EngineError with a sentence."""

    def __init__(self, log: Stream, fold: Fold, clock: Callable[[], float] = time.time) -> None:
        """`clock`: Unix seconds, for what is inserted at the end."""
        if fold.readonly:
            raise EngineError(f"The domain {fold.name} has no rules, so there is nothing to try.")
        self._log = log
        self._fold = fold
        self._clock = clock

    def end(self) -> bytes:
        """The id of the last entry."""
        with _plainly():
            return self._log.facts().last_id

    def entry(self, entry_id: bytes) -> Entry:
        """An entry of the log, to be changed."""
        with _plainly():
            entry = self._log.entry(entry_id)
        if entry is None:
            raise EngineError(f"There is no entry {entry_id.decode()} in the stream, so nothing can be tried with it.")
        return entry

    def neighbour(self, entry_id: bytes, *, back: bool) -> Entry | None:
        """The entry before another one, or the one after it; None where there is none."""
        with _plainly():
            found = self._log.newest(id_before(entry_id), 1) if back else self._log.page(entry_id, count=1)
        return found[0] if found else None

    def consequences(
        self,
        edits: Sequence[Edit],
        until: bytes,
        *,
        begin: bytes | None = None,
        on_page: Callable[[int], object] = id,
    ) -> Consequences:
        """What would be otherwise after the entry `until`, had the log been another one.

        What is folded begins after `begin`, or wherever the first edit is. `on_page` hears how many entries are folded;
        what it raises ends it. Raises EngineError also where an edit is about what comes later, and where entries are
        missing.
        """
        with _plainly():
            last = self._log.facts().last_id
            following = None if id_parts(until) >= id_parts(last) else self.neighbour(until, back=False)
            until = min(until, last, key=id_parts)
            # A time may reach further than the log does.
            edits = [_within(each, last) for each in edits]
            plan = Plan(edits, until, int(self._clock() * 1000), None if following is None else following[0])
            for place in plan.places:
                if id_parts(place) > id_parts(until):
                    raise EngineError(
                        f"Entry {place.decode()} comes after {until.decode()}, where the comparison ends."
                    )
            starts = [each for each in (begin, plan.begin, until) if each is not None]
            history = History(self._log, self._fold, on_page=lambda projection: on_page(projection.ordinal))
            was = history.after(min(starts, key=id_parts))
            # A fold of its own: where a rule fails on what was never appended, that is nothing to the consumer.
            beside = Beside(was, Fold(self._fold.domain), was.state.copy(), plan, on_page)
            history.advance(was, beside.see, until)
            return beside.end()


def _within(edit: Edit, last: bytes) -> Edit:
    """The edit such that nothing is inserted further behind than at the end of the log."""
    if isinstance(edit, Insert) and edit.after is not None and id_parts(edit.after) > id_parts(last):
        return Insert(last, edit.entries)
    return edit


@contextmanager
def _plainly() -> Iterator[None]:
    """What goes wrong as EngineError."""
    try:
        yield
    except (LogError, DomainError) as error:
        raise EngineError(str(error)) from error
