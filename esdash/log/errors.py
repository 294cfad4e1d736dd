"""What can go wrong with a server, each said in sentences that a person can act on."""

from collections.abc import Sequence

from esdash.visible import visible


class LogError(Exception):
    """The server said no, or the log is not what it should be. The message is one or two plain sentences."""


class UnreachableError(LogError):
    """No answer: nothing is known about what was sent last. Trying again later may help."""


class UnconnectedError(UnreachableError):
    """No connection could be had, so nothing was sent."""


class NobodyError(UnconnectedError):
    """None of those answers that should tell where the server is."""


class ClosedError(UnreachableError):
    """The connection broke."""


class UnreadableReplyError(UnreachableError):
    """What the server sent is no reply that can be read."""


class TooMuchError(UnreadableReplyError):
    """The server's reply is larger than esdash reads."""


class RefusedError(LogError):
    """The server answered with a refusal: what was sent last was not done."""


class FullError(RefusedError):
    """The server has reached its memory limit: it takes nothing that needs room."""


class WrongTypeError(RefusedError):
    """A key holds something else than what it is read as: the stream's, unless it is said of another."""


class ElsewhereError(RefusedError):
    """This node is not where the stream is now, or not yet: it may be elsewhere, or here again, in a moment."""


class BrokenLogError(LogError):
    """What was archived of a log and what stands in the stream do not go together."""


class LessDurableError(LogError):
    """What was appended is in the log, and was not as safe in time as was asked for."""

    def __init__(self, message: str, ids: Sequence[bytes], reached: str) -> None:
        """`ids` of the entries that were appended, and how safe they were known to be: `applied`, `replicas:1`."""
        super().__init__(message)
        self.ids = ids
        self.reached = reached


class ForbiddenError(RefusedError):
    """The server does not let this user do that, or nobody."""

    def __init__(self, message: str, right: str = "") -> None:
        """`right` is what is missing as an ACL says it, `+xadd` or `~orders`; empty when that is not known."""
        super().__init__(message)
        self.right = right

    @classmethod
    def of(cls, server: str, right: str) -> "ForbiddenError":
        """The right to a command (`+xadd`) or to a key (`~orders`) is missing."""
        what = f"the right to the key {visible(right[1:])}" if right.startswith("~") else "the right"
        return cls(f"{server} does not let this user do that: {what} is missing ({visible(right)}).", right)


def first_line(error: Exception) -> str:
    """What it says, harmless and without its last full stop."""
    return visible((str(error).splitlines() or ["no reason given"])[0]).rstrip(".")
