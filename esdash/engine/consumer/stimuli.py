"""What happens to a consumer by itself; what it is asked for is in `engine.consumer.requests`."""

from msgspec import Struct

from esdash.engine.shown.view import Continuity


class Begun(Struct, frozen=True):
    """It was started."""


class Connected(Struct, frozen=True):
    """The server was found, and answers."""


class StateRestored(Struct, frozen=True):
    """There is a state to go on with."""

    agreed_to_forget: bool
    """Entries are missing from it that a snapshot had seen and a person agreed to lose."""
    edited: bool
    """Its snapshot was made by another source of the same version of the rules."""


class Unbroken(Struct, frozen=True):
    """After a lost connection: the log still holds what the state was made of."""


class CaughtUp(Struct, frozen=True):
    """The end of the stream was reached."""


class Answered(Struct, frozen=True):
    """While following: the server answered, perhaps that there is nothing new."""


class RetryDue(Struct, frozen=True):
    """It is time to connect again."""


class GapFound(Struct, frozen=True):
    """Entries vanished unread."""

    continuity: Continuity
    ordinal: int
    """Entries in the state."""
    error: Exception
    """What a caller is given who waits for the end, here and below."""


class Diverged(Struct, frozen=True):
    """The log is not the one that the state was made from."""

    continuity: Continuity
    error: Exception


class LogFailed(Struct, frozen=True):
    """The server was lost, or refused; its text tells what people read."""

    error: Exception
    spoiled: bool = False
    """Something was applied that is no entry: the state is nothing to go on with."""


class DomainFailed(Struct, frozen=True):
    """A function of the domain failed on an entry; its text tells what people read."""

    error: Exception
    spoiled: bool
    """The state holds half of what that entry does, and is nothing to go on with."""


Happening = (
    Begun
    | Connected
    | StateRestored
    | Unbroken
    | CaughtUp
    | Answered
    | RetryDue
    | GapFound
    | Diverged
    | LogFailed
    | DomainFailed
)
