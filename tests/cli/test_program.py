"""The program as a process: what scripts and people depend on."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from esdash.log.embedded_server import embedded
from tests.cli.conftest import Call, Result, append, expected, line_with, model_of
from tests.servers import RunningServer
from tests.strategies import seeded_entries
from tests.waiting import eventually

Start = Callable[..., "subprocess.Popen[str]"]


class TestState:
    def test_state_as_json_is_what_the_model_computes(self, call: Call, url: str, client: redis.Redis) -> None:
        entries = seeded_entries(3, 1500)
        ids = append(client, entries)
        shown = call("state", "--json", "--url", url)
        assert (shown.code, shown.err) == (0, "")
        document = shown.json
        assert list(document)[:9] == [
            *("stream", "domain", "last_event_id", "ordinal", "unseen"),
            *("tables", "outcomes", "digest", "continuity"),
        ]
        computed = expected(model_of(ids, entries))
        assert {name: document[name] for name in computed} == computed
        assert document["domain"] == "shop"
        assert document["stream"] == "orders"
        assert document["continuity"] == "CONTINUOUS"

    def test_it_needs_neither_a_screen_nor_validation_of_settings(
        self, home: Path, url: str, client: redis.Redis
    ) -> None:
        append(client, seeded_entries(1, 5))
        script = (
            "import sys; from esdash.cli import run; run(sys.argv[1:]);"
            "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script, "state", "--json", "--url", url],
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(home)},
            timeout=60,
            check=True,
        )
        assert json.loads(ended.stdout)["ordinal"] == 5
        assert not {"textual", "rich", "pydantic", "numpy"} & set(ended.stderr.split())


class TestExit:
    def test_a_server_that_is_not_there_is_5(self, esdash: Call) -> None:
        failed = esdash("state", "--url", "redis://127.0.0.1:1")
        assert failed.code == 5
        assert failed.out == ""
        assert failed.err == "esdash: No connection to redis://127.0.0.1:1: Connection refused.\n"

    def test_nothing_to_verify_behind_a_gap_is_4(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 5))
        assert call("snapshot", "take", "--url", url).code == 0
        append(client, seeded_entries(2, 5))
        client.xtrim("orders", maxlen=2, approximate=False)
        refused = call("verify", "--json", "--url", url)
        assert (refused.code, refused.out) == (4, "")
        assert refused.err.startswith("esdash: Nothing can be verified: 3 entries vanished")

    def test_without_a_terminal_the_dashboard_names_what_works(self, esdash: Call, url: str) -> None:
        refused = esdash("--url", url)
        assert refused.code == 2
        assert "terminal" in refused.err
        assert "state" in refused.err
        assert refused.out == ""

    def test_a_reader_that_leaves_is_no_error(self, start: Start, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 3000))
        process = start("events", "--json", "--url", url)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ordinal"] == 1
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 0

    def test_an_interrupt_is_quiet(self, start: Start, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 3))
        process = start("events", "--follow", "--json", "--url", url)
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 130

    def test_under_nohup_the_end_of_the_terminal_is_ignored(self, home: Path) -> None:
        script = (
            "import atexit, signal, sys; from esdash.cli import main; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
            "atexit.register(lambda: print(signal.getsignal(signal.SIGHUP).name)); sys.argv[1:] = ['--version']; main()"
        )
        shown = subprocess.check_output([sys.executable, "-c", script], cwd=home, text=True, timeout=60)
        assert shown.splitlines()[-1] == "SIG_IGN"


needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


WritingTo = Callable[..., Result]


@pytest.fixture
def writing_to(call: Call, monkeypatch: pytest.MonkeyPatch) -> WritingTo:
    """Run a command in this process that writes to a descriptor."""

    def writing_to(descriptor: int, *arguments: object) -> Result:
        file = open(descriptor, "w", encoding="utf-8")  # noqa: SIM115 - closing it fails as well
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", file)
            ended = call(*arguments)
        with suppress(OSError):
            file.close()
        return ended

    return writing_to


class TestMissingStreams:
    """Standard streams that a shell closed, as a daemon's are."""

    @pytest.mark.parametrize("command", [("state",), ("events", "--json")])
    def test_a_closed_output_is_a_sentence_and_1(
        self, shell: Call, url: str, client: redis.Redis, command: tuple[str, ...]
    ) -> None:
        append(client, seeded_entries(1, 3))
        ended = shell(">&-", *command, "--url", url)
        assert ended.code == 1
        assert "esdash: Standard input or output is closed.\n" in ended.err

    @pytest.mark.parametrize("command", [("state", "--json"), ("verify",)])
    def test_so_it_is_of_commands_that_answer_once(
        self, writing_to: WritingTo, url: str, client: redis.Redis, command: tuple[str, ...]
    ) -> None:
        append(client, seeded_entries(1, 3))
        # What the program puts in the place of a stream that is closed.
        ended = writing_to(os.open(os.devnull, os.O_RDONLY), *command, "--url", url)
        assert ended.code == 1
        assert "esdash: Standard input or output is closed.\n" in ended.err

    def test_a_closed_error_output_is_missed_by_nobody(self, shell: Call, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 3))
        assert shell("2>&-", "verify", "--json", "--url", url).json["holds"]
        assert shell("<&- >&- 2>&-", "doctor", "--url", "redis://127.0.0.1:1").code == 5

    def test_a_closed_input(self, shell: Call, url: str) -> None:
        ended = shell("<&-", "publish", "batch", "-", "--url", url)
        assert (ended.code, ended.err) == (1, "esdash: Standard input or output is closed.\n")

    @needs_a_full_disk
    def test_a_full_disk_is_a_sentence_and_1(self, shell: Call, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 3))
        for command in ("state", "events", "doctor"):
            ended = shell(">/dev/full", command, "--url", url)
            assert (ended.code, ended.err) == (1, "esdash: No space left on device.\n")

    @needs_a_full_disk
    def test_a_full_disk_for_what_is_said(self, shell: Call) -> None:
        assert shell("2>/dev/full", "state", "--url", "redis://127.0.0.1:1").code == 5


