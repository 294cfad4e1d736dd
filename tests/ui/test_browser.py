"""The dashboard on a page: what its server may send it, and what it makes of that."""

import asyncio
import io
import json
import os
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from textual._compositor import Compositor
from textual.drivers import _writer_thread
from textual.widgets import Input, Static

from esdash.packets import KEY, Kind, Packets, packet
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.browser import MOST_OFFERS, TALLEST, WIDEST, Browser, Pipes
from esdash.ui.export import writing
from esdash.ui.export.offered import offer
from esdash.ui.export.screen import ExportScreen
from esdash.ui.terminal import DriverOf
from tests.ui.any_domain import a_console, key
from tests.ui.conftest import PAINT
from tests.ui.looking import told
from tests.waiting import eventually

# A dashboard that is ended at any moment may leave a watcher of Textual's behind that was to be called next.
pytestmark = [
    pytest.mark.usefixtures("any_domain"),
    pytest.mark.domains_in_turn,
    pytest.mark.filterwarnings("ignore:coroutine 'Screen._watch:RuntimeWarning"),
    pytest.mark.filterwarnings(r"ignore:Exception ignored in. <coroutine object Screen._watch"),
]


@pytest.fixture(autouse=True)
def _painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks at what is painted."""
    monkeypatch.setattr(Compositor, "render_update", PAINT)


class Server:
    """The other end of the pipes."""

    def __init__(self) -> None:
        reading, self._to = os.pipe()
        self._from, writing = os.pipe()
        self.pipes = Pipes(reading, writing, (100, 30))
        self._ends = [reading, writing, self._to, self._from]
        self.heard: list[tuple[Kind, bytes]] = []
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send a packet."""
        os.write(self._to, packet(kind, payload))

    def of(self, kind: Kind) -> list[bytes]:
        """What came of a kind."""
        return [payload for each, payload in list(self.heard) if each is kind]

    def hang_up(self) -> None:
        """Nothing more is sent."""
        os.close(self._to)
        self._ends.remove(self._to)

    def close(self) -> None:
        """Close all."""
        os.close(self.pipes.fileno())
        self._ends.remove(self.pipes.fileno())
        self._thread.join(10)
        for end in self._ends:
            os.close(end)

    def _hear(self) -> None:
        packets = Packets()
        while data := os.read(self._from, 65536):
            self.heard += packets.feed(data)


