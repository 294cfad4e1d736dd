"""Proves that the functions of a domain may run on bare mappings: they never write where they can still refuse.

What is proved is that a refusal leaves no trace. That keys and values are of their kinds and within their bounds is
what `fast=True` says, and is not looked at here.
"""

import ast
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final, NamedTuple

from esdash.domain import Domain
from esdash.fold.allowed import Reader
from esdash.fold.handles import NotAllowedError, Tables, names_only, paired
from esdash.fold.schema import Field, model_of

REMEDY: Final = "Write only after the last refusal, or leave fast out"


class Unproved(NamedTuple):
    """What cannot be proved: file and line, and a sentence without its stop."""

    where: str
    sentence: str


def prove(domain: Domain) -> Unproved | None:
    """None where every `apply` of the domain is proved; else the first line that cannot be."""
    proof = _Proof(domain)
    for event_type in domain.events:
        if event_type.apply is not None:
            try:
                proof.rule(event_type.apply)
            except NotAllowedError as error:
                return Unproved(f"{proof.file}:{error.line}" if error.line else proof.file, str(error))
    return None


class _Proof:
    """The proof of one domain, function after function."""

    def __init__(self, domain: Domain) -> None:
        self.file = domain.name
        """The name of the file that is looked at."""
        self._domain = domain
        columns = {table.name: {column.name: column.kind for column in table.columns} for table in domain.tables}
        self._tables = Tables(columns, self._is_number)
        self._trees: dict[str, dict[tuple[str, int], ast.FunctionDef | None]] = {}
        self._helpers: dict[CodeType, bool] = {}
        """The functions that were proved, and whether they can raise."""
        self._fields: dict[str, set[str]] = {}
        """The kinds of the fields of each name, in all models; read when first wanted."""

    def rule(self, apply: Any) -> None:
        """Raises NotAllowedError unless a rule is proved."""
        if not isinstance(apply, FunctionType):
            raise NotAllowedError(0, f"{getattr(apply, '__name__', apply)!s:.60} is no plain function")
        node = self._node(apply)
        given = node.args
        if len(given.posonlyargs + given.args) != 2 or given.vararg or given.kwarg or given.kwonlyargs:
            raise NotAllowedError(node, f"{node.name} takes something else than the state and the event")
        state = (given.posonlyargs + given.args)[0].arg
        _Flow(node, Reader(node, apply, self._tables, state, self._helper)).follow()

    def _helper(self, function: FunctionType) -> bool:
        """Prove a function that a rule calls; whether it can raise."""
        code = function.__code__
        if code not in self._helpers:
            self._helpers[code] = True  # until it is known: it may call itself
            file, node = self.file, self._node(function)
            flow = _Flow(node, Reader(node, function, self._tables, "", self._helper))
            flow.follow()
            self.file = file
            self._helpers[code] = flow.raises
        return self._helpers[code]

    def _node(self, function: FunctionType) -> ast.FunctionDef:
        code = function.__code__
        self.file = Path(code.co_filename).name
        if function.__closure__:
            raise NotAllowedError(code.co_firstlineno, f"{function.__name__} sees names of another function")
        if code.co_filename not in self._trees:
            self._trees[code.co_filename] = functions_of(code.co_filename)
        node = self._trees[code.co_filename].get((code.co_name, code.co_firstlineno))
        if node is None:
            raise NotAllowedError(code.co_firstlineno, f"the source of {function.__name__} is not there")
        return node

    def _is_number(self, name: str) -> bool:
        if not self._fields:
            waiting: list[Field] = []
            for event_type in self._domain.events:
                waiting += model_of(event_type.model).fields
            while waiting:
                field = waiting.pop()
                self._fields.setdefault(field.name, set()).add(field.kind)
                waiting += field.record.fields if field.record else ()
                waiting += (field.element,) if field.element else ()
        kinds = self._fields.get(name, {"unknown"})
        return kinds <= {"int", "bool", "decimal"}


