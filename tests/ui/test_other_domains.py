"""Dashboards of domains that are not the shop: whatever is declared has its panels, keys, hints and words."""

import json
import threading
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from esdash.domain import COUNT, Column, Domain, EventType, Table, decimal
from esdash.engine.shown.view import Continuity, Phase, Verdict, View
from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.ui.app import DashboardApp
from esdash.ui.forms.event_types import EventTypesScreen
from esdash.ui.forms.publishing import EventForm
from esdash.ui.forms.type_form import TypeForm
from esdash.ui.main.screen import MainScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.details import DetailsScreen
from tests.ui.looking import lines_of, main_of, panel_of, settle, show, text_of, told
from tests.ui.recorded import NOW, WALL, History, RecordedConsole
from tests.ui.stage import until

SIZE = (139, 40)


def bank() -> Fold:
    """The bank of the design."""
    return load("tests/domains/bank.py")


def a_bank() -> History:
    """Three accounts; money has moved once, and once it could not."""
    history = History(fold=bank())
    for account, owner in (("A", "Ann"), ("B", "Bo"), ("two words", "\x1b[31mCy")):
        history.add("Opened", f'{{"account":"{account}","owner":{quoted(owner)}}}')
    history.add("Transferred", '{"source":"A","target":"B","amount":1234}')
    history.add("Opened", '{"account":"A","owner":"again"}')
    return history


def quoted(text: str) -> str:
    """As JSON has it."""
    return json.dumps(text)


class Put(Struct, frozen=True):
    """Put pieces somewhere."""

    where: str
    pieces: int


def put(state: Any, event: Put) -> None:
    """Into every table."""
    for number in range(6):
        table = getattr(state, f"t{number}")
        table.pieces[event.where] = event.pieces
        if event.pieces % 2:
            table.odd[event.where] = True


def many_tables() -> Fold:
    """Six tables, one of them hidden, and a key that the dashboard has already."""
    columns = (Column("pieces", int, COUNT, bar=True), Column("odd", bool))
    tables = tuple(Table(f"t{number}", f"row{number}", str, columns, hidden=number == 5) for number in range(6))
    return Fold(Domain("many", "1", tables, (EventType(Put, put, press="q"),)))


def some_pieces() -> History:
    """None, few and many."""
    history = History(fold=many_tables())
    for where, pieces in (("none", 0), ("few", 3), ("many", 50)):
        history.add_event(Put(where, pieces))
    return history


def dashboard(view: View, fold: Fold, **options: Any) -> DashboardApp:
    """Over a recorded view, with both clocks frozen."""
    return DashboardApp(RecordedConsole(view, fold), clock=lambda: NOW, wall_clock=lambda: WALL, **options)


