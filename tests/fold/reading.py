"""What entries of the shop say, read by the fold and by the model."""

from typing import Any

from esdash.shop.events import AddItem, Line, Order, TopUp
from esdash.shop.older import AddItemV0, first_price
from tests import model
from tests.strategies import RawEntry, pack_value, raw_entry
from tests.unit.shop import SHOP, as_sent

MAX_INT = 2**63 - 1
TOP_UP = b'{"user_id":7,"amount":50000}'
PLAIN = TopUp(7, 50_000)

Decoded = TopUp | AddItem | AddItemV0 | Order | str
"""The event, or why there is none."""


def decoded(*raw: tuple[bytes, bytes]) -> Decoded:
    """What an entry says."""
    code, _, event = SHOP.read(as_sent(list(raw)))
    if code is None:
        assert isinstance(event, TopUp | AddItem | AddItemV0 | Order)
        return event
    name, reason = SHOP.outcomes[code]
    assert name == "parked"
    assert reason is not None
    return reason


def decoded_json(name: str, data: bytes | str) -> Decoded:
    """What a payload says."""
    return decoded(*raw_entry(name, data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data))


def old(name: str, members: dict[str, Any]) -> Decoded:
    """What a payload of schema v0 with these members says."""
    return decoded(*raw_entry(name, pack_value(members)))


def from_the_model(raw: RawEntry) -> Decoded:
    """The same from the model."""
    try:
        name, members, _ = model.decode(raw)
    except model.ParkedError as refusal:
        return str(refusal)
    if name == "TopUp":
        return TopUp(members["user_id"], members["amount"])
    if name == "Order":
        return Order(members["user_id"], tuple(Line(*line) for line in members["lines"]))
    if members["first_price"] is not None:
        assert members["first_price"] == first_price(members["item_id"])
        return AddItemV0(members["item_id"], members["count"])
    return AddItem(members["item_id"], members["count"], members["price"])
