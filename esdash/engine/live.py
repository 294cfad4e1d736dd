"""The console of a running consumer (`engine.console.Console`)."""

import time
from collections.abc import Callable
from typing import Final

from esdash.engine.console import Control, Details, EngineError, Storing
from esdash.engine.consumer import requests
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.moments.history import History
from esdash.engine.publishing.live import LivePublishing
from esdash.engine.shown.kept import is_same
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, View
from esdash.engine.verification.live import LiveVerifying
from esdash.fold.folding import Fold
from esdash.fold.loading import DomainFileError
from esdash.log.durability import APPLIED, Durability
from esdash.log.errors import LogError
from esdash.log.stream import Stream

RELOAD_SECONDS: Final = 5.0
"""How long the consumer may take to begin anew by other rules."""


class LiveConsole:
    """A consumer, the past of its stream, and what may be done to them."""

    def __init__(
        self,
        log: Stream,
        domain: Fold,
        settings: ConsumerSettings,
        *,
        seed: int = 0,
        durability: Durability = APPLIED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seed` is that of the made-up events of the steady load, `durability` what publishing waits for."""
        self._consumer = Consumer(log, domain, settings, clock=clock)
        self._log = log
        self._readonly = settings.readonly
        self._seed = seed
        self._durability = durability
        self._clock = clock
        self._use(domain)
        self.verifying = LiveVerifying(log, domain, self._consumer, readonly=self._readonly)

    def _use(self, domain: Fold) -> None:
        """Publish, look back and make a load by this domain."""
        self._domain = domain
        self._history = History(self._log, domain, clock=self._clock)
        self.publishing: LivePublishing | None = None
        if not self._readonly:
            self.publishing = LivePublishing(
                self._log,
                domain,
                objection=self._objection,
                durability=self._durability,
                seed=self._seed,
                clock=self._clock,
            )

    @property
    def control(self) -> Control:
        return self

    @property
    def storing(self) -> Storing | None:
        return None if self._readonly else self

    @property
    def fold(self) -> Fold:
        return self._domain

    @property
    def view(self) -> View:
        return self._consumer.view

    def on_view(self, callback: Callable[[], object]) -> None:
        self._consumer.on_view = callback

    def run(self) -> None:
        self._consumer.run()

    def close(self) -> None:
        """Stop the load and ask `run` to take a farewell snapshot and return."""
        if self.publishing is not None:
            self.publishing.close()
        self.verifying.stop_verification()
        self._consumer.ask(requests.Stop())

    def take_snapshot(self) -> None:
        self._consumer.ask(requests.TakeSnapshot())

    def crash(self) -> None:
        self._consumer.ask(requests.Crash())

    def rebuild(self) -> None:
        self._consumer.ask(requests.Rebuild())

    def stay(self) -> None:
        self._consumer.ask(requests.Stay())

    def reload(self) -> None:
        from esdash.engine.consumer.reloading import reloaded

        try:
            fold = reloaded(self._domain)
        except DomainFileError as error:
            raise EngineError(str(error)) from error
        before = self._consumer.view.number
        if self.publishing is not None:
            self.publishing.stop_load()
        self.verifying.stop_verification()
        self._consumer.ask(requests.Reload(fold))
        # What the consumer shows until it has dropped its memory was made by the former rules.
        deadline = self._clock() + RELOAD_SECONDS
        while self._consumer.view.number == before and self._clock() < deadline:
            time.sleep(0.01)
        self.verifying.fold = fold
        self._use(fold)

    def details(self, row: Row) -> Details:
        try:
            found = self._history.details(row.entry_id)
        except LogError as error:
            raise EngineError(str(error)) from error
        if not is_same(row, (found.entry_id, found.fields)):
            raise EngineError(f"Entry {row.entry_id.decode()} is another one in the stream now.")
        assert found.told is not None, "it was folded just now"
        return Details(found, found.told)

    def _objection(self) -> str:
        view = self._consumer.view
        return f"The consumer has halted. {view.phase_note}" if view.phase is Phase.HALTED else ""
