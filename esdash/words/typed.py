r"""What people type, turned into members of an event, and back; by what the model of the event says of each field.

Every function that reads raises ValueError with a sentence for the person who typed.

A name may hold characters that a terminal hides or obeys. They are written `\u{200B}`, so that every name can be shown,
typed and read back without loss; see `write_name`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from msgspec import Struct

from esdash import exact
from esdash.domain import EventType
from esdash.fold.cells import MAX_INT, MAX_NAME, MIN_INT, is_name
from esdash.fold.failing import ENDS, FAILURES, raise_signals
from esdash.fold.folding import Fold
from esdash.fold.schema import Field
from esdash.visible import shown_each, visible
from esdash.words.entries import words, write

_ESCAPE: Final = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}")
_PAIR: Final = re.compile(r'(?P<name>"(?P<quoted>[^"]*)"?|[^\s,":]+|(?=:))(?P<colon>:(?P<second>[^\s,"]*))?')
"""One of several pairs. A quotation that is still open reaches to the end."""
_NEEDS_QUOTES: Final = re.compile(r'[\s,:"]|^$')
_YES: Final = {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}


def read_value(field: Field, text: str) -> Any:
    """A member of an event as JSON has it, from what was typed for a field."""
    if field.kind == "int":
        return _within(field, _number(field, text))
    if field.kind == "str":
        return _text(field, text)
    if field.kind == "bool":
        try:
            return _YES[text.strip().casefold()]
        except KeyError:
            raise ValueError(f"{words(field.name)} is yes or no") from None
    if field.kind == "choice":
        if (choice := choice_of(field, text.strip())) is None:
            raise ValueError(f"{words(field.name)} is one of {', '.join(map(str, field.choices))}")
        return choice
    if field.kind == "decimal":
        return _decimal(field, text)
    if field.kind == "time":
        return _time(field, text)
    if pair_of(field) is not None:
        pairs = read_pairs(field, text)
        for each in pairs:
            if each.problem is not None:
                raise ValueError(each.problem)
        return _counted(field, [each.record for each in pairs])
    try:
        value = exact.read(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError(f"{words(field.name)} is written as JSON: {error}") from None
    return _counted(field, value) if isinstance(value, list) else value


def choice_of(field: Field, told: str) -> Any:
    """The choice that is written so, else the only one that is but for its case; None for none."""
    alike = [choice for choice in field.choices if str(choice).casefold() == told.casefold()]
    same = [choice for choice in alike if str(choice) == told] or alike
    return same[0] if len(same) == 1 else None


def write_value(field: Field, value: Any) -> str:
    """What to type for a value of an event: `read_value` gives it back."""
    if value is None:
        return ""
    if field.kind == "int":
        return _editable(field, value)
    if field.kind == "str":
        return write_name(value) if field.about else write_text(value)
    if field.kind == "bool":
        return "yes" if value else "no"
    if field.kind == "choice":
        return str(getattr(value, "value", value))
    if field.kind == "time":
        return str(value.isoformat(" ") if isinstance(value, datetime) else value)
    pair = pair_of(field)
    if pair is not None:
        return " ".join(write_pair(pair, each) for each in value)
    return str(value) if field.kind == "decimal" else msgspec.json.encode(value).decode()


def make_event(fold: Fold, event_type: EventType, members: Mapping[str, Any]) -> Any:
    """An event of members as JSON has them. Raises ValueError with a sentence for what is none."""
    try:
        payload = exact.write(members)
    except (TypeError, msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise ValueError(f"this cannot be written as JSON: {error}") from None
    event, why = fold.made(event_type, payload)
    if event is None:
        raise ValueError(problem(why))
    return event


def problem(why: str) -> str:
    """A decoder's complaint as a sentence: ``Expected `int` >= 1 - at `$.amount` `` → `amount: expected int >= 1`."""
    match = re.fullmatch(r"(.*?)(?: - at `\$\.?(.*?)`)?", why, re.DOTALL)
    what, where = (match[1], match[2]) if match is not None else (why, "")
    told = what.replace("`", "")
    told = told[:1].lower() + told[1:]
    return f"{words(where)}: {told}" if where else told


def pair_of(field: Field) -> "tuple[Field, Field] | None":
    """The two fields of the records of a list that is written as `A:B A:B`; None for any other field."""
    if field.kind != "list" or field.element is None or field.element.record is None:
        return None
    fields = field.element.record.fields
    if len(fields) != 2 or fields[0].kind not in ("int", "str") or fields[1].kind in ("list", "record"):
        return None
    return fields[0], fields[1]


class Pair(Struct, frozen=True):
    """One record of a list as it was typed, with where in the text it stands."""

    name: str
    """The first part, read; as it was typed where that is no value. `problem` says why."""
    record: Mapping[str, Any]
    """Both members, as JSON has them; what could be read of them where there is a problem."""
    problem: str | None
    """A sentence; None when it can be used."""
    start: int
    name_end: int
    """Where the first part ends, quotation marks included."""
    end: int


def read_pairs(field: Field, text: str) -> list[Pair]:
    """Records from `hdd:2 cpu` or `hdd:2, "hard disk":1`; a number that is left out is 1."""
    pair = pair_of(field)
    assert pair is not None, "only such a list is written so"
    return [_pair(pair, match) for match in _PAIR.finditer(text)]


