# mypy: ignore-errors
"""A bank whose events Protean publishes: event and metadata, its type among them, are JSON in one field.

Entries as proteanhq/protean writes them: `_publish` in src/protean/adapters/broker/redis.py (the one field `data`),
with `Message.to_dict` and `Message.to_external_dict` of src/protean/utils/eventing.py (what is in it).
"""

from msgspec import Struct

from esdash.domain import MONEY, Column, Domain, EventType, Table, Wire


class Headers(Struct, frozen=True):
    type: str


class Metadata(Struct, frozen=True):
    headers: Headers


class Members(Struct, frozen=True):
    account: str
    amount: int = 0


class Message(Struct, frozen=True):
    """Any message."""

    data: Members
    metadata: Metadata


class Deposited(Struct, frozen=True):
    """Money came into an account."""

    account: str
    amount: int


class Closed(Struct, frozen=True):
    """An account was closed."""

    account: str


def opened(message):
    kind = message.metadata.headers.type
    if kind == "Bank.Deposited.v1":
        return Deposited(message.data.account, message.data.amount)
    if kind == "Bank.Closed.v1":
        return Closed(message.data.account)
    raise ValueError(f"no event is called {kind}")


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
    events=(EventType(Deposited, deposited), EventType(Closed, closed), EventType(Message, upcast=opened)),
    reasons={"unknown_account": "There is no such account."},
    wire=Wire(key="", v="", only="Message"),
)