class TestTables:
    async def test_every_declared_column_is_there_in_its_format(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            titles, first, *_ = lines_of(pilot.app, "accounts")
            assert titles.split() == ["account↑", "balance", "owner", "change", "ago"]
            assert first.split()[:3] == ["A", "0.00", "Ann"]

    async def test_one_table_has_the_whole_column(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            assert panel_of(pilot.app, "accounts").size.height == panel_of(pilot.app, "log").size.height

    @pytest.mark.usefixtures("every_picture")
    async def test_text_of_the_stream_is_harmless(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            assert "␛[31mCy" in "\n".join(lines_of(pilot.app, "accounts"))

    async def test_absent_cells_scarce_pieces_and_truth_values(self) -> None:
        async with dashboard(some_pieces().live(), many_tables()).run_test(size=SIZE) as pilot:
            source = main_of(pilot.app).panels.tables[0]
            few, many, none = (source.cells(index) for index in range(3))
            assert [cell.text for cell in few[:2]] == ["few", "3"]
            assert [few[1].style, many[1].style, none[1].style] == ["warning", "", "bad"]
            assert [few[3].text, many[3].text] == ["yes", "–"]

    async def test_a_change_of_what_is_no_number_is_told_by_its_column(self) -> None:
        table = Table("notes", "note", str, (Column("text", str),))
        fold = Fold(Domain("notes", "1", (table,), (EventType(Note, note),)))
        history = History(fold=fold)
        history.add_event(Note("a", "hello"))
        async with dashboard(history.live(), fold).run_test(size=SIZE) as pilot:
            assert lines_of(pilot.app, "notes")[1].split()[:3] == ["a", "hello", "text"]

    async def test_the_column_that_lines_are_sorted_by_is_there_however_narrow_the_panel(self) -> None:
        async with dashboard(some_scales().live(), scales()).run_test(size=(60, 24)) as pilot:
            await pilot.press("1")
            await pilot.pause()
            assert lines_of(pilot.app, "scales")[0].split() == ["↑scale", "grams", "pieces"]
            for titles in ("scale ↓grams pieces", "scale grams ↓pieces", "scale grams ↓tare"):
                await pilot.press("greater_than_sign")
                assert lines_of(pilot.app, "scales")[0].split() == titles.split()

    async def test_lines_reach_from_edge_to_edge_after_every_change_of_size(self) -> None:
        async with dashboard(some_scales().live(), scales()).run_test(size=(150, 24)) as pilot:
            table = panel_of(pilot.app, "scales").table
            for width in (150, 161, 172, 150):
                await pilot.resize_terminal(width, 24)
                await pilot.pause()
                assert {table.render_line(y).cell_length for y in (1, 2)} == {table.size.width}, width


class Weighed(Struct, frozen=True):
    """Weigh something."""

    scale: int
    grams: int
    pieces: int
    tare: int


def weighed(state: Any, event: Weighed) -> None:
    state.scales.grams[event.scale] = event.grams
    state.scales.pieces[event.scale] = event.pieces
    state.scales.tare[event.scale] = event.tare


def scales() -> Fold:
    """One table of long numbers, nothing in which takes what room is left."""
    columns = tuple(Column(name, int, decimal(18)) for name in ("grams", "pieces", "tare"))
    return Fold(Domain("scales", "1", (Table("scales", "scale", int, columns),), (EventType(Weighed, weighed),)))


def some_scales() -> History:
    """More than fit."""
    history = History(fold=scales())
    for number in range(50):
        history.add_event(Weighed(number, 10**18 + number, 2 * 10**18, -number))
    return history


class Note(Struct, frozen=True):
    name: str
    text: str


def note(state: Any, event: Note) -> None:
    state.notes.text[event.name] = event.text


class TestMoreTablesThanFit:
    async def test_those_without_room_wait_behind_their_names(self) -> None:
        fold = many_tables()
        async with dashboard(History(fold=fold).live(), fold).run_test(size=(80, 24)) as pilot:
            app = pilot.app
            assert shown(app) == ["t0", "t1", "log"]
            assert "5 T4" in text_of(app)[3]
            await pilot.press("5")
            await pilot.pause()
            assert shown(app) == ["t0", "t4", "log"]
            assert app.focused is panel_of(app, "t4").table
            await pilot.click("#tabs", offset=(text_of(app)[3].index("3 T2"), 0))
            await pilot.pause()
            assert shown(app) == ["t2", "t4", "log"]

    async def test_a_click_on_an_arrow_shows_the_next_one_that_has_no_room(self) -> None:
        fold = many_tables()
        async with dashboard(History(fold=fold).live(), fold).run_test(size=(60, 24)) as pilot:
            app = pilot.app
            await pilot.press("1")
            await pilot.pause()
            for arrow, panel in (("›", "log"), ("‹", "t0")):
                line = text_of(app)[3]
                assert panel.upper() not in line.upper()
                await pilot.click("#tabs", offset=(line.index(arrow), 0))
                await pilot.pause()
                assert app.focused is panel_of(app, panel).table

    async def test_a_large_terminal_has_room_for_all(self) -> None:
        fold = many_tables()
        async with dashboard(History(fold=fold).live(), fold).run_test(size=(200, 60)) as pilot:
            assert shown(pilot.app) == ["t0", "t1", "t2", "t3", "t4", "log"]

    async def test_names_that_have_no_room_give_way_around_the_current_one(self) -> None:
        fold = many_tables()
        async with dashboard(History(fold=fold).live(), fold).run_test(size=(60, 16)) as pilot:
            assert "6 Log" in text_of(pilot.app)[3]
            await pilot.press("1")
            await pilot.pause()
            assert "1 T0" in text_of(pilot.app)[3]


def shown(app: Any) -> list[str]:
    """The panels that are on the screen."""
    names = [source.table.name for source in main_of(app).panels.tables]
    return [name for name in (*names, "log") if panel_of(app, name).table.size.height]


class TestPublishing:
    async def test_a_key_that_is_free_is_given_and_starts_from_the_selected_row(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            assert "a Opened  t Transferred" in text_of(pilot.app)[-1]
            await pilot.press("1", "down", "t")
            await pilot.pause()
            assert isinstance(pilot.app.screen, EventForm)
            assert "B" in [widget.value for widget in pilot.app.screen.query("Input")]  # type: ignore[attr-defined]

    async def test_the_list_has_all_types_also_those_without_a_key(self) -> None:
        fold = many_tables()
        async with dashboard(History(fold=fold).live(), fold).run_test(size=SIZE) as pilot:
            app = pilot.app
            assert "e Events" in text_of(app)[-1]
            await pilot.press("e")
            await pilot.pause()
            assert isinstance(app.screen, EventTypesScreen)
            assert any("Put pieces somewhere." in line for line in text_of(app))
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, EventForm)

    async def test_what_is_typed_behind_a_slash_finds_one_of_them(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            await pilot.press("e", "slash", *"MOVE", "enter")
            await pilot.pause()
            assert isinstance(pilot.app.screen, TypeForm)
            assert pilot.app.screen.event_type.wire_name == "Transferred"

    @pytest.mark.parametrize("key", ["b", "p", "P", "plus"])
    async def test_without_a_sample_there_is_no_made_up_event(self, key: str) -> None:
        console = RecordedConsole(a_bank().live(), bank())
        app = DashboardApp(console)
        async with app.run_test(size=SIZE) as pilot:
            assert "Produce" not in text_of(app)[-1]
            await pilot.press(key)
            await settle(pilot)
            assert told(app) == ["! bank declares no `sample`, so there are no made-up events."]
            assert console.asked == []

    async def test_an_empty_table_teaches_how_to_fill_it(self) -> None:
        fold = bank()
        async with dashboard(History(fold=fold).live(), fold).run_test(size=SIZE) as pilot:
            screen = "\n".join(text_of(pilot.app))
            assert "No accounts yet." in screen
            assert "Press a for Opened." in screen


class TestEntriesAndTheirRows:
    async def test_enter_on_a_row_shows_the_entries_about_it_and_typing_the_same_does_so_too(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            app = pilot.app
            await pilot.press("1", "down", "enter")
            await pilot.pause()
            assert panel_of(app, "log").input.value == "account:B"
            chosen = lines_of(app, "log")
            assert [line.split()[1] for line in chosen[1:] if line.strip()] == ["2", "4"]
            await pilot.press("escape", "slash")
            panel_of(app, "log").input.value = "account:B"
            await pilot.pause()
            assert [line for line in lines_of(app, "log")[1:] if line.strip()] == [
                line for line in chosen[1:] if line.strip()
            ]

    async def test_what_is_typed_goes_on_with_a_chosen_filter(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            await pilot.press("1", "down", "enter", "slash", "x")
            assert panel_of(pilot.app, "log").input.value == "account:Bx"

    @pytest.mark.parametrize(
        "typed", ['account:"two words"', "account:'two words' ", 'outcome:applied account:"two words"']
    )
    async def test_a_key_of_two_words(self, typed: str) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            await pilot.press("slash")
            panel_of(pilot.app, "log").input.value = typed
            await pilot.pause()
            assert panel_of(pilot.app, "log").heading == f"2 Log · {typed.strip()} · 1 of 5"

    async def test_details_lead_to_the_rows(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=SIZE) as pilot:
            app = pilot.app
            await pilot.press("up", "enter")
            await pilot.pause()
            assert isinstance(app.screen, DetailsScreen)
            text = app.screen.query_one(Pager).text
            assert "needed 12.34, had 0.00, short 12.34" in text
            assert "account A" in text
            await pilot.press("2")
            await pilot.pause()
            assert isinstance(app.screen, MainScreen)
            assert app.focused is panel_of(app, "accounts").table
            assert panel_of(app, "accounts").table.selected == "B"

    async def test_a_refusal_says_what_was_short_where_there_is_room(self) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=(200, 40)) as pilot:
            await pilot.press("V")
            await pilot.pause()
            assert "✗ insufficient_funds · short 12.34" in "\n".join(lines_of(pilot.app, "log"))
            await pilot.resize_terminal(260, 40)
            await pilot.press("z")
            await pilot.pause()
            assert "needed 12.34, had 0.00, short 12.34" in "\n".join(lines_of(pilot.app, "log"))


class SlowReload(RecordedConsole):
    """Reads the files of its domain until the test says so."""

    def __init__(self, view: View, fold: Fold) -> None:
        super().__init__(view, fold)
        self.release = threading.Event()

    def reload(self) -> None:
        """Remember, and wait."""
        super().reload()
        self.release.wait(10)


class TestADomainThatFails:
    def halted(self) -> View:
        note = "bank.py:43: KeyError: 'A' at entry 1749999400548-0."
        return replace(
            a_bank().live(), phase=Phase.HALTED, phase_note=note, continuity=Continuity(Verdict.CONTINUOUS), lag=1
        )

    async def test_the_banner_shows_entry_and_line_and_offers_to_reload(self) -> None:
        console = RecordedConsole(self.halted(), bank())
        app = DashboardApp(console)
        async with app.run_test(size=SIZE) as pilot:
            lines = " ".join(text_of(app)[2:5])
            assert "bank.py:43: KeyError: 'A' at entry 1749999400548-0." in lines
            for choice in ("S stay", "R reload", "q quit"):
                assert choice in lines
            assert "rebuild" not in lines
            before = app.screen
            await pilot.press("R")
            await settle(pilot)
            assert console.asked == ["reload"]
            assert app.screen is not before
            assert isinstance(app.screen, MainScreen)
            await show(pilot, console, a_bank().live())
            assert "● LIVE" in text_of(app)[0]
            assert "A" in lines_of(app, "accounts")[1]
            await pilot.press("1", "down")
            assert panel_of(app, "accounts").table.selected == "B"

    async def test_while_its_files_are_read_nothing_is_drawn_by_the_former_rules(self) -> None:
        console = SlowReload(self.halted(), bank())
        app = DashboardApp(console)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("R")
            await until(pilot, lambda: console.asked == ["reload"])
            await show(pilot, console, a_bank().live())
            assert "■ HALTED" in text_of(app)[0]
            console.release.set()
            await until(pilot, lambda: "● LIVE" in "".join(text_of(app)[:1]))

    async def test_a_file_that_is_still_wrong_is_told_and_nothing_changes(self) -> None:
        console = RecordedConsole(self.halted(), bank())
        console.failures = ["bank.py:12: invalid syntax."]
        app = DashboardApp(console)
        async with app.run_test(size=SIZE) as pilot:
            before = app.screen
            await pilot.press("R")
            await settle(pilot)
            assert told(app) == ["✗ bank.py:12: invalid syntax."]
            assert app.screen is before

    async def test_otherwise_there_is_nothing_to_reload(self) -> None:
        console = RecordedConsole(a_bank().live(), bank())
        app = DashboardApp(console)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("R")
            await settle(pilot)
            assert console.asked == []
            assert "nothing to mend" in told(app)[0]


class TestAStreamOfSomethingElse:
    def strange(self, count: int = 12) -> View:
        history = History(fold=bank())
        for number in range(count):
            history.add_fields([b"temperature", b"%d" % number])
        return history.live()

    async def test_the_banner_says_that_none_of_it_fits(self) -> None:
        async with dashboard(self.strange(), bank()).run_test(size=SIZE) as pilot:
            lines = " ".join(" ".join(text_of(pilot.app)[2:6]).split())
            assert "These entries are none of bank's events. `esdash --domain raw --stream orders` shows" in lines

    async def test_a_key_leaves_for_raw_where_that_is_possible(self) -> None:
        app = dashboard(self.strange(), bank(), may_go_raw=True)
        async with app.run_test(size=SIZE) as pilot:
            assert "W shows them as they are" in "\n".join(text_of(app)[2:6])
            await pilot.press("W")
            await settle(pilot)
            assert app.wants_raw
            assert app._exit

    async def test_few_entries_say_nothing_about_a_stream(self) -> None:
        async with dashboard(self.strange(9), bank()).run_test(size=SIZE) as pilot:
            assert "none of bank's" not in "\n".join(text_of(pilot.app))

    async def test_one_that_fits_is_enough(self) -> None:
        history = a_bank()
        for number in range(20):
            history.add_fields([b"temperature", b"%d" % number])
        async with dashboard(history.live(), bank()).run_test(size=SIZE) as pilot:
            assert "none of bank's" not in "\n".join(text_of(pilot.app))


class TestEveryTerminal:
    @pytest.mark.parametrize("size", [(60, 16), (120, 40)])
    async def test_every_key_does_something_and_nothing_breaks(self, size: tuple[int, int]) -> None:
        async with dashboard(a_bank().live(), bank()).run_test(size=size) as pilot:
            for panel in "12":
                await pilot.press(panel, "down", "G", "g", "i", ">", "<", "y", "z", "z", "enter", "escape", "escape")
            assert isinstance(pilot.app.screen, MainScreen)

    @pytest.mark.usefixtures("every_picture")
    async def test_the_help_and_the_palette_know_the_events(self) -> None:
        app = DashboardApp(RecordedConsole(a_bank().live(), bank()))
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("question_mark")
            text = " ".join(app.screen.query_one(Pager).text.split())
            assert "t Transferred — Move money between two accounts. Publishes Transferred." in text
            await pilot.press("escape")
            await pilot.press("ctrl+p", *"open an")
            await settle(pilot)
            assert any("Opened" in line for line in text_of(app))
