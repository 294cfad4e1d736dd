"""Two moments compared on the screen, over a real track."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from esdash.domain import Table
from esdash.fold.folding import Entry
from esdash.ui.past.difference import DifferenceScreen
from esdash.ui.past.marked import MarkedMoment
from esdash.ui.tables.line_table import LineTable
from tests.domains import the_depots
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.ui.past.depots import DEPOT_ENTRIES
from tests.ui.past.nine import nine
from tests.ui.past.overlooking import at_first, not_yet, past_of
from tests.ui.stage import Stage, until

FIRST, LAST = MarkedMoment(6, "#6 · 14:03:05"), MarkedMoment(len(DEPOT_ENTRIES), f"#{len(DEPOT_ENTRIES)} · 14:05:06")
NOTHING = MarkedMoment(0, "#0")


def no_page(_: Table, __: int | str) -> None:
    """No row has a page."""


class Page(Screen[int | str]):
    """Stands for the page of a row."""


async def compared(pilot: Pilot[None], told: str) -> list[str]:
    """Wait until the screen says something; its lines, from the title on."""
    stage = pilot.app
    assert isinstance(stage, Stage)
    await until(pilot, lambda: told in stage.plain)
    await pilot.pause()  # what it moved is laid out anew
    lines = [line.strip(" │▌┃") for line in stage.plain.splitlines()]
    return lines[next(place for place, line in enumerate(lines) if "Difference" in line) :]


@pytest.mark.usefixtures("any_domain")
async def test_what_cannot_be_told_yet_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fold = present().fold()
    past, _ = past_of(tmp_path, fold, nine().entries)
    there = at_first(monkeypatch, past, "difference", not_yet)
    stage = Stage(DifferenceScreen(fold, past, FIRST, MarkedMoment(9, "#9"), fold.domain.tables[:1], no_page))
    async with stage.run_test(size=(120, 40)) as pilot:
        await compared(pilot, "Not there yet.")
        there.set()
        assert not any("Not there" in line for line in await compared(pilot, "3 entries between the two moments"))


async def test_the_largest_difference_comes_first_and_the_entries_between_are_counted(tmp_path: Path) -> None:
    fold = the_depots()
    past, _ = past_of(tmp_path, fold, DEPOT_ENTRIES, segment=3)
    tables = [table for table in fold.domain.tables if not table.hidden]
    stage = Stage(DifferenceScreen(fold, past, FIRST, LAST, tables, no_page))
    async with stage.run_test(size=(120, 40)) as pilot:
        lines = await compared(pilot, "12 numbers differ · 10 entries between the two moments")
        assert "Difference  #6 · 14:03:05 → #16 · 14:05:06" in lines[0]
        assert lines[2].split() == ["tickets:1.grams", "5.000", "kg", "1,234.567", "kg", "+1,229.567", "kg"]
        assert lines[3].split() == ["tickets:3.grams", "–", "-0.009", "kg", "−0.009", "kg"]
        texts = [line.split() for line in lines if line.startswith(("depots:gone.name", "depots:new.name"))]
        assert texts == [["depots:gone.name", "Gone", "–"], ["depots:new.name", "–", "New"]]
        assert not any("slots:" in line for line in lines), "a hidden table stays hidden"
        entries = {" ".join(line.split()) for line in lines}
        assert {"Weighed ✓ 2", "Closed ✓ 1 · ✗ 1 unknown_depot", "type not known ! 1 unknown_type"} <= entries


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_texts_fit_and_are_harmless_in_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    fold = the_depots()
    past, _ = past_of(tmp_path, fold, DEPOT_ENTRIES)
    stage = Stage(DifferenceScreen(fold, past, NOTHING, LAST, fold.domain.tables, no_page))
    async with stage.run_test(size=size) as pilot:
        lines = await compared(pilot, "numbers differ")
        assert "tickets:1.grams" in lines[2]
        assert "+1,234.567 kg" in lines[2]
        await pilot.press("end")
        await pilot.pause()
        seen = stage.plain
        await pilot.press("pageup")
        await pilot.pause()
        seen += stage.plain
        assert "漢[b]" in seen
        assert "\x1b" not in seen
        edges = [line.rstrip()[-1:] for line in seen.splitlines() if "│" in line]
        assert set(edges) == {"│"}, "no line is longer than the frame"


async def test_enter_opens_the_page_of_the_row_and_an_entry_chosen_there_leaves_both(tmp_path: Path) -> None:
    opened: list[tuple[str, int | str]] = []

    def page_of(table: Table, key: int | str) -> Page:
        opened.append((table.name, key))
        return Page()

    fold = the_depots()
    past, _ = past_of(tmp_path, fold, DEPOT_ENTRIES)
    difference = DifferenceScreen(fold, past, FIRST, LAST, fold.domain.tables, page_of)
    stage = Stage(difference)
    async with stage.run_test(size=(80, 24)) as pilot:
        await compared(pilot, "numbers differ")
        await pilot.press("enter")
        assert isinstance(stage.screen, Page)
        assert opened == [("tickets", 1)]
        stage.screen.dismiss(None)
        await until(pilot, lambda: stage.screen is difference)
        await pilot.press("enter")
        page = stage.screen
        assert isinstance(page, Page)
        page.dismiss(7)
        await until(pilot, lambda: stage.results == [7])


async def test_thousands_of_numbers_are_listed_and_equal_moments_have_none(tmp_path: Path) -> None:
    entries: list[Entry] = [
        (b"%d-0" % user, [b"type", b"TopUp", b"data", b'{"user_id":%d,"amount":%d}' % (user, user)])
        for user in range(1, 10_001)
    ]
    fold = shop()
    past, _ = past_of(tmp_path, fold, entries)
    last = MarkedMoment(10_000, "#10,000")
    stage = Stage(DifferenceScreen(fold, past, NOTHING, last, fold.domain.tables, no_page))
    async with stage.run_test(size=(80, 24)) as pilot:
        lines = await compared(pilot, "10,000 numbers differ · 10,000 entries")
        assert lines[2].split() == ["users:10000.balance", "–", "100.00", "+100.00"]
        await pilot.press("end")
        await compared(pilot, "users:1.balance")
        assert stage.screen.query_one(LineTable).cursor == 9_999
        stage.push_screen(DifferenceScreen(fold, past, last, last, fold.domain.tables, no_page))
        await compared(pilot, "No number differs.")
        await pilot.press("enter", "escape")


@pytest.mark.usefixtures("any_domain")
async def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    fold = present().fold()
    past, _ = past_of(tmp_path, fold, nine().entries)
    stage = Stage(DifferenceScreen(fold, past, FIRST, MarkedMoment(99, "#99"), fold.domain.tables, no_page))
    async with stage.run_test(size=(80, 24)) as pilot:
        lines = await compared(pilot, "That part of the past is still being put together")
        assert not any("looking" in line for line in lines)
