"""Publishing without a pause while servers come and go, and what has to be so afterwards."""

import itertools
import threading
from types import TracebackType
from typing import Any

from esdash.engine.console import EngineError, LessDurableError
from esdash.engine.publishing.publisher import Publisher
from esdash.fold.outcomes import APPLIED
from esdash.log.durability import APPLIED as AT_ONCE
from esdash.log.durability import Durability
from esdash.log.finding import server_of
from esdash.log.stream import Stream
from tests.engine.running import STREAM, expected, folded, sound_event, stored
from tests.waiting import eventually

_numbers = itertools.count()


class Load:
    """Publishes event after event in a thread; what was acknowledged is remembered by its key."""

    def __init__(self, url: str, durability: Durability = AT_ONCE) -> None:
        self.acknowledged: dict[str, str] = {}
        """Ids by key, of those that were as safe as was asked for."""
        self.errors: list[EngineError] = []
        self._log = Stream(server_of(url, STREAM, timeout=1), STREAM)
        self._publisher = Publisher(self._log, durability=durability)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            number = next(_numbers)
            key = f"load-{number}"
            try:
                published = self._publisher.publish(*sound_event(number), key)
            except LessDurableError:
                continue
            except EngineError as error:
                self.errors.append(error)
                return
            self.acknowledged[key] = published.entry_id
            self._stopping.wait(0.002)

    def more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= wanted or self.errors)
        assert not self.errors

    def stop(self) -> None:
        """Let the one that is on its way be answered, and stop."""
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._log.server.close()


def found_in(url: str) -> tuple[list[str], dict[str, Any]]:
    """The key of each entry that the log holds, and what they make: each of them once, however often it came."""
    log = Stream(server_of(url, STREAM), STREAM)
    entries = stored(log)
    state = folded(log)
    log.server.close()
    keys = [fields[fields.index(b"key") + 1].decode() for _, fields in entries]
    assert state.counts[APPLIED] == len(set(keys))
    return keys, expected(entries)
