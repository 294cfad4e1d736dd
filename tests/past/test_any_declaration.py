"""The promises of the fold, of snapshots and of the past, kept for domains that nobody thought of."""

import threading
from collections.abc import Callable

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.cli.commands.state import outcomes_of, rows_of
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.moments.history import History
from esdash.engine.verification.segment import Report, Task, check_segment
from esdash.engine.verification.verify import verify
from esdash.fold import sorting
from esdash.fold.folding import Fold
from esdash.fold.state import State
from esdash.log.stream import Stream
from esdash.past.numbers.story import Story
from esdash.past.shown.cursor import Cursor
from esdash.past.shown.moments import Moments
from tests.domains.at_random import Drawn, Plain, drawn, tried
from tests.engine.running import STREAM
from tests.past.recording import recorded


def is_as_read_plainly(fold: Fold, state: State, plain: Plain) -> bool:
    """Whether a state has the rows and the outcomes that it should, in their order."""
    rows = {table.name: rows_of(fold, state, table.name) for table in fold.domain.tables}
    keys = [[*cells] for cells in rows.values()] == [[*cells] for cells in plain.rows.values()]
    return keys and rows == plain.rows and outcomes_of(fold, state) == plain.outcomes


@tried(10)
@given(drawn=drawn(), data=st.data())
def test_in_pages_of_any_size_from_any_cut_the_state_is_that_of_the_plainest_reading(
    drawn: Drawn, data: DataObject
) -> None:
    fold, entries = drawn.fold(), drawn.entries
    plain = Plain(drawn.domain)
    decided = [plain.see(each) for each in drawn.happened]
    size, cut = data.draw(st.integers(1, 9)), data.draw(st.integers(0, len(entries)))
    packer = sorting.packer(fold.packing.partition("(")[2][:-1])
    state, codes = fold.empty(), b""
    for start in range(0, cut, size):
        codes += fold.fold(state, entries[start : min(cut, start + size)])
    state = fold.load([*fold.dump(state)])
    for start in range(cut, len(entries), size):
        codes += fold.fold_packed(state, packer(entries[start : start + size]))
    assert [tuple(fold.outcomes[code]) for code in codes] == decided
    assert is_as_read_plainly(fold, state, plain)
    alone = fold.empty()
    for entry in entries:
        fold.fold(alone, [entry])
    assert fold.digest(alone) == fold.digest(state)


@tried(10)
@given(drawn=drawn(), data=st.data())
def test_every_moment_is_a_sum_of_what_entries_changed(drawn: Drawn, data: DataObject) -> None:
    fold, entries = drawn.fold(), drawn.entries
    sizes = st.integers(1, 9)
    with recorded(fold, entries, page=data.draw(sizes), segment=data.draw(sizes)) as reader:
        moments, cursor, plain = Moments(reader), Cursor(reader), Plain(drawn.domain)
        asked = data.draw(st.sets(st.integers(0, len(entries)), max_size=4)) | {len(entries)}
        for ordinal in range(len(entries) + 1):
            if ordinal:
                plain.see(drawn.happened[ordinal - 1])
            if ordinal not in asked:
                continue
            cursor.seek(ordinal)
            assert is_as_read_plainly(fold, cursor.state(), plain)
            picture = moments.at(ordinal).picture
            for table in drawn.domain.tables:
                found = picture.tables[table.name]
                shown = {row.key: row.cells for row in map(found.row, range(len(found)))}
                assert shown == {key: tuple(cells.values()) for key, cells in plain.rows[table.name].items()}
        for table in drawn.domain.tables:
            for column in table.columns:
                for key in plain.rows[table.name]:
                    moved = [*Story(reader, table, column, key).backwards()]
                    value = plain.rows[table.name][key][column.name]
                    assert value == (moved[0].after if moved else None)
                    assert [each.before for each in moved] == [*(each.after for each in moved[1:]), None][: len(moved)]
                    if column.kind is int:
                        assert sum((each.after or 0) - (each.before or 0) for each in moved) == (value or 0)


@tried(10)
@given(drawn=drawn(), data=st.data())
def test_a_restart_from_a_snapshot_at_any_cut_is_a_replay_from_the_beginning(
    drawn: Drawn, data: DataObject, log: Stream, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.flushall()
    fold, entries = drawn.fold(), drawn.entries

    def here(task: Task, progressed: Callable[[int], None], _: threading.Event) -> Report:
        """A segment is checked in this process, since no other one knows the domain."""
        return check_segment(task, drawn.fold(), progressed)

    monkeypatch.setattr("esdash.engine.verification.verify.check_apart", here)
    once = ConsumerSettings(once=True, watched=data.draw(st.booleans()))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(entries)), max_size=3)))
    consumer = Consumer(log, fold, once)
    for first, last in zip([0, *cuts], [*cuts, len(entries)], strict=True):
        for entry_id, fields in entries[first:last]:
            client.execute_command("XADD", STREAM, entry_id, *fields)
        consumer = Consumer(log, drawn.fold(), once)
        consumer.run()
        assert consumer.view.restored is not None or not last
    plain = Plain(drawn.domain)
    for each in drawn.happened:
        plain.see(each)
    assert consumer.projection is not None
    assert is_as_read_plainly(fold, consumer.projection.state, plain)
    digest = fold.digest(consumer.projection.state)
    found = verify(log, fold, processes=1)
    assert found.holds
    assert [each.replayed_digest for each in found.segments][-1:] == ([digest] if entries else [])
    place = data.draw(st.integers(0, len(entries)))
    if place:
        then, now = fold.empty(), History(log, fold).at(entries[place - 1][0])[0]
        fold.fold(then, entries[:place])
        assert fold.digest(now.state) == fold.digest(then)
