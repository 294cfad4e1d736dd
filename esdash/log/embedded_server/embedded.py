"""The embedded server's life cycle: a real Valkey of its own process, shared by all who use a data directory.

Whoever comes first starts it, the last one to leave stops it. Joining and leaving happen one at a time, under
the lock `join.lock`; a member is a handle that holds the lock on a file of its own in `members/`, which the
kernel releases even after kill -9. So the server outlives a crash, and the next one to come finds it.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from msgspec import Struct

from esdash.counted import counted
from esdash.log.embedded_server import server_process
from esdash.log.embedded_server.data_directory import (
    DataDirectory,
    EmbeddedServerError,
    is_locked,
    open_locked,
    plain_errors,
    unlock,
)
from esdash.log.embedded_server.data_version import kept_copies
from esdash.log.embedded_server.server_process import AppendFsync

__all__ = ["EmbeddedServer", "EmbeddedServerError", "ServerStatus", "status", "stop"]


class EmbeddedServer:
    """A membership of the embedded server of one data directory. Made by `join`; `leave` ends it.

    A context manager that leaves at its end. One process may hold several.
    """

    def __init__(self, directory: DataDirectory, appendfsync: AppendFsync, told: Callable[[str], object]) -> None:
        self._directory = directory
        self._appendfsync = appendfsync
        self._told = told
        self._member: tuple[int, Path] | None = None
        self.started_here = False
        self.socket_path = directory.root
        """The unix socket, mode 0700."""

    @classmethod
    def join(
        cls,
        data_dir: Path,
        *,
        appendfsync: AppendFsync = "everysec",
        told: Callable[[str], object] = lambda _: None,
    ) -> Self:
        """Start or join the server of `data_dir` and return when it answers with its data loaded.

        The directory is created with mode 0700. `appendfsync` counts only when the server is started here. `told`
        hears a sentence when that was done with the data of an older server, of which a copy was kept.
        Raises EmbeddedServerError when the directory is not usable or the server does not start.
        """
        with plain_errors(data_dir):
            server = cls(DataDirectory.prepare(data_dir), appendfsync, told)
            try:
                server._register()
                server.ensure_running()
            except BaseException:
                with suppress(EmbeddedServerError):
                    server.leave()
                raise
            return server

    @property
    def url(self) -> str:
        """The socket as a unix:// URL for redis.Redis.from_url."""
        return f"unix://{quote(str(self.socket_path))}"

    def ensure_running(self) -> bool:
        """Start the server again if it has died; True when this call started it. Waits until it answers.

        Raises EmbeddedServerError, like `join`.
        """
        directory = self._directory
        with plain_errors(directory.root):
            while True:
                with directory.turn():
                    if self._member is None:
                        raise EmbeddedServerError(
                            f"This process has left the server of {directory.root}. Join it again."
                        )
                    log_offset = server_process.log_size(directory)
                    started = server_process.start(directory, self._appendfsync, self._told)
                if server_process.wait_until_ready(directory):
                    break
                if started:
                    raise server_process.failed_start(directory, log_offset)
                # It was somebody else's and ended while we waited: the next one is ours.
            self.started_here = started
            self.socket_path = directory.socket_path() or self.socket_path
            return started

    def leave(self) -> bool:
        """End this membership; True when it was the last one and the server was stopped cleanly.

        Leaving twice is harmless. Raises EmbeddedServerError when the last one cannot stop the server.
        """
        if self._member is None:
            return False
        try:
            with plain_errors(self._directory.root), self._directory.turn():
                self._deregister()
                return not self._directory.member_pids() and server_process.shut_down(self._directory)
        finally:
            self._deregister()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def _register(self) -> None:
        directory = self._directory
        with directory.turn():
            directory.members.mkdir(mode=0o700, exist_ok=True)
            for left_behind in directory.member_files():
                if not is_locked(left_behind):
                    left_behind.unlink(missing_ok=True)
            path = directory.members / f"{os.getpid()}-{secrets.token_hex(4)}"
            descriptor = open_locked(path)
            assert descriptor is not None, "the name is new"
            self._member = descriptor, path

    def _deregister(self) -> None:
        if self._member is not None:
            descriptor, path = self._member
            self._member = None
            unlock(descriptor)
            path.unlink(missing_ok=True)


class ServerStatus(Struct, frozen=True):
    """What an operator should know about an embedded server. What cannot be known now is None."""

    data_dir: Path
    log_file: Path
    running: bool
    """Whether its process exists."""
    responding: bool
    """Whether it answers."""
    members: int
    """How many esdash processes use it."""
    member_pids: tuple[int, ...]
    kept_copies: tuple[Path, ...] = ()
    """Data as they were before another server first opened them, oldest first."""
    pid: int | None = None
    socket_path: Path | None = None
    server_name: str | None = None
    """`valkey` or `redis`."""
    version: str | None = None
    uptime_seconds: int | None = None
    connected_clients: int | None = None
    """Connections, without the one that asked."""
    loading: bool | None = None
    """Whether it is still reading its data from the disk."""
    aof_enabled: bool | None = None
    aof_size_bytes: int | None = None
    aof_last_write_ok: bool | None = None
    used_memory_bytes: int | None = None
    maxmemory_policy: str | None = None


def status(data_dir: Path) -> ServerStatus:
    """Look at the server of `data_dir` without starting or joining it, and without writing anything.

    Raises EmbeddedServerError when the directory exists and cannot be read.
    """
    with plain_errors(data_dir):
        directory = DataDirectory.at(data_dir)
        running = is_locked(directory.server_lock)
        info: dict[str, Any] = (server_process.ask(directory) if running else None) or {}
        pids = tuple(directory.member_pids())
        name = info.get("server_name", "redis") if info else None
        return ServerStatus(
            data_dir=directory.root,
            log_file=directory.log_file,
            running=running,
            responding=bool(info),
            members=len(pids),
            member_pids=pids,
            kept_copies=tuple(kept_copies(directory)),
            pid=info.get("process_id", server_process.pid_on_file(directory)) if running else None,
            socket_path=directory.socket_path() if running else None,
            server_name=name,
            version=info.get(f"{name}_version"),
            uptime_seconds=info.get("uptime_in_seconds"),
            connected_clients=info["connected_clients"] - 1 if info else None,
            loading=bool(info["loading"]) if info else None,
            aof_enabled=bool(info["aof_enabled"]) if info else None,
            aof_size_bytes=info.get("aof_current_size"),
            aof_last_write_ok=info["aof_last_write_status"] == "ok" if info else None,
            used_memory_bytes=info.get("used_memory"),
            maxmemory_policy=info.get("maxmemory_policy"),
        )


def stop(data_dir: Path, force: bool = False) -> bool:
    """Stop the server of `data_dir` cleanly; False when none ran.

    Raises EmbeddedServerError when esdash processes use it, unless `force`, or when it does not stop.
    """
    with plain_errors(data_dir):
        directory = DataDirectory.at(data_dir)
        if not is_locked(directory.server_lock):
            return False
        with directory.turn():
            pids = directory.member_pids()
            if pids and not force:
                who = counted(len(pids), "esdash process uses", "esdash processes use")
                raise EmbeddedServerError(
                    f"{who} the embedded server of {directory.root} ({', '.join(map(str, pids))}). Quit first, "
                    "or stop the server all the same with --force."
                )
            return server_process.shut_down(directory)
