"""The fold: pages of entries into the state."""

from collections.abc import Sequence

from esdash.shop.decoding import Fields, key_of
from esdash.shop.outcomes import APPLIED, PARKED
from esdash.shop.packing import Packed, pack, unpacked
from esdash.shop.quick import fold_quickly
from esdash.shop.rules import fold_one
from esdash.shop.state import State

Entry = tuple[bytes, Fields]
"""An entry as the server sends it: id, fields."""


def fold(state: State, entries: Sequence[Entry]) -> bytes:
    """Apply a page of entries to the state, in order; one outcome code an entry (`outcomes.OUTCOMES`)."""
    return fold_packed(state, pack(entries))


def fold_packed(state: State, packed: Packed) -> bytes:
    """`fold` for a page that was packed before, perhaps in another process."""
    keys = [key for key in packed.keys if key is not None] if packed.keys else []
    if len(set(keys)) < len(keys) or not state.keys.isdisjoint(keys) or (packed.odd and any(map(key_of, packed.odd))):
        codes = bytearray(fold_one(state, fields) for fields in unpacked(packed))
    else:
        codes = fold_quickly(state, packed)
        if keys:
            decided = zip(packed.keys, codes, strict=True)
            state.remember([key for key, code in decided if key is not None and code not in PARKED])
    counts = state.counts
    others = codes.replace(b"\0", b"")
    counts[APPLIED] += len(codes) - len(others)
    for code in others:
        counts[code] += 1
    return bytes(codes)
