"""A consumer in a thread, a day of the present domain in a stream, and what to compare with."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import redis

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Request, Stop
from esdash.engine.live import LiveConsole
from esdash.engine.projection import Projection
from esdash.engine.shown.picture import Picture
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, View
from esdash.fold.folding import Fold
from esdash.fold.state import State
from esdash.log.finding import server_of
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import START, Stream
from tests.domains.ways import Present, present
from tests.model import Model
from tests.strategies import RawEntry
from tests.waiting import eventually

STREAM = "orders"

QUIET = ConsumerSettings(snapshot_seconds=0)
"""No periodic snapshots: a farewell one, and those a test asks for."""

_seeds = itertools.count(1)


Fields = dict[bytes | bytearray | memoryview | str | int | float, bytes | bytearray | memoryview | str | int | float]
"""What the client's XADD takes."""

Rows = dict[str, dict[Any, tuple[Any, ...]]]
"""By table and key."""


def sound(number: int = 1, value: int = 100, key: str | None = None) -> Fields:
    """The fields of an event that is applied if none with its number was (`Ways.sound`)."""
    return said(present().sound(number, value), key)


def sound_event(number: int = 1, value: int = 100) -> tuple[str, bytes]:
    """Type and data of that event, as they are published."""
    name, members = present().sound(number, value)
    return name, json.dumps(members).encode()


def refused(key: str | None = None) -> Fields:
    """The fields of an event that the rules refuse."""
    return said(present().refused, key)


def said(event: tuple[str, dict[str, Any]], key: str | None) -> Fields:
    """The fields of an event."""
    name, members = event
    fields: Fields = {"type": name, "data": json.dumps(members)}
    return fields if key is None else fields | {"key": key}


def top_up(user_id: int = 1, amount: int = 100, key: str | None = None) -> Fields:
    """The fields of one event."""
    fields: Fields = {"type": "TopUp", "data": f'{{"user_id":{user_id},"amount":{amount}}}'}
    if key is not None:
        fields["key"] = key
    return fields


def publish(client: redis.Redis, entries: Iterable[RawEntry]) -> list[bytes]:
    """Append raw entries; their ids."""
    commands = [("XADD", STREAM, "*", *itertools.chain.from_iterable(fields)) for fields in entries]
    # A pipeline of redis-py takes twice as long, and the tests publish half a million entries.
    connection = client.connection_pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        return [connection.read_response() for _ in commands]
    except BaseException:
        connection.disconnect()
        raise
    finally:
        client.connection_pool.release(connection)


def publish_day(client: redis.Redis, count: int, seed: int = 1) -> list[bytes]:
    """Append entries of every kind: valid, refused, parked, repeated, older; their ids."""
    return publish(client, present().day(seed, count))


def publish_more(client: redis.Redis, count: int) -> list[bytes]:
    """Append entries like `publish_day`, others each time."""
    return publish_day(client, count, seed=1000 + next(_seeds))


def stored(log: Stream) -> list[tuple[bytes, Sequence[bytes]]]:
    """Every entry in the stream."""
    return [entry for page in log.pages(START) for entry in page.entries]


def pairs(fields: Sequence[bytes]) -> RawEntry:
    """An entry's fields as the model takes them."""
    return list(zip(fields[::2], fields[1::2], strict=True))


def model_of(log: Stream) -> Model:
    """What the model makes of the entries in the stream, as if they were all there ever were."""
    return modelled(stored(log))


def modelled(entries: Iterable[tuple[bytes, Sequence[bytes]]]) -> Model:
    """What the shop's model makes of entries."""
    model = Model()
    for entry_id, fields in entries:
        model.apply(entry_id.decode(), pairs(fields))
    return model


def expected(entries: Stream | Iterable[tuple[bytes, Sequence[bytes]]]) -> dict[str, Any]:
    """The document of entries, or of those in the stream, as if they were all there ever were."""
    reference = present().reference()
    for entry_id, fields in stored(entries) if isinstance(entries, Stream) else entries:
        reference.apply(entry_id.decode(), pairs(fields))
    return reference.document()


def document(projection: Projection) -> dict[str, Any]:
    """A projection as `expected` has it."""
    position = projection.position
    return {
        "last_event_id": position.last_event_id,
        "ordinal": position.ordinal,
        **present().document(projection.state),
    }


def folded(log: Stream, count: int | None = None) -> State:
    """The state of the first entries of the stream, one by one."""
    fold = present().fold()
    state = fold.empty()
    for entry in stored(log)[:count]:
        fold.fold(state, [entry])
    return state


def shown(picture: Picture | None) -> Rows:
    """The rows of a picture."""
    assert picture is not None
    return {
        name: {row.key: row.cells for row in map(table.row, table.order())} for name, table in picture.tables.items()
    }


