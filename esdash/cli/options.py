"""The options that every command takes, before or after its name; the later one wins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource
from msgspec import Struct, field

from esdash.cli.domains import OWN
from esdash.config import DEFAULT_DOMAIN, ConfigError, Settings, load, load_with_sources

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Chosen(Struct):
    """What the common options said."""

    config: Path | None = None
    environment: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)


def _choose(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    name = parameter.name or ""
    source = context.get_parameter_source(name)
    chosen = context.ensure_object(_Chosen)
    if value is None or source not in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        return
    if name == "config":
        # The innermost command's options are read last: a flag after the command wins, its environment does not.
        if source is ParameterSource.COMMANDLINE or chosen.config is None:
            chosen.config = value
    elif source is ParameterSource.COMMANDLINE:
        chosen.flags[name] = value
    else:
        chosen.environment[name] = value


def stream_name(value: str) -> str:
    """The same. Raises click.BadParameter for what is no name of a stream."""
    if not value:
        raise click.BadParameter("a stream's name is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are no text, which Python passes on as lone surrogates
        raise click.BadParameter("it is not UTF-8") from None
    return value


def _stream_name(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    _choose(context, parameter, None if value is None else stream_name(value))


def _not_empty(told: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """What takes a text that says something; `told` to whoever gave none."""

    def choose(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value is not None and not value.strip():
            raise click.BadParameter(told)
        _choose(context, parameter, value)

    return choose


def folder_of(value: str) -> Path:
    """The folder that was typed. Raises click.BadParameter."""
    if not value:
        raise click.BadParameter("a directory's name is not empty")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise click.BadParameter(f"there is no home directory for {value!r}") from None


def _folder(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        _choose(context, parameter, folder_of(value))


def _profiles(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The profiles of the settings file, for a shell that completes one."""
    try:
        found = load(file_of(context), {}, {}, {}).profiles
    except ConfigError:
        return []
    return sorted(name for name in found if name.startswith(incomplete))


def _common(flag: str, metavar: str | None, told: str, **how: Any) -> Callable[[_Command], _Command]:
    """An option of every command, that may stand in the environment as well: `--data-dir` as ESDASH_DATA_DIR."""
    name = flag.partition("/")[0].removeprefix("--").replace("-", "_")
    return click.option(
        flag,
        metavar=metavar,
        envvar=f"ESDASH_{name.upper()}",
        show_envvar=True,
        expose_value=False,
        help=told,
        **{"callback": _choose, **how},
    )


_COMMON: Final = (
    _common(
        "--url",
        "URL",
        "The server: redis://host:port/db, rediss:// for TLS, unix:///path, redis+sentinel://host,host/service, "
        "redis+cluster://host,host. Without it, esdash's own.",
        callback=_not_empty("a URL is not empty; leave the option out for esdash's own server"),
    ),
    _common(
        "--profile",
        "NAME",
        "A server of the settings file, [profiles.NAME], with what is set for it.",
        callback=_not_empty("a profile's name is not empty"),
        shell_complete=_profiles,
    ),
    _common("--stream", "KEY", "The stream's key.  [orders]", callback=_stream_name),
    _common(
        "--domain",
        "DOMAIN",
        f"What the entries mean: {', '.join(OWN)}, path/to/file.py, module:NAME.  [{DEFAULT_DOMAIN}]",
        callback=_not_empty("a domain's name is not empty"),
    ),
    _common(
        "--data-dir",
        "DIR",
        "Where esdash's own server keeps its data.",
        type=click.Path(file_okay=False),
        callback=_folder,
    ),
    _common(
        "--archive",
        "DIR",
        "Read what has left the stream from this archive.",
        type=click.Path(file_okay=False),
        callback=_folder,
    ),
    _common("--readonly/--no-readonly", None, "Write nothing to the server.", default=None),
    _common(
        "--config",
        "FILE",
        "The settings file.  [~/.config/esdash/config.toml]",
        type=click.Path(dir_okay=False, path_type=Path),
    ),
)


def common_options(command: _Command) -> _Command:
    """Add the common options to a command or a group; `settings_of` gives what they said."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


def settings_of(context: click.Context) -> Settings:
    """The settings of this run. Raises ConfigError."""
    chosen = context.ensure_object(_Chosen)
    return load(chosen.config, chosen.environment, chosen.flags)


def sources_of(context: click.Context) -> tuple[Settings, dict[str, str]]:
    """The same, and where each setting comes from, for people. Raises ConfigError."""
    chosen = context.ensure_object(_Chosen)
    return load_with_sources(chosen.config, chosen.environment, chosen.flags)


def file_of(context: click.Context) -> Path | None:
    """The settings file that somebody named."""
    return context.ensure_object(_Chosen).config


def common_parameters() -> list[click.Parameter]:
    return common_options(click.Command(None)).params


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options to a command and pass it the settings as its first argument."""

    def call(*arguments: Any, **options: Any) -> Any:
        return command(settings_of(click.get_current_context()), *arguments, **options)

    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__dict__.update(command.__dict__)
    return common_options(call)


def _durability(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from esdash.log.durability import read_durability

        try:
            read_durability(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    _choose(context, parameter, value)


durability_option: Final = click.option(
    "--durability",
    metavar="HOW",
    expose_value=False,
    callback=_durability,
    help="Wait until it is synced, or on replicas:N; exit code 1 when it is not in time.  [applied]",
)


as_json: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
