"""What stands in a settings file, before anybody looks at the names."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

LARGEST: Final = 64 * 1024
"""Bytes of a settings file, at most."""


class ConfigError(Exception):
    """The settings cannot be used. The message is one or two plain sentences."""


def values_of(file: Path) -> dict[str, Any] | None:
    """What the file sets; None when there is none. Raises ConfigError."""
    text = _text_of(file)
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"The settings file {file} is not TOML: {error}.") from error
    except RecursionError:
        raise ConfigError(f"The settings file {file} is not TOML for settings: it is nested too deeply.") from None


def beside(file: Path, domain: str) -> str:
    """A domain that is called by a file's name which stands beside the settings file, by its whole path."""
    name, py, rest = domain.partition(".py")
    if not py or (rest and not rest.startswith(":")):
        return domain
    found = file.parent / f"{name}.py"
    return f"{found.absolute()}{rest}" if found.is_file() else domain


def _text_of(file: Path) -> str | None:
    """What stands in the file, without a byte-order mark; None when there is none. Raises ConfigError."""
    try:
        # Of a pipe that nobody writes to, opening would wait for ever.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            if not _is_file(descriptor):
                raise ConfigError(f"The settings file {file} is no file.")
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ConfigError(f"The settings file {file} is larger than {LARGEST // 1024:,} KiB: no settings are.")
        return data.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):  # the home of a service's user is often /dev/null
        for part in (file, *file.parents):
            if part.is_symlink() and not part.exists():
                raise ConfigError(
                    f"The settings file {file} cannot be read: {part} is a link to {part.readlink()}, which is not "
                    "there."
                ) from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"The settings file {file} cannot be read: {reason}.") from error


def _is_file(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    return stat.S_ISREG(found.st_mode) or found.st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116 - a number
