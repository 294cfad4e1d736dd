"""Entries of the bank, the depots and the orders, made by Hypothesis: valid, refused, broken, repeated, older."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from esdash.fold.folding import Entry
from tests.samples import samples

Made = tuple[str, str, dict[str, Any]]
"""Type, version (empty: none), members."""

_accounts = st.sampled_from(["A", "B", "C", "ü"])
_depots = st.sampled_from(["d", "e", "é"])
_skus = st.sampled_from(["x", "y", "z" * 20])
_pieces = st.sampled_from([1, 2, 3, 300, 800])


def _event(name: str, v: str = "", /, **members: SearchStrategy[Any]) -> SearchStrategy[Made]:
    return st.tuples(st.just(name), st.just(v), st.fixed_dictionaries(members))


_bank = st.one_of(
    _event("Opened", account=_accounts, owner=st.sampled_from(["Ann", "Bo", ""])),
    _event("Transferred", source=_accounts, target=_accounts, amount=st.sampled_from([1, 10, 10**15])),
    _event(
        "Transferred", source=_accounts, target=st.sampled_from(["", "A\n", "x" * 35, 7]), amount=st.integers(-1, 1)
    ),
)
_goods = st.lists(
    st.fixed_dictionaries(
        {"sku": _skus, "pieces": _pieces}, optional={"care": st.sampled_from(["normal", "fragile", "fragile", "?"])}
    ),
    max_size=3,
)
_kilos = st.sampled_from(["1.5", 2, "0", -1, "NaN", "Infinity", 10**30, "1e3", None])
_slots = st.builds(lambda depot, sku: f"{depot}/{sku}", _depots, _skus)
_depot = st.one_of(
    _event("Built", depot=_depots, name=st.text(max_size=5), opened=st.just("2026-01-02T03:04:05+01:00")),
    _event(
        "Built",
        depot=_depots,
        name=st.just("é" * 2_000),
        opened=st.sampled_from([*["2026-01-02T03:04:05Z"] * 4, "2026-01-02T03:04:05", 7]),
        climate=st.sampled_from(["dry", "cold", "cold", "wet"]),
        manager=st.sampled_from([None, "Ann", "x" * 4_097]),
    ),
    _event("Delivered", "2", depot=_depots, goods=_goods, kilos=_kilos),
    _event("Delivered", "2", depot=_depots, goods=_goods, kilos=st.just("1")),
    _event("Delivered", "1", depot=_depots, sku=_skus, pieces=st.sampled_from([1, 5, 0, 10**7])),
    _event("Withdrawn", depot=_depots, sku=_skus, pieces=st.sampled_from([1, 2, 4, 9, 0, "2"])),
    _event("Labelled", slot=_slots, batch=st.sampled_from([None, "b1", "", "é" * 2_049])),
    _event("Labelled", slot=st.sampled_from(["", "d", "\x7f"])),
    _event("Closed", depot=_depots),
    _event(
        "Weighed", ticket=st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1), grams=st.integers(-(2**63), 2**63 - 1)
    ),
    _event("Weighed", ticket=st.integers(2**63, 2**64), grams=st.integers(2**63, 2**64)),
    st.tuples(st.sampled_from(["Built", "Gone"]), st.sampled_from(["", "1", "9"]), st.just({})),
)
_keys = st.sampled_from([None, None, None, b"k1", b"k2", b"k3", b"\xff"])


_OPENING: list[Made] = [
    ("Built", "", {"depot": "d", "name": "North", "opened": "2026-01-02T03:04:05Z", "climate": "cold"}),
    ("Built", "", {"depot": "é", "name": "South", "opened": "2026-01-02T03:04:05Z", "manager": "Ann"}),
    ("Delivered", "2", {"depot": "d", "goods": [{"sku": "x", "pieces": 3}, {"sku": "y", "pieces": 2}], "kilos": 1}),
    ("Delivered", "", {"depot": "é", "sku": "x", "pieces": 2}),
    ("Weighed", "", {"ticket": 1, "grams": 1}),
]


def _entries(made: SearchStrategy[Made], size: int, opening: list[Made]) -> SearchStrategy[list[Entry]]:
    def sent(drawn: tuple[bool, list[tuple[Made, bytes | None, bool]]]) -> list[Entry]:
        opened, rest = drawn
        first: list[tuple[Made, bytes | None, bool]] = [(event, None, True) for event in opening] if opened else []
        return [
            (b"%d-0" % (1_700_000_000_000 + number), _fields(event, key, ascii_only=ascii_only))
            for number, (event, key, ascii_only) in enumerate([*first, *rest])
        ]

    events = st.lists(st.tuples(made, _keys, st.booleans()), max_size=size)
    return st.tuples(st.sampled_from([True, True, False]), events).map(sent)


def _fields(event: Made, key: bytes | None, *, ascii_only: bool) -> list[bytes]:
    name, version, members = event
    fields = [b"type", name.encode(), b"data", json.dumps(members, ensure_ascii=ascii_only).encode()]
    if version:
        fields = [b"v", version.encode(), *fields]
    return fields if key is None else [*fields, b"key", key]


def bank_entries(size: int = 30) -> SearchStrategy[list[Entry]]:
    """Entries of the bank."""
    return _entries(_bank, size, [])


def depot_entries(size: int = 30) -> SearchStrategy[list[Entry]]:
    """Entries of the depots; most begin with some that have something in them."""
    return _entries(_depot, size, _OPENING)


def placed_entries(size: int = 30) -> SearchStrategy[list[Entry]]:
    """Entries of the orders that Watermill's samples place and close."""
    placed = st.sampled_from(list(samples("watermill").entries.values()))

    def sent(drawn: list[list[bytes]]) -> list[Entry]:
        return [(b"%d-0" % (1_700_000_000_000 + number), fields) for number, fields in enumerate(drawn)]

    return st.lists(placed, max_size=size).map(sent)
