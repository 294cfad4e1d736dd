"""What an expression in a rule may be, where rules run on bare mappings: a whitelist.

A name that stands for the state, a table or a column is a handle. Handles are read, written and bound to names, and
nothing else is done with them; so nobody but the rule itself can reach the state.
"""

import ast
import dataclasses
import enum
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import FunctionType
from typing import Any, Final, NoReturn

from msgspec import Struct

from esdash.domain import Format, Refusal
from esdash.fold.handles import NEW, NUMBERS, TEXTS, NotAllowedError, Tables, Values, names_only, said

_OTHER: Final = (min, max, any, all, range, enumerate, zip, reversed, tuple, frozenset, isinstance, iter, next, pow)
_CALLED: Final = {id(each) for each in (*NUMBERS, *TEXTS, *NEW, *_OTHER, Refusal, Decimal, datetime, date, timedelta)}

_MODULES: Final = frozenset(
    (
        *("base64", "binascii", "datetime", "decimal", "fractions", "hashlib", "itertools", "json", "math", "re"),
        *("string", "struct", "unicodedata", "uuid", "zlib"),
    )
)
"""Their functions neither change what they are given nor call what they are not given."""

_VALUES: Final = (
    *(int, str, bool, float, bytes, type(None), tuple, frozenset, dict, list, set, Decimal, enum.Enum, Format, type),
    *(datetime, date, time, timedelta, timezone),
)
"""What a name of the module may stand for."""

CHANGING: Final = frozenset(
    (
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault"),
        *("popitem", "add", "discard", "appendleft", "popleft", "extendleft", "rotate", "subtract", "move_to_end"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
    )
)
"""Methods that change what they are called on."""

_ASKING: Final = frozenset(
    name
    for kind in (str, bytes, int, tuple, dict, frozenset, list, set, Counter, Decimal, datetime, timedelta)
    for name in dir(kind)
    if not name.startswith("_")
) - CHANGING | {"group", "groups", "groupdict", "match", "fullmatch", "search", "sub", "findall", "hexdigest", "digest"}
"""Methods that do not."""

_PARTS: Final = (
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Slice, ast.Starred),
    *(ast.JoinedStr, ast.FormattedValue, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr),
)
"""Expressions that are allowed when their parts are."""


