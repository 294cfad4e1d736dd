"""A strict, bounded reader of JSON text (RFC 8259) that does not recurse.

msgspec reads nearly every entry of schema v1. This reader serves what msgspec cannot take: an escaped half of a
surrogate pair in an ignored member, a member that is wrong first and right when it is repeated, and values nested
deeper than the caller's stack happens to allow. The parser of the standard library has that last limit too.
"""

import json
import re
from typing import Final

_SPACE: Final = r"[ \t\n\r]*+"
_TOKEN: Final = re.compile(
    _SPACE
    + r'(?:(?P<mark>[\[\]{},:])|(?P<word>true|false|null)'
    + r'|(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    + r"|(?P<integer>-?(?:0|[1-9][0-9]*+))(?P<rest>(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?))"
    + _SPACE
)  # fmt: skip
_WORDS: Final = {"true": True, "false": False, "null": None}

_VALUE, _VALUE_OR_END, _NAME, _NAME_OR_END, _COLON, _COMMA_OR_END = range(6)
"""What may come next."""


class JsonError(ValueError):
    """Not one well-formed value within the bounds."""


def read(text: str, max_depth: int) -> object:
    """The one value in `text`; of members given twice the last one counts.

    Integers of more than 20 digits come back as −1, since Python refuses to read very long ones and no bound of an
    event is that wide; other numbers as 0.5, since an event has none. A lone half of a surrogate pair that was
    escaped stays in its string.

    Raises JsonError for malformed text or more than `max_depth` nested arrays and objects.
    """
    stack: list[list[object] | dict[str, object]] = []
    names: list[str] = []
    """The member that waits for its value, for each open object."""
    expected = _VALUE
    position, end = 0, len(text)
    while True:
        token = _TOKEN.match(text, position)
        if token is None:
            raise JsonError("neither a value nor punctuation")
        position = token.end()
        mark = token["mark"]
        value: object
        if mark == "," and expected == _COMMA_OR_END:
            expected = _NAME if isinstance(stack[-1], dict) else _VALUE
            continue
        if mark == ":" and expected == _COLON:
            expected = _VALUE
            continue
        if expected in (_NAME, _NAME_OR_END) and token["string"]:
            names.append(json.loads(token["string"]))
            expected = _COLON
            continue
        if mark and mark in "[{" and expected in (_VALUE, _VALUE_OR_END):
            if len(stack) == max_depth:
                raise JsonError("nested too deeply")
            stack.append([] if mark == "[" else {})
            expected = _VALUE_OR_END if mark == "[" else _NAME_OR_END
            continue
        if mark and stack and mark == ("}" if isinstance(stack[-1], dict) else "]"):
            if expected not in (_COMMA_OR_END, _VALUE_OR_END, _NAME_OR_END):
                raise JsonError("closed too early")
            value = stack.pop()
        elif not mark and expected in (_VALUE, _VALUE_OR_END):
            value = _scalar(token)
        else:
            raise JsonError("something else should come here")
        if not stack:
            break
        if isinstance(container := stack[-1], dict):
            container[names.pop()] = value
        else:
            container.append(value)
        expected = _COMMA_OR_END
    if position != end:
        raise JsonError("text is left over")
    return value


def _scalar(token: re.Match[str]) -> object:
    if (word := token["word"]) is not None:
        return _WORDS[word]
    if (string := token["string"]) is not None:
        return json.loads(string)
    if token["rest"]:
        return 0.5
    digits: str = token["integer"]
    return int(digits) if len(digits) <= 20 else -1
