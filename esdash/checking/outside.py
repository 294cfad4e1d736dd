"""What functions of a domain might change beside the state: names of modules, defaults, what they close over."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

from esdash.fold.folding import Fold

_LOOKED_AT: Final = (int, str, bool, float, bytes, type(None), list, dict, set, bytearray, deque, tuple)
_CONTAINERS: Final = (Counter, OrderedDict, defaultdict)

MOST: Final = 20_000
"""Characters of a value as text; what has more at the beginning is not looked at."""


class Places:
    """The values outside of the state that the rules of a domain see."""

    def __init__(self, fold: Fold) -> None:
        functions = [each.apply or each.upcast for each in fold.domain.events]
        self._modules = {id(names): names for each in functions if (names := getattr(each, "__globals__", None))}
        for names in tuple(self._modules.values()):
            folder = Path(str(names.get("__file__"))).parent
            for value in names.values():
                if isinstance(value, ModuleType) and Path(str(getattr(value, "__file__", None))).parent == folder:
                    self._modules[id(vars(value))] = vars(value)
        self._before = dict(self._now())
        self._left_out = {name for name, text in self._before.items() if len(text) > MOST}

    def changed(self) -> list[str]:
        """The names of what changed since it was asked before."""
        now = dict(self._now())
        found = [name for name, text in now.items() if self._before.get(name) != text and name not in self._left_out]
        self._before = now
        return found

    def _now(self) -> Iterator[tuple[str, str]]:
        for names in self._modules.values():
            for name, value in list(names.items()):
                if name.startswith("__"):
                    continue
                if type(value) in (*_LOOKED_AT, *_CONTAINERS):
                    yield name, repr(value)
                elif isinstance(value, FunctionType):
                    yield name, _inside(value)


def _inside(function: FunctionType) -> str:
    cells: list[Any] = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # nothing is in it yet
            continue
    values = [
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
        *vars(function).values(),
        *cells,
    ]
    return repr([each for each in values if type(each) in _LOOKED_AT])