def _pair(fields: tuple[Field, Field], match: re.Match[str]) -> Pair:
    first, second = fields
    name = match["name"] if match["quoted"] is None else match["quoted"]
    told = match["second"]
    shown = visible(name, 24)
    members: dict[str, Any] = {}
    trouble: str | None = None
    try:
        members[first.member] = read_value(first, name)
        if told == "":
            trouble = (
                f"how many of {shown}? write {shown}:2" if second.kind == "int" else f"{shown}: what? write {shown}:…"
            )
        elif told is not None:
            members[second.member] = read_value(second, told)
        elif second.kind == "int":
            members[second.member] = 10 ** _places(second)
        elif second.required:
            trouble = f"{shown}: {words(second.name)} is missing, write {shown}:…"
    except ValueError as error:
        trouble = f"{visible(match[0], 24)} — {error}"
    return Pair(str(members.get(first.member, name)), members, trouble, match.start(), match.end("name"), match.end())


def _places(field: Field) -> int:
    """How many digits of a number stand behind the point."""
    _, point, behind = _editable(field, 0).partition(".")
    return sum(map(str.isdigit, behind)) if point else 0


def write_pair(fields: tuple[Field, Field], record: Any) -> str:
    """What to type for one record."""
    first, second = (
        record[field.member] if isinstance(record, Mapping) else getattr(record, field.name) for field in fields
    )
    return f"{write_pair_name(write_value(fields[0], first))}:{write_value(fields[1], second)}"


def write_pair_name(written: str) -> str:
    """The first part of a pair; in quotation marks where it would be misread."""
    return '"' + written.replace('"', r"\u{22}") + '"' if _NEEDS_QUOTES.search(written) else written


def read_name(text: str) -> str:
    r"""The name of a row as it is typed: outer spaces do not count, `\u{200B}` is the character of that code."""
    return read_text(text.strip())


def write_name(name: str) -> str:
    r"""What to type for a name: `read_name` gives it back. Hidden characters become `\u{200B}`."""
    written = write_text(name)
    if written != written.strip():
        written = re.sub(r"^ +| +$", lambda match: r"\u{20}" * len(match[0]), written)
    return written


def read_text(text: str) -> str:
    r"""A text as it is typed: `\u{200B}` is the character of that code."""
    return _ESCAPE.sub(_character, text)


def write_text(text: str) -> str:
    r"""What to type for a text. Hidden characters become `\u{200B}`, and what looks like that `\u{5C}u{200B}`."""
    return escape_hidden(_ESCAPE.sub(lambda match: r"\u{5C}" + match[0][1:], text))


def escape_hidden(text: str) -> str:
    r"""The text with characters that have no shape of their own as `\u{200B}`, but for marks that a letter carries."""
    if text.isascii() and text.isprintable():
        return text
    each = zip(text, shown_each(text), strict=True)
    return "".join(char if shown == char else f"\\u{{{ord(char):X}}}" for char, shown in each)


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 else match[0]


def _editable(field: Field, value: Any) -> str:
    """A number as a person would type it; where a format of the domain fails, the number itself."""
    try:
        return str(field.shown.editable(value))
    except FAILURES as error:  # whatever a format of the domain raises
        raise_signals(error)
        return str(value)


def _number(field: Field, text: str) -> int:
    try:
        value = field.shown.read(text)
    except ValueError as error:
        raise ValueError(f"{words(field.name)}: {error}") from None
    except FAILURES as error:  # whatever a format of the domain raises
        raise_signals(error)
        why = f"its format {ENDS}" if isinstance(error, SystemExit) else error
        raise ValueError(f"{words(field.name)} cannot be read: {why}") from None
    if type(value) is not int:
        raise ValueError(f"{words(field.name)} is a whole number")
    return value


def _within(field: Field, value: int) -> int:
    """The number, when it is within the bounds of the schema."""
    low, above = field.bound("ge"), field.bound("gt")
    high, below = field.bound("le"), field.bound("lt")
    least = low if above is None else above + 1
    most = high if below is None else below - 1
    if field.about:
        least, most = MIN_INT if least is None else least, MAX_INT if most is None else most
    if (least is not None and value < least) or (most is not None and value > most):
        name = words(field.name)
        if least is not None and most is not None:
            raise ValueError(f"{name} is from {write(field.shown, least)} to {write(field.shown, most)}")
        bound = f"at least {write(field.shown, least)}" if most is None else f"at most {write(field.shown, most)}"
        raise ValueError(f"{name} is {bound}")
    return value


def _text(field: Field, text: str) -> str:
    value = read_name(text) if field.about else read_text(text)
    least, most = field.bound("min_length") or 0, field.bound("max_length")
    if field.about:
        least, most = max(1, least), min(MAX_NAME, most or MAX_NAME)
        if not is_name(value) or not least <= len(value) <= most:
            raise ValueError(f"{words(field.name)} has {least} to {most} characters and no control characters")
    elif len(value) < least or (most is not None and len(value) > most):
        raise ValueError(
            f"{words(field.name)} has {least} to {most} characters"
            if most
            else f"{words(field.name)} has at least {least} characters"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{words(field.name)} is no text that can be written as UTF-8") from None
    return value


def _counted(field: Field, values: list[Any]) -> list[Any]:
    """The list, when it is as long as the schema wants."""
    least, most = field.bound("min_length") or 0, field.bound("max_length")
    if most is not None and len(values) > most:
        raise ValueError(f"{words(field.name)} has at most {most:,}, and there are {len(values):,}")
    if len(values) < least:
        raise ValueError(f"{words(field.name)} has at least {least:,}, and there are {len(values):,}")
    return values


def _decimal(field: Field, text: str) -> str:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ValueError(f"{words(field.name)} is a number like 12.34")
    return str(value)


def _time(field: Field, text: str) -> str:
    try:
        return datetime.fromisoformat(text.strip()).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{words(field.name)} is a time like 2026-11-23 14:03:05") from None
