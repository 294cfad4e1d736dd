"""What the source of rules says of itself: the values that it compares with, the reasons that it gives."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

from esdash.domain import Refusal
from esdash.fold.folding import Fold
from esdash.fold.proof import functions_of

MOST: Final = 30
"""Values of each kind that are tried."""

_LONGEST: Final = 64
"""Characters of a text that may be compared with; a longer one is a docstring or a sentence."""


def constants_of(fold: Fold) -> tuple[list[int], list[str]]:
    """Whole numbers and texts in the rules and in what stands beside them: `amount == 7` is met only by a 7."""
    found: dict[int | str, None] = {}
    for names in _modules(fold):
        for name, value in list(names.items()):
            if isinstance(value, FunctionType) and value.__globals__ is names:
                found.update(dict.fromkeys(_constants(value.__code__)))
            elif type(value) in (int, str) and not name.startswith("__"):
                found[value] = None
    numbers = [each for each in found if type(each) is int]
    texts = [each for each in found if type(each) is str and 0 < len(each) <= _LONGEST]
    return numbers[:MOST], texts[:MOST]


def undeclared(fold: Fold) -> Iterator[tuple[str, str, str]]:
    """Reasons that a rule returns and the domain does not declare: the rule's place, the line's, the reason."""
    declared = {outcome.reason for outcome in fold.outcomes}
    for each in fold.domain.events:
        code: CodeType | None = getattr(each.apply, "__code__", None)
        node = functions_of(code.co_filename).get((code.co_name, code.co_firstlineno)) if code is not None else None
        if code is None or node is None:
            continue
        file, names = Path(code.co_filename).name, getattr(each.apply, "__globals__", {})
        for line, reason in _returned(node, names):
            if reason not in declared:
                yield f"{file}:{code.co_firstlineno}", f"{file}:{line}", reason


def _modules(fold: Fold) -> list[dict[str, Any]]:
    functions = [each.apply or each.upcast for each in fold.domain.events]
    return list({id(names): names for each in functions if (names := getattr(each, "__globals__", None))}.values())


def _constants(code: CodeType) -> Iterator[int | str]:
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _constants(value)
        elif type(value) in (int, str):
            yield value


def _returned(node: ast.AST, names: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """The texts that a function returns by themselves or in a Refusal; those of functions within it are not its own."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.Return):
            yield from _reasons(each.value, names)
        elif not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _returned(each, names)


def _reasons(value: ast.expr | None, names: dict[str, Any]) -> Iterator[tuple[int, str]]:
    if isinstance(value, ast.IfExp):
        yield from _reasons(value.body, names)
        yield from _reasons(value.orelse, names)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.lineno, value.value
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and names.get(value.func.id) is Refusal:
        yield from _reasons(value.args[0] if value.args else None, names)
