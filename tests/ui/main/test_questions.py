"""Questions to the log that last: those that were asked before, and those that were saved under a name."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import OptionList

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.tables.question_book import MOST_ASKED, MOST_SAVED, QuestionBook
from esdash.ui.tables.saved_questions import QuestionsScreen, SaveQuestion
from tests.ui.looking import panel_of, text_of, told
from tests.ui.recorded import NOW, WALL, RecordedConsole

SIZE = (120, 40)
Start = Callable[..., DashboardApp]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "questions.json"


@pytest.fixture
def start(any_domain: str, busy: View, file: Path) -> Start:
    """A dashboard at another start, of the present domain."""

    def begin(keymap: dict[str, str] | None = None, **questions: str) -> DashboardApp:
        return DashboardApp(
            RecordedConsole(busy), UiSettings(keymap=keymap or {}), clock=lambda: NOW, wall_clock=lambda: WALL,
            book=QuestionBook(file, any_domain, questions),
        )  # fmt: skip

    return begin


class TestAskedBefore:
    @pytest.mark.domains_in_turn
    async def test_the_arrows_go_through_them_at_the_next_start(self, start: Start, file: Path) -> None:
        async with start().run_test(size=SIZE) as pilot:
            for asked in ("north", "south", "north"):
                await pilot.press("slash", *asked, "enter", "escape")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        async with (app := start()).run_test(size=SIZE) as pilot:
            line = panel_of(app, "log").input
            await pilot.press("slash", "x")
            seen = [line.value]
            for key in ("up", "up", "up", "down", "down"):
                await pilot.press(key)
                seen.append(line.value)
            assert seen == ["x", "north", "south", "south", "north", "x"]
            await pilot.press("up", "enter")
            await pilot.pause()
            assert " north · " in panel_of(app, "log").heading
            assert app.focused is panel_of(app, "log").table

    async def test_down_goes_back_to_the_table_from_what_was_typed(self, start: Start) -> None:
        async with (app := start()).run_test(size=SIZE) as pilot:
            await pilot.press("slash", *"north", "down")
            assert app.focused is panel_of(app, "log").table

    async def test_what_is_typed_after_one_is_kept_on_the_way(self, start: Start) -> None:
        async with (app := start()).run_test(size=SIZE) as pilot:
            line = panel_of(app, "log").input
            await pilot.press("slash", *"north", "enter", "escape", "slash", "up", "x", "up", "down")
            assert line.value == "northx"

    def test_so_many_are_kept_and_each_domain_has_its_own(self, file: Path) -> None:
        book = QuestionBook(file, "shop")
        for number in range(MOST_ASKED + 5):
            book.note(str(number))
        QuestionBook(file, "bank").note("bank")
        assert QuestionBook(file, "shop").asked == tuple(str(number) for number in range(5, MOST_ASKED + 5))
        assert QuestionBook(file, "bank").asked == ("bank",)

    def test_two_dashboards_do_not_forget_what_the_other_was_asked(self, file: Path) -> None:
        one, other = QuestionBook(file, "shop"), QuestionBook(file, "shop")
        one.note("one")
        other.note("other")
        one.save("name", "one")
        assert QuestionBook(file, "shop").asked == ("one", "other")

    def test_a_file_that_cannot_be_read_is_left_as_it_is(self, file: Path) -> None:
        file.parent.mkdir()
        file.write_text('{"shop": 7}')
        book = QuestionBook(file, "shop", {"mine": "hdd"})
        book.note("x")
        with pytest.raises(ValueError, match="cannot be read as questions"):
            book.save("name", "x")
        assert file.read_text() == '{"shop": 7}'

    def test_where_nothing_can_be_written_they_last_until_the_end(self, tmp_path: Path) -> None:
        (tmp_path / "no folder").write_text("")
        book = QuestionBook(tmp_path / "no folder" / "questions.json", "shop")
        book.note("x")
        assert book.asked == ("x",)
        with pytest.raises(OSError, match="no folder"):
            book.save("name", "x")


class TestSaved:
    @pytest.mark.domains_in_turn
    async def test_one_is_saved_while_it_is_typed_and_asked_by_its_name(
        self, start: Start, file: Path, any_domain: str
    ) -> None:
        async with (app := start()).run_test(size=SIZE) as pilot:
            await pilot.press("slash", *"outcome", "colon", *"rejected", "ctrl+s")
            assert isinstance(app.screen, SaveQuestion)
            await pilot.press(*"a b")
            await pilot.pause()
            assert "A name is a letter, then letters" in "\n".join(text_of(app))
            await pilot.press(*["backspace"] * 3, *"refused")
            await pilot.pause()
            assert "`esdash events @refused`" in "\n".join(text_of(app))
            await pilot.press("enter")
            await pilot.pause()
            assert any("Saved: @refused asks it." in line for line in told(app))
            await pilot.press("escape", "slash", "at", *"ref", "tab")
            await pilot.pause()
            heading = panel_of(app, "log").heading
            assert "@refused" in heading
        assert QuestionBook(file, any_domain).saved == {"refused": "outcome:rejected"}

    @pytest.mark.domains_in_turn
    async def test_nothing_is_no_question_and_a_wrong_one_is_not_saved(self, start: Start, file: Path) -> None:
        async with (app := start()).run_test(size=SIZE) as pilot:
            await pilot.press("slash", "ctrl+s")
            assert any("Type a question" in line for line in told(app))
            await pilot.press(*"amount", "greater_than_sign", "ctrl+s", *"wrong", "enter")
            await pilot.pause()
            assert isinstance(app.screen, SaveQuestion)
            assert "cannot be asked" in "\n".join(text_of(app))
        assert not file.exists()

    async def test_a_key_asks_one_of_the_settings_and_the_palette_knows_it(self, start: Start) -> None:
        app = start({"ask_refused": "f5"}, refused="outcome:rejected")
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("1", "f5")
            await pilot.pause()
            assert "@refused" in panel_of(app, "log").heading
            assert app.actions["ask_refused"].label == "@refused"

    async def test_they_are_listed_asked_and_forgotten(self, start: Start, file: Path, any_domain: str) -> None:
        QuestionBook(file, any_domain).save("mine", "north")
        QuestionBook(file, any_domain).note("south")
        async with (app := start({"ask_refused": "f5"}, refused="outcome:rejected")).run_test(size=SIZE) as pilot:
            await pilot.press("F")
            await pilot.pause()
            shown = "\n".join(text_of(app))
            assert "@refused  outcome:rejected · settings · F5" in shown
            await pilot.press("j", "d")
            await pilot.pause()
            assert "it is taken out there" in "\n".join(text_of(app))
            await pilot.press("k", "d")
            await pilot.pause()
            assert app.screen.query_one(OptionList).option_count == 2
            await pilot.press("j", "enter")
            await pilot.pause()
            assert not isinstance(app.screen, QuestionsScreen)
            assert "south" in panel_of(app, "log").heading
        assert QuestionBook(file, any_domain).saved == {}

    async def test_where_there_are_none_the_list_says_how_to_come_by_one(self, start: Start) -> None:
        async with (app := start()).run_test(size=(80, 24)) as pilot:
            await pilot.press("F")
            await pilot.pause()
            assert "None was asked yet" in "\n".join(text_of(app))

    async def test_hostile_text_is_shown_as_what_it_is(self, start: Start, file: Path, any_domain: str) -> None:
        QuestionBook(file, any_domain).save("x", "[red]\x1b[31m")
        async with (app := start()).run_test(size=SIZE) as pilot:
            await pilot.press("F")
            await pilot.pause()
            assert "[red]␛[31m" in "\n".join(text_of(app))

    def test_a_name_of_the_settings_goes_first_and_cannot_be_taken(self, file: Path) -> None:
        QuestionBook(file, "shop").save("x", "mine")
        book = QuestionBook(file, "shop", {"x": "theirs"})
        assert book.saved == {"x": "theirs"}
        with pytest.raises(ValueError, match="choose another name"):
            book.save("x", "mine")
        for number in range(MOST_SAVED - 1):
            book.save(f"n{number}", "x")
        with pytest.raises(ValueError, match="forget one first"):
            book.save("more", "x")
