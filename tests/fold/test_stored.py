"""A state's digest, its bytes, and what two states do not agree on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.fold.folding import Fold
from esdash.fold.state import KEY_WINDOW, State
from esdash.fold.stored import KEYS, SLICE, StateError
from tests.fold.trying import Do, Trial, entry, folding, rows
from tests.strategies import hostile_bytes, seeded_entries
from tests.unit.shop import SHOP, as_entries, event, fold_all, shop, steady

MAX_INT = 2**63 - 1
ROOT = Path(__file__).parents[2]


def write(state: Any, event: Do) -> None:
    """Rows of both tables; a negative number removes one."""
    if event.n < 0:
        state.marks.remove(event.mark)
        return
    state.marks.n[event.mark] = event.n
    state.marks.m[event.mark] = 2 * event.n
    state.things.n[event.key] = event.n
    if event.text:
        state.things.text[event.key] = event.text


FOLD = folding(write)


def small() -> State:
    """A state with a little of everything."""
    state = FOLD.empty()
    events = [Do("hdd", 3, "x", 7), Do("кот", 0, "", MAX_INT), Do("a", 5, "\x00é", -1)]
    FOLD.fold(state, [entry(number, each, b"k%d" % number) for number, each in enumerate(events)])
    FOLD.fold(state, [(b"9-0", [b"type", b"Refund"])])
    return state


def remember(state: State, key: bytes) -> None:
    """Let a key be in the window."""
    state.keys.add(key)
    state.key_order.append(key)


def copy(state: State, fold: Fold = FOLD) -> State:
    return fold.load(list(fold.dump(state)))


def cells(state: State, table: str, column: int) -> dict[Any, Any]:
    return FOLD.cells_of(state)[table][column]


CHANGES: dict[str, Callable[[State], Any]] = {
    "a number": lambda state: cells(state, "marks", 0).update({7: 4}),
    "a number of the other column": lambda state: cells(state, "marks", 1).update({7: 4}),
    "columns exchanged": lambda state: state.cells.__setitem__(slice(3, 5), state.cells[4:2:-1]),
    "a row more": lambda state: [cells(state, "marks", column).update({8: 0}) for column in (0, 1)],
    "a row less": lambda state: [cells(state, "marks", column).pop(7) for column in (0, 1)],
    "two rows exchanged": lambda state: cells(state, "marks", 0).update({7: 0, MAX_INT: 3}),
    "a text": lambda state: cells(state, "things", 1).update(hdd="y"),
    "a text less": lambda state: cells(state, "things", 1).pop("hdd"),
    "an empty text for none": lambda state: cells(state, "things", 1).update(кот=""),
    "False for none": lambda state: cells(state, "things", 2).update(hdd=False),
    "True": lambda state: cells(state, "things", 2).update(hdd=True),
    "a counter": lambda state: state.counts.__setitem__(0, state.counts[0] + 1),
    "two counters exchanged": lambda state: state.counts.__setitem__(slice(0, 6), state.counts[5::-1]),
    "a key more": lambda state: remember(state, b"z"),
    "a key less": lambda state: state.key_order.pop(),
    "the order of keys": lambda state: state.key_order.rotate(1),
}


class TestTheDigest:
    def test_is_32_hexadecimal_digits(self) -> None:
        for state in (FOLD.empty(), small()):
            assert len(FOLD.digest(state)) == 32
            int(FOLD.digest(state), 16)

    def test_is_the_same_in_every_process(self) -> None:
        script = (
            "from tests.strategies import seeded_entries; from tests.unit.shop import SHOP, fold_all; "
            "print(SHOP.digest(fold_all(seeded_entries(3, 500))[0]))"
        )
        expected = SHOP.digest(fold_all(seeded_entries(3, 500))[0])
        for seed in ("0", "1"):
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", script]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            assert done.stdout.strip() == expected

    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_tells_of_any_change(self, change: Callable[[State], Any]) -> None:
        changed = small()
        change(changed)
        assert FOLD.digest(changed) != FOLD.digest(small())
        assert FOLD.digest(small()) == FOLD.digest(small())

    def test_tells_apart_what_only_looks_alike_when_joined(self) -> None:
        def with_keys(*keys: bytes) -> str:
            state = FOLD.empty()
            for key in keys:
                remember(state, key)
            return FOLD.digest(state)

        assert with_keys(b"ab", b"c") != with_keys(b"a", b"bc")
        first, second = ({"ab": (1, 2), "c": (3, 4)}, {"a": (1, 2), "bc": (3, 4)})
        assert SHOP.digest(shop(items=first)) != SHOP.digest(shop(items=second))
        assert SHOP.digest(shop({1: 2, 3: 4})) != SHOP.digest(shop({1: 3, 2: 4}))

    @pytest.mark.parametrize("size", [0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE])
    def test_does_not_depend_on_the_order_of_many_rows(self, size: int) -> None:
        users = {number * 7_919 % 1_000_003 - 500_000: number for number in range(size)}
        backwards = dict(reversed(list(users.items())))
        assert SHOP.digest(shop(users)) == SHOP.digest(shop(backwards))
        if size:
            backwards[next(iter(backwards))] += 1
            assert SHOP.digest(shop(users)) != SHOP.digest(shop(backwards))

    def test_does_not_depend_on_whether_many_numbers_are_shared_with_a_fork(self) -> None:
        state = shop({number: number for number in range(SLICE + 1)})
        plain = copy(state, SHOP)
        state.fork()
        for each in (state, plain):
            fold_all([event("TopUp", user_id=SLICE + number, amount=5) for number in range(2)], each)
        assert SHOP.digest(state) == SHOP.digest(plain)


class TestDumpAndLoad:
    def test_an_empty_state_comes_back(self) -> None:
        assert FOLD.digest(copy(FOLD.empty())) == FOLD.digest(FOLD.empty()) == FOLD.digest(FOLD.load([]))

    @pytest.mark.parametrize("size", [KEYS - 1, KEYS, KEYS + 1, SLICE, SLICE + 1])
    def test_a_large_state_comes_in_chunks_of_less_than_a_megabyte_that_may_come_in_any_order(self, size: int) -> None:
        wide = "\U0001f600" * 58
        state = shop(
            {MAX_INT - number: MAX_INT - number for number in range(size)},
            {f"{wide}{number:06}": (10**15, MAX_INT - number) for number in range(size)},
        )
        for number in range(size):
            remember(state, b"%0128d" % number)
        chunks = list(SHOP.dump(state))
        assert max(map(len, chunks)) < 2**20
        keys = [chunk for chunk in chunks if b"keys" in chunk[:8]]
        assert len(keys) == -(-size // KEYS)
        others = [chunk for chunk in chunks if chunk not in keys]
        assert SHOP.digest(SHOP.load([*keys, *others[::-1]])) == SHOP.digest(state)

    def test_rows_of_the_longest_texts_come_in_chunks_of_less_than_a_megabyte(self) -> None:
        trial = Trial(lambda *_: None)
        for number in range(600):
            trial.put("things", "\U0001f600" * 250 + str(number), n=number, text="\U0001f600" * 1_024, flag=True)
        chunks = list(trial.fold.dump(trial.state))
        assert max(map(len, chunks)) < 2**20
        assert len(chunks) > 3
        assert trial.fold.digest(trial.fold.load(chunks)) == trial.fold.digest(trial.state)

    def test_counts_are_kept_by_name(self) -> None:
        state = FOLD.empty()
        state.counts[:] = range(100, 100 + len(FOLD.outcomes))
        other = folding(write, reasons={"more": "", "never": "", "no": ""})
        names = {outcome: count for outcome, count in zip(FOLD.outcomes, state.counts, strict=True) if count}
        restored = other.load(list(FOLD.dump(state)))
        assert {outcome: restored.counts[other.outcomes.index(outcome)] for outcome in names} == names
        with pytest.raises(StateError):
            FOLD.load(list(other.dump(restored)))

    def test_folding_goes_on_from_a_restored_state(self) -> None:
        stream = as_entries(seeded_entries(5, 2_000))
        whole, half = SHOP.empty(), SHOP.empty()
        SHOP.fold(whole, stream)
        SHOP.fold(half, stream[:1_000])
        restored = copy(half, SHOP)
        SHOP.fold(restored, stream[1_000:])
        assert SHOP.digest(restored) == SHOP.digest(whole)


def loaded(chunks: list[bytes], fold: Fold = FOLD) -> State | None:
    """The state of the chunks; None when they are refused as they should be."""
    try:
        return fold.load(chunks)
    except ValueError:
        return None


PARTS: list[Any] = [
    ["numbers", "marks", []],
    ["numbers", "marks", [bytes(8)]],
    ["numbers", "marks", [bytes(8)] * 2],
    ["numbers", "marks", [bytes(8)] * 4],
    ["numbers", "marks", [bytes(8), bytes(8), bytes(16)]],
    ["numbers", "marks", [bytes(7)] * 3],
    ["numbers", "marks", [bytes(16)] * 3],
    ["numbers", "marks", [[1], [1], [1]]],
    ["numbers", "things", [bytes(8)] * 4],
    ["numbers", "others", [bytes(8)] * 3],
    ["numbers"],
    ["rows", "others", []],
    ["rows", "things", b""],
    ["rows", "things", [b""]],
    ["rows", "things", [b"\xc1"]],
    ["rows", "things", [b"\x91" * 5_000]],
    ["rows", "things", [b"\x91\x91" + b"\x91" * 2_000 + b"\x01"]],
    *(
        ["rows", table, [msgspec.msgpack.encode([row])]]
        for table, row in [
            ("things", []),
            ("things", ["a"]),
            ("things", ["a", 1]),
            ("things", ["a", 1, "x", True, 1]),
            ("things", ["a", None, "x", True]),
            ("things", ["a", True, "x", True]),
            ("things", ["a", 1.0, "x", True]),
            ("things", ["a", 1, 1, True]),
            ("things", ["a", 1, b"x", True]),
            ("things", ["a", 1, "x", 1]),
            ("things", ["a", 1, "x" * 4_097, True]),
            ("things", ["a", 2**63, "x", True]),
            ("things", ["", 1, "x", True]),
            ("things", ["a\x00", 1, "x", True]),
            ("things", ["k" * 257, 1, "x", True]),
            ("things", [1, 1, "x", True]),
            ("things", [[], 1, "x", True]),
            ("things", [{}, 1, "x", True]),
            ("marks", [2**63, 1, 1]),
            ("marks", [True, 1, 1]),
            ("marks", ["a", 1, 1]),
            ("marks", [1, [], 1]),
        ]
    ),
    ["rows", "things", [msgspec.msgpack.encode([["a", 1, None, None], ["a", 1, None, None]])]],
    ["keys", [b""]],
    ["keys", [b"k" * 129]],
    ["keys", [b"k", b"k"]],
    ["keys", [7]],
    ["counts", [["applied", None, -1]]],
    ["counts", [["applied", None, 1.0]]],
    ["counts", [["applied", "overflow", 1]]],
    ["counts", [["rejected", "boredom", 1]]],
    ["other", []],
    [],
    {"keys": []},
    None,
]


class TestDamagedBytes:
    def test_every_flipped_byte_is_refused_or_seen_in_the_digest(self) -> None:
        chunks, digest = list(FOLD.dump(small())), FOLD.digest(small())
        for number, chunk in enumerate(chunks):
            for place in range(len(chunk)):
                for flip in (0x01, 0x10, 0x80, 0xFF):
                    damaged = bytes([*chunk[:place], chunk[place] ^ flip, *chunk[place + 1 :]])
                    state = loaded([*chunks[:number], damaged, *chunks[number + 1 :]])
                    if state is not None:
                        assert FOLD.digest(state) != digest, (number, place, flip)
                        assert rows(FOLD, copy(state)) == rows(FOLD, state)

    def test_every_truncated_chunk_is_refused(self) -> None:
        chunks = list(FOLD.dump(small()))
        for number, chunk in enumerate(chunks):
            for size in range(len(chunk)):
                assert loaded([*chunks[:number], chunk[:size], *chunks[number + 1 :]]) is None
            assert loaded([*chunks[:number], chunk + b"\x00", *chunks[number + 1 :]]) is None

    def test_a_missing_chunk_is_seen_in_the_digest_and_one_given_twice_is_refused(self) -> None:
        chunks = list(FOLD.dump(small()))
        assert len(chunks) == 4
        for number in range(len(chunks)):
            state = loaded(chunks[:number] + chunks[number + 1 :])
            assert state is None or FOLD.digest(state) != FOLD.digest(small())
            assert number == 0 or loaded([*chunks, chunks[number]]) is None

    @steady(60)
    @given(st.lists(hostile_bytes() | st.binary(max_size=60), min_size=1, max_size=3))
    def test_any_other_bytes_are_refused(self, chunks: list[bytes]) -> None:
        assert loaded(chunks) is None

    @steady(75)
    @given(st.data())
    def test_hostile_bytes_in_the_place_of_some_are_refused_with_a_value_error_alone(
        self, chance: st.DataObject
    ) -> None:
        chunks = list(FOLD.dump(small()))
        number = chance.draw(st.integers(0, len(chunks) - 1))
        start = chance.draw(st.integers(0, len(chunks[number])))
        between = chance.draw(st.binary(max_size=8) | st.sampled_from([b"\xdd\xff\xff\xff\xff", b"\x91" * 2_000]))
        end = chance.draw(st.integers(start, min(len(chunks[number]), start + 8)))
        damaged = chunks[number][:start] + between + chunks[number][end:]
        state = loaded([*chunks[:number], damaged, *chunks[number + 1 :]])
        if state is not None and damaged != chunks[number]:
            assert FOLD.digest(state) != FOLD.digest(small())

    @pytest.mark.parametrize("part", PARTS, ids=range(len(PARTS)))
    def test_a_state_that_no_fold_can_give_is_refused(self, part: Any) -> None:
        with pytest.raises(StateError):
            FOLD.load([msgspec.msgpack.encode(part)])

    def test_more_keys_than_the_window_holds_are_refused(self) -> None:
        keys = [b"%d" % number for number in range(KEY_WINDOW + 1)]
        assert loaded([msgspec.msgpack.encode(["keys", keys[1:]])]) is not None
        assert loaded([msgspec.msgpack.encode(["keys", keys])]) is None

    def test_the_state_of_another_domain_is_refused(self) -> None:
        assert loaded(list(SHOP.dump(shop({1: 1})))) is None
        assert loaded(list(FOLD.dump(small())), SHOP) is None
