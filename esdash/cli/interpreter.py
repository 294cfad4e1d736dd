"""How the interpreter is set up for a program that follows a stream for days, perhaps under a screen."""

import gc
import os
import sys
from typing import Final

YOUNG_OBJECTS: Final = 15_000
"""So many more objects than before let the collector look at the young ones, for some 5 ms. The rows that a consumer
keeps come and go in tens of thousands; with the usual 700 it looked at everything time and again, and found nothing."""

YOUNG_LOOKS: Final = 1000
"""After so many looks at the young ones it looks at those that it has seen once, for some 30 ms. What esdash itself
leaves behind makes no cycles, so it finds nothing there either."""

PAINTS_A_SECOND: Final = 240
"""How soon after one picture the next may be painted: a key that comes while a busy screen is painted waits for the end
of that, and not for a sixtieth of a second more. It paints no oftener for it, since only what changed is painted."""

SWITCH_SECONDS: Final = 0.0003
"""How long a thread may keep others waiting. With the usual 5 ms the fold waited that long at each read while the
screen was painted, and a key as long at each write while the fold was busy."""


def collect_rarely() -> None:
    """Leave what is there now to itself, and look at what comes only when much has come.

    At 50,000 events a second the collector took a third of the time of a dashboard.
    """
    if gc.get_freeze_count():  # for a dashboard before, of which nothing could be freed since
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_LOOKS, 50)


def take_short_turns() -> None:
    """Let the threads of the fold and of the screen take turns that nobody notices."""
    sys.setswitchinterval(SWITCH_SECONDS)


def paint_promptly() -> None:
    """Let a picture follow another at once, unless the person wants it otherwise. To be called before textual comes."""
    os.environ.setdefault("TEXTUAL_FPS", str(PAINTS_A_SECOND))
