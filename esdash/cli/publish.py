"""`esdash publish`: append events."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from esdash.cli.connect import open_log, require_writable
from esdash.cli.failures import BadInputError, FailedError, message_of
from esdash.cli.options import common_options, with_settings
from esdash.cli.output import plural, print_json
from esdash.config import Settings

if TYPE_CHECKING:
    from esdash.engine.console import Published
    from esdash.log.stream import Log
    from esdash.shop.events import AddItem, Line, Order, TopUp
    from esdash.shop.outcomes import Outcome


@click.group(no_args_is_help=False)
@common_options
def command() -> None:
    """Append an event, or many.

    Prints {"id", "type", "key"} for each event that is in the log. Sending one again with the same key is safe: the
    fold counts it once.
    """


_always_json = click.option("--json", is_flag=True, expose_value=False, help="Print JSON, as it does anyway.")


def _one_event(function: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that appends one event."""
    function = _always_json(function)
    function = click.option(
        "--wait", is_flag=True, help="Add ordinal, outcome and reason; exit code 1 when it was not applied."
    )(function)
    return click.option(
        "--key", metavar="KEY", callback=_idempotency_key, help="Idempotency key, at most 128 bytes.  [a new one]"
    )(function)


def _idempotency_key(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from esdash.shop.events import MAX_KEY

    if value is not None:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise click.BadParameter("it is not UTF-8") from None
        if not 0 < size <= MAX_KEY:
            raise click.BadParameter(f"a key has 1 to {MAX_KEY} bytes, not {size}")
    return value


@command.command("top-up")
@click.argument("user")
@click.argument("amount")
@_one_event
@with_settings
def top_up(settings: Settings, user: str, amount: str, **options: Any) -> None:
    """Add AMOUNT, like 12.34, to the balance of USER, a number."""
    from esdash.shop.events import TopUp
    from esdash.ui import typed

    _publish(settings, lambda: TopUp(typed.read_user(user), typed.read_money(amount)), **options)


@command.command("add-item")
@click.argument("item")
@click.argument("count")
@click.option("--price", metavar="PRICE", help="Its price from now on, like 12.34; a new item needs one.")
@_one_event
@with_settings
def add_item(settings: Settings, item: str, count: str, price: str | None, **options: Any) -> None:
    """Add COUNT pieces of ITEM to the stock."""
    from esdash.shop.events import AddItem
    from esdash.ui import typed

    def event() -> AddItem:
        cents = None if price is None else typed.read_money(price)
        return AddItem(_item(item), typed.read_count(count), cents)

    _publish(settings, event, **options)


@command.command()
@click.argument("user")
@click.argument("lines", nargs=-1, required=True, metavar="ITEM[:QTY]...")
@_one_event
@with_settings
def order(settings: Settings, user: str, lines: tuple[str, ...], **options: Any) -> None:
    """Let USER buy pieces of items, all lines or none: `esdash publish order 7 hdd:2 cpu:1`."""
    from esdash.shop.events import MAX_LINES, Order
    from esdash.ui import typed

    def event() -> Order:
        if len(lines) > MAX_LINES:
            raise ValueError(f"an order has at most {MAX_LINES} lines")
        return Order(typed.read_user(user), tuple(map(_line, lines)))

    _publish(settings, event, **options)


@command.command()
@click.argument("file", type=click.File("rb"))
@_always_json
@with_settings
def batch(settings: Settings, file: BinaryIO) -> None:
    """Append the events of FILE (-: stdin), one JSON object a line.

    A line is {"type": "TopUp", "data": {"user_id": 7, "amount": 50000}}, money in cents, with a "key" if you like. A
    file is checked as a whole before anything is sent. What comes through a pipe is checked and sent a thousand
    lines at a time, or those there are as soon as no more come for a moment; a bad line stops it after those that
    were sent before.
    """
    from esdash.cli.batch import check_batch, read_pages
    from esdash.engine.console import EngineError
    from esdash.engine.publisher import Publisher

    require_writable(settings, "Nothing was published")
    if file.seekable():
        start = file.tell()
        try:
            check_batch(file)
        except BadInputError as error:
            raise BadInputError(f"{error} Nothing was sent.") from None
        file.seek(start)
    sent = 0
    with open_log(settings) as log:
        log.connect()
        publisher = Publisher(log)
        try:
            # A page is read, and so checked, before its first event is sent.
            for page in read_pages(file):
                for published in publisher.publish_many(page):
                    sent += 1
                    print_json(_document(published))
        except BrokenPipeError as error:
            raise FailedError(f"Nobody reads the output any more. At least {_progress(sent)}") from error
        except OSError as error:
            raise FailedError(f"{message_of(error)}{f' At least {_progress(sent)}' if sent else ''}") from error
        except BadInputError as error:
            raise BadInputError(f"{error} {_progress(sent) if sent else 'Nothing was sent.'}") from error
        except EngineError as error:
            raise EngineError(f"{error} {_progress(sent) if sent else 'Nothing before it was sent.'}") from error


def _progress(sent: int) -> str:
    return f"{plural(sent, 'event', 'events')} before {'is' if sent == 1 else 'are'} in the log."


def _item(text: str) -> str:
    from esdash.shop.events import MAX_ITEM_ID, is_item_id

    if not is_item_id(text):
        raise ValueError(f"an item id has 1 to {MAX_ITEM_ID} characters and no control characters")
    return text


def _line(text: str) -> "Line":
    from esdash.shop.events import Line
    from esdash.ui import typed

    item, colon, quantity = text.rpartition(":")
    return Line(_item(item), typed.read_count(quantity)) if colon else Line(_item(text), 1)


_UNDECIDED: Final = {"ordinal": None, "outcome": None, "reason": None}


def _publish(settings: Settings, make: Callable[[], "TopUp | AddItem | Order"], key: str | None, wait: bool) -> None:
    from esdash.engine.console import EngineError
    from esdash.engine.publisher import Publisher
    from esdash.log.errors import LogError
    from esdash.shop.story import encode
    from esdash.ui.reasons import sentence

    try:
        event = make()
    except ValueError as error:
        words = str(error)
        raise BadInputError(f"{words[:1].upper()}{words[1:]}.") from None
    require_writable(settings, "Nothing was published")
    with open_log(settings) as log:
        log.connect()
        published = Publisher(log).publish(*encode(event), key)
        told, outcome = _document(published), None
        try:
            if wait:
                told |= _UNDECIDED
                ordinal, outcome = _decision(log, published)
                told |= {"ordinal": ordinal, "outcome": outcome.name, "reason": outcome.reason}
        except (EngineError, LogError) as error:
            raise EngineError(
                f"The event is in the log as {published.entry_id}, but what became of it cannot be told. {error}"
            ) from error
        finally:
            # Whatever happens, a person must learn that it was appended, and its key.
            _print(published, told)
    if outcome is not None and outcome.name != "applied":
        raise FailedError(f"The event is in the log as {published.entry_id} and was not applied. {sentence(outcome)}")


def _print(published: "Published", told: dict[str, Any]) -> None:
    """Raises FailedError when it cannot be written."""
    try:
        print_json(told)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FailedError(
            f"{message_of(error)} The event is in the log as {published.entry_id}, with the key {published.key}."
        ) from error


def _document(published: "Published") -> dict[str, Any]:
    return {"id": published.entry_id, "type": published.event_type, "key": published.key}


def _decision(log: "Log", published: "Published") -> "tuple[int, Outcome]":
    """The entry's ordinal and what the fold made of it. Of several with one key, the later ones are duplicates."""
    from esdash.engine.history import History
    from esdash.shop.domain import Shop
    from esdash.shop.outcomes import OUTCOMES

    row, _ = History(log, Shop()).details(published.entry_id.encode())
    assert row.code is not None, "an entry that was just folded"
    return row.ordinal, OUTCOMES[row.code]
