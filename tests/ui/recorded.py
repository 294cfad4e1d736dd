"""Recorded views, and a console that shows them."""

import itertools
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from esdash.engine.shown.corrections import Corrections, CorrectionTracker
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import (
    Continuity,
    Phase,
    Position,
    Progress,
    Restored,
    Rung,
    SnapshotInfo,
    Verdict,
    View,
)
from esdash.engine.shown.viewer import Viewer
from esdash.fold.folding import Fold
from esdash.shop.samples import demo_batch, demo_events
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.ui.fake_console import FakeConsole

WALL: Final = 1_750_000_000.0
"""The frozen wall clock: 2025-06-15 15:06:40 UTC."""

NOW: Final = 5_000.0
"""The frozen monotonic clock."""

BUSY: Final = 98
"""Entries of a busy history."""


class History:
    """A stream of entries and the state they add up to, built entry by entry."""

    def __init__(
        self, first_ms: int = int(WALL * 1000) - 600_000, step_ms: int = 0, *, fold: Fold | None = None
    ) -> None:
        """Of the present domain unless another one is given."""
        self.fold = fold or present().fold()
        self.state = self.fold.empty()
        self.viewer = Viewer(self.fold)
        self.rows: list[Row] = []
        self._ms = first_ms
        self._step = step_ms

    def add(self, event_type: str, data: bytes | str, **fields: bytes) -> Row:
        """Append an entry and fold it."""
        raw = data if isinstance(data, bytes) else data.encode()
        flat: list[bytes] = [b"type", event_type.encode(), b"data", raw]
        for name, value in fields.items():
            flat += [name.encode(), value]
        return self.add_fields(flat)

    def add_fields(self, fields: Sequence[bytes]) -> Row:
        """The same from raw fields."""
        self._ms += self._step or 137
        entry_id = f"{self._ms}-0".encode()
        code, told = self.fold.explain(self.state, (entry_id, fields))
        row = Row(len(self.rows) + 1, entry_id, fields, code, told=told)
        self.rows.append(row)
        self.viewer.observe([row])
        return row

    def add_all(self, events: Iterable[Any]) -> "History":
        """Append many events."""
        for event in events:
            self.add_event(event)
        return self

    def add_event(self, event: Any) -> Row:
        """Append an event of the domain."""
        return self.add(*self.fold.encode(event))

    def sound(self, *numbers: int, value: int = 100, **fields: bytes) -> "History":
        """Append the events by which the present domain makes these rows."""
        for number in numbers:
            name, members = present().sound(number, value)
            self.add(name, msgspec.json.encode(members), **fields)
        return self

    def live(self, **changes: Any) -> View:
        """The view of a consumer that has read everything."""
        last = self.rows[-1].entry_id.decode() if self.rows else "0-0"
        position = Position(last, len(self.rows))
        view = replace(
            blank(),
            phase=Phase.LIVE,
            position=position,
            state_position=position,
            server="embedded · valkey 8.1.8",
            rate=0.0,
            restored=Restored((Rung(None, Position(), None),), replayed=0, replay_seconds=0.0004, done=True),
            continuity=Continuity(Verdict.CONTINUOUS),
            rows=tuple(self.rows[-10_000:]),
            corrections=self._corrections(),
            state=self.viewer.view(self.state),
        )
        return replace(view, **changes)

    def _corrections(self) -> Corrections:
        tracker = CorrectionTracker(self.fold)
        codes = bytes(row.code or 0 for row in self.rows)
        tracker.add(1, [(row.entry_id, row.fields) for row in self.rows], codes)
        return tracker.current()


_numbers = itertools.count(1)


def blank() -> View:
    """What there is before the first connection."""
    return View(
        number=next(_numbers),
        phase=Phase.CONNECTING,
        phase_note="",
        phase_since=NOW,
        retry_at=None,
        server="embedded",
        stream="orders",
        readonly=False,
        position=Position(),
        state_position=Position(),
        lag=0,
        rate=0.0,
        rates=(0.0,) * 60,
        progress=None,
        restored=None,
        snapshot=None,
        snapshot_note="",
        continuity=None,
        rows=(),
        orphans=(),
        state=None,
        notices=(),
    )


def busy_history() -> History:
    """So many entries, some of each kind that goes wrong; the last is applied."""
    history = History()
    if history.fold is not shop():
        for fields in present().day(7, BUSY - 5):
            history.add_fields([part for pair in fields for part in pair])
        name, members = present().refused
        history.add(name, msgspec.json.encode(members))
        history.add("Refund", '{"user_id":3,"amount":100}')
        history.sound(12, 12, key=b"once")
        return history.sound(3)
    history.add_all(demo_batch(7))
    history.add_all(islice(demo_events(7), 60))
    history.add("TopUp", '{"user_id":3,"amount":0}')
    history.add("Refund", '{"user_id":3,"amount":100}')
    history.add("TopUp", '{"user_id":3,"amount":12345}', key=b"once")
    history.add("TopUp", '{"user_id":3,"amount":12345}', key=b"once")
    history.add("Order", '{"user_id":99,"lines":[{"item_id":"hdd","quantity":1}]}')
    history.add("AddItem", '{"item_id":"new","count":1}')
    history.add("TopUp", "not json at all")
    history.add("Order", '{"user_id":3,"lines":[{"item_id":"hdd","quantity":2},{"item_id":"cpu","quantity":1}]}')
    return history


