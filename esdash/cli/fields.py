"""The fields of an event as arguments and options of a command, made from the event's model."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import click

from esdash.cli.guarding import GUARD
from esdash.domain import COUNT, PLAIN, TIME
from esdash.fold.schema import Field, Model
from esdash.visible import visible
from esdash.words.entries import words, write
from esdash.words.typed import pair_of, read_value, write_value

_LIKE: Final = {"decimal": "like 12.34", "time": "like 2026-11-23 14:03:05", "bool": "yes or no"}


class _Text(click.ParamType[str]):
    """What was typed for a field; it is read when all is there."""

    name = "text"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:  # noqa: ARG002
        """The text without the mark of `guarded`."""
        return str(value).removeprefix(GUARD)


_TEXT: Final = _Text()


def kebab(name: str) -> str:
    """`HTTPRequest` → `http-request`, `unit_cost` → `unit-cost`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return parted.replace("_", "-").replace(" ", "-").lower()


def parameters(model: Model, taken: Collection[str]) -> list[click.Parameter]:
    """Arguments for the required fields, in their order, and options for the others; `taken` are names of options.

    Each is called `field_` and its place; `members` reads what was given.
    """
    used = set(taken)
    many = next((field for field in model.fields if field.required and pair_of(field) is not None), None)
    found: list[click.Parameter] = []
    for place, field in enumerate(model.fields):
        name = f"field_{place}"
        if field.required:
            found.append(
                click.Argument(
                    [name], type=_TEXT, required=True, nargs=-1 if field is many else 1, metavar=metavar(field)
                )
            )
        else:
            found.append(_option(field, name, used))
            used.update(found[-1].opts)
    return found


def _option(field: Field, name: str, taken: Collection[str]) -> click.Option:
    option = f"--{kebab(field.member)}"
    if option in taken:
        option = f"--field-{kebab(field.member)}"
    alone: dict[str, Any] = {"is_flag": False, "flag_value": "yes"} if field.kind == "bool" else {}
    return click.Option(
        [option, name],
        type=_TEXT,
        multiple=pair_of(field) is not None,
        metavar=metavar(field).removesuffix("..."),
        help=_sentence(field),
        **alone,
    )


def metavar(field: Field) -> str:
    """What stands for a field in a line of usage: `ACCOUNT`, `AMOUNT`, `NAME[:QUANTITY]...`."""
    pair = pair_of(field)
    if pair is None:
        return _short(field)
    first, second = map(_short, pair)
    return f"{first}[:{second}]..." if pair[1].kind == "int" or not pair[1].required else f"{first}:{second}..."


def _short(field: Field) -> str:
    name = kebab(field.member).upper()
    return name.removesuffix("-ID") or name


def explained(model: Model) -> str:
    """What the arguments are, a line each."""
    shown = [(metavar(field), told(field)) for field in model.fields if field.required]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in shown)


def told(field: Field) -> str:
    """What may be typed for a field: `like 12.34, from 0.00 to 10.00`."""
    described = field.bound("description")
    parts = [str(described).rstrip(".")] if described else []
    return visible(", ".join([*parts, *_form(field)]), 300)


def _form(field: Field) -> Iterator[str]:
    pair = pair_of(field)
    if pair is not None:
        yield f"{_short(pair[0])}: {told(pair[0])}"
        left_out = "; 1 when left out" if pair[1].kind == "int" else ""
        yield f"{_short(pair[1])}: {told(pair[1])}{left_out}"
    elif field.kind == "int":
        if field.shown is TIME:
            yield _LIKE["time"]
        elif field.shown not in (PLAIN, COUNT):
            yield f"like {write(field.shown, 1234)}"
        yield from _bounds(field)
    elif field.kind == "str":
        most = field.bound("max_length")
        yield f"{field.bound('min_length') or 0} to {most} characters" if most else "text"
    elif field.kind == "choice":
        yield f"one of {', '.join(map(str, field.choices))}"
    else:
        yield _LIKE.get(field.kind, "JSON")


def _bounds(field: Field) -> Iterator[str]:
    low, above, high, below = map(field.bound, ("ge", "gt", "le", "lt"))
    least = low if above is None else above + 1
    most = high if below is None else below - 1
    if least is not None and most is not None:
        yield f"from {write(field.shown, least)} to {write(field.shown, most)}"
    elif least is not None:
        yield f"at least {write(field.shown, least)}"
    elif most is not None:
        yield f"at most {write(field.shown, most)}"
    elif field.shown in (PLAIN, COUNT):
        yield "a whole number"


def _sentence(field: Field) -> str:
    text = told(field)
    default = "" if field.default in (None, (), []) else f"  [{visible(write_value(field, field.default), 40)}]"
    return f"{text[:1].upper()}{text[1:]}.{default}"


def members(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an event, as JSON has them. Raises ValueError with a sentence."""
    found: dict[str, Any] = {}
    for place, field in enumerate(model.fields):
        texts = given.get(f"field_{place}")
        if texts is None or (texts == () and not field.required):
            continue
        found[field.member] = _read(field, texts)
    return found


def _read(field: Field, texts: "str | tuple[str, ...]") -> Any:
    pair = pair_of(field)
    if pair is None or isinstance(texts, str):
        assert isinstance(texts, str), "only pairs are given more than once"
        return None if field.optional and not texts and field.kind != "str" else read_value(field, texts)
    return [_read_pair(pair, text) for text in texts]


def _read_pair(pair: tuple[Field, Field], text: str) -> dict[str, Any]:
    """`A:B`, where A may hold colons; a number that is left out is 1."""
    first, second = pair
    name, colon, other = text.rpartition(":")
    if not colon:
        name, other = text, "1" if second.kind == "int" else ""
    read = {first.member: read_value(first, name)}
    if colon or other:
        read[second.member] = read_value(second, other)
    elif second.required:
        shown = visible(text, 24)
        raise ValueError(f"{shown}: {words(second.name)} is missing, write {shown}:…")
    return read
