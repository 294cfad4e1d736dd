"""A console that folds what is published into a state of its own."""

from typing import Any

from msgspec.structs import fields as fields_of

from esdash.engine.console import EngineError
from esdash.engine.shown.corrections import NOTHING
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, Position, View
from esdash.engine.shown.viewer import Viewer
from esdash.fold.folding import Fold
from esdash.fold.keys import Keys
from esdash.fold.sorting import Fields
from tests.domains.ways import present
from tests.ui.fake_console import FakeConsole


def a_view() -> View:
    """A live consumer of an empty stream."""
    required = (field.name for field in fields_of(View) if field.required)
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


class RecordingConsole(FakeConsole):
    """Folds what is published into a state of its own."""

    def __init__(self, *entries: tuple[str, str], fold: Fold | None = None) -> None:
        """Entries as type and payload; of the present domain unless another one is given."""
        super().__init__(a_view(), fold or present().fold())
        self._state = self.fold.empty()
        self._viewer = Viewer(self.fold)
        self.replies_lost = 0
        """So many attempts append the entry and fail all the same."""
        for event_type, data in entries:
            self._fold([b"type", event_type.encode(), b"data", data.encode()])

    def _fold(self, fields: Fields) -> str:
        ordinal = len(self.view.rows) + 1
        entry_id = f"{1700000000000 + ordinal}-0"
        code, told = self.fold.explain(self._state, (entry_id.encode(), fields))
        row = Row(ordinal, entry_id.encode(), fields, code, told=told)
        self._viewer.observe([row])
        self.become(rows=(*self.view.rows, row), state=self._viewer.view(self._state))
        return entry_id

    def append(self, event_type: str, data: bytes, key: str | None) -> str:
        """Fold it; its id. Raises EngineError for a reply that was lost."""
        fields = self.fold.fields(event_type, data, (key or "").encode())
        entry_id = self._fold(fields if key else fields[:-2])
        if self.replies_lost:
            self.replies_lost -= 1
            raise EngineError("The connection broke before the server answered.")
        return entry_id


def keys_of(console: RecordingConsole) -> list[bytes | None]:
    """The idempotency keys in the log."""
    return [Keys().of(row.fields) for row in console.view.rows]
