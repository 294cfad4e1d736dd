"""A stream whose state is huge, with a snapshot, and some entries after it."""

from dataclasses import dataclass

from tests.benchmarks.setting import Setting, run_module
from tests.benchmarks.workload import append, crowd, entries
from tests.domains.shop import shop

ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Huge:
    """The stream."""

    stream: str
    ordinal: int
    digest: str
    """Of the state at its end, by the plain rules."""


def make(setting: Setting, users: int, tail: int, *, stream: str = "huge", items: int = ITEMS) -> Huge:
    """So many users and items in a snapshot, so many entries after it."""
    log = setting.other(stream)
    state = append(log, crowd(users, items))
    run_module("esdash", "--url", setting.server.url, "--stream", stream, "snapshot", "take")
    state = append(log, entries(tail, v0=False, users=users, items=items), state)
    ordinal = log.facts().length
    log.server.close()
    return Huge(stream, ordinal, shop().digest(state))
