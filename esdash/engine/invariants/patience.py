"""Functions of a domain that nothing else waits for: one that does not come back is left behind."""

import ctypes
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

PATIENCE: Final = 5.0
"""Seconds after which a function that has not come back is left behind."""

T = TypeVar("T")


class OverdueError(Exception):
    """It did not come back in time."""


class _LeaveError(BaseException):
    """Raised within what is left behind. No function of a domain should catch it."""


class _Work(threading.Thread, Generic[T]):
    def __init__(self, job: Callable[[], T]) -> None:
        super().__init__(name="patience", daemon=True)
        self._job = job
        self.answer: list[T] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.answer.append(self._job())
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            self.error = error
        except _LeaveError:
            pass


def within(seconds: float, job: Callable[[], T]) -> T:
    """What a job returns, done in another thread while this one waits. Raises what it raises, and OverdueError.

    One that is overdue is made to leave at its next line of Python.
    """
    work = _Work(job)
    work.start()
    work.join(seconds)
    if work.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(work.ident or 0), ctypes.py_object(_LeaveError))
        raise OverdueError
    if work.error is not None:
        raise work.error
    return work.answer[0]
