"""The state: what the entries so far add up to, its digest, and its bytes for a snapshot."""

import hashlib
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from esdash.shop.events import ItemId, Key, Money
from esdash.shop.outcomes import OUTCOMES

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

KEY_WINDOW: Final = 100_000
"""How many distinct idempotency keys are remembered, oldest out first."""

CHUNK_ROWS: Final = 10_000
"""Users encoded at a time: under a millisecond, so that other threads run in between."""

CHUNK_NAMES: Final = 2_500
"""Items or keys encoded at a time. An item id may have 256 bytes, so more would pass the megabyte of a chunk."""


_Row = TypeVar("_Row")
_Subject = TypeVar("_Subject")
_Int64 = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class StateError(ValueError):
    """The bytes are not those of a state."""


class State:
    """Balances, prices and stock, counted outcomes, the window of idempotency keys.

    Plain dicts of integers, since a fold touches them once or twice an entry and a million users fit in 106 bytes
    each. Only `fold` changes them.
    """

    __slots__ = ("counts", "key_order", "keys", "prices", "stock", "users")

    def __init__(self) -> None:
        self.users: dict[int, int] = {}
        """user id → balance in cents, 0…2^63−1."""
        self.prices: dict[str, int] = {}
        """item id → price in cents; the same items as `stock`."""
        self.stock: dict[str, int] = {}
        """item id → pieces remaining, 0…2^63−1."""
        self.counts: list[int] = [0] * len(OUTCOMES)
        """Entries by outcome code."""
        self.keys: set[bytes] = set()
        self.key_order: deque[bytes] = deque()
        """The keys in the order of their arrival; a deque, for a dict is slow to drop its oldest."""

    def remember(self, keys: list[bytes]) -> None:
        """Add keys that are not in the window, in order; the oldest leave when it is full."""
        self.keys.update(keys)
        self.key_order.extend(keys)
        for _ in range(len(self.key_order) - KEY_WINDOW):
            self.keys.discard(self.key_order.popleft())

    def digest(self) -> str:
        """32 hexadecimal digits; equal states have equal digests, whatever the order of insertion.

        BLAKE2b over the counts, the keys in their order, the items by id and the users by id.
        """
        hashed = hashlib.blake2b(digest_size=16)
        for outcome, count in sorted(zip(OUTCOMES, self.counts, strict=True), key=str):
            hashed.update(f"{outcome.name} {outcome.reason} {count}\n".encode())
        for key in self.key_order:
            hashed.update(struct.pack("<I", len(key)) + key)
        hashed.update(struct.pack("<QQ", len(self.key_order), len(self.stock)))
        for item_id in sorted(self.stock):
            name = item_id.encode()
            hashed.update(struct.pack("<I", len(name)) + name)
            hashed.update(struct.pack("<QQ", self.prices[item_id], self.stock[item_id]))
        if len(self.users) <= CHUNK_ROWS:
            # So few are sorted long before numpy is imported.
            layout, ordered = f"<{len(self.users)}q", sorted(self.users)
            hashed.update(struct.pack(layout, *ordered))
            hashed.update(struct.pack(layout, *map(self.users.__getitem__, ordered)))
        else:
            for column in self.user_columns():
                hashed.update(column.data)
        return hashed.hexdigest()

    def user_columns(self) -> "tuple[NDArray[int64], NDArray[int64]]":
        """User ids, ascending, and their balances; little-endian."""
        import numpy as np  # takes 0.1 s to import, and the first paint needs none of it

        users = _whole(self.users)
        ids = np.empty(len(users), "<i8")
        balances = np.empty(len(users), "<i8")
        # In slices, since one conversion of a million would stop every other thread for as long as it takes.
        names, amounts = iter(users), iter(users.values())
        for start in range(0, len(ids), CHUNK_ROWS):
            end = min(start + CHUNK_ROWS, len(ids))
            ids[start:end] = np.fromiter(islice(names, CHUNK_ROWS), np.int64, end - start)
            balances[start:end] = np.fromiter(islice(amounts, CHUNK_ROWS), np.int64, end - start)
        order = np.argsort(ids)
        return ids[order], balances[order]

    def items(self) -> list[tuple[str, int, int]]:
        """Id, price and pieces remaining of every item, by id."""
        prices = _whole(self.prices)
        return [(item_id, prices[item_id], remain) for item_id, remain in sorted(_whole(self.stock).items())]

    def fork(self) -> "State":
        """The state as it is now, for another thread to read at leisure. `join` must follow before the next `fork`.

        Nothing large is copied: until `join`, this state writes what changes over what the fork shares with it. Its
        dicts must not be iterated or measured meanwhile; `user_columns` and `items` may be asked for.
        """
        fork = State()
        fork.users, self.users = self.users, _Over(self.users)
        fork.prices, self.prices = self.prices, _Over(self.prices)
        fork.stock, self.stock = self.stock, _Over(self.stock)
        fork.counts = self.counts.copy()
        fork.key_order = self.key_order.copy()
        return fork

    def join(self, fork: "State") -> None:
        """Take back what is shared with a fork, which nobody may read from here on."""
        fork.users.update(self.users)
        fork.prices.update(self.prices)
        fork.stock.update(self.stock)
        self.users, self.prices, self.stock = fork.users, fork.prices, fork.stock

    def dump(self) -> Iterator[bytes]:
        """The state in chunks, each well under a megabyte, with nothing of one chunk needed to read another."""
        encode = msgspec.msgpack.encode
        yield encode(_Counts([(*outcome, n) for outcome, n in zip(OUTCOMES, self.counts, strict=True) if n]))
        for keys in _slices(self.key_order, CHUNK_NAMES):
            yield encode(_Keys(keys))
        for items in _slices(self.stock, CHUNK_NAMES):
            yield encode(_Items([(item_id, self.prices[item_id], self.stock[item_id]) for item_id in items]))
        for ids in _slices(self.users):
            layout = f"<{len(ids)}q"
            balances = map(self.users.__getitem__, ids)
            yield encode(_Users(struct.pack(layout, *ids), struct.pack(layout, *balances)))

    @classmethod
    def load(cls, chunks: Iterable[bytes]) -> "State":
        """The state that `dump` wrote. Raises StateError for anything else."""
        state = cls()
        users = items = 0
        codes: dict[tuple[str, str | None], int] = {(*outcome,): code for code, outcome in enumerate(OUTCOMES)}
        try:
            for chunk in chunks:
                part = _decode_part(chunk)
                if type(part) is _Users:
                    layout = f"<{len(part.ids) // 8}q"
                    ids, balances = struct.unpack(layout, part.ids), struct.unpack(layout, part.balances)
                    if min(ids, default=0) < 0 or min(balances, default=0) < 0:
                        raise StateError("a user id or a balance is below zero")
                    state.users.update(zip(ids, balances, strict=True))
                    users += len(ids)
                elif type(part) is _Items:
                    for item_id, price, remain in part.rows:
                        state.prices[item_id] = price
                        state.stock[item_id] = remain
                    items += len(part.rows)
                elif type(part) is _Keys:
                    state.key_order.extend(part.keys)
                else:
                    for name, reason, count in part.counts:
                        state.counts[codes[name, reason]] = count
        except (msgspec.MsgspecError, struct.error, ValueError, KeyError) as error:
            raise StateError(f"the state cannot be read: {error}") from error
        state.keys.update(state.key_order)
        if len(state.users) != users or len(state.stock) != items or len(state.keys) != len(state.key_order):
            raise StateError("the state names a user, an item or a key twice")
        if len(state.keys) > KEY_WINDOW:
            raise StateError("the state remembers too many keys")
        return state


