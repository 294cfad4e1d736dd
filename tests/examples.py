"""What the operators' page shows of the program's output, made by running it (`python -m tests.readme`)."""

import contextlib
import io
import os
import re
import tempfile
import time
from collections.abc import Iterator
from typing import Final

from esdash.cli import run
from tests.generations import VALKEY_9_1
from tests.servers import RunningServer

COMMANDS: Final = ("streams", "doctor")


def examples() -> dict[str, str]:
    """Of each of these commands what it prints, by its name: of a new server, by nobody's settings."""
    server = RunningServer(VALKEY_9_1.program, port=True, appendfsync="always")
    try:
        with _nobody():
            _fill(server)
            return {name: _example(name, server) for name in COMMANDS}
    finally:
        server.close()


def same(name: str, one: str, other: str) -> bool:
    """Whether two examples of a command differ in nothing but when and where they were made."""
    return _shape(name, one) == _shape(name, other)


def _shape(name: str, text: str) -> list[list[str]]:
    """Of `doctor` what was looked at, and how it stands."""
    lines = [re.sub(r"─+", "", re.sub(r"\d[\d,.:-]*", "0", line)).split() for line in text.splitlines()]
    if name == "doctor":
        return [line[:2] for line in lines if line and line[0] in ("✓", "!", "✗", "$")]
    return [line for line in lines if line]


@contextlib.contextmanager
def _nobody() -> Iterator[None]:
    """A person without settings and without a past, in Greenwich."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as home:
        for name in before:
            if name.startswith(("ESDASH_", "XDG_")):
                del os.environ[name]
        os.environ |= {"HOME": home, "TZ": "UTC"}
        time.tzset()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before
            time.tzset()


def _fill(server: RunningServer) -> None:
    """A stream with a snapshot and groups that read it, and one of another domain."""
    for arguments in ("produce --count 600 --seed 7", "snapshot take", "produce --count 30 --seed 8"):
        _printed(server, arguments)
    for account in ("DE-1", "DE-2", "FR-1"):
        _printed(server, f"publish opened {account} Ann --stream accounts --domain tests.domains.bank:BANK")
    with server.client() as client:
        client.xadd("orders", {"type": "Refund", "data": '{"user_id":3,"amount":1200}'})
        client.xgroup_create("orders", "billing", id="0")
        ((_, read),) = client.xreadgroup("billing", "billing-1", {"orders": ">"}, count=600)
        client.xack("orders", "billing", *[entry_id for entry_id, _ in read[:-12]])
        client.xgroup_create("orders", "mail", id=read[300][0])
        client.expire("accounts", 86_400)


def _example(name: str, server: RunningServer) -> str:
    text = _printed(server, name).replace(f"127.0.0.1:{server.port}", "10.0.0.7:6379")
    return f"```\n$ esdash {name}\n{text.strip()}\n```"


def _printed(server: RunningServer, arguments: str) -> str:
    """By a command, whatever its exit code."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        run([*arguments.split(), "--url", server.url])
    return printed.getvalue()
