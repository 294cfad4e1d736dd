"""What a consumer can be asked for; it is done between two pages."""

from concurrent.futures import Future
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from esdash.engine.shown.view import Position
    from esdash.fold.folding import Fold


class TakeSnapshot(Struct, frozen=True):
    """Store a snapshot now; a notice tells how it went."""


class Crash(Struct, frozen=True):
    """Drop all memory without a farewell, then restore and replay."""


class Rebuild(Struct, frozen=True):
    """Forget the state and replay from the beginning of the stream; stored snapshots stay."""


class Stay(Struct, frozen=True):
    """While halted: keep the last good state, and apply nothing."""


class Reviewed(Struct, frozen=True):
    """That the rules were edited needs to be said no more: they make the same state."""


class Stop(Struct, frozen=True):
    """Take a farewell snapshot and end."""


class Reload(Struct, frozen=True):
    """Go on with other rules, from the newest snapshot that they can use."""

    fold: "Fold"


class RestoreAnew(Struct, frozen=True):
    """Restore the state once more, from another snapshot than before."""

    why: str
    """A sentence, which is told."""


class Checkpoint(Struct, frozen=True):
    """Tell the position and the digest of the state there."""

    answer: "Future[tuple[Position, str]]"
    """EngineError where there is no state, or none that has a digest just now."""


Request = TakeSnapshot | Crash | Rebuild | Stay | Reviewed | Stop | Reload | RestoreAnew | Checkpoint
