"""Whether a condition holds of a state, as the changes of one entry after the other go by."""

from collections.abc import Callable, Sequence
from typing import Any

from esdash.engine.invariants.numbers import Numbers
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.state import State
from esdash.query.conditions import Condition, compare, numbers_of
from esdash.query.numbers import Number
from esdash.query.trees import All, Either, Negated


class StandingCondition:
    """A condition beside a state that moves on."""

    def __init__(self, fold: Fold, state: State, condition: Condition) -> None:
        """As it is in a state, which is not looked at again."""
        self._numbers = Numbers(fold, state, numbers_of(condition))
        self._now = _asking(condition, self._numbers)
        self.holds = self._now()
        """Whether it does now."""

    def see(self, changes: Sequence[Change]) -> bool:
        """An entry changed this; whether the condition holds behind it."""
        if self._numbers.see(changes):
            self.holds = self._now()
        return self.holds


def _asking(condition: Condition, numbers: Numbers) -> Callable[[], bool]:
    """What tells whether it holds: what the tree is was looked at once, for this is asked after every entry."""
    if isinstance(condition, All | Either):
        parts = [_asking(part, numbers) for part in condition.parts]
        join = all if isinstance(condition, All) else any
        return lambda: join(part() for part in parts)
    if isinstance(condition, Negated):
        part = _asking(condition.part, numbers)
        return lambda: not part()
    value, operator = numbers.reading(condition.number), condition.operator
    if condition.other is None:
        low, high = condition.low, condition.high
        return lambda: compare(value(), operator, low, high)
    other = numbers.reading(condition.other)
    return lambda: compare(value(), operator, beside := other(), beside)


def holds(condition: Condition, value_of: Callable[[Number], Any]) -> bool:
    """Whether a condition holds where numbers have these values, None where there are none."""
    if isinstance(condition, All):
        return all(holds(part, value_of) for part in condition.parts)
    if isinstance(condition, Either):
        return any(holds(part, value_of) for part in condition.parts)
    if isinstance(condition, Negated):
        return not holds(condition.part, value_of)
    value = value_of(condition.number)
    if condition.other is None:
        return compare(value, condition.operator, condition.low, condition.high)
    other = value_of(condition.other)
    return compare(value, condition.operator, other, other)
