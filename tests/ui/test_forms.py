"""The forms: what they say while one types, and that what they publish counts once."""

import json
from threading import Event
from typing import Any

import pytest
from textual import events
from textual.widgets import Button, Input

from esdash.engine.console import Published
from esdash.engine.view import Phase
from esdash.shop.view import ShopView
from esdash.ui.screens.add_item import AddItemForm
from esdash.ui.screens.forms import EventForm
from esdash.ui.screens.order import OrderForm
from esdash.ui.screens.top_up import TopUpForm
from esdash.ui.widgets.form_input import Suggestions
from tests.ui.recording_console import RecordingConsole, keys_of
from tests.ui.stage import Stage, a_shop, said, still, until, write


def payload(console: RecordingConsole) -> Any:
    """What was published last."""
    return json.loads(console.published[-1][1])


def note(form: EventForm, field_id: str) -> str:
    """What the form says under a field."""
    entry = form.query_one(f"#{field_id}").parent
    assert entry is not None
    assert entry.parent is not None
    return str(entry.parent.query_one(".note").content)  # type: ignore[attr-defined]


def offered(form: EventForm) -> list[str]:
    """The names in the list of suggestions; none while it is closed."""
    return [
        match.name for suggestions in form.query(Suggestions) if suggestions.display
        for match in suggestions.completion.matches
    ]  # fmt: skip


def value(form: EventForm, field_id: str) -> str:
    return form.query_one(f"#{field_id}", Input).value


class TestToppingUp:
    async def test_the_outcome_is_said_while_one_types(self) -> None:
        app = Stage(TopUpForm(a_shop()))
        async with app.run_test() as pilot:
            assert said(pilot) == "· still needed: user, amount"
            await write(pilot, "7")
            assert said(pilot) == "· still needed: amount"
            await pilot.press("tab")
            await write(pilot, "500")
            assert said(pilot) == "✓ would be applied: balance of user 7 12.00 → 512.00"

    async def test_enter_publishes_and_the_form_answers_with_what_was_published(self) -> None:
        console = a_shop()
        app = Stage(TopUpForm(console))
        async with app.run_test() as pilot:
            await write(pilot, "7")
            await pilot.press("tab")
            await write(pilot, "0.5")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"user_id": 7, "amount": 50}
        (published,) = app.results
        assert isinstance(published, Published)
        assert len(published.key) == 32

    async def test_the_selected_user_is_filled_in_and_the_amount_comes_next(self) -> None:
        console = a_shop()
        form = TopUpForm(console, 7)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "1,000")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"user_id": 7, "amount": 100_000}

    async def test_a_new_user_is_named_as_such(self) -> None:
        form = TopUpForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "8")
            await pilot.press("tab")
            await write(pilot, "1")
            assert note(form, "user") == "new user"
            assert said(pilot) == "✓ would be applied: balance of user 8 new → 1.00"

    @pytest.mark.parametrize("typed", ["12.345", "1e3", "-5", "x", "12,50", "10000000000000.01"])
    async def test_a_wrong_amount_is_explained_and_cannot_be_published(self, typed: str) -> None:
        console = a_shop()
        form = TopUpForm(console, 7)
        async with Stage(form).run_test() as pilot:
            await write(pilot, typed)
            assert note(form, "amount").startswith("✗ an amount is ")
            assert said(pilot) == "✗ cannot be published: see amount"
            await pilot.press("enter")
            await pilot.click("#publish")
        assert console.published == []

    async def test_enter_in_an_unfinished_form_goes_to_what_is_missing(self) -> None:
        form = TopUpForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            await pilot.press("enter")
            assert form.focused is form.query_one("#amount")

    async def test_an_event_that_would_be_rejected_needs_a_second_enter(self) -> None:
        console = a_shop()
        app = Stage(TopUpForm(console, 7))
        async with app.run_test() as pilot:
            await write(pilot, "0")
            assert said(pilot).startswith("✗ would be rejected: invalid_amount — ")
            await pilot.press("enter")
            assert console.published == []
            assert said(pilot).endswith("Enter again publishes it anyway.")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"user_id": 7, "amount": 0}

    async def test_the_outcome_follows_the_state(self) -> None:
        console = a_shop()
        form = TopUpForm(console, 7)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "1")
            console.publish("TopUp", b'{"user_id":7,"amount":100}')
            await until(pilot, lambda: said(pilot) == "✓ would be applied: balance of user 7 13.00 → 14.00")

    async def test_escape_cancels(self) -> None:
        console = a_shop()
        app = Stage(TopUpForm(console, 7))
        async with app.run_test() as pilot:
            await write(pilot, "1")
            await pilot.press("escape")
            await until(pilot, lambda: app.results)
        assert app.results == [None]
        assert console.published == []

    async def test_the_mouse_is_enough(self) -> None:
        console = a_shop()
        app = Stage(TopUpForm(console, 7))
        async with app.run_test() as pilot:
            await pilot.click("#amount")
            await write(pilot, "1")
            await pilot.click("#publish")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"user_id": 7, "amount": 100}


