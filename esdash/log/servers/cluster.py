"""Which node of a cluster has the slot of a stream, and which nodes have any."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from esdash.log import shapes
from esdash.log.errors import ElsewhereError, LogError, NobodyError, RefusedError, UnreachableError
from esdash.log.servers.address import place_of
from esdash.log.servers.seeds import CLUSTER, Seeds
from esdash.log.servers.server import TIMEOUT, Server

MOST_KNOWN: Final = 1000
"""Nodes that are remembered to be asked, as many as a cluster has at most."""

SLOTS: Final = 16_384
"""That every cluster has."""

_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Primary:
    """A node that has slots."""

    place: str
    """Host and port."""
    url: str = field(repr=False)
    """May hold a password."""
    ranges: Sequence[tuple[int, int]]
    """First and last slot of each range that it has."""

    @property
    def count(self) -> int:
        """How many slots it has."""
        return sum(last - first + 1 for first, last in self.ranges)

    def has(self, stream: str) -> bool:
        """Whether a stream's slot is one of them."""
        slot = _slot_of(stream)
        return any(first <= slot <= last for first, last in self.ranges)


class ClusterFinder:
    """Finds the primary that has the slot of a stream, by what the nodes say of each other (CLUSTER SLOTS).

    The nodes of the URL are asked, and those that they told of before: in turn, so that one which has not heard of a
    move does not lead astray for ever.
    """

    def __init__(self, seeds: Seeds, stream: str, timeout: float = TIMEOUT) -> None:
        """`timeout` are the seconds that a node may take, where the URL says nothing of them."""
        self._seeds = seeds
        self._stream = stream
        self._timeout = timeout
        self._told: list[tuple[str, int]] = []
        """Nodes that were not named, but told of."""
        self._begin = 0

    def __call__(self) -> str:
        """The node's URL. Raises LogError."""
        return self._seeds.url_of(*self._first(self._owner_by))

    def primaries(self) -> list[Primary]:
        """All nodes that have slots, in the order of these. Raises LogError when none tells which there are."""
        return self._first(self._primaries_by)

    def _first(self, ask: Callable[[str, int], _Told]) -> _Told:
        """What the first node tells that can. Raises LogError."""
        failure: LogError | None = None
        for host, port in self._in_turn():
            try:
                return ask(host, port)
            except LogError as error:
                # What a person can mend goes before what may pass.
                failure = error if failure is None or _tells_more(error, failure) else failure
        if isinstance(failure, UnreachableError):
            raise NobodyError(f"No node of {self._seeds.shown} answers. {failure}") from failure
        assert failure is not None, "a URL names one node at least"
        raise failure

    def _in_turn(self) -> Iterator[tuple[str, int]]:
        known = list(dict.fromkeys([*self._seeds.places, *self._told]))
        begin, self._begin = self._begin % len(known), self._begin + 1
        yield from known[begin:]
        yield from known[:begin]

    def _owner_by(self, host: str, port: int) -> tuple[str, int]:
        """Host and port of the primary, as one node has it. Raises LogError."""
        slot = _slot_of(self._stream)
        for first, last, place in self._served(host, port):
            if first <= slot <= last:
                return place
        raise ElsewhereError(f"No node of the cluster of {place_of(host, port)} serves this stream just now.")

    def _primaries_by(self, host: str, port: int) -> list[Primary]:
        """All of them, as one node has it. Raises LogError."""
        ranges: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for first, last, place in sorted(self._served(host, port)):
            ranges.setdefault(place, []).append((first, last))
        if not ranges:
            raise ElsewhereError(f"No node of the cluster of {place_of(host, port)} serves any stream just now.")
        return [Primary(place_of(*place), self._seeds.url_of(*place), some) for place, some in ranges.items()]

    def _served(self, host: str, port: int) -> list[tuple[int, int, tuple[str, int]]]:
        """First and last slot of each range with its primary, as one node has it. Raises LogError."""
        place = place_of(host, port)
        server = Server(self._seeds.url_of(host, port), name=f"{place} ({CLUSTER})", timeout=self._timeout)
        try:
            ranges = server.command("CLUSTER", "SLOTS", shape=shapes.slots)
        except RefusedError as error:
            if "cluster support disabled" in str(error):
                raise RefusedError(f"{place} is in no cluster. Write redis:// in place of redis+cluster://.") from error
            raise
        finally:
            server.close()
        nodes = [(named or host, number) for _, _, some in ranges for named, number in some if named != "?" and number]
        self._told = list(dict.fromkeys(nodes))[:MOST_KNOWN]
        return [
            (first, last, (named or host, number))
            for first, last, ((named, number), *_) in ranges
            if named != "?" and number
        ]


def _slot_of(stream: str) -> int:
    from redis.crc import key_slot

    return int(key_slot(stream.encode()))


def _tells_more(error: LogError, than: LogError) -> bool:
    def rank(each: LogError) -> int:
        return 0 if isinstance(each, UnreachableError) else 1 if isinstance(each, ElsewhereError) else 2

    return rank(error) > rank(than)
