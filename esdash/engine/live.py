"""The console of a running consumer (`engine.console.Console`)."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, Generic

from esdash.engine.console import Details, EngineError, LoadStatus, Published, VerificationStatus
from esdash.engine.consumer import Consumer, ConsumerSettings
from esdash.engine.domain import Domain, Row, State
from esdash.engine.history import History
from esdash.engine.kept import is_same
from esdash.engine.load import SteadyLoad
from esdash.engine.publisher import Publisher
from esdash.engine.verify import verify
from esdash.engine.view import Phase, View
from esdash.log.errors import LogError
from esdash.log.stream import Log

CHECKPOINT_SECONDS: Final = 10.0
"""How long the consumer may take to tell its digest."""


class LiveConsole(Generic[State]):
    """A consumer, a publisher, a load and the past of one stream, for a screen."""

    def __init__(
        self,
        log: Log,
        domain: Domain[State],
        settings: ConsumerSettings,
        events: Iterator[tuple[str, bytes]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`events` is the endless source of the steady load: (type, data)."""
        self._consumer = Consumer(log, domain, settings, clock=clock)
        self._publisher = Publisher(log, readonly=settings.readonly, objection=self._objection)
        self._load = SteadyLoad(self._publisher, events, clock=clock)
        self._history = History(log, domain, clock=clock)
        self._log = log
        self._domain = domain
        self._verification: VerificationStatus | None = None
        self._stop_verification = threading.Event()

    @property
    def view(self) -> View:
        """The newest picture of the consumer."""
        return self._consumer.view

    def on_view(self, callback: Callable[[], object]) -> None:
        """Have `callback` called in the consumer's thread after each new view."""
        self._consumer.on_view = callback

    @property
    def load(self) -> LoadStatus:
        """The steady load."""
        return self._load.status

    def run(self) -> None:
        """Be the consumer until `close`."""
        self._consumer.run()

    def close(self) -> None:
        """Stop the load and ask `run` to take a farewell snapshot and return."""
        self._publisher.close()
        self._load.stop()
        self.stop_verification()
        self._consumer.ask("stop")

    def take_snapshot(self) -> None:
        """Take a snapshot now."""
        self._consumer.ask("snapshot")

    def crash(self) -> None:
        """Drop all memory without a farewell, then restore and replay."""
        self._consumer.ask("crash")

    def rebuild(self) -> None:
        """Forget the state and replay from the beginning of the stream."""
        self._consumer.ask("rebuild")

    def stay(self) -> None:
        """While halted: keep the last good state, read-only."""
        self._consumer.ask("stay")

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Append one event; blocks. Raises EngineError."""
        return self._publisher.publish(event_type, data, key)

    def publish_batch(self, events: Iterable[tuple[str, bytes]]) -> int:
        """Append many; blocks. How many were appended. Raises EngineError."""
        return sum(1 for _ in self._publisher.publish_many((kind, data, None) for kind, data in events))

    def start_load(self, rate: float) -> None:
        """Append events at `rate` a second until `stop_load`."""
        if self._consumer.view.readonly:
            raise EngineError("No load: this console is read-only.")
        self._load.start(rate)

    def stop_load(self) -> None:
        """Stop the steady load."""
        self._load.stop()

    @property
    def verification(self) -> VerificationStatus | None:
        """The verification that runs or ran last."""
        return self._verification

    def start_verification(self) -> None:
        """Replay everything in the background and compare it with every snapshot and the live state."""
        if self._verification is not None and self._verification.running:
            return
        self._stop_verification.clear()
        self._verification = VerificationStatus(True, 0, self.view.position.ordinal, None, "")
        threading.Thread(target=self._verify, name="verification", daemon=True).start()

    def stop_verification(self) -> None:
        """Give up a verification that runs."""
        self._stop_verification.set()

    def _objection(self) -> str:
        view = self._consumer.view
        return f"The consumer has halted. {view.phase_note}" if view.phase is Phase.HALTED else ""

    def _verify(self) -> None:
        result, error = None, ""
        try:
            live = self._consumer.checkpoint().result(timeout=CHECKPOINT_SECONDS)
            result = verify(
                self._log, self._domain, live=live, on_progress=self._progressed, stop=self._stop_verification
            )
        except TimeoutError:
            error = "The consumer does not answer: it is not connected or not live. Try again when it is."
        except (EngineError, LogError) as failure:
            error = str(failure)
        except OSError as failure:
            error = f"The processes that replay could not be started: {failure}."
        self._verification = replace(self._verification_now(), running=False, result=result, error=error)

    def _progressed(self, done: int, total: int) -> None:
        self._verification = replace(self._verification_now(), done=done, total=total)

    def _verification_now(self) -> VerificationStatus:
        assert self._verification is not None
        return self._verification

    def details(self, row: Row) -> Details:
        """What an entry changed. Raises EngineError."""
        try:
            told, changes = self._history.details(row.entry_id)
        except LogError as error:
            raise EngineError(str(error)) from error
        if not is_same(row, (told.entry_id, told.fields)):
            raise EngineError(f"Entry {row.entry_id.decode()} is another one in the stream now.")
        return Details(told, changes)
