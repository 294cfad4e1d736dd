"""Makes the pictures of the README from the running program: `python -m screenshots.make`.

A real embedded server in a temporary directory, real events, the real dashboard with its keys pressed; only the
terminal is one in memory.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic, time
from typing import Final

from textual.pilot import Pilot

from esdash.engine.console import publishing_of
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.operations.survey import survey
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.shown.view import Phase
from esdash.fold.loading import load
from esdash.log.embedded_server.embedded import EmbeddedServer
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.past.service import past_of
from esdash.past.track.folder import TrackFolder
from esdash.ui.app import USUAL_THEME, DashboardApp, UiSettings
from esdash.ui.main.screen import MainScreen
from esdash.ui.main.streams import StreamBoard
from esdash.whatif.sandbox import Sandbox

FOLDER: Final = Path(__file__).parent
SEED: Final = 7
EVENTS: Final = 600
WAIT_SECONDS: Final = 30.0

Scene = Callable[["Stage"], Awaitable[None]]


class Stage:
    """The running dashboard and what a scene may do with it."""

    def __init__(self, app: DashboardApp, console: LiveConsole, log: Stream, pilot: Pilot[None]) -> None:
        self.app = app
        self.console = console
        self.log = log
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys and let the screen settle."""
        await self.pilot.press(*keys)
        await self.pilot.pause(0.3)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        deadline = monotonic() + WAIT_SECONDS
        while not condition():
            if monotonic() > deadline:
                raise TimeoutError("the scene did not come about")
            await self.pilot.pause(0.05)

    async def live(self) -> None:
        """Wait until the consumer has caught up and the screen shows it."""
        view = self.console.view
        await self.until(lambda: self.console.view.phase is Phase.LIVE and self.console.view.lag == 0)
        await self.until(lambda: self.console.view.number > view.number)
        await self.pilot.pause(0.5)

    def publish(self, count: int) -> None:
        """Events of the demo, as another process would append them."""
        fold = self.console.fold
        events = map(fold.encode, islice(fold.samples(SEED), count))
        for _ in Publisher(self.log).publish_many((kind, data, None) for kind, data in events):
            pass


async def dashboard(stage: Stage) -> None:
    """The main screen under a steady load."""
    publishing = publishing_of(stage.console)
    publishing.start_load(40)
    await stage.until(lambda: publishing.load.sent > 150)
    publishing.stop_load()
    await stage.live()


async def narrow(_: Stage) -> None:
    """The main screen in a small terminal."""


async def order(stage: Stage) -> None:
    """A form that says what would come of it."""
    await stage.press("o")
    await stage.press(*"7", "tab", *"hdd:2")


async def details(stage: Stage) -> None:
    """An event with what it changed."""
    await stage.press("3", "k", "k", "enter")
    await stage.pilot.pause(1.0)


async def crash(stage: Stage) -> None:
    """After a crash: restored from a snapshot, only the tail replayed."""
    await stage.press("s")
    await stage.until(lambda: stage.console.view.snapshot is not None)
    stage.publish(90)
    await stage.live()
    stage.console.control.crash()
    await stage.until(lambda: stage.console.view.restored is not None and stage.console.view.restored.done)
    await stage.live()


async def gap(stage: Stage) -> None:
    """Two unread events were trimmed: the consumer halts and asks."""
    stage.log.commands(
        [
            *[("XADD", "orders", "*", "type", "TopUp", "data", '{"user_id":1,"amount":100}') for _ in range(5)],
            ("XTRIM", "orders", "MAXLEN", "3"),
        ],
        atomic=True,
    )
    await stage.until(lambda: stage.console.view.phase is Phase.HALTED)
    await stage.pilot.pause(0.5)


async def parked(stage: Stage) -> None:
    """Entries that cannot be understood."""
    for kind, data in (("TopUp", '{"user_id":"7","amount":500}'), ("Refund", '{"user_id":3,"amount":1200}')):
        stage.log.command("XADD", "orders", "*", "type", kind, "data", data)
    await stage.live()
    await stage.press("x")


async def past(stage: Stage) -> None:
    """An order that was refused in the past, with everything as it was then."""
    main = stage.app.screen_stack[0]
    assert isinstance(main, MainScreen)
    await stage.until(lambda: main.time.past is not None and main.time.past.built.ordinal >= EVENTS)
    for _ in range(3):
        await stage.press("left_parenthesis")
        await stage.until(lambda: main.time.now is not None)
    await stage.pilot.pause(3.0)


async def row(stage: Stage) -> None:
    """All that made a row what it is."""
    await past(stage)
    await stage.press("escape", "1", "home", "down", "enter")
    await stage.pilot.pause(2.0)


