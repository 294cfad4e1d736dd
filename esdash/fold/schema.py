"""What a model of a domain says: its fields, how a payload becomes an event, which rows it is about."""

import dataclasses
import enum
import functools
import threading
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from esdash.domain import PLAIN, TEXT, About, Format, ShownAs, Wire
from esdash.fold.sorting import is_too_deep
from esdash.fold.tables import MAX_INT, MAX_NAME, MIN_INT, is_name


class SchemaError(Exception):
    """A model that esdash cannot work with: what, and what to do. `at` is the class or function it is about."""

    def __init__(self, sentence: str, at: object = None) -> None:
        super().__init__(sentence)
        self.at = at


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
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


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
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
    elif field.element is not None and _names_rows(field.element):
        for each in value:
            yield from _named(field.element, each)


def _names_rows(field: Field) -> bool:
    return bool(
        field.about
        or (field.record is not None and any(map(_names_rows, field.record.fields)))
        or (field.element is not None and _names_rows(field.element))
    )


def could_be_key(key: Any) -> bool:
    """Whether a value could be the key of a row."""
    return is_name(key) if isinstance(key, str) else MIN_INT <= key <= MAX_INT


class Names:
    """Whether the fields of a model hold what an event may hold: names of rows that could be keys, a number, a zone."""

    def __init__(self, model: Model) -> None:
        self._paths = [(path, field) for field in model.fields for path, field in _paths(field, ())]

    def could_be(self, event: Any) -> bool:
        """Of one event."""
        return all(_sound(field, value) for path, field in self._paths for value in _along(event, path))

    def why_not(self, event: Any) -> str:
        """What it holds that no event may hold; empty when there is nothing."""
        for path, field in self._paths:
            for value in _along(event, path):
                if not _sound(field, value):
                    return _UNSOUND.get(field.kind, "{!r:.60} can be no key of {}").format(value, field.about)
        return ""

    def all_could_be(self, events: list[Any], *, plain: bool = False) -> bool:
        """Of many, by columns, which costs a tenth of asking each; False where each must be asked.

        `plain`: no text among them holds a control character.
        """
        for path, field in self._paths:
            if field.kind not in ("int", "str"):
                return False
            safe = field.names_safely()
            if safe and (plain or field.kind == "int"):
                continue
            values: Any = events
            for name in path:
                values = chain.from_iterable(values) if name is None else map(attrgetter(name), values)
            try:
                found = list(values)
                if field.kind == "int":
                    if not MIN_INT <= min(found, default=0) <= max(found, default=0) <= MAX_INT:
                        return False
                elif not all(map(str.isprintable, found)) or (
                    not safe and not 0 < min(map(len, found), default=1) <= max(map(len, found), default=1) <= MAX_NAME
                ):
                    return False
            except (TypeError, AttributeError):  # one of them is absent, or what holds it
                return False
        return True


def _paths(field: Field, above: tuple[str | None, ...]) -> Iterator[tuple[tuple[str | None, ...], Field]]:
    """How to come from events to each field that is looked at: attributes, and None for the elements of a list."""
    path = (*above, field.name) if field.name else above
    if field.about or field.kind in ("decimal", "time"):
        yield path, field
    elif field.record is not None:
        for each in field.record.fields:
            yield from _paths(each, path)
    elif field.element is not None:
        yield from _paths(field.element, (*path, None))


def _along(value: Any, path: tuple[str | None, ...]) -> Iterator[Any]:
    """What a path leads to; an absent value, or one inside, is passed over."""
    for place, name in enumerate(path):
        if value is None:
            return
        if name is None:
            for each in value:
                yield from _along(each, path[place + 1 :])
            return
        value = getattr(value, name)
    if value is not None:
        yield value


def _sound(field: Field, value: Any) -> bool:
    """Whether a value that the model let through is one: `NaN` is no number, a time without a zone is no moment."""
    if field.kind == "decimal":
        return bool(value.is_finite())
    if field.kind == "time":
        return value.tzinfo is not None
    return could_be_key(value)


