"""A console without a consumer or a server: it shows the views that it is given, and notes what it is asked to do."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from esdash.engine.console import Details, EngineError, LoadStatus, Published, VerificationStatus
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Notice, View
from esdash.fold.folding import Fold, Told


class FakeConsole:
    """Answers like a real console. Tests set what goes wrong and read what was asked."""

    def __init__(self, view: View, fold: Fold) -> None:
        self.fold = fold
        self.view = view
        self._tell: Callable[[], object] = int
        self.load = LoadStatus(False, 0.0, 0, "")
        self.verification: VerificationStatus | None = None
        self.asked: list[str] = []
        self.looked_up: list[bytes] = []
        """The entries whose details were asked for."""
        self.published: list[tuple[str, bytes]] = []
        self.appended: list[tuple[bytes, Sequence[Sequence[bytes]]]] = []
        """Every attempt, those that failed too."""
        self.keys: list[str | None] = []
        """Their idempotency keys."""
        self.durability = ""
        """How safe what is published is said to be."""
        self.failures: list[str] = []
        """Sentences with which the next attempts to publish, to make a load or to reload fail."""
        self.failure: RuntimeError | None = None
        """What the consumer ends with."""
        self.gate: threading.Event | None = None
        """While it is there and not set, publishing and details wait."""
        self.told: Told | str | None = None
        """What `details` answers in place of what the row tells; a string is the sentence it fails with."""
        self.started = threading.Event()
        self._end = threading.Event()

    @property
    def control(self) -> "FakeConsole":
        """All its parts are itself, but for those that a read-only console has not."""
        return self

    verifying = control

    @property
    def storing(self) -> "FakeConsole | None":
        """None where the view is read-only."""
        return None if self.view.readonly else self

    publishing = storing

    def show(self, view: View) -> None:
        """Replace the view."""
        self.view = replace(view, number=self.view.number + 1)
        self._tell()

    def become(self, **fields: Any) -> None:
        """Show the same with other fields."""
        self.show(replace(self.view, **fields))

    def notice(self, text: str, severity: str = "information") -> None:
        """Add a notice to the view."""
        number = self.view.notices[-1].number + 1 if self.view.notices else 1
        self.become(notices=(*self.view.notices, Notice(number, severity, text)))

    def on_view(self, callback: Callable[[], object]) -> None:
        """Tell of what is shown."""
        self._tell = callback

    def run(self) -> None:
        """Wait for the end."""
        self.started.set()
        if self.failure is not None:
            raise self.failure
        self._end.wait()

    def close(self) -> None:
        """End `run`."""
        self.asked.append("close")
        self._end.set()

    def details(self, row: Row) -> Details:
        """What was set as the answer."""
        self.looked_up.append(row.entry_id)
        self._wait()
        if isinstance(self.told, str):
            raise EngineError(self.told)
        return Details(row, self.told or row.told or Told())

    def crash(self) -> None:
        """Remember."""
        self.asked.append("crash")

    def rebuild(self) -> None:
        """Remember."""
        self.asked.append("rebuild")

    def stay(self) -> None:
        """Remember."""
        self.asked.append("stay")

    def reload(self) -> None:
        """Remember, or fail."""
        self._fail()
        self.asked.append("reload")

    def take_snapshot(self) -> None:
        """Remember."""
        self.asked.append("snapshot")

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Remember, or fail."""
        self.published.append((event_type, data))
        self.keys.append(key)
        self._wait()
        self._fail()
        return Published(self.append(event_type, data, key), event_type, key or "key", self.durability)

    def append(self, event_type: str, data: bytes, key: str | None) -> str:  # noqa: ARG002 - for those that fold it
        """Put an event into the log; its id."""
        return f"1750000000000-{len(self.published)}"

    def publish_batch(self, events: Iterable[tuple[str, bytes]]) -> int:
        """Remember, or fail."""
        return len([self.publish(*event) for event in events])

    def publish_after(self, last_id: bytes, entries: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Remember, or fail."""
        self._fail()
        self.appended.append((last_id, entries))
        return [b"1750000000001-%d" % number for number, _ in enumerate(entries)]

    def start_load(self, rate: float) -> None:
        """Pretend to produce."""
        self._fail()
        self.asked.append(f"load {rate:g}")
        self.load = LoadStatus(True, rate, 0, "")

    def stop_load(self) -> None:
        """Stop pretending."""
        self.asked.append("load stopped")
        self.load = replace(self.load, running=False)

    def start_verification(self) -> None:
        """Pretend to replay."""
        self.asked.append("verify")
        self.verification = VerificationStatus(True, 0, self.view.position.ordinal, None, "")

    def stop_verification(self) -> None:
        """Remember."""
        self.asked.append("verification stopped")

    def _wait(self) -> None:
        if self.gate is not None:
            self.gate.wait(10)

    def _fail(self) -> None:
        if self.failures:
            raise EngineError(self.failures.pop(0))
