"""What a consumer can be asked for; it is done between two pages."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esdash.engine.view import Position
    from esdash.fold.folding import Fold


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Store a snapshot now; a notice tells how it went."""


@dataclass(frozen=True, slots=True)
class Crash:
    """Drop all memory without a farewell, then restore and replay."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Forget the state and replay from the beginning of the stream; stored snapshots stay."""


@dataclass(frozen=True, slots=True)
class Stay:
    """While halted: keep the last good state, and apply nothing."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """That the rules were edited needs to be said no more: they make the same state."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Take a farewell snapshot and end."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Go on with other rules, from the newest snapshot that they can use."""

    fold: "Fold"


@dataclass(frozen=True, slots=True)
class RestoreAnew:
    """Restore the state once more, from another snapshot than before."""

    why: str
    """A sentence, which is told."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Tell the position and the digest of the state there."""

    answer: "Future[tuple[Position, str]]"
    """EngineError where there is no state, or none that has a digest just now."""


Request = TakeSnapshot | Crash | Rebuild | Stay | Reviewed | Stop | Reload | RestoreAnew | Checkpoint
