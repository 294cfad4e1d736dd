"""The consumer: one thread that owns the state. It carries out what its lifecycle decides, and decides nothing."""

import queue
import random
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import suppress
from typing import assert_never

from msgspec import Struct

from esdash.engine.consumer import instructions as do
from esdash.engine.consumer import stimuli
from esdash.engine.consumer.lifecycle import Lifecycle, Stimulus, Terms
from esdash.engine.consumer.memory import Clocks, Memory, SpoiledError
from esdash.engine.consumer.replaying import follow, replay
from esdash.engine.consumer.requests import Checkpoint, Request
from esdash.engine.consumer.restoring import restore
from esdash.engine.guard import DivergedError, HaltError, check_position, unbroken
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Position, View
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.errors import LogError
from esdash.log.stream import Stream


class ConsumerSettings(Struct, frozen=True):
    """How a consumer works."""

    snapshot_seconds: float = 30.0
    """Between two periodic snapshots, when something changed; 0 takes none by itself."""
    write_snapshots: bool = True
    """False: none at all."""
    ignore_snapshots: bool = False
    """Start from the beginning of the stream."""
    readonly: bool = False
    """Write nothing to the server."""
    watched: bool = True
    """Whether somebody looks at the state: views have pictures of it."""
    once: bool = False
    """Return when caught up, and raise what goes wrong instead of trying again."""


_Running = Generator[Stimulus | None, None, None]
"""A task that is done bit by bit, so that requests can come between."""


