"""What the real program writes to a terminal while a stream is full of hostile text."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

OSC = "\x1b]0;owned\x07"
HOSTILE = (
    OSC,
    "\x1b[31mred\x1b[2J",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x9b31m",
    "\x07\x08\x7f",
    "\u202egnp.exe\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "soft\u00adhyphen",
    "line\u2028paragraph\u2029",
    "a\u0301\u0302\u0303",
    "\U000e0041\U000e0042",
)
FORBIDDEN = (
    b"\x1b]0;", b"\x1b]52;", b"\x1b[31mred", b"\x1b[2J", b"\x07", b"\x08", b"\x7f", "\x9b".encode(), b"owned\x07",
)  # fmt: skip
"""Sequences that only the stream could have brought in; the program itself paints with none of them."""
UNSEEN = frozenset("\u202e\u202c\u2066\u2069\u200b\u200d\ufeff\u00ad\u2028\u2029\u0303\U000e0041\U000e0042")


class Dashboard:
    """`esdash` on a pseudo terminal; every byte that it writes is kept."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 120, lines: int = 40) -> None:
        self.written = bytearray()
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        foreign = ("ESDASH_", "TEXTUAL", "COLUMNS", "LINES", "NO_COLOR")
        settings = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "esdash", *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=Path(__file__).parents[2],
            env=settings | {"TERM": "xterm-256color", "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            start_new_session=True,
        )
        os.close(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._controller)

    def press(self, keys: str, shown: str = "") -> None:
        """Type, and read until a text was written after that."""
        place = len(self.written)
        os.write(self._controller, keys.encode())
        assert self.reads(shown, since=place), f"no {shown!r} after {keys!r}: {bytes(self.written[-2000:])!r}"

    def escape(self) -> None:
        """Press Escape, and read until nothing comes for a while: a key right after it would be one with Alt."""
        self.press("\x1b")
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and select.select([self._controller], [], [], 0.15)[0]:
            self._read(0)

    def reads(self, text: str, *, since: int = 0, timeout: float = 15.0) -> bool:
        """Whether a text is written after a place before the time is up."""
        deadline = time.monotonic() + timeout
        while self.written.find(text.encode(), since) < 0:
            if time.monotonic() > deadline or not self._read(max(0.0, deadline - time.monotonic())):
                return False
        return True

    def end(self, timeout: float = 30.0) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + timeout
        while self._read(max(0.0, deadline - time.monotonic())):
            assert time.monotonic() < deadline
        return self._process.wait(timeout)

    def _read(self, timeout: float) -> bool:
        """Whether there may be more."""
        if not select.select([self._controller], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._controller, 65536)
        except OSError:  # the other side is closed
            return False
        self.written += data
        return bool(data)


def publish_hostile(client: redis.Redis, stream: str) -> None:
    """Entries of every outcome with hostile text in every place that can hold any."""
    add = client.xadd
    for number, text in enumerate(HOSTILE):
        quoted = text.encode()
        printable = "".join(char for char in text if ord(char) >= 0xA0 or 0x20 <= ord(char) < 0x7F)
        add(stream, {"type": "AddItem", "data": f'{{"item_id":"{printable}","count":{number + 1},"price":100}}'})
        add(stream, {"type": "TopUp", "data": f'{{"user_id":{number},"amount":500}}', "key": quoted, quoted: quoted})
        add(stream, {"type": "Order", "data": f'{{"user_id":1,"lines":[{{"item_id":"{printable}","quantity":1}}]}}'})
        add(stream, {"type": quoted, "data": quoted})
        add(stream, {"type": "TopUp", "data": b'{"user_id":"' + quoted + b'"}', quoted: quoted})
        add(stream, {quoted: quoted})


def test_nothing_in_a_stream_reaches_the_terminal_as_anything_but_visible_text(
    url: str, client: redis.Redis, tmp_path: Path
) -> None:
    stream = f"or\u202eders{OSC}[red]"
    publish_hostile(client, stream)
    with Dashboard(tmp_path, "--url", url, "--stream", stream, columns=150) as dashboard:
        assert dashboard.reads("⟨202E⟩", timeout=30)
        for *keys, shown in (
            ("x", "they stay in the stream"),
            ("x", *"j" * len(HOSTILE) * 3, "As it is stored"),
            ("x", "e", "Corrected event"),
            ("x", "c", "edit type and JSON"),
            ("x", "c", "\x1b[B", "\r", "Publish"),
            ("3", "\r", "As it is stored"),
            ("3", "\r", *"p" * 12, "As it is stored"),
            ("2", "z", "Unzoom"),
            ("1", "a", "\x1b[B", "· remaining"),
            ("O", "There are no orphans"),
            ("L", "The ladder"),
            ("v", "Everything agrees"),
            ("?", "Check what can be trusted"),
            ("s", "taken in"),
        ):
            for key in keys[:-1]:
                dashboard.press(key)
            dashboard.press(keys[-1], shown)
            for _ in range(3):
                dashboard.escape()
        dashboard.press("q")
        assert dashboard.end() == 0
    # The program's own words to the terminal that end in a BEL: which mouse pointer to show.
    written = re.sub(rb"\x1b\]22;[a-z-]*\x07", b"", dashboard.written)
    assert b"\x1b]" not in written
    for sequence in FORBIDDEN:
        place = written.find(sequence)
        assert place < 0, written[max(0, place - 60) : place + 60]
    text = written.decode()
    assert not UNSEEN & set(text)
    for shown in ("␛]0;owned␇", "⟨202E⟩", "⟨200B⟩", "⟨0303⟩", "⟨E0041⟩"):
        assert shown in text
