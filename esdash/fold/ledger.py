"""Which entries repeat an idempotency key: the window of the last keys, as a page goes through it."""

from collections.abc import Sequence

from esdash.fold.outcomes import APPLIED, DUPLICATE
from esdash.fold.state import KEY_WINDOW, State


class Ledger:
    """The keys of one page, entered into a state's window; from a place on they can be taken back."""

    def __init__(self, state: State, keys: Sequence[bytes | None], codes: bytearray) -> None:
        """`codes` of entries whose key is in the window become DUPLICATE; a parked one does not enter its key."""
        self._state = state
        self._keys = keys
        self._codes = codes
        self._left: list[bytes] = []
        """The keys that left the window."""
        fresh = [key for key, code in zip(keys, codes, strict=True) if key is not None and code == APPLIED]
        distinct = set(fresh)
        if len(distinct) == len(fresh) and state.keys.isdisjoint(distinct):
            # None of those that leave meanwhile comes again in this page, so all may go at once.
            state.keys |= distinct
            state.key_order.extend(fresh)
            self._let_go()
        else:
            self._enter_each()

    def _enter_each(self) -> None:
        known, order, codes = self._state.keys, self._state.key_order, self._codes
        for place, key in enumerate(self._keys):
            if key is None or codes[place] != APPLIED:
                continue
            if key in known:
                codes[place] = DUPLICATE
            else:
                known.add(key)
                order.append(key)
                self._let_go()

    def _let_go(self) -> None:
        known, order = self._state.keys, self._state.key_order
        for _ in range(len(order) - KEY_WINDOW):
            key = order.popleft()
            known.discard(key)
            self._left.append(key)

    def take_back(self, place: int) -> None:
        """Leave the window as it was before the entry at a place."""
        known, order, codes = self._state.keys, self._state.key_order, self._codes
        entered = sum(
            key is not None and codes[after] == APPLIED for after, key in enumerate(self._keys[place:], place)
        )
        for _ in range(entered):
            known.discard(order.pop())
            if self._left:
                key = self._left.pop()
                order.appendleft(key)
                known.add(key)
