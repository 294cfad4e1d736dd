"""What the names of a function stand for, as far as that can be told without running it."""

import ast
import builtins
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple


class NotAllowedError(Exception):
    """Something that is not known to be safe: a sentence, and its line."""

    def __init__(self, node: Any, sentence: str) -> None:
        super().__init__(sentence)
        self.line: int = node if isinstance(node, int) else getattr(node, "lineno", 0)


class Handle(NamedTuple):
    """What a name or an attribute stands for: the state, a table, or a column and what it holds."""

    table: str = ""
    kind: type | None = None


class Tables(NamedTuple):
    """What the proof knows of a domain."""

    columns: Mapping[str, Mapping[str, type]]
    """Of each table: the columns, and what they hold."""
    number: Callable[[str], bool]
    """Whether a field of that name is a number in every model that has one."""


NUMBERS: Final = (len, int, abs, round, sum, ord, bool)
"""Functions that make a number of one argument."""
TEXTS: Final = (str, repr, chr, bytes, divmod, float, hash)
NEW: Final = (list, dict, set, sorted, Counter, OrderedDict, defaultdict, deque)
"""Functions that make a container that nobody else has."""


def names_only(target: ast.expr) -> bool:
    """Whether names and nothing else are bound."""
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(names_only, target.elts))
    return isinstance(target.value if isinstance(target, ast.Starred) else target, ast.Name)


class Names:
    """The names that a function binds, and to what."""

    def __init__(self, function: ast.FunctionDef) -> None:
        self.bound: dict[str, list[ast.expr | None]] = {}
        """The values of each name; None where no single expression says it."""
        for argument in _arguments(function.args):
            self._bind(argument.arg, None)
        said: set[int] = set()
        for statement in function.body:
            for node in ast.walk(statement):
                self._visit(node, said)

    def _visit(self, node: ast.AST, said: set[int]) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._pair(target, node.value, said)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._pair(node.target, node.value, said)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            said.add(id(node.target))
            self._bind(node.target.id, ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            if id(node) not in said:
                self._bind(node.id, None)
        elif isinstance(node, ast.Lambda):
            for argument in _arguments(node.args):
                self._bind(argument.arg, None)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._bind(node.name, None)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._bind(node.rest, None)

    def _pair(self, target: ast.expr, value: ast.expr, said: set[int]) -> None:
        if isinstance(target, ast.Name):
            said.add(id(target))
            self._bind(target.id, value)
        elif (pairs := paired(target, value)) is not None:
            for inner, part in pairs:
                self._pair(inner, part, said)

    def _bind(self, name: str, value: ast.expr | None) -> None:
        self.bound.setdefault(name, []).append(value)


def paired(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]] | None:
    """`a, b = x, y` as pairs; None where it is something else."""
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Tuple | ast.List):
        return None
    if len(target.elts) != len(value.elts) or any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts)):
        return None
    return list(zip(target.elts, value.elts, strict=True))


def _arguments(given: ast.arguments) -> Iterator[ast.arg]:
    yield from (*given.posonlyargs, *given.args, *given.kwonlyargs)
    yield from (each for each in (given.vararg, given.kwarg) if each is not None)


class Values:
    """What the expressions of one function are."""

    def __init__(self, node: ast.FunctionDef, function: FunctionType, tables: Tables, state: str) -> None:
        """`state` names the parameter that is the state; none does where it is empty."""
        self.bound = Names(node).bound
        self._globals = function.__globals__
        self._tables = tables
        self._handles: dict[str, Handle] = {state: Handle()} if state else {}
        known = -1
        while known != len(self._handles):
            known = len(self._handles)
            for name, values in self.bound.items():
                for value in values:
                    if name not in self._handles and value is not None and (found := self.handle(value)) is not None:
                        self._handles[name] = found
        for name, handle in self._handles.items():
            for value in self.bound[name][name == state :]:
                if value is None or self.handle(value) != handle:
                    raise NotAllowedError(
                        value or node, f"{name} stands for a part of the state, and for something else"
                    )

    def handle(self, node: ast.expr) -> Handle | None:
        """What of the state an expression is."""
        if isinstance(node, ast.Name):
            return self._handles.get(node.id)
        if isinstance(node, ast.Attribute) and (base := self.handle(node.value)) is not None and base.kind is None:
            if not base.table:
                return Handle(node.attr) if node.attr in self._tables.columns else None
            kind = self._tables.columns[base.table].get(node.attr)
            return None if kind is None else Handle(base.table, kind)
        return None

    def is_column(self, node: ast.expr) -> bool:
        """Whether an expression is a column of the state."""
        handle = self.handle(node)
        return handle is not None and handle.kind is not None

    # What a value is, as far as it can be told

    def is_number(self, node: ast.expr | None, within: frozenset[str] = frozenset()) -> bool:
        """Whether it is surely a number."""
        match node:
            case ast.Constant():
                return isinstance(node.value, int | float)
            case ast.UnaryOp():
                return isinstance(node.op, ast.Not) or self.is_number(node.operand, within)
            case ast.Compare():
                return True
            case ast.BinOp():
                return self.is_number(node.left, within) and self.is_number(node.right, within)
            case ast.IfExp():
                return self.is_number(node.body, within) and self.is_number(node.orelse, within)
            case ast.BoolOp():
                return all(self.is_number(each, within) for each in node.values)
            case ast.Name() if node.id in self.bound:
                if node.id in within:
                    return True
                return all(self.is_number(value, within | {node.id}) for value in self.bound[node.id])
            case ast.Attribute():
                return self.handle(node) is None and self._tables.number(node.attr)
            case ast.Subscript():
                return self._is_whole(node.value)
            case ast.Call(func=ast.Attribute(attr="get", value=column)) if self._is_whole(column):
                return all(self.is_number(each, within) for each in node.args[1:])
            case ast.Call():
                return len(node.args) == 1 and self.resolve(node.func) in NUMBERS
        return False

    def is_own(self, node: ast.expr | None, within: frozenset[str] = frozenset()) -> bool:
        """Whether it is surely no container that somebody else has too: made here, or no container."""
        if self.is_number(node, within):
            return True
        match node:
            case ast.Name() if node.id in self.bound:
                if node.id in within:
                    return True
                return all(self.is_own(value, within | {node.id}) for value in self.bound[node.id])
            case ast.Constant() | ast.JoinedStr() | ast.BinOp() | ast.List() | ast.Dict() | ast.Set():
                return True
            case ast.ListComp() | ast.DictComp() | ast.SetComp():
                return True
            case ast.IfExp():
                return self.is_own(node.body, within) and self.is_own(node.orelse, within)
            case ast.BoolOp():
                return all(self.is_own(each, within) for each in node.values)
            case ast.Subscript():
                return self.is_column(node.value)
            case ast.Call(func=ast.Attribute(attr="get", value=column)) if self.is_column(column):
                return all(self.is_own(each, within) for each in node.args[1:])
            case ast.Call():
                found = self.resolve(node.func)
                return any(found is each for each in (*NEW, *TEXTS))
        return False

    def _is_whole(self, node: ast.expr) -> bool:
        handle = self.handle(node)
        return handle is not None and handle.kind in (int, bool)

    def resolve(self, node: ast.expr) -> Any:
        """What a name of the module, or an attribute of a module, stands for."""
        if isinstance(node, ast.Name) and node.id not in self.bound:
            return self._globals.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute) and (module := self.module(node.value)) is not None:
            return getattr(module, node.attr, None)
        return None

    def module(self, node: ast.expr) -> ModuleType | None:
        found = self.resolve(node)
        return found if isinstance(found, ModuleType) else None


def said(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:59]}…"