class _Over(dict[Any, int]):
    """What changed since a fork, over what it shares."""

    __slots__ = ("_under",)

    def __init__(self, under: dict[Any, int]) -> None:
        super().__init__()
        self._under = under

    def __missing__(self, key: Any) -> int:
        return self._under[key]

    def get(self, key: Any, default: Any = None, /) -> Any:
        value = super().get(key)
        return self._under.get(key, default) if value is None else value

    def whole(self) -> dict[Any, int]:
        """Both together, copied."""
        return self._under | self


def _whole(numbers: dict[_Subject, int]) -> dict[_Subject, int]:
    """A state's dict as one that can be iterated, whether there is a fork or not."""
    return numbers.whole() if isinstance(numbers, _Over) else numbers


class _Counts(Struct, frozen=True, array_like=True, tag="counts"):
    counts: list[tuple[str, str | None, _Int64]]


class _Keys(Struct, frozen=True, array_like=True, tag="keys"):
    keys: list[Key]


class _Items(Struct, frozen=True, array_like=True, tag="items"):
    rows: list[tuple[ItemId, Money, _Int64]]


class _Users(Struct, frozen=True, array_like=True, tag="users"):
    ids: bytes
    """Little-endian 64-bit integers."""
    balances: bytes
    """The same, in the order of the ids."""


_decode_part = msgspec.msgpack.Decoder(_Counts | _Keys | _Items | _Users).decode


def _slices(rows: Iterable[_Row], size: int = CHUNK_ROWS) -> Iterator[list[_Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk
