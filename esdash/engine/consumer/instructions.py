"""What a consumer is told to do by its lifecycle; the consumer carries it out and decides nothing.

The last of some instructions may be a task. What was done before it ends, and the outcome of the task is the next
stimulus. Where there is no task among them, the consumer goes on with the one that it has.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from esdash.engine.consumer.requests import Checkpoint
from esdash.engine.shown.view import Continuity, Phase

if TYPE_CHECKING:
    from esdash.fold.folding import Fold


class Enter(Struct, frozen=True):
    """Be in a phase, and show it."""

    phase: Phase
    note: str = ""
    retry_at: float | None = None
    """When the next attempt is made, by the consumer's clock."""


class DropMemory(Struct, frozen=True):
    """Forget the state and everything that was shown of it. The phase is that of a consumer that begins."""


class RememberWay(Struct, frozen=True):
    """Keep in mind what was applied, so that what the log lost of it can be told."""


class UseRules(Struct, frozen=True):
    """Fold by other rules from here on."""

    fold: "Fold"


class StoreSnapshot(Struct, frozen=True):
    """Store a snapshot that somebody wants."""


class LeaveSnapshot(Struct, frozen=True):
    """Finish a snapshot that is being written, so that the state is whole; leave one of the end."""

    store: bool
    """False: only finish."""
    regret: str
    """How the sentence begins that is told when the last one cannot be stored."""


class CountWaiting(Struct, frozen=True):
    """Find out how many entries wait: behind a gap, or behind an entry that was not applied."""

    gap: Continuity | None = None


class ShowContinuity(Struct, frozen=True):
    """Show how continuity is broken."""

    continuity: Continuity


class Notify(Struct, frozen=True):
    """Tell a person something."""

    severity: str
    """information, warning or error."""
    text: str


class Show(Struct, frozen=True):
    """Publish a view, due or not."""


class ReviewRules(Struct, frozen=True):
    """Have it looked into whether edited rules make the same state of the same entries."""


class TrustRules(Struct, frozen=True):
    """Say no more that the rules were edited."""


class AnswerCheckpoint(Struct, frozen=True):
    """Tell the position and the digest of the state."""

    checkpoint: Checkpoint


class Connect(Struct, frozen=True):
    """Find the server, and make sure that it answers."""


class Restore(Struct, frozen=True):
    """Make a state, from a snapshot where one can be used."""

    ignore_snapshots: bool


class CheckPosition(Struct, frozen=True):
    """Compare the log with where the state stands."""


class Replay(Struct, frozen=True):
    """Apply what is in the stream, up to its end."""

    far: bool
    """Whether a second process may read a long way ahead."""


class Follow(Struct, frozen=True):
    """Apply what comes, as it comes."""


class Wait(Struct, frozen=True):
    """Do nothing until it is time, but what is asked for."""

    until: float | None
    """By the consumer's clock; None: only what is asked for ends it."""


class Raise(Struct, frozen=True):
    """End with what went wrong, for a caller who waits for the end."""

    error: Exception


class End(Struct, frozen=True):
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
