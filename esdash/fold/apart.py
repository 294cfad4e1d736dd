"""A domain whose modules are kept apart, so that two versions of it, of the same names, work beside each other."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final

from esdash.fold.folding import Fold
from esdash.fold.loading import is_file, load


class Apart:
    """A domain that was loaded from a file. Its modules are in their place only within a `with` block.

    Within a block of another one they are not, until that is left. What is imported as a module, or is esdash's own,
    has names that are nobody else's, and is loaded as ever.
    """

    def __init__(self, choice: str, review: Callable[[Fold], object] = id) -> None:
        """`review` as for `load`. Raises DomainFileError."""
        self._folder: Path | None = None
        self._modules: dict[str, ModuleType] = {}
        self._covered: dict[str, ModuleType] = {}
        """Those of others by the same names, while these are in their place."""
        self._before: set[str] = set()
        self._search: list[str] = []
        if not is_file(choice):
            self.fold: Fold = load(choice, review)
            return
        path = choice if choice.endswith(".py") else choice.rpartition(":")[0]
        self._folder = Path(path).expanduser().resolve().parent
        others = modules_of(self._folder)
        for name in others:
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            with self:
                self.fold = load(choice, review)
        finally:
            sys.modules.update(others)

    def __enter__(self) -> None:
        if _within:
            _within[-1]._take_out()
        _within.append(self)
        self._put_in()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _within.pop()._take_out()
        if _within:
            _within[-1]._put_in()

    def _put_in(self) -> None:
        if self._folder is None:
            return
        self._search = sys.path[:]
        sys.path.append(str(self._folder))
        self._covered = {name: sys.modules[name] for name in self._modules.keys() & sys.modules.keys()}
        self._before = sys.modules.keys() - self._modules.keys()
        sys.modules.update(self._modules)

    def _take_out(self) -> None:
        """With what was imported meanwhile: a rule may import something when it is called first."""
        if self._folder is None:
            return
        added = {name: sys.modules[name] for name in sys.modules.keys() - self._before}
        self._modules |= _from(self._folder, added)
        for name in self._modules:
            sys.modules.pop(name, None)
        sys.modules.update(self._covered)
        sys.path[:] = self._search


_within: Final[list[Apart]] = []
"""Whose blocks were entered; the last one has its modules in their place."""


def modules_of(folder: Path, package: str = "") -> dict[str, ModuleType]:
    """The modules that are loaded from a folder, whatever installed packages are there.

    Of esdash's own only those of a `package`, such as that of a domain that it ships.
    """
    return _from(folder, dict(sys.modules), package)


def _from(folder: Path, modules: dict[str, ModuleType], package: str = "") -> dict[str, ModuleType]:
    found = {}
    for name, module in modules.items():
        place = getattr(module, "__file__", None)
        if place is None:  # a folder without __init__.py is a package all the same
            place = next(iter(getattr(module, "__path__", ())), None)
        if place is None or "site-packages" in place or name == "__main__":
            continue
        if name.split(".")[0] == "esdash" and not (package and name.startswith(f"{package}.")):
            continue
        if Path(place).resolve().is_relative_to(folder):
            found[name] = module
    return found
