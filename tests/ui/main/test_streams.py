"""The streams of the server on the screen, and going from one to another."""

import pytest
from msgspec.structs import replace

from esdash.engine.console import EngineError
from esdash.engine.operations.streams import StreamSummary
from esdash.engine.operations.survey import Survey
from esdash.engine.shown.view import View
from esdash.log.survey import Group, Readers
from esdash.ui.app import DashboardApp
from esdash.ui.main.streams import StreamBoard, StreamsScreen
from tests.ui.looking import settle, text_of, told
from tests.ui.recorded import NOW, WALL, RecordedConsole
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("any_domain")

ORDERS = StreamSummary(
    name="orders",
    node=None,
    length=1234,
    entries_added=2000,
    first_id="1-0",
    last_id="1750000000000-0",
    rate=12.0,
    memory=20_480,
    expires_ms=None,
    domain="shop 1",
    snapshot_id="1990-a",
    snapshot_ms=int((WALL - 60) * 1000),
    behind=10,
    continuity="CONTINUOUS",
    keeper=None,
    readers=Readers(
        [Group("billing", "0-0", 3, None, None, None, 1, []), Group("mail", "0-0", 2, 1, 7, 2, 0, [])],
    ),
)
HOSTILE = replace(ORDERS, name="x\x1b[31m", continuity="GAP 4", domain=None, readers=Readers())


async def test_they_are_compared_and_another_one_is_opened(busy: View) -> None:
    asked = []

    def survey() -> Survey:
        asked.append(1)
        if len(asked) == 2:
            raise EngineError("No connection to the server.")
        return Survey([ORDERS, HOSTILE], ["Left out:\n1 stream."], whole=False, lost=False)

    board = StreamBoard(survey)
    app = DashboardApp(RecordedConsole(busy), clock=lambda: NOW, wall_clock=lambda: WALL, survey=lambda: board)
    async with app.run_test(size=(150, 30)) as pilot:
        await pilot.press("ctrl+o")
        await settle(pilot)
        screen = text_of(app)
        assert any("2 streams" in line for line in screen)
        assert any("Left out:␊1 stream." in line for line in screen)
        assert not any(" node " in line for line in screen)
        (orders,) = [line for line in screen if "● orders" in line]
        for words in ("1,234", "12/s", "shop 1", "1 min ago", "10", "billing lag ?, mail lag 7 nacked 2"):
            assert words in orders
        assert any("✗ GAP 4" in line and "x␛[31m" in line for line in screen)
        await pilot.press("r")
        await settle(pilot)
        assert any("No connection to the server." in line for line in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, StreamsScreen))
        assert app.wants_stream == "", "it is shown already"
        await pilot.press("ctrl+o", "down", "enter")
        await until(pilot, lambda: app.wants_stream == "x\x1b[31m")


async def test_where_there_is_no_other_one_it_is_said(busy: View) -> None:
    app = DashboardApp(RecordedConsole(busy), clock=lambda: NOW, wall_clock=lambda: WALL)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+o")
        assert "no other stream" in told(app)[-1]


async def test_in_a_cluster_the_node_of_each_is_told(busy: View) -> None:
    found = Survey(
        [replace(ORDERS, node="10.0.0.7:6379")], [f"Sentence {n}." for n in range(5)], whole=False, lost=True
    )
    board = StreamBoard(lambda: found, clustered=True)
    app = DashboardApp(RecordedConsole(busy), clock=lambda: NOW, wall_clock=lambda: WALL, survey=lambda: board)
    async with app.run_test(size=(150, 30)) as pilot:
        await pilot.press("ctrl+o")
        await settle(pilot)
        screen = text_of(app)
        assert any(" node " in line for line in screen)
        assert any("● orders" in line and "10.0.0.7:6379" in line for line in screen)
        assert any("Sentence 1." in line for line in screen)
        assert any("… 3 more" in line for line in screen)
