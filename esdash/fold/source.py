"""The source of a domain: its fingerprint, its files, and where in it something stands."""

import ast
import hashlib
from pathlib import Path
from types import ModuleType
from typing import Final


def fingerprint(module: ModuleType) -> str:
    """A hash of the module's source and of what it imports from its own folder, without docstrings and comments."""
    file = Path(module.__file__ or "").resolve()
    hashed = hashlib.blake2b(digest_size=8)
    named = {path.relative_to(file.parent).as_posix(): tree for path, tree in _trees(file).items()}
    for name, tree in sorted(named.items()):
        hashed.update(f"{name}\n{ast.unparse(_without_docstrings(tree))}\n".encode())
    return hashed.hexdigest()


def files_of(file: Path) -> set[Path]:
    """A file, by its real path, and what it imports from its own folder, as far as that can be parsed."""
    return {file, *_trees(file)}


def _trees(file: Path) -> dict[Path, ast.Module]:
    folder = file.parent
    found: dict[Path, ast.Module] = {}
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        waiting += _imported(tree, path, folder)
        found[path] = tree
    return found


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            # Those of fields, too: a text that stands alone means nothing to a fold.
            node.body = [each for each in node.body if not _is_text(each)] or [ast.Pass()]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imported(tree: ast.Module, path: Path, folder: Path) -> list[Path]:
    """Files of the folder that a module imports, by whatever name leads there."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names += [base, *(f"{base}.{alias.name}" if base else alias.name for alias in node.names)]
    found = []
    for name in names:
        parts = name.split(".")
        for start in range(len(parts)):
            place = folder.joinpath(*parts[start:])
            if start and parts[start - 1] != folder.name:
                continue
            for candidate in (place.with_suffix(".py"), place / "__init__.py"):
                if candidate.is_file() and candidate != path:
                    found.append(candidate)
    return found


def line_of(module: ModuleType, at: object) -> int | None:
    """The line of a class or a function, or the first on which a text is declared in the module's source."""
    try:
        nodes = list(ast.walk(ast.parse(Path(module.__file__ or "").read_bytes())))
    except (OSError, SyntaxError, ValueError):
        return None
    name = getattr(at, "__name__", None)
    if name is not None:
        found = [node for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
        return found[0].lineno if found else None
    said = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(at, str) and node.value == at]
    given = [
        each
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in _DECLARING
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
        for each in (argument.keys if isinstance(argument, ast.Dict) else (argument,))
    ]
    names = [node for node in nodes if isinstance(node, ast.Name) and node.id == at and isinstance(node.ctx, ast.Store)]
    lines = [each.lineno for each in [node for node in said if node in given] or said or names]
    return min(lines, default=None)


_DECLARING: Final = frozenset({"Domain", "Table", "Column", "EventType", "Invariant", "Wire", "Codec", "but"})
