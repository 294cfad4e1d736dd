"""Settings: file < environment < flags.

Flags and the environment of the common options are read by the command line. What stands in the file, and the
environment of the rest, is checked by pydantic, which is imported only then: it takes 0.1 s.
"""

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final

import platformdirs
from annotated_types import Ge, Le, MaxLen, MinLen

ENVIRONMENT: Final = "ESDASH_"
"""A setting's name in capitals after this is its environment variable."""

_ELSEWHERE: Final = ("url", "stream", "domain", "domains", "data_dir", "archive", "readonly", "keys", "questions")
"""Settings whose environment the command line reads, and those that have none."""

DEFAULT_DOMAIN: Final = "shop"

LARGEST: Final = 64 * 1024
"""Bytes of a settings file, at most."""


class ConfigError(Exception):
    """The settings cannot be used. The message is one or two plain sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. In the file, names are as here."""

    url: Annotated[str, MinLen(1)] | None = field(default=None, repr=False)
    """A Redis 6.2+ or Valkey server: `redis://host:6379/0`, `rediss://…` for TLS, `unix:///path`; `valkey://` and
    `valkeys://` are the same. `redis+sentinel://host:26379,host:26379/service/0` and
    `redis+cluster://host:6379,host:6379` find it, and find it again. Without one, esdash runs its own in `data_dir`."""
    stream: Annotated[str, MinLen(1)] = "orders"
    """The key of the stream."""
    domain: Annotated[str, MinLen(1)] = DEFAULT_DOMAIN
    """What the entries mean: `shop`, `raw`, `path/to/file.py` (with `:NAME` where the file has several), `module:NAME`,
    or the name of an entry point. A file is looked for beside the settings file first."""
    domains: dict[Annotated[str, MinLen(1)], Annotated[str, MinLen(1)]] = field(default_factory=dict)
    """The domain by stream, which goes before `domain`: `payments = "~/bank.py"`."""
    data_dir: Path | None = field(default_factory=lambda: _in_home(platformdirs.user_data_path))
    """Where the embedded server keeps its data."""
    archive: Path | None = None
    """The folder of an archive (`esdash archive`), through which the stream is read as if nothing had left it."""
    readonly: bool = False
    """Write nothing to the server: no events, no snapshots."""
    export: bool = True
    """Whether what a log says may be handed on: exported, copied to the clipboard, saved as a picture of the screen."""
    durability: str = "applied"
    """What publishing waits for: `applied`, the server took the event; `synced`, it is on its disk; `replicas:2`, two
    replicas have it as well."""
    snapshot_seconds: Annotated[float, Ge(0), Le(86_400)] = 30.0
    """Between two snapshots, when something changed; 0: only when asked and at the end."""
    track_dir: Path | None = field(default_factory=lambda: _in_home(platformdirs.user_cache_path))
    """In its folder `past` is kept what every entry changed: for this user alone; it can be deleted at any time."""
    track_mb: Annotated[int, Ge(0), Le(1_048_576)] = 2048
    """Megabytes that the past takes at most, of all streams together; 0: none is kept."""
    theme: str | None = None
    """The dashboard's colours: the name of a Textual theme, `textual-dark`, `nord`, `gruvbox`, …"""
    mouse: bool = True
    """Whether the dashboard listens to the mouse."""
    keys: dict[str, str] = field(default_factory=dict)
    """The dashboard's keys by action: `quit = "f10,Q"`."""
    questions: dict[str, Annotated[str, MinLen(1), MaxLen(1000)]] = field(default_factory=dict)
    """Questions by name: `refused = "outcome:rejected"` is asked by `@refused`, and by the key that `keys` gives to
    `ask_refused`."""


def names() -> tuple[str, ...]:
    """The settings there are."""
    return tuple(setting.name for setting in fields(Settings))


def usual_file() -> Path | None:
    """Where the settings file is, unless `ESDASH_CONFIG` or `--config` says otherwise; None without a home."""
    folder = _in_home(platformdirs.user_config_path)
    return folder and folder / "config.toml"


def remembered_file() -> Path | None:
    """Where the dashboard remembers how it was arranged; None without a home."""
    folder = _in_home(platformdirs.user_state_path)
    return folder and folder / "dashboard.json"


def questions_file() -> Path | None:
    """Where the dashboard keeps the questions that were asked, and those that were saved; None without a home."""
    folder = _in_home(platformdirs.user_state_path)
    return folder and folder / "questions.json"


def sandboxes_file() -> Path | None:
    """Where the dashboard keeps the sandboxes that have a name; None without a home."""
    folder = _in_home(platformdirs.user_state_path)
    return folder and folder / "sandboxes.json"


