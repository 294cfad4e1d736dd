"""Reads regular expressions into nodes: what a pattern may be made of."""

from collections.abc import Callable, Iterable
from typing import Any, Final

MOST_STEPS: Final = 1000
"""Places that a pattern may have; `x{100}` has a hundred."""

DEEPEST: Final = 50
"""Groups within one another."""

Node = tuple[Any, ...]
"""A part of a pattern: what it is, then what belongs to it."""

_CLASSES: Final[dict[str, Callable[[str], bool]]] = {
    "d": str.isdecimal,
    "s": str.isspace,
    "w": lambda char: char.isalnum() or char == "_",
}
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_REPEATED: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class PatternError(ValueError):
    """What is no regular expression here, as a sentence; `place` is where in it."""

    def __init__(self, sentence: str, place: int) -> None:
        super().__init__(sentence)
        self.place = place


class Reader:
    """Reads a pattern into nodes."""

    def __init__(self, pattern: str, *, ignoring_case: bool) -> None:
        self.pattern = pattern
        self.place = 0
        self._forms: Callable[[str], Iterable[str]] = _either_case if ignoring_case else tuple

    def read(self) -> Node:
        """The whole pattern. Raises PatternError."""
        node = self._either(0)
        if self.place < len(self.pattern):
            raise PatternError("There is no ( to this ).", self.place)
        return node

    @property
    def _next(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def _take(self) -> str:
        char = self._next
        self.place += 1
        return char

    def _either(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise PatternError(f"Groups are nested more than {DEEPEST} deep.", self.place)
        ways = [self._sequence(depth)]
        while self._next == "|":
            self.place += 1
            ways.append(self._sequence(depth))
        return ways[0] if len(ways) == 1 else ("either", ways)

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self._next not in ("", "|", ")"):
            start = self.place
            part = self._repeated(self._one(depth), start)
            parts.append(part)
        return ("all", parts)

    def _one(self, depth: int) -> Node:
        start, char = self.place, self._take()
        if char == "(":
            return self._group(depth, start)
        if char == "[":
            return ("char", self._set(start))
        if char == "\\":
            return self._escaped(start)
        if char == ".":
            return ("char", lambda other: other != "\n")
        if char == "^":
            return ("begin",)
        if char == "$":
            return ("end",)
        if char in "*+?":
            raise PatternError(f"There is nothing to repeat before {char}.", start)
        return self._only(char)

    def _only(self, wanted: str) -> Node:
        forms = frozenset(self._forms(wanted))
        alike = len(set(map(str.casefold, forms))) == 1
        return ("char", forms.__contains__, wanted) if alike else ("char", forms.__contains__)

    def _group(self, depth: int, start: int) -> Node:
        if self._next == "?":
            rest = self.pattern[self.place :]
            if rest.startswith("?:"):
                self.place += 2
            elif rest.startswith("?P<") and ">" in rest:
                self.place += rest.index(">") + 1
            else:
                raise PatternError("Groups of this kind are not understood here.", start)
        node = self._either(depth + 1)
        if self._take() != ")":
            raise PatternError("Expected a ) to this (.", start)
        return node

    def _escaped(self, start: int) -> Node:
        char = self._take()
        if char in ("b", "B"):
            return ("edge", char == "b")
        if char in ("A", "Z"):
            return ("begin",) if char == "A" else ("end",)
        meant = self._meant(char, start)
        return self._only(meant) if isinstance(meant, str) else ("char", meant)

    def _meant(self, char: str, start: int) -> Any:
        """What a character behind a backslash means: a character, or what tells whether one is meant."""
        if not char:
            raise PatternError("Expected a character behind the backslash.", start)
        if char.lower() in _CLASSES:
            test = _CLASSES[char.lower()]
            return test if char.islower() else lambda other: not test(other)
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char.isalnum():
            raise PatternError(f"\\{char} is not understood here.", start)
        return char

    def _set(self, start: int) -> Callable[[str], bool]:
        negated = self._next == "^"
        self.place += negated
        singles: set[str] = set()
        spans: list[tuple[str, str]] = []
        tests: list[Callable[[str], bool]] = []
        first = True
        while first or self._next != "]":
            if not self._next:
                raise PatternError("Expected a ] to this [.", start)
            first = False
            low = self._member()
            if not isinstance(low, str):
                tests.append(low)
            elif self._next == "-" and self.pattern[self.place + 1 : self.place + 2] not in ("]", ""):
                place = self.place
                self.place += 1
                high = self._member()
                if not isinstance(high, str) or high < low:
                    raise PatternError("A range goes from one character to a greater one.", place)
                spans.append((low, high))
            else:
                singles.add(low)
        self.place += 1

        forms = self._forms

        def is_in(char: str) -> bool:
            return (
                char in singles or any(low <= char <= high for low, high in spans) or any(test(char) for test in tests)
            )

        return lambda char: any(map(is_in, forms(char))) is not negated

    def _member(self) -> Any:
        start, char = self.place, self._take()
        return self._meant(self._take(), start) if char == "\\" else char

    def _repeated(self, node: Node, start: int) -> Node:
        if (bounds := self._bounds()) is None:
            return node
        if self._next and self._next in "?+":  # as few, or as many, as possible: the same for whether there is one
            self.place += 1
        node = ("repeat", node, *bounds)
        if size(node) > MOST_STEPS:
            raise PatternError("This repeats too much.", start)
        return node

    def _bounds(self) -> "tuple[int, int | None] | None":
        if self._next in _REPEATED:
            return _REPEATED[self._take()]
        if self._next != "{":
            return None
        end = self.pattern.find("}", self.place)
        low, comma, high = self.pattern[self.place + 1 : end if end > 0 else None].partition(",")
        numbers = [low or "0", high or "0"]
        if (
            end < 0
            or not all(each.isascii() and each.isdigit() and len(each) < 5 for each in numbers)
            or low + high == ""
        ):
            return None  # a brace like any other character
        self.place = end + 1
        if not comma:
            return int(low), int(low)
        if high and int(high) < int(low or 0):
            raise PatternError("The greatest number comes second.", self.place - 1)
        return int(low or 0), int(high) if high else None


def size(node: Node) -> int:
    """Steps that a part takes, or more than there may be."""
    if node[0] in ("all", "either"):
        return 1 + sum(map(size, node[1])) + len(node[1])
    if node[0] == "repeat":
        _, part, low, high = node
        most: int = max(1, low + 1 if high is None else high)
        return 1 + (size(part) + 1) * most
    return 1


def needed(node: Node) -> str:
    """The longest text that is in whatever a part finds, as it is folded (`str.casefold`); empty where none is."""
    runs = [""]
    waiting = [node]
    while waiting:
        kind, *about = waiting.pop()
        if kind == "all":
            waiting += reversed(about[0])
        elif kind == "char" and len(about) > 1:
            runs[-1] += about[1].casefold()
        elif kind not in ("begin", "end", "edge"):
            runs.append("")
    return max(runs, key=len)


def _either_case(char: str) -> tuple[str, ...]:
    return char, char.lower(), char.upper()
