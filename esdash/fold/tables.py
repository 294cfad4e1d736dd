"""The tables of a state, and how the functions of a domain read and write them.

A column is a plain dict, key → value, since a fold touches it once or twice an entry. The functions of a domain see it
through hooks that check what is written and note what was there before: so a refusal leaves no trace, and every change
is known.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any, Final, NamedTuple

from esdash.domain import Table

MAX_INT: Final = 2**63 - 1
MIN_INT: Final = -(2**63)
MAX_TEXT: Final = 4 * 1024
"""Bytes of a text in a cell."""
MAX_NAME: Final = 256
"""Characters of a text that is a key."""

KEY_WINDOW: Final = 100_000
"""How many distinct idempotency keys are remembered, oldest out first."""

Cells = dict[Any, Any]
"""A column: key → value."""

_CONTROLS: Final = {*range(32), *range(127, 160)}


class OverflowedError(BaseException):
    """What was to be written is beyond the bounds of a state. No function of a domain should catch it."""


class UnfitError(Exception):
    """A function of a domain wrote what is no value of the column, or left a row without its first column."""


class Change(NamedTuple):
    """One number before and after an entry; None where there was none."""

    table: str
    key: int | str
    column: str
    before: Any
    after: Any


def is_name(text: str) -> bool:
    """Whether a text can be a key: 1 to 256 characters, none of them a control character."""
    return 0 < len(text) <= MAX_NAME and (text.isprintable() or _CONTROLS.isdisjoint(map(ord, text)))


def is_text(text: str) -> bool:
    """Whether a str is text: one with a lone surrogate is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Overlay(Cells):
    """What changed since a fork, over what it shares with it."""

    __slots__ = ("_gone", "_under")

    def __init__(self, under: Cells) -> None:
        super().__init__()
        self._under = under
        self._gone: set[Any] = set()
        """Keys of what is shared that were deleted."""

    def __missing__(self, key: Any) -> Any:
        if key in self._gone:
            raise KeyError(key)
        return self._under[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (key not in self._gone and key in self._under)

    def get(self, key: Any, default: Any = None, /) -> Any:
        value = super().get(key)
        if value is None and key not in self._gone:
            return self._under.get(key, default)
        return default if value is None else value

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._gone.discard(key)

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        super().pop(key, None)
        if key in self._under:
            self._gone.add(key)

    def pop(self, key: Any, *default: Any) -> Any:
        if key not in self and default:
            return default[0]
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key: Any, default: Any = None, /) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def __len__(self) -> int:
        under = self._under
        return len(under) - len(self._gone) + sum(key not in under for key in super().__iter__())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.whole())

    def keys(self) -> Any:
        return self.whole().keys()

    def values(self) -> Any:
        return self.whole().values()

    def items(self) -> Any:
        return self.whole().items()

    def whole(self) -> Cells:
        """Both together, copied."""
        under = self._under
        both = under.whole() if isinstance(under, Overlay) else under.copy()
        both.update(zip(super().keys(), super().values(), strict=True))
        for key in self._gone:
            del both[key]
        return both

    def settle(self) -> Cells:
        """Write what changed into what is shared, which is whole again then."""
        under = self._under
        if isinstance(under, Overlay):  # whose own notes are kept by what writes to it
            for key, value in super().items():
                under[key] = value
        else:
            under.update(zip(super().keys(), super().values(), strict=True))
        for key in self._gone:
            del under[key]
        return under


