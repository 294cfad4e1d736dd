"""The state: its digest, its bytes, the window of keys, and what reads it while it changes."""

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

from esdash.shop import domain
from esdash.shop.domain import Shop
from esdash.shop.fold import Entry, fold
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.state import CHUNK_NAMES, CHUNK_ROWS, KEY_WINDOW, State, StateError
from esdash.shop.story import document
from tests.strategies import RawEntry, entries, hostile_bytes, seeded_entries
from tests.unit.shop import as_entries, event, fold_all, goods, shop, steady, told

MAX_INT = 2**63 - 1
ROOT = Path(__file__).parents[2]


def small() -> State:
    """A state with a little of everything."""
    stream = [
        event("TopUp", b"a", user_id=7, amount=500),
        event("TopUp", b"\xff" * 128, user_id=MAX_INT, amount=1),
        event("AddItem", b"b", item_id="hdd", count=3, price=100),
        event("AddItem", item_id="кот", count=0, price=0),
        event("Order", user_id=7, lines=[{"item_id": "hdd", "quantity": 2}]),
        event("Order", b"c", user_id=8, lines=[]),
        event("TopUp", b"a", user_id=7, amount=500),
        event("Refund", user_id=7),
    ]
    state, outcomes = fold_all(stream)
    assert outcomes[-4:] == ["applied", "rejected:empty_order", "duplicate", "parked:unknown_type"]
    return state


def copy(state: State) -> State:
    return State.load(list(state.dump()))


CHANGES: dict[str, Callable[[State], Any]] = {
    "a balance": lambda state: state.users.update({7: state.users[7] + 1}),
    "a user more": lambda state: state.users.update({9: 0}),
    "a user less": lambda state: state.users.pop(7),
    "two balances exchanged": lambda state: state.users.update({7: state.users[MAX_INT], MAX_INT: state.users[7]}),
    "a price": lambda state: state.prices.update(hdd=101),
    "a stock": lambda state: state.stock.update(hdd=2),
    "price and stock exchanged": lambda state: (state.prices.update(hdd=1), state.stock.update(hdd=100)),
    "an item more": lambda state: (state.prices.update(cpu=0), state.stock.update(cpu=0)),
    "an item less": lambda state: (state.prices.pop("hdd"), state.stock.pop("hdd")),
    "a counter": lambda state: state.counts.__setitem__(0, state.counts[0] + 1),
    "two counters exchanged": lambda state: state.counts.__setitem__(slice(0, 2), state.counts[1::-1]),
    "a key more": lambda state: fold(state, as_entries([event("TopUp", b"z", user_id=7, amount=0)])),
    "the order of keys": lambda state: state.key_order.rotate(1),
}


class TestTheDigest:
    def test_is_32_hexadecimal_digits(self) -> None:
        for state in (State(), small()):
            assert len(state.digest()) == 32
            int(state.digest(), 16)

    def test_is_the_same_in_every_process(self) -> None:
        script = (
            "from tests.strategies import seeded_entries; from tests.unit.shop import fold_all; "
            "print(fold_all(seeded_entries(3, 1_000))[0].digest())"
        )
        for seed in ("0", "1"):
            environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", script]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            assert done.stdout.strip() == fold_all(seeded_entries(3, 1_000))[0].digest()

    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_tells_of_any_change(self, change: Callable[[State], Any]) -> None:
        changed = small()
        change(changed)
        assert changed.digest() != small().digest()

    def test_tells_keys_and_items_apart_that_only_look_alike_when_joined(self) -> None:
        def with_keys(*keys: bytes) -> State:
            return fold_all([event("TopUp", key, user_id=1, amount=1) for key in keys])[0]

        assert with_keys(b"ab", b"c").digest() != with_keys(b"a", b"bc").digest()
        first, second = ({"ab": (1, 2), "c": (3, 4)}, {"a": (1, 2), "bc": (3, 4)})
        assert shop(items=first).digest() != shop(items=second).digest()
        assert shop({1: 2, 3: 4}).digest() != shop({1: 3, 2: 4}).digest()

    @pytest.mark.parametrize("size", [0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 2 * CHUNK_ROWS])
    def test_does_not_depend_on_the_order_of_many_users(self, size: int) -> None:
        users = {number * 7_919 % 1_000_003: number for number in range(size)}
        backwards = dict(reversed(list(users.items())))
        assert shop(users).digest() == shop(backwards).digest()
        if size:
            backwards[next(iter(backwards))] += 1
            assert shop(users).digest() != shop(backwards).digest()


