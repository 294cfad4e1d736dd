"""One stream and its consumer beside several: what they replay, and what they follow, on one server and on a cluster.

Every consumer is an `esdash consume` of its own. With fewer cores than processes the CPU seconds of an event tell more
than the rates: where they stay the same, more cores take more streams.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped,unused-ignore]

from esdash.log.servers.server import Server
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from tests.benchmarks.appender import moments, start_appender
from tests.benchmarks.consuming import prove
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, per_second, ratios, times
from tests.benchmarks.setting import environment
from tests.benchmarks.workload import fill
from tests.generations import VALKEY_9_1, usual
from tests.servers import RunningServer
from tests.together import Clustered

STREAMS: Final = (1, 2, 4)
BURST: Final = 250
AT_ONCE: Final = 10_000_000
"""Events a second that nobody reaches: they are appended as fast as one process can."""
STILL: Final = 0.3
"""Seconds without work after which a consumer has nothing left to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one stream is."""

    url: str
    """For its consumer."""
    server: RunningServer
    """That holds it."""
    stream: str


@dataclass(frozen=True, slots=True)
class Took:
    """What it took."""

    seconds: float
    """From the first start to the last end."""
    consumers: float
    """CPU seconds of all of them."""
    servers: float
    """CPU seconds of all of them."""


def run(options: Options) -> Report:
    """Rates and CPU seconds with 1, 2 and 4 streams, and with a stream on each node of a cluster."""
    report = Report("One stream beside several")
    with ExitStack() as stack:
        server = stack.enter_context(closing(RunningServer(usual().program, port=True, appendonly="no")))
        log = Stream(Server(server.url), "stream0")
        report.machine = describe(log).replace("a unix socket", "loopback")
        bench = _Bench(report, options, log)
        places = [Place(server.url, server, bench.copied(f"stream{number}")) for number in range(max(STREAMS))]
        bench.compare([("1 stream" if count == 1 else f"{count} streams", places[:count]) for count in STREAMS])
        if VALKEY_9_1.binary is not None:
            cluster = Clustered(stack, VALKEY_9_1.program, replicas=False)
            nodes = [
                Place(cluster.url, node, bench.copied(cluster.named(number), node))
                for number, node in enumerate(cluster.nodes)
            ]
            one = (f"{len(nodes)} streams, one server", places[: len(nodes)])
            bench.compare([one, (f"{len(nodes)} streams, a node of a cluster each", nodes)])
    report.notes.append(
        "Streams of equal entries, each with a consumer of its own; rates are those of all together. Replay: from the "
        "start of the first `esdash consume --once --from-start` to the end of the last. Live: for each stream a "
        f"process appends {BURST} events at a time, as fast as it can, while `esdash consume` follows; from the first "
        "event until every consumer has applied its last. Beside it stands what the servers took. Ratios are those to "
        "the line with 1 stream, or with one server. CPU is that of the whole programs, their start included."
    )
    return report


class _Bench:
    """Measures consumers of streams that are all alike."""

    def __init__(self, report: Report, options: Options, log: Stream) -> None:
        self._report = report
        self._pairs = options.pairs
        self._log = log
        self._entries = options.scaled(500_000)
        self._events = options.scaled(250_000)
        self._replayed = fill(log, self._entries, v0=False)
        self._followed = ""
        self._rounds = 0

    def copied(self, name: str, server: RunningServer | None = None) -> str:
        """The same stream under another name, on the same server or on another; the name."""
        if server is None:
            if name != self._log.name:
                self._log.command("COPY", self._log.name, name)
            return name
        with server.client() as client:
            client.restore(name, 0, self._log.command("DUMP", self._log.name))
        return name

    def compare(self, cases: Sequence[tuple[str, Sequence[Place]]]) -> None:
        """Measure them in turn, first of all the one that the others are compared with."""
        for what, count, measure in (
            ("replay", self._entries, self._replay),
            ("live", self._events, self._follow),
        ):
            measured = [_Case(places, count, measure) for _, places in cases]
            rates = in_turn(self._pairs, *(each.rate for each in measured))
            for (name, _), case, found in zip(cases, measured, rates, strict=True):
                first = measured[0]
                self._report.add(
                    f"{what}: {name}, {count:,} entries each",
                    f"{per_second(median(found))}, CPU {median(case.cpu):.2f} µs an entry",
                    f"servers' CPU {median(case.servers):.2f} µs",
                    f"CPU {times(ratios(case.cpu, first.cpu))}, rate {times(ratios(found, rates[0]))}"
                    if case is not first
                    else "",
                )

    def _replay(self, places: Sequence[Place]) -> Took:
        """Each from its beginning."""
        options = ("--once", "--no-snapshot", "--from-start")
        before, begun = _servers_cpu(places), time.monotonic()
        started = [_start(place.url, place.stream, *options) for place in places]
        cpu = sum(map(_wait, started))
        took = Took(time.monotonic() - begun, cpu, _servers_cpu(places) - before)
        for each in started:
            assert each.stdout is not None
            found = json.loads(each.stdout.read())
            prove(found["ordinal"], found["digest"], self._entries, self._replayed)
        return took

    def _follow(self, places: Sequence[Place]) -> Took:
        """Each while it is appended to."""
        self._rounds += 1
        # Of the same slot, so that it is on the same node.
        names = [f"{{{place.stream}}}{self._rounds}" for place in places]
        started = [_start(place.url, name) for place, name in zip(places, names, strict=True)]
        for each in started:
            assert each.stderr is not None
            while b"live" not in (line := each.stderr.readline()):
                if not line:
                    raise SystemExit("A consumer ended.")
        with tempfile.TemporaryDirectory() as folder:
            used, before = sum(map(_cpu, started)), _servers_cpu(places)
            files = [Path(folder) / name for name in names]
            appenders = [
                start_appender(str(place.server.socket_path), name, AT_ONCE, self._events / AT_ONCE, BURST, file)
                for place, name, file in zip(places, names, files, strict=True)
            ]
            ended = _when_still(started, appenders)
            begun = min(moments(file)[0] for file in files)
            took = Took(ended - begun, sum(map(_cpu, started)) - used, _servers_cpu(places) - before)
        for place, name, each in zip(places, names, started, strict=True):
            each.terminate()
            each.communicate()
            self._require_all(place, name)
        for server in {place.server for place in places}:
            with server.client() as client:
                client.unlink(*client.keys("{*"), *client.keys("esdash:*"))
        return took

    def _require_all(self, place: Place, name: str) -> None:
        """By the snapshot that the consumer took at its end."""
        log = Stream(Server(place.server.url), name)
        header = SnapshotStore(log).newest()
        if header is None:
            raise SystemExit("A consumer took no snapshot at its end.")
        self._followed = self._followed or header.digest
        prove(header.ordinal, header.digest, self._events, self._followed)
        log.server.close()


class _Case:
    """Some streams, and what was measured of them."""

    def __init__(self, places: Sequence[Place], count: int, measure: Callable[[Sequence[Place]], Took]) -> None:
        self._places = places
        self._count = count
        self._measure = measure
        self.cpu: list[float] = []
        """Microseconds that an entry took its consumer."""
        self.servers: list[float] = []
        """The same of the servers."""

    def rate(self) -> float:
        """Measure once: entries a second, of all streams together."""
        took, entries = self._measure(self._places), self._count * len(self._places)
        self.cpu.append(took.consumers * 1e6 / entries)
        self.servers.append(took.servers * 1e6 / entries)
        return entries / took.seconds


def _start(url: str, stream: str, *options: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "esdash", "--url", url, "--stream", stream, "consume", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )


def _wait(process: "subprocess.Popen[bytes]") -> float:
    """CPU seconds of a process and of those that it started and waited for, at its end."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"A consumer ended with {process.returncode}.")
    return used.ru_utime + used.ru_stime


def _when_still(
    consumers: Sequence["subprocess.Popen[bytes]"], appenders: Sequence["subprocess.Popen[bytes]"]
) -> float:
    """When the last of them had done all its work (time.monotonic())."""
    used, last = 0.0, time.monotonic()
    while any(each.poll() is None for each in appenders) or time.monotonic() - last < STILL:
        time.sleep(0.01)
        now = sum(map(_cpu, consumers))
        if now != used:
            used, last = now, time.monotonic()
    return last


def _cpu(process: "subprocess.Popen[bytes]") -> float:
    used = psutil.Process(process.pid).cpu_times()
    return float(used.user + used.system)


def _servers_cpu(places: Sequence[Place]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in {place.server.pid for place in places}]
    return float(sum(each.user + each.system for each in times))


if __name__ == "__main__":
    main(run)
