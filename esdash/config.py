"""Settings: file < profile < environment < flags; a profile that was typed goes before the environment.

Flags and the environment of the common options are read by the command line. What stands in the file, and the
environment of the rest, is checked by pydantic, which is imported only then: it takes 0.1 s.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final

import platformdirs

from esdash.profiles import Profile, domain_of, layers_of, put_together
from esdash.settings_file import ConfigError as ConfigError
from esdash.settings_file import beside, values_of
from esdash.visible import visible

ENVIRONMENT: Final = "ESDASH_"
"""A setting's name in capitals after this is its environment variable."""

_ELSEWHERE: Final = frozenset(
    {
        "url",
        "stream",
        "streams",
        "domain",
        "domains",
        "data_dir",
        "archive",
        "readonly",
        "keys",
        "questions",
        "profiles",
        "profile",
    }
)
"""Settings whose environment the command line reads, and those that have none."""

OF_A_PERSON: Final = frozenset({"mouse", "keys", "questions", "profiles", "profile"})
"""Settings that are about who looks, whatever the server: no profile has them."""

DEFAULT_DOMAIN: Final = "shop"


class Bounded:
    """A bound of `annotated_types` by its name there, imported when pydantic asks for it: every start would wait."""

    __is_annotated_types_grouped_metadata__ = True

    def __init__(self, name: str, **bounds: int) -> None:
        self._name, self._bounds = name, bounds

    def __iter__(self) -> Iterator[Any]:
        import annotated_types

        yield from getattr(annotated_types, self._name)(**self._bounds)


Name = Annotated[str, Bounded("Len", min_length=1)]
"""Of a server, a stream or a domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. In the file, names are as here."""

    url: Name | None = field(default=None, repr=False)
    """A Redis 6.2+ or Valkey server: `redis://host:6379/0`, `rediss://…` for TLS, `unix:///path`; `valkey://` and
    `valkeys://` are the same. `redis+sentinel://host:26379,host:26379/service/0` and
    `redis+cluster://host:6379,host:6379` find it, and find it again. Without one, esdash runs its own in `data_dir`."""
    stream: Name = "orders"
    """The key of the stream."""
    streams: list[Name] = field(default_factory=list)
    """Those that `esdash streams` and the dashboard's list of streams show, `["orders", "accounts"]`; without them, all
    that a search of the server's keys finds."""
    domain: Name = DEFAULT_DOMAIN
    """What the entries mean: `shop`, `raw`, `path/to/file.py` (with `:NAME` where the file has several), `module:NAME`,
    or the name of an entry point. A file is looked for beside the settings file first."""
    domains: dict[Name, Name] = field(default_factory=dict)
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
    snapshot_seconds: Annotated[float, Bounded("Interval", ge=0, le=86_400)] = 30.0
    """Between two snapshots, when something changed; 0: only when asked and at the end."""
    track_dir: Path | None = field(default_factory=lambda: _in_home(platformdirs.user_cache_path))
    """In its folder `past` is kept what every entry changed: for this user alone; it can be deleted at any time."""
    track_mb: Annotated[int, Bounded("Interval", ge=0, le=1_048_576)] = 2048
    """Megabytes that the past takes at most, of all streams together; 0: none is kept."""
    theme: str | None = None
    """The dashboard's colours: the name of a Textual theme, `textual-dark`, `nord`, `gruvbox`, …"""
    mouse: bool = True
    """Whether the dashboard listens to the mouse."""
    keys: dict[str, str] = field(default_factory=dict)
    """The dashboard's keys by action: `quit = "f10,Q"`."""
    questions: dict[str, Annotated[str, Bounded("Len", min_length=1, max_length=1000)]] = field(default_factory=dict)
    """Questions by name: `refused = "outcome:rejected"` is asked by `@refused`, and by the key that `keys` gives to
    `ask_refused`."""
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    """Servers by name: `[profiles.staging]` holds a `url`, or a `data_dir`, and whatever else of these settings is
    meant for that server; `mouse`, `keys` and `questions` are for all."""
    profile: str | None = None
    """The one of `profiles` that is used. `--profile` or `ESDASH_PROFILE` chooses it, not the file."""


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
    """The same, and where each setting comes from, for people.

    `--url`, `ESDASH_URL`, `profile staging`, `settings file`, `default`.
    """
    named = [name for name in names() if name not in _ELSEWHERE]
    rest = {name: value for name in named if (value := environment.get(ENVIRONMENT + name.upper()))}
    from_environment = {**(_checked(rest, "environment") if rest else {}), **common}
    from_file = _from_file(file)
    chosen = flags.get("profile", common.get("profile"))
    profile = None
    if chosen is not None:
        values = _profile(chosen, from_file.get("profiles", {}), file or usual_file())
        profile = Profile(chosen, values, typed="profile" in flags)
    layers = layers_of(from_file, profile, from_environment, flags)
    values, sources = put_together(layers)
    settings = Settings(**values)
    if found := domain_of(layers, settings.stream):
        domain, sources["domain"] = found
        settings = replace(settings, domain=domain)
    return settings, {name: sources.get(name, "default") for name in names()}


