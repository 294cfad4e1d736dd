"""Finding a domain by what a person called it: a file, a module, an entry point; and the fingerprint of its source.

Loading a domain is running its code. Nothing from a server or a stream ever chooses it.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from importlib import machinery
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

from esdash.domain import Domain
from esdash.fold import declaration
from esdash.fold.failing import raise_signals
from esdash.fold.folding import Fold
from esdash.fold.schema import SchemaError

_SEARCHED: Final = frozenset(sys.path)
"""Where modules were looked for before any domain was loaded: those there are not the domain's alone."""

GROUP: Final = "esdash.domains"
"""The group of entry points."""


class DomainFileError(Exception):
    """A domain cannot be loaded: one or two sentences with file, line and remedy."""

    def __init__(self, sentence: str, lines: tuple[str, ...] = ()) -> None:
        """`lines` show what was written, and where it is wrong."""
        super().__init__(sentence)
        self.lines = lines


def load(choice: str, review: Callable[[Fold], object] = id) -> Fold:
    """The fold of a domain: `path/to/file.py` (with `:NAME`), `module:NAME`, or the name of an entry point.

    `review` looks at what only those above the fold understand, and raises SchemaError. Raises DomainFileError.
    """
    module, name = _module(choice)
    with _plainly(module):
        domain = _choose(module, name)
        if not isinstance(domain, Domain):
            raise SchemaError(f"{name} is no Domain but a {type(domain).__name__}", name)
        declaration.check(domain)
        if domain.fast and not _is_own(module):
            _require_proof(domain)
        # One of esdash's own is folded in another way than a declared one.
        fold: Fold = getattr(domain, "folded_by", Fold)(domain)
        review(fold)
    fold.source = partial(_fingerprint, module)
    if not _is_own(module):
        # Now, for the file may be edited while it is used.
        fold.source = partial(str, fold.source())
    fold.choice = choice if not is_file(choice) else f"{Path(module.__file__ or '').resolve()}:{name or _found(module)}"
    return fold


def _is_own(module: ModuleType) -> bool:
    """Whether a domain is one of esdash's own, which the tests prove and which nobody edits while it runs."""
    return module.__name__.startswith("esdash.")


def _require_proof(domain: Domain) -> None:
    from esdash.fold import proof

    if (unproved := proof.prove(domain)) is not None:
        raise DomainFileError(f"{unproved.where}: fast is not proved: {unproved.sentence}. {proof.REMEDY}.")


def _fingerprint(module: ModuleType) -> str:
    from esdash.fold.source import fingerprint  # ast takes a while to import, and not every command needs it

    return fingerprint(module)


def is_file(choice: str) -> bool:
    """Whether a domain is called by its file."""
    path = choice.rpartition(":")[0] if not choice.endswith(".py") and ".py:" in choice else choice
    return path.endswith(".py")


def _module(choice: str) -> tuple[ModuleType, str]:
    if is_file(choice):
        path, _, name = (choice, "", "") if choice.endswith(".py") else choice.rpartition(":")
        return _run_file(Path(path).expanduser()), name
    if ":" in choice:
        module, _, name = choice.partition(":")
        return _import(module, choice), name
    from importlib.metadata import entry_points

    found = [point for point in entry_points(group=GROUP) if point.name == choice]
    if not found:
        known = sorted({point.name for point in entry_points(group=GROUP)})
        also = f", {', '.join(known)}" if known else ""
        raise DomainFileError(
            f"There is no domain {choice!r}. There are shop and raw{also}; or name a file (path/to/file.py) or "
            "module:NAME."
        )
    module, _, name = found[0].value.partition(":")
    return _import(module, choice), name


def _run_file(path: Path) -> ModuleType:
    """A file as a registered module, its folder importable."""
    if not path.is_file():
        raise DomainFileError(f"There is no file {path}.")
    path = path.resolve()
    name, folder = f"esdash_domain_{path.stem}", str(path.parent)
    spec = importlib.util.spec_from_file_location(name, path, loader=_Source(name, str(path)))
    assert spec is not None, "it has a loader"
    assert spec.loader is not None, "that one"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if folder not in sys.path:
        sys.path.append(folder)
    if folder not in _SEARCHED:
        sys.path_importer_cache[folder] = machinery.FileFinder(
            folder,
            (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
            (_Source, machinery.SOURCE_SUFFIXES),
        )
    try:
        with _plainly(module), redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except DomainFileError:
        del sys.modules[name]
        raise
    return module


def _import(name: str, choice: str) -> ModuleType:
    try:
        with redirect_stdout(sys.stderr):
            module = importlib.import_module(name)
        if not _is_own(module):
            vars(module).setdefault("print", _print)
        return module
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise DomainFileError(f"There is no module {name}, which the domain {choice!r} names.") from error
        raise DomainFileError(f"The module {name} cannot be imported: {error}.") from error
    except BaseException as error:  # whatever a file raises while it is loaded
        raise_signals(error)
        raise DomainFileError(f"{_place_of(error, name)}: {_what(error)}") from error


class _Source(machinery.SourceFileLoader):
    """Loads what a domain's folder holds."""

    def get_code(self, fullname: str) -> CodeType:
        """As its source says it now: bytecode of a file that was written twice within a second passes for its own."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        """What it prints, now or later, is not to stand among the output of a command."""
        vars(module)["print"] = _print
        super().exec_module(module)


def _print(*values: object, **options: Any) -> None:
    options["file"] = sys.stderr
    print(*values, **options)


def _domains(module: ModuleType) -> dict[str, Domain]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Domain)}


def _found(module: ModuleType) -> str:
    return next(iter(_domains(module)))


def _choose(module: ModuleType, name: str) -> Any:
    domains = _domains(module)
    if name:
        if not hasattr(module, name):
            there = f"There is {', '.join(domains)}." if domains else "There is no Domain in it."
            raise SchemaError(f"there is no {name} in it. {there}")
        return getattr(module, name)
    if len({id(domain) for domain in domains.values()}) > 1:
        first = next(iter(domains))
        raise SchemaError(
            f"there are several domains in it, {', '.join(domains)}: say which one, as in :{first}", list(domains)[1]
        )
    if not domains:
        raise SchemaError("there is no Domain in it: assign one to a name, as in BANK = Domain(name=…)")
    return next(iter(domains.values()))


@contextmanager
def _plainly(module: ModuleType) -> Iterator[None]:
    """Errors of a domain's file in a sentence that names file and line."""
    file = Path(module.__file__ or module.__name__)
    try:
        yield
    except SchemaError as error:
        from esdash.fold.source import line_of

        line = line_of(module, error.at)
        where = f"{file.name}:{line}" if line else file.name
        raise DomainFileError(f"{where}: {str(error).rstrip('.')}.", error.lines) from error
    except SyntaxError as error:
        name = Path(error.filename or file).name
        where = name if error.lineno is None else f"{name}:{error.lineno}"
        raise DomainFileError(f"{where}: {error.msg}.") from error
    except DomainFileError:
        raise
    except BaseException as error:  # whatever a file raises while it is loaded
        raise_signals(error)
        raise DomainFileError(f"{_place_of(error, file.name, file)}: {_what(error)}") from error


def _place_of(error: BaseException, otherwise: str, file: Path | None = None) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file is not None and Path(frame.filename) == file]
    if file is None:
        own = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else otherwise


def _what(error: BaseException) -> str:
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "it ends the program when it is loaded, and may not: a domain declares and does nothing."
    words = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return f"{type(error).__name__}: {words}." if words else f"{type(error).__name__}."