def functions_of(file: str) -> dict[tuple[str, int], ast.FunctionDef | None]:
    """The functions of a file by name and first line; None where two are alike."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[tuple[str, int], ast.FunctionDef | None] = {}
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            place = node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[place] = node if place not in found else None
        else:  # a rule sees no names of a function, so none is looked for inside of one
            waiting += [*getattr(node, "body", ()), *getattr(node, "orelse", ()), *getattr(node, "handlers", ())]
    return found


class _Loop:
    """Whether something was written where a loop is left, or begins anew."""

    def __init__(self) -> None:
        self.left: list[bool] = []
        self.anew: list[bool] = []


class _Flow:
    """Follows the paths through a function: whether something may have been written at each statement.

    None stands for a place that is not reached.
    """

    def __init__(self, node: ast.FunctionDef, reader: Reader) -> None:
        self._node = node
        self._reader = reader
        self._loops: list[_Loop] = []
        self._guarded = 0
        """How many `try` are around."""
        self._line = 0
        """Of the last write."""
        self.raises = False
        """Whether the function can raise by itself, or calls one that can."""

    def follow(self) -> None:
        """Raises NotAllowedError unless no path can still refuse after a write."""
        self._block(self._node.body, written=False)

    def _block(self, statements: list[ast.stmt], written: bool) -> bool | None:
        at: bool | None = written
        for statement in statements:
            if at is None:
                break
            at = self._statement(statement, at)
        return at

    def _statement(self, node: ast.stmt, written: bool) -> bool | None:
        match node:
            case ast.Pass():
                return written
            case ast.Expr():
                self._evaluate(node.value, written)
                return written
            case ast.Assign() | ast.AnnAssign():
                return self._assign(node, written)
            case ast.AugAssign():
                return self._augment(node, written)
            case ast.Return():
                self._return(node, written)
                return None
            case ast.Raise() | ast.Assert():
                self._raise(node, written)
                return written if isinstance(node, ast.Assert) else None
            case ast.If():
                self._evaluate(node.test, written)
                return _either(self._block(node.body, written), self._block(node.orelse, written))
            case ast.For() | ast.While():
                return self._loop(node, written)
            case ast.Break() | ast.Continue():
                loop = self._loops[-1]
                (loop.left if isinstance(node, ast.Break) else loop.anew).append(written)
                return None
            case ast.Match():
                self._evaluate(node.subject, written)
                after: bool | None = written
                for case in node.cases:
                    for part in ast.walk(case.pattern):
                        if isinstance(part, ast.MatchValue | ast.MatchClass):
                            self._evaluate(part.value if isinstance(part, ast.MatchValue) else part.cls, written)
                    if case.guard is not None:
                        self._evaluate(case.guard, written)
                    after = _either(after, self._block(case.body, written))
                return after
            case ast.Try():
                return self._try(node, written)
            case ast.Delete():
                for target in node.targets:
                    if not isinstance(target, ast.Subscript):
                        raise NotAllowedError(node, "del of something else than an element cannot be proved")
                    self._change(target)
                    self._evaluate(target.slice, written)
                return written
        word = type(node).__name__.removesuffix("Def").lower()
        raise NotAllowedError(node, f"{word} inside a function cannot be proved")

    def _evaluate(self, node: ast.expr, written: bool) -> None:
        self._reader.raising.clear()
        self._reader.check(node)
        if self._reader.raising:
            self.raises = True
            if written:
                name = ast.unparse(self._reader.raising[0])
                raise NotAllowedError(self._reader.raising[0], f"{name} can raise, and line {self._line} has written")

    def _return(self, node: ast.Return, written: bool) -> None:
        if node.value is not None:
            self._evaluate(node.value, written)
            if written and not (isinstance(node.value, ast.Constant) and node.value.value is None):
                raise NotAllowedError(node, f"it can still refuse here, and line {self._line} has written")

    def _raise(self, node: ast.Raise | ast.Assert, written: bool) -> None:
        self.raises = True
        parts = (node.exc, node.cause) if isinstance(node, ast.Raise) else (node.test, node.msg)
        for part in parts:
            if part is not None:
                self._evaluate(part, written)
        if written:
            raise NotAllowedError(node, f"it can still raise here, and line {self._line} has written")

    def _assign(self, node: ast.Assign | ast.AnnAssign, written: bool) -> bool:
        if node.value is None:
            return written
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            self._value(target, node.value, written)
        return self._targets(targets, written)

    def _value(self, target: ast.expr, value: ast.expr, written: bool) -> None:
        """The value of an assignment; a part of the state may get a name."""
        if (pairs := paired(target, value)) is not None:
            for inner, part in pairs:
                self._value(inner, part, written)
        elif not (isinstance(target, ast.Name) and self._reader.handle(value) is not None):
            self._evaluate(value, written)

    def _targets(self, targets: list[ast.expr], written: bool) -> bool:
        for target in targets:
            written = self._target(target, written) or written
        return written

    def _target(self, target: ast.expr, written: bool) -> bool:
        """Whether an assignment to it writes the state."""
        if names_only(target):
            return False
        if isinstance(target, ast.Tuple | ast.List):
            return self._targets(target.elts, written)
        if not isinstance(target, ast.Subscript):
            raise NotAllowedError(target, f"{ast.unparse(target)} is changed, and the state alone may be")
        self._evaluate(target.slice, written)
        if self._reader.is_column(target.value):
            self._write(target)
            return True
        self._change(target)
        return False

    def _augment(self, node: ast.AugAssign, written: bool) -> bool:
        self._evaluate(node.value, written)
        target = node.target
        number = self._reader.is_number(node.value)
        if isinstance(target, ast.Name):
            if not number and not self._reader.is_own(target):
                self._refuse_augmented(node)
            return written
        wrote = self._target(target, written)
        if not wrote and not number:
            self._refuse_augmented(node)
        return written | wrote

    def _refuse_augmented(self, node: ast.AugAssign) -> None:
        target = ast.unparse(node.target)
        plain = ast.unparse(ast.BinOp(node.target, node.op, node.value))
        raise NotAllowedError(node, f"this may change in place what others have too; write {target} = {plain}")

    def _write(self, target: ast.Subscript) -> None:
        if self._guarded:
            raise NotAllowedError(target, "a write inside try cannot be proved")
        self._line = target.lineno

    def _change(self, target: ast.Subscript) -> None:
        """An element of something else than a column is set or deleted."""
        if self._reader.is_column(target.value):
            raise NotAllowedError(target, f"del {ast.unparse(target)} takes something out, which cannot be proved")
        self._reader.check(target.value)
        if not isinstance(target.value, ast.Name) or not self._reader.is_own(target.value):
            raise NotAllowedError(target, f"{ast.unparse(target)} is changed, and the state alone may be")

    def _loop(self, node: ast.For | ast.While, written: bool) -> bool | None:
        if isinstance(node, ast.For):
            self._evaluate(node.iter, written)
            if not names_only(node.target):
                raise NotAllowedError(node, "a loop binds names and nothing else")
        before = written
        while True:
            loop = _Loop()
            self._loops.append(loop)
            if isinstance(node, ast.While):
                self._evaluate(node.test, before)
            end = self._block(node.body, before)
            self._loops.pop()
            again = before | any(loop.anew) | bool(end)
            if again == before:
                break
            before = again  # once more, as it is the second time round
        after = self._block(node.orelse, before)
        for left in loop.left:
            after = _either(after, left)
        return after

    def _try(self, node: ast.Try, written: bool) -> bool | None:
        """Without a write inside, so that it does not matter where it is left."""
        self._guarded += 1
        after = self._block(node.body, written)
        if after is not None:
            after = self._block(node.orelse, after)
        for handler in node.handlers:
            if handler.type is not None:
                self._evaluate(handler.type, written)
            after = _either(after, self._block(handler.body, written))
        last = self._block(node.finalbody, written)
        self._guarded -= 1
        return None if last is None else after


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one is None or other is None:
        return other if one is None else one
    return one or other