_UNSOUND: Final = {"decimal": "{} is no number", "time": "{} has no zone"}


def _with_room(read: Callable[[bytes], Any], payload: bytes) -> Any:
    """What a function makes of a payload in a thread of its own: how deep it gets depends on its caller's stack."""
    found: list[Any] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            found.append(read(payload))
        except RecursionError:
            found.append(None)
        except Exception as error:  # noqa: BLE001 - raised by the caller
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


class Decoder:
    """Payloads of one model to events. What a payload cannot be is None; other exceptions are the model's own."""

    def __init__(self, model: Model, *, packed: bool, lenient: bool) -> None:
        """`packed`: MessagePack. `lenient`: members are texts that stand for what the model wants."""
        self._model = model
        self.names = Names(model)
        self._texts = {field.member: field for field in model.fields if _is_folded(field, model)} if lenient else {}
        """Members whose text must be made into something before the model reads it."""
        self._packed = packed
        self._lenient = lenient
        self._lines: Callable[[bytes], list[Any]] | None = None
        """Many payloads at once, each on a line of its own."""
        self._one: Callable[[bytes], Any]
        if is_pydantic(model.type):
            self._one = self._by_pydantic
        elif packed:
            self._one = msgspec.msgpack.Decoder(model.type, strict=not lenient).decode
        else:
            decoder: Any = msgspec.json.Decoder(model.type, strict=not lenient)
            self._one = decoder.decode
            self._lines = None if lenient else decoder.decode_lines

    def many(self, payloads: bytes | list[bytes], size: int) -> tuple[list[Any], bool]:
        """The event of each payload, None where there is none; and whether each has one.

        Bytes are plain JSON, each payload on a line.
        """
        if isinstance(payloads, bytes):
            if self._lines is not None:
                with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                    events = self._lines(payloads)
                    if len(events) == size and self.names.all_could_be(events, plain=True):
                        return events, True
            payloads = payloads.split(b"\n")
        elif self._packed:
            with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                events = list(map(self._one, payloads))
                if self.names.all_could_be(events):
                    return events, True
        events = list(map(self._event, payloads))
        there = [event for event in events if event is not None]
        if not self.names.all_could_be(there):
            could_be = self.names.could_be
            events = [event if event is not None and could_be(event) else None for event in events]
        return events, type(None) not in set(map(type, events))

    def one(self, payload: bytes) -> Any:
        """The event of a payload, or None."""
        event = self._event(payload)
        return event if event is not None and self.names.could_be(event) else None

    def why_not(self, payload: bytes) -> str:
        """Why a payload is no event, in the words of the decoder; empty when it is one."""
        try:
            event = self._decoded(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return _complaint(error)
        return self.names.why_not(event)

    def _event(self, payload: bytes) -> Any:
        """The event of a payload, whatever its names; or None."""
        try:
            return self._checked(payload)
        except RecursionError:
            return _with_room(self._checked, payload)

    def _checked(self, payload: bytes) -> Any:
        """The same. Raises RecursionError."""
        try:
            if not self._packed and not payload.isascii():
                payload.decode()  # what a decoder passes over need not be UTF-8 to it
            return self._decoded(payload)
        except (msgspec.MsgspecError, ValueError):
            return None

    def _decoded(self, payload: bytes) -> Any:
        return self._one(self._unfolded(payload) if self._texts else payload)

    def _by_pydantic(self, payload: bytes) -> Any:
        """A pydantic model's ValidationError is a ValueError."""
        model: Any = self._model.type
        if self._lenient:
            return model.model_validate(msgspec.json.decode(payload))
        return (
            model.model_validate(msgspec.msgpack.decode(payload))
            if self._packed
            else model.model_validate_json(payload)
        )

    def _unfolded(self, payload: bytes) -> bytes:
        """Members that are texts, of which some are JSON themselves, and some stand for what pydantic reads no text."""
        members = msgspec.json.decode(payload)
        for name, field in self._texts.items() if isinstance(members, dict) else ():
            text = members.get(name)
            if not isinstance(text, str):
                continue
            if field.kind in ("record", "list"):
                if is_too_deep(text.encode(), False):
                    raise ValueError(f"{name} is nested too deeply")
                members[name] = msgspec.json.decode(text)
            elif text == "null" and field.says_null():
                members[name] = None
            else:
                members[name] = next((each for each in field.choices if str(each) == text), text)
        return msgspec.json.encode(members)


def _is_folded(field: Field, model: Model) -> bool:
    """Whether a text that stands for a field's value must be made into something before the model reads it."""
    return field.kind in ("record", "list") or (
        is_pydantic(model.type) and (field.says_null() or field.kind == "choice")
    )


def _complaint(error: Exception) -> str:
    """What a decoder says, in the form of msgspec; of the errors that pydantic finds the first."""
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return _first_line(error)
    first = errors(include_url=False)[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return f"{first['msg']} - at `${path}`" if path else str(first["msg"])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def encode(event: Any) -> bytes:
    """An event as JSON, without what is None by default."""
    if is_pydantic(type(event)):
        return event.model_dump_json(exclude_defaults=True, by_alias=True).encode()  # type: ignore[no-any-return]
    members = msgspec.to_builtins(event)
    if isinstance(members, dict):
        model: Any = type(event)
        optional = _absent(model)
        members = {name: value for name, value in members.items() if value is not None or name not in optional}
    return msgspec.json.encode(members)


@functools.cache
def _absent(model: type) -> frozenset[str]:
    """The members that are None when they are absent."""
    return frozenset(member for _, member, required, default, _ in _declared(model) if not required and default is None)


def require_sayable(model: Model, wire: Wire) -> None:
    """Raises SchemaError where the members of a model are fields of an entry, and some cannot be."""
    name = model.type.__name__
    for field in model.fields if not wire.data else ():
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
    try:
        hints = typing.get_type_hints(model, include_extras=True)
    except Exception as error:  # names that do not exist, in the words of Python
        raise SchemaError(f"the types of {model.__name__} cannot be read: {_first_line(error)}", model) from error
    fields = []
    for name, member, required, default, metadata in _declared(model):
        hint = hints[name]
        if metadata:
            hint = Annotated[hint, *metadata]
        field = _field(f"{model.__name__}.{name}", hint, model, (*within, model))
        fields.append(dataclasses.replace(field, name=name, member=member, required=required, default=default))
    doc = model.__doc__ or ""
    generated = dataclasses.is_dataclass(model) and doc.startswith(f"{model.__name__}(")
    inherited = doc in (Struct.__doc__, *(base.__doc__ for base in model.__mro__[1:]))
    return Model(model, tuple(fields), "" if generated or inherited else _clean(doc))


def _clean(doc: str) -> str:
    import inspect

    return inspect.cleandoc(doc)


def _declared(model: type) -> Iterator[tuple[str, str, bool, Any, list[Any]]]:
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
            yield name, info.alias or name, info.is_required(), default, list(info.metadata)
    else:
        raise SchemaError(f"{model.__name__} is no msgspec Struct, dataclass or pydantic model", model)


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
        return dataclasses.replace(
            field,
            meta=meta,
            about=abouts[-1] if abouts else field.about,
            shown=formats[-1] if formats else field.shown,
        )
    if origin in (typing.Union, types.UnionType):
        kinds = [each for each in typing.get_args(hint) if each is not type(None)]
        if len(kinds) != 1:
            raise SchemaError(f"{path} may be one of several kinds; one kind, or None beside it, is understood", model)
        return dataclasses.replace(_field(path, kinds[0], model, within), optional=True)
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
            return Field("", "", "record", record=_model(hint, within))
    name = getattr(hint, "__name__", str(hint))
    raise SchemaError(
        f"{path} is a {name}: an event holds int, str, bool, Decimal, datetime, Enum, Literal, records and lists",
        model,
    )


def _is_bound(mark: Any) -> bool:
    """A bound as pydantic says it."""
    return type(mark).__module__.startswith("annotated_types")
