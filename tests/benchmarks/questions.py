"""Questions about the whole past: what the track alone can tell, and what the entries have to be read for.

About a third of the entries is refused. Beside each question stands reading all entries in pages, in the same process.
"""

import tempfile
import time
from pathlib import Path
from typing import Final

from esdash.past.building.builder import Builder
from esdash.past.service import Past
from esdash.past.track.folder import TrackFolder
from esdash.query.questions import read_question
from esdash.words.asked import schema_of
from tests.benchmarks.machine import describe
from tests.benchmarks.mixes import refused
from tests.benchmarks.report import Options, Report, in_turn, main, median, milliseconds, per_second, ratios, times
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.workload import append
from tests.domains.shop import shop

TOLD: Final = ("outcome:rejected", "reason:out_of_stock", "type:Order", "user:777")
"""What the track alone can tell."""

BY_FIELDS: Final = ("amount>490", "quantity>=5 outcome:rejected")
BY_TEXT: Final = ("some_text", "/ [789]9 × /")


def run(options: Options) -> Report:
    """A million entries, or ten."""
    report = Report("Questions")
    count = 10_000_000 if options.full else options.scaled(1_000_000)
    with new_setting() as setting, tempfile.TemporaryDirectory() as folder:
        report.machine = describe(setting.log)
        append(setting.log, refused(count))
        past = _past(setting, Path(folder))
        for question in TOLD:
            first, spent = map(median, zip(*(_ask(past, question, count) for _ in range(options.pairs)), strict=True))
            report.add(
                f"`{question}` over {count:,} entries, CPU",
                milliseconds(spent),
                f"the first hits after {milliseconds(first)}",
                reach="≤ 100 ms",
                reached=spent <= 0.1,
            )
        for questions, reach in ((BY_FIELDS, 1_000_000), (BY_TEXT, 200_000)):
            for question in questions:
                _tell_read(report, options, setting, past, question, count, reach)
    report.notes.append("A question by field or text is read entry by entry, and given up at any time.")
    return report


def _past(setting: Setting, folder: Path) -> Past:
    fold, tracks = shop(), TrackFolder(folder, 10_000)
    path = tracks.file_of(setting.server.url, setting.log.name, fold)
    Builder(setting.log, fold, tracks, path).run()
    return Past(setting.log, fold, path)


def _ask(past: Past, question: str, count: int) -> tuple[float, float]:
    """CPU seconds until the first hit, and until all are found."""
    asked = read_question(question, schema_of(shop()), time.time())
    begun, first, down_to = time.process_time(), None, count + 1
    for found in past.search(asked, count):
        down_to = found.down_to
        if found.hits and first is None:
            first = time.process_time() - begun
    spent = time.process_time() - begun
    assert down_to == 1, "all were looked at"
    return spent if first is None else first, spent


def _tell_read(
    report: Report, options: Options, setting: Setting, past: Past, question: str, count: int, reach: int
) -> None:
    def read() -> float:
        begun = time.process_time()
        assert sum(page.count for page in setting.log.pages(b"0-0")) == count
        return time.process_time() - begun

    asking, reading = in_turn(options.pairs, lambda: _ask(past, question, count)[1], read)
    rate = count / median(asking)
    report.add(
        f"`{question}` over {count:,} entries, a CPU second",
        per_second(rate),
        f"reading alone {per_second(count / median(reading))}",
        times(ratios(asking, reading)),
        f"≥ {per_second(reach)}",
        rate >= reach,
    )


if __name__ == "__main__":
    main(run)
