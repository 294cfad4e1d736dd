"""The lines of a row's story: what fits where there is little room."""

import pytest

from esdash.engine.shown.kept import row_of
from esdash.past.numbers.story import story_of_row
from esdash.ui.paint.drawing import cells_of
from esdash.ui.past.board_source import REASONS, ROWS
from esdash.ui.past.story_source import StorySource
from esdash.ui.tables.columns import arrange, draw
from tests.domains import the_depots
from tests.past.recording import recorded
from tests.ui.past.depots import DEPOT_ENTRIES, FIRST_MS


def story(key: str, now: float = FIRST_MS / 1000) -> StorySource:
    """That of a depot."""
    fold = the_depots()
    table, _ = fold.storage.places["depots"]
    source = StorySource(fold, table, 0, lambda: now)
    with recorded(fold, DEPOT_ENTRIES) as reader:
        for line in story_of_row(reader, table, key):
            told = reader.told(line.ordinal, line.changes)
            source.add([(line, row_of(line.ordinal, DEPOT_ENTRIES[line.ordinal - 1], line.code, told))])
    return source


def test_a_time_is_no_amount_that_moves() -> None:
    source = story("d")
    assert [column.title for column in source.columns].count("±") == 1
    assert not any("000 s" in cell.text for place in range(len(source)) for cell in source.cells(place))


@pytest.mark.parametrize("width", [34, 40, 60, 100, 200])
def test_how_much_was_short_is_told_beside_a_long_event(width: int) -> None:
    source = story("漢[b]")
    refused = next(cells for cells in map(source.cells, range(len(source))) if "too_full" in cells[-2].text)
    told = draw(source.columns[-1], refused[-1], width)
    assert told.startswith("Delivered")
    assert told.rstrip().endswith("short 4,000")
    assert cells_of(told) == width


@pytest.mark.parametrize("width", range(51, 200, 5))
def test_more_columns_never_hide_how_much_was_short(width: int) -> None:
    source = story("漢[b]")
    refused = next(cells for cells in map(source.cells, range(len(source))) if "too_full" in cells[-2].text)
    cells = arrange(source.columns, source.wanted(), width, 1)
    assert "short 4,000" in draw(source.columns[-1], refused[-1], cells[-1])


def test_the_time_of_another_day_is_never_cut() -> None:
    source = story("d", FIRST_MS / 1000 + 3 * 86_400)
    wanted = len(source.cells(0)[0].text)
    assert wanted == 11
    for width in range(60, 90):
        assert arrange(source.columns, source.wanted(), width, 1)[0] in (0, wanted)
    for columns in (REASONS, ROWS):
        content = [11 if column.key == "since" else 30 for column in columns]
        for width in range(60, 90):
            assert arrange(columns, content, width, 1)[-1] in (0, 11)
