"""How a person arranged the dashboard, for its next start. No textual."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

LARGEST: Final = 64 * 1024
"""Bytes of the file, at most."""

MOST: Final = 50
"""Domains of which it is remembered; the one that was shown longest ago is forgotten first."""


class Arranged(Struct, frozen=True):
    """What was arranged for one domain."""

    panel: str = ""
    """The one in focus; empty: the usual one."""
    zoomed: bool = False
    orders: dict[str, tuple[str, bool]] = {}
    """By panel: the column that it is sorted by, and whether from the greatest down."""
    preview: bool = True
    """Beside the panels, where there is room."""


class Remembered(Struct, frozen=True):
    """What is remembered."""

    theme: str = ""
    """Chosen in the dashboard; empty: none was."""
    domains: dict[str, Arranged] = {}
    """By the domain's name, the one shown last at the end."""

    def with_domain(self, name: str, arranged: Arranged, theme: str) -> "Remembered":
        """The same, with how one domain is arranged now."""
        others = [(each, found) for each, found in self.domains.items() if each != name]
        return Remembered(theme, dict([*others, (name, arranged)][-MOST:]))


def read(file: Path | None) -> Remembered:
    """What was remembered; nothing where there is no such file, or it cannot be read."""
    if file is None:
        return Remembered()
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(LARGEST), type=Remembered)
    except (OSError, msgspec.MsgspecError, ValueError):
        return Remembered()


def write(file: Path | None, remembered: Remembered) -> None:
    """Remember it, as a whole or not at all: it is no great loss."""
    if file is None:
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(remembered)))
        draft.replace(file)
