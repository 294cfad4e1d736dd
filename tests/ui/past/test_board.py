"""The board of refusals, over a real track."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from esdash.domain import TIME
from esdash.engine.projection import Projection
from esdash.fold.folding import Entry
from esdash.past.building.recorder import Recorder
from esdash.past.entries.board import Board, RefusedReason, Sum
from esdash.ui.past.board import BoardScreen
from esdash.ui.past.board_source import REASONS, reason_lines
from tests.domains import the_depots
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.ui.past.depots import DEPOT_ENTRIES
from tests.ui.past.overlooking import at_first, not_yet, past_of
from tests.ui.stage import Stage, until

NOW = 1_700_007_200
"""Unix seconds: two hours after the first entry."""


def entry(second: int, name: str, data: dict[str, Any]) -> Entry:
    return b"%d-0" % ((NOW + second) * 1_000), [b"type", name.encode(), b"data", json.dumps(data).encode()]


def order(second: int, user: int, quantity: int, item: str = "hdd") -> Entry:
    return entry(second, "Order", {"user_id": user, "lines": [{"item_id": item, "quantity": quantity}]})


ENTRIES = [
    entry(-7_200, "TopUp", {"user_id": 7, "amount": 3_000}),
    entry(-7_199, "AddItem", {"item_id": "hdd", "count": 20, "price": 1_700}),
    order(-7_198, 7, 2),
    order(-7_197, 7, 30),
    entry(-1_800, "?", {}),
    order(-1_700, 7, 25),
    order(-60, 9, 1),
    order(-50, 7, 10),
    order(-40, 7, 1),
]
"""Of user 7 two orders are short of funds, 34.00 and 170.00 for 30.00, and two of stock, 30 and 25 for 20."""


def a_day() -> list[Entry]:
    """The same outcomes at the same times, of the present domain."""
    sound, refused, parked = present().sound, present().refused, ("?", dict[str, Any]())
    events = (sound(1, 1), sound(2, 1), refused, refused, parked, refused, refused, refused, sound(3, 1))
    return [(entry_id, entry(0, *event)[1]) for (entry_id, _), event in zip(ENTRIES, events, strict=True)]


async def counted(pilot: Pilot[None], told: str) -> list[str]:
    """Wait until the heading says something; the lines of the screen."""
    stage = pilot.app
    assert isinstance(stage, Stage)
    await until(pilot, lambda: told in stage.plain)
    await pilot.pause()  # what it moved is laid out anew
    return [line.strip(" │▌") for line in stage.plain.splitlines()]


async def test_it_counts_by_reason_and_by_row_over_five_minutes_an_hour_and_all(tmp_path: Path) -> None:
    past, _ = past_of(tmp_path, shop(), ENTRIES, segment=2)
    stage = Stage(BoardScreen(shop(), past, None, lambda: NOW))
    async with stage.run_test(size=(120, 40)) as pilot:
        lines = await counted(pilot, "2 refused · 0 parked of 3 entries, up to #9")
        reasons = [line.split()[1:3] for line in lines if line.startswith("✗")]
        assert reasons == [["unknown_user", "1"], ["insufficient_funds", "1"]]
        await pilot.press("tab")
        lines = await counted(pilot, "3 refused · 1 parked of 5 entries")
        assert any(line.startswith("! unknown_type") for line in lines)
        await pilot.press("tab")
        lines = await counted(pilot, "5 refused · 1 parked of 9 entries")
        of_stock, of_funds = (
            next(line for line in lines if reason in line) for reason in ("✗ out_of_stock", "✗ insufficient_funds")
        )
        assert of_stock.split()[2] == of_funds.split()[2] == "2"
        assert "15" in of_stock.split(), "what was short"
        assert "55" in of_stock.split(), "what was needed"
        assert {"144.00", "204.00"} < set(of_funds.split())
        assert "user 7 ×2" in of_stock
        assert "#4" in of_stock
        assert any(line.startswith("user 7") and "#3" in line for line in lines), "by row, since its first"
        await pilot.press("shift+tab", "1")
        await counted(pilot, "2 refused · 0 parked of 3 entries")


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
async def test_what_the_past_of_a_moment_cannot_tell_yet_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = present().fold()
    past, _ = past_of(tmp_path, fold, a_day())
    there = at_first(monkeypatch, past, "board", not_yet)
    stage = Stage(BoardScreen(fold, past, 9, lambda: NOW))
    async with stage.run_test(size=(120, 40)) as pilot:
        await counted(pilot, "Not there yet.")
        there.set()
        await counted(pilot, "2 refused · 0 parked of 3 entries, up to #9")


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
async def test_the_board_of_a_moment_is_whole_once_the_past_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = present().fold()
    past, _ = past_of(tmp_path, fold, a_day())
    tell = past.board
    there = at_first(monkeypatch, past, "board", lambda length, _, *more: tell(length, 5, *more))
    # A machine that sleeps a day while it counts does not look ten days later.
    days = itertools.count(NOW, 86_400)
    stage = Stage(BoardScreen(fold, past, 9, lambda: next(days)))
    async with stage.run_test(size=(120, 40)) as pilot:
        await counted(pilot, "up to #5")
        there.set()
        await counted(pilot, "2 refused · 0 parked of 3 entries, up to #9")


async def test_enter_asks_for_the_entries_of_a_line(tmp_path: Path) -> None:
    past, _ = past_of(tmp_path, shop(), ENTRIES)
    stage = Stage(BoardScreen(shop(), past, None, lambda: NOW))
    async with stage.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await counted(pilot, "5 refused")
        await pilot.press("end", "enter")
        stage.push_screen(BoardScreen(shop(), past, None, lambda: NOW), stage.results.append)
        await counted(pilot, "2 refused")
        await pilot.press("enter")
        stage.push_screen(BoardScreen(shop(), past, 6, lambda: NOW), stage.results.append)
        await counted(pilot, "of 2 entries, up to #6")
        await pilot.press("home", "right", "enter")
        assert stage.results == [
            "reason:unknown_user",
            f"reason:unknown_user since:{(NOW - 300) * 1_000 + 1}-0",
            f"user:7 outcome:rejected since:{(NOW - 1_700 - 300) * 1_000 + 1}-0",
        ]


@pytest.mark.usefixtures("any_domain")
async def test_what_is_parked_is_asked_for_as_such_and_nothing_is_a_sentence(tmp_path: Path) -> None:
    fold = present().fold()
    past, _ = past_of(tmp_path, fold, a_day())
    stage = Stage(BoardScreen(fold, past, 5, lambda: NOW))
    async with stage.run_test(size=(80, 24)) as pilot:
        await counted(pilot, "0 refused · 1 parked of 1 entry, up to #5 ·")
        await pilot.press("right", "enter")
        assert stage.results == [f"outcome:parked reason:unknown_type since:{(NOW - 1_800 - 300) * 1_000 + 1}-0"]
        stage.push_screen(BoardScreen(fold, past, 2, lambda: NOW), stage.results.append)
        lines = await counted(pilot, "0 refused · 0 parked of 2 entries, up to #2")
        assert "Nothing was refused in this stretch, and all was understood." in lines
        await pilot.press("enter", "exclamation_mark")
        assert stage.results[1:] == [None]


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
async def test_live_it_goes_on_and_where_there_is_no_past_it_says_so(tmp_path: Path) -> None:
    fold, entries = present().fold(), a_day()
    past, track = past_of(tmp_path, fold, entries[:6])
    stage = Stage(BoardScreen(fold, past, None, lambda: NOW))
    async with stage.run_test(size=(80, 24)) as pilot:
        await counted(pilot, "0 refused · 0 parked of 0 entries, up to #6")
        recorder = Recorder(track, "stream", Projection(fold))
        recorder.begin()
        recorder.add(entries)
        recorder.store()
        await counted(pilot, "2 refused · 0 parked of 3 entries, up to #9")
        (tmp_path / "track").unlink()
        await counted(pilot, "The past is not there yet. Try again in a moment.")


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_text_of_the_stream_is_harmless_in_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    fold = the_depots()
    past, _ = past_of(tmp_path, fold, DEPOT_ENTRIES, segment=3)
    stage = Stage(BoardScreen(fold, past, len(DEPOT_ENTRIES), lambda: NOW))
    async with stage.run_test(size=size) as pilot:
        await counted(pilot, "5 refused · 1 parked of 16 entries")
        lines = await counted(pilot, "depot d ")
        assert any(line.startswith("✗ too_full") and "3" in line.split() for line in lines)
        assert any(line.startswith("depot d ") for line in lines)
        assert size[0] < 80 or any("[red]nowhere" in line for line in lines)
        assert "\x1b" not in stage.plain
        edges = [line.rstrip()[-1:] for line in stage.plain.splitlines() if "│" in line]
        assert set(edges) == {"│"}, "no line is longer than the frame"


def test_times_are_not_added_up() -> None:
    fold = shop()
    code = next(code for code, outcome in enumerate(fold.outcomes) if outcome.reason == "out_of_stock")
    reason = RefusedReason(code, 2, 1, 0, [2], [Sum(TIME, 2, 10**13, 10**12)], [])
    ((_, cells),) = reason_lines(fold, Board(0, 1, 1, 0, 2, [reason], []), NOW)
    texts = dict(zip((column.key for column in REASONS), (cell.text for cell in cells), strict=True))
    assert (texts["short"], texts["needed"]) == ("", "")
