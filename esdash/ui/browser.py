"""The page in a browser that the dashboard is drawn on: what is drawn and typed goes through two pipes, in packets."""

import asyncio
import io
import json
import os
import select
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, Literal, TextIO, cast

from textual import events
from textual.drivers._writer_thread import WriterThread
from textual.geometry import Size
from textual.message import Message

from esdash.packets import CHUNK, KEY, Kind, Packets, packet
from esdash.ui.keyboard import Keyboard
from esdash.ui.terminal import INPUT_SECONDS, EndingApp, Patient

WIDEST: Final = 500
TALLEST: Final = 200
"""Columns and lines that are drawn at most. What a page says of its size need not be so."""

MOST_OFFERS: Final = 4
"""Files that wait to be downloaded; with one more the oldest is forgotten."""

_TAKE: Final = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?2026$p"
"""The other screen, no cursor, pastes as such; and the question whether pictures may be sent as a whole."""

_MOUSE: Final = "\x1b[?1000h\x1b[?1003h\x1b[?1006h"

_GIVE_BACK: Final = "\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1049l\x1b[?25h"


class Pipes:
    """To the server of the page and from it; one after the other, the drivers of several apps use them."""

    def __init__(self, reading: int, writing: int, size: tuple[int, int]) -> None:
        """Two descriptors; `size` are the columns and lines of the page."""
        self.reading = reading
        self.size = size
        """As the page said last."""
        self.packets = Packets()
        self._writing = writing
        self._lock = threading.Lock()

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send a packet, from any thread. Waits for a server that is slow; to one that is gone nothing is sent."""
        left = memoryview(packet(kind, payload))
        with self._lock, suppress(OSError):
            while left:
                left = left[os.write(self._writing, left) :]

    def write(self, text: str) -> None:
        self.send(Kind.DRAWN, text.encode("utf-8", "replace"))

    def flush(self) -> None:
        """Nothing waits."""

    def fileno(self) -> int:
        return self._writing

    @property
    def descriptors(self) -> tuple[int, int]:
        """Both: when one is closed at its other end, the page is gone."""
        return self.reading, self._writing


class Browser(Patient):
    """Textual's driver for a page."""

    def __init__(
        self,
        pipes: Pipes,
        app: EndingApp,
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size or bounded(*pipes.size))
        self._ending_app = app
        self._pipes = pipes
        self._offers: dict[bytes, BinaryIO] = {}
        self._offering = threading.Lock()
        self._unwanted = threading.Event()
        """No more input is wanted."""
        self._reader = threading.Thread(target=self._read, name="textual-input", daemon=True)

    @property
    def is_web(self) -> bool:
        return True

    def start_application_mode(self) -> None:
        """Draw and listen from now on."""
        self._drawing = True
        self._writer_thread = WriterThread(cast("TextIO", self._pipes))
        self._writer_thread.start()
        self._say_size(*self._pipes.size)
        self.write(_TAKE + _MOUSE if self._mouse else _TAKE)
        self._reader.start()

    def disable_input(self) -> None:
        """Listen no more."""
        self._unwanted.set()
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            self._reader.join(2 * INPUT_SECONDS)

    def stop_application_mode(self) -> None:
        """Leave the page as it was."""
        self.disable_input()
        self.write(_GIVE_BACK)

    def close(self) -> None:
        """Wait until all is drawn; what was not downloaded is forgotten."""
        super().close()
        with self._offering:
            while self._offers:
                self._offers.popitem()[1].close()

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """Opens nothing: neither here nor there."""

    def deliver_binary(
        self,
        binary: BinaryIO | TextIO,
        *,
        delivery_key: str,
        save_path: Path,
        open_method: Literal["browser", "download"] = "download",  # noqa: ARG002 - nothing is opened in the page
        encoding: str | None = None,
        mime_type: str | None = None,
        name: str | None = None,  # noqa: ARG002
    ) -> None:
        """Offer a file for download, under the last part of its path."""
        binary.seek(0)
        if isinstance(binary, io.TextIOBase):
            binary = io.BytesIO(binary.read().encode(encoding or "utf-8", "replace"))
        key = delivery_key.encode()[:KEY].ljust(KEY, b"0")
        with self._offering:
            self._offers[key] = cast("BinaryIO", binary)
            if len(self._offers) > MOST_OFFERS:
                self._offers.pop(next(iter(self._offers))).close()
        offer = [key.decode(), save_path.name, mime_type or "application/octet-stream"]
        self._pipes.send(Kind.OFFERED, json.dumps(offer).encode())

    def process_message(self, message: Message) -> None:
        """Hand something on to the app. A page may claim another size also as a terminal does."""
        if isinstance(message, events.Resize):
            self._say_size(*message.size)
        else:
            super().process_message(message)

    def _say_size(self, columns: int, lines: int) -> None:
        self._pipes.size = (columns, lines)
        size = Size(*bounded(columns, lines))
        asyncio.run_coroutine_threadsafe(self._app._post_message(events.Resize(size, size)), loop=self._loop)

    def _read(self) -> None:
        """Listen until nothing more is wanted, or the server is gone."""
        keyboard = Keyboard(debug=self._debug)
        poll = select.poll()
        poll.register(self._pipes.reading, select.POLLIN)
        while not self._unwanted.is_set():
            heard: list[Message] = []
            if poll.poll(INPUT_SECONDS * 1000):
                data = os.read(self._pipes.reading, 64 * 1024)
                if not data:
                    self._ending_app.end_soon(self._loop)
                    return
                for kind, payload in self._pipes.packets.feed(data):
                    if kind is Kind.TYPED:
                        heard += keyboard.feed(payload)
                    elif kind is Kind.RESIZED:
                        columns, lines = json.loads(payload)
                        self._say_size(columns, lines)
                    elif kind is Kind.WANTED:
                        self._hand_out(payload)
            for message in (*heard, *keyboard.tick()):
                self.process_message(message)

    def _hand_out(self, key: bytes) -> None:
        """Send some more of a file."""
        with self._offering:
            file = self._offers.get(key)
            part = file.read(CHUNK) if file is not None else b""
            if file is not None and not part:
                self._offers.pop(key).close()
        self._pipes.send(Kind.PART, key + part)


def bounded(columns: int, lines: int) -> tuple[int, int]:
    """A size that can be drawn."""
    return min(max(columns, 1), WIDEST), min(max(lines, 1), TALLEST)
