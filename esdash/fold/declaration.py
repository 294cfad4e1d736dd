"""Whether a declared domain can be worked with, said before anything is done with it."""

import inspect
import keyword
from collections.abc import Iterator, Mapping
from typing import Any, Final

from esdash.domain import Codec, Column, Domain, EventType, Format, Invariant, Table, Wire
from esdash.fold.cells import is_text
from esdash.fold.decoding import Decoder
from esdash.fold.outcomes import MOST_REASONS, PARKED
from esdash.fold.schema import Field, Model, SchemaError, first_line, model_of

MOST_TYPES: Final = 200
MOST_TABLES: Final = 64
MOST_COLUMNS: Final = 64

_RESERVED_TABLES: Final = frozenset({"entry"})
_RESERVED_COLUMNS: Final = frozenset({"remove"})
_RESERVED_REASONS: Final = frozenset(PARKED)
_TAKEN_WORDS: Final = frozenset({"type", "outcome", "reason", "key", "id", "since", "until", "or", "not", "and"})


def check(domain: Domain) -> None:
    """Raises SchemaError, a sentence with the remedy, for what no domain may be."""
    _named(domain.name, "a domain's name", domain.name)
    _require(isinstance(domain.version, str) and domain.version != "", "a domain's version is a text", domain.name)
    _tuple(domain.tables, Table, "tables", "Table(…)", domain.name)
    _tuple(domain.events, EventType, "events", "EventType(…)", domain.name)
    _require(isinstance(domain.reasons, Mapping), "a domain's reasons are a dict: reason → sentence", domain.name)
    _check_invariants(domain)
    _require(0 < len(domain.tables) <= MOST_TABLES, f"a domain has 1 to {MOST_TABLES} tables", domain.name)
    _require(0 < len(domain.events) <= MOST_TYPES, f"a domain has 1 to {MOST_TYPES} event types", domain.name)
    for name in _twice(table.name for table in domain.tables):
        raise SchemaError(f"two tables are called {name}; give one another name", name)
    for word in _twice(table.one for table in domain.tables):
        raise SchemaError(f"a row is called {word} in two tables; give one another word", word)
    for table in domain.tables:
        _check_table(table)
    tables = {table.name: table for table in domain.tables}
    for event_type in domain.events:
        _check_type(event_type, tables)
    _check_names(domain)
    _require(len(domain.reasons) <= MOST_REASONS, f"a domain has at most {MOST_REASONS} reasons", domain.name)
    for reason in domain.reasons:
        _identifier(reason, "a reason")
        _require(reason not in _RESERVED_REASONS, f"{reason} is a reason of esdash's own; call it otherwise", reason)
        _text(domain.reasons[reason], f"what the reason {reason} says", reason)
    for name, given in (("describe", "event"), ("sample", "seed")):
        function = getattr(domain, name)
        _require(function is None or callable(function), f"a domain's {name} is a function, or None", domain.name)
        if function is not None:
            _takes(function, given, f"a domain's {name}", domain.name)
    _check_wire(domain)


def _check_wire(domain: Domain) -> None:
    wire = domain.wire
    _require(
        isinstance(wire, Wire | Codec),
        f"a domain's wire is a Wire(…), or FASTSTREAM, WATERMILL, CLOUDEVENTS or DEBEZIUM, not {wire!r:.60}",
        domain.name,
    )
    if isinstance(wire, Wire):
        names = [wire.type if not wire.only else "", wire.data, wire.key, wire.v]
        for name in (*names, wire.type, wire.only):
            _text(name, "what a wire names", domain.name)
        for name in _twice(each for each in names if each):
            raise SchemaError(f"the wire gives the name {name} to two fields; give one another name", name)
    else:
        from esdash.fold.codecs.programs import PROGRAMS

        _require(
            wire.program in PROGRAMS,
            f"no program is called {wire.program!r:.60}; there are {', '.join(PROGRAMS)}",
            wire.program,
        )
        _require(
            all(isinstance(name, str) for name in (wire.type, wire.key, wire.v, wire.only)),
            "what a codec names are texts, as in FASTSTREAM.but(only='Reading')",
            domain.name,
        )
        _require(
            bool(wire.type or wire.only),
            "nothing says the type of an entry: name the header that does, or the only type there is",
            domain.name,
        )
    _require(
        not (wire.only and wire.only not in {each.wire_name for each in domain.events}),
        f"the wire has only {wire.only}, which is no event type of the domain",
        wire.only,
    )


