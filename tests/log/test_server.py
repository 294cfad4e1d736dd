"""One server, and the streams that share it."""

from collections.abc import Callable

import redis

from esdash.log.servers.server import Server
from esdash.log.stream import START, Stream
from tests.servers import RunningServer


def test_streams_of_one_server_share_its_connections(new_server: Callable[..., RunningServer]) -> None:
    running = new_server()
    server = Server(running.url)
    with running.client() as client:
        before = connections(client)
        for name in ("orders", "returns", "orders"):
            stream = Stream(server, name)
            stream.append([b"a", b"1"])
            assert [entry for page in stream.pages(START) for entry in page.entries]
        assert connections(client) == before + 1
        server.close()


def test_streams_of_one_server_are_of_their_own(url: str, client: redis.Redis) -> None:
    server = Server(url)
    orders, returns = Stream(server, "orders"), Stream(server, "returns")
    entry_id = orders.append([b"a", b"1"])
    assert client.xlen("orders") == 1
    assert orders.facts().last_id == entry_id
    assert returns.facts().length == 0
    assert orders.paging is not returns.paging, "entries of one may be large, and those of the other not"
    server.close()


def test_a_server_that_was_moved_is_found_again_for_every_stream(new_server: Callable[..., RunningServer]) -> None:
    first, second = new_server(), new_server()
    places = [first.url]
    server = Server(lambda: places[-1], name="wherever it is")
    orders, returns = Stream(server, "orders"), Stream(server, "returns")
    orders.append([b"a", b"1"])
    places.append(second.url)
    assert server.url == first.url, "it is asked for when it was lost"
    server.locate()
    assert server.url == second.url
    assert (orders.facts().length, returns.facts().length) == (0, 0)
    assert server.name == "wherever it is"
    server.close()


def connections(client: redis.Redis) -> int:
    """How many the server has."""
    return len(client.client_list())
