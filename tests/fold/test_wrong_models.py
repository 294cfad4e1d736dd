"""What a model may not hold, said when the domain is loaded."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import pydantic
import pytest
from msgspec import Struct

from esdash.domain import about
from esdash.fold.schema import SchemaError, model_of


def struct(**fields: Any) -> type:
    return msgspec.defstruct("Made", list(fields.items()))


def called(**how: Any) -> type:
    """A pydantic model of one field."""
    return pydantic.create_model("Made", x=(int, pydantic.Field(default=1, **how)))


class Pair(NamedTuple):
    one: int


class Recursive(Struct):
    inner: "list[Recursive]"


WRONG: dict[str, tuple[Callable[[], type], str]] = {
    "a float": (lambda: struct(x=float), "Made.x is a float, which no event may hold: use int in a small unit"),
    "a float in a list": (lambda: struct(x=list[float]), "a float"),
    "an optional float": (lambda: struct(x=float | None), "a float"),
    "a dict": (lambda: struct(x=dict[str, int]), "use a record, or a list of records"),
    "a bare dict": (lambda: struct(x=dict), "a dict"),
    "a set": (lambda: struct(x=set[int]), "use a list: a set has no order"),
    "a frozenset": (lambda: struct(x=frozenset[int]), "use a list"),
    "Any": (lambda: struct(x=Any), "say what it holds"),
    "object": (lambda: struct(x=object), "say what it holds"),
    "bytes": (lambda: struct(x=bytes), "use str"),
    "a bare list": (lambda: struct(x=list), "does not say of what it is a list"),
    "a pair": (lambda: struct(x=tuple[int, str]), "does not say of what it is a list"),
    "a list of Any": (lambda: struct(x=list[Any]), "say what it holds"),
    "two kinds": (lambda: struct(x=int | str), "may be one of several kinds"),
    "a literal True": (lambda: struct(x=Literal[True]), "a choice of something else"),
    "a complex": (lambda: struct(x=complex), "Made.x is a complex: an event holds int, str, bool"),
    "a named tuple": (lambda: struct(x=Pair), "Made.x is a Pair"),
    "a record with a float": (lambda: struct(x=struct(y=float)), "Made.y is a float"),
    "itself": (lambda: Recursive, "Recursive holds itself"),
    "a list about rows": (lambda: struct(x=Annotated[list[str], about("things")]), "a key is int or str"),
    "a bool about a row": (lambda: struct(x=Annotated[bool, about("things")]), "a key is int or str"),
    "an alias for reading alone": (
        lambda: called(validation_alias="in"),
        "Made.x is written as x and read as in: give it one `alias` for both",
    ),
    "an alias for writing alone": (lambda: called(serialization_alias="out"), "is written as out and read as x"),
    "other aliases": (lambda: called(alias="in", serialization_alias="out"), "is written as out and read as in"),
    "a choice of aliases": (lambda: called(validation_alias=pydantic.AliasChoices("a", "b")), "and read as a or b"),
    "a path": (lambda: called(validation_alias=pydantic.AliasPath("a", 0)), "read as a part of another member"),
    "what is not written": (lambda: called(exclude=True), "Made.x is left out when its event is written"),
    "one of pydantic in a Struct": (
        lambda: struct(x=called()),
        "Made.x is a model of pydantic within one that msgspec",
    ),
    "one of pydantic in a list in a dataclass": (
        lambda: dataclasses.make_dataclass("Made", [("x", list[called()])]),  # type: ignore[misc]
        "let both be of one kind, or dataclasses",
    ),
    "a Struct in one of pydantic": (
        lambda: pydantic.create_model("Made", __config__={"arbitrary_types_allowed": True}, x=(struct(y=int), ...)),
        "Made.x is a model of msgspec within one that pydantic reads",
    ),
    "a dataclass of pydantic": (
        lambda: pydantic.dataclasses.dataclass(type("Made", (), {"__annotations__": {"x": int}})),
        "Made is a dataclass of pydantic, whose checks are passed over: use BaseModel",
    ),
    "no model": (lambda: Pair, "Pair is no msgspec Struct, dataclass or pydantic model"),
}


def test_a_dataclass_of_pydantic_may_be_within_its_models() -> None:
    inner = pydantic.dataclasses.dataclass(type("Inner", (), {"__annotations__": {"y": int}}))
    plain = dataclasses.make_dataclass("Plain", [("y", int)])
    model = pydantic.create_model("Made", x=(inner, ...), y=(called(), ...), z=(plain, ...))
    assert [field.kind for field in model_of(model).fields] == ["record", "record", "record"]


def test_one_of_several_aliases_may_be_written() -> None:
    (field,) = model_of(called(validation_alias=pydantic.AliasChoices("a", "b"), serialization_alias="b")).fields
    assert field.member == "b"


@pytest.mark.parametrize(("make", "sentence"), WRONG.values(), ids=WRONG)
def test_what_no_event_may_hold_is_refused_with_the_remedy(make: Callable[[], type], sentence: str) -> None:
    with pytest.raises(SchemaError) as refused:
        model_of(make())
    assert sentence in str(refused.value)
    assert isinstance(refused.value.at, type)
