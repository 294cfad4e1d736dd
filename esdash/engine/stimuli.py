"""What happens to a consumer by itself; what it is asked for is in `engine.requests`."""

from dataclasses import dataclass

from esdash.engine.view import Continuity


@dataclass(frozen=True, slots=True)
class Begun:
    """It was started."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The server was found, and answers."""


@dataclass(frozen=True, slots=True)
class StateRestored:
    """There is a state to go on with."""

    agreed_to_forget: bool
    """Entries are missing from it that a snapshot had seen and a person agreed to lose."""
    edited: bool
    """Its snapshot was made by another source of the same version of the rules."""


@dataclass(frozen=True, slots=True)
class Unbroken:
    """After a lost connection: the log still holds what the state was made of."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The end of the stream was reached."""


@dataclass(frozen=True, slots=True)
class Answered:
    """While following: the server answered, perhaps that there is nothing new."""


@dataclass(frozen=True, slots=True)
class RetryDue:
    """It is time to connect again."""


@dataclass(frozen=True, slots=True)
class GapFound:
    """Entries vanished unread."""

    continuity: Continuity
    ordinal: int
    """Entries in the state."""
    error: Exception
    """What a caller is given who waits for the end, here and below."""


@dataclass(frozen=True, slots=True)
class Diverged:
    """The log is not the one that the state was made from."""

    continuity: Continuity
    error: Exception


@dataclass(frozen=True, slots=True)
class LogFailed:
    """The server was lost, or refused; its text tells what people read."""

    error: Exception
    spoiled: bool = False
    """Something was applied that is no entry: the state is nothing to go on with."""


@dataclass(frozen=True, slots=True)
class DomainFailed:
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
