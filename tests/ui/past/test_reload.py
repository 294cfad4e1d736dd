"""The past while the domain is read again, or while everything ends."""

from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from esdash.engine.shown.view import Phase, Position
from esdash.fold.folding import Fold
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.past.service import Past
from esdash.ui.app import DashboardApp
from tests.ui.looking import main_of, settle
from tests.ui.recorded import RecordedConsole, blank
from tests.ui.stage import until
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("any_domain")


class Pasts:
    """Makes them, once it may, and knows what became of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.may = Event()
        self.may.set()
        self.wanted = 0
        self.open: list[Past] = []
        self.made: list[Past] = []

    def __call__(self, fold: Fold) -> Past:
        self.wanted += 1
        assert self.may.wait(20)
        pasts = self

        class Counted(Past):
            def close(self) -> None:
                pasts.open.remove(self)
                super().close()

        past = Counted(Stream(Server("redis://nowhere.invalid"), "stream"), fold, self._folder / "track")
        self.made.append(past)
        self.open.append(past)
        return past


def dashboard(pasts: Pasts) -> DashboardApp:
    return DashboardApp(RecordedConsole(replace(blank(), phase=Phase.LIVE, position=Position("1-1", 1))), past_of=pasts)


async def test_a_new_screen_never_has_the_past_of_the_former_rules(tmp_path: Path) -> None:
    pasts = Pasts(tmp_path)
    app = dashboard(pasts)
    async with app.run_test() as pilot:
        await until(pilot, lambda: main_of(app).time.past is not None)
        pasts.may.clear()
        app.begin_anew()
        assert main_of(app).time.past is None
        await until(pilot, lambda: pasts.wanted == 2)
        assert main_of(app).time.past is None
        assert not pasts.open
        pasts.may.set()
        await until(pilot, lambda: main_of(app).time.past is pasts.made[-1] and len(pasts.made) == 2)
    assert not pasts.open


async def test_of_several_that_are_begun_at_a_time_only_the_last_stays_open(tmp_path: Path) -> None:
    pasts = Pasts(tmp_path)
    app = dashboard(pasts)
    async with app.run_test() as pilot:
        await until(pilot, lambda: main_of(app).time.past is not None)
        pasts.may.clear()
        app.begin_anew()
        await until(pilot, lambda: pasts.wanted == 2)
        app.begin_anew()
        await until(pilot, lambda: pasts.wanted == 3)
        pasts.may.set()
        await settle(pilot)
        assert len(pasts.made) == 3
        assert [main_of(app).time.past] == pasts.open
    assert not pasts.open


async def test_one_that_is_begun_while_a_person_leaves_is_closed(tmp_path: Path) -> None:
    pasts = Pasts(tmp_path)
    pasts.may.clear()
    app = dashboard(pasts)
    async with app.run_test() as pilot:
        await until(pilot, lambda: pasts.wanted == 1)
    pasts.may.set()
    assert eventually(lambda: pasts.made and not pasts.open)
