"""The form of any event of any domain: every kind of field is asked for, judged and published as its model says."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from textual.widgets import Button, Input

from esdash.fold.folding import Fold
from esdash.ui.forms.type_form import TypeForm
from tests.domains import kinds, the_bank, the_depots
from tests.domains.every_kind import Described, Part, Piece, Size
from tests.domains.shop import shop
from tests.ui.filling import fill, form_of, note, offered, payload, value
from tests.ui.recording_console import RecordingConsole
from tests.ui.stage import Stage, said, until, write

ALL = {
    "thing": "a thing",
    "pieces": "1,000",
    "price": "12.34",
    "ratio": "1.50",
    "fragile": "yes",
    "size": "large",
    "care": "2",
    "made": "2026-11-23T14:03:05+00:00",
    "seen": "1700000000000",
    "note": "two  words",
    "part": '{"name":"leg","grams":5,"tags":["a"]}',
}
"""What is typed for each required field."""


def a_bank() -> RecordingConsole:
    """Two accounts."""
    opened = ('{"account":"A-1","owner":"Ann"}', '{"account":"B 2","owner":"Bob"}')
    return RecordingConsole(*(("Opened", data) for data in opened), fold=the_bank())


def read_back(console: RecordingConsole) -> Any:
    """The event that the fold makes of what was published last."""
    return console.fold.read(console.view.rows[-1].fields).event


def wrong(form: TypeForm, field: str, complaint: str) -> bool:
    """Whether this is said under it."""
    said_there = note(form, field)
    return said_there.startswith("✗ ") and complaint in said_there


class TestEveryKindOfField:
    async def test_what_is_typed_is_the_event_that_is_read_back(self) -> None:
        console = RecordingConsole(fold=kinds())
        form = form_of("Described", console)
        app = Stage(form)
        async with app.run_test(size=(100, 60)) as pilot:
            assert said(pilot).startswith(
                "· still needed: thing, pieces, price, ratio, fragile, size, care, made, seen"
            )
            fill(form, {**ALL, "holds": '"a thing":12.50 other:1', "owner": "Ann", "limit": "7", "nickname": '""'})
            await pilot.pause()
            assert said(pilot).startswith("✓ would be applied: price of thing a thing new → 12.34")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        made = datetime.fromisoformat("2026-11-23T14:03:05+00:00")
        assert read_back(console) == Described(
            "a thing", 1000, 1234, Decimal("1.50"), True, Size.LARGE, 2, made, 1_700_000_000_000, "two  words",
            Part("leg", 5, ("a",)), (Piece("a thing", 1250), Piece("other", 100)), "Ann", 7, "",
        )  # fmt: skip

    async def test_what_is_left_out_is_as_the_model_says(self) -> None:
        console = RecordingConsole(fold=kinds())
        form = form_of("Described", console)
        app = Stage(form)
        async with app.run_test(size=(100, 60)) as pilot:
            assert (value(form, "limit"), value(form, "nickname"), value(form, "owner")) == ("5", "none", "")
            fill(form, {**ALL, "limit": ""})
            await pilot.pause()
            assert note(form, "owner") == "optional"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        event = read_back(console)
        assert (event.owner, event.limit, event.nickname, event.holds, event.first) == (None, None, "none", (), None)

    async def test_what_is_wrong_is_said_under_its_field(self) -> None:
        console = RecordingConsole(fold=kinds())
        form = form_of("Described", console)
        async with Stage(form).run_test(size=(100, 60)) as pilot:
            for field, text, complaint in (
                ("thing", "x" * 41, "thing has 1 to 40 characters"),
                ("pieces", "0", "pieces is from 1 to 1,000,000"),
                ("pieces", "1.5", "a whole number"),
                ("price", "1.234", "an amount is written like 12.34"),
                ("ratio", "half", "ratio is a number like 12.34"),
                ("fragile", "perhaps", "fragile is yes or no"),
                ("size", "huge", "size is one of small, large"),
                ("care", "3", "care is one of normal, 2"),
                ("made", "yesterday", "made is a time like 2026-11-23 14:03:05"),
                ("seen", "soon", "a time is written like 2026-11-23 14:03:05"),
                ("part", '{"name":"leg"', "part is written as JSON"),
                ("part", '{"name":"leg"}', "missing required field grams"),
                ("holds", "thing:x", "an amount is written like 12.34"),
                ("first", '{"name":"x","grams":1.5}', "expected int"),
            ):
                fill(form, {**ALL, "holds": "", "first": "", field: text})
                await until(pilot, partial(wrong, form, field, complaint))
                assert said(pilot) == f"✗ cannot be published: see {field}"
                await pilot.press("enter")
            fill(form, {**ALL, "holds": "thing", "first": ""})
            await pilot.pause()
            assert said(pilot).startswith("✓"), "a number that is left out is 1"
        assert console.published == []

    async def test_a_choice_is_completed_and_enter_takes_it(self) -> None:
        form = form_of("Described", RecordingConsole(fold=kinds()))
        async with Stage(form).run_test(size=(100, 60)) as pilot:
            form.query_one("#field-size").focus()
            await write(pilot, "l")
            assert offered(form) == ["large"]
            await pilot.press("enter")
            assert value(form, "size") == "large"
            form.query_one("#field-fragile").focus()
            await pilot.press("down")
            assert offered(form) == ["yes", "no"]
            await pilot.press("down", "enter")
            assert value(form, "fragile") == "no"

    async def test_a_time_is_shown_as_people_write_it(self) -> None:
        form = form_of("Described", RecordingConsole(fold=kinds()), seen="2023-11-14 22:13:20")
        async with Stage(form).run_test(size=(100, 60)) as pilot:
            fill(form, {name: text for name, text in ALL.items() if name != "seen"})
            await pilot.pause()
            assert said(pilot).startswith("✓")

    async def test_an_event_without_fields_is_published_by_its_button(self) -> None:
        console = RecordingConsole(fold=kinds())
        app = Stage(form_of("Ticked", console))
        async with app.run_test() as pilot:
            assert said(pilot).startswith("✓ would be applied: times of number 0 new → 1")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {}

    async def test_json_that_a_form_begins_with_is_harmless_and_json(self) -> None:
        form = form_of("Described", RecordingConsole(fold=kinds()), part='{"name":"\u202ex","grams":1}')
        async with Stage(form).run_test(size=(100, 60)) as pilot:
            fill(form, {name: text for name, text in ALL.items() if name != "part"})
            await pilot.pause()
            assert value(form, "part") == r'{"name":"\u202ex","grams":1}'
            assert said(pilot).startswith("✓")

    async def test_json_is_typed_harmlessly(self) -> None:
        form = form_of("Described", RecordingConsole(fold=kinds()))
        async with Stage(form).run_test(size=(100, 60)) as pilot:
            form.query_one("#field-part", Input).insert('{"name":"\u202ex\x1b"', 0)
            await pilot.pause()
            assert value(form, "part") == '{"name":"\\u202ex\\u001b"'


class TestRows:
    async def test_two_fields_about_one_table_are_called_by_their_names(self) -> None:
        form = form_of("Transferred", a_bank())
        async with Stage(form).run_test() as pilot:
            assert said(pilot) == "· still needed: source, target, amount"

    async def test_one_field_about_a_table_is_called_by_the_word_for_its_row(self) -> None:
        async with Stage(form_of("Opened", a_bank())).run_test() as pilot:
            assert said(pilot) == "· still needed: account, owner"

    async def test_rows_are_offered_with_their_cells_as_people_read_them(self) -> None:
        form = form_of("Transferred", a_bank())
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "b")
            await pilot.pause()
            assert "▸ B 2  balance 0.00 · owner Bob" in app.plain
            await pilot.press("tab")
            assert value(form, "source") == "B 2"
            assert note(form, "source") == "balance 0.00 · owner Bob"

    async def test_a_row_that_an_event_would_make_is_called_new(self) -> None:
        form = form_of("Opened", a_bank())
        async with Stage(form).run_test() as pilot:
            fill(form, {"account": "C"})
            await pilot.pause()
            assert note(form, "account") == "no such account yet"
            fill(form, {"owner": "Cy"})
            await pilot.pause()
            assert note(form, "account") == "new account"
            assert said(pilot) == ("✓ would be applied: balance of account C new → 0.00, owner of account C new → Cy")

    async def test_a_refusal_is_foreseen_with_its_sentence_and_numbers(self) -> None:
        async with Stage(form_of("Transferred", a_bank(), source="A-1", target="B 2", amount="5")).run_test() as pilot:
            assert said(pilot) == ("✗ would be rejected: insufficient_funds — …: needed 5.00, had 0.00, short 5.00")
            assert str(pilot.app.screen.query_one("#publish", Button).label) == "Publish anyway"

    async def test_an_unfinished_name_is_completed_by_enter_where_it_would_be_refused(self) -> None:
        form = form_of("Forgotten", RecordingConsole(fold=kinds()))
        console = form.engine
        assert isinstance(console, RecordingConsole)
        async with Stage(form_of("Described", console, **ALL)).run_test(size=(100, 60)) as pilot:
            await pilot.press("enter")
            await until(pilot, lambda: console.view.rows)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "a")
            assert said(pilot).startswith("✗ would be rejected: unknown_thing")
            await pilot.press("enter")
            assert value(form, "thing") == "a thing"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console)["thing"] == "a thing"

    async def test_the_text_of_every_row_is_typed_without_quotation_marks(self) -> None:
        console = a_bank()
        app = Stage(form_of("Transferred", console, source="A-1", target="B 2", amount="5"))
        async with app.run_test() as pilot:
            await pilot.press("enter", "enter")
            await until(pilot, lambda: app.results)
        assert payload(console)["target"] == "B 2"


class TestADomainThatFails:
    async def test_the_consumer_would_halt_so_it_takes_a_second_enter(self) -> None:
        console = RecordingConsole(fold=kinds())
        async with Stage(form_of("Replaced", console, number="1", by="1")).run_test() as pilot:
            assert said(pilot).startswith("✗ the domain fails on it, and the consumer would halt: every_kind.py:")
            assert "ZeroDivisionError" in said(pilot)
            await pilot.press("enter")
            assert said(pilot).endswith("Enter again: publish it anyway.")
        assert console.published == []


@pytest.mark.parametrize("fold", [shop(), the_bank(), the_depots(), kinds()], ids=lambda fold: fold.name)
async def test_the_form_of_every_event_fits_every_terminal(fold: Fold) -> None:
    for event_type in fold.publishable:
        app = Stage(form_of(event_type.wire_name, RecordingConsole(fold=fold)))
        async with app.run_test(size=(60, 16)) as pilot:
            for size in ((60, 16), (120, 40)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                for needed in ("Publish", "Cancel", "Enter publish · Tab complete · ↓ known · Esc cancel"):
                    assert needed in app.plain


async def test_a_form_longer_than_the_screen_begins_with_the_field_that_is_typed_in() -> None:
    form = form_of("Described", RecordingConsole(fold=kinds()))
    app = Stage(form)
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        await pilot.pause()
        field = form.query_one("#field-thing", Input)
        assert field.has_focus
        assert form.query_one("#body").region.contains_region(field.region)
