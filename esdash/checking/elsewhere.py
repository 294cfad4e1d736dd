"""Other processes that fold the same entries: another hash seed, time zone and locale, and another time."""

import datetime as dates
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import msgspec

from esdash.checking.ways import result
from esdash.fold.folding import Entry
from esdash.fold.loading import load

LATER: Final = 400 * 86_400
"""Seconds by which another process believes it to be later."""

_SURROUNDINGS: Final = (
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
)


def start(function: str, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Run `function` (module:name); `options` are those of Popen. It finds esdash where this process does."""
    module, _, name = function.partition(":")
    search = [str(Path(__file__).parents[3]), *(entry or str(Path.cwd()) for entry in sys.path)]
    environment = {**os.environ, **options.pop("env", {}), "PYTHONPATH": os.pathsep.join(search)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-P", "-c", f"from {module} import {name}; {name}()", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, **options)


def answer_apart() -> int:
    """Where this process answers from now on; what functions of a domain print goes to stderr."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


class Elsewhere:
    """Another process."""

    def __init__(self, choice: str, surroundings: dict[str, str]) -> None:
        self._process = start("esdash.checking.elsewhere:serve", choice, env=surroundings, stderr=subprocess.DEVNULL)

    def __call__(self, entries: Sequence[Entry]) -> str:
        """The digest of what it folds from entries, or what went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            request = msgspec.msgpack.encode(entries)
            self._process.stdin.write(struct.pack("<I", len(request)) + request)
            self._process.stdin.flush()
        except OSError:
            return "it ended"
        return self._process.stdout.readline().decode().strip() or "it ended"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def processes(choice: str) -> Iterator[list[Callable[[Sequence[Entry]], str]]]:
    """Other processes in other surroundings, for the length of the block."""
    others = [Elsewhere(choice, surroundings) for surroundings in _SURROUNDINGS]
    try:
        yield list(others)
    finally:
        for other in others:
            other.end()


def serve() -> None:
    """Answer requests until nobody makes any."""
    answers = answer_apart()
    if os.environ["PYTHONHASHSEED"] != _SURROUNDINGS[0]["PYTHONHASHSEED"]:
        _live_later()
    fold = load(sys.argv[1])
    _tell_domain_the_time(fold.domain.events)
    os.chdir("/")
    while len(head := sys.stdin.buffer.read(4)) == 4:
        request = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        entries = msgspec.msgpack.decode(request, type=list[tuple[bytes, list[bytes]]])
        os.write(answers, result(fold, entries).encode() + b"\n")


# Another time

_REAL: Final = {name: getattr(time, name) for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter")}


def _live_later() -> None:
    def later(name: str) -> Callable[[], float]:
        by = LATER * 10**9 if name.endswith("_ns") else LATER
        return lambda: _REAL[name]() + by

    for name in _REAL:
        setattr(time, name, later(name))
    real = time.localtime, time.gmtime
    time.localtime = lambda seconds=None: real[0](time.time() if seconds is None else seconds)
    time.gmtime = lambda seconds=None: real[1](time.time() if seconds is None else seconds)


class _AsReal(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])


class _Datetime(dates.datetime, metaclass=_AsReal):
    """A class that tells the time as `time` does."""

    @classmethod
    def now(cls, tz: dates.tzinfo | None = None) -> Any:
        return dates.datetime.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return dates.datetime.fromtimestamp(time.time(), dates.UTC).replace(tzinfo=None)

    today = now


class _Date(dates.date, metaclass=_AsReal):
    @classmethod
    def today(cls) -> Any:
        return dates.date.fromtimestamp(time.time())


def _tell_domain_the_time(events: Sequence[Any]) -> None:
    """In the modules of the rules, once their models were read: classes of C cannot be told another time."""
    members = {name: getattr(dates, name) for name in dir(dates) if not name.startswith("_")}
    module = SimpleNamespace(**{**members, "datetime": _Datetime, "date": _Date})
    for each in events:
        names = getattr(each.apply or each.upcast, "__globals__", {})
        for name, value in list(names.items()):
            if value is dates.datetime:
                names[name] = _Datetime
            elif value is dates.date:
                names[name] = _Date
            elif isinstance(value, ModuleType) and value is dates:
                names[name] = module
