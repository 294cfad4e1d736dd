"""The programs whose entries can be opened, by the names that a `Codec` has for them."""

from collections.abc import Callable
from typing import Final, NamedTuple

from esdash.domain import CLOUDEVENTS, DEBEZIUM, FASTSTREAM, WATERMILL, Codec
from esdash.fold.codecs import cloudevents, debezium, faststream, watermill
from esdash.fold.codecs.opening import Headers, Members, Names, Opened, UnreadableError
from esdash.fold.sorting import Fields

Told = list[tuple[bytes, bytes]]
"""Names and values, what matters most first."""


class Program(NamedTuple):
    """How a program writes its entries."""

    title: str
    codec: Codec
    payload: bytes
    """What it calls a payload."""
    recognised: Callable[[Members], bool]
    opened: Callable[[Members, Names], Opened]
    """An entry's headers, at least those of some names, and its payload. Raises UnreadableError."""
    written: Callable[[str, Headers, bytes], list[bytes]]
    """An entry's fields: the name of its type, headers, payload."""
    key: Callable[[Headers, bytes], bytes | None] = dict.get
    """The key that the headers say, by the name of the one that holds it."""
    identity: frozenset[bytes] = frozenset()
    """Headers that `key` looks into besides."""
    told_by: Callable[[Opened], Told] | None = None
    objection: str = ""
    """Why nothing may be published among its entries, in a sentence."""

    def told(self, opened: Opened) -> Told:
        """An opened entry, field after field."""
        if self.told_by is not None:
            return self.told_by(opened)
        type_field = self.codec.type.encode()
        return [(self.payload, opened.data), *(each for each in opened.headers.items() if each[0] != type_field)]

    def kind(self, opened: Opened) -> bytes:
        """What it is, for who knows no domain: its type, else the program's name."""
        return opened.headers.get(self.codec.type.encode()) or self.title.encode()


PROGRAMS: Final = {
    each.codec.program: each
    for each in (
        Program("FastStream", FASTSTREAM, b"data", faststream.recognised, faststream.opened, faststream.written),
        Program("Watermill", WATERMILL, b"payload", watermill.recognised, watermill.opened, watermill.written),
        Program(
            "CloudEvents",
            CLOUDEVENTS,
            b"data",
            cloudevents.recognised,
            cloudevents.opened,
            cloudevents.written,
            cloudevents.key,
            frozenset((b"source",)),
        ),
        Program(
            "Debezium",
            DEBEZIUM,
            b"value",
            debezium.recognised,
            debezium.opened,
            debezium.written,
            told_by=debezium.told,
            objection="Debezium tells what a database did: nothing is published in its place. Change the database.",
        ),
    )
}


_SIGNS: Final = frozenset((faststream.FIELD, watermill.UUID, debezium.VALUE, *cloudevents.SIGNS))
"""Fields of which an entry of these programs has one, unless it has no other field, or holds an event as JSON."""


def recognise(fields: Fields, *, whole: bool = True) -> tuple[Program, Opened] | None:
    """Which program wrote an entry, and what it says, or else of its headers at least what it is.

    None where it is of none of these, or cannot be read.
    """
    if len(fields) > 2 and _SIGNS.isdisjoint(fields[::2]) and cloudevents.QUOTED not in b"\n".join(fields):
        return None
    members = dict(zip(fields[::2], fields[1::2], strict=True))
    for program in PROGRAMS.values():
        if program.recognised(members):
            try:
                return program, program.opened(members, None if whole else frozenset((program.codec.type.encode(),)))
            except UnreadableError:
                return None
    return None
