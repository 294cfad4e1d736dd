"""What stands out in the tables while the past is shown: what the entry of the moment changed."""

from typing import Final

from msgspec import Struct


class Lit(Struct, frozen=True):
    """Nothing, as a rule."""

    entries: frozenset[str] = frozenset()
    """Ids: rows that one of these changed last stand out."""
    rows: tuple[tuple[str, int | str], ...] = ()
    """Table and key of those that should be in view."""
    playing: bool = False
    """It goes on by itself, and the log with it."""


NOTHING_LIT: Final = Lit()