def _profile(name: str, profiles: Mapping[str, dict[str, Any]], file: Path | None) -> dict[str, Any]:
    """What a profile sets. Raises ConfigError where there is none of that name."""
    if name in profiles:
        return profiles[name]
    there = f"There are {', '.join(sorted(profiles))}" if profiles else "It has none: [profiles.NAME] begins one"
    raise ConfigError(f"There is no profile {visible(name, 64)!r} in the settings file {file}. {there}.")


def _from_file(named: Path | None) -> dict[str, Any]:
    file = named or usual_file()
    if file is None:
        return {}
    values = values_of(file)
    if values is None:
        if named is None:
            return {}
        raise ConfigError(f"There is no settings file {file}.")
    if "profile" in values:
        raise ConfigError(f"profile in {file} chooses none: --profile and ESDASH_PROFILE do.")
    checked = _checked_part(values, file, f"the settings file {file}", names())
    for name, profile in checked.get("profiles", {}).items():
        _require_name(name, file, "calls a profile")
        checked["profiles"][name] = _checked_profile(name, profile, file)
    return checked


def _checked_profile(name: str, values: dict[str, Any], file: Path) -> dict[str, Any]:
    """What a profile sets; it has a URL and an archive, be they None. Raises ConfigError."""
    where = f"[profiles.{name}] of {file}"
    checked = _checked_part(values, file, where, tuple(each for each in names() if each not in OF_A_PERSON))
    if not checked.keys() & {"url", "data_dir"}:
        raise ConfigError(f"{where} names no server: it needs a url, or a data_dir for esdash's own server.")
    if "domain" in checked:
        checked.setdefault("domains", {})  # those of the file are not meant for it
    return {"url": None, "archive": None, **checked}


def _checked_part(values: dict[str, Any], file: Path, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    """What the file, or a profile in it, sets. Raises ConfigError."""
    for name in values:
        if name not in known:
            raise ConfigError(
                f"{where[:1].upper()}{where[1:]} has {name!r}, which is no setting. There are {', '.join(known)}."
            )
    checked = _checked(values, where) if values else {}
    for name in ("data_dir", "archive"):
        if name not in checked:
            continue
        if not values[name]:
            raise ConfigError(f"{name} in {where} is empty.")
        try:
            checked[name] = checked[name].expanduser()
        except RuntimeError:
            raise ConfigError(f"{name} in {where} names a home directory that is not there.") from None
    if "domain" in checked:
        checked["domain"] = beside(file, checked["domain"])
    for name in checked.get("questions", ()):
        _require_name(name, file, "saves a question as")
    if "domains" in checked:
        checked["domains"] = {stream: beside(file, domain) for stream, domain in checked["domains"].items()}
    return checked


def _require_name(name: str, file: Path, so: str) -> None:
    from esdash.query.questions import SAVED_NAME

    if SAVED_NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{file} {so} {name!r}, which is no name: a letter, then letters, digits, - and _, at most 40 in all."
        )


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
