"""How a person arranged the dashboard, for its next start, and how such things are kept. No textual."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file, at most."""

MOST: Final = 50
"""Domains of which it is remembered; the one that was shown longest ago is forgotten first."""


_Kept = TypeVar("_Kept")


class Arranged(Struct, frozen=True):
    """What was arranged for one domain."""

    panel: str = ""
    """The one in focus; empty: the usual one."""
    zoomed: bool = False
    orders: dict[str, tuple[str, bool]] = {}
    """By panel: the column that it is sorted by, and whether from the greatest down."""
    preview: bool = True
    """Beside the panels, where there is room."""
    filters: dict[str, str] = {}
    """By panel: what is typed there. For another main screen, not for the next start."""


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
    return (read_from(file, Remembered) if file is not None else None) or Remembered()


def write(file: Path | None, remembered: Remembered) -> None:
    """Remember it: it is no great loss where that cannot be."""
    if file is not None:
        kept = {name: replace(each, filters={}) for name, each in remembered.domains.items()}
        with suppress(OSError):
            write_to(file, replace(remembered, domains=kept))


def read_from(file: Path, kind: type[_Kept]) -> _Kept | None:
    """What stands in a file; None where there is no such file, or it cannot be read."""
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(LARGEST), type=kind)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def write_to(file: Path, value: object) -> None:
    """Write it as a whole or not at all, for this user alone. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(msgspec.json.format(msgspec.json.encode(value)))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
