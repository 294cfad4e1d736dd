# mypy: ignore-errors
# ruff: noqa: RET503
"""Accounts of a bank: a whole domain."""

from typing import Annotated

from msgspec import Meta, Struct

from esdash.domain import MONEY, TEXT, Column, Domain, EventType, Refusal, Table, about, shown_as

Account = Annotated[str, Meta(min_length=1, max_length=34), about("accounts")]
Amount = Annotated[int, Meta(gt=0, le=10**15), shown_as(MONEY)]


class Opened(Struct, frozen=True):
    """Open an account."""

    account: Account
    owner: str


class Transferred(Struct, frozen=True):
    """Move money between two accounts."""

    source: Account
    target: Account
    amount: Amount


def opened(state, event):
    if event.account in state.accounts.balance:
        return "already_open"
    state.accounts.balance[event.account] = 0
    state.accounts.owner[event.account] = event.owner


def transferred(state, event):
    balance = state.accounts.balance
    if event.source not in balance or event.target not in balance:
        return "unknown_account"
    if event.amount > balance[event.source]:
        return Refusal("insufficient_funds", needed=event.amount, available=balance[event.source], shown=MONEY)
    balance[event.source] -= event.amount
    balance[event.target] += event.amount


BANK = Domain(
    name="bank",
    version="1",
    tables=(Table("accounts", "account", str, (Column("balance", int, MONEY, bar=True), Column("owner", str, TEXT))),),
    events=(EventType(Opened, opened, press="a"), EventType(Transferred, transferred, press="t")),
    reasons={"already_open": "This account exists.", "unknown_account": "…", "insufficient_funds": "…"},
)
