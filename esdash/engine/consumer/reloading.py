"""A domain read again from its files, while the program runs."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from esdash.fold.apart import modules_of
from esdash.fold.folding import Fold
from esdash.fold.loading import load


def reloaded(fold: Fold) -> Fold:
    """The same domain as its files say it now, with everything that they import from their own folder.

    Raises DomainFileError; then all is as it was.
    """
    from esdash.engine.invariants.asked import (
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
    """The modules that a domain brought along: those of the folder of its file."""
    choice = fold.choice
    path = choice.rpartition(":")[0]
    if path.endswith(".py"):
        return modules_of(Path(path).resolve().parent)
    file = getattr(sys.modules.get(path), "__file__", None) or ""
    return modules_of(Path(file).resolve().parent, path.rpartition(".")[0])
