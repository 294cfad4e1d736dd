"""How the interpreter is set up for a program that follows a stream for days, perhaps under a screen."""

import gc
import sys
from typing import Final

YOUNG_OBJECTS: Final = 50_000
"""So many more objects than before let the collector look at the young ones. The rows that a consumer keeps come and go
in tens of thousands; with the usual 700 it looked at everything time and again, for up to 50 ms, and found nothing."""

SWITCH_SECONDS: Final = 0.0003
"""How long a thread may keep others waiting. With the usual 5 ms the fold waited that long at each read while the
screen was painted, and a key as long at each write while the fold was busy."""


def collect_rarely() -> None:
    """Leave what is there now to itself, and look at what comes only when much has come.

    At 50,000 events a second the collector took a third of the time of a dashboard.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def take_short_turns() -> None:
    """Let the threads of the fold and of the screen take turns that nobody notices."""
    sys.setswitchinterval(SWITCH_SECONDS)
