"""Live: from the append in another process to the entry's being applied by a running consumer."""

import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import hiredis

from esdash.cli.interpreter import collect_rarely, take_short_turns
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Stop
from esdash.past.service import past_of
from esdash.past.track.folder import TrackFolder
from esdash.past.track.reader import TrackReader
from tests.benchmarks.appender import moments, start_appender
from tests.benchmarks.consuming import consume
from tests.benchmarks.machine import describe
from tests.benchmarks.observed import ObservedShop
from tests.benchmarks.report import Options, Report, main, median, milliseconds, percentile, ratios, times
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.workload import command
from tests.domains.shop import shop
from tests.waiting import eventually

CASES: Final = ((1_000, 1, 0.002), (10_000, 10, 0.010))
"""Events a second, events sent together, and what the 99th percentile may reach."""

MORE: Final = 1.1
"""How much longer the 99th percentile may be while the past is kept."""


def run(options: Options) -> Report:
    """Median and 99th percentile of the delay, in turn with a client that only waits for entries."""
    report = Report("Live: append → applied")
    seconds = 3.0 if options.quick else 10.0
    collect_rarely()  # as the program does at its start
    take_short_turns()
    with new_setting() as setting:
        report.machine = describe(setting.log)
        for rate, burst, reach in CASES:
            halves: dict[str, list[float]] = {who: [] for who in WAYS}
            tails: dict[str, list[float]] = {who: [] for who in WAYS}
            for number in range(options.pairs):
                for who, measure in WAYS.items():
                    delays = measure(setting, f"{who}-{rate}-{number}", rate, burst, seconds)
                    halves[who].append(percentile(delays, 0.5))
                    tails[who].append(percentile(delays, 0.99))
            own = tails["consumer"]
            report.add(
                f"append → applied, {rate:,} events/s, {burst} together",
                f"p50 {milliseconds(median(halves['consumer']))}, p99 {milliseconds(median(own))} "
                f"({milliseconds(min(own))}–{milliseconds(max(own))})",
                f"bare p50 {milliseconds(median(halves['bare']))}, p99 {milliseconds(median(tails['bare']))}",
                f"p99 {times(ratios(own, tails['bare']))}",
                f"p99 ≤ {milliseconds(reach)}",
                median(own) <= reach,
            )
            more = ratios(tails["beside"], own)
            report.add(
                f"the same beside the process that keeps the past, {rate:,} events/s",
                f"p50 {milliseconds(median(halves['beside']))}, p99 {milliseconds(median(tails['beside']))}",
                f"without it p99 {milliseconds(median(own))}",
                f"p99 {times(more)}",
                f"≤ {MORE} ×",
                median(more) <= MORE,
            )
    report.notes.append(
        f"Median of {options.pairs} runs of {seconds:.0f} s. The appending process notes the moment before it sends, "
        "the consumer's domain the moment after its fold; both read the same clock. Beside it a thread that does "
        "nothing but XREAD and parse: what machine and server take."
    )
    return report


def _beside(setting: Setting, stream: str, rate: int, burst: int, seconds: float) -> list[float]:
    """The same as of a consumer, while the past is kept."""
    log = setting.other(stream)
    with tempfile.TemporaryDirectory() as folder:
        tracks = TrackFolder(Path(folder), 1_000)
        past = past_of(log, shop(), tracks)
        past.start()
        try:
            delays = _consumer(setting, stream, rate, burst, seconds)
        finally:
            past.close()
            log.server.close()
        reader = TrackReader(tracks.file_of(setting.server.url, stream, shop()), shop())
        assert reader.built_to >= len(delays) // 2, "it was kept meanwhile"
        reader.close()
    return delays


def _consumer(setting: Setting, stream: str, rate: int, burst: int, seconds: float) -> list[float]:
    """The delay of each entry in seconds until a consumer has applied it."""
    observed = ObservedShop()
    log = setting.other(stream)
    consumer = Consumer(log, observed, ConsumerSettings(write_snapshots=False))
    thread = threading.Thread(target=consumer.run)
    thread.start()
    try:
        eventually(lambda: consumer.view.phase == "live")
        delays = _append_and_wait(setting, stream, rate, burst, seconds, observed)
    finally:
        consumer.ask(Stop())
        thread.join()
    projection = consumer.projection
    assert projection is not None, "it was live"
    # Another process, from the beginning, must come to the same.
    consume(setting, stream, len(delays), observed.digest(projection.state))
    log.command("DEL", stream)
    log.server.close()
    return delays


def _bare(setting: Setting, stream: str, rate: int, burst: int, seconds: float) -> list[float]:
    """The delay of each entry until it has been read and parsed."""
    shop = ObservedShop()
    stop = threading.Event()
    thread = threading.Thread(target=_read, args=(setting.socket, stream.encode(), shop, stop))
    thread.start()
    try:
        delays = _append_and_wait(setting, stream, rate, burst, seconds, shop)
    finally:
        stop.set()
        thread.join()
    setting.log.command("DEL", stream)
    return delays


def _read(path: str, key: bytes, shop: ObservedShop, stop: threading.Event) -> None:
    reader, last = hiredis.Reader(), b"0-0"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        while not stop.is_set():
            connection.sendall(command(b"XREAD", b"COUNT", b"1000", b"BLOCK", b"100", b"STREAMS", key, last))
            while (reply := reader.gets()) is False:
                reader.feed(connection.recv(1 << 16))
            if reply:
                page = reply[0][1]
                last = page[-1][0]
                shop.when.append(time.monotonic())
                shop.sizes.append(len(page))


def _append_and_wait(
    setting: Setting, stream: str, rate: int, burst: int, seconds: float, shop: ObservedShop
) -> list[float]:
    total = round(rate * seconds / burst) * burst
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sent"
        if start_appender(setting.socket, stream, rate, seconds, burst, file).wait():
            raise SystemExit("The appending process failed.")
        eventually(lambda: sum(shop.sizes) == total)
        return shop.delays(moments(file), burst)


WAYS: Final = {"consumer": _consumer, "beside": _beside, "bare": _bare}


if __name__ == "__main__":
    main(run)
