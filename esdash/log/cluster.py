"""Which node of a cluster has the slot of a stream."""

from collections.abc import Iterator
from typing import Final

from esdash.log import shapes
from esdash.log.address import place_of
from esdash.log.errors import ElsewhereError, LogError, RefusedError, UnconnectedError, UnreachableError
from esdash.log.seeds import CLUSTER, Seeds
from esdash.log.server import TIMEOUT, Server

MOST_KNOWN: Final = 1000
"""Nodes that are remembered to be asked, as many as a cluster has at most."""


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
        failure: LogError | None = None
        for host, port in self._in_turn():
            try:
                place = self._owner_by(host, port)
            except LogError as error:
                # What a person can mend goes before what may pass.
                failure = error if failure is None or _tells_more(error, failure) else failure
            else:
                return self._seeds.url_of(*place)
        if isinstance(failure, UnreachableError):
            raise UnconnectedError(f"No node of {self._seeds.shown} answers. {failure}") from failure
        assert failure is not None, "a URL names one node at least"
        raise failure

    def _in_turn(self) -> Iterator[tuple[str, int]]:
        known = list(dict.fromkeys([*self._seeds.places, *self._told]))
        begin, self._begin = self._begin % len(known), self._begin + 1
        yield from known[begin:]
        yield from known[:begin]

    def _owner_by(self, host: str, port: int) -> tuple[str, int]:
        """Host and port of the primary, as one node has it. Raises LogError."""
        from redis.crc import key_slot

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
        slot = key_slot(self._stream.encode())
        for first, last, ((named, number), *_) in ranges:
            if first <= slot <= last and named != "?" and number:
                return named or host, number
        raise ElsewhereError(f"No node of the cluster of {place} serves this stream just now.")


def _tells_more(error: LogError, than: LogError) -> bool:
    def rank(each: LogError) -> int:
        return 0 if isinstance(each, UnreachableError) else 1 if isinstance(each, ElsewhereError) else 2

    return rank(error) > rank(than)
