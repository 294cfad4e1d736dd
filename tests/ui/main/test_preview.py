"""What the cursor stands on, beside the panels of a wide terminal."""

import re
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import redis
from msgspec.structs import replace

from esdash.log.stream import Stream
from esdash.ui.app import DashboardApp
from esdash.ui.main.arrangement import preview_for
from esdash.ui.main.preview import Preview
from tests.ui.any_domain import one, press, table
from tests.ui.looking import cursor_line, main_of, panel_of, show, text_of
from tests.ui.past.keeping import dashboard as over_a_past
from tests.ui.past.keeping import publish
from tests.ui.recorded import RecordedConsole, busy_history, restored
from tests.ui.stage import until

Dashboard = Callable[..., DashboardApp]

SIZE = (140, 40)


def preview_of(app: DashboardApp) -> Preview:
    return main_of(app).query_one(Preview)


def shown(app: DashboardApp) -> str:
    """What the preview says, its frame included; empty where there is none."""
    region = preview_of(app).region
    lines = text_of(app)[region.y : region.bottom] if preview_of(app).display else []
    return "\n".join(line[region.x : region.right].strip("│ ").rstrip() for line in lines)


async def test_it_follows_the_cursor(dashboard: Dashboard) -> None:
    history = busy_history()
    history.add("Order", '{"user_id":3,"lines":[{"item_id":"hdd","quantity":900}]}', key=b"once-more")
    history.add("TopUp", '{"user_id":3,"amount":12300}')
    console = RecordedConsole(history.live())
    async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
        assert "#100 TopUp" in shown(app)
        assert "balance   user 3" in shown(app)
        assert "(+123.00)" in shown(app)
        assert '"amount": 12300' in shown(app)
        await pilot.press("up")
        await pilot.pause()
        text = shown(app)
        assert "#99 Order" in text
        assert "✗ rejected: out_of_stock" in text
        for word in ("needed", "had", "short"):
            assert any(line.startswith(word) for line in text.splitlines())
        assert "about     user 3, item hdd" in text
        assert "key once-more" in text
        await pilot.press("1", "home", "down", "down")
        await pilot.pause()
        assert "user 3" in shown(app).splitlines()[0]
        assert "balance" in shown(app).splitlines()[1]
        assert not console.looked_up, "what is known is not asked for"

        # What is not known is asked for in a thread; what came meanwhile is what counts.
        rows = console.view.rows
        untold = [replace(row, told=None) for row in rows[-3:]]
        console.gate = Event()
        await pilot.press("3", "end")
        await show(pilot, console, history.live(rows=(*rows[:-3], *untold)))
        await until(pilot, lambda: len(console.looked_up) == 1)
        assert "computing …" in shown(app)
        await pilot.press("up")
        console.gate.set()
        await until(pilot, lambda: console.looked_up == [rows[-1].entry_id, rows[-2].entry_id])
        await until(pilot, lambda: "computing" not in shown(app))
        assert "#99 Order" in shown(app)


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
async def test_hidden_it_asks_for_nothing_and_takes_no_room(dashboard: Dashboard) -> None:
    console = RecordedConsole(restored())
    async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
        width = main_of(app).query_one("#panel-log").size.width
        await pilot.press("V")
        await pilot.pause()
        assert not shown(app)
        assert main_of(app).query_one("#panel-log").size.width > width + 20
        rows = console.view.rows
        await show(pilot, console, replace(console.view, rows=tuple(replace(row, told=None) for row in rows)))
        await pilot.press("up", "down", press(table()))
        await pilot.press("V")
        await until(pilot, lambda: one() in shown(app))
        await pilot.press("z")
        await pilot.pause()
        assert not shown(app)
        await pilot.press("escape", press("log"), "end")
        await until(pilot, lambda: console.looked_up == [rows[-1].entry_id])
        await pilot.resize_terminal(139, 40)
        await pilot.pause()
        assert not shown(app)


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
async def test_it_tells_about_the_line_that_a_question_leaves_under_the_cursor(dashboard: Dashboard) -> None:
    async with (app := dashboard(restored())).run_test(size=(150, 40)) as pilot:
        await pilot.press("up", "up")
        await pilot.pause()
        before = shown(app).splitlines()[0]
        assert "#96 " in before
        await pilot.press(press(table()), "home", "enter")
        await pilot.pause()
        number = cursor_line(app, "log").split()[0]
        assert f"#{number} " in shown(app).splitlines()[0]
        assert shown(app).splitlines()[0] != before
        await pilot.press("escape")
        await pilot.pause()
        assert shown(app).splitlines()[0] == before
        await pilot.press("slash", *"nosuch")
        await pilot.pause()
        assert "#" not in shown(app)
        await pilot.press("escape", press(table()), "slash", "3")
        await pilot.pause()
        assert f"{one()} {panel_of(app, table()).table.selected}" in shown(app).splitlines()[0]


def test_it_has_room_from_140_columns_on_and_leaves_first() -> None:
    assert [preview_for("split", width) > 0 for width in (110, 139, 140, 239)] == [False, False, True, True]
    assert not any(preview_for(layout, 300) for layout in ("tiny", "tabs", "tall", "stacked"))


async def test_of_a_row_it_draws_the_curve_of_each_number_and_its_bounds(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with over_a_past(log, tmp_path, size=(150, 40)) as (app, pilot):
        await pilot.press("1", "home")
        preview = main_of(app).query_one(Preview)

        def beside() -> list[str]:
            region = preview.content_region
            return [line[region.x : region.right].rstrip() for line in text_of(app)[region.y : region.bottom]]

        await until(pilot, lambda: any("16.00 to 50.00" in line for line in beside()), timeout=20)
        lines = beside()
        assert re.fullmatch("balance +16.00", lines[0])
        assert re.fullmatch(" +▄█▄▁", lines[1]), "30.00, 50.00, 33.00, 16.00"
