r"""Regular expressions whose search takes a time that grows with the text, whatever the pattern.

Those of the standard library try one way after the other, and a hostile pattern keeps them at it for ever. Here all
ways are followed at once, as sets of places in the pattern, and what was found out about a set is remembered. So there
are no references back (`\1`) and no looking ahead or behind; all that is told is whether a text has such a part.
"""

from typing import Any, Final

from esdash.query.expressions import MOST_STEPS, Node, PatternError, Reader, needed, size

LONGEST: Final = 4096
"""Characters of a text that are looked at."""

REMEMBERED: Final = 20_000
"""Steps that are remembered."""


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
        node = Reader(pattern, ignoring_case=ignoring_case).read()
        if size(node) > MOST_STEPS:
            raise PatternError(f"A pattern has at most {MOST_STEPS:,} steps, repeated ones counted.", 0)
        self.needed = needed(node)
        """In each text that it finds a part of, as soon as both are folded (`str.casefold`); empty where nothing is."""
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


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