class TestDumpAndLoad:
    @steady(54)
    @given(entries())
    def test_a_state_comes_back_whole(self, stream: list[RawEntry]) -> None:
        state, _ = fold_all(stream)
        restored = copy(state)
        assert document(restored) == document(state)
        assert restored.key_order == state.key_order
        assert restored.keys == state.keys
        assert restored.digest() == state.digest()
        assert list(restored.dump()) == list(state.dump())

    def test_an_empty_state_comes_back(self) -> None:
        assert copy(State()).digest() == State().digest()
        assert State.load([]).digest() == State().digest()

    @pytest.mark.parametrize("size", [CHUNK_NAMES - 1, CHUNK_NAMES, CHUNK_NAMES + 1, CHUNK_ROWS, CHUNK_ROWS + 1])
    def test_a_large_state_comes_in_chunks_of_less_than_a_megabyte_that_may_come_in_any_order(self, size: int) -> None:
        wide = "\U0001f600" * 58
        state = shop(
            {MAX_INT - number: MAX_INT - number for number in range(size)},
            {f"{wide}{number:06}": (10**15, MAX_INT - number) for number in range(size)},
        )
        fold(state, as_entries(event("TopUp", b"%0128d" % number, user_id=1, amount=1) for number in range(size)))
        chunks = list(state.dump())
        assert len(chunks) == 1 + 2 * -(-size // CHUNK_NAMES) + -(-(size + 1) // CHUNK_ROWS)
        assert max(map(len, chunks)) < 2**20
        keys = [chunk for chunk in chunks if b"keys" in chunk[:8]]
        others = [chunk for chunk in chunks if chunk not in keys]
        assert State.load([*keys, *others[::-1]]).digest() == state.digest()

    def test_the_largest_numbers_come_back(self) -> None:
        state = shop({0: 0, MAX_INT: MAX_INT}, {"x": (10**15, MAX_INT), "\U0001f600" * 64: (0, 0)})
        assert goods(copy(state)) == goods(state)

    def test_counts_are_kept_by_name(self) -> None:
        state = State()
        state.counts[:] = range(100, 100 + len(OUTCOMES))
        (chunk,) = state.dump()
        assert b"insufficient_funds" in chunk
        assert copy(state).counts == state.counts

    def test_folding_goes_on_from_a_restored_state(self) -> None:
        stream = as_entries(seeded_entries(5, 2_000))
        whole = State()
        fold(whole, stream)
        half = State()
        fold(half, stream[:1_000])
        restored = copy(half)
        fold(restored, stream[1_000:])
        assert restored.digest() == whole.digest()


def loaded(chunks: list[bytes]) -> State | None:
    """The state of the chunks; None when they are refused as they should be."""
    try:
        return State.load(chunks)
    except StateError:
        return None


class TestDamagedBytes:
    def test_every_flipped_byte_is_refused_or_seen_in_the_digest(self) -> None:
        chunks = list(small().dump())
        for number, chunk in enumerate(chunks):
            for place in range(len(chunk)):
                for flip in (0x01, 0x10, 0x80, 0xFF):
                    damaged = bytes([*chunk[:place], chunk[place] ^ flip, *chunk[place + 1 :]])
                    state = loaded([*chunks[:number], damaged, *chunks[number + 1 :]])
                    if state is not None:
                        assert state.digest() != small().digest(), (number, place, flip)
                        list(state.dump())

    def test_every_truncated_chunk_is_refused(self) -> None:
        chunks = list(small().dump())
        for number, chunk in enumerate(chunks):
            for size in range(len(chunk)):
                assert loaded([*chunks[:number], chunk[:size], *chunks[number + 1 :]]) is None
            assert loaded([*chunks[:number], chunk + b"\x00", *chunks[number + 1 :]]) is None

    def test_a_missing_chunk_is_seen_in_the_digest(self) -> None:
        chunks = list(small().dump())
        assert len(chunks) == 4
        for number in range(len(chunks)):
            state = loaded(chunks[:number] + chunks[number + 1 :])
            assert state is None or state.digest() != small().digest()

    def test_a_chunk_given_twice_is_refused(self) -> None:
        chunks = list(small().dump())
        for chunk in chunks[1:]:
            assert loaded([*chunks, chunk]) is None

    @steady(90)
    @given(st.lists(hostile_bytes() | st.binary(max_size=60), min_size=1, max_size=3))
    def test_any_other_bytes_are_refused(self, chunks: list[bytes]) -> None:
        assert loaded(chunks) is None

    @pytest.mark.parametrize(
        "part",
        [
            ["users", (-1).to_bytes(8, "little", signed=True), bytes(8)],
            ["users", bytes(8), (-1).to_bytes(8, "little", signed=True)],
            ["users", bytes(16), bytes(16)],
            ["users", bytes(8), bytes(16)],
            ["users", bytes(7), bytes(7)],
            ["users", [1], [1]],
            ["items", [["x", 1, -1]]],
            ["items", [["x", -1, 1]]],
            ["items", [["x", 1, 2**63]]],
            ["items", [["x", 10**15 + 1, 1]]],
            ["items", [["", 1, 1]]],
            ["items", [["x" * 65, 1, 1]]],
            ["items", [["x", 1, 1.0]]],
            ["items", [["x", 1, True]]],
            ["items", [["x", 1, 1], ["x", 1, 1]]],
            ["keys", [b""]],
            ["keys", [b"k" * 129]],
            ["keys", [b"k", b"k"]],
            ["keys", [7]],
            ["counts", [["applied", None, -1]]],
            ["counts", [["applied", "overflow", 1]]],
            ["counts", [["rejected", "boredom", 1]]],
            ["other", []],
            ["users"],
            {"users": []},
            None,
        ],
    )
    def test_a_state_that_no_fold_can_give_is_refused(self, part: Any) -> None:
        assert loaded([msgspec.msgpack.encode(part)]) is None

    def test_more_keys_than_the_window_holds_are_refused(self) -> None:
        keys = [b"%d" % number for number in range(KEY_WINDOW + 1)]
        assert loaded([msgspec.msgpack.encode(["keys", keys[1:]])]) is not None
        assert loaded([msgspec.msgpack.encode(["keys", keys])]) is None

    def test_nothing_is_evaluated(self) -> None:
        for pickled in (b"\x80\x04\x95", b"cos\nsystem\n(S'true'\ntR."):
            assert loaded([pickled]) is None


class TestTheWindowOfKeys:
    @staticmethod
    def published(first: int, last: int) -> list[Entry]:
        return as_entries(event("TopUp", b"%d" % number, user_id=1, amount=1) for number in range(first, last))

    @pytest.mark.parametrize("page", [1_000, 7_777, KEY_WINDOW, KEY_WINDOW + 5])
    def test_the_last_100_000_distinct_keys_are_remembered_and_the_oldest_leaves_first(self, page: int) -> None:
        state = State()
        stream = self.published(0, KEY_WINDOW + 5)
        for start in range(0, len(stream), page):
            assert set(fold(state, stream[start : start + page])) == {0}
        assert list(state.key_order) == [b"%d" % number for number in range(5, KEY_WINDOW + 5)]
        assert state.keys == set(state.key_order)
        assert told(fold(state, self.published(5, 6))) == ["duplicate"]
        assert told(fold(state, self.published(4, 5))) == ["applied"]
        assert told(fold(state, self.published(5, 6))) == ["applied"]
        assert len(state.keys) == len(state.key_order) == KEY_WINDOW

    def test_a_duplicate_does_not_keep_its_key_for_longer(self) -> None:
        state = State()
        fold(state, self.published(0, KEY_WINDOW))
        assert told(fold(state, self.published(0, 1))) == ["duplicate"]
        assert told(fold(state, self.published(KEY_WINDOW, KEY_WINDOW + 1))) == ["applied"]
        assert told(fold(state, self.published(0, 1))) == ["applied"]

    def test_a_window_that_is_full_comes_back_whole_and_goes_on(self) -> None:
        state = State()
        fold(state, self.published(0, KEY_WINDOW))
        restored = copy(state)
        assert restored.key_order == state.key_order
        more = [*self.published(KEY_WINDOW, KEY_WINDOW + 3), *self.published(0, 5)]
        assert told(fold(restored, more)) == ["applied"] * 3 + ["applied"] * 3 + ["applied"] * 2
        fold(state, more)
        assert restored.digest() == state.digest()

    def test_a_key_that_leaves_within_a_page_may_come_again_in_it(self) -> None:
        one_by_one, at_once = State(), State()
        first = self.published(0, KEY_WINDOW)
        fold(one_by_one, first)
        fold(at_once, first)
        page = [*self.published(0, 2), *self.published(KEY_WINDOW, KEY_WINDOW + 2), *self.published(0, 3)]
        expected = [told(fold(one_by_one, [entry]))[0] for entry in page]
        assert expected == ["duplicate"] * 2 + ["applied"] * 5
        assert told(fold(at_once, page)) == expected
        assert at_once.digest() == one_by_one.digest()


class TestAFork:
    @steady(50)
    @given(entries(), entries(), entries())
    def test_stays_as_it_is_while_the_fold_goes_on(
        self, before: list[RawEntry], meanwhile: list[RawEntry], after: list[RawEntry]
    ) -> None:
        state, _ = fold_all(before)
        plain = copy(state)
        digest, written = state.digest(), list(state.dump())
        fork = state.fork()
        outcomes = fold_all(meanwhile, state)[1]
        assert fork.digest() == digest
        assert list(fork.dump()) == written
        state.join(fork)
        assert outcomes == fold_all(meanwhile, plain)[1]
        assert goods(state) == goods(plain)
        assert fold_all(after, state)[1] == fold_all(after, plain)[1]
        assert state.digest() == plain.digest()
        assert list(state.dump()) == list(plain.dump())

    def test_can_be_taken_again_and_again(self) -> None:
        state, plain = State(), State()
        for seed in range(5):
            stream = as_entries(seeded_entries(seed, 300))
            fork = state.fork()
            assert Shop().digest(fork) == plain.digest()
            assert fold(state, stream) == fold(plain, stream)
            state.join(fork)
            assert state.digest() == plain.digest()


class TestTheFoldsVersion:
    def test_is_the_same_every_time(self) -> None:
        assert Shop().fold_version == Shop().fold_version
        assert len(Shop().fold_version) == 12

    def test_counts_every_module_that_decides_what_entries_mean(self) -> None:
        script = (
            "import sys; import esdash.shop.fold; "
            "print(*sorted(name.removeprefix('esdash.shop.') for name in sys.modules if 'esdash.shop.' in name))"
        )
        loaded_modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert set(loaded_modules.stdout.split()) == set(domain._RULES)


class TestTheShopForTheEngine:
    def test_does_what_its_parts_do(self) -> None:
        engine_view = Shop()
        state = engine_view.empty()
        stream = as_entries(seeded_entries(9, 500))
        assert engine_view.fold(state, stream) == fold(plain := State(), stream)
        assert engine_view.digest(state) == plain.digest()
        assert engine_view.counts(state) == tuple(plain.counts)
        assert engine_view.load(list(engine_view.dump(state))).digest() == plain.digest()
        assert engine_view.size(state) == len(plain.users) + len(plain.stock) + len(plain.key_order)
        assert engine_view.outcomes is OUTCOMES

    @steady(42)
    @given(entries())
    def test_a_page_prepared_elsewhere_folds_like_any_other(self, stream: list[RawEntry]) -> None:
        module, _, name = Shop.packing.partition(":")
        prepare = getattr(sys.modules[module], name)
        sent = as_entries(stream)
        here, there = State(), State()
        assert Shop().fold_packed(there, prepare(sent)) == Shop().fold(here, sent)
        assert there.digest() == here.digest()
        assert there.key_order == here.key_order
