"""All that the engine knows of events and states. Another fold fits here without a change in engine or log."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct

Fields = Sequence[bytes]
"""An entry's fields as the server sends them: name, value, name, value, …"""

Entry = tuple[bytes, Fields]
"""An entry as the server sends it: id, fields."""

State = TypeVar("State")
Seen = TypeVar("Seen", contravariant=True)


class Row(Struct, frozen=True, gc=False):
    """One entry and what became of it. So many are kept that the garbage collector must not look at them."""

    ordinal: int
    """Entries the fold has consumed up to and with this one; 1 for the first. 0 where it is not known."""
    entry_id: bytes
    fields: Fields
    """As they are in the log, or, where `mark` is not None, what is kept of them: the beginning of each."""
    code: int | None
    """The outcome as an index into `Domain.outcomes`; None where it is not known any more."""
    sizes: tuple[int, ...] = ()
    """Bytes of each field in the log, where they are not all kept."""
    size: int = 0
    """Bytes of all fields in the log, where they are not all kept."""
    mark: int | None = None
    """Stands for all fields where they are not all kept, within this process (`kept.is_same`); None: they are."""


class NamedOutcome(Protocol):
    """What a code stands for."""

    @property
    def name(self) -> str:
        """applied, rejected, parked or duplicate."""

    @property
    def reason(self) -> str | None:
        """Why, where there is a why."""


class Viewer(Protocol[Seen]):
    """Makes immutable pictures of a state for a screen; remembers between them what changed last."""

    def observe(self, state: Seen, rows: Sequence[Row]) -> None:
        """Take note of consumed entries, in their order; the state is the one after them."""

    def view(self, state: Seen) -> Any:
        """A picture of the state now. The engine hands it on unseen."""


class Domain(Protocol[State]):
    """Events, their fold and their state."""

    fold_version: str
    """Changes whenever the fold's code does."""
    packing: str
    """A function that prepares a page for `fold_packed` in another process: `module:name`, entries → bytes."""

    factory: str
    """What makes this domain in another process: `module:name`, called without arguments."""

    @property
    def outcomes(self) -> Sequence[NamedOutcome]:
        """What the codes stand for."""

    def empty(self) -> State:
        """The state before the first entry."""

    def fold(self, state: State, entries: Sequence[Entry]) -> bytes:
        """Apply entries in order to the state; one outcome code each. Never raises for what an entry holds."""

    def fold_packed(self, state: State, packed: bytes) -> bytes:
        """`fold` for a page that the function `packing` prepared."""

    def explain(self, state: State, entry: Entry) -> tuple[int, Sequence[Any]]:
        """Fold one entry; its outcome code, and what it changed, which the engine hands on unseen."""

    def digest(self, state: State) -> str:
        """A hash of the state: equal states have equal digests."""

    def differences(
        self, replayed: State, found: State, limit: int
    ) -> Sequence[tuple[str, str, int | None, int | None]]:
        """The numbers that two states do not agree on, at most `limit`: (kind, subject, replayed, found)."""

    def dump(self, state: State) -> Iterator[bytes]:
        """The state as chunks of at most a megabyte."""

    def load(self, chunks: Iterable[bytes]) -> State:
        """The state that `dump` wrote. Raises ValueError for anything else."""

    def size(self, state: State) -> int:
        """About how many rows the state has; digest and dump take a microsecond or so for each."""

    def fork(self, state: State) -> State:
        """The state as it is now, for another thread to digest and dump while this one is folded into.

        Takes next to no time. Until `join` the state is only folded into and viewed.
        """

    def join(self, state: State, fork: State) -> None:
        """Take back what is shared with a fork that nobody reads any more."""

    def counts(self, state: State) -> Sequence[int]:
        """Entries by outcome code."""

    def viewer(self) -> Viewer[State]:
        """A maker of pictures."""
