r"""Regular expressions whose search takes a time that grows with the text, whatever the pattern.

Those of the standard library try one way after the other, and a hostile pattern keeps them at it for ever. Here all
ways are followed at once, as sets of places in the pattern, and what was found out about a set is remembered. So there
are no references back (`\1`) and no looking ahead or behind; all that is told is whether a text has such a part.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

LONGEST: Final = 4096
"""Characters of a text that are looked at."""

MOST_STEPS: Final = 1000
"""Places that a pattern may have; `x{100}` has a hundred."""

REMEMBERED: Final = 20_000
"""Steps that are remembered."""

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


class _Reader:
    """Reads a pattern into nodes."""

    def __init__(self, pattern: str, *, ignoring_case: bool) -> None:
        self.pattern = pattern
        self.place = 0
        self._forms: Callable[[str], Iterable[str]] = _either_case if ignoring_case else tuple

    def read(self) -> Node:
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
        return ("char", self._only(char))

    def _only(self, wanted: str) -> Callable[[str], bool]:
        forms = frozenset(self._forms(wanted))
        return forms.__contains__

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
        return ("char", self._only(meant) if isinstance(meant, str) else meant)

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
        if _size(node) > MOST_STEPS:
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


def _size(node: Node) -> int:
    """Steps that a part takes, or more than there may be."""
    if node[0] in ("all", "either"):
        return 1 + sum(map(_size, node[1])) + len(node[1])
    if node[0] == "repeat":
        _, part, low, high = node
        most: int = max(1, low + 1 if high is None else high)
        return 1 + (_size(part) + 1) * most
    return 1


_Place = tuple[frozenset[int], str]
"""Places in a pattern, and of what kind the character before them was: `w` of a word, empty at the beginning."""


class _State:
    """What a text that was read so far may go on with."""

    __slots__ = ("after", "place")

    def __init__(self, place: _Place) -> None:
        self.place = place
        self.after: dict[str, _State] = {}
        """By the next character, empty for the end; as far as it was found out."""


_FOUND: Final = _State((frozenset(), ""))


class Pattern:
    """A regular expression that was read."""

    def __init__(self, pattern: str, *, ignoring_case: bool = False) -> None:
        """Raises PatternError."""
        self._steps: list[Any] = []
        """Each a place in the pattern: what is wanted there, and the places that may follow."""
        node = _Reader(pattern, ignoring_case=ignoring_case).read()
        if _size(node) > MOST_STEPS:
            raise PatternError(f"A pattern has at most {MOST_STEPS:,} steps, repeated ones counted.", 0)
        self._end = self._add("match")
        self._start = self._build(node, self._end)
        self._states: dict[_Place, _State] = {}
        self._remembered = 0

    def search(self, text: str) -> bool:
        """Whether a part of the text, of its first LONGEST characters, is what is looked for."""
        state = self._state((frozenset(), ""))
        for char in (*text[:LONGEST], ""):
            following = state.after.get(char)
            if following is None:
                following = state.after[char] = self._after(state.place, char)
            if following is _FOUND:
                return True
            state = following
        return False

    def _state(self, place: "_Place") -> "_State":
        state = self._states.get(place)
        if state is None:
            state = self._states[place] = _State(place)
        return state

    def _after(self, place: "_Place", char: str) -> "_State":
        self._remembered += 1
        if self._remembered > REMEMBERED:
            self._remembered = 0
            self._states.clear()
        places = self._step(*place, char)
        if places is None:
            return _FOUND
        return self._state((places, "w" if char and _is_word(char) else " "))

    def _step(self, places: frozenset[int], before: str, char: str) -> "frozenset[int] | None":
        reached: set[int] = set()
        waiting = [self._start, *places]
        behind: set[int] = set()
        while waiting:
            place = waiting.pop()
            if place in reached:
                continue
            reached.add(place)
            kind, wanted, following = self._steps[place]
            if kind == "match":
                return None
            if kind == "char":
                if char and wanted(char):
                    behind.update(following)
            elif (
                kind == "split"
                or (kind == "begin" and not before)
                or (kind == "end" and not char)
                or (kind == "edge" and ((before == "w") != _is_word(char)) is wanted)
            ):
                waiting += following
        return frozenset(behind)

    def _add(self, kind: str, wanted: Any = None, following: tuple[int, ...] = ()) -> int:
        self._steps.append((kind, wanted, following))
        return len(self._steps) - 1

    def _build(self, node: Node, after: int) -> int:
        """Add a part that goes on with the step `after`; the step that it begins with."""
        kind = node[0]
        if kind == "all":
            for part in reversed(node[1]):
                after = self._build(part, after)
            return after
        if kind == "either":
            return self._add("split", None, tuple(self._build(part, after) for part in node[1]))
        if kind == "repeat":
            _, part, low, high = node
            return self._repeat(part, low, high, after)
        return self._add(kind, node[1] if len(node) > 1 else None, (after,))

    def _repeat(self, part: Node, low: int, high: int | None, after: int) -> int:
        if high is None:
            loop = self._add("split")
            first = self._build(part, loop)
            self._steps[loop] = ("split", None, (first, after))
            after = loop
        else:
            for _ in range(high - low):
                after = self._add("split", None, (self._build(part, after), after))
        for _ in range(low):
            after = self._build(part, after)
        return after


def _either_case(char: str) -> tuple[str, ...]:
    return char, char.lower(), char.upper()


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
