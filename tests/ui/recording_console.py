"""A console without a server: it folds what is published into a state of its own and records every call."""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, replace
from threading import Event
from typing import Any

from esdash.engine.console import Details, EngineError, LoadStatus, Published, VerificationStatus
from esdash.engine.corrections import NOTHING, key_of
from esdash.engine.row import Row
from esdash.engine.view import Phase, Position, View
from esdash.engine.viewer import Viewer
from esdash.fold.folding import Fold, Told
from tests.domains.shop import shop


def a_view() -> View:
    """A live consumer of an empty stream."""
    required = (name for name, field in View.__dataclass_fields__.items() if field.default is MISSING)
    fields: dict[str, Any] = dict.fromkeys(required)
    fields |= {
        "number": 1,
        "phase": Phase.LIVE,
        "phase_note": "",
        "phase_since": 0.0,
        "server": "embedded valkey 8.1.8",
        "stream": "orders",
        "readonly": False,
        "position": Position(),
        "state_position": Position(),
        "lag": 0,
        "rate": 0.0,
        "rates": (0.0,) * 60,
        "snapshot_note": "",
        "rows": (),
        "orphans": (),
        "corrections": NOTHING,
        "notices": (),
    }
    return View(**fields)


class RecordingConsole:
    """Answers like a real console. Tests set what goes wrong and read what was asked."""

    def __init__(self, *entries: tuple[str, str], fold: Fold | None = None) -> None:
        """Entries as type and payload; of the shop unless another domain is given."""
        self.fold = fold or shop()
        self._state = self.fold.empty()
        self._viewer = Viewer(self.fold)
        self.view = a_view()
        self._tell: Callable[[], object] = int
        self.load = LoadStatus(False, 10.0, 0, "")
        self.verification: VerificationStatus | None = None
        self.calls: list[tuple[str, ...]] = []
        self.published: list[tuple[str, bytes, str | None]] = []
        """Every attempt, those that failed too."""
        self.failures: list[str] = []
        """Sentences with which the next attempts fail."""
        self.replies_lost = 0
        """So many attempts append the entry and fail all the same."""
        self.gate: Event | None = None
        """While it is there and not set, publishing and details wait."""
        self.told: Told | str = Told()
        """What `details` answers; a string is the sentence it fails with."""
        for event_type, data in entries:
            self._append([b"type", event_type.encode(), b"data", data.encode()])

    def become(self, **fields: Any) -> None:
        """Show another view."""
        self.view = replace(self.view, number=self.view.number + 1, **fields)
        self._tell()

    def on_view(self, callback: Callable[[], object]) -> None:
        """Tell of what `become` shows."""
        self._tell = callback

    def _append(self, fields: list[bytes]) -> str:
        ordinal = len(self.view.rows) + 1
        entry_id = f"{1700000000000 + ordinal}-0"
        code, told = self.fold.explain(self._state, (entry_id.encode(), fields))
        row = Row(ordinal, entry_id.encode(), fields, code, told=told)
        self._viewer.observe([row])
        self.become(rows=(*self.view.rows, row), state=self._viewer.view(self._state))
        return entry_id

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Append one event, unless something was set to go wrong."""
        self.published.append((event_type, data, key))
        if self.gate is not None:
            self.gate.wait(10)
        if self.failures:
            raise EngineError(self.failures.pop(0))
        fields = self.fold.fields(event_type, data, (key or "").encode())
        fields = fields if key else fields[:-2]
        entry_id = self._append(fields)
        if self.replies_lost:
            self.replies_lost -= 1
            raise EngineError("The connection broke before the server answered.")
        return Published(entry_id, event_type, key or "")

    def publish_batch(self, events: Iterable[tuple[str, bytes]]) -> int:
        """Append many."""
        return len([self.publish(*event) for event in events])

    def details(self, row: Row) -> Details:
        """What was set as the answer."""
        self.calls.append(("details", row.entry_id.decode()))
        if self.gate is not None:
            self.gate.wait(10)
        if isinstance(self.told, str):
            raise EngineError(self.told)
        return Details(row, self.told)

    def start_load(self, rate: float) -> None:
        """Pretend to append."""
        self.calls.append(("start_load", str(rate)))
        self.load = LoadStatus(True, rate, 0, "")

    def stop_load(self) -> None:
        """Pretend no more."""
        self.calls.append(("stop_load",))
        self.load = replace(self.load, running=False)

    def start_verification(self) -> None:
        """Only noted."""
        self.calls.append(("start_verification",))

    def stop_verification(self) -> None:
        """Only noted."""
        self.calls.append(("stop_verification",))

    def run(self) -> None:
        """Nothing to consume."""

    def close(self) -> None:
        """Nothing to close."""

    def take_snapshot(self) -> None:
        """Only noted."""
        self.calls.append(("take_snapshot",))

    def crash(self) -> None:
        """Only noted."""
        self.calls.append(("crash",))

    def rebuild(self) -> None:
        """Only noted."""
        self.calls.append(("rebuild",))

    def stay(self) -> None:
        """Only noted."""
        self.calls.append(("stay",))

    def reload(self) -> None:
        """Only noted."""
        self.calls.append(("reload",))


def keys_of(console: RecordingConsole) -> list[bytes | None]:
    """The idempotency keys in the log."""
    return [key_of(row.fields) for row in console.view.rows]
