# mypy: ignore-errors
"""Orders whose events a program in Go publishes by Watermill's CQRS component, which calls them after their structs."""

from msgspec import Struct

from esdash.domain import MONEY, WATERMILL, Column, Domain, EventType, Table


class Placed(Struct, frozen=True):
    """An order was placed."""

    order: str
    cents: int


class Closed(Struct, frozen=True):
    """An order is done."""

    order: str


def placed(state, event):
    state.orders.cents[event.order] = event.cents


def closed(state, event):
    if event.order not in state.orders.cents:
        return "unknown_order"
    state.orders.remove(event.order)
    return None


PLACED = Domain(
    name="placed",
    version="1",
    tables=(Table("orders", "order", str, (Column("cents", int, MONEY),)),),
    events=(EventType(Placed, placed, name="orders.Placed"), EventType(Closed, closed, name="orders.Closed")),
    reasons={"unknown_order": "There is no such order."},
    wire=WATERMILL,
)
