"""The past: what it costs to keep, how large it is, how fast any moment of it is shown, or found by a condition.

About a fifth of the entries is refused; 100,000 users, 1,000 items, an entry each 5 ms. No server: entries are
made here, and folded in the same process with and without being recorded.
"""

import gc
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from esdash.domain import MONEY, Table
from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.past.building.recorder import Recorder
from esdash.past.numbers.story import Story, story_of_row
from esdash.past.numbers.turns import Search
from esdash.past.shown.cursor import Cursor
from esdash.past.shown.moments import refused_codes
from esdash.past.track.file import Track
from esdash.past.track.reader import TrackReader
from esdash.query.conditions import read_condition
from esdash.query.numbers import Cell
from esdash.words.asked import schema_of
from esdash.words.entries import write
from tests.benchmarks.eventsourced import seconds_at_versions
from tests.benchmarks.machine import without_server
from tests.benchmarks.report import Options, Report, main, median, milliseconds, ratios
from tests.domains.shop import shop

PAGE: Final = 1000
USERS: Final = 100_000
JUMPS: Final = 200
ABOUT_ONE: Final = 1000
"""Events of the one aggregate that another library is asked for."""

STEPS: Final = 300


def made(count: int, seed: int = 1) -> Iterator[Entry]:
    """So many entries."""
    chance = random.Random(seed)
    number = chance.randrange
    for place in range(count):
        kind = chance.random()
        user = number(USERS)
        if kind < 0.55:
            name, data = b"TopUp", b'{"user_id":%d,"amount":%d}' % (user, number(1, 50_000))
        elif kind < 0.75:
            added = number(1000), number(1, 300), number(1, 100) * 100
            name, data = b"AddItem", b'{"item_id":"item-%d","count":%d,"price":%d}' % added
        else:
            wanted = [
                b'{"item_id":"item-%d","quantity":%d}' % (number(1000), number(1, 6)) for _ in range(number(1, 4))
            ]
            name, data = b"Order", b'{"user_id":%d,"lines":[%s]}' % (user, b",".join(wanted))
        yield b"%d-0" % (1_700_000_000_000 + place * 5), [b"type", name, b"data", data]