class TestPublishingOverABadNetwork:
    async def test_a_failure_keeps_what_was_typed_and_says_why(self) -> None:
        console = a_shop()
        console.failures = ["The server does not answer. Is it running?"]
        form = TopUpForm(console, 7)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            await until(pilot, lambda: "The server does not answer." in said(pilot, "#failure"))
            assert (value(form, "user"), value(form, "amount")) == ("7", "5")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        first, second = console.published
        assert first == second

    async def test_a_lost_reply_and_a_retry_count_once(self) -> None:
        console = a_shop()
        console.replies_lost = 1
        app = Stage(TopUpForm(console, 7))
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            await until(pilot, lambda: said(pilot, "#failure"))
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert isinstance(console.view.state, ShopView)
        assert console.view.state.latest.users[7] == 1700
        assert len(set(keys_of(console)[-2:])) == 1

    async def test_a_form_has_one_key_so_what_is_changed_after_a_failure_counts_once_with_what_was_sent_before(
        self,
    ) -> None:
        console = a_shop()
        console.failures = ["No answer.", "No answer."]
        form = TopUpForm(console, 7)
        async with Stage(form).run_test() as pilot:
            await pilot.press("5", "enter")
            await until(pilot, lambda: "No answer." in said(pilot, "#failure"))
            await pilot.press("0")
            assert "its duplicate and changes nothing" in said(pilot, "#failure")
            await pilot.press("backspace")
            assert "No answer." in said(pilot, "#failure")
            await pilot.press("0", "enter")
            await until(pilot, lambda: len(console.published) == 2)
        assert len({key for _, _, key in console.published}) == 1

    async def test_while_it_waits_it_says_so_and_publishes_nothing_twice(self) -> None:
        console = a_shop()
        console.gate = Event()
        app = Stage(TopUpForm(console, 7))
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter", "enter", "enter")
            assert said(pilot) == "publishing …"
            console.gate.set()
            await until(pilot, lambda: app.results)
        assert len(console.published) == 1

    async def test_leaving_before_the_answer_takes_a_second_escape(self) -> None:
        console = a_shop()
        console.gate = Event()
        app = Stage(TopUpForm(console, 7))
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
        console = a_shop()
        console.gate = Event()
        app = Stage(TopUpForm(console, 7))
        async with app.run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            cover = AddItemForm(console)
            await app.push_screen(cover)
            console.gate.set()
            await until(pilot, lambda: len(console.view.rows) == 5)
            await pilot.pause()
            assert app.screen is cover
            cover.dismiss(None)
            await until(pilot, lambda: app.results)
        assert isinstance(app.results[0], Published)


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
        console = a_shop()
        console.become(**view)
        form = TopUpForm(console, 7)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "5")
            await pilot.press("enter")
            await pilot.click("#publish")
            assert said(pilot).startswith("✗ ")
            assert sentence in said(pilot)
            assert value(form, "amount") == "5"
        assert console.published == []

    async def test_it_goes_on_when_the_connection_is_back(self) -> None:
        console = a_shop()
        console.become(phase=Phase.DISCONNECTED)
        async with Stage(TopUpForm(console, 7)).run_test() as pilot:
            await write(pilot, "5")
            console.become(phase=Phase.LIVE)
            await until(pilot, lambda: said(pilot).startswith("✓ would be applied"))

    async def test_a_replay_that_still_runs_is_mentioned(self) -> None:
        console = a_shop()
        console.become(phase=Phase.REPLAYING)
        async with Stage(TopUpForm(console, 7)).run_test() as pilot:
            await write(pilot, "5")
            assert "The replay is still running" in said(pilot)

    async def test_before_the_first_state_the_form_works_all_the_same(self) -> None:
        console = RecordingConsole()
        async with Stage(OrderForm(console)).run_test() as pilot:
            await write(pilot, "7")
            await pilot.press("tab")
            await write(pilot, "hdd")
            assert "The state is not known yet." in said(pilot)


