"""Hostile payloads of the shop: nested deeply, random, slow, large. Each is decided as the model says."""

import sys
import threading
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.events import TopUp
from tests.fold.reading import Decoded, decoded, from_the_model
from tests.strategies import (
    RawEntry,
    broken_entries,
    entries,
    hostile_bytes,
    hostile_entries,
    nested_json,
    nested_messagepack,
    raw_entry,
    v0_entries,
)
from tests.unit.shop import SHOP, as_sent, steady, told

MIB = 1024 * 1024
REASONS = ("missing_field", "unsupported_version", "too_large", "unknown_type", "invalid_data")


@pytest.mark.parametrize("nested", [nested_json, nested_messagepack])
class TestDepth:
    def test_512_levels_are_read_and_513_are_not(self, nested: Callable[[int], bytes]) -> None:
        assert decoded(*raw_entry("TopUp", nested(511))) == TopUp(1, 500)
        assert decoded(*raw_entry("TopUp", nested(512))) == TopUp(1, 500)
        assert decoded(*raw_entry("TopUp", nested(513))) == "invalid_data"
        assert decoded(*raw_entry("TopUp", nested(30_000))) == "invalid_data"

    def test_the_answer_does_not_depend_on_the_callers_stack(self, nested: Callable[[int], bytes]) -> None:
        shallow, allowed, excess = (as_sent(raw_entry("TopUp", nested(depth))) for depth in (2, 512, 513))
        page = [(b"1-0", shallow), (b"2-0", allowed), (b"3-0", excess)]

        def answers(frames: int) -> list[str]:
            return answers(frames - 1) if frames else told(SHOP.fold(SHOP.empty(), page))

        used = 0
        frame = sys._getframe()
        while frame.f_back is not None:
            frame, used = frame.f_back, used + 1
        room = sys.getrecursionlimit() - used - 60
        assert room > 300
        expected = ["applied", "applied", "parked:invalid_data"]
        for frames in (*range(0, room, 50), room):
            assert answers(frames) == expected

    def test_the_answer_is_the_same_in_any_thread(self, nested: Callable[[int], bytes]) -> None:
        answers: list[Decoded] = []
        thread = threading.Thread(target=lambda: answers.append(decoded(*raw_entry("TopUp", nested(512)))))
        thread.start()
        thread.join()
        assert answers == [TopUp(1, 500)]


class TestFuzz:
    @steady(200)
    @given(hostile_entries())
    def test_hostile_data_is_an_event_or_a_reason_as_the_model_says(self, raw: RawEntry) -> None:
        assert decoded(*raw) == from_the_model(raw)

    @steady(90)
    @given(st.sampled_from(["TopUp", "AddItem", "Order", "OrderType"]), hostile_bytes())
    def test_hostile_bytes_are_an_event_or_a_reason_as_the_model_says(self, name: str, data: bytes) -> None:
        raw = raw_entry(name, data)
        assert decoded(*raw) == from_the_model(raw)

    @steady(45)
    @given(st.sampled_from(REASONS).flatmap(broken_entries))
    def test_broken_entries_are_parked_as_the_model_says(self, raw: RawEntry) -> None:
        assert decoded(*raw) == from_the_model(raw)

    @steady(24)
    @given(entries())
    def test_entries_of_every_kind_decode_as_the_model_says(self, stream: list[RawEntry]) -> None:
        for raw in stream:
            assert decoded(*raw) == from_the_model(raw)

    @steady(60)
    @given(st.lists(st.tuples(st.binary(max_size=6) | st.sampled_from([b"type", b"data", b"key", b"v"]), st.binary())))
    def test_random_fields_are_an_event_or_a_reason_as_the_model_says(self, raw: RawEntry) -> None:
        assert decoded(*raw) == from_the_model(raw)

    @steady(45)
    @given(v0_entries("OrderType", {"UserID": 1, "ItemIDs": ["cpu"], "ItemQuantities": [3]}), st.data())
    def test_one_changed_byte_of_an_old_entry_decodes_as_the_model_says(
        self, raw: RawEntry, chance: st.DataObject
    ) -> None:
        name, data = raw[0][1], bytearray(raw[1][1])
        data[chance.draw(st.integers(0, len(data) - 1))] = chance.draw(st.integers(0, 255))
        changed = raw_entry(name, bytes(data))
        assert decoded(*changed) == from_the_model(changed)

    def test_every_changed_byte_of_an_entry_decodes_as_the_model_says(self) -> None:
        payload = b'{"user_id":7,"lines":[{"item_id":"h\\u00e9","quantity":20}],"x":[-1.5e3]}'
        for place in range(len(payload)):
            for byte in range(256):
                raw = raw_entry("Order", payload[:place] + bytes([byte]) + payload[place + 1 :])
                assert decoded(*raw) == from_the_model(raw)


def filled(start: bytes, unit: bytes, size: int = 65_536) -> bytes:
    return start + unit * ((size - len(start)) // len(unit))


WORST = [
    filled(b"[]," * 600 + b'"', b'\\"'),
    filled(b"[]" * 600, b'"'),
    filled(b'{"x":"', b"\\\\"),
    filled(b'{"x":"', b'\\"'),
    filled(b"", b"["),
    filled(b"", b"{"),
    filled(b'{"x":[', b"[],"),
    filled(b'{"x":["\\ud800"', b",{}"),
    filled(b"{", b'"":0,'),
    filled(b'{"x":', b"9"),
    filled(b'{"x":0.', b"9"),
    filled(b'{"x":1e', b"9"),
    filled(b'{"user_id":1,"amount":', b"9"),
    filled(b'{"lines":[', b'{"item_id":"x","quantity":1},'),
    filled(b'{"x":"\\ud800"}', b" "),
    filled(b"\x81", b"\x80"),
    filled(b"\x82\xa1x\xdc\xff\xff", b"\x80"),
    filled(b"\x82\xa1x\xdc\xff\xff", b"\x90"),
    filled(b"\x81\xa1x\xdd\xff\xff\xff\xff", b"\x01"),
    filled(b"\xdf\x00\x00\xff\xff", b"\xa0\xc0"),
    filled(b"", b"\x81\xa0"),
    filled(b"\x81\xa1x", b"\x91"),
]


class TestTimeAndMemory:
    @pytest.mark.parametrize("data", WORST, ids=lambda data: repr(data[:12]))
    def test_64_kib_of_the_worst_data_are_decided_in_a_moment(self, data: bytes) -> None:
        def cost(fields: list[bytes]) -> float:
            started = time.process_time()
            SHOP.fold(SHOP.empty(), [(b"1-0", fields)])
            return time.process_time() - started

        for name in ("TopUp", "AddItem", "Order"):
            fields = as_sent(raw_entry(name, data))
            # One of three is enough, since a busy machine may slow any; the square of the size would be seconds.
            assert any(cost(fields) < 1 for _ in range(3))

    def test_64_kib_of_the_worst_data_take_a_bounded_amount_of_memory(self) -> None:
        tracemalloc.start()
        try:
            for data in WORST:
                tracemalloc.reset_peak()
                SHOP.fold(SHOP.empty(), [(b"1-0", as_sent(raw_entry("TopUp", data)))])
                assert tracemalloc.get_traced_memory()[1] < 24 * MIB, data[:20]
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("data", WORST, ids=lambda data: repr(data[:12]))
    def test_the_answer_is_that_of_the_model(self, data: bytes) -> None:
        for name in ("TopUp", "Order", "OrderType"):
            raw = raw_entry(name, data)
            assert decoded(*raw) == from_the_model(raw)
