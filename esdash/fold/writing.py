"""Entries as a domain's wire has them: what is published, and what another process must know to sort them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from esdash.domain import Domain
from esdash.fold.schema import Model
from esdash.fold.sorting import Kinds


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

    def fields(self, name: str, data: bytes, key: bytes) -> list[bytes]:
        """Of an entry with a type, a payload (JSON) and a key."""
        wire, v = self._wire, self._versions.get(name, "1")
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
        return [*fields, wire.key.encode(), key] if wire.key else fields


def kinds_of(domain: Domain) -> Kinds:
    """What another process must know to sort this domain's entries."""
    wire = domain.wire
    types = [(each.wire_name, each.v, each.encoding == "msgpack") for each in domain.events]
    return Kinds(wire.type, wire.data, wire.key, wire.v, wire.only, types, ids=not domain.fast)


def packing(kinds: Kinds) -> str:
    """A function that sorts pages by these kinds in another process, as `log.readahead` names one."""
    return f"esdash.fold.sorting:packer({msgspec.json.encode(kinds).decode()})"
