"""Types that are known by name, `v` and encoding, and events that an `upcast` makes of older ones."""

import json
from dataclasses import replace
from itertools import permutations
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Struct

from esdash.domain import EventType, about
from esdash.fold import declaration
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from tests.domains import the_depots
from tests.fold.trying import Do, folding, in_words, rows


class Old(Struct, frozen=True):
    """As it was once."""

    name: Annotated[str, about("things")] = "a"
    n: int = 0


class Packed(Old, frozen=True):
    """The same in MessagePack."""


def upcast(old: Old) -> Do:
    """To the event of today; fails in every way on some numbers."""
    if old.n == 13:
        raise ValueError("unlucky")
    if old.n == 14:
        raise LookupError("not found")
    return old if old.n == 15 else None if old.n == 16 else Do(old.name, old.n)  # type: ignore[return-value]


def apply(state: Any, event: Do) -> str | None:
    if event.n == 1:
        return "no"
    state.things.n[event.key] = event.n
    return None


def older() -> Fold:
    """`Do` in today's v 3, in v 2 and in v 1, in MessagePack, and under another name."""
    others = (
        EventType(Old, name="Do", v="2", upcast=upcast),
        EventType(Old, name="Do", v="1", upcast=upcast),
        EventType(Packed, name="Do", v="2", upcast=upcast, encoding="msgpack"),
        EventType(Old, name="Did", upcast=upcast),
    )
    domain = replace(folding(apply).domain, events=(EventType(Do, apply, v="3"), *others))
    declaration.check(domain)
    return Fold(domain)


def sent(name: str, v: str, members: dict[str, Any], *, packed: bool = False, key: bytes | None = None) -> list[bytes]:
    data = msgspec.msgpack.encode(members) if packed else json.dumps(members).encode()
    fields = [b"type", name.encode(), b"data", data]
    fields += [b"v", v.encode()] if v else []
    return fields if key is None else [*fields, b"key", key]


def decided(fold: Fold, *entries: list[bytes]) -> list[str]:
    return in_words(fold, fold.fold(fold.empty(), [(b"%d-0" % n, fields) for n, fields in enumerate(entries, 1)]))


class TestAnEntryBelongsToTheTypeOfItsNameVersionAndEncoding:
    def test_each_is_upcast_to_the_event_of_today(self) -> None:
        fold = older()
        assert fold.read(sent("Do", "3", {"key": "x", "n": 2})).event == Do("x", 2)
        for name, v, packed in (("Do", "2", False), ("Do", "1", False), ("Do", "", False), ("Do", "2", True)):
            assert fold.read(sent(name, v, {"name": "x", "n": 2}, packed=packed)).event == Do("x", 2)
        assert fold.read(sent("Did", "", {"name": "x", "n": 2})).event == Do("x", 2)

    @pytest.mark.parametrize(
        ("name", "v", "packed", "outcome"),
        [
            ("Do", "4", False, "unsupported_version"),
            ("Do", "0", True, "unsupported_version"),
            ("Did", "2", False, "unsupported_version"),
            ("Done", "4", False, "unknown_type"),
            ("Done", "", True, "unknown_type"),
            ("Did", "1", True, "unknown_type"),
            ("Do", "3", True, "unknown_type"),
            ("do", "3", False, "unknown_type"),
        ],
    )
    def test_any_other_is_parked(self, name: str, v: str, packed: bool, outcome: str) -> None:
        assert decided(older(), sent(name, v, {"name": "x"}, packed=packed)) == [f"parked:{outcome}"]

    def test_a_page_of_all_keeps_their_order(self) -> None:
        fold = older()
        ways = [("Do", "3", False), ("Do", "2", False), ("Do", "", False), ("Do", "2", True), ("Did", "", False)]
        for order in list(permutations(range(5)))[::7]:
            fields = []
            for number, way in enumerate(order, 2):
                name, v, packed = ways[way]
                member = "key" if v == "3" else "name"
                fields.append(sent(name, v, {member: "x", "n": number}, packed=packed))
            state = fold.empty()
            page = [(b"%d-0" % number, each) for number, each in enumerate(fields)]
            assert in_words(fold, fold.fold(state, page)) == ["applied"] * 5
            assert rows(fold, state)["things"] == {"x": {"n": 6}}

    def test_only_todays_are_offered_for_publishing(self) -> None:
        fold = older()
        assert [(each.wire_name, each.v) for each in fold.publishable] == [("Do", "3")]
        name, data = fold.encode(Do("x", 2))
        fields = fold.fields(name, data, b"k")
        assert fields[-4:] == [b"v", b"3", b"key", b"k"]
        assert fold.read(fields).event == Do("x", 2)

    def test_of_the_depots(self) -> None:
        fold = the_depots()
        build = {"depot": "d", "name": "D", "opened": "2026-01-01T00:00:00Z"}
        once = {"depot": "d", "sku": "x", "pieces": 3}
        now = {"depot": "d", "goods": [{"sku": "x", "pieces": 4, "care": "fragile"}], "kilos": "1.5"}
        nothing = {**once, "pieces": 0}
        entries = [sent("Built", "", build), sent("Delivered", "", once), sent("Delivered", "2", now)]
        entries += [sent("Delivered", "1", nothing), sent("Delivered", "3", now), sent("Delivered", "2", once)]
        state = fold.empty()
        codes = fold.fold(state, [(b"%d-0" % number, fields) for number, fields in enumerate(entries)])
        parked = ["parked:invalid_data", "parked:unsupported_version", "parked:invalid_data"]
        assert in_words(fold, codes) == ["applied"] * 3 + parked
        assert rows(fold, state)["slots"] == {"d/x": {"pieces": 7, "fragile": True}}


