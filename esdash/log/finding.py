"""From a URL to the server that it names, or leads to."""

from esdash.log.cluster import ClusterFinder
from esdash.log.seeds import CLUSTER, names_several, parse_seeds
from esdash.log.sentinel import SentinelFinder
from esdash.log.server import TIMEOUT, Server


def server_of(url: str, stream: str, *, timeout: float = TIMEOUT) -> Server:
    """The server of a stream: the one that the URL names, or where its Sentinels or its cluster say that it is.

    Does not connect. Raises LogError for a URL that cannot be read.
    """
    if not names_several(url):
        return Server(url, timeout=timeout)
    seeds = parse_seeds(url)
    if seeds.how == CLUSTER:
        return Server(
            ClusterFinder(seeds, stream, timeout), name=seeds.shown, timeout=timeout, given=url, one_of=CLUSTER
        )
    return Server(SentinelFinder(seeds, timeout), name=seeds.shown, timeout=timeout, given=url, one_of=seeds.service)
