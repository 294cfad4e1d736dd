"""Confirmation, help and steady load."""

import pytest
from textual.widgets import Button, Input

from esdash.engine.console import LoadStatus
from esdash.engine.publishing.load import MAX_RATE as MOST_OF_THE_ENGINE
from esdash.ui.forms.load import LoadScreen
from esdash.ui.forms.rates import MAX_RATE, read_rate
from esdash.ui.main.help import HelpScreen
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.paint.pager import Pager, wrap
from tests.ui.stage import Stage, a_shop, said, until, write

KEYS = (
    ("Publish", "t", "Top up", "Money comes in for a user"),
    ("Publish", "a", "Add item", ""),
    ("Consumer", "ctrl+k", "Crash", "Drop all memory, then restore and replay"),
)


class TestConfirming:
    QUESTION = ("Crash the consumer?", "Its memory is dropped.", "Crash it")

    @pytest.mark.parametrize(
        ("keys", "answer"),
        [
            (["enter"], False),
            (["escape"], False),
            (["n"], False),
            (["y"], True),
            (["tab", "enter"], True),
            (["right", "enter"], True),
            (["right", "left", "enter"], False),
        ],
    )
    async def test_it_is_no_unless_one_says_yes(self, keys: list[str], answer: bool) -> None:
        app = Stage(ConfirmScreen(*self.QUESTION))
        async with app.run_test() as pilot:
            await pilot.press(*keys)
            await until(pilot, lambda: app.results)
        assert app.results == [answer]

    @pytest.mark.parametrize(("button", "answer"), [("#yes", True), ("#no", False)])
    async def test_by_mouse(self, button: str, answer: bool) -> None:
        app = Stage(ConfirmScreen(*self.QUESTION))
        async with app.run_test() as pilot:
            await pilot.click(button)
            await until(pilot, lambda: app.results)
        assert app.results == [answer]

    async def test_left_twice_it_closes_nothing_else(self) -> None:
        app = Stage(first := ConfirmScreen(*self.QUESTION))
        async with app.run_test() as pilot:
            app.push_screen(second := ConfirmScreen(*self.QUESTION))
            second.action_answer(False)
            second.action_answer(True)
            await pilot.pause()
            assert app.screen is first

    async def test_it_fits_a_small_terminal_and_reads_no_markup(self) -> None:
        app = Stage(ConfirmScreen("Drop [red]x[/]?", "It is gone. " * 60, "[b]Drop"))
        async with app.run_test(size=(60, 16)):
            for needed in ("Drop [red]x[/]?", "[b]Drop", "No", "y yes · n no"):
                assert needed in app.plain


class TestReadingTheHelp:
    async def test_keys_by_group_then_the_flow_and_the_words(self) -> None:
        screen = HelpScreen(KEYS)
        async with Stage(screen).run_test():
            text = screen.query_one(Pager).text
        lines = text.splitlines()
        assert lines.index("Publish") < lines.index("Consumer")
        assert "t       Top up — Money comes in for a user" in lines
        assert "a       Add item" in lines
        for word in ("applied", "rejected", "parked", "duplicate", "ordinal", "snapshot", "continuity"):
            assert word in text

    @pytest.mark.parametrize("size", [(80, 24), (120, 40)])
    async def test_it_begins_with_the_words_that_one_meets_first(self, size: tuple[int, int]) -> None:
        app = Stage(HelpScreen(KEYS))
        async with app.run_test(size=size):
            lines = [line.strip("│ ") for line in app.plain.splitlines() if line.strip("│ ")]
        start = lines.index("In short") + 1
        words = ("log", "fold", "snapshot", "✗ rejected", "! parked", "= duplicate", "orphan", "restored from")
        for line, word in zip(lines[start:], words, strict=False):
            assert line.startswith(f"{word} ")

    @pytest.mark.parametrize("key", ["escape", "q", "question_mark"])
    async def test_it_closes(self, key: str) -> None:
        app = Stage(HelpScreen(KEYS))
        async with app.run_test() as pilot:
            await pilot.press(key)
            await until(pilot, lambda: app.results)

    @pytest.mark.parametrize("size", [(60, 16), (200, 60)])
    async def test_it_never_cuts_a_line(self, size: tuple[int, int]) -> None:
        screen = HelpScreen(KEYS)
        app = Stage(screen)
        async with app.run_test(size=size) as pilot:
            pager = screen.query_one(Pager)
            shown: list[str] = []
            for _ in range(20):
                await pilot.pause()
                shown.append(app.plain)
                await pilot.press("pagedown")
            everything = "\n".join(shown)
            for line in pager.text.splitlines():
                assert line.strip() in everything


