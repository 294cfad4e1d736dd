"""Which of many events have a field that stands so to a value: by columns, where all values are whole numbers."""

import operator
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from esdash.engine.moments import asking
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.past.entries.sieve import Mask
from esdash.past.track.packing import Numbers
from esdash.query.terms import Compared, Meant

_BESIDE_LEAST: Final[dict[str, Callable[[Any, Any], Any]]] = {"<": operator.lt, ">=": operator.ge}
_BESIDE_MOST: Final[dict[str, Callable[[Any, Any], Any]]] = {"<=": operator.le, ">": operator.gt}


def compared(term: Compared, events: Sequence[Any]) -> Mask:
    """Which of some events have a field that is so; None has none."""
    found = np.zeros(len(events), bool)
    types = list(map(type, events))
    for each in term.meant:
        places = [place for place, kind in enumerate(types) if kind is each.model]
        some = [events[place] for place in places]
        column = _column(some, each.path)
        if column is None or type(each.low) is not int or type(each.high) is not int:
            found[places] |= np.array(asking.compared(term, some), bool)
        else:
            owners, values = column
            found[np.array(places, np.int64)[owners[_stand(values, term.operator, each)]]] = True
    return found


def _stand(values: Numbers, how: str, meant: Meant) -> Mask:
    low, high = meant.low, meant.high
    if how in _BESIDE_LEAST:
        beside: Mask = _BESIDE_LEAST[how](values, low)
    elif how in _BESIDE_MOST:
        beside = _BESIDE_MOST[how](values, high)
    else:
        beside = (values >= low) & (values <= high)
    return ~beside if how == "!=" else beside


def _column(events: list[Any], path: Sequence[str]) -> tuple[Numbers, Numbers] | None:
    """The values at the end of a path, and of each the place of its event; None where not all are 64-bit integers."""
    owners, values = np.arange(len(events)), events
    for name in path:
        try:
            values = list(map(operator.attrgetter(name), values))
        except AttributeError:  # what holds it is absent
            return None
        while values and type(values[0]) in (list, tuple) and set(map(type, values)) <= {list, tuple}:
            owners = owners.repeat(list(map(len, values)))
            values = list(chain.from_iterable(values))
    if not set(map(type, values)) <= {int}:
        return None
    if not MIN_INT <= min(values, default=0) <= max(values, default=0) <= MAX_INT:
        return None
    return owners, np.array(values, np.int64)
