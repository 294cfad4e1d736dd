"""The servers that hold streams: every primary of a cluster, else the one that there is."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from esdash.log.servers.cluster import SLOTS, ClusterFinder
from esdash.log.servers.seeds import CLUSTER
from esdash.log.servers.server import Server


class Node(Struct, frozen=True):
    """One of them."""

    server: Server
    place: str
    """Host and port; empty where there is only one server."""
    slots: int
    """How many of the cluster's it has; all where there is only one server."""
    has: Callable[[str], bool]
    """Whether a stream's slot is one of them."""


def is_cluster(server: Server) -> bool:
    """Whether streams of other names may be on other nodes. Asks nobody."""
    return isinstance(server.finder, ClusterFinder)


def nodes_of(server: Server) -> Iterator[Node]:
    """Each, with connections of its own until the next one is asked for. Raises LogError when none tells of them."""
    if not isinstance(server.finder, ClusterFinder):
        yield Node(server, "", SLOTS, lambda _: True)
        return
    for primary in server.finder.primaries():
        node = Server(primary.url, name=f"{primary.place} ({CLUSTER})", timeout=server.timeout)
        try:
            yield Node(node, primary.place, primary.count, primary.has)
        finally:
            node.close()
