"""Which streams there are, on a server or on all nodes of a cluster."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from esdash.counted import counted
from esdash.engine.operations.streams import StreamSummary, summary_of
from esdash.log.errors import ElsewhereError, ForbiddenError, LogError, WrongTypeError
from esdash.log.servers.cluster import SLOTS
from esdash.log.servers.nodes import Node, nodes_of
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.log.survey import find_streams
from esdash.visible import visible

MOST_KEYS: Final = 1_000_000
"""Keys of each node that are looked at, unless told otherwise."""

NAMED: Final = 3
"""Streams that a sentence names."""


class Survey(Struct, frozen=True):
    """What there is."""

    streams: Sequence[StreamSummary]
    """By node, then by name; or as they are listed."""
    told: Sequence[str]
    """What is left out, and why: sentences."""
    whole: bool
    """Whether nothing is."""
    lost: bool
    """Whether a node of the cluster could not be asked."""


def survey(
    server: Server,
    clock: Callable[[], float],
    *,
    listed: Sequence[str] = (),
    pattern: str = "*",
    most: int = MOST_KEYS,
) -> Survey:
    """The streams that are `listed`; without a list those that match a pattern, among so many keys of each node.

    `clock` gives Unix seconds. Raises LogError where there is one server and it fails, or no node of several answers.
    """
    looking = _Looking(clock, listed, pattern, most)
    for node in nodes_of(server):
        looking.look_at(node)
    return looking.survey()


class _Looking:
    """Goes from node to node."""

    def __init__(self, clock: Callable[[], float], listed: Sequence[str], pattern: str, most: int) -> None:
        self._clock = clock
        self._listed = list(dict.fromkeys(listed))
        self._pattern = pattern
        self._most = most
        self._found: dict[str, StreamSummary] = {}
        self._told: list[str] = []
        self._failures: list[LogError] = []
        self._answered = 0
        self._slots = 0
        self._absent = set(self._listed)
        """Those that are listed, and of which no node has said that they are there."""
        self._forbidden = 0
        self._nameless = 0

    def look_at(self, node: Node) -> None:
        """Add what a node has. Raises LogError where it is the only one."""
        self._slots += node.slots
        try:
            for name in self._names(node):
                self._look_at(node, name)
        except LogError as error:
            if not node.place:
                raise
            self._failures.append(error)
            self._told.append(f"{error} Streams of this node are left out.")
            self._absent = {name for name in self._absent if not node.has(name)}
        else:
            self._answered += 1

    def _names(self, node: Node) -> Sequence[str]:
        if self._listed:
            return [name for name in self._listed if node.has(name)]
        found = find_streams(node.server, self._pattern, self._most)
        self._nameless += found.unnamed
        if not found.whole:
            where = f" of {node.place}" if node.place else ""
            self._told.append(
                f"Only {self._most:,} keys{where} were looked at, there may be more streams: `esdash streams --keys` "
                "looks at more."
            )
        return found.names

    def _look_at(self, node: Node, name: str) -> None:
        try:
            found = summary_of(Stream(node.server, name), node.place, int(self._clock() * 1000))
        except WrongTypeError:
            return
        except ForbiddenError as error:
            if not error.right.startswith("~"):
                raise
            self._forbidden += 1
        except ElsewhereError as error:
            if not node.place:
                raise
            self._told.append(f"{error} {_quoted(name)} is left out.")
        else:
            if found is None:
                return
            self._found[name] = found
        self._absent.discard(name)

    def survey(self) -> Survey:
        """All that was found. Raises LogError when no node answered."""
        if self._failures and not self._answered:
            raise self._failures[0]
        told = self._told
        if self._slots < SLOTS:
            none = counted(SLOTS - self._slots, "slot has", "slots have")
            told.append(f"{none} no node in this cluster just now: streams that belong there are left out.")
        if self._forbidden:
            told.append(f"Left out: {counted(self._forbidden, 'stream', 'streams')} that this user may not read.")
        if self._nameless:
            told.append(f"Left out: {counted(self._nameless, 'stream', 'streams')} whose name is no UTF-8.")
        if self._absent:
            absent = [_quoted(name) for name in self._listed if name in self._absent]
            more = f" and {len(absent) - NAMED:,} more" if len(absent) > NAMED else ""
            told.append(f"Listed in the settings, and not there: {', '.join(absent[:NAMED])}{more}.")
        ordered = [self._found[name] for name in self._listed if name in self._found] or list(self._found.values())
        return Survey(ordered, told, whole=not told, lost=bool(self._failures))


def _quoted(name: str) -> str:
    return f"'{visible(name, 64)}'"