class TestCompletion:
    async def test_known_users_are_offered_with_their_balance(self) -> None:
        form = OrderForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            assert offered(form) == ["7", "70"]
            matches = form.query(Suggestions).first().completion.matches
            assert [match.detail for match in matches] == ["12.00", "9,999.00"]

    async def test_tab_takes_the_first_match_and_goes_on(self) -> None:
        form = AddItemForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("tab")
            assert value(form, "item") == "hdd"
            assert form.focused is form.query_one("#count")

    async def test_right_takes_it_and_stays(self) -> None:
        form = AddItemForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("right")
            assert value(form, "item") == "hdd"
            assert form.focused is form.query_one("#item")

    async def test_down_lists_what_is_known_and_enter_takes_the_chosen_one(self) -> None:
        form = TopUpForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await pilot.press("down")
            assert offered(form) == ["7", "70"]
            await pilot.press("down", "enter")
            assert value(form, "user") == "70"
            assert offered(form) == []

    async def test_a_user_who_may_be_new_is_never_changed_into_another_by_tab(self) -> None:
        form = TopUpForm(RecordingConsole(("TopUp", '{"user_id":70,"amount":1}')))
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            assert offered(form) == ["7", "70"]
            await pilot.press("tab")
            assert value(form, "user") == "7"
            assert form.focused is form.query_one("#amount")

    async def test_enter_completes_where_only_a_known_name_makes_sense(self) -> None:
        form = OrderForm(a_shop(), 7)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("enter")
            assert value(form, "items") == "hdd"

    async def test_escape_closes_the_list_first(self) -> None:
        form = OrderForm(a_shop(), 7)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("escape")
            assert offered(form) == []
            assert app.results == []
            await pilot.press("escape")
            await until(pilot, lambda: app.results)

    async def test_a_match_can_be_clicked(self) -> None:
        form = OrderForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "7")
            await pilot.click(form.query(Suggestions).first(), offset=(4, 1))
            assert value(form, "user") == "70"
            assert form.focused is form.query_one("#user")

    async def test_tens_of_thousands_of_users_are_offered_a_few_at_a_time(self) -> None:
        console = RecordingConsole(
            *(("TopUp", json.dumps({"user_id": user_id, "amount": 1})) for user_id in range(1, 2000, 7))
        )
        form = OrderForm(console)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "1")
            assert offered(form) == ["1", "15", "106", "113", "120"]

    async def test_an_item_is_found_by_what_is_in_it(self) -> None:
        form = AddItemForm(a_shop())
        async with Stage(form).run_test() as pilot:
            await write(pilot, "DD")
            assert offered(form) == ["hdd"]


