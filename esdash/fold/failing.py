"""A function of a domain that failed, and on which line."""

import dis
import signal
import threading
import traceback
from typing import Any, Final

from esdash.domain import Domain
from esdash.fold.hooks import UnfitError

FAILURES: Final = (Exception, SystemExit, KeyboardInterrupt)
"""What a function of a domain fails with: to end the program is none of its business."""

ENDS: Final = "ends the program, and may not"
"""What is said of that."""

MOST_OF_AN_EVENT: Final = 120

_CALLERS: Final = tuple(f"{__file__.rsplit('/', 2)[0]}/{room}/" for room in ("fold", "engine"))
"""Where functions of a domain are called: no line of theirs."""

_RAISE: Final = dis.opmap["RAISE_VARARGS"]

_SIGNALS: Final = f"{__file__.rsplit('/', 2)[0]}/signals.py"


class DomainError(Exception):
    """A function of the domain failed on an entry, which was not folded, nor were those after it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where = where
        """File and line, `bank.py:43`."""
        self.what = what
        self.codes = b""
        """The outcomes of the entries of the page before it."""
        self.spoiled = False
        """Whether the state holds half of what that entry does, and is nothing to go on with."""
        self.entry_id = b""
        """The entry, where it is one of the log."""
        self.event = ""
        """What it says, `Billed(patient=7, amount=5)`, in at most MOST_OF_AN_EVENT characters."""

    def __str__(self) -> str:
        told = f"{self.where}: {self.what.rstrip('.')}."
        if not self.entry_id:
            return told
        entry = self.entry_id.decode("utf-8", "backslashreplace")
        event = f", {self.event}," if self.event else ""
        return f"{told} Entry {entry}{event} was not applied, nor was any after it."


def failure(error: BaseException, maker: Any, domain: Domain) -> DomainError:
    """What went wrong, and the last line of the domain's own files that it went through.

    `maker` is the function that was called, for what has no line of its own. Raises the error again where a signal
    ended the program meanwhile.
    """
    raise_signals(error)
    folders = {_file_of(each.apply or each.upcast).rpartition("/")[0] for each in domain.events}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_CALLERS)]
    own = [frame for frame in frames if frame.filename.rpartition("/")[0] in folders] or frames
    if own:
        place = f"{own[-1].filename.rpartition('/')[2]}:{own[-1].lineno}"
    elif (code := getattr(maker, "__code__", None)) is not None:
        place = f"{code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}"
    else:
        place = domain.name
    what = str(error) if isinstance(error, UnfitError) else f"{type(error).__name__}: {error}".rstrip(": ")
    return DomainError(place, f"it {ENDS}" if isinstance(error, SystemExit) else what)


def in_short(event: Any) -> str:
    """What an event says; empty where its model cannot tell."""
    try:
        text = repr(event)
    except FAILURES as error:
        raise_signals(error)
        return ""
    return text if len(text) <= MOST_OF_AN_EVENT else f"{text[: MOST_OF_AN_EVENT - 1]}…"


def raise_signals(error: BaseException) -> None:
    """Raises an error again which is no failure of the domain: a signal that came meanwhile."""
    last = error.__traceback__
    if last is None or not isinstance(error, SystemExit | KeyboardInterrupt):
        return
    while last.tb_next is not None:
        last = last.tb_next
    if last.tb_frame.f_code.co_filename == _SIGNALS:
        raise error
    # Python's own answer to Ctrl-C has no frame of its own: it comes in the midst of a line that raises nothing, and in
    # the first thread only.
    first = threading.current_thread() is threading.main_thread()
    raised = last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE
    if isinstance(error, KeyboardInterrupt) and first and not raised and not _answers_itself():
        raise error


def _answers_itself() -> bool:
    """Whether Ctrl-C is answered by esdash, whose frame tells it."""
    return getattr(signal.getsignal(signal.SIGINT), "__module__", "") == "esdash.signals"


def _file_of(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return code.co_filename if code is not None else ""
