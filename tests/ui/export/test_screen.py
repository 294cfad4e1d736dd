"""Handing on what the dashboard shows, over a real consumer and a real track."""

import csv
import json
import stat
from pathlib import Path

import pytest
import redis
from textual.pilot import Pilot
from textual.widgets import Input

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.log.stream import Stream
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.clipboard import FORBIDDEN
from esdash.ui.export.screen import ExportScreen
from tests.domains.ways import present
from tests.ui.looking import main_of, text_of, told
from tests.ui.past.keeping import dashboard, go_to, publish
from tests.ui.past.nine import nine
from tests.ui.stage import said, until

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


@pytest.fixture(autouse=True)
def _nine_entries(any_domain: str, client: redis.Redis) -> None:  # noqa: ARG001 - they are of that one
    """Nine entries are in the stream."""
    publish(client)


async def export(pilot: Pilot[None], form: str, path: Path | None) -> str:
    """Open the dialog, choose a form, and a file, or without one the clipboard; what stands there then."""
    app = pilot.app
    below = app.screen
    await pilot.press("ctrl+e")
    await until(pilot, lambda: isinstance(app.screen, ExportScreen))
    await pilot.press(form)
    if path is not None:
        app.screen.query_one("#file", Input).value = str(path)
    await pilot.press("c" if path is None else "enter")
    await until(pilot, lambda: app.screen is below)
    if path is None:
        return app.clipboard
    await until(pilot, path.exists)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text()


async def test_what_is_shown_is_handed_on_in_every_form(log: Stream, tmp_path: Path) -> None:
    async with dashboard(log, tmp_path / "past") as (app, pilot):
        # The log: all of it, then what a question asks for.
        rows = list(csv.reader((await export(pilot, "1", tmp_path / "log.csv")).splitlines()))
        assert [row[0] for row in rows] == ["#", *map(str, range(1, 10))]
        assert told(app)[-1].endswith("9 lines in " + str(tmp_path / "log.csv") + ".")
        panels = main_of(app).panels
        panels.list_matching("outcome:rejected or outcome:parked")
        await until(pilot, lambda: panels.log_lines.needle and panels.log_lines.searched is None)
        lines = [json.loads(line) for line in (await export(pilot, "2", None)).splitlines()]
        assert [(line["ordinal"], line["outcome"]) for line in lines] == [(4, "parked"), (6, "rejected")]
        panels.action_clear()
        # A table of the past.
        await go_to(pilot, 6)
        await pilot.press("1", "home")
        rows = list(csv.reader((await export(pilot, "1", None)).splitlines()))
        assert (rows[1][0], len(rows)) == (nine().key, 1 + nine().rows_then)
        assert nine().shown[6] in rows[1]
        # The screen, without the dialog.
        picture = await export(pilot, "4", tmp_path / "screen.svg")
        assert picture.startswith("<svg")
        assert "AS" in picture
        assert "spreadsheet" not in picture
        # The page of a row, all of its story, and the board.
        await pilot.press("escape", "home", "enter")
        await until(pilot, lambda: type(app.screen).__name__ == "RowPage")
        rows = list(csv.reader((await export(pilot, "1", tmp_path / "row.csv")).splitlines()))
        assert [row[0] for row in rows] == ["#", *map(str, reversed(nine().about))]
        await pilot.press("escape", "exclamation_mark", "3")
        await until(pilot, lambda: any("of 9 entries" in line for line in text_of(app)))
        lines = [json.loads(line) for line in (await export(pilot, "2", tmp_path / "board.jsonl")).splitlines()]
        assert [line["reason"] for line in lines if line.get("outcome") == "parked"] == ["unknown_type"]
        assert [line["reason"] for line in lines if line.get("outcome") == "rejected"] == [nine().refused.split()[0]]


@pytest.mark.shop_alone
async def test_numbers_are_handed_on_as_they_are_shown_or_as_they_are(log: Stream, tmp_path: Path) -> None:
    async with dashboard(log, tmp_path / "past") as (app, pilot):
        rows = list(csv.reader((await export(pilot, "1", None)).splitlines()))
        assert rows[1][8] == "balance of 7 new → 30.00"
        lines = [json.loads(line) for line in (await export(pilot, "2", None)).splitlines()]
        assert (lines[5]["needed"], lines[5]["available"], lines[5]["changes"]) == (17000, 3300, [])
        # A table as it is sorted, and the same of the past.
        await pilot.press("1", "i")
        rows = list(csv.reader((await export(pilot, "1", None)).splitlines()))
        assert rows == [["user", "balance"], ["9", "1.00"], ["8", "1.00"], ["7", "16.00"]]
        await pilot.press("m")
        await go_to(pilot, 3)
        assert (await export(pilot, "3", None)).splitlines()[-1] == "| 7 | 50.00 |"
        # Two moments compared.
        await pilot.press("m")
        await until(pilot, lambda: any("between the two moments" in line for line in text_of(app)))
        lines = [json.loads(line) for line in (await export(pilot, "2", None)).splitlines()]
        assert {"number": "users:7.balance", "before": 1600, "after": 5000} in lines
        assert {"type": "Order", "outcome": "applied", "reason": None, "count": 2} in lines


async def test_a_file_that_is_there_or_cannot_be_is_said_in_the_dialog(log: Stream, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    async with dashboard(log, tmp_path / "past", size=(80, 24)) as (app, pilot):
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        field = app.screen.query_one("#file", Input)
        assert field.value.endswith(".csv")
        await pilot.press("2")
        await until(pilot, lambda: field.value.endswith(".jsonl"))
        for path, why in ((tmp_path / "mine", "is there already"), (tmp_path / "none" / "x", "No such file")):
            field.value = str(path)
            await pilot.press("enter")
            await until(pilot, lambda why=why: why in said(pilot))  # type: ignore[misc]
        field.value = ""
        await pilot.press("enter", "escape")
        assert not isinstance(app.screen, ExportScreen)
    assert (tmp_path / "mine").read_text() == "mine"


async def test_where_the_settings_forbid_it_nothing_is_exported_copied_or_pictured(
    log: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(console, UiSettings(export=False))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: console.view.position.ordinal == 9, timeout=20)
        for count, key in enumerate(("ctrl+e", "y"), 1):
            await pilot.press(key)
            await until(pilot, lambda count=count: len(told(app)) == count)  # type: ignore[misc]
        app.action_save_picture()
        app.copy_to_clipboard("what was marked with the mouse")
        await pilot.press("enter")
        await pilot.press("y")
        await until(pilot, lambda: len(told(app)) >= 5)
        assert all(FORBIDDEN in message for message in told(app)[:5])
        assert app.clipboard == ""
        assert not any(isinstance(screen, ExportScreen) for screen in app.screen_stack)
    assert not list(tmp_path.rglob("*.svg"))
