"""What a consumer is told to do by its lifecycle; the consumer carries it out and decides nothing.

The last of some instructions may be a task. What was done before it ends, and the outcome of the task is the next
stimulus. Where there is no task among them, the consumer goes on with the one that it has.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from esdash.engine.requests import Checkpoint
from esdash.engine.view import Continuity, Phase

if TYPE_CHECKING:
    from esdash.fold.folding import Fold


@dataclass(frozen=True, slots=True)
class Enter:
    """Be in a phase, and show it."""

    phase: Phase
    note: str = ""
    retry_at: float | None = None
    """When the next attempt is made, by the consumer's clock."""


@dataclass(frozen=True, slots=True)
class DropMemory:
    """Forget the state and everything that was shown of it. The phase is that of a consumer that begins."""


@dataclass(frozen=True, slots=True)
class RememberWay:
    """Keep in mind what was applied, so that what the log lost of it can be told."""


@dataclass(frozen=True, slots=True)
class UseRules:
    """Fold by other rules from here on."""

    fold: "Fold"


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """Store a snapshot that somebody wants."""


@dataclass(frozen=True, slots=True)
class LeaveSnapshot:
    """Finish a snapshot that is being written, so that the state is whole; leave one of the end."""

    store: bool
    """False: only finish."""
    regret: str
    """How the sentence begins that is told when the last one cannot be stored."""


@dataclass(frozen=True, slots=True)
class CountWaiting:
    """Find out how many entries wait behind a gap."""

    gap: Continuity


@dataclass(frozen=True, slots=True)
class ShowContinuity:
    """Show how continuity is broken."""

    continuity: Continuity


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell a person something."""

    severity: str
    """information, warning or error."""
    text: str


@dataclass(frozen=True, slots=True)
class Show:
    """Publish a view, due or not."""


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """Have it looked into whether edited rules make the same state of the same entries."""


@dataclass(frozen=True, slots=True)
class TrustRules:
    """Say no more that the rules were edited."""


@dataclass(frozen=True, slots=True)
class AnswerCheckpoint:
    """Tell the position and the digest of the state."""

    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Connect:
    """Find the server, and make sure that it answers."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Make a state, from a snapshot where one can be used."""

    ignore_snapshots: bool


@dataclass(frozen=True, slots=True)
class CheckPosition:
    """Compare the log with where the state stands."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Apply what is in the stream, up to its end."""

    far: bool
    """Whether a second process may read a long way ahead."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Apply what comes, as it comes."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing until it is time, but what is asked for."""

    until: float | None
    """By the consumer's clock; None: only what is asked for ends it."""


@dataclass(frozen=True, slots=True)
class Raise:
    """End with what went wrong, for a caller who waits for the end."""

    error: Exception


@dataclass(frozen=True, slots=True)
class End:
    """End."""


Task = Connect | Restore | CheckPosition | Replay | Follow | Wait | Raise | End
"""What takes its time, or ends."""

Deed = (
    Enter
    | DropMemory
    | RememberWay
    | UseRules
    | StoreSnapshot
    | LeaveSnapshot
    | CountWaiting
    | ShowContinuity
    | Notify
    | Show
    | ReviewRules
    | TrustRules
    | AnswerCheckpoint
)
"""What is done at once."""

Instruction = Deed | Task
