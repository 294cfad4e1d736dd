# mypy: ignore-errors
"""A database's table of customers, as Debezium tells what becomes of it: one event type a table, whatever happened."""

from typing import Literal

from msgspec import Struct

from esdash.domain import DEBEZIUM, TEXT, Column, Domain, EventType, Table


class Row(Struct, frozen=True):
    """A row: of one that is deleted the database may say no more than its key."""

    id: int
    first_name: str = ""
    email: str = ""


class Changed(Struct, frozen=True):
    """A row was created, read for the first time, updated or deleted, or all were."""

    op: Literal["c", "r", "u", "d", "t"]
    before: Row | None = None
    after: Row | None = None


class Tombstone(Struct, frozen=True):
    """Comes after a deletion and says nothing new."""


def changed(state, event):
    customers = state.customers
    if event.op == "t":
        for key in list(customers.email):
            customers.remove(key)
    elif event.after is not None:
        customers.email[event.after.id] = event.after.email
        customers.first_name[event.after.id] = event.after.first_name
    elif event.before is not None and event.before.id in customers.email:
        customers.remove(event.before.id)


def ignored(_, __):
    return None


CUSTOMERS = Domain(
    name="customers",
    version="1",
    tables=(Table("customers", "customer", int, (Column("email", str, TEXT), Column("first_name", str, TEXT))),),
    events=(EventType(Changed, changed, name="customers"), EventType(Tombstone, ignored, name="tombstone")),
    wire=DEBEZIUM,
)
