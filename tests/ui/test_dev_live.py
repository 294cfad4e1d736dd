"""Rules that are being written, on the dashboard: what a save tells, and how they are taken."""

import sys
from pathlib import Path

import pytest
import redis
from textual.pilot import Pilot

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase
from esdash.fold.loading import load
from esdash.fold.outcomes import Outcome
from esdash.log.stream import Stream
from esdash.past.service import past_of
from esdash.past.track.folder import TrackFolder
from esdash.ui.app import DashboardApp
from esdash.ui.declared import Actions
from esdash.ui.main.rules_line import rules_line
from esdash.ui.sandbox.otherwise import OtherwiseScreen
from esdash.whatif.rules_process import RulesProcess
from esdash.whatif.telling import Entry, Number, Result, Told
from tests.ui.looking import lines_of, main_of, text_of, told
from tests.ui.stage import Stage, until
from tests.whatif.test_rules import publish
from tests.whatif.test_rules_process import RICH, STRICTER


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bank that gives 1.20 to whoever opens an account; saved twice within a second here."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "dev_bank.py"
    file.write_text(RICH)
    return file


@pytest.fixture
def app(log: Stream, client: redis.Redis, file: Path, tmp_path: Path) -> DashboardApp:
    publish(client, 11)
    console = LiveConsole(log, load(str(file)), ConsumerSettings(snapshot_seconds=0))
    return DashboardApp(
        console,
        past_of=lambda fold: past_of(log, fold, TrackFolder(tmp_path / "past", 10)),
        rules=RulesProcess(log, file),
    )


async def says(pilot: Pilot[None], app: DashboardApp, *words: str) -> str:
    """Wait until a line of the screen has all of these words; that line."""

    def line() -> str:
        return next((each for each in text_of(app) if all(word in each for word in words)), "")

    await until(pilot, line)
    return line()


async def test_a_save_is_told_and_its_rules_are_taken_under_another_version(app: DashboardApp, file: Path) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await says(pilot, app, "dev_bank.py is watched")
        await pilot.press("T", "B")
        await until(pilot, lambda: len(told(app)) >= 2)
        assert "Nothing was saved" in told(app)[-1]

        file.write_text(STRICTER)
        line = await says(pilot, app, "≠ dev_bank.py", "2 numbers differ", "first #3", "11 in all")
        assert "B shows them · T takes the new rules" in line

        file.write_text(STRICTER + "\n(")
        line = await says(pilot, app, "✗ dev_bank.py", "'(' was never closed.")
        assert f"dev_bank.py:{len(STRICTER.splitlines()) + 2}" in line
        await pilot.press("B")
        await until(pilot, lambda: "never closed" in told(app)[-1])

        file.write_text(STRICTER)
        await says(pilot, app, "≠ dev_bank.py")
        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, OtherwiseScreen))
        await says(pilot, app, "11 decided otherwise of 13 entries", "2 numbers differ")
        await says(pilot, app, "3", "Transferred", "✓ applied", "✗ insufficient_funds")
        await says(pilot, app, "accounts:A.balance", "1.50", "1.20", "−0.30")
        await until(pilot, lambda: main_of(app).time.past is not None)
        await pilot.press("down", "enter")
        await says(pilot, app, "AS OF #4")
        await pilot.press("escape")

        # The live state goes on with the old rules until then.
        assert "1.50" in lines_of(app, "accounts")[1]
        await pilot.press("T")
        await says(pilot, app, "Take these rules as version 1?")
        await pilot.press("escape")
        file.write_text(STRICTER.replace('version="1"', 'version="2"'))
        before = app.engine.fold
        await until(pilot, lambda: (found := main_of(app).rules.now) and found.result and not found.result.same_version)
        await pilot.press("T")
        await until(pilot, lambda: app.engine.fold is not before and app.engine.fold.version == "2")
        await until(pilot, lambda: app.engine.view.phase is Phase.LIVE)
        await says(pilot, app, "dev_bank.py is watched")
        await until(pilot, lambda: "1.20" in lines_of(app, "accounts")[1])

        file.write_text(STRICTER)
        await says(pilot, app, "✓ dev_bank.py", "the same on 13 entries")


class TestTheLine:
    ACTIONS = Actions(load("esdash.shop.domain:SHOP"), watched=True)
    APPLIED, REFUSED = Outcome("applied", None), Outcome("rejected", "overflow")

    def line(self, told: Told, width: int = 140) -> str:
        return "".join(span.text for span in rules_line(told, "bank.py", self.ACTIONS, 50_000, width))

    def result(self, numbers: int, entries: int, ends: str = "") -> Result:
        decided = [Entry(1204 + place, "1-1", "T", self.APPLIED, self.REFUSED) for place in range(entries)]
        return Result(216_924, numbers, entries, [], decided, True, "1", ends)

    @pytest.mark.parametrize(
        ("numbers", "entries", "width", "said"),
        [
            (12, 30, 140, "12 numbers differ · first #1,204 decided otherwise, 30 in all · B shows them · T takes the"),
            (12, 30, 80, "≠ bank.py 12:00:00 · 12 numbers, 30 entries from #1,204 · B shows · T takes"),
            (1, 0, 140, "≠ bank.py 12:00:00 · 1 number differs · B shows them · T takes the new rules"),
            (0, 0, 140, "✓ bank.py 12:00:00 · the same on 216,924 entries · T takes the new rules"),
        ],
    )
    def test_says_what_is_otherwise(self, numbers: int, entries: int, width: int, said: str) -> None:
        assert said in self.line(Told(43_200_000, result=self.result(numbers, entries)), width)

    def test_says_how_far_it_is_and_what_went_wrong(self) -> None:
        assert "50 %" in self.line(Told(43_200_000, folding=True, done=5, total=10))
        assert "✗ bank.py 12:00:00 · bank.py:3: ␛no." in self.line(Told(43_200_000, error="bank.py:3: \x1bno."))
        assert "T takes" in self.line(Told(error="It ended.", stuck=True))
        assert "The old rules fail" in self.line(Told(43_200_000, result=self.result(0, 0, "The old rules fail.")))


async def test_only_numbers_and_hostile_text_are_shown(file: Path) -> None:
    found = Result(3, 9_000, 0, [Number("a:\x1b[31m.b", "[red]1", "–", "")], [], True, "1")
    stage = Stage(OtherwiseScreen(file.name, "12:00:00", found))
    async with stage.run_test(size=(90, 24)) as pilot:
        await pilot.press("enter", "tab")
        heading = "0 decided otherwise of 3 entries · 9,000 numbers differ · the first 1 shown"
        await until(pilot, lambda: heading in stage.plain)
        assert "[red]1" in stage.plain
        assert "\x1b" not in stage.plain
