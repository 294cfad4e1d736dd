"""One entry, read closely."""

import json
from datetime import UTC, timedelta, timezone
from threading import Event
from typing import Any

import pytest
from msgspec.structs import replace

from esdash.domain import MONEY
from esdash.engine.shown.kept import row_of
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Continuity, Verdict
from esdash.fold.cells import Change
from esdash.fold.folding import Told
from esdash.fold.outcomes import APPLIED, INVALID_DATA, TOO_LARGE
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.details import DetailsScreen
from esdash.visible import visible
from tests.domains.ways import present
from tests.ui.any_domain import a_console, key, one, sound, typed
from tests.ui.recording_console import RecordingConsole
from tests.ui.stage import Stage, a_shop, still, until

pytestmark = pytest.mark.usefixtures("any_domain")

CHANGES = Told((Change("users", 7, "balance", 1200, 0), Change("items", "hdd", "remain", 5, 4)))
V0_TOP_UP = bytes.fromhex("84a24944a0a454797065a5546f705570a655736572494407a6416d6f756e7405")


def a_row(data: bytes, *fields: bytes, code: int | None = APPLIED, event_type: str = "") -> Row:
    """Of a type of the present domain unless another is given."""
    name = (event_type or sound(1)[0]).encode()
    return Row(5, b"1700000000123-0", (b"type", name, b"data", data, *fields), code)


def a_log() -> RecordingConsole:
    """Four entries of the present domain."""
    return a_console(1, 2, 3, 4)


def details(row: Row, console: RecordingConsole | None = None, **more: Any) -> DetailsScreen:
    return DetailsScreen(console or a_log(), row, zone=timezone(timedelta(hours=2)), **more)


async def told(row: Row, size: tuple[int, int] = (100, 40), console: RecordingConsole | None = None) -> str:
    """All that the details of a row say, once they are complete."""
    screen = details(row, console)
    async with Stage(screen).run_test(size=size) as pilot:
        await until(pilot, lambda: "computing" not in screen.query_one(Pager).text)
        return screen.query_one(Pager).text


class TestReadingAnEntry:
    @pytest.mark.shop_alone
    async def test_it_tells_what_the_entry_is_and_when(self) -> None:
        text = await told(a_row(b'{"user_id":7,"amount":1200}', b"key", b"abc"))
        for line in (
            "Id        1700000000123-0",
            "UTC       2023-11-14 22:13:20.123",
            "Local     2023-11-15 00:13:20.123 +02:00",
            "Ordinal   5",
            "What      user 7 +12.00",
            "Outcome   ✓ applied",
            "key       abc",
        ):
            assert line in text.splitlines()

    async def test_its_number_is_the_same_in_a_partial_history(self) -> None:
        console = a_log()
        console.become(continuity=Continuity(Verdict.CONTINUOUS, unseen_before_start=1995))
        text = await told(a_row(b"{}"), console=console)
        assert "Ordinal   5, and #2,000 of all that were ever added" in text.splitlines()

    async def test_every_outcome_is_explained(self) -> None:
        outcomes = present().fold().outcomes
        rows = [replace(a_row(b"{}", code=code), entry_id=b"%d-0" % code) for code in range(len(outcomes))]
        screen = details(rows[0], rows=rows)
        async with Stage(screen).run_test() as pilot:
            for outcome in outcomes:
                text = screen.query_one(Pager).text
                assert outcome.name in text
                assert (outcome.reason or "") in text
                await pilot.press("n")

    async def test_an_outcome_nobody_knows_any_more_is_not_invented(self) -> None:
        text = await told(replace(a_row(b"{}", code=None), ordinal=0))
        assert "Outcome   not known any more" in text
        assert "Ordinal   not known" in text

    @pytest.mark.shop_alone
    async def test_numbers_before_and_after_come_when_they_are_computed(self) -> None:
        console = a_shop()
        console.told = CHANGES
        console.gate = Event()
        screen = details(a_row(b"{}"), console)
        async with Stage(screen).run_test() as pilot:
            pager = screen.query_one(Pager)
            assert "computing …" in pager.text
            console.gate.set()
            await until(pilot, lambda: "computing" not in pager.text)
            assert "balance    user 7    12.00 → 0.00  (−12.00)" in pager.text
            assert "remaining  item hdd  5 → 4  (−1)" in pager.text

    async def test_a_refused_entry_shows_the_numbers_that_decided(self) -> None:
        console = a_log()
        console.told = Told((), 2400, 1200, MONEY)
        text = await told(a_row(b"{}"), console=console)
        assert "Nothing changed." in text
        assert "needed 24.00, had 12.00, short 12.00" in text

    async def test_an_entry_is_told_with_its_rows(self) -> None:
        _, data = sound(7)
        table, row, column, value = present().cell(7, 100)
        console = a_log()
        console.told = Told((Change(table, row, column, None, value),))
        text = await told(a_row(data), console=console)
        assert f"What      {one()} {key(7)} " in text
        assert f"{one()} {key(7)}  – → {typed(100)}" in text

    async def test_what_cannot_be_computed_is_said(self) -> None:
        console = a_log()
        console.told = "The entries before it were trimmed."
        assert "✗ The entries before it were trimmed." in await told(a_row(b"{}"), console=console)


