"""Where measurements are made: a server of their own, and esdash as a process."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped,unused-ignore]

from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.generations import usual
from tests.servers import RunningServer

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Setting:
    """A server and a log on it."""

    server: RunningServer
    log: Stream

    @property
    def socket(self) -> str:
        """The path of the server's socket."""
        return str(self.server.socket_path)

    def server_cpu(self) -> float:
        """CPU seconds that the server has used so far."""
        used = psutil.Process(self.server.pid).cpu_times()
        return float(used.user + used.system)

    def other(self, stream: str) -> Stream:
        """Another stream of the server."""
        return Stream(Server(self.server.url), stream)


@contextmanager
def new_setting() -> Iterator[Setting]:
    """A server without an append-only file on a unix socket, gone at the end."""
    server = RunningServer(usual().program, appendonly="no")
    try:
        yield Setting(server, Stream(Server(server.url), "orders"))
    finally:
        server.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that did its work."""

    output: str
    seconds: float
    """From its start to its end."""
    cpu: float
    """CPU seconds of it and of the processes that it started and waited for."""

    @property
    def json(self) -> Any:
        """The document that it printed."""
        return json.loads(self.output)


_caches = tempfile.TemporaryDirectory()
"""Where dashboards keep the past."""


def environment() -> dict[str, str]:
    """For child processes: the checkout is importable, and nobody's settings count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESDASH_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(ROOT / "tests" / "benchmarks"),
        "ESDASH_TRACK_DIR": _caches.name,
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }


def run_module(module: str, *arguments: object, codes: tuple[int, ...] = (0,)) -> Ended:
    """Run `python -m module arguments…` to its end."""
    before, begun = children_cpu(), time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        check=False,
    )
    seconds = time.perf_counter() - begun
    if ended.returncode not in codes:
        raise SystemExit(f"{module} ended with {ended.returncode}.")
    return Ended(ended.stdout, seconds, children_cpu() - before)


def peak_memory(module: str, *arguments: object) -> float:
    """Run a program and watch: the most memory (RSS, bytes) that it and its children had together."""
    process = psutil.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment(),
    )
    most = 0
    while process.poll() is None:
        together = 0
        try:
            for member in (process, *process.children(recursive=True)):
                together += member.memory_info().rss
        except psutil.NoSuchProcess:
            pass
        most = max(most, together)
        time.sleep(0.01)
    return float(most)


def children_cpu() -> float:
    """CPU seconds of all processes that were started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