class TestAddingItems:
    async def test_a_known_item_keeps_its_price(self) -> None:
        console = a_shop()
        form = AddItemForm(console, "hdd")
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "10")
            assert said(pilot) == "✓ would be applied: stock of hdd 5 → 15"
            assert form.query_one("#price", Input).placeholder == "12.00"
            assert note(form, "price") == "stays at 12.00"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"item_id": "hdd", "count": 10}

    async def test_a_price_that_is_typed_replaces_it(self) -> None:
        console = a_shop()
        app = Stage(AddItemForm(console, "hdd"))
        async with app.run_test() as pilot:
            await write(pilot, "1")
            await pilot.press("tab")
            await write(pilot, "9.99")
            assert said(pilot) == "✓ would be applied: stock of hdd 5 → 6, price of hdd 12.00 → 9.99"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"item_id": "hdd", "count": 1, "price": 999}

    async def test_a_new_item_without_a_price_is_led_to_it(self) -> None:
        console = a_shop()
        form = AddItemForm(console)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "ssd")
            await pilot.press("tab")
            await write(pilot, "3")
            assert said(pilot).startswith("✗ would be rejected: price_required — ssd is new")
            await pilot.press("enter")
            assert form.focused is form.query_one("#price")
            await write(pilot, "80")
            assert said(pilot) == "✓ would be applied: stock of ssd new → 3, price of ssd new → 80.00"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"item_id": "ssd", "count": 3, "price": 8000}


class TestOrdering:
    async def test_the_selected_user_and_item_make_an_order_of_one_key(self) -> None:
        console = a_shop()
        app = Stage(OrderForm(console, 7, "hdd"))
        async with app.run_test() as pilot:
            assert said(pilot).startswith("✓ would be applied: balance of user 7 12.00 → 0.00")
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console) == {"user_id": 7, "lines": [{"item_id": "hdd", "quantity": 1}]}

    async def test_several_lines_are_typed_in_one_field(self) -> None:
        console = a_shop()
        form = OrderForm(console, 70)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "h")
            await pilot.press("tab")
            await write(pilot, ":2 cpu:3")
            assert note(form, "items") == "2 lines, 624.00 in all"
            assert "✓ hdd   24.00  2 of 5 left" in app.plain
            assert "✓ cpu  600.00  3 of 30 left" in app.plain
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
        assert payload(console)["lines"] == [{"item_id": "hdd", "quantity": 2}, {"item_id": "cpu", "quantity": 3}]

    @pytest.mark.parametrize(
        ("user", "items", "outlook"),
        [
            (7, "hdd:2", "insufficient_funds — costs 24.00, user 7 has 12.00"),
            (70, "hdd:3 hdd:3", "out_of_stock — 6 × hdd wanted, 5 left"),
            (70, "ssd", "unknown_item — ssd was never added"),
            (8, "hdd", "unknown_user — nobody has topped up user 8 yet"),
            (70, "hdd:0", "invalid_quantity — 0 pieces of hdd"),
        ],
    )
    async def test_every_refusal_is_foreseen_with_its_numbers(self, user: int, items: str, outlook: str) -> None:
        async with Stage(OrderForm(a_shop(), user)).run_test() as pilot:
            await write(pilot, items)
            assert said(pilot) == f"✗ would be rejected: {outlook}"
            assert str(pilot.app.screen.query_one("#publish", Button).label) == "Publish anyway"

    async def test_more_than_a_hundred_lines_cannot_be_published(self) -> None:
        console = a_shop()
        form = OrderForm(console, 70)
        async with Stage(form).run_test() as pilot:
            form.query_one("#items", Input).value = "hdd " * 101
            await pilot.press("enter")
            assert note(form, "items") == "✗ 101 lines: an order has at most 100"
        assert console.published == []

    async def test_a_line_without_its_quantity_is_explained(self) -> None:
        form = OrderForm(a_shop(), 70)
        async with Stage(form).run_test() as pilot:
            await write(pilot, "hdd:")
            assert note(form, "items") == "✗ how many of hdd? write hdd:2"


