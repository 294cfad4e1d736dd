"""`raw`: any stream, watched as it is."""

import pkgutil
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from esdash.engine.projection import Projection
from esdash.fold.cells import MAX_INT, MAX_NAME, is_name
from esdash.fold.folding import Entry, Fold
from esdash.fold.loading import load
from esdash.fold.raw import MOST_MEMBERS, MOST_TYPES, RAW, RawFold, text_of
from esdash.fold.state import State
from esdash.log.errors import UnreadableReplyError
from esdash.words.entries import describe, payload_of, type_of

MINUTE = 60_000

NAMES = st.sampled_from([b"type", b"event", b"data", b"key", b"v", b"a", b"", b"\xff\x00", b"\xd0\xba"])
VALUES = st.sampled_from([b"", b"A", b"B", b"{}", b"\x1b[31m", b"\xff\xfe", b"\x81\xa1a\x01", b"x" * 300]) | st.binary(
    max_size=20
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=6).map(
    lambda pairs: [part for pair in pairs for part in pair]
)
LOGS = st.lists(FIELDS, max_size=30)


@pytest.fixture
def fold() -> Fold:
    return load("esdash.fold.raw:RAW")


def numbered(log: list[list[bytes]]) -> list[Entry]:
    """Entries with ids, several in a millisecond."""
    return [(b"%d-%d" % (1700000000000 + place // 3, place % 3), fields) for place, fields in enumerate(log)]


def types(fold: Fold, state: State) -> dict[str, dict[str, Any]]:
    """The table, by type."""
    columns = dict(zip(("count", "often", "last", "first"), fold.cells_of(state)["types"], strict=True))
    return {
        kind: {name: cells[kind] for name, cells in columns.items() if kind in cells}
        for kind in sorted(columns["count"])
    }


def folded(fold: Fold, *entries: Entry) -> State:
    state = fold.empty()
    codes = fold.fold(state, entries)
    assert {fold.outcomes[code].name for code in codes} <= {"applied"}
    return state


class TestWhatItIs:
    def test_a_fold_like_any_other(self, fold: Fold) -> None:
        assert isinstance(fold, RawFold)
        assert fold.name == "raw"
        assert fold.choice == "esdash.fold.raw:RAW"
        assert fold.fingerprint

    def test_nothing_is_written_in_its_name(self, fold: Fold) -> None:
        assert fold.readonly
        assert fold.publishable == ()
        assert list(fold.samples(1)) == []

    def test_others_may_write(self) -> None:
        assert not load("esdash.shop.domain:SHOP").readonly


class TestTypes:
    @pytest.mark.parametrize(
        ("fields", "kind"),
        [
            ([b"type", b"Order", b"data", b"{}"], "Order"),
            ([b"data", b"{}", b"type", b"Order"], "Order"),
            ([b"type", b"A", b"type", b"B"], "B"),
            ([b"event", b"paid", b"amount", b"5"], "paid"),
            ([b"event", b"paid", b"type", b"Order"], "Order"),
            ([b"type", b"", b"event", b"paid"], "paid"),
            ([b"type", b"", b"event", b""], "event, type"),
            ([b"data", b"{}"], "data"),
            ([b"b", b"1", b"a", b"2"], "a, b"),
            ([b"a", b"2", b"b", b"1", b"a", b"3"], "a, b"),
            ([b"", b"1"], '""'),
            ([b"", b"1", b"a", b"1"], '"", a'),
            ([b"type", b"\xd0\xba\xd0\xbe\xd1\x82"], "кот"),
            ([b"type", b"\xff\xfe"], r"\xff\xfe"),
            ([b"type", b"a\nb\x1b[0m\x7f"], r"a\x0ab\x1b[0m\x7f"),
            ([b"type", b"\xc2\x85"], r"\x85"),
            ([b"type", b" "], " "),
        ],
    )
    def test_an_entry_counts_for(self, fold: Fold, fields: list[bytes], kind: str) -> None:
        assert type_of(fold, fields) == kind
        assert types(fold, folded(fold, (b"1-1", fields))) == {kind: {"count": 1, "last": 1, "first": 1}}
        assert fold.read(fields).event.type == kind

    @pytest.mark.parametrize(
        "fields",
        [
            [b"type", b"x" * 1_000_000],
            [b"type", "🐈".encode() * 257],
            [b"type", b"\xff" * 300],
            [b"x" * 1000, b"1"],
            [b"x" * 1000, b"1", b"y" * 1000, b"1"],
            [part for number in range(50_000) for part in (b"%d" % number, b"x")],
        ],
    )
    def test_the_name_of_a_type_has_an_end(self, fold: Fold, fields: list[bytes]) -> None:
        kind = type_of(fold, fields)
        assert len(kind) == MAX_NAME
        assert kind.endswith("…")
        assert list(types(fold, folded(fold, (b"1-1", fields)))) == [kind]

    def test_one_that_just_fits_is_whole(self, fold: Fold) -> None:
        text = "🐈" * MAX_NAME
        assert type_of(fold, [b"type", text.encode()]) == text

    @given(fields=FIELDS)
    def test_every_type_could_be_a_key(self, fields: list[bytes]) -> None:
        assert is_name(type_of(RawFold(RAW), fields))


class TestCounting:
    def test_how_many_how_often_and_when(self, fold: Fold) -> None:
        state = folded(
            fold,
            (b"1700000000000-0", [b"type", b"A"]),
            (b"1700000010000-0", [b"type", b"B"]),
            (b"1700000060000-0", [b"type", b"A"]),
            (b"1700000120000-0", [b"type", b"A"]),
        )
        assert types(fold, state) == {
            "A": {"count": 3, "often": 100, "last": 1700000120000, "first": 1700000000000},
            "B": {"count": 1, "last": 1700000010000, "first": 1700000010000},
        }
        shown = {column.name: column.shown for column in fold.domain.tables[0].columns}
        assert shown["often"].write(100) == "1.00 /min"
        assert shown["often"].write(123_456_78) == "123,456.78 /min"

    @pytest.mark.parametrize(
        ("ids", "often"),
        [
            ((b"5-0", b"5-1"), None),
            ((b"0-1", b"1-0"), 6_000_000),
            ((b"0-1", b"%d-0" % (7 * MINUTE)), 14),
            ((b"0-1", b"%d-0" % (24 * 60 * MINUTE)), 0),
            ((b"0-1", b"1-0", b"2-0"), 6_000_000),
        ],
    )
    def test_often_is_a_mean(self, fold: Fold, ids: tuple[bytes, ...], often: int | None) -> None:
        state = folded(fold, *((entry_id, [b"type", b"A"]) for entry_id in ids))
        assert types(fold, state)["A"].get("often") == often

    def test_an_id_beyond_what_a_cell_holds(self, fold: Fold) -> None:
        top = 2**64 - 1
        state = folded(fold, (b"1-1", [b"type", b"A"]), (b"%d-%d" % (top, top), [b"type", b"A"]))
        assert types(fold, state)["A"] == {"count": 2, "often": 0, "last": MAX_INT, "first": 1}
        assert fold.digest(fold.load(fold.dump(state))) == fold.digest(state)

    def test_what_an_entry_changed_is_told(self, fold: Fold) -> None:
        state = folded(fold, (b"1000-0", [b"type", b"A"]))
        code, told = fold.explain(state, (b"61000-0", [b"type", b"A"]))
        assert fold.outcomes[code].name == "applied"
        assert [astuple(change)[2:] for change in told.changes if change.table == "types"] == [
            ("count", 1, 2),
            ("often", None, 100),
            ("last", 1000, 61000),
        ]

    def test_keys_and_versions_mean_nothing(self, fold: Fold) -> None:
        entry = [b"type", b"TopUp", b"data", b"nonsense", b"key", b"k", b"v", b"9"]
        state = folded(fold, (b"1-0", entry), (b"2-0", entry))
        assert types(fold, state)["TopUp"]["count"] == 2
        assert not state.keys

    def test_what_is_too_large_for_an_event_counts_as_well(self, fold: Fold) -> None:
        state = folded(fold, (b"1-0", [b"type", b"A", b"data", b"x" * 10_000_000]))
        assert types(fold, state)["A"]["count"] == 1

    def test_what_is_no_entry_is_not_counted(self, fold: Fold) -> None:
        entries: list[Any] = [(b"1-0", [b"type", b"A"]), (b"2-0", [b"type"]), (b"3-0", [b"type", b"A"])]
        with pytest.raises(UnreadableReplyError):
            Projection(fold).apply(entries)


class TestTheMostRecent:
    def test_so_many_types_are_remembered(self, fold: Fold) -> None:
        log = [[b"type", b"%d" % number] for number in range(MOST_TYPES + 5)]
        state = folded(fold, *numbered(log))
        assert set(types(fold, state)) == {str(number) for number in range(5, MOST_TYPES + 5)}
        assert all(len(cells) <= MOST_TYPES for columns in fold.cells_of(state).values() for cells in columns)

    def test_the_one_seen_longest_ago_is_forgotten_first(self, fold: Fold) -> None:
        log = [[b"type", b"%d" % number] for number in range(MOST_TYPES)]
        # All in one millisecond, so that it is the second part of the ids that decides; 9 comes before 10 there.
        entries = [(b"5-%d" % place, fields) for place, fields in enumerate([*log, log[0], [b"type", b"new"]])]
        assert "0" in types(fold, folded(fold, *entries))
        assert "1" not in types(fold, folded(fold, *entries))

    def test_one_that_returns_begins_anew(self, fold: Fold) -> None:
        log = [[b"type", b"%d" % number] for number in range(MOST_TYPES + 1)]
        state = folded(fold, *numbered([log[0], *log, log[0]]))
        assert types(fold, state)["0"]["count"] == 1

    def test_in_whatever_pages_and_ways_it_is_read(self, fold: Fold) -> None:
        log = numbered([[b"type", b"%d" % (number * number % 1700)] for number in range(4000)])
        whole = folded(fold, *log)
        paged = fold.empty()
        for start, end in pairwise([0, 1, 999, 1000, 1001, 2500, 4000]):
            if start == 1000:
                paged = fold.load(fold.dump(paged))
            if start == 1001:
                fold.explain(paged, log[start])
                start += 1
            if start == 2500:
                paged.fork()
            fold.fold(paged, log[start:end])
        assert fold.digest(paged) == fold.digest(whole)
        assert len(types(fold, whole)) <= MOST_TYPES


@given(log=LOGS)
def test_every_entry_is_applied_and_every_way_to_fold_agrees(log: list[list[bytes]]) -> None:
    fold, entries = RawFold(RAW), numbered(log)
    at_once = folded(fold, *entries)
    one_by_one = fold.empty()
    for entry in entries:
        fold.explain(one_by_one, entry)
    packed = fold.empty()
    fold.fold_packed(packed, pkgutil.resolve_name(fold.packing)(entries))
    assert fold.digest(at_once) == fold.digest(one_by_one) == fold.digest(packed)
    assert fold.digest(fold.load(fold.dump(at_once))) == fold.digest(at_once)
    assert sum(row["count"] for row in types(fold, at_once).values()) == len(log)


@given(fields=FIELDS)
def test_every_entry_can_be_told(fields: list[bytes]) -> None:
    fold = RawFold(RAW)
    code, event_type, event = fold.read(fields)
    assert code is None
    assert event_type is not None
    assert fold.model(event).type is type(event)
    assert isinstance(describe(fold, fields), str)
    assert isinstance(payload_of(fold, fields), bytes)
    event_code, _ = fold.decide(fold.empty(), event)
    assert fold.outcomes[event_code].name == "applied"


class TestTelling:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (b"plain", "plain"),
            (b"", '""'),
            (b"12.5", "12.5"),
            (b'{ "a" : [1,\n 2.50] }', '{"a":[1,2.50]}'),
            (b"{broken", "{broken"),
            ("кот".encode(), "кот"),
            (b"\x82\xa1a\x01\xa1b\x92\xc3\xc0", '{"a":1,"b":[true,null]}'),
            (b"\x92\x01\xa1x", '[1,"x"]'),
            (b"\xde\x00\x01\xa1a\x01", '{"a":1}'),
            (b"\x81\x01\xc4\x01\xff", '{"1":"/w=="}'),
            (b"\x81\xa1a\xc7\x01\x05\xff", '{"a":{"ext":5,"data":"ff"}}'),
            (b"\x81\xa1a", "0x81a161"),
            (b"\x00\x01\x02\x03", "0x00010203"),
            (b"\xff" * 300, f"0x{'ff' * 256}… 300 bytes"),
            (b"\xdd\xff\xff\xff\xff", "0xddffffffff"),
            (b"id \xff of a cat", r"id \xff of a cat"),
            (b"red \x1b[31m", r"red \x1b[31m"),
            (b"[" * 5000, "[" * 5000),
        ],
    )
    def test_a_value(self, value: bytes, text: str) -> None:
        assert text_of(value) == text

    def test_a_value_that_is_too_long(self) -> None:
        assert text_of(b"abcdef", 3) == "abc…"
        assert text_of("жжж".encode(), 3) == "ж…"
        assert text_of(b'{"a":1}', 3) == '{"a…'

    @pytest.mark.parametrize(
        ("fields", "line"),
        [
            ([b"type", b"Order", b"data", b'{"a": 1}'], 'data {"a":1}'),
            ([b"event", b"paid", b"amount", b"5", b"type", b""], 'amount 5 · type ""'),
            ([b"sensor", b"hall", b"celsius", b"21.5"], "sensor hall · celsius 21.5"),
            ([b"a", b"1", b"a", b"2"], "a 1 · a 2"),
            ([b"\xff\n", b"\x01"], r"\xff\x0a 0x01"),
            ([b"type", b"A"], ""),
        ],
    )
    def test_an_entry(self, fold: Fold, fields: list[bytes], line: str) -> None:
        assert describe(fold, fields) == line

    def test_a_large_entry_is_told_in_part(self, fold: Fold) -> None:
        many = [part for number in range(500) for part in (b"%d" % number, b"x")]
        assert describe(fold, many).endswith(f"{MOST_MEMBERS - 1} x · … and 400 more")
        large = [b"a", b"x" * 10_000_000, b"b", b"y"]
        assert len(describe(fold, large)) < 70_000
        assert describe(fold, large).endswith("x… · … and 1 more")

    def test_the_payload(self, fold: Fold) -> None:
        assert payload_of(fold, [b"type", b"A", b"data", b"\x81\xa1a\x01"]) == b"\x81\xa1a\x01"
        assert msgspec.json.decode(payload_of(fold, [b"event", b"A", b"b", b"\x81\xa1a\x01"])) == {
            "event": "A",
            "b": '{"a":1}',
        }
