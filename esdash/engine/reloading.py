"""A domain read again from its files, while the program runs."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from esdash.fold.folding import Fold
from esdash.fold.loading import load


def reloaded(fold: Fold) -> Fold:
    """The same domain as its files say it now, with everything that they import from their own folder.

    Raises DomainFileError; then all is as it was.
    """
    from esdash.engine.invariants import (
        require_readable,
    )  # not when a dashboard starts

    former = _own_modules(fold)
    importlib.invalidate_caches()
    for name in former:
        del sys.modules[name]
    try:
        return load(fold.choice, require_readable)
    except BaseException:
        sys.modules.update(former)
        raise


def _own_modules(fold: Fold) -> dict[str, ModuleType]:
    """The modules that a domain brought along: those of the folder of its file, whatever installed packages are there.

    Of esdash's own only the package of a domain that it ships.
    """
    choice = fold.choice
    path = choice.rpartition(":")[0]
    if path.endswith(".py"):
        file, package = Path(path), ""
    else:
        module = sys.modules.get(path)
        file, package = Path(getattr(module, "__file__", None) or ""), path.rpartition(".")[0]
    folder = file.resolve().parent
    found = {}
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        if place is None or "site-packages" in place or name == "__main__":
            continue
        if name.split(".")[0] == "esdash" and not (package and name.startswith(f"{package}.")):
            continue
        if Path(place).resolve().is_relative_to(folder):
            found[name] = module
    return found
