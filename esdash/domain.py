"""What a team imports to declare its events and its tables: values and functions, and nothing else of esdash.

A domain says which events there are, which tables they add up to, and what each event does to them. Everything else
follows from it: decoding, the fold, snapshots, forms, commands, the log, panels. Importing a domain does nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Format:
    """How people read and write one kind of value.

    `read` makes the value of what was typed and raises ValueError with a sentence; `write` is its text; `difference`
    is the text of how much a number moved (`+500.00`), by default that of `write` with its sign; `typed` is text that
    `read` understands, by default that of `write`. `characters` are all that `write` makes of numbers and truth values,
    where that is known: so a text that has others need not be looked for there.
    """

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    difference: Callable[[Any], str] | None = None
    typed: Callable[[Any], str] | None = None
    characters: str | None = None

    def moved(self, by: int) -> str:
        """How much a number moved."""
        if self.difference is not None:
            return self.difference(by)
        return f"+{self.write(by)}" if by > 0 else self.write(by)

    def editable(self, value: Any) -> str:
        """A value as a person would type it."""
        return (self.typed or self.write)(value)


_AMOUNT: Final = "-0123456789,."
_WHOLE: Final = re.compile(r"-?(?:\d{1,30}|\d{1,3}(?:,\d{3}){1,9})", re.ASCII)


def _read_whole(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError("a whole number is written with digits only")
    return int(text.replace(",", ""))


def _read_text(text: str) -> str:
    return text


def _write_plain(value: Any) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    return str(value)


def decimal(places: int, unit: str = "") -> Format:
    """A number in units of 10^-places, written `12.34` for 1234 when `places` is 2; `unit` stands behind it."""
    if not 0 <= places <= 18:
        raise ValueError("a decimal has 0 to 18 places")
    behind_point = rf"(?:[.](\d{{1,{places}}}))?" if places else "()"
    # Whether it is too large, its bounds say: sums are larger than any cell.
    written = re.compile(rf"(-?)(\d{{1,30}}|\d{{1,3}}(?:,\d{{3}}){{1,9}}){behind_point}", re.ASCII)
    example = f"12.{'3456789012345678'[: places or 1].ljust(places, '0')}" if places else "12"
    most = f"digits, a point, at most {'one decimal' if places == 1 else f'{_SMALL.get(places, places)} decimals'}"
    sentence = f"an amount is written like {example}: {most if places else 'digits only'}"
    behind = f" {unit}" if unit else ""
    size = 10**places

    def read(text: str) -> int:
        bare = text.strip()
        if unit and bare.endswith(unit):
            bare = bare[: -len(unit)].rstrip()
        match = written.fullmatch(bare)
        if match is None:
            raise ValueError(sentence)
        number = int(match[2].replace(",", "") + (match[3] or "").ljust(places, "0"))
        return -number if match[1] else number

    def write(value: int) -> str:
        if not places:
            return f"{value:,}{behind}"
        whole, rest = divmod(abs(value), size)
        return f"{'-' if value < 0 else ''}{whole:,}.{rest:0{places}}{behind}"

    return Format(read, write, typed=lambda value: write(value).replace(",", ""), characters=f"{_AMOUNT}{behind}")


_SMALL: Final = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _read_time(text: str) -> int:
    bare = text.strip()
    if _WHOLE.fullmatch(bare):
        return _read_whole(bare)
    try:
        return round(datetime.fromisoformat(bare).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise ValueError("a time is written like 2026-11-23 14:03:05") from None


def _write_time(value: int, precision: str = "seconds") -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=value)).astimezone().isoformat(" ", precision)
    except (ValueError, OverflowError, OSError):
        return str(value)


def _type_time(value: int) -> str:
    """Whole: what is read is without the milliseconds."""
    return _write_time(value, "milliseconds" if value % 1000 else "seconds")


PLAIN: Final = Format(_read_whole, _write_plain, characters="-0123456789yesno")
"""The value itself; texts and truth values too."""

COUNT: Final = Format(_read_whole, lambda value: f"{value:,}", typed=str, characters=_AMOUNT)
"""Pieces: `12,345`."""

MONEY: Final = decimal(2)
"""Minor units, read and written `12.34`."""

TEXT: Final = Format(_read_text, str)
"""Text as it is."""

TIME: Final = Format(_read_time, _write_time, lambda by: f"{by / 1000:+,.3f} s", _type_time, f"{_AMOUNT} :+")
"""Unix milliseconds, as local time with its zone."""


@dataclass(frozen=True, slots=True)
class About:
    """Marks a field that names a row."""

    table: str


@dataclass(frozen=True, slots=True)
class ShownAs:
    """Marks how people read and write a field."""

    shown: Format


def about(table: str) -> About:
    """For `Annotated`: the field is a key of that table. Forms complete it, the log links it, questions find by it."""
    return About(table)


def shown_as(shown: Format) -> ShownAs:
    """For `Annotated`: how people read and write the field."""
    return ShownAs(shown)


class Refusal(Struct, eq=False, gc=False):
    """What `apply` returns when a rule says no, and which two numbers decided that.

    `reason` is one of the domain's reasons. What was `needed` and what was `available` are shown and summed up; they
    are no part of the state.
    """

    reason: str
    needed: int | None = None
    available: int | None = None
    shown: Format = PLAIN


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: `kind` is int, str or bool, `shown` how people read it, `bar` whether a bar is drawn."""

    name: str
    kind: type = int
    shown: Format = PLAIN
    title: str = ""
    bar: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the state. `one` is the word for a row, `key` is int or str; the first column makes the row."""

    name: str
    one: str
    key: type
    columns: tuple[Column, ...]
    title: str = ""
    hidden: bool = False
    """Keeps what rules need, and has no panel."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: what is on the wire, and what it does.

    `apply(state, event)` returns None, a reason, or a Refusal. With `upcast` in its place the type is an older schema:
    `upcast(old)` returns an event of another declared model, or raises ValueError.
    """

    model: type
    apply: Callable[[Any, Any], object] | None = None
    name: str = ""
    """On the wire; the model's unless given."""
    v: str = "1"
    upcast: Callable[[Any], Any] | None = None
    encoding: str = "json"
    """`json`, or `msgpack`, which is known by the first byte of the data."""
    press: str = ""
    """The key it would like in the dashboard."""

    @property
    def wire_name(self) -> str:
        """What the field `type` says."""
        return self.name or self.model.__name__


