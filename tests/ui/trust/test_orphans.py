"""Entries that are gone from the log after a failover: told on the main screen, listed, published again once."""

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from esdash.engine.console import Published
from esdash.engine.shown.kept import row_of
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, View
from esdash.fold.outcomes import APPLIED, INVALID_DATA, UNKNOWN_TYPE
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.main.screen import MainScreen
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.handled import Handled
from esdash.ui.trust.orphans import OrphansScreen
from esdash.ui.trust.standing import of_orphan, settle
from esdash.visible import visible
from tests.domains import the_depots
from tests.ui.any_domain import sound
from tests.ui.looking import main_of, show, text_of, told
from tests.ui.recorded import History, RecordedConsole, busy_history, restored
from tests.ui.stage import said, until

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

V0_ORDER = msgspec.msgpack.encode({"Type": "OrderType", "UserID": 7, "ItemIDs": ["hdd"], "ItemQuantities": [1]})

OLD = Row(91, b"1700-1", (b"data", V0_ORDER, b"type", b"OrderType"), APPLIED)
"""One of the shop."""


def orphans() -> tuple[Row, ...]:
    """Of the present domain: one with a key, one without, one that nobody understood, one of which nothing is known."""
    (name, first), (_, second), (_, last) = sound(7), sound(70), sound(8, 5)
    event_type = name.encode()
    return (
        Row(90, b"1700-0", (b"type", event_type, b"data", first, b"key", b"own"), APPLIED),
        Row(91, b"1700-1", (b"data", second, b"type", event_type), APPLIED),
        Row(92, b"1700-2", (b"type", b"Refund", b"data", b"{}"), UNKNOWN_TYPE),
        Row(93, b"1700-3", (b"type", event_type, b"data", last, b"key", b"\xffraw"), None),
    )


def a_view(**changes: object) -> View:
    return replace(restored(), **{"orphans": orphans(), **changes})


class TestOnTheMainScreen:
    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
    async def test_they_are_announced_with_their_key(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        async with (app := dashboard(a_view(), UiSettings(keymap={"orphans": "f6"}))).run_test(size=size):
            assert "3 entries had been applied and are gone from the log" in text_of(app)[3]
            assert "F6 Orphans" in text_of(app)[-1]
            if size[0] > 60:
                assert "F6 shows them" in text_of(app)[3]

    async def test_until_something_was_decided_about_each(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view())).run_test(size=(120, 40)) as pilot:
            await pilot.press("O", "d", "j", "d", "escape")
            main_of(app).poll()
            await pilot.pause()
            assert "1 entry had been applied and is gone" in text_of(app)[3]
            await pilot.press("O", "G", "d", "escape")
            main_of(app).poll()
            await pilot.pause()
            assert "gone from the log" not in "\n".join(text_of(app))
            assert "O Orphans" in text_of(app)[-1], "the list stays within reach"


class TestThoseThatCannotBeListed:
    async def test_are_counted_and_the_reason_is_said(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(orphans_gone=15_000))).run_test(size=(120, 40)) as pilot:
            assert (
                "14,999 entries had been applied and are gone from the log, the first known 1700-0" in text_of(app)[3]
            )
            await pilot.press("O")
            assert "Orphans: 15,000 gone, 4 of them listed, 3 to decide on" in text_of(app)[0]
            assert "The others cannot be listed: only the newest entries" in text_of(app)[1]
            await pilot.press("escape")
            main_of(app).poll()
            await pilot.pause()
            assert "3 entries had been applied and are gone" in text_of(app)[3], "a person has seen the others"

    async def test_may_be_all_of_them(self, dashboard: Dashboard) -> None:
        view = a_view(orphans=(), orphans_gone=7)
        async with (app := dashboard(view)).run_test(size=(80, 24)) as pilot:
            assert "7 entries had been applied and are gone from the log" in text_of(app)[3]
            await pilot.press("O")
            assert "7 entries are gone, and none of them can be listed" in " ".join(
                app.screen.query_one(Pager).text.split()
            )
            assert "Orphans: 7 gone, none of them listed" in text_of(app)[0]


