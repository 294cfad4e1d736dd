"""Folds of domains with codecs, and entries of theirs."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from esdash.domain import Codec, Column, Domain, EventType, Table
from esdash.fold.codecs.faststream import MAGIC
from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.fold.raw import RAW, RawFold
from tests.domains import CUSTOMERS, PLACED, ROOMS, SENSORS

RAW_FOLD = RawFold(RAW)

DOMAINS = {"faststream": SENSORS, "cloudevents": ROOMS, "dapr": ROOMS, "watermill": PLACED, "debezium": CUSTOMERS}
"""Of the samples of each program."""

ID = b"1795663842629-0"
READING = b'{"sensor":"hall","celsius":"21.5","ok":true}'
PLACED_A = b'{"order":"A-1","cents":1250}'


def domain(path: Path) -> Fold:
    """The fold of an example."""
    return load(str(path))


def outcome(fold: Fold, *entries: list[bytes]) -> list[str]:
    """What the fold decides for entries."""
    codes = fold.fold(fold.empty(), [(ID, fields) for fields in entries])
    return [fold.outcomes[code].reason or fold.outcomes[code].name for code in codes]


class Said(Struct, frozen=True):
    """Whatever it says."""

    celsius: str = ""


class Packed(Struct, frozen=True):
    """MessagePack."""

    celsius: str = ""


def apply(state: Any, event: Any) -> None:
    """Nothing comes of it."""


def older(event: Any) -> Any:
    """As it is written now."""
    return Said(event.celsius)


def with_wire(wire: Codec, v: str = "1") -> Fold:
    """A domain of one event, Reading, and an older form of it in MessagePack."""
    events = (
        EventType(Said, apply, name="Reading", v=v),
        EventType(Packed, upcast=older, name="Reading", encoding="msgpack", v=v),
    )
    return Fold(Domain("any", "1", (Table("t", "row", str, (Column("c"),)),), events, wire=wire))


def cloud_event(**attributes: Any) -> list[bytes]:
    """A structured one; None takes an attribute away."""
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "Reading", "data": {}} | attributes
    return [b"data", json.dumps({name: value for name, value in event.items() if value is not None}).encode()]


def message(headers: bytes, count: int, body: bytes = READING, start: int = 18) -> list[bytes]:
    """A message of FastStream, binary."""
    head = MAGIC + (1).to_bytes(2, "big") + start.to_bytes(4, "big") + (start + 2 + len(headers)).to_bytes(4, "big")
    return [b"__data__", head + count.to_bytes(2, "big") + headers + body]
