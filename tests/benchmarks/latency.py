"""Live: from the append in another process to the entry's being applied by a running consumer."""

import tempfile
import threading
from pathlib import Path
from typing import Final

from esdash.engine.consumer import Consumer, ConsumerSettings
from tests.benchmarks.appender import moments, start_appender
from tests.benchmarks.consuming import consume
from tests.benchmarks.machine import describe
from tests.benchmarks.observed import ObservedShop
from tests.benchmarks.report import Options, Report, main, median, milliseconds, percentile
from tests.benchmarks.setting import Setting, new_setting
from tests.waiting import eventually

CASES: Final = ((1_000, 1, 0.002), (10_000, 10, 0.010))
"""Events a second, events sent together, and what the 99th percentile may reach."""


def run(options: Options) -> Report:
    """Median and 99th percentile of the delay, over several runs."""
    report = Report("Live: append → applied")
    seconds = 3.0 if options.quick else 10.0
    with new_setting() as setting:
        report.machine = describe(setting.log)
        for rate, burst, reach in CASES:
            halves, tails, worst = [], [], []
            for number in range(options.pairs):
                delays = measure(setting, f"live-{rate}-{number}", rate, burst, seconds)
                halves.append(percentile(delays, 0.5))
                tails.append(percentile(delays, 0.99))
                worst.append(max(delays))
            report.add(
                f"{rate:,} events/s, {burst} together",
                f"p50 {milliseconds(median(halves))}, p99 {milliseconds(median(tails))} "
                f"({milliseconds(min(tails))}–{milliseconds(max(tails))})",
                f"longest {milliseconds(median(worst))}",
                "",
                f"p99 ≤ {milliseconds(reach)}",
                median(tails) <= reach,
            )
    report.notes.append(
        f"Median of {options.pairs} runs of {seconds:.0f} s. The appending process notes the moment before it sends, "
        "the consumer's domain the moment after its fold; both read the same clock."
    )
    return report


def measure(setting: Setting, stream: str, rate: int, burst: int, seconds: float) -> list[float]:
    """The delay of each entry in seconds."""
    shop = ObservedShop()
    log = setting.other(stream)
    consumer = Consumer(log, shop, ConsumerSettings(write_snapshots=False))
    thread = threading.Thread(target=consumer.run)
    thread.start()
    total = round(rate * seconds / burst) * burst
    try:
        eventually(lambda: consumer.view.phase == "live")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "sent"
            appender = start_appender(setting.socket, stream, rate, seconds, burst, file)
            if appender.wait():
                raise SystemExit("The appending process failed.")
            eventually(lambda: sum(shop.sizes) == total)
            delays = shop.delays(moments(file), burst)
    finally:
        consumer.ask("stop")
        thread.join()
    projection = consumer.projection
    assert projection is not None, "it was live"
    # Another process, from the beginning, must come to the same.
    consume(setting, stream, total, shop.digest(projection.state))
    log.command("DEL", stream)
    log.close()
    return delays


if __name__ == "__main__":
    main(run)
