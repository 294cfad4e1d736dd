"""The forms: what they say while one types, and that what they publish counts once."""

from threading import Event
from typing import Any

import pytest
from textual.widgets import Button, Input

from esdash.engine.console import Published
from esdash.engine.shown.view import Phase
from tests.domains.ways import present
from tests.ui.any_domain import a_console, a_form, fields, key, one, sound, typed
from tests.ui.filling import form_of, note, payload, value
from tests.ui.recording_console import RecordingConsole, keys_of
from tests.ui.stage import Stage, a_shop, said, still, until, write


@pytest.mark.usefixtures("any_domain")
class TestFillingIn:
    async def test_the_outcome_is_said_while_one_types(self) -> None:
        app = Stage(a_form(a_console(7)))
        async with app.run_test() as pilot:
            _, second = fields()
            assert said(pilot) == f"· still needed: {one()}, {second}"
            await write(pilot, key(8))
            assert said(pilot) == f"· still needed: {second}"
            await pilot.press("tab")
            await write(pilot, typed(500))
            assert said(pilot).startswith("✓ would be applied: ")
            assert f" of {one()} {key(8)} new → " in said(pilot)

    async def test_enter_publishes_and_the_form_answers_with_what_was_published(self) -> None:
        console = a_console(7)
        app = Stage(a_form(console))
        async with app.run_test() as pilot:
            await write(pilot, key(8))
            await pilot.press("tab")
            await write(pilot, typed(50))
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert console.published == [sound(8, 50)]
        (published,) = app.results
        assert isinstance(published, Published)
        assert len(published.key) == 32

    async def test_the_selected_row_is_filled_in_and_the_value_comes_next(self) -> None:
        console = a_console(7)
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await write(pilot, typed(100_000))
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert console.published == [sound(8, 100_000)]

    async def test_a_new_row_is_named_as_such(self) -> None:
        form = a_form(a_console(7))
        async with Stage(form).run_test() as pilot:
            await write(pilot, key(8))
            await pilot.press("tab")
            await write(pilot, typed(100))
            assert note(form, fields()[0]) == f"new {one()}"

    async def test_enter_in_an_unfinished_form_goes_to_what_is_missing(self) -> None:
        form = a_form(a_console(7))
        async with Stage(form).run_test() as pilot:
            await write(pilot, key(8))
            await pilot.press("enter")
            assert form.focused is form.query_one(f"#field-{fields()[1]}")

    async def test_an_event_that_would_be_rejected_needs_a_second_enter(self) -> None:
        console = a_console(7)
        name, members = present().refused
        app = Stage(form_of(name, console, **{field: str(member) for field, member in members.items()}))
        async with app.run_test() as pilot:
            assert said(pilot).startswith("✗ would be rejected: ")
            await pilot.press("enter")
            assert console.published == []
            assert said(pilot).endswith("Enter again: publish it anyway.")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert [each for each, _ in console.published] == [name]

    async def test_the_outcome_follows_the_state(self) -> None:
        console = a_console(7)
        async with Stage(a_form(console, 8)).run_test() as pilot:
            await write(pilot, "1")
            assert f"{key(8)} new → " in said(pilot)
            console.publish(*sound(8))
            await until(pilot, lambda: "new → " not in said(pilot))

    async def test_escape_cancels(self) -> None:
        console = a_console(7)
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await write(pilot, "1")
            await pilot.press("escape")
            await until(pilot, lambda: app.results)
        assert app.results == [None]
        assert console.published == []

    async def test_the_mouse_is_enough(self) -> None:
        console = a_console(7)
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await pilot.click(f"#field-{fields()[1]}")
            await write(pilot, typed(100))
            await pilot.click("#publish")
            await until(pilot, lambda: app.results)
        assert console.published == [sound(8, 100)]


