"""What a service says: one line for each thing that matters, for people or for programs."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import IO, Any, Final

from msgspec import Struct, field

from esdash.visible import visible

LONGEST: Final = 2000
"""Characters of a text in a line."""


class Level(StrEnum):
    """How much a line matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Happening(Struct, frozen=True):
    """One thing that matters."""

    event: str
    """What it is, in a word that programs can look for: `live`, `snapshot`."""
    text: str
    """A sentence for people."""
    level: Level = Level.INFO
    fields: Mapping[str, Any] = field(default_factory=dict)
    """More of it, for programs: texts, numbers, None, and lists and mappings of those."""


class Log:
    """Writes lines. For any thread."""

    def __init__(
        self,
        stream: IO[str],
        *,
        as_json: bool,
        wall_clock: Callable[[], float],
        hide: Callable[[str], str] = str,
    ) -> None:
        """`wall_clock` gives Unix seconds; `hide` takes passwords out of a text."""
        self.lost = 0
        """Lines that could not be written. A service goes on when nobody reads what it says."""
        self._stream = stream
        self._as_json = as_json
        self._wall_clock = wall_clock
        self._hide = hide
        self._lock = threading.Lock()

    def write(self, happening: Happening) -> None:
        """One line. Where it cannot be written it is counted as lost."""
        line = self._json(happening) if self._as_json else self._plain(happening)
        with self._lock:
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
                return
            except OSError:
                pass
        self.lose()

    def lose(self) -> None:
        """Count a line that will not be written."""
        with self._lock:
            self.lost += 1

    def warn(self, text: str) -> None:
        """Something a person should know that is no failure."""
        self.write(Happening("warning", text, Level.WARNING))

    def _plain(self, happening: Happening) -> str:
        time = f"{datetime.fromtimestamp(self._wall_clock()).astimezone():%Y-%m-%d %H:%M:%S%z}"
        level = "" if happening.level is Level.INFO else f"{happening.level}: "
        return f"{time} {level}{self._clean(happening.text)}"

    def _json(self, happening: Happening) -> str:
        time = datetime.fromtimestamp(self._wall_clock(), UTC).isoformat(timespec="milliseconds")
        document = {
            "time": time.replace("+00:00", "Z"),
            "level": happening.level,
            "event": happening.event,
            "text": self._clean(happening.text),
            **{name: self._cleaned(value) for name, value in happening.fields.items()},
        }
        return json.dumps(document, allow_nan=False)

    def _clean(self, text: str) -> str:
        return visible(self._hide(text), LONGEST)

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._clean(value)
        if isinstance(value, Mapping):
            return {name: self._cleaned(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._cleaned(each) for each in value]
        return value
