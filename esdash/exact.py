"""JSON whose numbers stay as they are written: a float would round what a decimal number says."""

import json
import math
import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import msgspec


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number is out of range") from None


read: Final = msgspec.json.Decoder(float_hook=_decimal).decode
"""A JSON text as values; raises msgspec.MsgspecError, ValueError, RecursionError."""

write: Final = msgspec.json.Encoder(decimal_format="number").encode
"""Such values as JSON."""


class Written:
    """A number of JSON, as it is written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Raises ValueError for one that programs take for infinite."""
        if math.isinf(float(text)):
            raise ValueError(f"{text[:30]} is too large a number")
        self.text = text


def read_as_written(text: str) -> Any:
    """A JSON text as values, numbers with a point or an exponent as they are written. Raises ValueError,
    RecursionError.
    """
    return json.loads(text, parse_float=Written, parse_constant=_refuse)


def json_line(document: Any) -> str:
    """A document as JSON in ASCII, on one line; numbers in it may be `Written`. Raises RecursionError."""
    numbers: list[str] = []

    def stand_in(number: Written) -> str:
        numbers.append(number.text)
        return f"{_STANDS_IN}{len(numbers) - 1}"

    line = json.dumps(document, default=stand_in)
    return _STANDING_IN.sub(lambda found: numbers[int(found[1])], line) if numbers else line


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_STANDS_IN: Final = secrets.token_hex(16)
"""No text of a stream holds it."""

_STANDING_IN: Final = re.compile(rf'"{_STANDS_IN}(\d+)"')
