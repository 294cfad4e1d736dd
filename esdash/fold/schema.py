"""What a model of a domain says: its fields, their kinds, bounds and formats, and which rows it is about."""

import dataclasses
import enum
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from esdash.domain import PLAIN, TEXT, About, Codec, Format, ShownAs, Wire
from esdash.fold.cells import MAX_INT, MAX_NAME, MIN_INT


class SchemaError(Exception):
    """A model that esdash cannot work with: what, and what to do. `at` is the class or function it is about.

    `lines` show what was written, and where it is wrong.
    """

    def __init__(self, sentence: str, at: object = None, lines: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.at = at
        self.lines = lines


class Field(Struct, frozen=True):
    """A field of a model, or an element of a list."""

    name: str
    """Of the attribute."""
    member: str
    """In the payload."""
    kind: str
    """int, str, bool, decimal, time, choice, record or list."""
    required: bool = True
    optional: bool = False
    """None is a value, too."""
    default: Any = None
    shown: Format = PLAIN
    about: str = ""
    """The table of which it names a row."""
    choices: tuple[Any, ...] = ()
    """For a choice: the values on the wire."""
    record: "Model | None" = None
    element: "Field | None" = None
    meta: tuple[Meta, ...] = ()

    def bound(self, name: str) -> Any:
        """A bound of the schema, ge, gt, le, lt, min_length, max_length; None where there is none."""
        found = [value for meta in self.meta if (value := getattr(meta, name, None)) is not None]
        return found[-1] if found else None

    def says_null(self) -> bool:
        """Whether the text `null` stands for None; where texts are wanted it is a text like any other."""
        return self.optional and self.kind != "str"

    def names_safely(self) -> bool:
        """Whether every value that the model lets through could be a key, control characters apart."""
        if self.kind == "str":
            return (self.bound("min_length") or 0) >= 1 and (self.bound("max_length") or MAX_NAME + 1) <= MAX_NAME
        low, high = self.bound("ge"), self.bound("le")
        low = self.bound("gt") if low is None else low
        high = self.bound("lt") if high is None else high
        return low is not None and high is not None and low >= MIN_INT and high <= MAX_INT


class Model(Struct, frozen=True):
    """A model's fields."""

    type: type
    fields: tuple[Field, ...]
    help: str

    def rows(self, event: Any) -> Iterator[tuple[str, Any]]:
        """The rows that an event names: (table, key)."""
        for field in self.fields:
            yield from _named(field, getattr(event, field.name))


def _named(field: Field, value: Any) -> Iterator[tuple[str, Any]]:
    if value is None:
        return
    if field.about:
        yield field.about, value
    elif field.record is not None:
        yield from field.record.rows(value)
    elif field.element is not None and names_rows(field.element):
        for each in value:
            yield from _named(field.element, each)


def names_rows(field: Field) -> bool:
    """Whether a field, or one inside it, names rows."""
    return bool(
        field.about
        or (field.record is not None and any(map(names_rows, field.record.fields)))
        or (field.element is not None and names_rows(field.element))
    )


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def require_sayable(model: Model, wire: Wire | Codec) -> None:
    """Raises SchemaError where the members of a model are fields of an entry, and some cannot be."""
    name = model.type.__name__
    for field in model.fields if isinstance(wire, Wire) and not wire.data else ():
        taken = {wire.key: "key", wire.v: "v"} if wire.only else {wire.type: "type", wire.key: "key", wire.v: "v"}
        if field.member in taken:
            role = taken[field.member]
            raise SchemaError(
                f"{name}.{field.name} would be the field {field.member} of an entry, and so would what Wire({role}=) "
                "names: give that another name, or none",
                model.type,
            )
        if field.kind == "str" and field.optional and (field.required or field.default is not None):
            raise SchemaError(
                f"{name}.{field.name} may be None, which no text says: give it None as its default, or say that it is "
                "str alone",
                model.type,
            )


def is_pydantic(model: type) -> bool:
    """Whether a model is pydantic's, told without importing it."""
    return any(base.__module__.startswith("pydantic.") and base.__name__ == "BaseModel" for base in model.__mro__)


# Models, as they are declared

_SCALARS: Final = {int: "int", str: "str", bool: "bool", Decimal: "decimal", datetime: "time"}

_REMEDIES: Final = {
    float: "use int in a small unit, or Decimal: a float is not the same on every machine",
    dict: "use a record, or a list of records",
    set: "use a list: a set has no order",
    frozenset: "use a list: a set has no order",
    bytes: "use str",
    Any: "say what it holds",
    object: "say what it holds",
}


def model_of(model: type) -> Model:
    """The fields of a Struct, a dataclass or a pydantic model. Raises SchemaError."""
    return _model(model, ())


def _model(model: type, within: tuple[type, ...]) -> Model:
    if model in within:
        raise SchemaError(f"{model.__name__} holds itself; an event has an end", model)
    if len(within) > 16:
        raise SchemaError(f"{model.__name__} is nested too deeply", model)
    if hasattr(model, "__pydantic_validator__") and not is_pydantic((*within, model)[0]):
        raise SchemaError(
            f"{model.__name__} is a dataclass of pydantic, whose checks are passed over: use BaseModel", model
        )
    try:
        hints = typing.get_type_hints(model, include_extras=True)
    except Exception as error:  # names that do not exist, in the words of Python
        raise SchemaError(f"the types of {model.__name__} cannot be read: {first_line(error)}", model) from error
    fields = []
    for name, member, required, default, metadata in declared(model):
        hint = hints[name]
        if metadata:
            hint = Annotated[hint, *metadata]
        field = _field(f"{model.__name__}.{name}", hint, model, (*within, model))
        fields.append(msgspec.structs.replace(field, name=name, member=member, required=required, default=default))
    doc = model.__doc__ or ""
    generated = dataclasses.is_dataclass(model) and doc.startswith(f"{model.__name__}(")
    inherited = doc in (Struct.__doc__, *(base.__doc__ for base in model.__mro__[1:]))
    return Model(model, tuple(fields), "" if generated or inherited else _clean(doc))


def _clean(doc: str) -> str:
    import inspect

    return inspect.cleandoc(doc)


def declared(model: type) -> Iterator[tuple[str, str, bool, Any, list[Any]]]:
    """Each field's name, member, whether it is required, its default, and what pydantic took out of its type."""
    if issubclass(model, Struct):
        for field in msgspec.structs.fields(model):
            yield field.name, field.encode_name, field.required, _default(field.default, field.default_factory), []
    elif dataclasses.is_dataclass(model):
        for each in dataclasses.fields(model):
            default = _default(each.default, each.default_factory)
            required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
            yield each.name, each.name, required, default, []
    elif is_pydantic(model):
        for name, info in model.model_fields.items():  # type: ignore[attr-defined]
            default = None if info.is_required() else info.get_default(call_default_factory=True)
            yield name, _member(model, name, info), info.is_required(), default, list(info.metadata)
    else:
        raise SchemaError(f"{model.__name__} is no msgspec Struct, dataclass or pydantic model", model)


def _member(model: type, name: str, info: Any) -> str:
    """What a field of a pydantic model is called where it is read and where it is written."""
    path = f"{model.__name__}.{name}"
    if info.exclude:
        raise SchemaError(
            f"{path} is left out when its event is written, and would be lost: leave `exclude` out", model
        )
    alias = info.validation_alias
    read = [name] if alias is None else [each for each in getattr(alias, "choices", [alias]) if isinstance(each, str)]
    written: str = info.serialization_alias or name
    if written not in read:
        ways = " or ".join(read) or "a part of another member"
        raise SchemaError(f"{path} is written as {written} and read as {ways}: give it one `alias` for both", model)
    return written


def _default(value: Any, factory: Any) -> Any:
    missing = (msgspec.NODEFAULT, dataclasses.MISSING)
    if value not in missing:
        return value
    return factory() if factory not in missing else None


def _field(path: str, hint: Any, model: type, within: tuple[type, ...]) -> Field:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        inner, *marks = typing.get_args(hint)
        field = _field(path, inner, model, within)
        meta = (*field.meta, *(mark for mark in marks if isinstance(mark, Meta) or _is_bound(mark)))
        abouts = [mark.table for mark in marks if isinstance(mark, About)]
        formats = [mark.shown for mark in marks if isinstance(mark, ShownAs)]
        if abouts and field.kind not in ("int", "str"):
            raise SchemaError(f"{path} is about a row, and a key is int or str", model)
        return msgspec.structs.replace(
            field,
            meta=meta,
            about=abouts[-1] if abouts else field.about,
            shown=formats[-1] if formats else field.shown,
        )
    if origin in (typing.Union, types.UnionType):
        kinds = [each for each in typing.get_args(hint) if each is not type(None)]
        if len(kinds) != 1:
            raise SchemaError(f"{path} may be one of several kinds; one kind, or None beside it, is understood", model)
        return msgspec.structs.replace(_field(path, kinds[0], model, within), optional=True)
    if origin is Literal:
        choices = typing.get_args(hint)
        if not all(type(each) in (int, str) for each in choices):
            raise SchemaError(f"{path} is a choice of something else than int and str", model)
        return Field("", "", "choice", choices=choices)
    if origin in (list, tuple) or hint in (list, tuple):
        of = typing.get_args(hint)
        if len(of) == 2 and of[1] is Ellipsis:
            of = of[:1]
        if len(of) != 1:
            raise SchemaError(f"{path} does not say of what it is a list, as in list[str] or tuple[str, ...]", model)
        return Field("", "", "list", element=_field(f"{path}[]", of[0], model, within))
    if (remedy := _REMEDIES.get(origin or hint)) is not None:
        name = getattr(origin or hint, "__name__", str(hint))
        raise SchemaError(f"{path} is a {name}, which no event may hold: {remedy}", model)
    if isinstance(hint, type):
        if hint in _SCALARS:
            return Field("", "", _SCALARS[hint], shown=TEXT if hint is str else PLAIN)
        if issubclass(hint, enum.Enum):
            return Field("", "", "choice", choices=tuple(each.value for each in hint))
        if issubclass(hint, Struct) or dataclasses.is_dataclass(hint) or is_pydantic(hint):
            if not dataclasses.is_dataclass(hint) and is_pydantic(hint) is not is_pydantic(within[0]):
                makes = ("msgspec", "pydantic")
                raise SchemaError(
                    f"{path} is a model of {makes[is_pydantic(hint)]} within one that {makes[is_pydantic(within[0])]} "
                    "reads, which cannot make one: let both be of one kind, or dataclasses",
                    model,
                )
            return Field("", "", "record", record=_model(hint, within))
    name = getattr(hint, "__name__", str(hint))
    raise SchemaError(
        f"{path} is a {name}: an event holds int, str, bool, Decimal, datetime, Enum, Literal, records and lists",
        model,
    )


def _is_bound(mark: Any) -> bool:
    """A bound as pydantic says it."""
    return type(mark).__module__.startswith("annotated_types")