class Consumer:
    """Folds one stream into a state and publishes views of it.

    `run` belongs to one thread. Other threads read `view` and call `ask`.
    """

    def __init__(
        self,
        log: Stream,
        domain: Fold,
        settings: ConsumerSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`clock` and `wall_clock` give seconds; `chance` gives numbers in 0…1 for the jitter."""
        settings = settings or ConsumerSettings()
        may_store = settings.write_snapshots and not settings.readonly
        self.on_view: Callable[[], object] = int
        """Called after each new view, in the thread that runs the consumer."""
        self.on_folded: Callable[[float], object] = float
        """Called there with the seconds that each page took to fold."""
        self.on_edited: Callable[[], object] = int
        """Called there when it is live with a state whose snapshot was made by another source of the same version."""
        self._log = log
        self._clock = clock
        self._lifecycle = Lifecycle(
            Terms(settings.once, settings.watched, may_store, chance), ignores_snapshots=settings.ignore_snapshots
        )
        self._memory = Memory(
            log,
            domain,
            Clocks(clock, wall_clock),
            watched=settings.watched,
            readonly=settings.readonly,
            snapshot_seconds=settings.snapshot_seconds if may_store else 0,
        )
        self._memory.on_view = lambda: self.on_view()
        self._memory.on_folded = lambda seconds: self.on_folded(seconds)
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._task: _Running | None = None

    @property
    def view(self) -> View:
        """The newest picture; for any thread."""
        return self._memory.display.view

    @property
    def projection(self) -> Projection | None:
        """The state and its position; for the thread that runs the consumer, or after it ended."""
        return self._memory.projection

    def ask(self, request: Request) -> None:
        """Have something done between two pages."""
        self._requests.put(request)

    def checkpoint(self) -> "Future[tuple[Position, str]]":
        """The position and the digest of the state there, made between two pages; EngineError where there is none."""
        answer: Future[tuple[Position, str]] = Future()
        self.ask(Checkpoint(answer))
        return answer

    def run(self) -> None:
        """Consume until asked to stop.

        With `once`, returns when caught up, and raises LogError, HaltError; otherwise goes on whatever happens, but for
        a DomainError where nobody watches.
        """
        try:
            self._react(stimuli.Begun())
            while self._task is not None:
                self._react(self._next(self._task))
        finally:
            self._leave_task()

    def _next(self, task: _Running) -> Stimulus | None:
        """A request, or what comes of doing a bit more of the task."""
        with suppress(queue.Empty):
            return self._requests.get_nowait()
        return self._attempt(lambda: next(task))

    def _react(self, stimulus: Stimulus | None) -> None:
        """Carry out what the lifecycle makes of a stimulus, and of what comes of that at once."""
        while stimulus is not None:
            self._lifecycle, instructions = self._lifecycle.handle(stimulus, self._clock())
            stimulus = None
            if instructions and isinstance(instructions[-1], do.Task):
                self._leave_task()
            for instruction in instructions:
                if isinstance(instruction, do.Task):
                    stimulus = self._begin(instruction)
                else:
                    self._carry_out(instruction)

    def _leave_task(self) -> None:
        if self._task is not None:
            self._task.close()
            self._task = None

    def _begin(self, task: do.Task) -> Stimulus | None:
        """Begin a task; what came of one that is done in one go."""
        memory = self._memory
        match task:
            case do.Connect():
                return self._attempt(self._connect)
            case do.Restore(ignore_snapshots):
                return self._attempt(lambda: restore(memory, ignore_snapshots=ignore_snapshots))
            case do.CheckPosition():
                return self._attempt(self._check_position)
            case do.Replay(far):
                self._task = replay(memory, memory.known, far=far, interrupted=lambda: not self._requests.empty())
            case do.Follow():
                self._task = follow(memory, memory.known)
            case do.Wait(until):
                self._task = self._wait(until)
            case do.Raise(error):
                raise error
            case do.End():
                pass
            case _:
                assert_never(task)
        return None

    def _carry_out(self, deed: do.Deed) -> None:
        memory, display = self._memory, self._memory.display
        match deed:
            case do.Enter(phase, note, retry_at):
                display.enter(phase, note, retry_at)
                memory.publish(force=True)
            case do.DropMemory():
                memory.drop()
            case do.RememberWay():
                memory.remember_way()
            case do.UseRules(fold):
                memory.use(fold)
            case do.StoreSnapshot():
                memory.store_snapshot()
            case do.LeaveSnapshot(store, regret):
                memory.leave_snapshot(store, regret)
            case do.CountWaiting(gap):
                memory.count_waiting(gap)
            case do.ShowContinuity(continuity):
                display.continuity = continuity
            case do.Notify(severity, text):
                display.notify(severity, text)
            case do.Show():
                memory.publish(force=True)
            case do.ReviewRules():
                self.on_edited()
            case do.TrustRules():
                memory.trust_rules()
            case do.AnswerCheckpoint(checkpoint):
                memory.answer(checkpoint)
            case _:
                assert_never(deed)

    # Tasks

    def _attempt(self, step: Callable[[], Stimulus | None]) -> Stimulus | None:
        """What came of a step, or what went wrong with it."""
        try:
            return step()
        except HaltError as error:
            projection = self._memory.projection
            return stimuli.GapFound(error.continuity, projection.ordinal if projection else 0, error)
        except DivergedError as error:
            failure = LogError(str(error))
            failure.__cause__ = error
            return stimuli.Diverged(error.continuity, failure)
        except SpoiledError as error:
            return stimuli.LogFailed(error.reason, spoiled=True)
        except LogError as error:
            return stimuli.LogFailed(error)
        except DomainError as error:
            return stimuli.DomainFailed(error, error.spoiled)

    def _connect(self) -> stimuli.Connected:
        self._log.server.locate()
        facts = self._log.server.facts()
        self._memory.display.server = f"{self._log.server.name} · {facts.product} {facts.version}"
        return stimuli.Connected()

    def _check_position(self) -> stimuli.Unbroken:
        self._memory.display.continuity = unbroken(check_position(self._log, self._memory.known))
        return stimuli.Unbroken()

    def _wait(self, until: float | None) -> _Running:
        """Requests as they come, until it is time."""
        left = None
        while until is None or (left := until - self._clock()) > 0:
            try:
                yield self._requests.get(timeout=left)
            except queue.Empty:
                break
        yield stimuli.RetryDue()
