"""The small HTTP server for probes and scrapes."""

import errno
import http.client
import os
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from esdash.service.http import (
    LONGEST_PATH,
    LOOK_SECONDS,
    MOST_CONNECTIONS,
    AddressError,
    Answer,
    ProbeServer,
    address_of,
)
from tests.waiting import eventually


def broken(_: str) -> Answer:
    raise RuntimeError("this page has a bug")


@pytest.fixture
def failures() -> list[BaseException]:
    return []


@pytest.fixture
def server(failures: list[BaseException]) -> Iterator[ProbeServer]:
    pages = {"/well": lambda accept: Answer(HTTPStatus.OK, f"well, {accept}".encode()), "/broken": broken}
    server = ProbeServer(("127.0.0.1", 0), pages, failures.append, seconds=0.5)
    server.begin()
    yield server
    server.end()


def asked(server: ProbeServer, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request(method, path, headers={"Accept": "text/plain"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def connected(server: ProbeServer) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("[::1]:80", ("::1", 80)),
        ("metrics.local:80", ("metrics.local", 80)),
    ],
)
def test_an_address_without_a_host_is_this_machine_alone(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["9464", "", ":", "::1:80", "host:http", "host:70000", "host:-1", "host:٣"])
def test_what_is_no_address_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(AddressError, match="is no address: write"):
        address_of(text)


def test_it_answers_get_of_its_pages_and_nothing_else(server: ProbeServer, failures: list[BaseException]) -> None:
    assert asked(server, "/well") == (200, "well, text/plain")
    assert asked(server, "/well?verbose") == (200, "well, text/plain")
    assert asked(server, "/other") == (404, "There are /well, /broken.\n")
    assert asked(server, "/well", "POST")[0] == 405
    assert asked(server, f"/{'a' * LONGEST_PATH}")[0] == 414
    assert failures == []


def test_what_goes_wrong_with_a_page_is_told_and_the_others_go_on(
    server: ProbeServer, failures: list[BaseException]
) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        asked(server, "/broken")
    assert [str(failure) for failure in failures] == ["this page has a bug"]
    assert asked(server, "/well")[0] == 200


def test_a_client_that_dallies_is_cut(server: ProbeServer) -> None:
    with connected(server) as client:
        client.sendall(b"GET /we")
        assert client.recv(1) == b""


def test_clients_beyond_the_most_are_turned_away(server: ProbeServer) -> None:
    clients = [connected(server) for _ in range(MOST_CONNECTIONS)]
    with connected(server) as one_more:
        assert one_more.recv(1) == b""
    for client in clients:
        assert client.recv(1) == b""
        client.close()
    assert asked(server, "/well")[0] == 200


def test_without_files_it_waits_and_answers_later(server: ProbeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    def lacking(_: socket.socket) -> None:
        tried.append(time.monotonic())
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket.socket, "accept", lacking)
    with connected(server) as client:
        eventually(lambda: len(tried) >= 2)
        assert tried[1] - tried[0] >= LOOK_SECONDS
        monkeypatch.undo()
        client.sendall(b"GET /well HTTP/1.0\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.0 200")