class TestPublishingAgain:
    async def test_one_of_which_only_the_beginning_is_kept_does_not_go_back(self, dashboard: Dashboard) -> None:
        name, data = sound(7)
        fields = [b"type", name.encode(), b"data", data + b" " * 100_000]
        console = RecordedConsole(replace(restored(), orphans=(row_of(90, (b"1700-0", fields), APPLIED),)))
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O", "p")
            await pilot.pause()
            assert f"It had {sum(map(len, fields)):,} bytes, of which only the beginning is kept" in told(app)[-1]
            assert not console.published

    async def test_one_goes_back_under_its_own_key(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(a_view())
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O")
            assert "own (its own)" in app.screen.query_one(Pager).text
            await pilot.press("p")
            await until(pilot, lambda: console.published and "published as" in app.screen.query_one(Pager).text)
            assert console.published == [sound(7)]
            assert console.keys == ["own"]
            assert any("… published" in line for line in text_of(app))
            await pilot.press("p")
            assert len(console.published) == 1, "once is enough"

    @pytest.mark.shop_alone
    async def test_bytes_of_schema_v0_go_back_unchanged_and_the_old_id_becomes_the_key(
        self, dashboard: Dashboard
    ) -> None:
        console = RecordedConsole(a_view(orphans=(OLD,)))
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O")
            assert "restores:1700-1 (made of the id that it had)" in " ".join(app.screen.query_one(Pager).text.split())
            await pilot.press("p")
            await until(pilot, lambda: console.published)
            assert console.published == [("OrderType", V0_ORDER)]
            assert console.keys == ["restores:1700-1"]

    async def test_what_was_never_understood_is_not_published(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(a_view())
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O", "j", "j", "p")
            assert "never understood" in told(app)[-1]
            assert not console.published

    async def test_all_go_back_in_their_order_after_a_question(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(a_view())
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O", "a")
            assert isinstance(app.screen, ConfirmScreen)
            assert said(pilot, "#question") == "Publish 3 orphans again?"
            assert "1 had none and gets its old id as key" in said(pilot, "#consequence")
            await pilot.press("n")
            assert not console.published
            await pilot.press("a", "y")
            await until(pilot, lambda: told(app) and "3 entries are in the log again" in told(app)[-1])
            assert console.published == [sound(7), sound(70), sound(8, 5)]
            assert console.keys == ["own", "restores:1700-1", "\udcffraw"]
            await pilot.press("a")
            assert "Nothing is left" in told(app)[-1]

    async def test_a_failure_says_how_far_it_came_and_the_rest_can_be_tried_again(self, dashboard: Dashboard) -> None:
        class Failing(RecordedConsole):
            def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
                if len(self.published) == 1:
                    self.failures = ["The server went away."]
                return super().publish(event_type, data, key)

        console = Failing(a_view())
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O", "a", "y")
            await until(pilot, lambda: any("1 of 3 published again. The server" in text for text in told(app)))
            await pilot.press("a", "y")
            await until(pilot, lambda: "2 entries are in the log again" in told(app)[-1])
            assert console.keys == ["own", "restores:1700-1", "restores:1700-1", "\udcffraw"]

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("key", ["p", "a"])
    async def test_a_halted_or_read_only_console_says_why_not(self, dashboard: Dashboard, key: str) -> None:
        console = RecordedConsole(a_view())
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O")
            for view, why in (
                (a_view(phase=Phase.HALTED, phase_note="A gap."), "halted"),
                (a_view(readonly=True), "read-only"),
            ):
                await show(pilot, console, view)
                await pilot.press(key)
                assert why in told(app)[-1]
                assert not console.published
                assert isinstance(app.screen, OrphansScreen)


@pytest.mark.shop_alone
class TestAnotherDomain:
    async def test_one_of_an_older_version_goes_back_as_what_it_becomes(self, dashboard: Dashboard) -> None:
        history = History(fold=(fold := the_depots()))
        old = b'{"depot":"north","sku":"nails","pieces":3}'
        new = b'{"depot":"north","goods":[],"kilos":"1"}'
        orphans = (
            Row(1, b"1700-0", (b"type", b"Delivered", b"data", old), APPLIED),
            Row(2, b"1700-1", (b"type", b"Delivered", b"data", new, b"v", b"2"), APPLIED),
            Row(3, b"1700-2", (b"type", b"Delivered", b"data", new), INVALID_DATA),
        )
        console = RecordedConsole(history.live(orphans=orphans), fold)
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("O", "a", "y")
            await until(pilot, lambda: told(app) and "2 entries are in the log again" in told(app)[-1])
            first, second = (msgspec.json.decode(data) for _, data in console.published)
            assert first["goods"] == [{"sku": "nails", "pieces": 3, "care": "normal"}]
            assert second == msgspec.json.decode(new)


class TestLooking:
    async def test_without_any_it_says_what_they_are(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(80, 24)) as pilot:
            await pilot.press("O")
            assert "There are no orphans." in "\n".join(text_of(app))
            assert "a failover to a replica" in app.screen.query_one(Pager).text
            await pilot.press("q")
            assert isinstance(app.screen, MainScreen)

    async def test_hostile_text_is_harmless_at_every_size(self, dashboard: Dashboard) -> None:
        nasty = "\x1b]0;t\x07[b]\u202e\u200b日本"
        data = msgspec.json.encode({"item_id": "x\u202e", "count": 1, "price": 1})
        row = Row(
            1,
            nasty.encode(),
            (nasty.encode(), b"", b"type", b"AddItem", b"data", data, b"key", nasty.encode()),
            APPLIED,
        )
        orphans = (row, *busy_history().rows)
        async with (app := dashboard(replace(restored(), orphans=orphans))).run_test(size=(60, 16)) as pilot:
            for line in text_of(app):
                assert visible(line, 1000) == line
            await pilot.press("O")
            for size in ((60, 16), (80, 24), (120, 40), (200, 60)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                for line in (*text_of(app), *app.screen.query_one(Pager).text.splitlines()):
                    assert visible(line, 1000) == line
                assert {cell_len(line) for line in text_of(app)} == {size[0]}

    @pytest.mark.shop_alone
    def test_the_list(self, snap_compare: Callable[..., bool], dashboard: Dashboard) -> None:
        first, _, *others = orphans()
        assert snap_compare(
            dashboard(a_view(orphans=(first, OLD, *others))), terminal_size=(120, 40), press=["O", "j", "d"]
        )


@pytest.mark.shop_alone
async def test_its_columns_are_called_what_they_show(dashboard: Dashboard) -> None:
    async with (app := dashboard(a_view())).run_test(size=(150, 40)) as pilot:
        await pilot.press("O")
        await pilot.pause()
        titles = next(line for line in text_of(app) if " time " in line)
        assert "outcome" in titles
        assert "what" in titles
        assert "reason" not in titles


@pytest.mark.shop_alone
def test_one_that_is_rejected_again_is_back_as_it_was() -> None:
    history = History()
    history.add("TopUp", '{"user_id":7,"amount":0}', key=b"restores:1700-1")
    (again,) = history.rows
    row = Row(91, b"1700-1", again.fields[:4], again.code)
    view, handled = history.live(orphans=(row,)), Handled()
    handled.publish_as(row, again.entry_id.decode(), parked=False)
    assert settle(view, history.fold, handled) == [
        ("It is in the log again as #1: rejected (invalid_amount), as it was.", "information")
    ]
    stands = of_orphan(view, history.fold, handled, row)
    assert (stands.open, stands.cell) == (False, "✓ back as #1")
