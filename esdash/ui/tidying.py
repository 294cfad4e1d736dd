"""Frees what screens leave behind. Textual's are cycles, which the collector alone frees, and here it comes rarely."""

import gc
import time
from collections.abc import Callable
from typing import Final

from textual._styles_cache import StylesCache

LOOKS: Final = 2
"""So many looks of the collector at young objects since its last at others say that there may be much to free: tens of
thousands of objects. A screen that was opened and closed leaves up to seven thousand."""

TIDY_SECONDS: Final = 10.0
"""At least between two times: looking at all objects takes some 15 ms, however large the state is."""


class Tidying:
    """Does it now and then, for the loop's thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._due = clock() + TIDY_SECONDS

    def tidy(self) -> None:
        """Free what nobody has any more, if it may be much and some time has passed since."""
        if gc.get_count()[1] < LOOKS or self._clock() < self._due:
            return
        # Textual remembers two styles for each cache of lines: the last thousand of those stayed, with all their lines.
        # It is none of what Textual promises, so another version may do it otherwise.
        forget = getattr(getattr(StylesCache, "get_inner_outer", None), "cache_clear", None)
        if forget is not None:
            forget()
        gc.collect()
        self._due = self._clock() + TIDY_SECONDS