class TestPassword:
    """A password in a URL is never printed."""

    @pytest.mark.parametrize(
        "arguments",
        [
            ("state", "--url", "redis://bob:s3cret@127.0.0.1:1/0"),
            ("--url=redis://bob:s3cret@127.0.0.1:1", "state", "--frobnicate"),
            ("state", "redis://bob:s3cret@127.0.0.1:1"),
            ("state", "--ulr", "redis://bob:s3cret@127.0.0.1:1"),
            ("state", "--url", "redis://bob:s3cret@127.0.0.1:port"),
            ("state", "--url", "nosuchscheme://bob:s3cret@127.0.0.1"),
            ("state", "--url", "redis://bob:s3/cret@127.0.0.1:1"),
            ("state", "--url", "redis://127.0.0.1:1?password=s3cret"),
            ("events", "--from", "redis://:s3cret@h"),
            ("publish", "order", "1", "redis://:s3cret@h"),
        ],
    )
    def test_in_no_message(self, call: Call, arguments: tuple[str, ...]) -> None:
        failed = call(*arguments)
        assert failed.code in (2, 5)
        assert failed.out == ""
        assert failed.err.startswith("esdash: ")
        for secret in ("s3cret", "s3/cret", "bob"):
            assert secret not in failed.err

    def test_a_wrong_one_is_answered_with_advice(
        self, call: Call, esdash: Call, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server(port=True, requirepass="s3cret")
        for credentials, way in (("", call), (":wr0ng@", call), ("user:wr0ng@", call), ("bob:wr0ng@", esdash)):
            failed = way("state", "--url", f"redis://{credentials}127.0.0.1:{server.port}")
            assert failed.code == 1
            assert "user name or password" in failed.err
            assert "redis://user:password@host" in failed.err
            assert "wr0ng" not in failed.err
            assert "bob" not in failed.err

    def test_nor_in_the_list_of_processes(self, new_server: Callable[..., object], start: Start) -> None:
        server = new_server(requirepass="s3cret")
        process = start("consume", "--url", server.url)  # type: ignore[attr-defined]
        command_line = Path(f"/proc/{process.pid}/cmdline")
        if not command_line.exists():
            pytest.skip("needs /proc")
        line_with(process.stderr, "live")
        assert b"s3cret" not in command_line.read_bytes()
        assert b"consume" in command_line.read_bytes()
        process.terminate()
        assert process.wait(timeout=30) == 0


class TestEmbeddedServer:
    def test_commands_share_what_they_wrote_and_leave_nothing_running(
        self, esdash: Call, call: Call, data_dir: Path
    ) -> None:
        options = ("--data-dir", data_dir)
        published = esdash("publish", "top-up", 7, "12.34", *options)
        assert published.code == 0
        assert set(published.json) == {"id", "type", "key"}
        assert not embedded.status(data_dir).running
        state = call(*options, "state", "--json").json
        assert state["tables"]["users"] == {"7": {"balance": 1234}}
        assert state["last_event_id"] == published.json["id"]
        assert not embedded.status(data_dir).running

    def test_a_consumer_brings_a_server_that_died_back(self, call: Call, start: Start, data_dir: Path) -> None:
        consumer = start("consume", "--data-dir", data_dir)
        line_with(consumer.stderr, "live")
        pid = embedded.status(data_dir).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: embedded.status(data_dir).pid not in (None, pid) and embedded.status(data_dir).responding)
        assert call("publish", "top-up", 7, 1, "--data-dir", data_dir).code == 0
        consumer.terminate()
        assert consumer.wait(timeout=30) == 0
        assert not embedded.status(data_dir).running

    def test_a_terminated_command_leaves_it(self, start: Start, data_dir: Path) -> None:
        process = start("events", "--follow", "--data-dir", data_dir)
        eventually(lambda: embedded.status(data_dir).responding)
        process.terminate()
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
        assert not embedded.status(data_dir).running

    def test_a_directory_that_cannot_be_used_is_5(self, call: Call, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        failed = call("state", "--data-dir", tmp_path / "file" / "below")
        assert failed.code == 5
        assert "--data-dir" in failed.err


class TestOutput:
    def test_hostile_text_reaches_a_terminal_as_text(self, call: Call, url: str, client: redis.Redis) -> None:
        hostile = "\u202e\x1b[31mred\u200b\x9b1m"
        client.xadd(
            "orders", {"type": "AddItem", "data": json.dumps({"item_id": "\u202e[red]x", "count": 1, "price": 1})}
        )
        client.xadd("orders", {"type": hostile, "data": hostile.encode()})
        client.xadd("orders", {"type": hostile, "data": "{}"})
        item = '"\u202e[red]x"'
        for command in (
            *(("state",), ("events",), ("events", "/red/"), ("why", f"items:{item}.price"), ("diff", "#1", "now")),
            *(("find", f"items:{item}.price >= 0"), ("events", "--reverse")),
        ):
            for flag in ((), ("--json",)):
                shown = call(*command, *flag, "--url", url)
                assert shown.code == 0
                assert not {"\x1b", "\x9b", "\u202e", "\u200b"} & set(shown.out + shown.err)

    def test_hostile_arguments_are_quoted_as_text(self, call: Call) -> None:
        for arguments in (("fro\x1b[31mb",), ("state", "--fro\x1b]0;x\x07"), ("events", "--count", "\x9b1m")):
            refused = call(*arguments)
            assert refused.code == 2
            assert not {"\x1b", "\x07", "\x9b"} & set(refused.err)
            assert refused.err.count("\n") == 1

    def test_a_hostile_server_is_quoted_as_text(self, call: Call) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                with suppress(OSError):
                    while True:
                        client, _ = listener.accept()
                        with client:
                            while client.recv(4096):
                                client.sendall(b"-ERR \x1b[31m\xc2\x9bred\x07\r\n" * 20)

            threading.Thread(target=answer, daemon=True).start()
            refused = call("state", "--url", f"redis://127.0.0.1:{listener.getsockname()[1]}")
            listener.shutdown(socket.SHUT_RDWR)
        assert refused.code == 1
        assert "red" in refused.err
        assert not {"\x1b", "\x07", "\x9b"} & set(refused.err)

    def test_no_colours_in_a_pipe(self, esdash: Call, call: Call, url: str, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 50))
        for command in ("state", "events", "doctor"):
            assert "\x1b" not in call(command, "--url", url).out
        assert "\x1b" not in esdash("events", "--url", url).out

    def test_an_output_that_knows_only_ascii(self, esdash: Call, url: str, client: redis.Redis) -> None:
        client.xadd("orders", {"type": "AddItem", "data": '{"item_id": "мышь", "count": 1, "price": 1}'})
        shown = esdash("events", "--url", url, env={"PYTHONIOENCODING": "ascii"})
        assert shown.code == 0
        assert r"\u043c" in shown.out