async def board(stage: Stage) -> None:
    """What was refused, by reason and by row."""
    await past(stage)
    await stage.press("escape", "exclamation_mark", "3")
    await stage.pilot.pause(2.0)


async def difference(stage: Stage) -> None:
    """What differs between a moment of the past and now."""
    await past(stage)
    await stage.press("m", "escape", "m")
    await stage.pilot.pause(2.0)


async def preview(stage: Stage) -> None:
    """An entry beside the panels of a wide terminal."""
    await past(stage)
    await stage.press("escape", "3", "up", "up", "up")
    await stage.pilot.pause(2.0)


async def sandbox(stage: Stage) -> None:
    """What would have been, had an entry been left out and another one said more."""
    await stage.press("3", "home", *["down"] * 17, "w", "x")
    await stage.press("escape", *["up"] * 8, "w", "c")
    await stage.press("ctrl+u", *"1.00", "enter")
    await stage.pilot.pause(2.0)


async def streams(stage: Stage) -> None:
    """The streams of the server, and who reads them."""
    await stage.press("s")
    await stage.until(lambda: stage.console.view.snapshot is not None)
    stage.publish(40)
    await stage.live()
    log = stage.log
    log.command("XGROUP", "CREATE", "orders", "billing", "0")
    ids = [entry_id for entry_id, _ in log.page(b"0-0", count=620)]
    log.command("XREADGROUP", "GROUP", "billing", "billing-1", "COUNT", 620, "STREAMS", "orders", ">")
    log.command("XACK", "orders", "billing", *ids[:-9])
    log.command("XGROUP", "CREATE", "orders", "mail", ids[300])
    for name, count in (("accounts", 120), ("orders:{eu}", 300), ("orders:{us}", 80)):
        log.commands([("XADD", name, "*", "type", "Opened", "data", '{"account":"DE-1"}')] * count)
    log.command("PEXPIRE", "accounts", 86_400_000)
    await stage.press("ctrl+o")
    await stage.pilot.pause(1.0)


async def help_screen(stage: Stage) -> None:
    """What one is looking at."""
    await stage.press("question_mark")


SCENES: Final[tuple[tuple[str, tuple[int, int], Scene], ...]] = (
    ("dashboard", (132, 40), dashboard),
    ("narrow", (80, 24), narrow),
    ("order", (110, 34), order),
    ("details", (110, 34), details),
    ("crash", (132, 40), crash),
    ("gap", (110, 34), gap),
    ("parked", (110, 34), parked),
    ("past", (132, 40), past),
    ("row", (132, 40), row),
    ("board", (132, 40), board),
    ("difference", (132, 40), difference),
    ("preview", (170, 40), preview),
    ("sandbox", (132, 34), sandbox),
    ("streams", (132, 20), streams),
    ("help", (110, 40), help_screen),
)


@contextmanager
def _a_log() -> Iterator[tuple[Stream, TrackFolder]]:
    with tempfile.TemporaryDirectory(prefix="esdash-") as folder:
        data, caches = Path(folder) / "data", Path(folder) / "past"
        with EmbeddedServer.join(data) as embedded:
            server = Server(embedded.url, name="embedded")
            try:
                yield Stream(server, "orders"), TrackFolder(caches, 100)
            finally:
                server.close()


def harmless(svg: str) -> str:
    """The picture without references to fonts on other hosts; every system has a fixed-width font."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "monospace")


async def picture(name: str, size: tuple[int, int], scene: Scene) -> None:
    """Play one scene and save what the screen shows."""
    with _a_log() as (log, folder):
        console = LiveConsole(log, load("esdash.shop.domain:SHOP"), ConsumerSettings(), seed=SEED + 1)
        app = DashboardApp(
            console,
            UiSettings(),
            past_of=lambda fold: past_of(log, fold, folder),
            sandbox_of=lambda fold: Sandbox(log, fold),
            survey=lambda: StreamBoard(lambda: survey(log.server, time)),
        )
        app.theme = USUAL_THEME  # whatever colours the terminal has in which this runs
        async with app.run_test(size=size, notifications=False) as pilot:
            stage = Stage(app, console, log, pilot)
            await stage.live()
            stage.publish(EVENTS)
            await stage.live()
            await scene(stage)
            svg = app.export_screenshot(title="esdash")
            (FOLDER / f"{name}.svg").write_text(harmless(svg), "utf-8")
            console.close()


def main() -> None:
    """Make every picture."""
    for name, size, scene in SCENES:
        asyncio.run(picture(name, size, scene))
        print(name)


if __name__ == "__main__":
    main()
