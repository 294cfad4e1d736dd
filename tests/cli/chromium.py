"""A headless Chromium, driven through its DevTools protocol."""

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

PROGRAM: Final = shutil.which("chromium")
"""Debian's; None where there is none."""

FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-dev-shm-usage", "--remote-debugging-port=0", "--window-size=1200,700"),
)

# textual.js keeps its terminal to itself; it is seen when it gets its core.
_HOOK: Final = """
Object.defineProperty(Object.prototype, "_core", {
  configurable: true,
  set(core) {
    Object.defineProperty(this, "_core", {value: core, writable: true, configurable: true, enumerable: true});
    if (core && core.buffers && !window.seenTerminal) window.seenTerminal = this;
  },
});
"""

_TEXT: Final = """
(() => {
  const buffer = window.seenTerminal && window.seenTerminal.buffer.active;
  if (!buffer) return "";
  const lines = [];
  for (let line = 0; line < window.seenTerminal.rows; line++) {
    const found = buffer.getLine(line + buffer.viewportY);
    lines.push(found ? found.translateToString(true) : "");
  }
  return lines.join("\\n");
})()
"""


class Tab:
    """One tab. Every method raises AssertionError where the browser reports an error."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        """What the browser told, in order."""
        self._hearing = asyncio.create_task(self._hear())

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol; its result."""
        self._sent += 1
        number = self._sent
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        found = await asyncio.wait_for(answer, 30)
        assert "error" not in found, found
        result: dict[str, Any] = found["result"]
        return result

    async def prepare(self) -> None:
        """Listen to what happens, and see the terminal of pages that are loaded from now on."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=_HOOK)

    async def open(self, url: str) -> int:
        """Load a page; the HTTP status of the document that is there in the end."""
        seen = len(self.events)
        await self.call("Page.navigate", url=url)
        await self.until_loaded(seen)
        return self.status(seen)

    async def until_loaded(self, since: int) -> None:
        """Wait until a document that was answered after some event is loaded."""

        def loaded() -> bool:
            methods = [event["method"] for event in self.events[since:]]
            answered = next((place for place, event in enumerate(self.events[since:]) if _is_document(event)), None)
            return answered is not None and "Page.loadEventFired" in methods[answered:]

        await self.until(loaded, told=lambda: [event["method"] for event in self.events[since:]])

    def status(self, since: int = 0) -> int:
        """The HTTP status of the last document."""
        documents = [event for event in self.events[since:] if _is_document(event)]
        return int(documents[-1]["params"]["response"]["status"])

    def requested(self) -> list[str]:
        """The URLs of all requests."""
        return [event["params"]["request"]["url"] for event in self._of("Network.requestWillBeSent", 0)]

    def complaints(self) -> list[str]:
        """What the browser has written on its console as an error."""
        thrown = [str(event["params"]["exceptionDetails"]) for event in self._of("Runtime.exceptionThrown", 0)]
        entries = [event["params"]["entry"] for event in self._of("Log.entryAdded", 0)]
        return thrown + [entry["text"] for entry in entries if entry["level"] == "error"]

    async def value(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def text(self) -> str:
        """What the terminal shows."""
        return str(await self.value(_TEXT))

    async def until_text(self, *texts: str, timeout: float = 30) -> str:
        """Wait until the terminal shows all of some texts; what it shows then."""
        shown = ""

        async def found() -> bool:
            nonlocal shown
            shown = await self.text()
            return all(text in shown for text in texts)

        await self.until(found, timeout=timeout, told=lambda: shown)
        return shown

    async def press(self, keys: str) -> None:
        """Type characters; `\\r`, `\\t` and `\\x1b` are Enter, Tab and Escape."""
        named = {"\r": ("Enter", 13), "\t": ("Tab", 9), "\x1b": ("Escape", 27)}
        for key in keys:
            name, code = named.get(key, (key, ord(key.upper()) if key.isalnum() else 0))
            text = {} if key in "\t\x1b" else {"text": key}
            await self.call("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=code, **text)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    async def press_control(self, letter: str) -> None:
        """Press Ctrl and a letter."""
        for what in ("keyDown", "keyUp"):
            code = ord(letter.upper())
            await self.call("Input.dispatchKeyEvent", type=what, key=letter, windowsVirtualKeyCode=code, modifiers=2)

    async def click(self, x: float, y: float) -> None:
        """Click somewhere, in pixels."""
        for what in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=what, x=x, y=y, button="left", clickCount=1)

    async def picture(self, path: Path) -> None:
        """Save what is seen as PNG."""
        found = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    async def until(self, condition: Callable[[], Any], timeout: float = 30, told: Callable[[], object] = str) -> Any:
        """Wait until a condition holds, which may be a coroutine function."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            assert asyncio.get_running_loop().time() < deadline, f"still not true after {timeout:g} s: {told()}"
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Close the tab."""
        with suppress(AssertionError, TimeoutError, ConnectionError):
            await self.call("Page.close")
        self._hearing.cancel()
        await self._socket.close()

    def _of(self, method: str, since: int) -> list[dict[str, Any]]:
        return [event for event in self.events[since:] if event["method"] == method]

    async def _hear(self) -> None:
        async for message in self._socket:
            found = message.json()
            if "id" in found:
                self._answers.pop(found["id"]).set_result(found)
            else:
                self.events.append(found)


def _is_document(event: dict[str, Any]) -> bool:
    return bool(event["method"] == "Network.responseReceived" and event["params"]["type"] == "Document")


class Chromium:
    """A started browser."""

    def __init__(self, folder: Path) -> None:
        """It keeps everything in a new folder."""
        assert PROGRAM is not None
        self.folder = folder
        self._process = subprocess.Popen(
            [PROGRAM, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def port(self) -> int:
        """Where it listens."""
        file = self.folder / "DevToolsActivePort"
        for _ in range(1500):
            with suppress(FileNotFoundError, IndexError, ValueError):
                return int(file.read_text().split()[0])
            assert self._process.poll() is None, "Chromium has ended"
            await asyncio.sleep(0.02)
        raise AssertionError("Chromium does not listen")

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """A tab for the length of the block."""
        port = await self.port()
        async with aiohttp.ClientSession() as client:
            async with client.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                about = json.loads(await answer.text())
            socket = await client.ws_connect(about["webSocketDebuggerUrl"], max_msg_size=0)
            tab = Tab(socket)
            await tab.prepare()
            try:
                yield tab
            finally:
                await tab.close()

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