class TestReadingAPayload:
    async def test_json_is_set_out_as_it_is_stored(self) -> None:
        text = await told(a_row(b'{"a":1,"a":2.0,"b":1e999}'))
        assert '25 bytes · JSON\n{\n  "a": 1,\n  "a": 2.0,\n  "b": 1e999\n}' in text

    @pytest.mark.shop_alone
    async def test_messagepack_is_told_and_shown_as_bytes(self) -> None:
        text = await told(a_row(V0_TOP_UP))
        assert "32 bytes · MessagePack" in text
        assert '"UserID": 7' in text
        assert "0000  84 a2 49 44 a0 a4 54 79 70 65 a5 54 6f 70 55 70  ··ID··Type·TopUp" in text

    async def test_a_narrow_screen_shows_eight_bytes_a_line(self) -> None:
        text = await told(a_row(V0_TOP_UP), size=(60, 16))
        assert "0008  70 65 a5 54 6f 70 55 70  pe·TopUp" in text

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("data", [b"", b"\xff\xfe", b'{"a":', b"[NaN]", b"\x83\xa1", b'"\xff"'])
    async def test_broken_data_is_shown_as_bytes(self, data: bytes) -> None:
        text = await told(a_row(data, code=INVALID_DATA))
        assert (f"0000  {data.hex(' ')}" if data else "0 bytes") in text

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize(
        "data",
        [
            b"[" * 60_000,
            b"[" * 30_000 + b"]" * 30_000,
            b"[" + b"1," * 32_000 + b"1]",
            b'"' + b"x" * 65_000 + b'"',
            bytes(range(256)) * 4096,
        ],
        ids=["open", "nested", "long", "text", "bytes"],
    )
    async def test_a_huge_payload_is_shown_up_to_64_kib(self, data: bytes) -> None:
        text = await told(a_row(data, code=TOO_LARGE))
        assert len(text) < 64 * 1024 * 12
        if len(data) > 65_536:
            assert "1,048,576 bytes, the first 65,536 shown" in text

    async def test_json_that_is_too_large_is_shown_as_text_and_said_to_be_cut(self) -> None:
        data = json.dumps({"user_id": 7, "amount": 5, "note": "é" * 35_000}, ensure_ascii=False).encode()
        assert len(data) == 70_039
        text = await told(a_row(data, code=TOO_LARGE))
        assert "70,039 bytes, the first 65,536 shown · text that begins like JSON" in text
        assert '{"user_id": 7, "amount": 5, "note": "éé' in text
        assert "not JSON" not in text
        assert "0000  " not in text, "text is not shown as bytes"

    async def test_what_is_kept_of_a_cut_entry_is_not_called_all_of_it(self) -> None:
        data = b'{"user_id": 7, "note": "' + b"x" * 2_000_000 + b'"}'
        row = row_of(5, (b"1700000000123-0", [b"type", b"TopUp", b"data", data]), TOO_LARGE)
        assert "2,000,026 bytes, the first 65,536 shown · text that begins like JSON" in await told(row)

    async def test_a_cut_entry_is_not_copied_as_if_it_were_whole(self) -> None:
        screen = details(row_of(5, (b"1700000000123-0", [b"type", b"TopUp", b"data", b"x" * 100_000]), TOO_LARGE))
        async with (app := Stage(screen)).run_test() as pilot:
            await pilot.press("y")
            await pilot.pause()
            assert "too many to be copied here" in [told.message for told in app._notifications][-1]
            assert app.clipboard == ""

    @pytest.mark.shop_alone
    async def test_hostile_text_is_harmless_everywhere(self) -> None:
        hostile = "[red]\x1b[31m\u202e\u200b[/]"
        data = json.dumps({"item_id": hostile}, ensure_ascii=False).encode()
        raw = hostile.encode()
        console = a_shop()
        console.told = Told((Change("items", hostile, "remain", 1, 2),))
        for code in (APPLIED, INVALID_DATA):
            text = await told(
                a_row(data, b"key", raw, raw, raw, b"a very long name " + raw, raw, event_type=hostile, code=code),
                console=console,
            )
            for line in text.splitlines():
                assert visible(line, 1000) == line
            assert "[red]␛[31m⟨202E⟩⟨200B⟩[/]" in text

    async def test_an_id_that_is_no_time_is_no_crash(self) -> None:
        text = await told(replace(a_row(b"{}"), entry_id=b"18446744073709551615-1"))
        assert "the id holds no time" in text

    async def test_fields_without_end_are_counted(self) -> None:
        text = await told(a_row(b"{}", *[b"x", b"y"] * 500))
        assert "… and 302 more fields" in text

    async def test_y_copies_the_payload(self) -> None:
        app = Stage(details(a_row(b'{"user_id":7,"amount":1200}')))
        async with app.run_test() as pilot:
            await pilot.press("y")
            assert app.clipboard == '{"user_id":7,"amount":1200}'

    async def test_bytes_are_copied_as_hexadecimal(self) -> None:
        app = Stage(details(a_row(b"\xff\x00")))
        async with app.run_test() as pilot:
            await pilot.press("y")
            assert app.clipboard == "ff00"


