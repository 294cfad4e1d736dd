"""Everything a screen can ask of the engine, by subject."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, overload

from msgspec import Struct

from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.fold.folding import Fold, Told

if TYPE_CHECKING:
    from esdash.engine.shown.verification import Verification


class EngineError(Exception):
    """Something a person should read: one or two plain sentences that say what happened and what to do."""


class NotPublishedError(EngineError):
    """Certainly nothing is in the log of what was to be published."""


class Published(Struct, frozen=True, gc=False):
    """An event that is in the log. One is made for each, so it is of the kind that is made fastest."""

    entry_id: str
    event_type: str
    key: str
    durability: str = ""
    """How safe it is, where more was asked for than that the server took it: `synced`, `replicas:2`."""


class LessDurableError(EngineError):
    """What was published is in the log, and was not as safe in time as was asked for."""

    def __init__(self, message: str, published: "Sequence[Published]") -> None:
        """`published` says how safe it was known to be."""
        super().__init__(message)
        self.published = published


class Details(Struct, frozen=True):
    """One entry with what it did, reconstructed from the log."""

    row: Row
    told: Told


class LoadStatus(Struct, frozen=True):
    """The steady load."""

    running: bool
    rate: float
    """Events a second that are wanted."""
    sent: int
    """Events appended since it was started."""
    error: str
    """Why it stopped by itself; empty when it did not."""


class VerificationStatus(Struct, frozen=True):
    """A verification in the background."""

    running: bool
    done: int
    """Entries replayed."""
    total: int
    result: "Verification | None"
    error: str
    """Why there is no result; empty when there is one, or not yet."""


RESTING: Final = LoadStatus(False, 0.0, 0, "")
"""The load of a console that cannot make one."""


class Watch(Protocol):
    """A consumer, as it is seen; every call but `run` and `details` returns at once."""

    @property
    def fold(self) -> Fold:
        """The domain that is folded."""

    @property
    def view(self) -> View:
        """The newest picture of the consumer."""

    def on_view(self, callback: Callable[[], object]) -> None:
        """Have `callback`, which must be quick, called in the consumer's thread after each new view."""

    def run(self) -> None:
        """Be the consumer until `close`; for a thread of its own. Raises nothing a person should see."""

    def close(self) -> None:
        """Ask `run` to take a farewell snapshot and return."""

    def details(self, row: Row) -> Details:
        """What an entry changed; replays from a snapshot before it, so it may take a while. Raises EngineError."""


class Control(Protocol):
    """What may be done to a consumer's own memory. Writes nothing; every call but `reload` returns at once."""

    def crash(self) -> None:
        """Drop all memory without a farewell, then restore and replay."""

    def rebuild(self) -> None:
        """Forget the state and replay from the beginning of the stream; stored snapshots stay."""

    def stay(self) -> None:
        """While halted: keep the last good state, read-only."""

    def reload(self) -> None:
        """Read the domain's files again and go on by them, from the newest snapshot that they can use; blocks.

        Raises EngineError with what is wrong with them; then nothing has changed. After it `fold` is another one, and
        so is `publishing`.
        """


class Storing(Protocol):
    """Snapshots that a person wants."""

    def take_snapshot(self) -> None:
        """Take a snapshot now; a notice in the view tells how it went. Returns at once."""


class Publisher(Protocol):
    """Appending one event."""

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Append one event; blocks. Safe to call again with the same key after an error: the fold counts it once.

        Raises EngineError.
        """


class Publishing(Publisher, Protocol):
    """Appending events."""

    def publish_batch(self, events: Iterable[tuple[str, bytes]]) -> int:
        """Append many; blocks. How many were appended. Raises EngineError."""

    def publish_after(self, last_id: bytes, entries: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Append entries, as their fields, if nothing was appended since an id; blocks. Their ids, none where it was.

        Raises EngineError.
        """

    @property
    def load(self) -> LoadStatus:
        """The steady load."""

    def start_load(self, rate: float) -> None:
        """Append events of the domain's generator at `rate` a second until `stop_load`; also changes the rate."""

    def stop_load(self) -> None:
        """Stop the steady load."""


class Desk(Protocol):
    """What a form of an event looks at, and hands the event to."""

    @property
    def fold(self) -> Fold:
        """The domain."""

    @property
    def view(self) -> View:
        """By whose state the event is judged."""

    @property
    def publishing(self) -> Publisher | None:
        """Takes it; None: nothing does."""


class Verifying(Protocol):
    """Replaying everything in the background. Returns at once."""

    @property
    def verification(self) -> VerificationStatus | None:
        """The verification that runs or ran last; None before the first."""

    def start_verification(self) -> None:
        """Compare what a replay makes with every snapshot and the live state."""

    def stop_verification(self) -> None:
        """Give up a verification that runs."""


class Console(Watch, Protocol):
    """A consumer, and what may be done: what writes to the server is None for a read-only console."""

    @property
    def control(self) -> Control:
        """Its own memory."""

    @property
    def verifying(self) -> Verifying:
        """Verification."""

    @property
    def storing(self) -> Storing | None:
        """Snapshots; None: it writes none."""

    @property
    def publishing(self) -> Publishing | None:
        """Events; None: it publishes none."""


@overload
def publishing_of(console: "Console") -> Publishing: ...
@overload
def publishing_of(console: Desk) -> Publisher: ...
def publishing_of(console: Desk) -> Publisher:
    """What appends events. Raises NotPublishedError for a read-only console."""
    if console.publishing is None:
        raise NotPublishedError("Nothing was published: this console is read-only.")
    return console.publishing


def load_of(console: Console) -> LoadStatus:
    """The steady load of a console, which rests where it is read-only."""
    return RESTING if console.publishing is None else console.publishing.load