class TestToppingUp:
    async def test_what_it_changes_is_said_with_what_it_was(self) -> None:
        async with Stage(form_of("TopUp", a_shop(), user_id="7")).run_test() as pilot:
            await write(pilot, "1,000")
            assert said(pilot) == "✓ would be applied: balance of user 7 12.00 → 1,012.00"

    async def test_what_is_wrong_with_it_is_foreseen(self) -> None:
        async with Stage(form_of("TopUp", a_shop(), user_id="7")).run_test() as pilot:
            await write(pilot, "0")
            assert said(pilot).startswith("✗ would be rejected: invalid_amount — ")

    async def test_a_wrong_amount_is_explained_and_cannot_be_published(self) -> None:
        console = a_shop()
        form = form_of("TopUp", console, user_id="7")
        async with Stage(form).run_test() as pilot:
            for typed in ("12.345", "1e3", "-5", "x", "12,50", "10000000000000.01"):
                form.query_one("#field-amount", Input).value = ""
                form.query_one("#field-amount").focus()
                await write(pilot, typed)
                assert note(form, "amount").startswith("✗ amount"), typed
                assert said(pilot) == "✗ cannot be published: see amount"
                await pilot.press("enter")
                await pilot.click("#publish")
        assert console.published == []


@pytest.mark.domains_in_turn
@pytest.mark.usefixtures("any_domain")
class TestPublishingOverABadNetwork:
    async def test_a_failure_keeps_what_was_typed_and_says_why(self) -> None:
        console = a_console(7)
        console.failures = ["The server does not answer. Is it running?"]
        form = a_form(console, 8)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            await until(pilot, lambda: "The server does not answer." in said(pilot, "#failure"))
            assert [value(form, field) for field in fields()] == [key(8), "5"]
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        first, second = console.published
        assert first == second
        assert len(set(console.keys)) == 1

    async def test_a_lost_reply_and_a_retry_count_once(self) -> None:
        console = a_console(7)
        console.replies_lost = 1
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await write(pilot, typed(500))
            await pilot.press("enter")
            await until(pilot, lambda: said(pilot, "#failure"))
            await until(pilot, lambda: said(pilot) == "✓ has arrived already: what is sent again counts once with it")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        *place, found = present().cell(8, 500)
        assert console.view.state is not None
        assert console.view.state.cell(*place) == found
        assert len(set(keys_of(console)[-2:])) == 1

    async def test_a_form_has_one_key_so_what_is_changed_after_a_failure_counts_once_with_what_was_sent_before(
        self,
    ) -> None:
        console = a_console(7)
        console.failures = ["No answer.", "No answer."]
        form = a_form(console, 8)
        async with Stage(form).run_test() as pilot:
            await pilot.press("5", "enter")
            await until(pilot, lambda: "No answer." in said(pilot, "#failure"))
            await pilot.press("0")
            assert "its duplicate and changes nothing" in said(pilot, "#failure")
            await pilot.press("backspace")
            assert "No answer." in said(pilot, "#failure")
            await pilot.press("0", "enter")
            await until(pilot, lambda: len(console.published) == 2)
        assert len(set(console.keys)) == 1

    async def test_while_it_waits_it_says_so_and_publishes_nothing_twice(self) -> None:
        console = a_console(7)
        console.gate = Event()
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter", "enter", "enter")
            assert said(pilot) == "publishing …"
            console.gate.set()
            await until(pilot, lambda: app.results)
        assert len(console.published) == 1

    async def test_leaving_before_the_answer_takes_a_second_escape(self) -> None:
        console = a_console(7)
        console.gate = Event()
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter", "escape")
            assert "may or may not be in the log" in said(pilot, "#failure")
            assert app.results == []
            await pilot.press("escape")
            await until(pilot, lambda: app.results)
            console.gate.set()
        assert app.results == [None]

    async def test_a_form_that_is_covered_when_the_answer_comes_closes_later(self) -> None:
        console = a_console(7)
        console.gate = Event()
        app = Stage(a_form(console, 8))
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            cover = a_form(console)
            await app.push_screen(cover)
            console.gate.set()
            await until(pilot, lambda: len(console.view.rows) == 2)
            await pilot.pause()
            assert app.screen is cover
            cover.dismiss(None)
            await until(pilot, lambda: app.results)
        assert isinstance(app.results[0], Published)


