r"""What people type, turned into values of the declared events, and back. No textual: any front end may use it.

Every function that reads raises ValueError with a sentence for the person who typed. The bounds are those of
`shop.events`, asked of msgspec.

An item id may hold characters that a terminal hides or obeys. They are written `\u{200B}`, so that every id can be
shown, typed and read back without loss; see `write_item`.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from esdash.shop.events import MAX_COUNT, MAX_INT, MAX_ITEM_ID, MAX_MONEY, Count, ItemId, Money, UserId, is_item_id
from esdash.shop.money import format_money, parse_money
from esdash.visible import visible

MIN_RATE: Final = 0.1
MAX_RATE: Final = 100_000
"""Events a second that a steady load may be asked for: the bounds of `engine.load`, which a screen cannot import."""

_Value = TypeVar("_Value", int, str)

_WHOLE: Final = re.compile(r"\d+|\d{1,3}(?:,\d{3})+", re.ASCII)
_DECIMAL: Final = re.compile(r"\d{1,9}(?:[.]\d{1,3})?", re.ASCII)
_GROUPED_MONEY: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:[.]\d{1,2})?", re.ASCII)
_ESCAPE: Final = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}")
_LINE: Final = re.compile(r'(?P<item>"(?P<quoted>[^"]*)"?|[^\s,":]+|(?=:))(?P<colon>:(?P<quantity>[^\s,"]*))?')
"""One line of an order. A quotation that is still open reaches to the end."""
_NEEDS_QUOTES: Final = re.compile(r'[\s,:"]|^$')


def read_user(text: str) -> int:
    """A user id from `7` or `1,234`."""
    return _bounded(_whole(text), UserId, f"a user is a whole number from 0 to {MAX_INT:,}")


def read_count(text: str) -> int:
    """A count or a quantity from `3` or `1,000`."""
    return _bounded(_whole(text), Count, f"a count is a whole number from 0 to {MAX_COUNT:,}")


def read_money(text: str) -> int:
    """Cents from `12`, `12.34` or `1,234.50`."""
    text = text.strip()
    cents = parse_money(text.replace(",", "") if _GROUPED_MONEY.fullmatch(text) else text)
    return _bounded(cents, Money, f"an amount is at most {format_money(MAX_MONEY)}")


def read_item(text: str) -> str:
    r"""An item id as it is typed: outer spaces do not count, `\u{200B}` is the character of that code."""
    item_id = _ESCAPE.sub(_character, text.strip())
    sentence = f"an item id has 1 to {MAX_ITEM_ID} characters and no control characters"
    _bounded(item_id, ItemId, sentence)
    if not is_item_id(item_id):
        raise ValueError(sentence)
    return item_id


def write_item(item_id: str) -> str:
    r"""What to type for an item id: `read_item` gives it back. Hidden characters become `\u{200B}`."""
    written = escape_hidden(_ESCAPE.sub(lambda match: r"\u{5C}" + match[0][1:], item_id))
    if written != written.strip():
        written = re.sub(r"^ +| +$", lambda match: r"\u{20}" * len(match[0]), written)
    return written


def escape_hidden(text: str) -> str:
    r"""The text with every character that has no shape of its own as `\u{200B}`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if visible(char) == char else f"\\u{{{ord(char):X}}}" for char in text)


@dataclass(frozen=True, slots=True)
class TypedLine:
    """One line of an order as it was typed, with where in the text it stands."""

    item_id: str
    """The text before the quantity when that names no item; `problem` says why."""
    quantity: int
    problem: str | None
    """A sentence; None when the line can be ordered."""
    start: int
    item_end: int
    """Where the item's part ends, quotation marks included."""
    end: int


def read_lines(text: str) -> list[TypedLine]:
    """The lines of an order from `hdd:2 cpu` or `hdd:2, "hard disk":1`; without a quantity it is one piece."""
    return [_line(match) for match in _LINE.finditer(text)]


def write_line_item(item_id: str) -> str:
    """What to type for an item in the text of an order; in quotation marks where it would be misread."""
    written = write_item(item_id)
    return '"' + written.replace('"', r"\u{22}") + '"' if _NEEDS_QUOTES.search(written) else written


def _line(match: re.Match[str]) -> TypedLine:
    item = match["item"] if match["quoted"] is None else match["quoted"]
    quantity = match["quantity"]
    shown = visible(item, 24)
    count = 1
    problem: str | None = None
    try:
        item = read_item(item)
        if quantity == "":
            problem = f"how many of {shown}? write {shown}:2"
        elif quantity is not None:
            count = read_count(quantity)
    except ValueError as error:
        problem = f"{visible(match[0], 24)} — {error}"
    return TypedLine(item, count, problem, match.start(), match.end("item"), match.end())


def _whole(text: str) -> int:
    """An integer; -1, which is out of every bound, for what is none."""
    text = text.strip()
    return int(text.replace(",", "")) if len(text) <= 40 and _WHOLE.fullmatch(text) else -1


def _bounded(value: _Value, kind: Any, sentence: str) -> _Value:
    """The value, when it is within the bounds that the declaration of `kind` gives."""
    try:
        msgspec.convert(value, kind)
        return value
    except msgspec.ValidationError:
        raise ValueError(sentence) from None


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 else match[0]


def read_rate(text: str) -> float:
    """Events a second from `100`, `1,000` or `0.5`."""
    text = text.strip()
    written = text.replace(",", "") if _WHOLE.fullmatch(text) else text
    if not _DECIMAL.fullmatch(written) or not MIN_RATE <= float(written) <= MAX_RATE:
        raise ValueError(f"a rate is a number of events a second from {MIN_RATE} to {MAX_RATE:,}")
    return float(written)
