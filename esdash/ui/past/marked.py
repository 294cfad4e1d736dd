"""What is compared with another moment."""

from typing import NamedTuple


class MarkedMoment(NamedTuple):
    """A moment, as it is called on the screen."""

    ordinal: int
    label: str
    """Harmless text."""
