# mypy: ignore-errors
"""A bank whose events eventsource-py distributes: the type, the payload and the event's id are fields of an entry.

Entries as tyevans/eventsource-py writes them: `_serialize_event` in src/eventsource/bus/redis.py (later
src/eventsource/adapters/redis/bus.py), with `DomainEvent` of src/eventsource/events/base.py as the payload.
"""

from msgspec import Struct

from esdash.domain import MONEY, Column, Domain, EventType, Table, Wire


class Deposited(Struct, frozen=True):
    """Money came into an account."""

    account: str
    amount: int


class Closed(Struct, frozen=True):
    """An account was closed."""

    account: str


def deposited(state, event):
    state.accounts.balance[event.account] = state.accounts.balance.get(event.account, 0) + event.amount


def closed(state, event):
    if event.account not in state.accounts.balance:
        return "unknown_account"
    state.accounts.remove(event.account)
    return None


BANK = Domain(
    name="bank",
    version="1",
    tables=(Table("accounts", "account", str, (Column("balance", int, MONEY),)),),
    events=(EventType(Deposited, deposited), EventType(Closed, closed)),
    reasons={"unknown_account": "There is no such account."},
    wire=Wire(type="event_type", data="payload", key="event_id", v=""),
)
