"""The dashboard as it is, with a clock at its fold: `python -m tests.benchmarks.watched FILE esdash-options…`.

When it has ended, FILE holds what happened inside, as JSON (`Inside`).
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

import esdash.engine.live
from esdash.cli import run
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from tests.benchmarks.observed import ObservedShop


class Inside(Struct):
    """What a dashboard did."""

    ordinal: int
    digest: str
    replayed: int
    load_seconds: float
    replay_seconds: float
    when: list[float]
    sizes: list[int]
    """Moments and sizes of the pages that were applied, but for those packed by another process."""

    def shop(self) -> ObservedShop:
        """The clock."""
        shop = ObservedShop()
        shop.when.extend(self.when)
        shop.sizes.extend(self.sizes)
        return shop


def inside(file: Path) -> Inside:
    """What a dashboard left."""
    return msgspec.json.decode(file.read_bytes(), type=Inside)


class _Consumer(Consumer):
    made: "_Consumer"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _Consumer.made = self


class _Console(esdash.engine.live.LiveConsole):
    made: "Iterator[_Console]"

    def __init__(self, log: Stream, _: Fold, settings: ConsumerSettings, **options: Any) -> None:
        self.shop = ObservedShop()
        super().__init__(log, self.shop, settings, **options)
        _Console.made = iter([self])


def _main(file: Path, arguments: list[str]) -> int:
    esdash.engine.live.Consumer = _Consumer  # type: ignore[attr-defined]
    esdash.engine.live.LiveConsole = _Console  # type: ignore[misc,assignment]
    code = run(arguments)
    console = next(_Console.made)
    shop = console.shop
    restored, projection = console.view.restored, _Consumer.made.projection
    assert restored is not None
    assert projection is not None
    found = Inside(
        ordinal=projection.ordinal,
        digest=shop.digest(projection.state),
        replayed=restored.replayed,
        load_seconds=restored.load_seconds,
        replay_seconds=restored.replay_seconds,
        when=shop.when.tolist(),
        sizes=shop.sizes.tolist(),
    )
    file.write_bytes(msgspec.json.encode(found))
    return code


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), sys.argv[2:]))