class TestLeafing:
    async def test_n_and_p_turn_to_the_neighbours_and_stop_at_the_ends(self) -> None:
        console = a_log()
        rows = console.view.rows
        screen = details(rows[1], console, rows=rows)
        async with Stage(screen).run_test() as pilot:
            for key, ordinal in (("n", 3), ("right", 4), ("n", 4), ("p", 3), ("left", 2), ("p", 1), ("p", 1)):
                await pilot.press(key)
                assert f"Ordinal   {ordinal}" in screen.query_one(Pager).text

    async def test_one_computation_runs_at_a_time_and_the_last_entry_gets_its_answer(self) -> None:
        console = a_log()
        console.gate = Event()
        rows = [replace(row, told=None) for row in console.view.rows]
        screen = details(rows[0], console, rows=rows)
        async with Stage(screen).run_test() as pilot:
            await until(pilot, lambda: console.looked_up)
            await pilot.press("n", "n", "n")
            assert len(console.looked_up) == 1
            console.gate.set()
            await until(pilot, lambda: "computing" not in screen.query_one(Pager).text)
            assert console.looked_up == [rows[0].entry_id, rows[3].entry_id]

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("key", ["escape", "q", "enter"])
    async def test_it_closes(self, key: str) -> None:
        app = Stage(details(a_row(b"{}")))
        async with app.run_test() as pilot:
            await pilot.press(key)
            await until(pilot, lambda: app.results)

    @pytest.mark.domains_in_turn
    async def test_it_scrolls_by_keys_in_a_small_terminal(self) -> None:
        app = Stage(details(a_row(b'{"a":[1,2,3,4,5,6,7,8,9]}')))
        async with app.run_test(size=(60, 16)) as pilot:
            assert "Esc close" in app.plain
            assert "Id        1700000000123-0" in app.plain
            await pilot.press("j")
            await pilot.pause()
            assert "Id        1700000000123-0" not in app.plain
            await pilot.press("G")
            await pilot.pause()
            assert "}" in app.plain
            await pilot.press("g")
            await pilot.pause()
            assert "Id        1700000000123-0" in app.plain
            await pilot.press("escape")
            await until(pilot, lambda: app.results)


@pytest.mark.shop_alone
class TestPictures:
    def test_reading_an_order(self, snap_compare: Any) -> None:
        console = a_shop()
        console.told = CHANGES
        data = b'{"user_id":7,"lines":[{"item_id":"hdd","quantity":1}]}'
        screen = DetailsScreen(console, a_row(data, b"key", b"abc", event_type="Order"), zone=UTC)

        async def act(pilot: Any) -> None:
            await until(pilot, lambda: "computing" not in screen.query_one(Pager).text)
            await still(pilot)

        assert snap_compare(Stage(screen), run_before=act, terminal_size=(100, 32))
