# mypy: ignore-errors
"""A bank whose tasks are kicked by taskiq: a whole task is JSON in one field.

Entries as taskiq-python/taskiq-redis writes them: taskiq_redis/redis_broker.py, `RedisStreamBroker.kick` (the one field
`data`), with taskiq/message.py and taskiq/formatters/proxy_formatter.py of taskiq-python/taskiq (what is in it).
Arguments by position are a list of different kinds, so it is those by name that are understood.
"""

from msgspec import Struct

from esdash.domain import MONEY, Column, Domain, EventType, Table, Wire


class Arguments(Struct, frozen=True):
    account: str = ""
    amount: int = 0


class Task(Struct, frozen=True):
    """Any task."""

    task_name: str
    kwargs: Arguments


class Deposit(Struct, frozen=True):
    """Put money into an account."""

    account: str
    amount: int


class Close(Struct, frozen=True):
    """Close an account."""

    account: str


def called(task):
    if not task.kwargs.account:
        raise ValueError("a task without an account")
    if task.task_name == "bank:deposit":
        return Deposit(task.kwargs.account, task.kwargs.amount)
    if task.task_name == "bank:close":
        return Close(task.kwargs.account)
    raise ValueError(f"no task is called {task.task_name}")


def deposit(state, event):
    state.accounts.balance[event.account] = state.accounts.balance.get(event.account, 0) + event.amount


def close(state, event):
    if event.account not in state.accounts.balance:
        return "unknown_account"
    state.accounts.remove(event.account)
    return None


TASKS = Domain(
    name="tasks",
    version="1",
    tables=(Table("accounts", "account", str, (Column("balance", int, MONEY),)),),
    events=(EventType(Deposit, deposit), EventType(Close, close), EventType(Task, upcast=called)),
    reasons={"unknown_account": "There is no such account."},
    wire=Wire(key="", v="", only="Task"),
)