@dataclass(frozen=True, slots=True)
class Wire:
    """The names of the fields of an entry.

    `data=""`: the remaining fields are the members, as text. `only`: no field says the type, every entry is of this.
    """

    type: str = "type"
    data: str = "data"
    key: str = "key"
    v: str = "v"
    only: str = ""


@dataclass(frozen=True, slots=True)
class Codec:
    """How another program writes its entries, where no `Wire` can say it: FASTSTREAM, WATERMILL, CLOUDEVENTS, DEBEZIUM.

    Such an entry is headers and a payload. `type`, `key` and `v` name the headers that say an event's type, its
    idempotency key and its version; empty for none. `only`: no header says the type, every entry is of this.
    """

    program: str
    type: str = ""
    key: str = ""
    v: str = ""
    only: str = ""

    def but(self, **names: str) -> "Codec":
        """The same with other names: `FASTSTREAM.but(only="Reading")`, `WATERMILL.but(type="event", key="")`."""
        return replace(self, **names)


FASTSTREAM: Final = Codec("faststream", type="type", key="message_id")
"""FastStream's message of one field, binary or JSON. It has no header `type` of its own: send one, or say `only`."""

WATERMILL: Final = Codec("watermill", type="name", key="_watermill_message_uuid")
"""Watermill's uuid, metadata and payload; the metadata's `name` is what its CQRS component calls an event."""

CLOUDEVENTS: Final = Codec("cloudevents", type="type", key="id")
"""CloudEvents in any form; `id` stands for source and id together, which are an event's identity."""

DEBEZIUM: Final = Codec("debezium", type="table")
"""Debezium's changes of a database: the type is the table, the members are `before`, `after`, `op`, `ts_ms`."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A condition that holds after every entry, by its name.

    It is written in the language of `esdash find`, `not min(accounts.balance) < 0`, in which a comparison with a number
    that is not there is false; or it is a function of the state that returns True or False and changes nothing.
    """

    name: str
    condition: str | Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Domain:
    """A whole domain. Equal entries give equal states in every process, for ever, as long as `version` is the same."""

    name: str
    version: str
    tables: tuple[Table, ...]
    events: tuple[EventType, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why an event may be refused: the reason's name → a sentence for people."""
    describe: Callable[[Any], str] | None = None
    """The log's line about an event, where the default is not good enough."""
    sample: Callable[[int], Iterable[Any]] | None = None
    """Events for demos and loads, by a seed, endless or not."""
    invariants: tuple[Invariant | Callable[[Any], bool], ...] = ()
    """What holds after every entry; a function alone is an Invariant by its own name."""
    wire: Wire | Codec = field(default_factory=Wire)
    fast: bool = False
    """The functions check before they write, and keep kinds and bounds by themselves."""
