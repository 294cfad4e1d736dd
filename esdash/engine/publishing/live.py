"""Publishing and a steady load of made-up events, for a screen (`engine.console.Publishing`)."""

from collections.abc import Callable, Iterable

from esdash.engine.console import LoadStatus
from esdash.engine.publishing.load import SteadyLoad
from esdash.engine.publishing.publisher import Publisher
from esdash.fold.folding import Fold
from esdash.log.durability import Durability
from esdash.log.stream import Stream


class LivePublishing(Publisher):
    """Appends to the stream that a consumer follows."""

    def __init__(
        self,
        log: Stream,
        fold: Fold,
        *,
        objection: Callable[[], str],
        durability: Durability,
        seed: int,
        clock: Callable[[], float],
    ) -> None:
        """`objection` says in a sentence why nothing may be published just now; empty when something may.

        `durability` is waited for after each append. `seed` is that of the made-up events.
        """
        super().__init__(log, fold.fields, objection=lambda: fold.objection or objection(), durability=durability)
        self._load = SteadyLoad(self, map(fold.encode, fold.samples(seed)), clock=clock)

    @property
    def load(self) -> LoadStatus:
        return self._load.status

    def close(self) -> None:
        """Stop the load, and give up waiting between attempts."""
        super().close()
        self._load.stop()

    def publish_batch(self, events: Iterable[tuple[str, bytes]]) -> int:
        return sum(1 for _ in self.publish_many((kind, data, None) for kind, data in events))

    def start_load(self, rate: float) -> None:
        self._load.start(rate)

    def stop_load(self) -> None:
        self._load.stop()
