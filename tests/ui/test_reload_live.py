"""A domain that fails, is mended and read again, over a real consumer and a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from esdash.engine.console import publishing_of
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase
from esdash.fold.loading import load
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.ui.app import DashboardApp
from tests.ui.looking import lines_of, main_of, text_of, told
from tests.ui.stage import until

STREAM = "accounts"
BROKEN = "balance[event.target] += event.amout"
MENDED = "balance[event.target] += event.amount"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The bank with a slip of the pen in what its rules import."""
    source = Path("tests/domains/bank.py").read_text()
    rules, declaration = source.split("BANK = Domain(")
    (tmp_path / "rules_of_bank.py").write_text(
        rules.replace(MENDED, BROKEN).replace("balance[event.account] = 0", "balance[event.account] = 500")
    )
    file = tmp_path / "a_bank.py"
    imported = "from esdash.domain import MONEY, TEXT, Column, Domain, EventType, Table\n"
    imported += "from rules_of_bank import Opened, Transferred, opened, transferred\n"
    file.write_text(f"{imported}\n\nBANK = Domain({declaration}")
    return file


@pytest.fixture
def log(url: str) -> Iterator[Stream]:
    log = Stream(Server(url), STREAM)
    yield log
    log.server.close()


async def test_it_goes_on_with_the_entry_that_it_failed_on(log: Stream, client: redis.Redis, file: Path) -> None:
    for account in "AB":
        client.xadd(STREAM, {"type": "Opened", "data": f'{{"account":"{account}","owner":"{account}"}}'})
    client.xadd(STREAM, {"type": "Transferred", "data": '{"source":"A","target":"B","amount":200}'})
    console = LiveConsole(log, load(str(file)), ConsumerSettings(snapshot_seconds=0))
    app = DashboardApp(console)
    async with app.run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: console.view.phase is Phase.HALTED)
        main_of(app).poll()
        await pilot.pause()
        said = " ".join(" ".join(text_of(app)[2:5]).split())
        assert "rules_of_bank.py:" in said
        assert "R reload" in said
        assert "lag ≥ 1" in text_of(app)[1]

        # The help lists no key that publishes: none would.
        await pilot.press("question_mark")
        await until(pilot, lambda: any("In short" in line for line in text_of(app)))
        assert not any("Publishes Opened" in line for line in text_of(app))
        await pilot.press("escape")
        rules = file.with_name("rules_of_bank.py")

        # Still wrong, in another way.
        rules.write_text(rules.read_text() + "\nan error")
        await pilot.press("R")
        await until(pilot, lambda: told(app))
        assert console.view.phase is Phase.HALTED

        rules.write_text(rules.read_text().replace(BROKEN, MENDED).removesuffix("\nan error"))
        await pilot.press("R")
        await until(pilot, lambda: console.view.phase is Phase.LIVE and console.view.state_position.ordinal == 3)
        await until(pilot, lambda: len(lines_of(app, "accounts")) > 2 and "3.00" in lines_of(app, "accounts")[1])
        assert "7.00" in lines_of(app, "accounts")[2]
        publishing_of(console).publish("Transferred", b'{"source":"B","target":"A","amount":100}')
        await until(pilot, lambda: console.view.state_position.ordinal == 4)
        await until(pilot, lambda: "4.00" in lines_of(app, "accounts")[1])