class Reader(Values):
    """Checks the expressions of one function."""

    def __init__(
        self,
        node: ast.FunctionDef,
        function: FunctionType,
        tables: Tables,
        state: str,
        helper: Callable[[FunctionType], bool],
    ) -> None:
        """`state` names the parameter that is the state; `helper` proves another function, and whether it can raise."""
        super().__init__(node, function, tables, state)
        self._helper = helper
        self._root = function.__module__.partition(".")[0]
        self.raising: list[ast.expr] = []
        """Calls of functions that can raise, since it was cleared."""

    def check(self, node: ast.AST) -> None:
        """Raises NotAllowedError unless an expression only reads, in one of the known ways."""
        if isinstance(node, ast.expr) and self.handle(node) is not None:
            raise NotAllowedError(node, f"{said(node)} is read as c[k], c.get(k), k in c or len(c) of a column alone")
        match node:
            case ast.Constant():
                pass
            case ast.Name():
                if node.id not in self.bound:
                    self._check_value(node, self.resolve(node))
            case ast.Attribute():
                self._check_attribute(node)
            case ast.Subscript():
                if not self.is_column(node.value):
                    self.check(node.value)
                self.check(node.slice)
            case ast.Compare():
                *others, last = (node.left, *node.comparators)
                for each in (
                    others
                    if isinstance(node.ops[-1], ast.In | ast.NotIn) and self.is_column(last)
                    else (
                        *others,
                        last,
                    )
                ):
                    self.check(each)
            case ast.Call():
                self._check_call(node)
            case ast.Lambda():
                self.check(node.body)
                touched = [each for each in ast.walk(node.body) if isinstance(each, ast.expr) and self.handle(each)]
                if touched or node.args.defaults or node.args.kw_defaults:
                    raise NotAllowedError(node, "a lambda sees the state")
            case ast.comprehension():
                if node.is_async or not names_only(node.target):
                    raise NotAllowedError(node.iter, "a loop binds names and nothing else")
                for each in (node.iter, *node.ifs):
                    self.check(each)
            case _ if isinstance(node, _PARTS):
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr | ast.comprehension) and not _is_store(child):
                        self.check(child)
            case _:
                raise NotAllowedError(node, f"{said(node)} is nothing that can be proved")

    def _check_attribute(self, node: ast.Attribute) -> None:
        base = self.handle(node.value)
        if base is not None:
            if base.kind is not None:
                self._refuse_member(node)
            if node.attr == "entry" and not base.table:
                raise NotAllowedError(node, "state.entry is not there for functions that run on bare mappings")
            if base.table and node.attr == "remove":
                raise NotAllowedError(node, f"{said(node)} takes a row out, which cannot be proved")
            what = f"column {node.attr} of {base.table}" if base.table else f"table {node.attr}"
            raise NotAllowedError(node, f"there is no {what}")
        if node.attr.startswith("__"):
            raise NotAllowedError(node, f"{said(node)} reaches behind what can be proved")
        root = self.module(node.value)
        if root is None:
            self.check(node.value)
        else:
            self._check_value(node, getattr(root, node.attr, None))

    def _refuse_member(self, node: ast.Attribute) -> NoReturn:
        raise NotAllowedError(node, f"{said(node)}: of a column's methods only get can be proved")

    def _check_call(self, node: ast.Call) -> None:
        function = node.func
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(function, ast.Attribute) and self.is_column(function.value):
            if function.attr != "get" or node.keywords or not 1 <= len(node.args) <= 2:
                self._refuse_member(function)
        elif isinstance(function, ast.Attribute) and self.module(function.value) is None:
            if self.handle(function.value) is not None:
                self._check_attribute(function)
            self.check(function.value)
            if function.attr in CHANGING:
                if not isinstance(function.value, ast.Name) or not self.is_own(function.value):
                    raise NotAllowedError(node, f"{said(function)} may change something else than the state")
            elif function.attr not in _ASKING:
                raise NotAllowedError(node, f"{said(function)} is a method that is not known")
        elif isinstance(function, ast.Name | ast.Attribute):
            if isinstance(function, ast.Name) and function.id in self.bound:
                raise NotAllowedError(node, f"what {function.id} does, which is called here, cannot be told")
            found = self.resolve(function)
            if found is len and len(arguments) == 1 and self.is_column(arguments[0]):
                return
            self._check_function(function, found)
        else:
            raise NotAllowedError(node, f"what {said(function)} does, which is called here, cannot be told")
        for keyword in node.keywords:
            if keyword.arg in ("key", "default_factory", None) and not isinstance(keyword.value, ast.Lambda):
                self._check_function(keyword.value, self.resolve(keyword.value))
        for each in arguments:
            if self.handle(each) is not None:
                raise NotAllowedError(each, f"{said(each)} is given to another function, {said(function)}")
            self.check(each)

    def _check_function(self, node: ast.expr, found: Any) -> None:
        root = str(getattr(found, "__module__", "")).partition(".")[0]
        if isinstance(found, FunctionType) and root not in _MODULES and (root != "esdash" or root == self._root):
            if self._helper(found):
                self.raising.append(node)
        elif not (id(found) in _CALLED or root in _MODULES or (isinstance(found, type) and _only_holds(found))):
            raise NotAllowedError(node, f"what {said(node)} does, which is called here, cannot be told")

    def _check_value(self, node: ast.expr, found: Any) -> None:
        if isinstance(found, FunctionType) or id(found) in _CALLED:
            self._check_function(node, found)
        elif found is None:
            if not isinstance(node, ast.Name) or node.id not in self._globals:
                raise NotAllowedError(node, f"there is no {said(node)}")
        elif not isinstance(found, _VALUES):
            raise NotAllowedError(node, f"what {said(node)} is cannot be told")


def _is_store(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _only_holds(found: type) -> bool:
    """Whether making one of a class runs nothing of the domain's own."""
    if issubclass(found, BaseException):
        return all(each.__module__ == "builtins" or "__init__" not in vars(each) for each in found.__mro__)
    holds = issubclass(found, Struct | enum.Enum) or dataclasses.is_dataclass(found) or hasattr(found, "_fields")
    return holds and not hasattr(found, "__post_init__")