def run(options: Options) -> Report:
    """Recording beside folding alone, then the track of ten million, or of as many as were asked for."""
    report = Report("The past")
    report.machine = without_server()
    count = 10_000_000 if options.full else options.scaled(1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        folding = _recording(report, options, Path(folder))
        path = Path(folder) / "whole"
        projection = _record(path, count)[1]
        report.add(
            f"size of the track of {count:,} entries",
            f"{path.stat().st_size / count:.2f} bytes an entry",
            reach="≤ 8",
            reached=path.stat().st_size / count <= 8,
        )
        _looking(report, path, shop().digest(projection.state))
        _conditions(report, path, folding * count)
    report.notes.append(
        f"{refused(projection):.0%} of the entries are refused. The last moment has the digest of the fold. "
        "Recording is CPU time over folding the same pages without it, in turn."
    )
    return report


def refused(projection: Projection) -> float:
    """The share of refused entries."""
    counts = projection.state.counts
    return sum(counts[code] for code in refused_codes(projection.domain)) / sum(counts)


def _pages(count: int) -> Iterator[Sequence[Entry]]:
    entries = made(count)
    while page := list(islice(entries, PAGE)):
        yield page


def _record(path: Path, count: int) -> tuple[float, Projection]:
    """CPU seconds of recording, and where it ended."""
    track = Track(path, write=True)
    recorder = Recorder(track, "orders", Projection(shop()))
    recorder.begin()
    spent = _spent(_pages(count), recorder.add)
    begun = time.process_time()
    recorder.store()
    track.close()
    return spent + time.process_time() - begun, recorder.projection


def _fold(count: int) -> float:
    fold: Fold = shop()
    state = fold.empty()
    return _spent(_pages(count), lambda page: fold.fold(state, page))


def _spent(pages: Iterator[Sequence[Entry]], work: Callable[[Sequence[Entry]], object]) -> float:
    """CPU seconds of the work, without that of making entries."""
    spent = 0.0
    gc.disable()
    try:
        for page in pages:
            begun = time.process_time()
            work(page)
            spent += time.process_time() - begun
    finally:
        gc.enable()
    return spent


def _recording(report: Report, options: Options, folder: Path) -> float:
    """CPU seconds an entry of sorting and folding alone."""
    count = options.scaled(400_000)
    recording, folding = [], []
    for number in range(options.pairs):
        recording.append(_record(folder / str(number), count)[0])
        folding.append(_fold(count))
    more = [(one - other) / count * 1e6 for one, other in zip(recording, folding, strict=True)]
    report.add(
        "recording and encoding, CPU an entry",
        f"{median(more):.2f} µs ({min(more):.2f}–{max(more):.2f})",
        f"sorting and folding {median(folding) / count * 1e6:.2f} µs",
        f"{median(ratios(recording, folding)):.2f} × with it",
        "≤ 0.8 µs",
        median(more) <= 0.8,
    )
    return median(folding) / count


def _looking(report: Report, path: Path, digest: str) -> None:
    chance = random.Random(2)
    begun = time.perf_counter()
    reader = TrackReader(path, shop())
    opened = time.perf_counter() - begun
    report.add("opening it", milliseconds(opened), reach="≤ 50 ms", reached=opened <= 0.05)
    cursor = Cursor(reader)
    last = reader.built_to
    jumps = [_timed(lambda: cursor.seek(chance.randrange(last))) for _ in range(JUMPS)]
    of_another = seconds_at_versions(path.parent, ABOUT_ONE, JUMPS)
    beside = (
        f"`eventsourcing`, one row of {ABOUT_ONE:,} events: {milliseconds(median(of_another))}" if of_another else ""
    )
    _add_times(report, "a jump to any moment", jumps, 0.05, beside)
    steps = [*_steps(cursor, last // 2, -1), *_steps(cursor, last // 2, 1)]
    _add_times(report, "a step either way, with what it changed", steps, 0.001)
    users, items = shop().domain.tables
    some_users = [chance.randrange(USERS) for _ in range(20)]
    some_items = [f"item-{chance.randrange(1000)}" for _ in range(20)]
    _add_times(report, "the story of a user: the newest 50 entries", _stories(reader, users, some_users, 50), 0.05)
    _add_times(report, "the story of an item: the newest 50 entries", _stories(reader, items, some_items, 50), 0.05)
    _add_times(report, "the whole story of a user", _stories(reader, users, some_users), 0.1)
    cursor.seek(last)
    assert shop().digest(cursor.state()) == digest
    reader.close()


def _conditions(report: Report, path: Path, folding: float) -> None:
    """The first time that a condition holds; `folding`: CPU seconds of folding all entries alone."""
    chance = random.Random(3)
    reader = TrackReader(path, shop())
    users, items = shop().domain.tables
    beside = f"folding alone {folding:.1f} s"

    def reached(table: Table, key: int | str, place: int) -> str:
        """A condition that begins to hold at one of the entries that moved a cell."""
        after = [move.after for move in Story(reader, table, table.columns[place], key).backwards()]
        name = Cell(table.name, key, table.columns[place].name)
        return f"{name} = {write(table.columns[place].shown, chance.choice(after))}"

    cursor = Cursor(reader)
    cursor.seek(reader.built_to // 2)
    known = cursor.columns(users.name)[0].keys.tolist()
    rows = [reached(users, chance.choice(known), 0) for _ in range(10)]
    rows += [reached(items, f"item-{chance.randrange(1000)}", 1) for _ in range(10)]
    never = [f"users:{chance.choice(known)}.balance < 0" for _ in range(10)]
    balances = cursor.columns(users.name)[0].values
    half, most = (write(MONEY, int(each)) for each in (balances.sum(), balances.max()))
    columns = [f"sum(users.balance) >= {half}", f"max(users.balance) >= {most}", "min(items.remain) = 0"]
    nowhere = ["sum(users.balance) < 0", "min(users.balance) < 0", "min(items.remain) < 0", "count(items) > 1000"]
    for what, conditions, reach in (
        ("the first time that a condition on one row holds", rows, 0.05),
        ("the same, where it never does", never, 0.15),
        ("the first time that a condition on a column holds", columns, 0.3),
        ("the same, where it never does", nowhere, 0.6),
    ):
        _add_times(report, what, [_timed(partial(_first, reader, each)) for each in conditions], reach, beside)
    reader.close()


def _first(reader: TrackReader, text: str) -> int | None:
    """The first moment at which a condition holds."""
    search = Search(reader, read_condition(text, schema_of(reader.fold), 0), None)
    while search.left(whole=True):
        search.step(whole=True)
    return search.found


def _steps(cursor: Cursor, start: int, by: int) -> list[float]:
    cursor.seek(start)
    return [_timed(lambda: (cursor.seek(cursor.ordinal + by), cursor.changes())) for _ in range(STEPS)]


def _stories(reader: TrackReader, table: Table, keys: Sequence[int | str], most: int | None = None) -> list[float]:
    def tell(key: int | str) -> float:
        return _timed(lambda: list(islice(story_of_row(reader, table, key), most)))

    return list(map(tell, keys))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _add_times(report: Report, what: str, times: list[float], most: float, beside: str = "") -> None:
    ordered = sorted(times)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    report.add(
        what,
        f"{milliseconds(median(times))}, p99 {milliseconds(worst)}",
        beside,
        reach=f"p99 ≤ {milliseconds(most)}",
        reached=worst <= most,
    )


if __name__ == "__main__":
    main(run)
