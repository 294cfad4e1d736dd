"""A row in short says what its whole story says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.past.numbers.story import Story, story_of_row
from esdash.past.numbers.summary import Seen, moves, seen
from esdash.past.shown.moments import refused_codes
from esdash.words.changes import is_amount
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded
from tests.past.test_moments import told


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_entries_and_refusals_are_those_of_the_story_and_a_curve_goes_through_its_values(
    name: str, data: DataObject
) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    until = data.draw(st.integers(0, len(entries)))
    refused = refused_codes(fold)
    with recorded(make(), entries, page=3, segment=data.draw(st.integers(1, 9))) as reader:
        for table in fold.domain.tables:
            keys = {change.key for entry in told(make(), entries)[2] for change in entry if change.table == table.name}
            for key in [*keys, "nobody" if table.key is str else 2**40]:
                lines = list(story_of_row(reader, table, key, until))
                parts = {
                    each.name: moves(reader, table, each, key, until, max(2, len(entries))) for each in table.columns
                }
                expected = Seen() if not lines else Seen(
                    len(lines), sum(line.code in refused for line in lines), lines[-1].ordinal, lines[0].ordinal,
                    lines[-1].entry_id, lines[0].entry_id,
                )  # fmt: skip
                changed = [each.ordinals for each in parts.values()]
                assert seen(reader, table, key, until, changed, refused) == expected
                for column in table.columns:
                    moved = list(Story(reader, table, column, key).backwards(until))
                    ordinals, totals, found = parts[column.name]
                    assert ordinals.tolist() == [each.ordinal for each in reversed(moved)]
                    assert (totals is not None) == (found is not None) == is_amount(column)
                    if totals is None or found is None:
                        continue
                    by = [(each.after or 0) - (each.before or 0) for each in moved]
                    assert (totals.up, totals.down) == (sum(n for n in by if n > 0), sum(n for n in by if n < 0))
                    assert (totals.times, totals.first) == (len(moved), moved[-1].ordinal if moved else None)
                    if len(moved) < 2:
                        assert found.values == []
                        continue
                    assert (found.first, found.last) == (moved[-1].ordinal, moved[0].ordinal)
                    assert (found.first_id, found.last_id) == (moved[-1].entry_id, moved[0].entry_id)
                    assert found.values[0] == (moved[-1].after or 0)
                    assert found.values[-1] == (moved[0].after or 0)
                    assert set(found.values) <= {each.after or 0 for each in moved}
