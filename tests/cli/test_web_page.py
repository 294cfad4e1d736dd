"""The dashboard in Chromium."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.cli.chromium import PROGRAM, Chromium, Tab
from tests.cli.conftest import append
from tests.servers import RunningServer
from tests.strategies import raw_entry

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="there is no `chromium` on this machine"),
    pytest.mark.xdist_group("chromium"),
]

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser that all tests here share."""
    browser = Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.end()


def serve(home: Path, *arguments: str) -> tuple["subprocess.Popen[str]", str]:
    """A started `esdash web`, and its URL with the token."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ESDASH_", "XDG_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "esdash", "web", "--listen", ":0", *arguments],
        env={**kept, "HOME": str(home), "ESDASH_WEB_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, f"{process.stdout.readline().strip()}?token={TOKEN}"


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, server_binary: Path) -> Iterator[tuple[str, str, redis.Redis]]:
    """The URLs of a page that may publish and of one that may not, for one session each, and their server."""
    server = RunningServer(server_binary, appendonly="no")
    home = tmp_path_factory.mktemp("home")
    begun = [
        serve(home, "--url", server.url, "--sessions", "1", *more)
        for more in (("--allow-publishing",), ("--allow-publishing", "--readonly"))
    ]
    yield begun[0][1], begun[1][1], server.client()
    for process, _ in begun:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stdout is not None
        process.stdout.close()
    server.close()


def shop(client: redis.Redis) -> None:
    """One entry is in the stream, and nothing else on the server."""
    client.flushall()
    append(client, [raw_entry("TopUp", b'{"user_id": 7, "amount": 5000}')])


async def _changed(tab: Tab, before: str) -> bool:
    return await tab.text() != before


async def test_numbers_change_keys_work_and_an_event_is_published(
    browser: Chromium, sites: tuple[str, str, redis.Redis], tmp_path: Path
) -> None:
    url, _, client = sites
    shop(client)
    async with browser.tab() as tab:
        assert await tab.open(url) == 200
        assert await tab.value("location.search") == "", "the token does not stay"
        await tab.until_text("LIVE", "50.00")
        # From outside; then by keys, and what is typed lands in the form.
        append(client, [raw_entry("TopUp", b'{"user_id": 7, "amount": 123}')])
        await tab.until_text("51.23")
        await tab.press("t")
        await tab.until_text("amount")
        await tab.press("7\t1000.00\r")
        await tab.until(lambda: client.xlen("orders") == 3)
        await tab.until_text("3 events", "1,051.23")
        # It is as large as the page, and follows it; the mouse chooses.
        cells = "[window.seenTerminal.cols, window.seenTerminal.rows]"
        before = await tab.value(cells)
        await tab.call("Emulation.setDeviceMetricsOverride", width=1800, height=900, deviceScaleFactor=1, mobile=False)
        await tab.until(lambda: tab.value(f"{cells}[0] > {before[0]} && {cells}[1] > {before[1]}"))
        await tab.until_text("q Quit", "╭─ #3 TopUp")  # there is room for the preview
        before = await tab.text()
        await tab.click(700, 160)
        await tab.until(lambda: _changed(tab, before))
        # A file is a download.
        await tab.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        await tab.press_control("e")
        await tab.until_text("Export", "Enter downloads")
        await tab.press("1\r")
        await tab.until(lambda: list(tmp_path.glob("esdash-*.csv")))
        # What is copied is on the clipboard of the browser.
        origin = url.partition("/?")[0]
        await tab.call(
            "Browser.grantPermissions", origin=origin, permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
        )
        await tab.until_text("download")
        await tab.press("y")
        await tab.until(lambda: tab.value("navigator.clipboard.readText()"), timeout=8, told=tab.complaints)
        # One more is too many; loaded again it is the same one, since its own session has ended.
        async with browser.tab() as other:
            assert await other.open(origin) == 503
            assert "All sessions are in use" in await other.value("document.body.innerText")
        seen = len(tab.events)
        await tab.call("Page.reload")
        await tab.until_loaded(seen)
        await tab.until_text("LIVE", "1,051.23")
        # Left by a key: the page says so, and Enter begins another.
        await tab.press("q")
        await tab.until(lambda: tab.value("document.body.classList.contains('-closed')"))
        assert await tab.value("document.getElementById('why').textContent") == "The session has ended."
        assert all(requested.startswith((origin, "data:", "about:")) for requested in tab.requested())


async def test_a_page_that_is_for_reading_publishes_nothing(
    browser: Chromium, sites: tuple[str, str, redis.Redis]
) -> None:
    _, url, client = sites
    shop(client)
    async with browser.tab() as tab:
        await tab.open(url)
        await tab.until_text("LIVE", "READ-ONLY", "50.00")
        await tab.press("tbpsao\r")  # the last opens the entry
        await tab.until_text("As it is stored")
        assert client.xlen("orders") == 1
        assert client.keys("*") == [b"orders"]
        # Text of the stream that looks like a link opens nothing.
        assert await tab.value("window.open('https://example.invalid/') === null")
        assert await tab.value("window.open() === null")
        assert tab.complaints() == []


async def test_a_wrong_token_is_refused_and_the_right_one_may_be_typed(
    browser: Chromium, sites: tuple[str, str, redis.Redis]
) -> None:
    url, _, client = sites
    shop(client)
    origin = url.partition("/?")[0]
    async with browser.tab() as tab:
        await tab.call("Network.clearBrowserCookies")
        assert await tab.open(f"{origin}/?token=wrong") == 401
        assert await tab.open(origin) == 401
        tried = await tab.value(
            f"new Promise(done => {{ const s = new WebSocket('{origin.replace('http', 'ws')}/ws?width=80&height=24'); "
            "s.onopen = () => done('open'); s.onerror = () => done('refused') })"
        )
        assert tried == "refused"
        await tab.press(TOKEN)
        await tab.press("\r")
        await tab.until_text("LIVE", "50.00")
        assert await tab.value("document.cookie") == ""