class State:
    """Tables, counted outcomes, the window of idempotency keys. Only a `Fold` changes it."""

    __slots__ = ("cells", "counts", "key_order", "keys", "seen")

    def __init__(self, columns: int, outcomes: int) -> None:
        self.cells: list[Cells] = [{} for _ in range(columns)]
        """The columns of all tables, in the order of the declaration."""
        self.counts = [0] * outcomes
        """Entries by outcome code."""
        self.keys: set[bytes] = set()
        self.key_order: deque[bytes] = deque()
        """The keys in the order of their arrival; a deque, for a dict is slow to drop its oldest."""
        self.seen: dict[bool, Seen] = {}
        """How functions of the domain see it, hooked or bare; made when first wanted."""

    def fork(self) -> "State":
        """The state as it is now; from here on this one notes what changes beside it."""
        other = State(0, 0)
        other.cells, self.cells = self.cells, [Overlay(cells) for cells in self.cells]
        other.counts, other.keys, other.key_order = self.counts.copy(), self.keys.copy(), self.key_order.copy()
        self.seen = {}
        return other

    def join(self) -> None:
        """Take back what is shared with a fork that nobody reads any more."""
        self.cells = [cells.settle() if isinstance(cells, Overlay) else cells for cells in self.cells]
        self.seen = {}

    def over(self, *, keys: bool = True) -> "State":
        """A state of its own over this one, which it leaves as it is: for trying something.

        Without its own window of `keys`, which is what costs, only for what remembers none.
        """
        other = State(0, 0)
        other.cells = [Overlay(cells) for cells in self.cells]
        other.counts = self.counts.copy()
        other.keys, other.key_order = (self.keys.copy(), self.key_order.copy()) if keys else (self.keys, self.key_order)
        return other


class _Entry:
    """The entry that is being folded."""

    __slots__ = ("_id", "_key")

    def __init__(self) -> None:
        self._id: bytes | None = None
        self._key: bytes | None = None

    @property
    def id(self) -> str:
        """Its id in the log."""
        assert self._id is not None, "the fold is told the ids where a domain wants them"
        return self._id.decode()

    @property
    def time(self) -> int:
        """The id's Unix milliseconds."""
        return int(self.id.partition("-")[0])

    @property
    def key(self) -> str | None:
        """Its idempotency key; what is no UTF-8 in it is escaped."""
        return None if self._key is None else self._key.decode("utf-8", "backslashreplace")


