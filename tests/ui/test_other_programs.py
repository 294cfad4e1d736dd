"""Dashboards of streams that other programs write."""

from pathlib import Path

import pytest

from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.fold.raw import RAW, RawFold
from esdash.fold.sorting import FIRST
from esdash.ui.app import DashboardApp
from esdash.ui.forms.type_form import TypeForm
from esdash.ui.main.preview import Preview
from esdash.ui.main.screen import MainScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.details import DetailsScreen
from esdash.ui.trust.parked import ParkedScreen
from tests.domains import CUSTOMERS, ROOMS, SENSORS
from tests.samples import samples
from tests.ui.looking import lines_of, main_of, text_of, told
from tests.ui.recorded import NOW, WALL, History, RecordedConsole

SIZE = (120, 40)


def dashboard(fold: Fold, *entries: list[bytes]) -> DashboardApp:
    """Over entries of another program, with both clocks frozen."""
    history = History(fold=fold)
    for fields in entries:
        history.add_fields(fields)
    parked = tuple(row for row in history.rows if row.code is not None and row.code < FIRST)
    console = RecordedConsole(history.live(parked=parked), fold)
    return DashboardApp(console, clock=lambda: NOW, wall_clock=lambda: WALL)


def domain(file: Path) -> Fold:
    """That of an example."""
    return load(str(file))


async def test_raw_tells_the_type_in_full_and_what_an_entry_says() -> None:
    entries = samples("cloudevents").entries, samples("debezium").entries
    both = entries[0]["structured: JSON"], entries[1]["compact: updated"]
    async with dashboard(RawFold(RAW), *both).run_test(size=SIZE) as pilot:
        log = "\n".join(lines_of(pilot.app, "log"))
        assert 'com.example.reading  data {"sensor":"hall"' in log
        assert 'customers            op u · before {"id":1' in log
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, DetailsScreen)
        text = pilot.app.screen.query_one(Pager).text
        assert "count     kind customers" in text
        assert "newest entry" not in text
        said, stored = text.split("What it says · Debezium")[1].split("As it is stored")
        assert '"first_name": "Anne Marie"' in said
        assert "schema    public" in said
        assert '{"id":1}' in stored
        await pilot.press("escape", "x")
        await pilot.pause()
        assert "XADD" not in pilot.app.screen.query_one(Pager).text, "none is ever parked"


@pytest.mark.parametrize("of_domain", [True, False])
async def test_a_payload_in_bytes_of_another_form_is_set_out(of_domain: bool) -> None:
    fields = samples("faststream").entries["headers"]
    async with dashboard(domain(SENSORS) if of_domain else RawFold(RAW), fields).run_test(size=(150, 40)) as pilot:
        app = pilot.app
        region = main_of(app).query_one(Preview).region
        preview = "\n".join(line[region.x :] for line in text_of(app)[region.y : region.bottom])
        for shown in ('"celsius": "21.5"', "message_id", "m-1"):
            assert shown in preview
        await pilot.press("enter")
        await pilot.pause()
        text = app.screen.query_one(Pager).text
        assert "What it says · FastStream" in text
        assert '"sensor": "hall"' in text
        assert "\\x89BIN" in text.split("As it is stored")[1]


async def test_a_parked_one_says_what_cannot_be_read_of_it() -> None:
    entries = samples("faststream").entries
    (name, value) = entries["JSON"]
    async with dashboard(domain(SENSORS), entries["text"], [name, value[:14]], [b"a", b"b"]).run_test(
        size=SIZE
    ) as pilot:
        app = pilot.app
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, ParkedScreen)
        seen = []
        for _ in range(3):
            seen.append(app.screen.query_one(Pager).text)
            await pilot.press("down")
            await pilot.pause()
        assert "It is no entry of FastStream, or it does not say its type." in seen[0]
        assert "it cannot be opened: FastStream writes nothing like it" in seen[1]
        assert "89 42 49 4e" in seen[1], "every byte"
        assert "plain" in seen[2].split("What it says · FastStream")[1]
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(app.screen, TypeForm)


async def test_nothing_is_published_where_a_database_speaks() -> None:
    entries = samples("debezium").entries
    app = dashboard(domain(CUSTOMERS), *entries.values())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("e")
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, ParkedScreen)
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(app.screen, ParkedScreen), "no form"
        said = [each for each in told(app) if "Debezium tells what a database did" in each]
        assert len(said) == 2


async def test_one_may_be_published_by_its_form() -> None:
    async with dashboard(domain(ROOMS), *samples("cloudevents").entries.values()).run_test(size=SIZE) as pilot:
        await pilot.press("e", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, TypeForm)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, MainScreen)