async def until(condition: Callable[[], object]) -> None:
    """Let everything work until a condition holds."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def on_a_page(*, export: bool = True) -> AsyncIterator[tuple[DashboardApp, Server]]:
    """A dashboard on a page, painted for the first time; in the end its server hangs up, and so it ends."""
    server = Server()
    driver: DriverOf = partial(Browser, server.pipes)
    app = DashboardApp(a_console(7, 654_321), UiSettings(export=export), driver=driver)
    running = asyncio.create_task(app.run_async())
    try:
        await until(lambda: running.done() or key(654_321).encode() in b"".join(server.of(Kind.DRAWN)))
        yield app, server
    finally:
        server.hang_up()
        await asyncio.wait_for(running, 15)
        server.close()
    assert app.return_code == 0


async def test_it_is_as_large_as_the_page_within_bounds_whoever_says_so() -> None:
    async with on_a_page() as (app, server):
        assert app.size == (100, 30)
        for size, shown in (
            ((133, 29), (133, 29)),
            ((1, 1), (1, 1)),
            ((10_000, 10_000), (WIDEST, TALLEST)),
            ((0, 0), (1, 1)),
            ((60, 16), (60, 16)),
        ):
            server.send(Kind.RESIZED, json.dumps(size).encode())
            await until(lambda shown=shown: app.size == shown)  # type: ignore[misc]
        # A terminal may tell its size among what is typed.
        server.send(Kind.TYPED, b"\x1b[48;9999;99999;1;1t")
        await until(lambda: app.size == (WIDEST, TALLEST))
        server.send(Kind.RESIZED, b"[100, 30]")
        await until(lambda: app.size == (100, 30))


async def test_it_goes_on_after_what_no_terminal_sends() -> None:
    chance = random.Random(5)
    pieces = (
        b"\x1b[",
        b"\x1b]",
        b"\x1b",
        b";",
        b"99999999999999999999",
        b"u",
        b"~",
        b"M",
        b"<",
        b"t",
        b"\xff",
        b"\xc3",
    )
    noise = [
        b"\x1b[99999999u",
        b"\x1b[<0;99999;99999M",
        b"\x1b[<0;1;1m",
        b"",
        b"\xf0\x9f",
        b"\x1b[1;1;1114112u",
        b"\x1b[O",
    ]
    noise += [b"".join(chance.choices(pieces, k=chance.randrange(1, 9))) for _ in range(300)]
    async with on_a_page() as (app, server):
        for each in noise:
            server.send(Kind.TYPED, each)
        server.send(Kind.TYPED, b"\x1b[200~" + b"x" * 60_000 + b"\x1b[201~")
        server.send(Kind.TYPED, b"\x1b[I")
        server.send(Kind.RESIZED, b"[90, 28]")
        await until(lambda: app.size == (90, 28))
        assert app.is_running


async def test_files_are_offered_and_handed_out_in_parts_and_the_oldest_are_forgotten() -> None:
    async with on_a_page() as (app, server):
        files = [io.BytesIO(bytes([number]) * 100_000) for number in range(MOST_OFFERS + 1)]
        for number, file in enumerate(files):
            offer(app, f"{number}.csv", file, "A file is")
        await until(lambda: len(server.of(Kind.OFFERED)) == len(files))
        assert files[0].closed
        assert "A file is in the download 0.csv." in " ".join(told(app))
        key, name, _ = json.loads(server.of(Kind.OFFERED)[-1])
        assert (name, len(key)) == (f"{MOST_OFFERS}.csv", KEY)
        for count in (1, 2, 3):
            server.send(Kind.WANTED, key.encode())
            await until(lambda count=count: len(server.of(Kind.PART)) == count)  # type: ignore[misc]
        parts = [part[KEY:] for part in server.of(Kind.PART)]
        assert b"".join(parts) == bytes([MOST_OFFERS]) * 100_000
        assert parts[-1] == b""
        assert files[-1].closed
        server.send(Kind.WANTED, b"0" * KEY)
        await until(lambda: server.of(Kind.PART)[-1] == b"0" * KEY)
    assert all(file.closed for file in files)


def asked(app: DashboardApp) -> bool:
    """Whether the dialog is there and proposes a name."""
    return isinstance(app.screen, ExportScreen) and any(
        field.value for field in app.screen.query("#file").results(Input)
    )


async def test_what_would_be_a_file_is_a_download_and_the_clipboard_is_that_of_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with on_a_page() as (app, server):
        app.action_save_picture()
        await until(lambda: server.of(Kind.OFFERED))
        key, name, _ = json.loads(server.of(Kind.OFFERED)[0])
        assert name.startswith("esdash-screen-")
        server.send(Kind.WANTED, key.encode())
        await until(lambda: server.of(Kind.PART))
        assert server.of(Kind.PART)[0][KEY:].startswith(b"<svg")
        server.send(Kind.TYPED, b"y")
        await until(lambda: b"\x1b]52;c;" in b"".join(server.of(Kind.DRAWN)))
        server.send(Kind.TYPED, b"\x1a")
        await until(lambda: "There is no shell" in " ".join(told(app)))
        # A name is no path; and too much is said, and nothing of it kept.
        server.send(Kind.TYPED, b"\x05")
        await until(lambda: asked(app))
        app.screen.query_one("#file", Input).value = "../../etc/passwd"
        server.send(Kind.TYPED, b"\r")
        await until(lambda: len(server.of(Kind.OFFERED)) == 2)
        assert json.loads(server.of(Kind.OFFERED)[1])[1] == "passwd"
        await until(lambda: not isinstance(app.screen, ExportScreen))
        monkeypatch.setattr(writing, "LARGEST", 10)
        server.send(Kind.TYPED, b"\x05")
        await until(lambda: asked(app))
        server.send(Kind.TYPED, b"\r")
        await until(lambda: "too much for a download" in str(app.screen.query_one("#outlook", Static).content))
        assert len(server.of(Kind.OFFERED)) == 2
    async with on_a_page(export=False) as (app, server):
        app.action_save_picture()
        server.send(Kind.TYPED, b"y\x05")
        await until(lambda: len([text for text in told(app) if "export is false" in text]) == 3)
        assert not server.of(Kind.OFFERED)
        assert b"]52;c;" not in b"".join(server.of(Kind.DRAWN))


async def test_it_ends_when_its_server_takes_nothing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer_thread, "MAX_QUEUED_WRITES", 2)
    reading, to = os.pipe()
    back, writing = os.pipe()
    app = DashboardApp(a_console(7), driver=partial(Browser, Pipes(reading, writing, (200, 50))))

    def ask_for_much_and_hang_up() -> None:
        """In a thread: an app that nobody reads waits, and its loop with it."""
        eventually(lambda: app.is_running)
        driver = app._driver
        assert isinstance(driver, Browser)

        def stuck() -> bool:
            return driver._writer_thread is not None and driver._writer_thread._queue.full()

        try:
            os.write(to, packet(Kind.TYPED, b"z" * 60))  # each draws most of the page
            eventually(stuck, timeout=30)
        finally:
            os.close(to)

    asking = asyncio.create_task(asyncio.to_thread(ask_for_much_and_hang_up))
    await app.run_async()
    await asking
    for end in (reading, back, writing):
        os.close(end)
