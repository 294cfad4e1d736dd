"""Publishing in batches of 1,000 from one process, in turn with redis-benchmark or a client of prepared bytes."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Final

from esdash.engine.moments.history import History
from esdash.engine.publishing.publisher import Publisher
from esdash.log.stream import Stream
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, per_second, percent, ratios
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.workload import command
from tests.domains.shop import Shop, users_of

BATCH: Final = 1000
REACH: Final = 0.7
USERS: Final = 1000
DATA: Final = [b'{"user_id":%d,"amount":%d}' % (1000 + number, 50_000) for number in range(USERS)]
"""Payloads of one length, for the limit has but one payload."""
KEY: Final = b"0123456789abcdef0123456789abcdef"


def run(options: Options) -> Report:
    """The publisher, and the bare log below it."""
    report = Report("Publishing in batches of 1,000 from one process")
    count = options.scaled(300_000)
    known = shutil.which("redis-benchmark")
    with new_setting() as setting:
        report.machine = describe(setting.log)
        cpu: dict[str, list[float]] = {"publisher": [], "log": []}

        def measured(name: str, work: Callable[[Stream], None]) -> Callable[[], float]:
            def measure() -> float:
                setting.log.command("FLUSHALL")
                log = setting.log
                used, begun = time.process_time(), time.perf_counter()
                work(log)
                seconds = time.perf_counter() - begun
                cpu[name].append(time.process_time() - used)
                _prove(log, count)
                return count / seconds

            return measure

        def limit() -> float:
            setting.log.command("FLUSHALL")
            rate = _redis_benchmark(setting, count) if known else _prepared(setting, count)
            if setting.log.facts().length != count:
                raise SystemExit("The limit did not append what it should have.")
            return rate

        published, appended, limits = in_turn(
            options.pairs,
            measured("publisher", lambda log: _publish(log, count)),
            measured("log", lambda log: _append(log, count)),
            limit,
        )
    name = "redis-benchmark" if known else "prepared bytes"
    for what, rates, spent in (
        ("events with keys, by the publisher", published, cpu["publisher"]),
        ("entries, by the log alone", appended, cpu["log"]),
    ):
        shares = ratios(rates, limits)
        report.add(
            f"{count:,} {what}",
            f"{per_second(median(rates))}, CPU {median(spent):.2f} s",
            f"{name} {per_second(median(limits))}",
            percent(shares),
            "≥ 70 %",
            median(shares) >= REACH,
        )
    report.notes.append(
        f"Beside it: {'redis-benchmark -c 1 -P 1000' if known else 'a client that sends the same prepared bytes'}, "
        "the same server, pipeline and payload size."
        + ("" if known else " redis-benchmark (package redis-tools) is used when it is on PATH.")
    )
    return report


def _publish(log: Stream, count: int) -> None:
    events = (("TopUp", DATA[number % USERS], None) for number in range(count))
    for _ in Publisher(log).publish_many(events):
        pass


def _append(log: Stream, count: int) -> None:
    for start in range(0, count, BATCH):
        log.append_many([_fields(number) for number in range(start, start + BATCH)])


def _fields(number: int) -> list[bytes]:
    return [b"type", b"TopUp", b"data", DATA[number % USERS], b"key", b"%032d" % number]


def _prove(log: Stream, count: int) -> None:
    projection, _ = History(log, Shop()).at()
    if projection.ordinal != count or sum(users_of(projection.state).values()) != count * 50_000:
        raise SystemExit("What was published is not what should have been.")


def _redis_benchmark(setting: Setting, count: int) -> float:
    words = ["XADD", setting.log.name, "*", "type", "TopUp", "data", DATA[0].decode(), "key", KEY.decode()]
    ended = subprocess.run(
        ["redis-benchmark", "-s", setting.socket, "-n", str(count), "-c", "1", "-P", str(BATCH), "--csv", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    # "the command","requests a second",…; the command holds quotes itself.
    return float(ended.stdout.strip().splitlines()[-1].rsplit('","', 7)[1])


def _prepared(setting: Setting, count: int) -> float:
    batch = command(b"XADD", setting.log.key, b"*", *_fields(0)[:-1], KEY) * BATCH
    begun = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(setting.socket)
        for _ in range(0, count, BATCH):
            connection.sendall(batch)
            lines = 0
            while lines < 2 * BATCH:  # a length and an id each
                lines += connection.recv(1 << 20).count(b"\n")
    return count / (time.perf_counter() - begun)


if __name__ == "__main__":
    main(run)
