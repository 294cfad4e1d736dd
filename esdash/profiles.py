"""Which setting counts when several places say one.

The settings file < a profile < the environment < flags; a profile that was typed, `--profile`, goes before the
environment: whoever types one means its server, whatever was exported long ago.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from esdash.settings_file import ConfigError

Values = Mapping[str, Any]


class Profile(Struct, frozen=True):
    """The settings for a server, which was chosen by its name."""

    name: str
    values: Values
    """What it sets; `url` is always there, None for esdash's own server."""
    typed: bool
    """By a flag, not by the environment."""


class Layer(NamedTuple):
    """Settings that come from one place."""

    values: Values
    told: Callable[[str], str]
    """Where a setting comes from, for people."""


def layers_of(file: Values, profile: Profile | None, environment: Values, flags: Values) -> Sequence[Layer]:
    """Where settings come from, what counts least first. Raises ConfigError where it is not clear which server."""
    in_file = Layer(file, lambda _: "settings file")
    in_environment = Layer(environment, lambda name: f"ESDASH_{name.upper()}")
    typed = Layer(flags, lambda name: f"--{name.replace('_', '-')}")
    if profile is None:
        return in_file, in_environment, typed
    if not profile.typed:
        _require_one_server(profile, environment, flags)
    _require_readonly_kept(profile, flags)
    in_profile = Layer(profile.values, lambda _: f"profile {profile.name}")
    middle = (in_environment, in_profile) if profile.typed else (in_profile, in_environment)
    # That nothing may be written counts wherever it stands, unless a flag says otherwise, which a profile forbids.
    strict = [Layer({"readonly": True}, each.told) for each in middle if each.values.get("readonly")]
    return in_file, *middle, *strict, typed


def put_together(layers: Sequence[Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    """Each setting that somebody set, and where it comes from."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        values |= layer.values
        sources |= {name: layer.told(name) for name in layer.values}
    return values, sources


def domain_of(layers: Sequence[Layer], stream: str) -> tuple[str, str] | None:
    """The domain of a stream, and where it comes from: within a layer `domains` goes before `domain`."""
    for layer in reversed(layers):
        for name, domain in (
            ("domains", layer.values.get("domains", {}).get(stream)),
            ("domain", layer.values.get("domain")),
        ):
            if domain is not None:
                return domain, layer.told(name)
    return None


def _require_one_server(profile: Profile, environment: Values, flags: Values) -> None:
    """Raises ConfigError where another server is named beside a profile of the environment.

    Else somebody would read the name of one server, and write to the other.
    """
    for name in ("url", "data_dir"):
        # Where there is a URL, a directory that was exported for other calls counts for nothing.
        idle = name == "data_dir" and profile.values["url"] is not None
        named = flags if idle else {**environment, **flags}
        if name in named and named[name] != profile.values.get(name):
            other = f"--{name.replace('_', '-')}" if name in flags else f"ESDASH_{name.upper()}"
            raise ConfigError(
                f"{other} and ESDASH_PROFILE, which is {profile.name}, name two servers. Unset one of them, or type "
                "--profile."
            )


def _require_readonly_kept(profile: Profile, flags: Values) -> None:
    """Raises ConfigError where a flag would allow what the profile forbids."""
    if profile.values.get("readonly") and flags.get("readonly") is False:
        raise ConfigError(
            f"The profile {profile.name} is read-only, and --no-readonly does not change that: where its server may be "
            "written to, take readonly out of it."
        )
