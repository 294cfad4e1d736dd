"""The invariants of a domain, asked of one state."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from esdash.domain import Invariant
from esdash.engine.invariants.conditions import holds
from esdash.engine.invariants.numbers import Numbers
from esdash.engine.invariants.patience import PATIENCE, OverdueError, within
from esdash.engine.shown.picture import Picture
from esdash.fold.declaration import invariants_of
from esdash.fold.failing import failure, raise_signals
from esdash.fold.folding import Fold
from esdash.fold.hooks import OverflowedError, Seen, Way
from esdash.fold.schema import SchemaError
from esdash.fold.state import State
from esdash.query.conditions import Condition, numbers_of, read_condition
from esdash.query.errors import QueryError
from esdash.query.numbers import Cell, Number
from esdash.visible import visible
from esdash.words.asked import schema_of

T = TypeVar("T")


class UnfitInvariantError(Exception):
    """A function can tell nothing of a state: it raises, writes it, or returns neither True nor False. Says where."""


def require_readable(fold: Fold) -> None:
    """Raises SchemaError, which points at what is wrong, for a condition that is none of the language."""
    for each in invariants_of(fold.domain):
        if isinstance(each.condition, str):
            try:
                condition_of(fold, each.condition)
            except QueryError as error:
                sentence = f"the invariant {each.name} cannot be read. {error}"
                raise SchemaError(sentence, each.condition, error.pointed()) from error


def condition_of(fold: Fold, text: str) -> Condition:
    """An invariant's condition. Raises QueryError."""
    return read_condition(text, schema_of(fold), time.time())


def holds_in(fold: Fold, state: State, invariant: Invariant) -> bool:
    """Whether an invariant holds in a state. Raises UnfitInvariantError."""
    if isinstance(invariant.condition, str):
        condition = condition_of(fold, invariant.condition)
        return holds(condition, Numbers(fold, state, numbers_of(condition)).value)
    function = invariant.condition
    return patiently(PATIENCE, lambda: says(fold, state.over(keys=False), function))


def patiently(seconds: float, job: Callable[[], T]) -> T:
    """What comes of asking a function, in a thread. Raises UnfitInvariantError for one that does not come back."""
    try:
        return within(seconds, job)
    except OverdueError:
        raise UnfitInvariantError(f"it takes longer than {seconds:g} s") from None


def unheld_in(fold: Fold, state: State) -> list[str]:
    """The names of those that do not hold in a state, or cannot tell."""
    found = []
    for each in invariants_of(fold.domain):
        try:
            if holds_in(fold, state, each):
                continue
        except UnfitInvariantError:
            pass
        found.append(each.name)
    return found


def says(fold: Fold, state: State, function: Callable[[Any], object]) -> bool:
    """What a function says of a state, which is the caller's own: what it writes stays. Raises UnfitInvariantError."""
    view = Seen(state.cells, fold.domain.tables, Way.CHECKED)
    try:
        said = function(view.state)
    except (Exception, SystemExit, KeyboardInterrupt, OverflowedError) as error:
        raise_signals(error)
        failed = failure(error if isinstance(error, Exception) else RuntimeError(repr(error)), function, fold.domain)
        raise UnfitInvariantError(f"{failed.where}: {failed.what}") from error
    if view.journal:
        raise UnfitInvariantError("it writes the state")
    if said is not True and said is not False:
        raise UnfitInvariantError(f"it returned {visible(repr(said), 60)}, neither True nor False")
    return said


def broken_in(fold: Fold, picture: Picture) -> tuple[str, ...]:
    """The names of those that do not hold of a picture. Functions are not asked: it has no state for them."""
    found = []
    for each in invariants_of(fold.domain):
        if isinstance(each.condition, str):
            with suppress(QueryError):  # which was said when the domain was loaded
                if not holds(condition_of(fold, each.condition), lambda number: _number_in(picture, number)):
                    found.append(each.name)
    return tuple(found)


def _number_in(picture: Picture, number: Number) -> Any:
    if isinstance(number, Cell):
        return picture.cell(number.table, number.key, number.column)
    table = picture.tables[number.table]
    return len(table) if not number.column else table.total(number.function, number.column)