def invariants_of(domain: Domain) -> tuple[Invariant, ...]:
    """The invariants, those that are functions alone by their names."""
    return tuple(
        each if isinstance(each, Invariant) else Invariant(getattr(each, "__name__", ""), each)
        for each in domain.invariants
    )


def _check_invariants(domain: Domain) -> None:
    """What a condition says in its language is read by whoever loads the domain (`engine.invariants.asked`)."""
    _require(
        isinstance(domain.invariants, tuple)
        and all(isinstance(each, Invariant) or callable(each) for each in domain.invariants),
        "a domain's invariants are a tuple of functions and Invariants, as in (nothing_is_lost,)",
        domain.name,
    )
    invariants = invariants_of(domain)
    for each in invariants:
        _named(each.name, "an invariant's name", each.name)
        _require(
            callable(each.condition) or (isinstance(each.condition, str) and each.condition.strip() != ""),
            f"the condition of {each.name} is a text, as in 'count(accounts) > 0', or a function of the state",
            each.name,
        )
        if not isinstance(each.condition, str):
            _takes(each.condition, "state", f"the invariant {each.name}", each.name)
    for name in _twice(each.name for each in invariants):
        raise SchemaError(f"two invariants are called {name}; give one another name", name)


def _tuple(given: object, of: type, what: str, example: str, at: object) -> None:
    """Raises SchemaError for what is no tuple of such: of one alone the comma is easily forgotten."""
    _require(
        isinstance(given, tuple) and all(isinstance(each, of) for each in given),
        f"a domain's {what} are a tuple, of one alone with a comma behind it: ({example},)",
        at,
    )


def _check_table(table: Table) -> None:
    _identifier(table.name, "a table")
    _named(table.one, f"the word for a row of {table.name}", table.name)
    _require(
        table.name not in _RESERVED_TABLES,
        f"a table cannot be called {table.name}: state.entry is the entry that is being folded; call it otherwise",
        table.name,
    )
    _require(
        table.one not in _TAKEN_WORDS,
        f"a row cannot be called {table.one}, which questions use; choose another word",
        table.one,
    )
    _text(table.title, f"the title of {table.name}", table.name)
    _require(table.key in (int, str), f"the keys of {table.name} are int or str, not {_name(table.key)}", table.name)
    _require(
        isinstance(table.columns, tuple) and all(isinstance(each, Column) for each in table.columns),
        f"the columns of {table.name} are a tuple of Columns, as in (Column('balance'),)",
        table.name,
    )
    _require(
        0 < len(table.columns) <= MOST_COLUMNS,
        f"a table has 1 to {MOST_COLUMNS} columns, and {table.name} has {len(table.columns)}",
        table.name,
    )
    for name in _twice(column.name for column in table.columns):
        raise SchemaError(f"two columns of {table.name} are called {name}; give one another name", name)
    for column in table.columns:
        _identifier(column.name, f"a column of {table.name}")
        _require(
            column.name not in _RESERVED_COLUMNS,
            f"a column cannot be called {column.name}: it is how a row is removed; call it otherwise",
            column.name,
        )
        _require(
            column.kind in (int, str, bool),
            f"{table.name}.{column.name} is int, str or bool, not {_name(column.kind)}",
            column.name,
        )
        _text(column.title, f"the title of {table.name}.{column.name}", column.name)
        _check_format(column.shown, f"{table.name}.{column.name}", column.name)


def _check_format(shown: Any, what: str, at: object) -> None:
    _require(
        isinstance(shown, Format) and callable(shown.read) and callable(shown.write),
        f"{what} is shown by a format, as MONEY or decimal(3), not by {shown!r:.60}",
        at,
    )
    for name, given in (("read", "text"), ("write", "value"), ("difference", "value")):
        if callable(function := getattr(shown, name)):
            _takes(function, given, f"the {name} of the format of {what}", at)


