"""Payloads to events and back: what a decoder lets through, and what of that an event may hold."""

import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from esdash import exact
from esdash.fold.cells import MAX_DIGITS, MAX_INT, MAX_NAME, MIN_INT, is_name
from esdash.fold.schema import Field, Model, declared, first_line, is_pydantic
from esdash.fold.sorting import is_too_deep


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
                    return _why_unsound(field, value)
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
                elif not "".join(found).isprintable() or (
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
    """Whether a value that the model let through is one: `NaN` is no number, a time without a zone is no moment, and
    with what is beyond all bounds no rule could compute.
    """
    if field.kind == "decimal":
        return bool(value.is_finite() and (not value or -MAX_DIGITS <= value.adjusted() <= MAX_DIGITS))
    if field.kind == "time":
        return value.tzinfo is not None and (1 < value.year < 9999 or _is_in_utc(value))
    return could_be_key(value)


def _is_in_utc(time: datetime) -> bool:
    """Whether it is in a year that there is, in UTC as well."""
    try:
        return bool(time.astimezone(UTC))
    except OverflowError:
        return False


def _why_unsound(field: Field, value: Any) -> str:
    if field.kind == "decimal":
        return f"{value!s:.60} is {'too large or too small a' if value.is_finite() else 'no'} number"
    if field.kind == "time":
        return f"{value} has no zone" if value.tzinfo is None else f"{value} is in no year of UTC"
    return f"{value!r:.60} can be no key of {field.about}"


def _with_room(read: Callable[[bytes], Any], payload: bytes) -> Any:
    """The event that a function makes of a payload in a thread of its own, or None.

    How deep a decoder gets depends on its caller's stack.
    """
    found: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(read(payload))
        except (RecursionError, msgspec.MsgspecError, ValueError):
            found.append(None)
        except BaseException as error:  # noqa: BLE001 - raised by the caller
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
        self._rounds = is_pydantic(model.type) and any(map(_has_decimals, model.fields))
        """Whether what reads the model would round numbers of its payloads."""
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
        events = self._each(payloads)
        there = [event for event in events if event is not None]
        if not self.names.all_could_be(there):
            could_be = self.names.could_be
            events = [event if event is not None and could_be(event) else None for event in events]
        return events, type(None) not in set(map(type, events))

    def one(self, payload: bytes) -> Any:
        """The event of a payload, or None."""
        (event,) = self._each([payload])
        return event if event is not None and self.names.could_be(event) else None

    def why_not(self, payload: bytes) -> str:
        """Why a payload is no event, in the words of the decoder; empty when it is one."""
        try:
            if not self._packed:
                payload.decode()
            event = self._decoded(payload)
        except UnicodeDecodeError as error:
            # Of MessagePack it is told where in one of its texts that is.
            where = "" if self._packed else f": 0x{error.object[error.start]:02x} at byte {error.start}"
            return f"it is not UTF-8{where}"
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return _complaint(error)
        return self.names.why_not(event)

    def _each(self, payloads: list[bytes]) -> list[Any]:
        """The event of each payload, whatever its names; or None."""
        read = self._decoded if self._texts else self._one
        events: list[Any] = []
        for payload in payloads:
            try:
                if not self._packed and not payload.isascii():
                    payload.decode()  # what a decoder passes over need not be UTF-8 to it
                events.append(read(payload))
            except (msgspec.MsgspecError, ValueError):
                events.append(None)
            except RecursionError:
                events.append(_with_room(read, payload))
        return events

    def _decoded(self, payload: bytes) -> Any:
        return self._one(self._unfolded(payload) if self._texts else payload)

    def _by_pydantic(self, payload: bytes) -> Any:
        """A pydantic model's ValidationError is a ValueError."""
        model: Any = self._model.type
        if self._lenient:
            return model.model_validate(exact.read(payload), strict=False)  # texts are never more than that
        if not self._packed:
            return model.model_validate_json(self._exactly(payload) if self._rounds else payload)
        members = msgspec.msgpack.decode(payload)
        try:
            return model.model_validate(members)
        except ValueError:  # strict in the types of Python, where JSON has texts and lists
            return model.model_validate_json(json.dumps(members, default=_as_json, skipkeys=True))

    def _exactly(self, payload: bytes) -> bytes:
        """A payload in which decimals are texts: pydantic takes each other number with a point for a float."""
        with suppress(msgspec.MsgspecError, ValueError, RecursionError):  # the model says what is wrong
            return exact.write(_with_texts(Field("", "", "record", record=self._model), exact.read(payload)))
        return payload

    def _unfolded(self, payload: bytes) -> bytes:
        """Members that are texts, of which some are JSON themselves, and some stand for what pydantic reads no text."""
        members = exact.read(payload)
        for name, field in self._texts.items() if isinstance(members, dict) else ():
            text = members.get(name)
            if not isinstance(text, str):
                continue
            if field.kind in ("record", "list"):
                if is_too_deep(text.encode(), False):
                    raise ValueError(f"{name} is nested too deeply")
                members[name] = exact.read(text)
            elif text == "null" and field.says_null():
                members[name] = None
            else:
                members[name] = next((each for each in field.choices if str(each) == text), text)
        return exact.write(members)


def _has_decimals(field: Field) -> bool:
    within = field.record.fields if field.record is not None else (field.element,) if field.element is not None else ()
    return field.kind == "decimal" or any(map(_has_decimals, within))


def _with_texts(field: Field, value: Any) -> Any:
    """The value of a field, in which decimals are texts."""
    if field.kind == "decimal":
        return str(value) if isinstance(value, Decimal) else value
    if field.record is not None and isinstance(value, dict):
        fields = [each for each in field.record.fields if each.member in value]
        return value | {each.member: _with_texts(each, value[each.member]) for each in fields}
    if field.element is not None and isinstance(value, list):
        return [_with_texts(field.element, each) for each in value]
    return value


def _as_json(value: Any) -> Any:
    """What MessagePack has and JSON has not: a time as its text, bytes as what no field of text takes."""
    return value.isoformat() if isinstance(value, datetime) else {}


def _is_folded(field: Field, model: Model) -> bool:
    """Whether a text that stands for a field's value must be made into something before the model reads it."""
    return field.kind in ("record", "list") or (
        is_pydantic(model.type) and (field.says_null() or field.kind == "choice")
    )


def _complaint(error: Exception) -> str:
    """What a decoder says, in the form of msgspec; of the errors that pydantic finds the first."""
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return first_line(error)
    first = errors(include_url=False)[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return f"{first['msg']} - at `${path}`" if path else str(first["msg"])


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
    return frozenset(member for _, member, required, default, _ in declared(model) if not required and default is None)
