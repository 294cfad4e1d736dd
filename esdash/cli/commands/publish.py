"""`esdash publish`: append events. Its commands are made from the event types of the domain."""

from collections.abc import Callable
from typing import Any, BinaryIO, Final

import click

from esdash.cli.batch import Lines
from esdash.cli.connect import open_log, require_server, require_writable
from esdash.cli.domains import fold_of
from esdash.cli.failures import BadInputError, FailedError, message_of
from esdash.cli.fields import explained, kebab, members, parameters
from esdash.cli.guarding import Guarded
from esdash.cli.options import common_options, common_parameters, durability_option, settings_of, with_settings
from esdash.cli.output import print_json
from esdash.cli.refill import refill
from esdash.config import Settings
from esdash.counted import counted
from esdash.domain import EventType
from esdash.engine.console import EngineError, LessDurableError, Published
from esdash.engine.moments.history import BrokenError, History
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.shown.row import Row
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.fold.sorting import MAX_KEY
from esdash.log.durability import read_durability
from esdash.log.errors import LogError
from esdash.log.stream import Stream
from esdash.visible import visible
from esdash.words.outcomes import sentence, shortfall
from esdash.words.typed import make_event

BATCH: Final = "batch"

_FOLD: Final = "esdash.cli.commands.publish.fold"
"""Where a context remembers the fold of the domain that was chosen."""

_always_json = click.option("--json", is_flag=True, expose_value=False, help="Print JSON, as it does anyway.")