def a_busy_view() -> View:
    """Live, with that history."""
    return _busy(present().fold())


@cache
def _busy(_: Fold) -> View:
    return busy_history().live()


def a_snapshot(ordinal: int = 1_200, age: float = 12.0) -> SnapshotInfo:
    """Taken `age` seconds ago."""
    created = int((WALL - age) * 1000)
    return SnapshotInfo(f"{created}-0", Position(f"{created}-0", ordinal), created, 12_345, 0.004, "0" * 32)


def wave() -> tuple[float, ...]:
    """Rates of a minute with something to see in them."""
    return tuple(float((second * 7) % 23 * 40 + second * 3) for second in range(60))


class RecordedConsole(FakeConsole):
    """Shows a recorded view, of the present domain unless another one is given."""

    def __init__(self, view: View | None = None, fold: Fold | None = None) -> None:
        super().__init__(view if view is not None else blank(), fold or present().fold())


def replaying() -> View:
    """In the middle of a million."""
    view = a_busy_view()
    return replace(
        view,
        phase=Phase.REPLAYING,
        lag=550_000,
        rate=912_345.0,
        rates=(*(0.0,) * 57, 400_000.0, 880_000.0, 912_345.0),
        position=Position(view.position.last_event_id, 450_000),
        progress=Progress(450_000, 1_000_000, 912_345.0, 0.6),
        restored=Restored((Rung(None, Position(), None),)),
        continuity=Continuity(Verdict.CONTINUOUS),
    )


def restoring() -> View:
    """Two snapshots were no good."""
    rungs = (
        Rung("1749999988000-0", Position("1749999988000-0", 12_000), "its checksum does not match its bytes"),
        Rung("1749999958000-0", Position("1749999958000-0", 11_000), "it was made by another version of the fold"),
    )
    return replace(blank(), phase=Phase.RESTORING, server="embedded · valkey 8.1.8", restored=Restored(rungs))


def disconnected() -> View:
    """The server has been away for a while."""
    return replace(
        restored(72.0),
        phase=Phase.DISCONNECTED,
        phase_note="The server at unix:///run/esdash.sock does not answer: connection refused.",
        phase_since=NOW - 42,
        retry_at=NOW + 3.2,
        rate=0.0,
    )


def halted() -> View:
    """Entries vanished before they were read."""
    explanation = (
        "3 entries vanished before they were read, between 1749999412878-0 and 1749999413426-0: "
        "the stream was trimmed or they were deleted."
    )
    return replace(
        restored(),
        phase=Phase.HALTED,
        phase_note=explanation,
        continuity=Continuity(Verdict.GAP, 3, "1749999412878-0", "1749999413426-0", 0, explanation),
        lag=12,
        rate=0.0,
    )


def hostile() -> View:
    """Whatever a stream may hold to break a screen."""
    history = History()
    nasty = (
        "[red]markup[/red]",
        "\x1b[2J\x1b[31mred",
        "\u202egnp.exe\u202c",
        "z\u0061\u0301\u0302\u0303\u0304lgo",
        "\u200bzero\u200dwidth",
        "日本語の商品名がとても長いのでとても長いのでとても長い",
        "👩‍👩‍👧‍👦 family 🇨🇭",
        "\ttab\nnewline\r",
        "ﷺ﷽" * 8,
    )
    for number, text in enumerate(nasty):
        quoted = msgspec.json.encode(text[:64])
        history.add("AddItem", b'{"item_id":' + quoted + b',"count":%d,"price":%d}' % (number * 7 + 1, number * 99))
        history.add(text, quoted)
        history.add("TopUp", text)
        line = b'{"user_id":1,"lines":[{"item_id":' + quoted + b',"quantity":1}]}'
        history.add("Order", line)
        name, members = present().sound(number, number)
        if any(isinstance(value, str) for value in members.values()):
            members = {field: text if isinstance(value, str) else value for field, value in members.items()}
            history.add(name, msgspec.json.encode(members))
    history.add_fields([])
    history.add_fields([b"type", b"\xff\xfe", b"data", b"\x00\x01\x02\x80\x81"])
    history.add("TopUp", '{"user_id":9223372036854775807,"amount":1000000000000000}')
    history.add("AddItem", '{"item_id":"many","count":1000000000000,"price":1000000000000000}')
    return history.live(server="redis://[b]host[/b]\x1b[31m:6379", stream="or\u202eders[/]")


def restored(seconds_ago: float = 12.0) -> View:
    """Live, from a snapshot, under some load."""
    snapshot = a_snapshot(BUSY - 34, seconds_ago)
    rung = Rung(snapshot.snapshot_id, snapshot.position, None)
    return replace(
        a_busy_view(),
        snapshot=snapshot,
        rate=1_234.0,
        rates=wave(),
        restored=Restored((rung,), snapshot.snapshot_id, snapshot.position, 0.012, 34, 0.0005, True),
    )
