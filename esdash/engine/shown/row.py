"""One entry and what became of it, as it is kept for people."""

from msgspec import Struct

from esdash.fold.folding import Told
from esdash.fold.sorting import Fields


class Row(Struct, frozen=True, gc=False):
    """One entry and what became of it. So many are kept that the garbage collector must not look at them."""

    ordinal: int
    """Entries the fold has consumed up to and with this one; 1 for the first. 0 where it is not known."""
    entry_id: bytes
    fields: Fields
    """As they are in the log, or, where `mark` is not None, what is kept of them: the beginning of each."""
    code: int | None
    """The outcome as an index into `Fold.outcomes`; None where it is not known any more."""
    sizes: tuple[int, ...] = ()
    """Bytes of each field in the log, where they are not all kept."""
    size: int = 0
    """Bytes of all fields in the log, where they are not all kept."""
    mark: int | None = None
    """Stands for all fields where they are not all kept, within this process (`kept.is_same`); None: they are."""
    told: Told | None = None
    """What it did; None where that is not known here."""