class TestAnUpcastThatFails:
    @pytest.mark.parametrize("packed", [False, True])
    def test_with_a_value_error_is_invalid_data(self, packed: bool) -> None:
        good, bad = ({"name": "x", "n": n} for n in (5, 13))
        entries = [sent("Do", "2", members, packed=packed, key=b"k") for members in (bad, good, bad)]
        assert decided(older(), *entries) == ["parked:invalid_data", "applied", "parked:invalid_data"]

    @pytest.mark.parametrize(
        ("n", "what"),
        [
            (14, "LookupError: not found"),
            (15, "upcast returned "),
            (16, "upcast returned None, which is no event of this domain"),
        ],
    )
    @pytest.mark.parametrize("packed", [False, True])
    def test_in_any_other_way_halts_before_its_entry(self, n: int, what: str, packed: bool) -> None:
        fold = older()
        members = [{"name": "x", "n": each} for each in (2, 13, 1, n, 4)]
        page = [(b"%d-0" % at, sent("Do", "2", each, packed=packed)) for at, each in enumerate(members, 1)]
        state = fold.empty()
        with pytest.raises(DomainError) as failed:
            fold.fold(state, page)
        assert in_words(fold, failed.value.codes) == ["applied", "parked:invalid_data", "rejected:no"]
        assert what in failed.value.what
        file, _, line = failed.value.where.rpartition(":")
        first = upcast.__code__.co_firstlineno
        assert file == "test_older_schemas.py"
        assert first <= int(line) <= first + 6
        assert rows(fold, state)["things"] == {"x": {"n": 2}}
        assert sum(state.counts) == 3

    def test_is_no_event_when_it_is_only_read(self) -> None:
        for n in (13, 14, 15, 16):
            read = older().read(sent("Do", "2", {"name": "x", "n": n}))
            assert (read.event, read.type is not None) == (None, True)

    @pytest.mark.parametrize("name", ["", "a\n", "k" * 257])
    def test_names_that_could_be_no_key_are_invalid_before_it(self, name: str) -> None:
        assert decided(older(), sent("Do", "2", {"name": name, "n": 14})) == ["parked:invalid_data"]

    def test_names_that_could_be_no_key_are_invalid_after_it(self) -> None:
        class New(Struct, frozen=True):
            thing: Annotated[str, about("things")]

        class Before(Struct, frozen=True):
            thing: str

        fold = folding(
            lambda *_: None,
            EventType(New, lambda *_: None),
            EventType(Before, name="New", v="0", upcast=lambda old: New(old.thing)),
        )
        entries = [sent("New", "0", {"thing": thing}) for thing in ("a", "", "é", "a\x00")]
        parked = "parked:invalid_data"
        assert decided(fold, *entries) == ["applied", parked, "applied", parked]


class First(Struct, frozen=True):
    """The oldest."""

    name: str


class Second(Struct, frozen=True):
    """Between the oldest and today's."""

    name: Annotated[str, about("things")]
    n: str = "5"


class TestAnOlderSchemaOfAnOlderOne:
    @pytest.mark.parametrize("packed", [False, True])
    def test_leads_to_the_event_of_today(self, packed: bool) -> None:
        fold = chained(lambda second: Do(second.name, int(second.n)))
        entries = [sent("Do", "1", {"name": name}, packed=packed) for name in ("x", "", "y")]
        entries += [sent("Do", "2", {"name": "x", "n": n}) for n in ("7", "seven", "1")]
        parked = "parked:invalid_data"
        assert decided(fold, *entries) == ["applied", parked, "applied", "applied", parked, "rejected:no"]
        assert fold.read(entries[0]).event == Do("x", 5)

    def test_that_leads_nowhere_halts(self) -> None:
        fold = chained(lambda second: First(second.name))
        with pytest.raises(DomainError, match=r"upcast returned .*, which is upcast again without an end"):
            decided(fold, sent("Do", "1", {"name": "x"}))


def chained(upcast: Any) -> Fold:
    """`Do` in v 3, made of v 2 by that function, and of v 1 by way of v 2."""
    first = EventType(First, name="Do", upcast=lambda old: Second(old.name))
    older = (EventType(Second, name="Do", v="2", upcast=upcast), first, replace(first, encoding="msgpack"))
    domain = replace(folding(apply).domain, events=(EventType(Do, apply, v="3"), *older))
    declaration.check(domain)
    return Fold(domain)


def test_entries_of_one_type_do_not_depend_on_those_of_another_in_the_page() -> None:
    fold = older()
    whole = [sent("Do", "2", {"name": "x", "n": n}, packed=n % 2 == 0) for n in (2, 13, 3, 1, 13, 4)]
    page = [(b"%d-0" % number, fields) for number, fields in enumerate(whole)]
    together, alone = fold.empty(), fold.empty()
    codes = fold.fold(together, page)
    assert b"".join(fold.fold(alone, [each]) for each in page) == codes
    assert fold.digest(together) == fold.digest(alone)
