"""What may stand where somebody is typing a question: names, and values where they are few."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from esdash.query.lexing import quoted, written
from esdash.query.schema import FieldOf, Schema
from esdash.query.terms import RESERVED

_PIECE: Final = re.compile(
    r"""-*(?:(?P<name>"(?:[^"\\]|\\.)*"|[^\W\d][\w.\-]*)(?:!=|<=|>=|[:=<>]))?(?P<value>"(?:[^"\\]|\\.)*"?|[^\s()"]*)""",
    re.DOTALL,
)
_PATTERN: Final = re.compile(r"-*/(?:[^/\\]|\\.)*(?P<end>/i?)?", re.DOTALL)
_BETWEEN: Final = re.compile(r"[\s()]*")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")


class Completion(Struct, frozen=True):
    """What may be put in the place of a part of a text."""

    start: int
    end: int
    text: str
    what: str
    """What it is, for people: `type`, `outcome`, `reason`, `field`, `row`, `value`, `term` or `saved`."""


def completions(text: str, cursor: int, schema: Schema) -> list[Completion]:
    """What may stand where the cursor is, the names first; everything that begins as what stands before it does."""
    place = 0
    while True:
        place = _end(_BETWEEN, text, place)
        if (pattern := _PATTERN.match(text, place)) is not None:
            if pattern["end"] is None or cursor < pattern.end():
                return []
            place = pattern.end()
            continue
        piece = _PIECE.match(text, place)
        assert piece is not None, "nothing at all is a piece as well"
        if piece.end() >= cursor or piece.end() == place:
            break
        place = piece.end()
    start, end = piece.span("value")
    if not start <= cursor <= end:
        if place <= cursor < start:
            return []
        start = end = cursor
    typed = _bare(text[start:cursor])
    found = _values(_bare(piece["name"]), schema) if piece["name"] is not None else _names(typed, schema)
    fold = typed.casefold()
    return [Completion(start, end, shown, what) for name, shown, what in found if name.casefold().startswith(fold)]


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return place if found is None else found.end()


def _bare(text: str) -> str:
    """What was typed, without quotation marks, of which the second may still be missing."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return _ESCAPED.sub(r"\1", inner)


Offer = tuple[str, str, str]
"""What it is looked up by, what is put in, what it is."""


def _values(name: str, schema: Schema) -> Iterator[Offer]:
    """The values that may stand behind a name."""
    values = {"type": schema.known_types, "outcome": schema.outcomes, "reason": schema.reasons}.get(name)
    if values is not None:
        yield from ((value, written(value), name) for value in values)
    elif name not in RESERVED and schema.table_of_word(name) is None:
        choices = dict.fromkeys(choice for _, field in schema.fields(name) for choice in _choices(field))
        yield from ((choice, written(choice), "value") for choice in choices)


def _choices(field: FieldOf) -> tuple[str, ...]:
    return () if field.values.kind == "record" else field.values.choices


def _names(typed: str, schema: Schema) -> Iterator[Offer]:
    """What a term may begin with; of values those that begin as what was typed."""
    yield from ((f"@{name}", f"@{name}", "saved") for name in schema.saved)
    for name in RESERVED:
        yield name, f"{name}:", "term"
    words = [table.one for table in schema.tables]
    for word in words:
        yield word, f"{word if _NAME.fullmatch(word) else quoted(word)}:", "row"
    names: dict[str, None] = {}
    for kind in schema.types:
        for field in kind.fields:
            if field.values.kind != "record":
                taken = field.path[-1] in (*RESERVED, *words)
                names[f"{kind.name}.{field.path[-1]}" if taken else field.path[-1]] = None
                if typed and len(field.path) > 1:
                    names[".".join(field.path)] = None
                if "." in typed:
                    names[".".join(field.path)] = None
                    names[".".join((kind.name, *field.path))] = None
    yield from ((name, name, "field") for name in names)
    if typed:
        for what, values in (("type", schema.known_types), ("outcome", schema.outcomes), ("reason", schema.reasons)):
            yield from ((value, f"{what}:{written(value)}", what) for value in values)