def rows(state: State) -> Rows:
    """The rows of a state."""
    return {
        name: {key: tuple(column.get(key) for column in columns) for key in sorted(columns[0])}
        for name, columns in present().fold().cells_of(state).items()
    }


def outcome(row: Row) -> tuple[str, str | None]:
    """A row's outcome in words."""
    assert row.code is not None
    name, reason = present().fold().outcomes[row.code]
    return name, reason


def modelled_rows(entries: Iterable[tuple[bytes, Sequence[bytes]]]) -> list[tuple[int, bytes, tuple[str, str | None]]]:
    """(ordinal, id, outcome) of entries, by the reference."""
    reference = present().reference()
    return [
        (ordinal, entry_id, reference.apply(entry_id.decode(), pairs(fields)))
        for ordinal, (entry_id, fields) in enumerate(entries, 1)
    ]


def seen_rows(rows: Iterable[Row]) -> list[tuple[int, bytes, tuple[str, str | None]]]:
    """The same of a view's rows."""
    return [(row.ordinal, row.entry_id, outcome(row)) for row in rows]


class Clock:
    """The real time, and a way to let it jump."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class RunningConsumer:
    """A consumer in a thread of its own; every view that was published is kept.

    Use it as a context manager: leaving asks it to stop and waits for it.
    """

    def __init__(
        self,
        url: str,
        settings: ConsumerSettings = QUIET,
        *,
        timeout: float = 5.0,
        stream: str = STREAM,
        domain: Fold | None = None,
        **options: Callable[[], float],
    ) -> None:
        self.log = Stream(server_of(url, stream, timeout=timeout), stream)
        self.error: BaseException | None = None
        self.views: list[View] = []
        self.consumer = Consumer(self.log, domain or Present(), settings, **options)
        self.views.append(self.consumer.view)
        self.consumer.on_view = lambda: self.views.append(self.consumer.view)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.consumer.run()
        except BaseException as error:  # noqa: BLE001 - the test shall see it
            self.error = error

    def __enter__(self) -> "RunningConsumer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if error is None:
            assert self.error is None, f"the consumer ended with {self.error!r}"

    @property
    def view(self) -> View:
        """The newest view."""
        return self.consumer.view

    @property
    def running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    @property
    def projection(self) -> Projection:
        """The projection of a consumer that ended."""
        assert not self.running
        projection = self.consumer.projection
        assert projection is not None
        return projection

    @property
    def document(self) -> dict[str, Any]:
        """The state of a consumer that ended."""
        return document(self.projection)

    @property
    def digest(self) -> str:
        """Of the state of a consumer that ended."""
        return present().fold().digest(self.projection.state)

    @property
    def phases(self) -> list[Phase]:
        """The phases so far, each once for as long as it lasted."""
        return [phase for phase, _ in itertools.groupby(view.phase for view in self.views)]

    def ask(self, request: Request) -> None:
        """See Consumer.ask."""
        self.consumer.ask(request)

    def begin_anew(self, request: Request) -> None:
        """Ask it to crash or to rebuild, and wait until it has begun to: what held before has to hold again."""
        seen = len(self.views)
        self.ask(request)
        eventually(lambda: any(view.phase is Phase.CONNECTING for view in self.views[seen:]))

    def until(self, condition: Callable[[View], object], timeout: float = 20.0) -> View:
        """Wait for a view; that view."""
        found: list[View] = []

        def look() -> bool:
            view = self.view
            if condition(view):
                found.append(view)
            if not found:
                assert self._thread.is_alive() or self.error is None, f"the consumer ended with {self.error!r}"
            return bool(found)

        eventually(look, timeout=timeout, interval=0.005)
        return found[0]

    def until_live(self, last_id: bytes | str | None = None) -> View:
        """Wait until it is live, and has consumed an entry if one is named."""
        wanted = last_id.decode() if isinstance(last_id, bytes) else last_id
        return self.until(
            lambda view: view.phase is Phase.LIVE and (wanted is None or view.position.last_event_id == wanted)
        )

    def until_phase(self, phase: Phase) -> View:
        """Wait for a phase."""
        return self.until(lambda view: view.phase is phase)

    def stop(self) -> View:
        """Ask it to stop and wait until it has; the last view."""
        self.ask(Stop())
        self._thread.join(30)
        assert not self._thread.is_alive(), "the consumer did not stop"
        self.log.server.close()
        return self.view


@contextmanager
def live_console(url: str, fold: Fold) -> Iterator[LiveConsole]:
    """A console in a thread, without periodic snapshots."""
    log = Stream(Server(url), STREAM)
    running = LiveConsole(log, fold, QUIET)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield running
    finally:
        running.close()
        thread.join(20)
        log.server.close()
        assert not thread.is_alive()


def stored_headers(url: str) -> list[Header]:
    """The stored snapshots."""
    log = Stream(Server(url), STREAM)
    found = [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]
    log.server.close()
    return found
