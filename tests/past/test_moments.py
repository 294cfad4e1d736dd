"""Every moment that a track shows is the one that a plain replay to it makes."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.engine.projection import Projection
from esdash.engine.shown.viewer import Viewer
from esdash.fold.cells import Change
from esdash.fold.folding import Entry, Fold
from esdash.past.numbers.story import Story
from esdash.past.shown.cursor import Cursor
from esdash.past.shown.moments import Moments
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded


def told(fold: Fold, entries: Sequence[Entry]) -> tuple[list[str], list[list[int]], list[set[Change]]]:
    """Digests and counts after each entry (and before the first), and what each changed."""
    state = fold.empty()
    digests, counts, changes = [fold.digest(state)], [list(state.counts)], [set[Change]()]
    for entry in entries:
        _, found = fold.explain(state, entry)
        digests.append(fold.digest(state))
        counts.append(list(state.counts))
        changes.append(set(found.changes))
    return digests, counts, changes


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_any_moment_in_any_order_is_that_of_a_plain_replay(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    digests, counts, changes = told(fold, entries)
    sizes = st.integers(1, 9)
    with recorded(make(), entries, page=data.draw(sizes), segment=data.draw(sizes)) as reader:
        cursor = Cursor(reader)
        assert (reader.shown_from, reader.built_to) == (0, len(entries))
        moments = st.lists(st.integers(0, len(entries)), min_size=1, max_size=8)
        for ordinal in data.draw(moments) if entries else []:
            cursor.seek(ordinal)
            assert fold.digest(cursor.state()) == digests[ordinal]
            assert cursor.counts() == counts[ordinal]
            assert set(cursor.changes()) == changes[ordinal]


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_a_track_may_begin_at_any_snapshot(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    digests, _, _ = told(fold, entries)
    start = data.draw(st.integers(0, len(entries)))
    projection = Projection(make(), unseen=3)
    if start:
        projection.apply(entries[:start])
    with recorded(projection.domain, entries[start:], page=2, segment=4, projection=projection) as reader:
        cursor = Cursor(reader)
        assert (reader.shown_from, reader.built_to) == (start, len(entries))
        for ordinal in data.draw(st.permutations(range(start, len(entries) + 1))) if start < len(entries) else []:
            cursor.seek(ordinal)
            assert fold.digest(cursor.state()) == digests[ordinal]


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_the_story_of_a_number_is_every_entry_that_changed_it(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    _, _, changes = told(fold, entries)
    expected: dict[tuple[str, str, int | str], list[tuple[int, Any, Any]]] = {}
    for ordinal, found in enumerate(changes):
        for change in found:
            place = change.table, change.column, change.key
            expected.setdefault(place, []).insert(0, (ordinal, change.before, change.after))
    with recorded(make(), entries, page=3, segment=data.draw(st.integers(1, 9))) as reader:
        for (table, column, key), moved in expected.items():
            declared = fold.storage.places[table][0]
            wanted = next(each for each in declared.columns if each.name == column)
            story = Story(reader, declared, wanted, key)
            assert [(each.ordinal, each.before, each.after) for each in story.backwards()] == moved
            assert story.newest() == moved[0][2]
            until = data.draw(st.integers(0, len(entries)))
            earlier = [each for each in moved if each[0] <= until]
            assert [(each.ordinal, each.before, each.after) for each in story.backwards(until)] == earlier
            assert all(reader.id_of(each.ordinal) == each.entry_id for each in story.backwards())


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_pictures_have_the_rows_and_cells_of_their_moment(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    with recorded(make(), entries, page=3, segment=data.draw(st.integers(1, 9))) as reader:
        moments = Moments(reader)
        for ordinal in data.draw(st.permutations(range(len(entries) + 1))):
            state = fold.empty()
            if ordinal:
                fold.fold(state, entries[:ordinal])
            picture = moments.at(ordinal).picture
            expected = Viewer(fold).view(state)
            for table in fold.domain.tables:
                found, wanted = picture.tables[table.name], expected.tables[table.name]
                shown = [found.row(number)[:2] for number in range(len(found))]
                assert shown == [wanted.row(number)[:2] for number in range(len(wanted))]
