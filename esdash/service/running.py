"""A consumer that runs as a service: in a thread of its own, with a log of what happens to it."""

import queue
import threading
from typing import Final

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Stop
from esdash.engine.shown.view import Phase, View
from esdash.engine.snapshots.taking import process_name
from esdash.engine.verification.live import LiveVerifying
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.service.chronicle import Chronicle
from esdash.service.logs import Happening, Log

WAITING_LINES: Final = 1000
"""So many lines wait for a slow reader of the log. More are lost, and counted: the consumer waits for nobody."""


class Service:
    """One consumer. `run` belongs to one thread, everything else is for any."""

    def __init__(self, stream: Stream, fold: Fold, settings: ConsumerSettings, log: Log) -> None:
        """Nothing is done before `run`."""
        self.name: Final = process_name()
        """What this process is called as a holder of the lease on snapshots."""
        self.consumer: Final = Consumer(stream, fold, settings)
        self._chronicle = Chronicle(self.name)
        self._log = log
        self._waiting: queue.SimpleQueue[Happening | None] = queue.SimpleQueue()
        self._failure: DomainError | None = None
        self._over = False
        self._thread = threading.Thread(target=self._consume, name="consumer")
        self._verifying = LiveVerifying(stream, fold, self.consumer, readonly=settings.readonly)

    @property
    def view(self) -> View:
        """The newest view of the consumer."""
        return self.consumer.view

    @property
    def alive(self) -> bool:
        """Whether the consumer runs, or is about to."""
        return not self._over

    @property
    def reconnects(self) -> int:
        """How often the server was lost and found again."""
        return self._chronicle.reconnects

    def run(self, *, exit_when_halted: bool = False) -> bool:
        """Consume until asked to stop, and say what happens. Whether it ended because it had halted.

        Raises DomainError where a function of the domain fails.
        """
        self.consumer.on_view = self._look
        self._thread.start()
        halted = False
        try:
            while (happening := self._waiting.get()) is not None:
                self._log.write(happening)
                if exit_when_halted and not halted and self.view.phase is Phase.HALTED:
                    halted = True
                    self.consumer.ask(Stop())
        finally:
            # Whatever went wrong here must not leave the consumer running without its log.
            self._verifying.stop_verification()
            self.consumer.ask(Stop())
            self._thread.join()
        if self._failure is not None:
            raise self._failure
        return halted

    def stop(self, why: str) -> None:
        """Have `run` take a last snapshot and return. May be called by the handler of a signal."""
        self._waiting.put(Happening("ending", why))
        self.consumer.ask(Stop())

    def _consume(self) -> None:
        try:
            self.consumer.run()
        except DomainError as error:
            self._failure = error
        finally:
            self._over = True
            self._waiting.put(None)

    def _look(self) -> None:
        for happening in self._chronicle.look(self.consumer.view):
            if self._waiting.qsize() < WAITING_LINES:
                self._waiting.put(happening)
            else:
                self._log.lose()