def _check_type(event_type: EventType, tables: dict[str, Table]) -> None:
    _require(
        isinstance(event_type.model, type), f"{event_type.model!r:.60} is no model of events", type(event_type.model)
    )
    name = event_type.wire_name
    _text(name, "an event type's name", event_type.model)
    _text(event_type.press, f"the key of {name}", event_type.model)
    _require(
        isinstance(event_type.v, str) and event_type.v != "",
        f"{name} has v={event_type.v!r:.60}; write a text, as in v='2'",
        event_type.model,
    )
    model = model_of(event_type.model)
    array = getattr(getattr(model.type, "__struct_config__", None), "array_like", False)
    _require(not array, f"{name} is array_like, and what an entry says is an object; leave that out", event_type.model)
    given = [function for function in (event_type.apply, event_type.upcast) if function is not None]
    _require(len(given) == 1, f"{name} has either an apply or an upcast", event_type.model)
    _require(callable(given[0]), f"what {name} does is a function", event_type.model)
    takes = "state, event" if event_type.apply is not None else "old"
    _takes(given[0], takes, f"what {name} does", event_type.model)
    _require(
        event_type.encoding in ("json", "msgpack"),
        f"{name} is encoded as json or msgpack, not {event_type.encoding!r}",
        event_type.model,
    )
    try:
        Decoder(model, packed=event_type.encoding == "msgpack", lenient=False)
    except Exception as error:  # whatever the library of the model finds wrong with its types
        what, _, _ = first_line(error).partition(". ")
        raise SchemaError(f"{event_type.model.__name__} cannot be decoded: {what}", event_type.model) from error
    for field in _fields(model):
        _check_format(field.shown, f"{model.type.__name__}.{field.name}", event_type.model)
        if field.about:
            table = tables.get(field.about)
            _require(
                table is not None,
                f"{model.type.__name__}.{field.name} is about {field.about!s:.60}, and there is no such table",
                event_type.model,
            )
            assert table is not None
            kind = "int" if table.key is int else "str"
            _require(
                field.kind == kind,
                f"{model.type.__name__}.{field.name} is {field.kind}, and the keys of {table.name} are {kind}",
                event_type.model,
            )


def _fields(model: Model) -> Iterator[Field]:
    for field in model.fields:
        yield from _within(field)


def _within(field: Field) -> Iterator[Field]:
    yield field
    if field.record is not None:
        yield from _fields(field.record)
    if field.element is not None:
        yield from _within(field.element)


def _check_names(domain: Domain) -> None:
    kinds = [(each.wire_name, each.v, each.encoding) for each in domain.events]
    for name, version, encoding in _twice(kinds):
        raise SchemaError(f"two event types are {name} v{version} in {encoding}; give one another name or v", name)
    applied = [each.model for each in domain.events if each.apply is not None]
    for model in _twice(applied):
        raise SchemaError(f"two event types have the model {model.__name__}; give one a model of its own", model)


def _twice(names: Any) -> Iterator[Any]:
    seen = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _takes(function: Any, given: str, what: str, at: object) -> None:
    """Raises SchemaError for a function that cannot be called with what it is given; not where none can tell."""
    try:
        # Not what a decorator hides: it may give more than it is given.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):  # as some that are written in C
        return
    try:
        signature.bind(*given.split(", "))
    except TypeError as error:
        named = inspect.isfunction(function) and function.__name__.isidentifier()
        sentence = f"{what} is called as f({given}), and cannot be: {error}"
        raise SchemaError(sentence, function if named else at) from error


def _text(text: object, what: str, at: object) -> None:
    _require(isinstance(text, str) and is_text(text), f"{what} is a text, not {text!r:.60}", at)


def _named(text: object, what: str, at: object) -> None:
    sound = isinstance(text, str) and 0 < len(text) <= 64 and text.isprintable() and text == text.strip()
    _require(sound, f"{what} is a text of 1 to 64 characters", at)


def _identifier(name: object, what: str) -> None:
    sound = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name) and name.isascii()
    _require(
        sound and not str(name).startswith("_"),
        f"{name!r} is no name for {what}: letters, digits and _, as in Python",
        name,
    )


def _name(kind: object) -> str:
    return getattr(kind, "__name__", repr(kind))


def _require(holds: bool, sentence: str, at: object) -> None:
    if not holds:
        raise SchemaError(sentence, at)