@pytest.mark.domains_in_turn
@pytest.mark.usefixtures("any_domain")
class TestWhenNothingCanBePublished:
    @pytest.mark.parametrize(
        ("view", "sentence"),
        [
            ({"readonly": True}, "This dashboard is read-only"),
            ({"phase": Phase.CONNECTING}, "Not connected to the server yet."),
            ({"phase": Phase.DISCONNECTED, "phase_note": "Connection refused."}, "Connection refused."),
            ({"phase": Phase.HALTED, "phase_note": "2 entries are missing."}, "2 entries are missing."),
            ({"phase": Phase.STOPPED}, "The consumer has stopped."),
        ],
    )
    async def test_the_form_says_why(self, view: dict[str, Any], sentence: str) -> None:
        console = a_console(7)
        console.become(**view)
        form = a_form(console, 8)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            await pilot.click("#publish")
            assert said(pilot).startswith("✗ ")
            assert sentence in said(pilot)
            assert value(form, fields()[1]) == "5"
        assert console.published == []

    async def test_it_goes_on_when_the_connection_is_back(self) -> None:
        console = a_console(7)
        console.become(phase=Phase.DISCONNECTED)
        async with Stage(a_form(console, 8)).run_test() as pilot:
            await write(pilot, "5")
            console.become(phase=Phase.LIVE)
            await until(pilot, lambda: said(pilot).startswith("✓ would be applied"))

    async def test_a_replay_that_still_runs_is_mentioned(self) -> None:
        console = a_console(7)
        console.become(phase=Phase.REPLAYING)
        async with Stage(a_form(console, 8)).run_test() as pilot:
            await write(pilot, "5")
            assert "The replay is still running" in said(pilot)

    async def test_before_the_first_state_the_form_works_all_the_same(self) -> None:
        console = RecordingConsole()
        async with Stage(a_form(console, 7)).run_test() as pilot:
            await write(pilot, typed(500))
            assert "The state is not known yet." in said(pilot)


class TestAddingItems:
    async def test_a_known_item_keeps_its_price(self) -> None:
        console = a_shop()
        form = form_of("AddItem", console, item_id="hdd")
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "10")
            assert said(pilot) == "✓ would be applied: remaining of item hdd 5 → 15"
            assert note(form, "price") == "now 12.00 · optional"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"item_id": "hdd", "count": 10}

    async def test_a_price_that_is_typed_replaces_it(self) -> None:
        console = a_shop()
        app = Stage(form_of("AddItem", console, item_id="hdd"))
        async with app.run_test() as pilot:
            await write(pilot, "1")
            await pilot.press("tab")
            await write(pilot, "9.99")
            assert said(pilot) == "✓ would be applied: price of item hdd 12.00 → 9.99, remaining of item hdd 5 → 6"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"item_id": "hdd", "count": 1, "price": 999}

    async def test_a_new_item_without_a_price_is_led_to_it(self) -> None:
        console = a_shop()
        form = form_of("AddItem", console)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "ssd")
            await pilot.press("tab")
            await write(pilot, "3")
            assert said(pilot).startswith(
                "✗ would be rejected: price_required — The item was new, and a new item needs a price."
            )
            await pilot.press("enter")
            assert form.focused is form.query_one("#field-price")
            await write(pilot, "80")
            assert said(pilot) == "✓ would be applied: price of item ssd new → 80.00, remaining of item ssd new → 3"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"item_id": "ssd", "count": 3, "price": 8000}


