"""How many entries a second."""

from collections import deque
from collections.abc import Callable
from typing import Final

SECONDS: Final = 60
"""How far back the history goes."""


class RateMeter:
    """Counts things by the second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._second = int(clock())
        self._count = 0
        self._history: deque[float] = deque([0.0] * SECONDS, maxlen=SECONDS)

    def add(self, count: int) -> None:
        """So many happened now."""
        self._advance()
        self._count += count

    def rate(self) -> float:
        """Things a second over the last full second."""
        self._advance()
        return self._history[-1]

    def history(self) -> tuple[float, ...]:
        """Things in each of the last 60 full seconds, oldest first."""
        self._advance()
        return tuple(self._history)

    def _advance(self) -> None:
        second = int(self._clock())
        passed = second - self._second
        if passed <= 0:
            return
        self._history.append(float(self._count))
        self._history.extend([0.0] * min(passed - 1, SECONDS))
        self._second = second
        self._count = 0