def _idempotency_key(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise click.BadParameter("it is not UTF-8") from None
        if not 0 < size <= MAX_KEY:
            raise click.BadParameter(f"a key has 1 to {MAX_KEY} bytes, not {size}")
    return value


def _one_event(function: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that appends one event."""
    function = durability_option(_always_json(function))
    function = click.option(
        "--wait", is_flag=True, help="Add ordinal, outcome and reason; exit code 1 when it was not applied."
    )(function)
    return click.option(
        "--key", metavar="KEY", callback=_idempotency_key, help="Idempotency key, at most 128 bytes.  [a new one]"
    )(function)


class _Events(click.Group):
    """A group with a command for each event type of the domain, which may be chosen anywhere in the command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the common options first, those behind the name of an event type as well."""
        settings = {"ignore_unknown_options": True, "allow_extra_args": True}
        everywhere = click.Command(self.name, params=common_parameters(), add_help_option=False)
        with everywhere.make_context(ctx.info_name, list(args), ctx, **settings, resilient_parsing=True):
            pass
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The event types in the order in which they are declared, then `batch`."""
        return [*_named(_fold(ctx)), BATCH]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command for an event type, by its name in kebab case or on the wire, or `batch`."""
        if cmd_name == BATCH:
            return batch
        fold = _fold(ctx)
        event_type = _named(fold).get(cmd_name) or next(
            (each for each in fold.publishable if each.wire_name == cmd_name), None
        )
        return None if event_type is None else _command(fold, event_type, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant. Raises click.UsageError naming the event types there are."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            fold = _fold(ctx)
            if fold.objection:
                raise click.UsageError(fold.objection, ctx)
            there = ", ".join(_named(fold))
            raise click.UsageError(
                f"The domain {visible(fold.name)} has no event type {visible(name, 64)!r} to publish"
                + (f". There are {there}" if there else ""),
                ctx,
            )
        return super().resolve_command(ctx, args)


def _fold(context: click.Context) -> Fold:
    """The fold of the domain that was chosen, loaded once. Raises DomainFileError, ConfigError."""
    fold: Fold | None = context.meta.get(_FOLD)
    if fold is None:
        fold = context.meta[_FOLD] = fold_of(settings_of(context))
    return fold


def _named(fold: Fold) -> dict[str, EventType]:
    """Event types by what they are called here; by the name on the wire where that would be another command's."""
    found: dict[str, EventType] = {}
    for event_type in fold.publishable:
        name = kebab(event_type.wire_name)
        found[event_type.wire_name if name in found or name == BATCH else name] = event_type
    return found


def _command(fold: Fold, event_type: EventType, name: str) -> click.Command:
    model = fold.models[fold.domain.events.index(event_type)]

    @_one_event
    @with_settings
    def publish(settings: Settings, key: str | None, wait: bool, **given: Any) -> None:
        def make() -> Any:
            return make_event(fold, event_type, members(model, given))

        _publish(settings, fold, make, key, wait)

    help_text = model.help or f"Publish {event_type.wire_name}."
    command = click.command(name, cls=Guarded, help=f"{help_text}\n\n\b\n{explained(model)}")(publish)
    taken = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    command.params[:0] = parameters(model, taken)
    return command


@click.group(cls=_Events, no_args_is_help=False)
@common_options
def command() -> None:
    """Append an event, or many.

    There is a command for each event type of the domain, and `batch`. Prints {"id", "type", "key"} for each event that
    is in the log. Sending one again with the same key is safe: the fold counts it once. With --durability it says how
    safe the event was when it ended.
    """


@click.command(BATCH)
@click.argument("file", type=click.File("rb"))
@click.option("--keep-ids", is_flag=True, help="FILE is of `esdash export --all`: fill an empty stream as it was.")
@durability_option
@_always_json
@with_settings
@click.pass_context
def batch(context: click.Context, settings: Settings, file: BinaryIO, keep_ids: bool) -> None:
    """Append the events of FILE (-: stdin), one JSON object a line.

    A line is {"type": TYPE, "data": {MEMBERS}}, as on the wire, with a "key" if you like. A file is checked as a whole
    before anything is sent. What comes through a pipe is checked and sent a thousand lines at a time, or those there
    are as soon as no more come for a moment; a bad line stops it after those that were sent before.

    With --keep-ids every entry is put back as it was, with its id, its number and all its fields, into a stream that
    never had one. The whole file is checked first, and all of it is there at once or nothing is. Prints {"stream",
    "entries", "first_id", "last_id", "entries_added"}.
    """
    fold = _fold(context)
    require_writable(settings, "Nothing was published", fold)
    if keep_ids:
        print_json(refill(settings, file))
        return
    lines = Lines(fold)
    if file.seekable():
        start = file.tell()
        try:
            lines.check(file)
        except BadInputError as error:
            raise BadInputError(f"{error} Nothing was sent.") from None
        file.seek(start)
    sent = 0
    with open_log(settings) as log:
        require_server(log)
        publisher = Publisher(log, fold.fields, durability=read_durability(settings.durability))
        try:
            # A page is read, and so checked, before its first event is sent.
            for page in lines.pages(file):
                for published in publisher.publish_many(page):
                    sent += 1
                    print_json(_document(fold, published))
        except BrokenPipeError as error:
            raise FailedError(f"Nobody reads the output any more. At least {_progress(sent)}") from error
        except LessDurableError as error:
            raise FailedError(f"{error} {_progress(sent - len(error.published))}") from error
        except OSError as error:
            raise FailedError(f"{message_of(error)}{f' At least {_progress(sent)}' if sent else ''}") from error
        except BadInputError as error:
            raise BadInputError(f"{error} {_progress(sent) if sent else 'Nothing was sent.'}") from error
        except EngineError as error:
            raise EngineError(f"{error} {_progress(sent) if sent else 'Nothing before it was sent.'}") from error


def _progress(sent: int) -> str:
    if not sent:
        return "Nothing was sent before."
    return f"{counted(sent, 'event', 'events')} before {'is' if sent == 1 else 'are'} in the log."


_UNDECIDED: Final = {"ordinal": None, "outcome": None, "reason": None}


def _publish(settings: Settings, fold: Fold, make: Callable[[], Any], key: str | None, wait: bool) -> None:
    try:
        event = make()
    except ValueError as error:
        words = visible(str(error).rstrip("."), 300)
        raise BadInputError(f"{words[:1].upper()}{words[1:]}.") from None
    if key is not None and not fold.domain.wire.key:
        raise BadInputError(f"Entries of the domain {visible(fold.name)} have no field for a key: leave --key out.")
    require_writable(settings, "Nothing was published", fold)
    with open_log(settings) as log:
        require_server(log)
        less = ""
        try:
            publisher = Publisher(log, fold.fields, durability=read_durability(settings.durability))
            published = publisher.publish(*fold.encode(event), key)
        except LessDurableError as error:
            (published,) = error.published
            less = str(error)
        told, row = _document(fold, published), None
        try:
            if wait:
                told |= _UNDECIDED
                row = _decided(log, fold, published)
                told |= {"ordinal": row.ordinal, **_outcome(fold, row)}
        except (EngineError, LogError, DomainError) as error:
            why = error.continuity.explanation if isinstance(error, BrokenError) else message_of(error)
            raise EngineError(
                f"The event is in the log as {published.entry_id}, but what became of it cannot be told. {why}"
            ) from error
        finally:
            # Whatever happens, a person must learn that it was appended, and its key.
            _print(published, told)
    refused = _refusal(fold, published, row) if row is not None and told["outcome"] != "applied" else ""
    if refused or less:
        raise FailedError(" ".join(filter(None, (refused, less))))


def _print(published: Published, told: dict[str, Any]) -> None:
    """Raises FailedError when it cannot be written."""
    try:
        print_json(told)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FailedError(
            f"{message_of(error)} The event is in the log as {published.entry_id}, with the key {published.key}."
        ) from error


def _document(fold: Fold, published: Published) -> dict[str, Any]:
    key = published.key if fold.domain.wire.key else None
    told: dict[str, Any] = {"id": published.entry_id, "type": published.event_type, "key": key}
    return told | ({"durability": published.durability} if published.durability else {})


def _decided(log: Stream, fold: Fold, published: Published) -> Row:
    """The entry with what the fold made of it. Of several with one key, the later ones are duplicates."""
    return History(log, fold).details(published.entry_id.encode())


def _outcome(fold: Fold, row: Row) -> dict[str, Any]:
    assert row.code is not None, "an entry that was just folded"
    outcome = fold.outcomes[row.code]
    return {"outcome": outcome.name, "reason": outcome.reason}


def _refusal(fold: Fold, published: Published, row: Row) -> str:
    assert row.code is not None, "an entry that was just folded"
    numbers = shortfall(row.told)
    why = sentence(fold, fold.outcomes[row.code])
    return f"The event is in the log as {published.entry_id} and was not applied. {why}" + (
        f" It {numbers}." if numbers else ""
    )
