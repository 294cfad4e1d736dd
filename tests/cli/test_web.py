"""`esdash web` as a process: its options, its sessions, its end."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest

from esdash.cli.commands.web_session import TASK, Task, environment_of, task_of
from esdash.config import Settings
from tests.cli.conftest import Call
from tests.servers import RunningServer
from tests.waiting import eventually
from tests.web.serving import Page

Start = Callable[..., Any]
TOKEN = "correct-horse-battery"


class Web:
    """A started `esdash web`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        """What it printed."""
        self.base, _, token = self.url.partition("/?token=")
        self.token = token or TOKEN
        self.base = self.base.rstrip("/")

    @asynccontextmanager
    async def page(self, query: str = "width=120&height=40") -> AsyncIterator[Page]:
        """The websocket of a page, for the length of the block."""
        headers = {"Origin": self.base, "Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession() as client:
            page = Page(await client.ws_connect(f"{self.base}/ws?{query}", headers=headers, max_msg_size=0))
            yield page
            await page.socket.close()

    def children(self) -> list[psutil.Process]:
        """The processes of its sessions, and theirs."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@pytest.fixture
def web(start: Start) -> Callable[..., Web]:
    """Start `esdash web` on a free port."""
    return lambda *arguments, **options: Web(start("web", "--listen", ":0", *arguments, **options))


async def test_a_session_shows_the_stream_and_nothing_of_it_is_seen_by_other_users(
    web: Callable[..., Web], new_server: Callable[..., RunningServer], home: Path
) -> None:
    server = new_server(port=True, requirepass="s3cret-word")
    with server.client() as client:
        client.xadd("hidden-stream", {"type": "TopUp", "data": '{"user_id":7,"amount":123456}'})
        site = web(env={**os.environ, "ESDASH_URL": server.url, "ESDASH_STREAM": "hidden-stream"})
        assert len(site.token) >= 40
        async with site.page() as page:
            await page.until("LIVE")
            await page.until("READ-ONLY")
            await page.until("1,234.56")
            seen = " ".join(part for child in site.children() for part in child.cmdline())
            for secret in ("s3cret", site.token, "hidden-stream"):
                assert secret not in seen
            # Nothing that writes has a key here, and what is on the disk is not told by a wrong one.
            await page.type("tpbsaO")
            await page.type("C")
            await page.until("settings")
            assert b"s3cret" not in page.drawn
            assert site.token.encode() not in page.drawn
            (child,) = psutil.Process(site.process.pid).children()
            assert site.token not in " ".join(child.environ().values())
        eventually(lambda: not site.children())
        code, errors = site.end()
        assert code == 0, errors
        events = [json.loads(line) for line in errors.splitlines()]
        assert [event["event"] for event in events] == ["session", "session_ended", "ending", "stopped"]
        assert site.token not in errors
        assert client.xlen("hidden-stream") == 1
        assert client.keys("esdash:*") == [], "not even a snapshot"
    assert not [path for path in home.rglob("*") if path.name in ("dashboard.json", "questions.json")]


async def test_sessions_share_the_embedded_server_and_the_last_one_stops_it(
    web: Callable[..., Web], tmp_path: Path, call: Call
) -> None:
    site = web(
        "--allow-publishing", "--data-dir", tmp_path / "d", env={**os.environ, "ESDASH_WEB_TOKEN": f" {TOKEN}\n"}
    )
    assert "token" not in site.url
    async with site.page() as one:
        await one.until("LIVE")
        async with site.page() as other:
            await other.until("LIVE")
            await one.type("b")
            await other.until("30")
            await other.until("reject")
        # It is still there for the first.
        assert call("state", "--json", "--data-dir", tmp_path / "d").json["ordinal"] == 30
        await one.type("q")
        await one.until()
        assert one.texts == [["ended", "The session has ended."]]
    eventually(lambda: not site.children())
    status = call("server", "status", "--json", "--data-dir", tmp_path / "d")
    assert status.json["running"] is False
    assert site.end(signal.SIGINT)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
async def test_it_leaves_no_process_behind(web: Callable[..., Web], url: str, number: int) -> None:
    site = web("--url", url)
    async with site.page() as page:
        await page.until("LIVE")
        children = site.children()
        assert children
        site.process.send_signal(number)
        if number != signal.SIGKILL:
            await page.until()
            assert page.socket.close_code == 1001
        code = await asyncio.to_thread(site.process.wait, 60)
    assert code == (0 if number != signal.SIGKILL else -9)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


async def test_what_a_session_cannot_do_is_said_on_its_page(web: Callable[..., Web], tmp_path: Path) -> None:
    domain = tmp_path / "bank.py"
    domain.write_text((Path(__file__).parents[1] / "domains" / "bank.py").read_text())
    site = web("--domain", domain, "--url", "redis://127.0.0.1:1", "--readonly", "--allow-publishing")
    domain.write_text("print('no packet')\n1 / 0")
    async with site.page() as page:
        await page.until()
        ((kind, why),) = page.texts
    assert kind == "ended"
    assert "bank.py" in why
    assert "Traceback" not in why
    code, errors = site.end()
    assert code == 0
    assert "--allow-publishing has no effect" in errors
    assert '"exit_code": 2' in errors


def test_every_setting_reaches_a_session_but_the_token_and_other_servers() -> None:
    given = {
        "url": "redis://:s3cret@h/0",
        "stream": "a b",
        "domains": {"x": "y"},
        "data_dir": Path("/d"),
        "readonly": True,
        "archive": Path("/a"),
        "export": False,
        "durability": "replicas:2",
        "track_dir": None,
        "theme": "nord",
        "mouse": False,
        "keys": {"quit": "f10"},
        "questions": {"q": "type:x"},
        "snapshot_seconds": 1.5,
    }
    settings = Settings(**given, profiles={"other": {"url": "redis://:other@h/0"}})  # type: ignore[arg-type]
    task = Task(settings, {"url": "ESDASH_URL"}, Path("/config.toml"))
    before = {"PATH": "/bin", "ESDASH_WEB_TOKEN": TOKEN, "ESDASH_STREAM": "x", "NO_COLOR": "1", "TEXTUAL_DRIVER": "x:Y"}
    environment = environment_of(task, before)
    assert task_of(environment[TASK]) == msgspec.structs.replace(task, settings=replace(settings, profiles={}))
    assert TOKEN not in str(environment)
    assert "other" not in str(environment)
    assert environment["ESDASH_URL"] == settings.url, "what is hidden where it is quoted"
    assert not {"ESDASH_STREAM", "ESDASH_WEB_TOKEN", "NO_COLOR", "TEXTUAL_DRIVER"} & set(environment)
    assert task_of(environment_of(Task(Settings()), {})[TASK]) == Task(Settings())


class TestWhatIsWrong:
    @pytest.fixture(autouse=True)
    def _home(self, home: Path) -> None:
        """No settings but those of the test."""

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--listen", "8023"), "'8023' is no address"),
            (("--listen", "host.invalid:1"), "host.invalid, port 1, cannot be listened on"),
            (("--sessions", "0"), "0 is not in the range"),
            (("--token-file", "/none"), "/none cannot be read: No such file"),
            (("--domain", "none.py"), "none.py"),
        ],
    )
    def test_it_is_said_in_a_sentence(self, call: Call, arguments: tuple[str, ...], told: str) -> None:
        result = call("web", *arguments)
        assert result.code in (1, 2)
        assert told in result.err
        assert result.out == ""

    def test_a_token_that_is_none(self, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "token"
        for content, told in (
            (b"short", "has 5 characters"),
            (b"\xff" * 20, "is not UTF-8"),
            (b"x " * 20, "must not have"),
        ):
            file.write_bytes(content)
            result = call("web", "--token-file", file)
            assert (result.code, told in result.err) == (2, True), result.err
            assert "short" not in result.err
        monkeypatch.setenv("ESDASH_WEB_TOKEN", "geheim")
        result = call("web")
        assert (result.code, "The token in ESDASH_WEB_TOKEN has 6 characters" in result.err) == (2, True)
        assert "geheim" not in result.err

    def test_a_port_that_is_taken(self, call: Call) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = call("web", "--listen", f":{port}")
        assert result.code == 1
        assert f"127.0.0.1, port {port:,}, cannot be listened on: Address already in use" in result.err

    def test_without_what_it_needs(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "esdash.cli.commands.web.find_spec", lambda name: None if name == "textual_serve" else object()
        )
        result = call("web")
        assert (result.code, "pip install 'esdash[web]'" in result.err) == (1, True)
