"""What a form asks for an event of some type, in words, and what it makes of the answers. No textual."""

from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from esdash.domain import COUNT, PLAIN, TIME, EventType
from esdash.fold.folding import Fold
from esdash.fold.schema import Field
from esdash.ui.declared import model_of
from esdash.ui.forms.json_text import NUMBER, escape_json, example_of_field
from esdash.visible import visible
from esdash.words.entries import words, write
from esdash.words.typed import pair_of, read_value, write_value

EMPTY_TEXT: Final = '""'
"""What stands for the empty text, where nothing typed means something else."""

_EMPTY_LIST: Final = "[]"


class Question(Struct, frozen=True):
    """One field of an event, as a person is asked for it."""

    name: str
    """Of the model's field."""
    id: str
    """Of its input."""
    label: str
    """`Account`"""
    field: Field
    """Called by its label, so that sentences about it name what is on the screen."""
    hint: str
    """How an answer is written."""
    start: str
    """The answer that stands there before anything is typed: the default."""
    needed: bool
    """Nothing is no answer."""

    def read(self, text: str) -> Any:
        """The member as JSON has it; UNSET where it is left out. Raises ValueError with a sentence."""
        bare = text.strip()
        field = self.field
        if not bare:
            says_none = field.optional and (field.required or field.default is not None)
            return None if says_none else msgspec.UNSET
        if field.kind == "str" and not field.about and bare == EMPTY_TEXT:
            return read_value(field, "")
        if bare == _EMPTY_LIST and pair_of(field) is not None:
            return []
        return read_value(field, text)


def questions_of(fold: Fold, event_type: EventType) -> tuple[Question, ...]:
    """What is to be asked, in the order of the model's fields."""
    fields = model_of(fold, event_type).fields
    return tuple(_question(fold, place, field, fields) for place, field in enumerate(fields))


def word_for(fold: Fold, field: Field, others: tuple[Field, ...] = ()) -> str:
    """What a field is called: the table's word for a row where it names one, and no other field does."""
    alone = sum(each.about == field.about for each in others) < 2
    for table in fold.domain.tables:
        if field.about == table.name and alone:
            return visible(words(table.one), 40)
    return visible(words(field.name), 40)


def write_answer(field: Field, value: Any) -> str:
    """What to type for a value, so that `Question.read` gives it back; harmless to show."""
    if value == "" and field.kind == "str" and not field.about:
        return EMPTY_TEXT
    if is_json(field) and value is not None:
        return escape_json(write_value(field, value))
    return write_value(field, value)


def is_json(field: Field) -> bool:
    return field.kind in ("list", "record") and pair_of(field) is None


def _question(fold: Fold, place: int, field: Field, fields: tuple[Field, ...]) -> Question:
    word = word_for(fold, field, fields)
    # An id holds ASCII only, and Python's names do not.
    id = f"field-{field.name}" if field.name.isascii() else f"field-{place}"
    start = "" if field.required or field.default is None else write_answer(field, field.default)
    return Question(
        field.name,
        id,
        word[:1].upper() + word[1:],
        replace(field, name=word),
        _hint(fold, field),
        start,
        field.required and not field.optional,
    )


def _hint(fold: Fold, field: Field) -> str:
    if field.about:
        lists = f"↓ lists {visible(words(field.about), 40)}"
        return f"a number; {lists}" if field.kind == "int" else f"a name; {lists}"
    if (pair := pair_of(field)) is not None:
        first, second = (word_for(fold, each) for each in pair)
        return f"{first}:{second} {first}:{second} …"
    if field.kind == "int":
        return _number(field)
    if field.kind == "str":
        most = field.bound("max_length")
        return f"{field.bound('min_length') or 0} to {most} characters" if most else "text"
    if field.kind == "choice":
        return visible(" or ".join(map(str, field.choices)), 100)
    return {"bool": "yes or no", "decimal": "12.34", "time": "2026-11-23 14:03:05"}.get(
        field.kind, f"JSON like {visible(example_of_field(field), 100)}"
    )


def _number(field: Field) -> str:
    if field.shown is TIME:
        return "2026-11-23 14:03:05"
    if field.shown not in (PLAIN, COUNT):
        return visible(write(field.shown, NUMBER), 40)
    least, most = field.bound("ge"), field.bound("le")
    return f"{least:,} to {most:,}" if least is not None and most is not None else "a whole number"
