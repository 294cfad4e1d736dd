"""How the functions of a domain read and write a state.

They see it through hooks that check what is written and note what was there before: so a refusal leaves no trace, and
every change is known. The functions of a domain that is fast see the dicts themselves, or, where what they change is
recorded, through hooks that only note.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import Enum, auto
from types import FunctionType
from typing import Any

from esdash.domain import Table
from esdash.fold.cells import MAX_INT, MAX_TEXT, MIN_INT, Change, is_name, is_text
from esdash.fold.overlay import Cells


class OverflowedError(BaseException):
    """What was to be written is beyond the bounds of a state. No function of a domain should catch it."""


class UnfitError(Exception):
    """A function of a domain wrote what is no value of the column, or left a row without its first column."""


class Way(Enum):
    """How functions of a domain see a state."""

    BARE = auto()
    """The dicts themselves."""
    NOTED = auto()
    """What was there before is noted with every write."""
    CHECKED = auto()
    """Every write is checked, and noted."""


class Writes:
    """What was written, by column, and there in the order of the writes."""

    __slots__ = ("afters", "befores", "entries", "keys")

    def __init__(self, columns: int) -> None:
        self.entries: list[list[int]] = [[] for _ in range(columns)]
        """Of each column, the entries that wrote: as many were recorded before each."""
        self.keys: list[list[Any]] = [[] for _ in range(columns)]
        """Of each column, the keys of its writes."""
        self.befores: list[list[Any]] = [[] for _ in range(columns)]
        """Of each column, what was there before (None: nothing)."""
        self.afters: list[list[Any]] = [[] for _ in range(columns)]
        """Of each column, what is there after the write, or after all writes of its entry (None: nothing)."""

    def add(self, place: int, entry: int, key: Any, before: Any, after: Any) -> None:
        """One more, in the column at a place."""
        self.entries[place].append(entry)
        self.keys[place].append(key)
        self.befores[place].append(before)
        self.afters[place].append(after)

    def move(self, other: "Writes", end: int) -> None:
        """Move what entries before one wrote to the end of others."""
        for place, entries in enumerate(self.entries):
            some = slice(bisect_left(entries, end))
            for ours, theirs in zip(self._lists(place), other._lists(place), strict=True):
                theirs += ours[some]
                del ours[some]

    def undo(self, cells: "Sequence[Cells]") -> None:
        """Make it undone in the columns, and forget it."""
        for place, each in enumerate(cells):
            for key, before in zip(reversed(self.keys[place]), reversed(self.befores[place]), strict=True):
                restore(each, key, before)
            for some in self._lists(place):
                some.clear()

    def _lists(self, place: int) -> tuple[list[Any], ...]:
        return self.entries[place], self.keys[place], self.befores[place], self.afters[place]


def restore(cells: Cells, key: Any, before: Any) -> None:
    """Make a write undone."""
    if before is None:
        cells.pop(key, None)
    else:
        cells[key] = before


class _Entry:
    """The entry that is being folded."""

    __slots__ = ("_id", "_key")

    def __init__(self) -> None:
        self._id: bytes | None = None
        self._key: bytes | None = None

    @property
    def id(self) -> str:
        """Its id in the log."""
        if self._id is None:
            raise UnfitError("state.entry is that of a rule, and here is none: an invariant is about the state alone")
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

    def __init__(self, cells: list[Cells], tables: Sequence[Table], way: Way) -> None:
        self.entry = _Entry()
        self.journal: list[tuple[int, Any, Any]] = []
        """What was written since it was cleared: column, key, what was there before (None: nothing)."""
        self.writes = Writes(len(cells))
        """What was written since it was emptied, where writes are noted and not checked."""
        self.done: list[Any] = []
        """As long as entries were recorded before the one that is being folded, where writes are noted."""
        self.raised: list[OverflowedError | UnfitError] = []
        """What was raised for what was to be written, since it was cleared: a function may catch it, and go on."""
        self._cells = cells
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
                column.name: self._cells[place]
                if way is Way.BARE
                else self._hooked(place, table, column.kind, places, checked=way is Way.CHECKED)
                for place, column in zip(places, table.columns, strict=True)
            }
            parts[table.name] = _frozen({**columns, "remove": self._remover(places, way)})
        self.state = _frozen(parts)
        self._lonely = all(len(table.columns) == 1 for table in tables)

    def undo(self) -> None:
        """Make undone what was written since journal and writes were emptied."""
        self.writes.undo(self._cells)
        for place, key, before in reversed(self.journal):
            restore(self._cells[place], key, before)
        self.journal.clear()
        self.raised.clear()

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
        changes: list[Change] = []
        for (place, key), value in before.items():
            after = self._cells[place].get(key)
            if value != after or type(value) is not type(after):
                table, column = self._names[place]
                changes.append(Change(table, key, column, value, after))
        return tuple(changes)

    def _remover(self, places: Sequence[int], way: Way) -> Callable[[Any], None]:
        cells, note, add, done = self._cells, self.journal.append, self.writes.add, self.done

        def remove(key: Any) -> None:
            if key not in cells[places[0]]:
                raise KeyError(key)
            for place in places:
                value = cells[place].pop(key, None)
                if value is None or way is Way.BARE:
                    continue
                if way is Way.CHECKED:
                    note((place, key, value))
                else:
                    add(place, len(done), key, value, None)

        return remove

    def _hooked(self, place: int, table: Table, kind: Any, places: Sequence[int], *, checked: bool) -> Any:
        """A column that notes every write, and perhaps checks it; what only reads goes to the dict itself."""
        cells = self._cells[place]
        name = f"{table.name}.{self._names[place][1]}"
        get, put, note = cells.get, cells.__setitem__, self.journal.append
        writes, done = self.writes, self.done
        entries, keys, befores, afters = writes._lists(place)
        key_kind: Any = table.key
        raised = self.raised
        remove = self._remover(places, Way.CHECKED if checked else Way.NOTED)

        def beyond(what: str) -> OverflowedError:
            raised.append(OverflowedError(what))
            return raised[-1]  # type: ignore[return-value]

        def unfit(what: str) -> UnfitError:
            raised.append(UnfitError(what))
            return raised[-1]  # type: ignore[return-value]

        def set_item(_: Any, key: Any, value: Any) -> None:
            if value.__class__ is not kind:
                raise unfit(f"{name} holds {kind.__name__}, and {value!r:.60} is none")
            if kind is int:
                if not MIN_INT <= value <= MAX_INT:
                    raise beyond(name)
            elif kind is str and (len(value) > MAX_TEXT // 4 or not value.isascii()):
                if not is_text(value):
                    raise unfit(f"{name} holds text, and {value!r:.60} is none")
                if len(value.encode()) > MAX_TEXT:
                    raise beyond(name)
            before = get(key)
            if key.__class__ is not key_kind:
                raise unfit(f"the keys of {table.name} are {key_kind.__name__}, and {key!r:.60} is none")
            if before is None and not (MIN_INT <= key <= MAX_INT if key_kind is int else is_name(key) and is_text(key)):
                raise beyond(name)
            note((place, key, before))
            put(key, value)

        def set_item_noted(_: Any, key: Any, value: Any) -> None:
            entries.append(len(done))
            keys.append(key)
            befores.append(get(key))
            afters.append(value)
            cells[key] = value

        def del_item(_: Any, key: Any) -> None:
            if place == places[0]:
                remove(key)
            else:
                before = cells[key]
                del cells[key]
                if checked:
                    note((place, key, before))
                else:
                    writes.add(place, len(done), key, before, None)

        def pop(key: Any, *default: Any) -> Any:
            if key not in cells and default:
                return default[0]
            value = cells[key]
            del_item(None, key)
            return value

        def setdefault(key: Any, default: Any = None) -> Any:
            if key not in cells:
                put_item(None, key, default)
            return cells[key]

        put_item = set_item if checked else set_item_noted
        members = {
            "__slots__": (),
            # Looked up on the class and bound to the dict already: they cost no call of ours.
            "__getitem__": cells.__getitem__,
            "__contains__": cells.__contains__,
            "__len__": cells.__len__,
            "get": get,
            "__setitem__": put_item,
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
