"""A server that sends nonsense: every command ends with a sentence, soon, and in bounded memory."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import redis

from esdash.cli import run
from esdash.log.errors import LogError
from esdash.log.finding import server_of
from esdash.log.servers.server import Server
from esdash.log.stream import START, Stream
from tests.liar import NONSENSE, Liar, endless_line, endless_list, endless_lists, endless_text
from tests.servers import RunningServer
from tests.strategies import seeded_entries

SEED: Final = int(os.environ.get("NONSENSE_SEED", "1"))
CASES: Final = int(os.environ.get("NONSENSE_CASES", "30"))

COMMANDS: Final = (
    ("state", "--json"),
    ("state",),
    ("events",),
    ("events", "--json"),
    ("events", "-type:x", "since:first", "--tail", "5"),
    ("why", "users:1.balance"),
    ("diff", "first", "now"),
    ("find", "count(users) > 100"),
    ("state", "--at", "#5"),
    ("consume", "--once"),
    ("consume", "--once", "--from-start", "--no-snapshot"),
    ("publish", "top-up", "7", "1.50"),
    ("publish", "top-up", "7", "1.50", "--wait"),
    ("produce", "--count", "30"),
    ("doctor",),
    ("doctor", "--json"),
    ("verify",),
    ("snapshot", "list"),
    ("snapshot", "take"),
    ("snapshot", "delete", "5-abcdef01"),
)

SECONDS: Final = 20.0
"""More than the four attempts that publishing takes."""

MEMORY: Final = 400e6
"""Bytes at most, with interpreter, program and the largest reply that is read."""


@pytest.fixture
def server(new_server: Callable[..., RunningServer]) -> RunningServer:
    """A server with a stream and two snapshots of it."""
    server = new_server(port=True)
    with server.client() as client:
        for seed in (1, 2):
            fill(client, seed)
            assert run(["snapshot", "take", "--url", server.url]) == 0
        fill(client, 3)
    return server


def fill(client: redis.Redis, seed: int) -> None:
    for entry in seeded_entries(seed, 50):
        client.execute_command("XADD", "orders", "*", *(part for pair in entry for part in pair))


def cases() -> Iterator[tuple[tuple[str, ...], bytes, int]]:
    chance = random.Random(SEED)
    for _ in range(CASES):
        yield chance.choice(COMMANDS), chance.choice(NONSENSE), chance.choice((0, 0, 1, 2, 3, 4, 5, 6, 8, 12, 20))


@pytest.fixture
def quiet_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("ESDASH_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("quiet_home")
def test_nonsense_ends_in_a_sentence(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    for command, lie, truths in cases():
        told = f"{' '.join(command)} · after {truths} true replies {lie[:60]!r}"
        with Liar(server, lie, truths) as liar:
            begun = time.monotonic()
            code = run([*command, "--url", liar.url])
            assert time.monotonic() - begun < SECONDS, told
            lied = liar.lies
        out, err = capsys.readouterr()
        # A doctor reports what it cannot look at, and some replies fit some commands after all.
        assert code in (0, 1, 3, 4, 5), f"{told}: {code}\n{err}"
        assert code in (1, 5) or not lied or _may_fit(lie) or command[0] == "doctor", f"{told}: {code}\n{out}{err}"
        assert "Traceback" not in err, told
        if code in (1, 5):
            sentences = err.strip().splitlines()[-1]
            assert sentences.startswith("esdash: "), told
            assert sentences.endswith((".", "?")), f"{told}: {sentences}"
            assert len(sentences) < 700, f"{told}: {sentences}"


def _may_fit(lie: bytes) -> bool:
    """Whether there is a command that replies so, or at which nobody looks closely."""
    return lie[:1] in b":$*+-_#,(=%~|"


@pytest.mark.usefixtures("quiet_home")
@pytest.mark.parametrize(
    ("lie", "command", "truths"),
    [
        (endless_line, ("publish", "top-up", "7", "1.50"), 0),
        (endless_text, ("publish", "top-up", "7", "1.50"), 0),
        (endless_text, ("state",), 3),
        (endless_list, ("consume", "--once"), 2),
        (endless_lists, ("publish", "top-up", "7", "1.50"), 0),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_an_endless_reply_is_given_up_in_bounded_memory(
    server: RunningServer, lie: Callable[[], Iterator[bytes]], command: tuple[str, ...], truths: int
) -> None:
    with Liar(server, lie, truths) as liar:
        code, err, memory = measured([*command, "--url", liar.url])
        assert liar.lies
    assert code in (1, 5), err
    assert "Traceback" not in err
    assert err.startswith("esdash: ")
    assert memory < MEMORY, f"{memory / 1e6:.0f} MB"


def measured(arguments: list[str]) -> tuple[int, str, float]:
    """Exit code, stderr and peak memory of a process."""
    script = (
        "import resource, sys; from esdash.cli import run; code = run(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stdout); sys.exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return ended.returncode, ended.stderr, int(ended.stdout.split()[-1]) * unit


def test_a_reply_is_read_or_refused_whatever_it_is(server: RunningServer) -> None:
    questions: tuple[Callable[[Stream], object], ...] = (
        Stream.facts,
        lambda log: log.server.facts(),
        Stream.newest,
        lambda log: [*log.pages(START)],
    )
    for lie in NONSENSE:
        with Liar(server, lie, 0) as liar:
            for ask in questions:
                log = Stream(Server(liar.url), "orders")
                with suppress(LogError):
                    ask(log)
                log.server.close()
            for how, service in (("cluster", ""), ("sentinel", "/shop")):
                url = liar.url.replace("redis:", f"redis+{how}:").replace(
                    "?socket_timeout=2", f"{service}?socket_timeout=0.2"
                )
                found = server_of(url, "orders")
                with pytest.raises(LogError):
                    found.locate()
