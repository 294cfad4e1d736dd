"""What the library `eventsourcing` takes for one aggregate at a version, beside what a track takes for all rows.

It is asked where it is installed, with the extra `bench`. Its events lie in a file of SQLite, as a track does, and it
keeps a snapshot of the aggregate now and then.
"""

import random
import time
from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

SNAPSHOTS: Final = 100
"""Events from one snapshot of the aggregate to the next."""


def seconds_at_versions(folder: Path, events: int, versions: int) -> Sequence[float]:
    """The time of each of so many looks at a version, at random, of an aggregate with so many events.

    Empty where the library is not installed.
    """
    if find_spec("eventsourcing") is None:
        return []
    application, identity = _stocked(folder / "eventsourcing", events)
    chance = random.Random(4)
    taken = []
    for _ in range(versions):
        version = chance.randrange(1, events + 1)
        begun = time.perf_counter()
        item = application.repository.get(identity, version=version)
        taken.append(time.perf_counter() - begun)
        assert item.remain == Decimal(version)
    return taken


def _stocked(path: Path, events: int) -> tuple[Any, Any]:
    """An application with one item, to which a piece was added with each event; and the item's identity."""
    domain: Any = import_module("eventsourcing.domain")

    class Item(domain.Aggregate):  # type: ignore[misc]  # the library may be absent
        @domain.event("Registered")  # type: ignore[untyped-decorator]
        def __init__(self) -> None:
            self.remain = Decimal(1)

        @domain.event("Added")  # type: ignore[untyped-decorator]
        def add(self, count: Decimal) -> None:
            self.remain += count

    kind: Any = import_module("eventsourcing.application").Application
    application = kind(
        {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(path),
            "IS_SNAPSHOTTING_ENABLED": "y",
        }
    )
    item: Any = Item()
    application.save(item)
    for number in range(1, events):
        item.add(Decimal(1))
        application.save(item)
        if number % SNAPSHOTS == 0:
            application.take_snapshot(item.id)
    return application, item.id
