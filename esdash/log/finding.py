"""From a URL to the server that it names, or leads to, and to a stream there."""

from pathlib import Path

from esdash.log.servers.address import names_several
from esdash.log.servers.server import TIMEOUT, Server
from esdash.log.stream import Stream


def server_of(url: str, stream: str, *, timeout: float = TIMEOUT) -> Server:
    """The server of a stream: the one that the URL names, or where its Sentinels or its cluster say that it is.

    Does not connect. Raises LogError for a URL that cannot be read.
    """
    if not names_several(url):
        return Server(url, timeout=timeout)
    from esdash.log.servers.cluster import ClusterFinder
    from esdash.log.servers.seeds import CLUSTER, parse_seeds
    from esdash.log.servers.sentinel import SentinelFinder

    seeds = parse_seeds(url)
    if seeds.how == CLUSTER:
        return Server(
            ClusterFinder(seeds, stream, timeout), name=seeds.shown, timeout=timeout, given=url, one_of=CLUSTER
        )
    return Server(SentinelFinder(seeds, timeout), name=seeds.shown, timeout=timeout, given=url, one_of=seeds.service)


def stream_on(server: Server, name: str, archive: str) -> Stream:
    """A stream of a server; read through the archive in a folder, where one is named. Raises ArchiveError."""
    if not archive:
        return Stream(server, name)
    from esdash.log.archive.through import ArchivedStream  # with zstandard

    return ArchivedStream(server, name, Path(archive))
