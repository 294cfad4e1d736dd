"""The terms of a question. Each knows where in the text it stands; `str` gives what to type for it."""

import re
from typing import Any, Final

from msgspec import Struct

from esdash.query.lexing import WORDS, quoted, written
from esdash.query.places import Place
from esdash.query.trees import Term

RESERVED: Final = ("type", "outcome", "reason", "key", "id", "since", "until")
"""Names that mean something about an entry, whatever fields its event has."""

_PLAIN: Final = re.compile(r"\w+")
_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) else quoted(name)


class OfType(Term, frozen=True):
    """Entries of one type, as the log names it."""

    name: str

    def __str__(self) -> str:
        return f"type:{written(self.name)}"


class OfOutcome(Term, frozen=True):
    """Entries with one outcome: applied, rejected, parked, duplicate."""

    name: str

    def __str__(self) -> str:
        return f"outcome:{written(self.name)}"


class OfReason(Term, frozen=True):
    """Entries that were rejected or parked for one reason."""

    name: str

    def __str__(self) -> str:
        return f"reason:{written(self.name)}"


class OfKey(Term, frozen=True):
    """Entries with one idempotency key."""

    key: str

    def __str__(self) -> str:
        return f"key:{written(self.key)}"


class OfId(Term, frozen=True):
    """The entry with one id, or those of one millisecond."""

    value: str
    """As it was typed."""
    milliseconds: int
    sequence: int | None

    def __str__(self) -> str:
        return f"id:{written(self.value)}"


class Since(Term, frozen=True):
    """Entries from a place on."""

    value: str
    """As it was typed."""
    place: Place

    def __str__(self) -> str:
        return f"since:{written(self.value)}"


class Until(Term, frozen=True):
    """Entries up to and with a place."""

    value: str
    """As it was typed."""
    place: Place

    def __str__(self) -> str:
        return f"until:{written(self.value)}"


class AboutRow(Term, frozen=True):
    """Entries about one row: their event names it, or they changed it."""

    word: str
    """As it was typed."""
    table: str
    key: int | str

    def __str__(self) -> str:
        return f"{_name(self.word)}:{written(str(self.key))}"


class Meant(Struct, frozen=True):
    """A field of one type of event, and what it is compared with."""

    model: type
    path: tuple[str, ...]
    """The attributes from the event down; lists between them are entered."""
    low: Any
    """The least value that is meant; `high` the greatest. They differ where a time names a stretch."""
    high: Any


class Compared(Term, frozen=True):
    """Entries whose event has such a value; of a list one element is enough."""

    name: str
    operator: str
    """One of `:`, `=`, which is the same, `!=`, `<`, `<=`, `>`, `>=`."""
    value: str
    """As it was typed."""
    meant: tuple[Meant, ...]
    """The fields of that name."""

    def __str__(self) -> str:
        return f"{_name(self.name)}{self.operator}{written(self.value)}"


class Says(Term, frozen=True):
    """Entries whose line has a text in it, in capitals or not."""

    text: str

    def __str__(self) -> str:
        plain = _PLAIN.fullmatch(self.text) and self.text.casefold() not in WORDS
        return self.text if plain else quoted(self.text)


class Matches(Term, frozen=True):
    """Entries whose line has a part that is as a regular expression says."""

    pattern: str
    ignoring_case: bool

    def __str__(self) -> str:
        escaped = re.sub(r"(\\.)|/", lambda found: found[1] or r"\/", self.pattern, flags=re.DOTALL)
        return f"/{escaped}/{'i' if self.ignoring_case else ''}"