class TestOrdering:
    async def test_the_selected_user_and_item_make_an_order_of_one_key(self) -> None:
        console = a_shop()
        app = Stage(form_of("Order", console, user_id="7", lines="hdd"))
        async with app.run_test() as pilot:
            assert said(pilot) == ("✓ would be applied: remaining of item hdd 5 → 4, balance of user 7 12.00 → 0.00")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"user_id": 7, "lines": [{"item_id": "hdd", "quantity": 1}]}

    async def test_several_lines_are_typed_in_one_field(self) -> None:
        console = a_shop()
        form = form_of("Order", console, user_id="70")
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("tab")
            await write(pilot, ":2 cpu:3")
            assert note(form, "lines") == "2 in all"
            assert "✓ hdd  2  price 12.00 · remaining 5" in app.plain
            assert "✓ cpu  3  price 200.00 · remaining 30" in app.plain
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console)["lines"] == [{"item_id": "hdd", "quantity": 2}, {"item_id": "cpu", "quantity": 3}]

    @pytest.mark.parametrize(
        ("user", "items", "outlook"),
        [
            (
                7,
                "hdd:2",
                "insufficient_funds — The order cost more than the user's balance: "
                "needed 24.00, had 12.00, short 12.00",
            ),
            (
                70,
                "hdd:3 hdd:3",
                "out_of_stock — More pieces were ordered than remained of an item: needed 6, had 5, short 1",
            ),
            (70, "ssd", "unknown_item — A line names an item that was never added."),
            (8, "hdd", "unknown_user — Nobody had topped this user up before."),
            (70, "hdd:0", "invalid_quantity — A line of the order asks for 0 pieces."),
        ],
    )
    async def test_every_refusal_is_foreseen_with_its_numbers(self, user: int, items: str, outlook: str) -> None:
        async with Stage(form_of("Order", a_shop(), user_id=str(user))).run_test() as pilot:
            await write(pilot, items)
            assert said(pilot) == f"✗ would be rejected: {outlook}"
            assert str(pilot.app.screen.query_one("#publish", Button).label) == "Publish anyway"

    async def test_more_than_a_hundred_lines_cannot_be_published(self) -> None:
        console = a_shop()
        form = form_of("Order", console, user_id="70")
        async with Stage(form).run_test() as pilot:
            form.query_one("#field-lines", Input).value = "hdd " * 101
            await pilot.press("enter")
            assert note(form, "lines") == "✗ lines has at most 100, and there are 101"
        assert console.published == []

    async def test_a_line_without_its_quantity_is_explained(self) -> None:
        form = form_of("Order", a_shop(), user_id="70")
        async with Stage(form).run_test() as pilot:
            await write(pilot, "hdd:")
            assert note(form, "lines") == "✗ how many of hdd? write hdd:2"


class TestSmallTerminals:
    async def test_an_order_of_many_lines_keeps_outlook_failure_and_buttons(self) -> None:
        console = a_shop()
        console.failures = ["The server does not answer. Start it, or give another address with --url."]
        form = form_of("Order", console, user_id="70")
        app = Stage(form)
        async with app.run_test(size=(60, 16)) as pilot:
            form.query_one("#field-lines", Input).value = "hdd cpu " * 10
            await pilot.pause()
            await pilot.click("#publish")
            await until(pilot, lambda: "counts once" in app.plain)
            assert "would be rejected: out_of_stock" in app.plain
            assert "Publish anyway" in app.plain
            assert "Cancel" in app.plain
            await pilot.press("pagedown", "pagedown", "pagedown")
            await pilot.pause()
            assert "remaining 30" in app.plain


class TestPictures:
    def test_ordering_with_a_completion(self, snap_compare: Any) -> None:
        async def act(pilot: Any) -> None:
            await write(pilot, "hdd:2 c")
            await still(pilot)

        assert snap_compare(Stage(form_of("Order", a_shop(), user_id="7")), run_before=act, terminal_size=(60, 16))
