"""A consumer in a thread that can be stopped dead, and killed, wherever it looks at its clock or for a connection."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from redis.connection import Connection

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Stop
from esdash.engine.shown.view import Phase
from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.fold.overlay import Overlay
from esdash.log.pages import Page
from esdash.log.servers.server import Server
from esdash.log.stream import START, Stream
from tests.domains.shop import shop
from tests.engine.running import STREAM

TIMEOUT: Final = 0.3
"""Seconds without an answer after which a consumer thinks its server gone."""


class KilledError(BaseException):
    """kill -9: nothing is said, nothing is stored."""


SHOP: Final = shop()
OTHER_SHOP: Final = load("tests.chaos.nemesis.other_rules:OTHER_SHOP")


class Gate:
    """What a consumer's threads pass all the time; closed, they wait, as under SIGSTOP."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._waiting: set[int] = set()
        self._fatal: int | None = None
        self._visitors: dict[int, weakref.ref[threading.Thread]] = {}

    def __call__(self) -> float:
        """The clock."""
        self.go_through()
        return time.monotonic()

    def go_through(self) -> None:
        """Wait while it is closed. Raises KilledError for a consumer that has been killed."""
        me = threading.get_ident()
        self._visitors[me] = weakref.ref(threading.current_thread())
        if not self._open.is_set():
            self._waiting.add(me)
            self._open.wait()
            self._waiting.discard(me)
        if self._fatal is not None:
            self._fatal -= 1
            if self._fatal < 0:
                raise KilledError

    def close(self) -> None:
        """Let nobody through."""
        self._open.clear()

    def open(self) -> None:
        """Let everybody through."""
        self._open.set()

    def kill(self, steps: int = 0) -> None:
        """Whoever goes through after so many others dies."""
        self._fatal = steps
        self._open.set()

    def visitors(self) -> list[threading.Thread]:
        """Who went through, or tried to: those that are alive, but for who asks."""
        found = [thread for each in list(self._visitors.values()) if (thread := each()) is not None]
        return [thread for thread in found if thread.is_alive() and thread is not threading.current_thread()]

    def holds(self, thread: threading.Thread) -> bool:
        """Whether it waits here."""
        return thread.ident in self._waiting


class GatedServer(Server):
    """A server behind a gate."""

    def __init__(self, url: str, gate: Gate | None) -> None:
        self._gate = gate
        super().__init__(url, timeout=TIMEOUT if gate else 10.0)

    @contextmanager
    def connection(self, key: str = "") -> Iterator[Connection]:
        """See Server."""
        if self._gate is not None:
            self._gate.go_through()
        with super().connection(key) as connection:
            yield connection


class GatedLog(Stream):
    """A stream of one, with pages of a chosen size."""

    page_size = 1000

    def __init__(self, url: str, gate: Gate | None = None) -> None:
        super().__init__(GatedServer(url, gate), STREAM)

    def pages(self, after: bytes, until: bytes = b"+", count: int | None = None) -> Generator[Page, None, None]:
        """See Stream."""
        return super().pages(after, until, count or self.page_size)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a consumer works, from a number."""

    number: int

    @property
    def other_rules(self) -> bool:
        """Whether its rules have another version."""
        return self.number % 8 == 7

    @property
    def readonly(self) -> bool:
        """Whether it writes nothing."""
        return self.number % 8 == 6

    @property
    def settings(self) -> ConsumerSettings:
        """For the consumer."""
        return ConsumerSettings(
            snapshot_seconds=(0, 0.01, 0.05, 0.01)[self.number // 8 % 4],
            readonly=self.readonly,
            watched=self.number % 8 == 5,
        )

    @property
    def domain(self) -> Fold:
        """What it makes of entries."""
        return OTHER_SHOP if self.other_rules else SHOP

    @property
    def proxied(self) -> bool:
        """Whether it reaches its server through a proxy, which may cut replies."""
        return self.number // 32 % 2 == 1


class Actor:
    """A consumer of one server."""

    def __init__(self, url: str, kind: Kind, name: str) -> None:
        self.kind = kind
        self.name = name
        self.gate = Gate()
        self.error: BaseException | None = None
        self.log = GatedLog(url, self.gate)
        self.domain = kind.domain
        self.consumer: Consumer = Consumer(self.log, self.domain, kind.settings, clock=self.gate, chance=lambda: 0.5)
        self.thread = threading.Thread(target=self._run, daemon=True, name=name)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.consumer.run()
        except KilledError:
            return
        except BaseException as error:  # noqa: BLE001 - the oracle shall see it
            self.error = error

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self.consumer.view.phase

    @property
    def last_id(self) -> bytes:
        """Of the entry it has applied last."""
        projection = self.consumer.projection
        return START if projection is None else projection.last_id

    def hold(self, deadline: float) -> bool:
        """Stop it between two pages, its state whole; whether its thread does wait, or is halted, or gone."""
        while time.monotonic() < deadline:
            self.gate.close()
            while not (self.gate.holds(self.thread) or self.phase is Phase.HALTED or not self.thread.is_alive()):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.0005)
            # While a snapshot is being written in the background, the state is in two parts.
            projection = self.consumer.projection
            if projection is None or not any(isinstance(cells, Overlay) for cells in projection.state.cells):
                return True
            self.gate.open()
            time.sleep(0.002)
        return False

    def kill(self, steps: int) -> None:
        """kill -9, after so many steps that it may still take; `bury` it."""
        self.gate.kill(steps)

    def bury(self) -> None:
        """Have a killed one dead, wherever it stands."""
        self.gate.kill(0)
        # One that is halted takes no steps: it dies of being asked something.
        self.consumer.ask(Stop())
        self.close()

    def stop(self) -> None:
        """SIGTERM: a farewell."""
        self.gate.open()
        self.consumer.ask(Stop())
        self.close()

    def close(self) -> None:
        """Wait for its end."""
        self.thread.join(10)
        assert not self.thread.is_alive(), f"{self.name} does not end: {self.phase}"
        # One that was killed leaves its snapshot half written; the thread that writes it dies at its next step.
        for thread in self.gate.visitors():
            thread.join(10)
        self.log.server.close()

    def complaint(self) -> str:
        """What it died of; empty when it did not."""
        error = self.error
        if error is None:
            return ""
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = f" ({where.tb_frame.f_code.co_filename}:{where.tb_lineno})" if where else ""
        return f"{self.name} ended with {error!r}{line}"


__all__ = ["Actor", "Gate", "GatedLog", "KilledError", "Kind"]
