"""Verification in the background, and what follows where it finds edited rules (`engine.console.Verifying`)."""

import threading
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from esdash.engine.console import EngineError, VerificationStatus
from esdash.engine.consumer.consumer import Consumer
from esdash.engine.consumer.requests import RestoreAnew, Reviewed
from esdash.engine.shown.verification import Verification
from esdash.engine.snapshots.taking import MIXED
from esdash.fold.folding import Fold
from esdash.log.errors import LogError
from esdash.log.headers import Header
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from esdash.visible import visible
from esdash.words.changes import difference_of

NAMED: Final = 3
"""Numbers that are named of those on which edited rules differ."""

CHECKPOINT_SECONDS: Final = 10.0
"""How long the consumer may take to tell its digest."""


class LiveVerifying:
    """Replays the stream that a consumer follows, and compares."""

    def __init__(self, log: Stream, fold: Fold, consumer: Consumer, *, readonly: bool) -> None:
        """Edited rules are looked into by itself, unless `readonly`: what that finds may have to be written down."""
        self.fold = fold
        """The domain that the next verification replays by."""
        self._log = log
        self._consumer = consumer
        self._status: VerificationStatus | None = None
        self._stop = threading.Event()
        if not readonly:
            consumer.on_edited = self.review

    @property
    def verification(self) -> VerificationStatus | None:
        return self._status

    def start_verification(self) -> None:
        self._start(id)

    def stop_verification(self) -> None:
        self._stop.set()

    def review(self) -> None:
        """Verify, since the state may be that of other rules; where it is, condemn what it came from."""
        self._start(self._condemn)

    def _start(self, then: Callable[[Verification], object]) -> None:
        if self._status is not None and self._status.running:
            return
        self._stop.clear()
        self._status = VerificationStatus(True, 0, self._consumer.view.position.ordinal, None, "")
        threading.Thread(target=self._verify, args=(then,), name="verification", daemon=True).start()

    def _verify(self, then: Callable[[Verification], object]) -> None:
        from esdash.engine.verification.verify import verify

        result, error = None, ""
        try:
            live = self._consumer.checkpoint().result(timeout=CHECKPOINT_SECONDS)
            result = verify(self._log, self.fold, live=live, on_progress=self._progressed, stop=self._stop)
            then(result)
        except TimeoutError:
            error = "The consumer does not answer: it is not connected or not live. Try again when it is."
        except (EngineError, LogError) as failure:
            error = str(failure)
        except OSError as failure:
            error = f"The processes that replay could not be started: {failure}."
        self._status = replace(self._now(), running=False, result=result, error=error)

    def _condemn(self, found: Verification) -> None:
        if found.segments and found.segments[0].start.ordinal:
            # What the oldest snapshot was made of is gone, so the log no longer tells what the rules make of it.
            return
        wrong = [place for place, segment in enumerate(found.segments) if not segment.holds]
        if not wrong:
            self._consumer.ask(Reviewed())
            return
        doubted = found.segments[wrong[0] :]
        store = SnapshotStore(self._log)
        ids = {each.snapshot_id for each in doubted if each.snapshot_id is not None}
        # Those of the state that is condemned that were taken since the verification began.
        ids |= {
            header.snapshot_id for header in store.headers() if isinstance(header, Header) and self._is_mixed(header)
        }
        store.condemn(sorted(ids))
        numbers = []
        for each in doubted[0].differences[:NAMED]:
            ours, theirs = (visible(value, 40) for value in difference_of(self.fold, each))
            numbers.append(f"{visible(each.number, 60)} {theirs} instead of {ours}")
        why = (
            f"The rules of {self.fold.name} were edited, and make another state of the same entries"
            f"{': ' if numbers else ''}{', '.join(numbers)}. The snapshots made before are not used any more. Give the "
            "domain another version when its meaning changes."
        )
        self._consumer.ask(RestoreAnew(why))

    def _is_mixed(self, header: Header) -> bool:
        return header.rules == self.fold.rules and header.fingerprint == MIXED

    def _progressed(self, done: int, total: int) -> None:
        self._status = replace(self._now(), done=done, total=total)

    def _now(self) -> VerificationStatus:
        assert self._status is not None
        return self._status
