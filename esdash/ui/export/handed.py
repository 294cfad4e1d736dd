"""What a screen hands on."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import platformdirs

from esdash.export.sheet import Sheet

_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Handed(NamedTuple):
    """Something that can be exported."""

    name: str
    """What it is of, for the name of a file."""
    title: str
    """The same for people: harmless text."""
    sheets: Callable[[], Sequence[Sheet[Any]]]
    """Called in a thread, where their lines are made as well; both raise EngineError."""


def usual_file(name: str, ending: str, seconds: float) -> Path:
    """Where something is written unless a person says otherwise, at a time in Unix seconds: among the downloads."""
    when = datetime.fromtimestamp(seconds).strftime("%Y%m%d-%H%M%S")
    kept = _UNUSUAL.sub("-", name)[:60].strip("-.") or "screen"
    return _folder() / f"esdash-{kept}-{when}.{ending}"


def _folder() -> Path:
    try:
        folder = platformdirs.user_downloads_path()
    except RuntimeError:  # no home directory
        return Path.cwd()
    return folder if folder.is_dir() else Path.cwd()
