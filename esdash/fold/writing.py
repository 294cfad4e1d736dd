"""Entries as a domain's wire has them: what is published, and what another process must know to sort them.

What opens the entries of other programs is imported for a domain that reads some.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from esdash.domain import Codec, Domain
from esdash.fold.keys import Keys
from esdash.fold.schema import Model
from esdash.fold.sorting import Kinds, Sorter


class EntryWriter:
    """Makes the fields of entries."""

    def __init__(self, domain: Domain, models: Sequence[Model]) -> None:
        """`models` are those of its event types."""
        self._wire = domain.wire
        self._versions = {each.wire_name: each.v for each in domain.events if each.apply and each.encoding == "json"}
        self._nulls = {
            each.wire_name: {field.member for field in model.fields if field.says_null()}
            for each, model in zip(domain.events, models, strict=True)
        }
        """Members of each type that may say None where they are texts."""

    def fields(self, name: str, data: bytes, key: bytes | None) -> list[bytes]:
        """Of an entry with a type, a payload (JSON) and perhaps a key."""
        wire, v = self._wire, self._versions.get(name, "1")
        if isinstance(wire, Codec):
            return written(wire, name, v, data, key)
        fields = [] if wire.only else [wire.type.encode(), name.encode("utf-8", "surrogateescape")]
        if wire.data:
            fields += [wire.data.encode(), data]
        else:
            for member, value in msgspec.json.decode(data, type=dict[str, Any]).items():
                if value is not None or member in self._nulls.get(name, ()):
                    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
                    fields += [member.encode(), text.encode()]
        if v != "1" and wire.v:
            fields += [wire.v.encode(), v.encode()]
        return fields if key is None or not wire.key else [*fields, wire.key.encode(), key]


def written(codec: Codec, name: str, v: str, data: bytes, key: bytes | None) -> list[bytes]:
    """The fields of an entry as another program would write it."""
    from esdash.fold.codecs.programs import PROGRAMS

    program = PROGRAMS[codec.program]
    named = {
        codec.type if not codec.only else "": name.encode("utf-8", "surrogateescape"),
        codec.v if v != "1" else "": v.encode(),
    }
    if key:
        # The program wants an id of its own, whatever the domain takes for its key.
        named |= {program.codec.key: key, codec.key: key}
    headers = {header.encode(): value for header, value in named.items() if header}
    return program.written(name, headers, data)


def kinds_of(domain: Domain) -> Kinds:
    """What another process must know to sort this domain's entries."""
    wire = domain.wire
    types = [(each.wire_name, each.v, each.encoding == "msgpack") for each in domain.events]
    data, program = ("", wire.program) if isinstance(wire, Codec) else (wire.data, "")
    return Kinds(wire.type, data, wire.key, wire.v, wire.only, types, ids=not domain.fast, program=program)


def sorter_of(kinds: Kinds) -> Sorter:
    """What sorts pages by these kinds."""
    if not kinds.program:
        return Sorter(kinds)
    from esdash.fold.codecs.sorting import CodecSorter

    return CodecSorter(kinds)


def keys_of(sorter: Sorter, kinds: Kinds) -> Keys:
    """Where entries have their keys."""
    if kinds.program and kinds.key:
        from esdash.fold.codecs.sorting import CodecKeys, CodecSorter

        if isinstance(sorter, CodecSorter):
            return CodecKeys(sorter)
    return Keys(kinds.key.encode())


def packing(kinds: Kinds) -> str:
    """A function that sorts pages by these kinds in another process, as `log.reading.readahead` names one."""
    room = "esdash.fold.codecs.sorting" if kinds.program else "esdash.fold.sorting"
    return f"{room}:packer({msgspec.json.encode(kinds).decode()})"
