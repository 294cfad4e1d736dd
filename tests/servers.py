"""Real servers for tests: each a process with a directory of its own, gone when the test is over."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.generations import version_of
from tests.waiting import eventually

# The append-only file makes data outlive kill() and restart(). Replicas synchronise at once instead of after
# the usual five seconds, and nothing delays a shutdown.
DEFAULTS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "enable-debug-command": "local",
    "repl-diskless-sync-delay": "0",
    "shutdown-timeout": "0",
}

# What a server older than 7.0 does not know; its DEBUG needs no leave and its shutdown never waits.
SINCE_7 = ("enable-debug-command", "enable-protected-configs", "shutdown-timeout")


class Watchdog:
    """A shell command that runs when this process dies, even by kill -9, without having called it off.

    `arguments` are the command's $1, $2 and so on.
    """

    def __init__(self, command: str, *arguments: str) -> None:
        # When the pipe closes without a word, this process is gone.
        script = f'read -r word; [ "$word" = off ] || {{ {command}; }}'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},  # a test may have changed ours
            start_new_session=True,
        )

    def call_off(self) -> None:
        """The command is not needed any more."""
        self._process.communicate(b"off\n", timeout=30)


class RunningServer:
    """A server for one test, Valkey or Redis, listening on a unix socket and, if asked to, on a free loopback port.

    `config` takes the server's own settings with `_` for `-`: `RunningServer(binary, maxmemory="10mb",
    appendonly="no")`. They are kept in `.config` (with `-`), which may be changed before `restart()`.
    `replica_of` is another server that has a port.
    """

    ARGUMENTS: tuple[str, ...] = ()
    """Of its command line, after the file of settings."""

    def __init__(
        self,
        binary: Path,
        *,
        port: bool = False,
        replica_of: "RunningServer | None" = None,
        **config: str | int,
    ) -> None:
        # Directly below the system's temporary directory: pytest's own paths are too long for a socket.
        self.dir = Path(tempfile.mkdtemp(prefix="es"))
        self.socket_path = self.dir / "s"
        self.port = free_port() if port else None
        self.config: dict[str, str] = dict(DEFAULTS)
        if replica_of is not None:
            self.config["replicaof"] = f"127.0.0.1 {replica_of.port}"
        self.config.update({name.replace("_", "-"): str(value) for name, value in config.items()})
        if self.config.get("cluster-enabled") == "yes":
            # Otherwise 10,000 above the other one, which may be no port at all.
            self.config.setdefault("cluster-port", str(free_port()))
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: Watchdog | None = None
        self._clients: list[redis.Redis] = []
        self._emptying: redis.Redis | None = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where to connect: the loopback port when there is one, else the unix socket; with the password."""
        password = self.config.get("requirepass")
        credentials = f":{quote(password, safe='')}@" if password else ""
        if self.port is None:
            return f"unix://{credentials}{self.socket_path}"
        return f"redis://{credentials}127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process id of the running server. Raises AssertionError when it does not run."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process exists (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the server has written to its log, over all its starts."""
        return (self.dir / "log").read_text(errors="replace")

    def client(self, **options: Any) -> redis.Redis:
        """A new client that never repeats a command by itself; `options` are those of redis.Redis."""
        settings: dict[str, Any] = {
            "protocol": 2,
            "decode_responses": False,
            "socket_timeout": 10,
            "retry": Retry(NoBackoff(), 0),
        }
        client = redis.Redis.from_url(self.url, **(settings | options))
        self._clients.append(client)
        return client

    def connect(self) -> socket.socket:
        """A new connection to it, over which nothing was said yet. Raises OSError."""
        if self.port is not None:
            return socket.create_connection(("127.0.0.1", self.port))
        end = socket.socket(socket.AF_UNIX)
        try:
            end.connect(str(self.socket_path))
        except OSError:
            end.close()
            raise
        return end

    def empty(self) -> None:
        """Remove all that it holds, by a client that is kept for this: connecting takes fifteen times as long."""
        if self._emptying is None:
            self._emptying = self.client(retry=Retry(NoBackoff(), 1))
        self._emptying.flushall()

    def start(self) -> None:
        """Start the server and wait until it answers, its data loaded."""
        assert self._process is None, "the server runs already"
        # Another process may have taken the port since it was found free; it gives it back soon.
        eventually(self._start_once, timeout=30)

    def kill(self) -> None:
        """kill -9: the socket file stays behind, whatever was not written is lost."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """A clean shutdown: SIGTERM, files synchronised, socket file removed."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start again with the same directory, socket, port and `.config`; shuts down cleanly if it runs."""
        if self._process is not None:
            self.terminate()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, like a hung host."""
        self._process_alive().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause()`."""
        self._process_alive().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill the server if it runs, close its clients and remove its directory."""
        for client in self._clients:
            client.close()
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _start_once(self) -> bool:
        config_file = self.dir / "valkey.conf"
        settings = {
            "port": "0",
            "bind": "127.0.0.1",
            "unixsocket": str(self.socket_path),
            "dir": str(self.dir),
        }
        settings |= self.config | ({"port": str(self.port)} if self.port is not None else {})
        if version_of(self._binary) < (7, 0):
            settings = {name: value for name, value in settings.items() if name not in SINCE_7}
        config_file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        with (self.dir / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, config_file, *self.ARGUMENTS],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._watchdog = Watchdog('kill -9 "$1"; rm -rf "$2"', str(self._process.pid), str(self.dir))
        with self.client() as client:
            self._clients.remove(client)
            answers = eventually(lambda: self._answer(client), timeout=30)
        if answers == "gone":
            self._forget()
            assert "Address already in use" in self.log, f"the server did not start:\n{self.log}"
            return False
        return True

    def _answer(self, client: redis.Redis) -> str:
        if self._process_alive().poll() is not None:
            return "gone"
        with suppress(redis.ConnectionError, redis.BusyLoadingError, redis.TimeoutError):
            client.ping()
            return "ready"
        return ""

    def _process_alive(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the server does not run"
        return self._process

    def _end(self, number: signal.Signals) -> None:
        process = self._process_alive()
        process.send_signal(number)
        try:
            process.wait(timeout=30)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._watchdog is not None:
            self._watchdog.call_off()
            self._watchdog = None


class RunningSentinel(RunningServer):
    """The same program as a Sentinel."""

    ARGUMENTS = ("--sentinel",)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