class TestHostileNames:
    NAME = "[red]x\u202e\u200b"

    def shop(self) -> RecordingConsole:
        return RecordingConsole(
            ("TopUp", '{"user_id":7,"amount":100000}'),
            ("AddItem", json.dumps({"item_id": self.NAME, "count": 5, "price": 1200})),
        )

    async def test_a_suggestion_shows_them_and_obeys_nothing(self) -> None:
        app = Stage(OrderForm(self.shop(), 7))
        async with app.run_test() as pilot:
            await write(pilot, "x")
            await pilot.pause()
            assert "[red]x⟨202E⟩⟨200B⟩" in app.plain
            assert "\u202e" not in app.plain

    async def test_a_completed_name_is_ordered_as_it_is(self) -> None:
        console = self.shop()
        form = OrderForm(console, 7)
        app = Stage(form)
        async with app.run_test() as pilot:
            await write(pilot, "x")
            await pilot.press("tab")
            assert value(form, "items") == r"[red]x\u{202E}\u{200B}"
            await pilot.press("enter")
            await until(pilot, lambda: app.results)
            assert "\u202e" not in app.plain
        assert payload(console)["lines"][0]["item_id"] == self.NAME

    async def test_a_paste_of_several_lines_loses_none(self) -> None:
        form = OrderForm(a_shop(), 70)
        app = Stage(form)
        async with app.run_test() as pilot:
            field = form.query_one("#items", Input)
            field.value = "old"
            field.focus()
            field.select_all()
            app.post_message(events.Paste("hdd:2\r\n  cpu:1\n\nfan\x1b\n"))
            await until(pilot, lambda: value(form, "items") == r"hdd:2 cpu:1 fan\u{1B}")

    async def test_pasted_escapes_are_written_out(self) -> None:
        form = AddItemForm(a_shop())
        app = Stage(form)
        async with app.run_test() as pilot:
            form.query_one("#item", Input).insert("a\x1b[31m", 0)
            await pilot.pause()
            assert value(form, "item") == r"a\u{1B}[31m"
            assert note(form, "item") == "✗ an item id has 1 to 64 characters and no control characters"
            assert "\x1b" not in app.plain


class TestSmallTerminals:
    async def test_an_order_of_many_lines_keeps_outlook_failure_and_buttons(self) -> None:
        console = a_shop()
        console.failures = ["The server does not answer. Start it, or give another address with --url."]
        form = OrderForm(console, 70)
        app = Stage(form)
        async with app.run_test(size=(60, 16)) as pilot:
            form.query_one("#items", Input).value = "hdd cpu " * 10
            await pilot.pause()
            await pilot.click("#publish")
            await until(pilot, lambda: "counts once" in app.plain)
            assert "would be rejected: out_of_stock" in app.plain
            assert "Publish anyway" in app.plain
            assert "Cancel" in app.plain
            await pilot.press("pagedown", "pagedown", "pagedown")
            await pilot.pause()
            assert "of 30 left" in app.plain

    @pytest.mark.parametrize("form", [TopUpForm, AddItemForm, OrderForm])
    async def test_every_form_fits(self, form: type[TopUpForm]) -> None:
        app = Stage(form(a_shop()))
        async with app.run_test(size=(60, 16)):
            for needed in ("Publish", "Cancel", "Enter publish · Tab complete · ↓ known · Esc cancel", "still needed"):
                assert needed in app.plain


class TestPictures:
    def test_topping_up(self, snap_compare: Any) -> None:
        async def act(pilot: Any) -> None:
            await write(pilot, "500")
            await still(pilot)

        assert snap_compare(Stage(TopUpForm(a_shop(), 7)), run_before=act, terminal_size=(80, 24))

    def test_ordering_with_a_completion(self, snap_compare: Any) -> None:
        async def act(pilot: Any) -> None:
            await write(pilot, "hdd:2 c")
            await still(pilot)

        assert snap_compare(Stage(OrderForm(a_shop(), 7)), run_before=act, terminal_size=(60, 16))

    def test_a_new_item_without_a_price(self, snap_compare: Any) -> None:
        async def act(pilot: Any) -> None:
            await write(pilot, "ssd")
            await pilot.press("tab", "3", "enter")
            await still(pilot)

        assert snap_compare(Stage(AddItemForm(a_shop())), run_before=act, terminal_size=(80, 24))
