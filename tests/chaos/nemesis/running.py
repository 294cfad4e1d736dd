"""Running schedules, one after the other, on servers that are kept."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final
from unittest.mock import patch

from esdash.engine.consumer import lifecycle, replaying
from esdash.engine.publishing import publisher
from esdash.engine.snapshots import snapshotter
from tests.chaos.nemesis.actor import GatedLog, KilledError
from tests.chaos.nemesis.operations import perform
from tests.chaos.nemesis.oracle import FalseAlarmError, WrongError
from tests.chaos.nemesis.schedule import Schedule
from tests.chaos.nemesis.site import Site, servers_for
from tests.chaos.nemesis.stage import Stage
from tests.servers import RunningServer

_IMPATIENT: Final = (
    (replaying, "IDLE_SECONDS", 0.01),
    (lifecycle, "RETRY_SECONDS", (0.005, 0.05)),
    (publisher, "PAUSE_SECONDS", 0.005),
)
"""Everything that waits waits less, so that more happens in the same time."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A promise that was broken."""

    schedule: Schedule
    kind: str
    """wrong, false alarm, or traceback."""
    what: str
    number: int
    """Of the operation after which it was noticed, counted from 0."""

    @property
    def command(self) -> str:
        """What shows it again."""
        return f"python -m tests.chaos.nemesis --replay '{self.schedule}'"


class Nemesis:
    """The servers, kept from schedule to schedule. Use it as a context manager."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._servers: list[RunningServer] = []
        self._stages: dict[str, Stage] = {}
        self._said: list[str] = []
        """Tracebacks of threads."""
        self.vetoed = 0
        self.operations = 0

    def __enter__(self) -> Nemesis:
        self._hook, threading.excepthook = threading.excepthook, self._hear
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        threading.excepthook = self._hook
        self._drop()

    def _drop(self) -> None:
        for stage in self._stages.values():
            stage.close()
        self._stages.clear()
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _hear(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_type is not KilledError:
            self._said.append("".join(traceback.format_exception(arguments.exc_value or arguments.exc_type)))

    def _stage(self, name: str) -> Stage:
        if name not in self._stages:
            servers = servers_for(name, self._binary)
            self._servers += servers
            self._stages[name] = Stage(
                name, [Site(server, f"server {number}") for number, server in enumerate(servers)]
            )
        return self._stages[name]

    def run(self, schedule: Schedule) -> Failure | None:
        """Run one; what went wrong, None when nothing did. Raises HarnessError when the nemesis itself is wrong."""
        self._said.clear()
        stage = self._stage(schedule.stage)
        number = 0
        found: tuple[str, str] | None = None
        try:
            stage.begin()
            with _tuned(schedule):
                try:
                    for number, operation in enumerate(schedule.operations):  # noqa: B007 - says where it ended
                        perform(stage, operation.name, operation.numbers)
                        self.operations += 1
                except FalseAlarmError as error:
                    found = ("false alarm", str(error))
                except WrongError as error:
                    found = ("wrong", str(error))
                finally:
                    stage.end()
        except BaseException as error:
            self._drop()
            error.add_note(f"at operation {number} of {schedule}")
            raise
        self.vetoed += stage.vetoed
        if found is None and (self._said or stage.notes):
            found = ("traceback", "; ".join((*self._said, *stage.notes)))
        return None if found is None else Failure(schedule, *found, number)


@contextmanager
def _tuned(schedule: Schedule) -> Iterator[None]:
    values = (*_IMPATIENT, (replaying, "FAR", schedule.far), (snapshotter, "LARGE", schedule.large))
    patches = [patch.object(module, name, value) for module, name, value in values]
    patches.append(patch.object(GatedLog, "page_size", schedule.page))
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in reversed(patches):
            each.stop()