class Seen:
    """A state as a function of the domain sees it: `state.<table>.<column>[key]`, `state.<table>.remove(key)`."""

    def __init__(self, state: State, tables: Sequence[Table], *, hooked: bool) -> None:
        self.entry = _Entry()
        self.journal: list[tuple[int, Any, Any]] = []
        """What was written since it was cleared: column, key, what was there before (None: nothing)."""
        self.overflowed: list[str] = []
        """Columns in which something was to be written that is beyond the bounds, since it was cleared."""
        self._cells = state.cells
        self._first: list[int] = []
        """The first column of each column's table."""
        self._names: list[tuple[str, str]] = []
        parts: dict[str, Any] = {"entry": self.entry}
        for table in tables:
            start = len(self._first)
            places = range(start, start + len(table.columns))
            self._first += [start] * len(places)
            self._names += [(table.name, column.name) for column in table.columns]
            columns = {
                column.name: self._hooked(place, table, column.kind, places) if hooked else self._cells[place]
                for place, column in zip(places, table.columns, strict=True)
            }
            parts[table.name] = _frozen({**columns, "remove": self._remover(places, hooked=hooked)})
        self.state = _frozen(parts)
        self._lonely = all(len(table.columns) == 1 for table in tables)

    def undo(self) -> None:
        """Make undone what was written since the journal was cleared."""
        for place, key, before in reversed(self.journal):
            if before is None:
                self._cells[place].pop(key, None)
            else:
                self._cells[place][key] = before
        self.journal.clear()
        self.overflowed.clear()

    def require_rows(self) -> None:
        """Raises UnfitError where another column was written and the row has no cell in the first."""
        if self._lonely:
            return
        cells, first = self._cells, self._first
        for place, key, _ in self.journal:
            if key not in cells[first[place]] and key in cells[place]:
                table, column = self._names[place]
                raise UnfitError(
                    f"{table}.{column}[{key!r}] was left without its row: there is no "
                    f"{table}.{self._names[first[place]][1]}[{key!r}]"
                )

    def changes(self) -> tuple[Change, ...]:
        """What was changed since the journal was cleared, in the order of the first write."""
        before: dict[tuple[int, Any], Any] = {}
        for place, key, value in self.journal:
            before.setdefault((place, key), value)
        found = ((place, key, value, self._cells[place].get(key)) for (place, key), value in before.items())
        return tuple(
            Change(self._names[place][0], key, self._names[place][1], value, after)
            for place, key, value, after in found
            if value != after or type(value) is not type(after)
        )

    def _remover(self, places: Sequence[int], *, hooked: bool) -> Callable[[Any], None]:
        cells, note = self._cells, self.journal.append

        def remove(key: Any) -> None:
            if key not in cells[places[0]]:
                raise KeyError(key)
            for place in places:
                value = cells[place].pop(key, None)
                if value is not None and hooked:
                    note((place, key, value))

        return remove

    def _hooked(self, place: int, table: Table, kind: Any, places: Sequence[int]) -> Any:
        """A column that checks and notes every write; what only reads goes to the dict itself."""
        cells = self._cells[place]
        name = f"{table.name}.{self._names[place][1]}"
        get, put, note = cells.get, cells.__setitem__, self.journal.append
        key_kind: Any = table.key
        overflowed = self.overflowed
        remove = self._remover(places, hooked=True)

        def beyond(what: str) -> OverflowedError:
            overflowed.append(what)
            return OverflowedError(what)

        def set_item(_: Any, key: Any, value: Any) -> None:
            if value.__class__ is not kind:
                raise UnfitError(f"{name} holds {kind.__name__}, and {value!r:.60} is none")
            if kind is int:
                if not MIN_INT <= value <= MAX_INT:
                    raise beyond(name)
            elif kind is str and (len(value) > MAX_TEXT // 4 or not value.isascii()):
                if not is_text(value):
                    raise UnfitError(f"{name} holds text, and {value!r:.60} is none")
                if len(value.encode()) > MAX_TEXT:
                    raise beyond(name)
            before = get(key)
            if key.__class__ is not key_kind:
                raise UnfitError(f"the keys of {table.name} are {key_kind.__name__}, and {key!r:.60} is none")
            if before is None and not (MIN_INT <= key <= MAX_INT if key_kind is int else is_name(key) and is_text(key)):
                raise beyond(name)
            note((place, key, before))
            put(key, value)

        def del_item(_: Any, key: Any) -> None:
            if place == places[0]:
                remove(key)
            else:
                before = cells[key]
                del cells[key]
                note((place, key, before))

        def pop(key: Any, *default: Any) -> Any:
            if key not in cells and default:
                return default[0]
            value = cells[key]
            del_item(None, key)
            return value

        def setdefault(key: Any, default: Any = None) -> Any:
            if key not in cells:
                set_item(None, key, default)
            return cells[key]

        members = {
            "__slots__": (),
            # Looked up on the class and bound to the dict already: they cost no call of ours.
            "__getitem__": cells.__getitem__,
            "__contains__": cells.__contains__,
            "__len__": cells.__len__,
            "get": get,
            "__setitem__": set_item,
            "__delitem__": del_item,
            "pop": staticmethod(pop),
            "setdefault": staticmethod(setdefault),
            "__iter__": lambda _: iter(sorted(cells)),
            "__reversed__": lambda _: iter(sorted(cells, reverse=True)),
            "__repr__": lambda _: f"<{name}, {len(cells):,} cells>",
        }
        return type("Column", (), members)()


def _frozen(parts: dict[str, Any]) -> Any:
    """An object with these attributes, and no others ever."""
    methods = {name: staticmethod(part) if isinstance(part, FunctionType) else part for name, part in parts.items()}
    return type("State", (), {"__slots__": (), **methods})()
