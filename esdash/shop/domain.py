"""The shop as the engine sees it: the one object that is plugged into a consumer (`engine.domain.Domain`)."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from esdash.shop import story
from esdash.shop.fold import Entry, fold, fold_packed
from esdash.shop.outcomes import OUTCOMES, Outcome
from esdash.shop.packing import from_bytes
from esdash.shop.state import State
from esdash.shop.view import Viewer

_RULES: Final = (
    "events",
    "outcomes",
    "messagepack",
    "jsontext",
    "decoding",
    "packing",
    "state",
    "rules",
    "quick",
    "fold",
)
"""The modules that decide what entries mean: everything a state depends on."""


def _fold_version() -> str:
    """A fingerprint of the rules' source, so that no snapshot is ever continued with other rules.

    Blank lines and comments do not count.
    """
    hashed = hashlib.blake2b(digest_size=6)
    for module in _RULES:
        for line in Path(__file__).with_name(f"{module}.py").read_text("utf-8").splitlines():
            if (code := line.strip()) and not code.startswith("#"):
                hashed.update(line.rstrip().encode() + b"\n")
    return hashed.hexdigest()


class Shop:
    """Users, items and orders, for the engine."""

    factory = "esdash.shop.domain:Shop"
    """What makes this domain in another process, module:name."""

    packing = "esdash.shop.packing:pack_bytes"
    """The function that prepares pages in another process, module:name."""

    def __init__(self) -> None:
        self.fold_version = _fold_version()
        self.outcomes: Sequence[Outcome] = OUTCOMES

    def empty(self) -> State:
        """The state before the first entry."""
        return State()

    def fold(self, state: State, entries: Sequence[Entry]) -> bytes:
        """Apply entries in order; one outcome code each."""
        return fold(state, entries)

    def fold_packed(self, state: State, packed: bytes) -> bytes:
        """Apply a page that `packing` prepared."""
        return fold_packed(state, from_bytes(packed))

    def digest(self, state: State) -> str:
        """A hash of the state."""
        return state.digest()

    def differences(self, replayed: State, found: State, limit: int) -> list[tuple[str, str, int | None, int | None]]:
        """The numbers that two states do not agree on: (kind, subject, replayed, found)."""
        return story.differences(replayed, found, limit)

    def dump(self, state: State) -> Iterator[bytes]:
        """The state as chunks of bytes."""
        return state.dump()

    def load(self, chunks: Iterable[bytes]) -> State:
        """The state that `dump` wrote. Raises ValueError for anything else."""
        return State.load(chunks)

    def size(self, state: State) -> int:
        """About how many rows the state has: users, items and keys."""
        return len(state.users) + len(state.stock) + len(state.key_order)

    def fork(self, state: State) -> State:
        """The state as it is now, for another thread; `join` ends that."""
        return state.fork()

    def join(self, state: State, fork: State) -> None:
        """Take back what is shared with a fork."""
        state.join(fork)

    def counts(self, state: State) -> tuple[int, ...]:
        """Entries by outcome code."""
        return tuple(state.counts)

    def viewer(self) -> Viewer:
        """A maker of pictures for a screen."""
        return Viewer()

    def explain(self, state: State, entry: Entry) -> tuple[int, tuple[story.Change, ...]]:
        """Fold one entry; its outcome code and what it changed."""
        return story.explain(state, entry)