def place_of_data(settings: Settings) -> Path:
    """Where the embedded server keeps its data. Raises ConfigError when nobody said and there is no home directory."""
    if settings.data_dir is None:
        raise ConfigError(
            "This user has no home directory. Say with --data-dir where esdash's own server keeps its data, or name "
            "another server with --url."
        )
    return settings.data_dir


def _in_home(place: Callable[[str], Path]) -> Path | None:
    """One of esdash's folders in the home directory; None for a user without one, as in many containers."""
    try:
        folder = place("esdash")
    except RuntimeError:
        return None
    # Older versions of platformdirs leave `~` as it is then.
    return folder if folder.is_absolute() else None


def load(
    file: Path | None,
    common: Mapping[str, Any],
    flags: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Put the settings together.

    `file` was named by somebody and must be there; None: the usual one, if there is one. `common` are values that the
    command line took from the environment, `flags` those that were typed. Raises ConfigError.
    """
    return load_with_sources(file, common, flags, environment)[0]


def load_with_sources(
    file: Path | None,
    common: Mapping[str, Any],
    flags: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> tuple[Settings, dict[str, str]]:
    """The same, and where each setting comes from, for people: `--url`, `ESDASH_URL`, `settings file`, `default`."""
    named = [name for name in names() if name not in _ELSEWHERE]
    rest = {name: value for name in named if (value := environment.get(ENVIRONMENT + name.upper()))}
    from_environment = _checked(rest, "environment") if rest else {}
    from_file = _from_file(file)
    settings = Settings(**{**from_file, **from_environment, **common, **flags})
    sources = {
        **dict.fromkeys(names(), "default"),
        **dict.fromkeys(from_file, "settings file"),
        **{name: ENVIRONMENT + name.upper() for name in (*from_environment, *common)},
        **{name: f"--{name.replace('_', '-')}" for name in flags},
    }
    if "domain" not in common and "domain" not in flags and settings.stream in settings.domains:
        settings = replace(settings, domain=settings.domains[settings.stream])
        sources["domain"] = "settings file"
    return settings, sources


def _from_file(named: Path | None) -> dict[str, Any]:
    file = named or usual_file()
    if file is None:
        return {}
    text = _text_of(file)
    if text is None:
        if named is None:
            return {}
        raise ConfigError(f"There is no settings file {file}.")
    try:
        values = tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"The settings file {file} is not TOML: {error}.") from error
    except RecursionError:
        raise ConfigError(f"The settings file {file} is not TOML for settings: it is nested too deeply.") from None
    for name in values:
        if name not in names():
            raise ConfigError(f"The settings file {file} has {name!r}, which is no setting. There are {_listed()}.")
    checked = _checked(values, str(file)) if values else {}
    for name in ("data_dir", "archive"):
        if name not in checked:
            continue
        if not values[name]:
            raise ConfigError(f"{name} in {file} is empty.")
        try:
            checked[name] = checked[name].expanduser()
        except RuntimeError:
            raise ConfigError(f"{name} in {file} names a home directory that is not there.") from None
    if "domain" in checked:
        checked["domain"] = _beside(file, checked["domain"])
    for name in checked.get("questions", ()):
        from esdash.query.questions import SAVED_NAME

        if SAVED_NAME.fullmatch(name) is None:
            raise ConfigError(
                f"{file} saves a question as {name!r}, which is no name: a letter, then letters, digits, - and _, at "
                "most 40 in all."
            )
    if "domains" in checked:
        checked["domains"] = {stream: _beside(file, domain) for stream, domain in checked["domains"].items()}
    return checked


def _beside(file: Path, domain: str) -> str:
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
    except FileNotFoundError:
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


def _checked(values: dict[str, Any], source: str) -> dict[str, Any]:
    """The values in their declared types. Raises ConfigError naming the first that does not fit."""
    from pydantic import TypeAdapter, ValidationError

    try:
        settings = TypeAdapter(Settings).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{_where(name, source)} does not fit: {_lowered(first['msg'])}.") from None
    if "durability" in values:
        from esdash.log.durability import read_durability

        try:
            read_durability(settings.durability)
        except ValueError as error:
            raise ConfigError(f"{_where('durability', source)} does not fit: {error}.") from error
    return {name: getattr(settings, name) for name in values}


def _where(name: str, source: str) -> str:
    return f"{ENVIRONMENT}{name.upper()} in the environment" if source == "environment" else f"{name} in {source}"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _listed() -> str:
    return ", ".join(names())
