"""The console of a running consumer (`engine.console.Console`)."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from esdash.engine import requests
from esdash.engine.console import Details, EngineError, LoadStatus, Published, VerificationStatus
from esdash.engine.consumer import Consumer, ConsumerSettings
from esdash.engine.history import History
from esdash.engine.kept import is_same
from esdash.engine.load import SteadyLoad
from esdash.engine.publisher import Publisher
from esdash.engine.reloading import reloaded
from esdash.engine.row import Row
from esdash.engine.verification import Verification
from esdash.engine.verify import verify
from esdash.engine.view import Phase, View
from esdash.fold.folding import Fold
from esdash.fold.loading import DomainFileError
from esdash.log.errors import LogError
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream

NAMED: Final = 3
"""Numbers that are named of those on which edited rules differ."""

CHECKPOINT_SECONDS: Final = 10.0
"""How long the consumer may take to tell its digest."""

RELOAD_SECONDS: Final = 5.0
"""How long the consumer may take to begin anew by other rules."""


class LiveConsole:
    """A consumer, a publisher, a load and the past of one stream, for a screen."""

    def __init__(
        self,
        log: Stream,
        domain: Fold,
        settings: ConsumerSettings,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seed` is that of the made-up events of the steady load."""
        self._consumer = Consumer(log, domain, settings, clock=clock)
        self._consumer.on_edited = self._review
        self._log = log
        self._settings = settings
        self._seed = seed
        self._clock = clock
        self._use(domain)
        self._verification: VerificationStatus | None = None
        self._stop_verification = threading.Event()

    def _use(self, domain: Fold) -> None:
        """Publish, look back and make a load by this domain."""
        self._domain = domain
        self._publisher = Publisher(
            self._log, domain.fields, readonly=self._settings.readonly, objection=self._objection
        )
        events = map(domain.encode, domain.samples(self._seed))
        self._load = SteadyLoad(self._publisher, events, clock=self._clock)
        self._history = History(self._log, domain, clock=self._clock)

    @property
    def fold(self) -> Fold:
        """The domain that is folded."""
        return self._domain

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
        self._consumer.ask(requests.Stop())

    def take_snapshot(self) -> None:
        """Take a snapshot now."""
        self._consumer.ask(requests.TakeSnapshot())

    def crash(self) -> None:
        """Drop all memory without a farewell, then restore and replay."""
        self._consumer.ask(requests.Crash())

    def rebuild(self) -> None:
        """Forget the state and replay from the beginning of the stream."""
        self._consumer.ask(requests.Rebuild())

    def stay(self) -> None:
        """While halted: keep the last good state, read-only."""
        self._consumer.ask(requests.Stay())

    def reload(self) -> None:
        """Read the domain's files again and go on by them. Raises EngineError."""
        try:
            fold = reloaded(self._domain)
        except DomainFileError as error:
            raise EngineError(str(error)) from error
        before = self._consumer.view.number
        self._load.stop()
        self.stop_verification()
        self._consumer.ask(requests.Reload(fold))
        # What the consumer shows until it has dropped its memory was made by the former rules.
        deadline = self._clock() + RELOAD_SECONDS
        while self._consumer.view.number == before and self._clock() < deadline:
            time.sleep(0.01)
        self._use(fold)

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
        self._start_verification(id)

    def _start_verification(self, then: Callable[[Verification], object]) -> None:
        if self._verification is not None and self._verification.running:
            return
        self._stop_verification.clear()
        self._verification = VerificationStatus(True, 0, self.view.position.ordinal, None, "")
        threading.Thread(target=self._verify, args=(then,), name="verification", daemon=True).start()

    def stop_verification(self) -> None:
        """Give up a verification that runs."""
        self._stop_verification.set()

    def _objection(self) -> str:
        view = self._consumer.view
        return f"The consumer has halted. {view.phase_note}" if view.phase is Phase.HALTED else ""

    def _verify(self, then: Callable[[Verification], object]) -> None:
        result, error = None, ""
        try:
            live = self._consumer.checkpoint().result(timeout=CHECKPOINT_SECONDS)
            result = verify(
                self._log, self._domain, live=live, on_progress=self._progressed, stop=self._stop_verification
            )
            then(result)
        except TimeoutError:
            error = "The consumer does not answer: it is not connected or not live. Try again when it is."
        except (EngineError, LogError) as failure:
            error = str(failure)
        except OSError as failure:
            error = f"The processes that replay could not be started: {failure}."
        self._verification = replace(self._verification_now(), running=False, result=result, error=error)

    def _review(self) -> None:
        """Verify, since the state may be that of other rules; where it is, condemn what it came from."""
        if not self._settings.readonly:
            self._start_verification(self._condemn)

    def _condemn(self, found: Verification) -> None:
        if found.segments and found.segments[0].start.ordinal:
            # What the oldest snapshot was made of is gone, so the log no longer tells what the rules make of it.
            return
        wrong = [place for place, segment in enumerate(found.segments) if not segment.holds]
        if not wrong:
            self._consumer.ask(requests.Reviewed())
            return
        doubted = found.segments[wrong[0] :]
        SnapshotStore(self._log).condemn([each.snapshot_id for each in doubted if each.snapshot_id is not None])
        numbers = [f"{each.number} {each.second} instead of {each.first}" for each in doubted[0].differences[:NAMED]]
        why = (
            f"The rules of {self._domain.name} were edited, and make another state of the same entries"
            f"{': ' if numbers else ''}{', '.join(numbers)}. The snapshots made before are not used any more. Give the "
            "domain another version when its meaning changes."
        )
        self._consumer.ask(requests.RestoreAnew(why))

    def _progressed(self, done: int, total: int) -> None:
        self._verification = replace(self._verification_now(), done=done, total=total)

    def _verification_now(self) -> VerificationStatus:
        assert self._verification is not None
        return self._verification

    def details(self, row: Row) -> Details:
        """What an entry changed. Raises EngineError."""
        try:
            found = self._history.details(row.entry_id)
        except LogError as error:
            raise EngineError(str(error)) from error
        if not is_same(row, (found.entry_id, found.fields)):
            raise EngineError(f"Entry {row.entry_id.decode()} is another one in the stream now.")
        assert found.told is not None, "it was folded just now"
        return Details(found, found.told)
