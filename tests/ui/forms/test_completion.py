"""Known names are offered while one types, and no name can do harm."""

import json

import pytest
from textual import events
from textual.widgets import Input

from esdash.ui.forms.inputs import Suggestions
from tests.ui.any_domain import a_console, a_form, fields, key
from tests.ui.filling import form_of, note, offered, payload, value
from tests.ui.recording_console import RecordingConsole
from tests.ui.stage import Stage, a_shop, until, write


class TestCompletion:
    async def test_known_users_are_offered_with_their_balance(self) -> None:
        form = form_of("Order", a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            assert offered(form) == ["7", "70"]
            matches = form.query(Suggestions).first().completion.matches
            assert [match.detail for match in matches] == ["12.00", "9,999.00"]

    async def test_tab_takes_the_first_match_and_goes_on(self) -> None:
        form = form_of("AddItem", a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("tab")
            assert value(form, "item_id") == "hdd"
            assert form.focused is form.query_one("#field-count")

    async def test_right_takes_it_and_stays(self) -> None:
        form = form_of("AddItem", a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("right")
            assert value(form, "item_id") == "hdd"
            assert form.focused is form.query_one("#field-item_id")

    @pytest.mark.usefixtures("any_domain")
    async def test_down_lists_what_is_known_and_enter_takes_the_chosen_one(self) -> None:
        form = a_form(a_console(7, 70))
        async with Stage(form).run_test() as pilot:
            await pilot.press("down")
            assert offered(form) == [key(7), key(70)]
            await pilot.press("down", "enter")
            assert value(form, fields()[0]) == key(70)
            assert offered(form) == []

    async def test_a_user_who_may_be_new_is_never_changed_into_another_by_tab(self) -> None:
        form = form_of("TopUp", RecordingConsole(("TopUp", '{"user_id":70,"amount":1}')))
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            assert offered(form) == ["7", "70"]
            await pilot.press("tab")
            assert value(form, "user_id") == "7"
            assert form.focused is form.query_one("#field-amount")

    async def test_enter_completes_where_only_a_known_name_makes_sense(self) -> None:
        form = form_of("Order", a_shop(), user_id="7")
        async with Stage(form).run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("enter")
            assert value(form, "lines") == "hdd"

    @pytest.mark.usefixtures("any_domain")
    async def test_escape_closes_the_list_first(self) -> None:
        form = a_form(a_console(7, 70))
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "7")
            assert offered(form) == [key(7), key(70)]
            await pilot.press("escape")
            assert offered(form) == []
            assert app.results == []
            await pilot.press("escape")
            await until(pilot, lambda: app.results)

    @pytest.mark.usefixtures("any_domain")
    async def test_a_match_can_be_clicked(self) -> None:
        form = a_form(a_console(7, 70))
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            await pilot.click(form.query(Suggestions).first(), offset=(4, 1))
            assert value(form, fields()[0]) == key(70)
            assert form.focused is form.query_one(f"#field-{fields()[0]}")

    async def test_each_has_one_line_where_the_terminal_is_narrow(self) -> None:
        names = [f"h{number}{'x' * 40}" for number in range(3)]
        items = [("AddItem", json.dumps({"item_id": name, "count": 5, "price": 1200})) for name in names]
        form = form_of("AddItem", RecordingConsole(*items))
        async with (app := Stage(form)).run_test(size=(44, 24)) as pilot:
            await write(pilot, "h")
            await pilot.pause()
            lines = app.plain.splitlines()
            first = next(place for place, line in enumerate(lines) if "h0x" in line)
            assert [name[:3] in line for name, line in zip(names, lines[first:], strict=False)] == [True] * 3

    async def test_tens_of_thousands_of_users_are_offered_a_few_at_a_time(self) -> None:
        console = RecordingConsole(
            *(("TopUp", json.dumps({"user_id": user_id, "amount": 1})) for user_id in range(1, 2000, 7))
        )
        form = form_of("Order", console)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "1")
            assert offered(form) == ["1", "15", "106", "113", "120"]

    async def test_an_item_is_found_by_what_is_in_it(self) -> None:
        form = form_of("AddItem", a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "DD")
            assert offered(form) == ["hdd"]


class TestHostileNames:
    NAME = "[red]x\u202e\u200b"

    def shop(self) -> RecordingConsole:
        return RecordingConsole(
            ("TopUp", '{"user_id":7,"amount":100000}'),
            ("AddItem", json.dumps({"item_id": self.NAME, "count": 5, "price": 1200})),
        )

    async def test_a_suggestion_shows_them_and_obeys_nothing(self) -> None:
        app = Stage(form_of("Order", self.shop(), user_id="7"))
        async with app.run_test() as pilot:
            await write(pilot, "x")
            await pilot.pause()
            assert "[red]x⟨202E⟩⟨200B⟩" in app.plain
            assert "\u202e" not in app.plain

    async def test_a_completed_name_is_ordered_as_it_is(self) -> None:
        console = self.shop()
        form = form_of("Order", console, user_id="7")
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "x")
            await pilot.press("tab")
            assert value(form, "lines") == r"[red]x\u{202E}\u{200B}"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
            assert "\u202e" not in app.plain
        assert payload(console)["lines"][0]["item_id"] == self.NAME

    async def test_a_paste_of_several_lines_loses_none(self) -> None:
        form = form_of("Order", a_shop(), user_id="70")
        app = Stage(form)
        async with app.run_test() as pilot:
            field = form.query_one("#field-lines", Input)
            field.value = "old"
            field.focus()
            field.select_all()
            app.post_message(events.Paste("hdd:2\r\n  cpu:1\n\nfan\x1b\n"))
            await until(pilot, lambda: value(form, "lines") == r"hdd:2 cpu:1 fan\u{1B}")

    async def test_marks_that_a_letter_carries_are_typed_as_themselves(self) -> None:
        form = form_of("AddItem", a_shop())
        app = Stage(form)
        async with app.run_test() as pilot:
            field = form.query_one("#field-item_id", Input)
            field.focus()
            for char in "ผู้ป่วย ❤\ufe0f":
                field.insert_text_at_cursor(char)
            await pilot.pause()
            assert value(form, "item_id") == "ผู้ป่วย ❤\ufe0f"
            assert "ผู้ป่วย ❤\ufe0f" in app.plain
            field.cursor_position = 1
            await pilot.press("backspace")
            assert value(form, "item_id") == r"\u{E39}\u{E49}ป่วย ❤" + "\ufe0f"
            assert field.cursor_position == 0
            await pilot.press("ผ")
            assert field.cursor_position == 1
            field.value = ""
            for char in "👩\u200d🚒\u3000a":
                field.post_message(events.Key(char, char))
            await pilot.pause()
            assert value(form, "item_id") == r"👩\u{200D}🚒\u{3000}a", "what joins them is no less typed than pasted"

    async def test_pasted_escapes_are_written_out(self) -> None:
        form = form_of("AddItem", a_shop())
        app = Stage(form)
        async with app.run_test() as pilot:
            form.query_one("#field-item_id", Input).insert("a\x1b[31m", 0)
            await pilot.pause()
            assert value(form, "item_id") == r"a\u{1B}[31m"
            assert note(form, "item_id") == "✗ item has 1 to 64 characters and no control characters"
            assert "\x1b" not in app.plain