class TestSteadyLoad:
    async def test_enter_starts_it_at_the_rate_that_is_typed(self) -> None:
        console = a_shop()
        app = Stage(LoadScreen(console))
        async with app.run_test() as pilot:
            assert said(pilot) == "■ stopped"
            # What is there is selected: typing takes its place.
            await write(pilot, "250")
            await pilot.press("enter")
            assert console.asked == ["load 250"]
            assert said(pilot) == "▶ running at 250/s · 0 sent"
            assert str(app.screen.query_one("#switch", Button).label) == "Stop"

    async def test_arrows_step_through_round_rates_and_a_running_load_follows(self) -> None:
        console = a_shop()
        async with Stage(LoadScreen(console)).run_test() as pilot:
            await pilot.press("up", "up", "down")
            assert console.asked == []
            await pilot.press("ctrl+s", "up", "ctrl+s")
        assert console.asked == ["load 20", "load 50", "load stopped"]

    async def test_it_counts_what_is_sent(self) -> None:
        console = a_shop()
        async with Stage(LoadScreen(console)).run_test() as pilot:
            console.load = LoadStatus(True, 100.0, 12_345, "")
            await until(pilot, lambda: said(pilot) == "▶ running at 100/s · 12,345 sent")

    async def test_it_says_why_it_stopped_by_itself(self) -> None:
        console = a_shop()
        console.load = LoadStatus(False, 100.0, 12, "The server is out of memory.")
        async with Stage(LoadScreen(console)).run_test() as pilot:
            assert said(pilot) == "✗ stopped by itself after 12: The server is out of memory."

    @pytest.mark.parametrize("rate", ["0", "x", "1e9", "200000"])
    async def test_a_wrong_rate_starts_nothing(self, rate: str) -> None:
        console = a_shop()
        screen = LoadScreen(console)
        async with Stage(screen).run_test() as pilot:
            screen.query_one("#rate", Input).value = rate
            await pilot.press("enter")
            assert "a rate is a number of events a second" in str(said(pilot, ".note"))
        assert console.asked == []

    async def test_read_only_starts_nothing_and_says_so(self) -> None:
        console = a_shop()
        console.become(readonly=True)
        app = Stage(LoadScreen(console))
        async with app.run_test(size=(60, 16)) as pilot:
            await pilot.press("enter")
            await pilot.click("#switch")
            assert "read-only" in app.plain
        assert console.asked == []


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("abcdefgh i", 3, ["abc", "def", "gh", "i"]),
        ("日本語", 4, ["日本", "語"]),
    ],
)
def test_text_is_wrapped_between_words_where_that_is_possible(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@pytest.mark.parametrize(("text", "rate"), [("0.5", 0.5), ("1,000", 1000.0), (" 250 ", 250.0)])
def test_a_rate_is_read_as_people_write_it(text: str, rate: float) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "nan", "1e3", "1,00", "", "100001"])
def test_what_is_no_rate_is_answered_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="a rate is a number of events a second from"):
        read_rate(text)


def test_the_bounds_of_a_rate_are_those_of_the_engine() -> None:
    assert MAX_RATE == MOST_OF_THE_ENGINE
