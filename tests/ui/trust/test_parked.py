"""The list of parked entries: why each is there, what it holds, and publishing what it should have been."""

import re
from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.widgets import Input

from esdash.engine.shown.kept import row_of
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, View
from esdash.fold.outcomes import INVALID_DATA, TOO_LARGE
from esdash.fold.sorting import FIRST
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.correct.form import ChooseType, RawEventForm
from esdash.ui.forms.type_form import UNSURE, TypeForm
from esdash.ui.main.screen import MainScreen
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.entry_source import EntrySource
from esdash.ui.trust.parked import ParkedScreen
from esdash.ui.trust.standing import Standing
from esdash.visible import visible
from tests.domains import the_bank
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.ui.any_domain import fields, key, refused, sound
from tests.ui.looking import main_of, text_of, told
from tests.ui.recorded import History, RecordedConsole, hostile
from tests.ui.stage import said, until, write

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

PARKED = frozenset(range(FIRST))
"""The outcomes of entries that cannot be understood."""

SIZES = [(60, 16), (80, 24), (120, 40), (150, 40), (200, 60)]

BROKEN_TOP_UP = '{"user_id":"3","amount":1250}'
BROKEN_ORDER = '{"user_id":3,"lines":[{"item_id":"hdd","quantity":"2"}'
BROKEN_ITEM = '{"item_id":"hdd","count":-1,"price":700}'


def a_history() -> History:
    """Rows 1 to 5 of the present domain, then an entry of a type that nobody knows, and one that is not JSON."""
    history = History().sound(*range(1, 6))
    history.add("Refund", '{"user_id":3,"amount":100}')
    history.add(sound(6)[0], "not json at all")
    return history


def broken(number: int, value: int) -> tuple[str, bytes]:
    """An event that makes a row, whose end is missing: all that it says can still be read."""
    name, data = sound(number, value)
    return name, data[:-1] + b","


def a_view(*more: tuple[str, str | bytes]) -> View:
    """A live consumer whose log ends with these entries, after the two."""
    history = a_history()
    for event_type, data in more:
        history.add(event_type, data)
    return history.live(parked=tuple(row for row in history.rows if row.code in PARKED))


def a_corrected_view() -> View:
    """Two more broken entries, of which one was corrected, and the correction of the other was rejected."""
    history = a_history()
    first, second = (history.add(*broken(7, 1250)) for _ in range(2))
    for row, event in ((first, sound(7, 1250)), (second, refused())):
        history.add(*event, key=b"corrects:" + row.entry_id)
    return history.live(parked=tuple(row for row in history.rows if row.code in PARKED))


def screen_of(app: DashboardApp) -> ParkedScreen:
    assert isinstance(app.screen, ParkedScreen)
    return app.screen


def typed(app: DashboardApp) -> dict[str, str]:
    """What the fields of the form hold, by their names."""
    return {str(field.id).removeprefix("field-"): field.value for field in app.screen.query(Input)}


def is_form_of(app: DashboardApp, name: str) -> bool:
    """Whether the form of an event type is shown."""
    return isinstance(app.screen, TypeForm) and app.screen.event_type.wire_name == name


def about(app: DashboardApp) -> str:
    """What is told about the selected entry."""
    return app.screen.query_one(Pager).text


def test_the_longest_id_has_room() -> None:
    ids = [b"1795742079393-0", b"1795742079393-1217", b"1795742079394-0"]
    source = EntrySource(shop(), lambda _: Standing(True, "open", "open", "", ""), parked=True)
    source.update([row_of(number, (entry_id, [b"type", b"?"]), 0) for number, entry_id in enumerate(ids, 1)], 0.0)
    assert source.wanted()[2] == len(ids[1])


class TestLooking:
    async def test_a_key_opens_the_list_with_the_newest_first(self, dashboard: Dashboard) -> None:
        view = a_view()
        async with (app := dashboard(view)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            lines = text_of(app)
            assert "Parked entries: 2" in lines[0]
            assert "they stay in the stream" in lines[1]
            assert "invalid_data" in lines[4]
            assert "not json at all" in lines[4]
            assert " 7 " in lines[4]
            assert view.parked[-1].entry_id.decode() in lines[4]
            assert "unknown_type" in lines[5]
            assert "Refund" in lines[5]
            await pilot.press("escape")
            assert isinstance(app.screen, MainScreen)

    async def test_a_list_that_is_not_complete_says_of_how_many_it_has_the_newest(self, dashboard: Dashboard) -> None:
        view = a_view()
        async with (app := dashboard(replace(view, parked=view.parked[-1:]))).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            assert "Parked entries: the 1 newest of 2" in text_of(app)[0]
            assert "`esdash events --outcome parked` lists all of them" in text_of(app)[1]

    async def test_an_empty_list_is_not_said_to_be_all(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(replace(a_view(), parked=()))).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            assert "2 entries were parked, and none is kept here" in " ".join(about(app).split())
            assert "No entry is parked" not in about(app)

    async def test_the_main_screen_names_the_key_where_it_counts_them(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(), UiSettings(keymap={"parked": "f5"}))).run_test(size=(170, 40)):
            screen = "\n".join(text_of(app))
            assert "! 2 parked" in screen
            assert "F5 shows parked" in screen
            assert "F5 Parked" in text_of(app)[-1]

    @pytest.mark.shop_alone
    async def test_the_selected_one_is_explained_and_every_byte_is_shown(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(("TopUp", BROKEN_TOP_UP)))).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            told = about(app)
            assert "! invalid_data" in told
            assert "a member is missing or out of bounds" in told
            assert "Expected `int`, got `str` - at `$.user_id`" in told
            assert '"amount": 1250' in told
            assert f"0000  {BROKEN_TOP_UP[:16].encode().hex(' ')}  {BROKEN_TOP_UP[:16]}" in told
            await pilot.press("j")
            assert "not JSON" in about(app)
            assert "0000  6e 6f 74 20 6a 73 6f 6e 20 61 74 20 61 6c 6c     not json at all" in about(app)

    async def test_every_reason_has_a_sentence(self, dashboard: Dashboard) -> None:
        fields = (b"type", b"TopUp", b"data", b"{}")
        rows = [Row(5 + code, b"1700000000123-%d" % code, fields, code) for code in sorted(PARKED)]
        reasons = set()
        async with (app := dashboard(replace(a_view(), parked=tuple(rows)))).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            for _ in rows:
                lines = about(app).splitlines()
                assert lines[0].startswith("Reason    ! ")
                assert lines[1].strip().endswith(".")
                reasons.add(lines[0])
                await pilot.press("j")
        assert len(reasons) == len(PARKED)

    async def test_without_any_it_says_what_parked_means_and_how_to_make_one(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(replace(a_view(), parked=(), stream="shop"))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x")
            assert "XADD shop * type Unheard-of" in about(app)
            assert "esdash cannot understand the entry" in about(app)

    async def test_where_there_are_more_it_says_so_and_names_the_command(self, dashboard: Dashboard) -> None:
        history = History()
        for _ in range(503):
            history.add("X", "{}")
        rows = tuple(history.rows[-500:])
        async with (app := dashboard(history.live(parked=rows))).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            assert "the 500 newest of 503" in text_of(app)[0]
            assert "esdash events --outcome parked" in text_of(app)[1]
            await pilot.press("G")
            assert screen_of(app).selected == rows[0]

    async def test_one_that_arrives_does_not_move_the_one_that_is_read(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(a_view())
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "j")
            selected = screen_of(app).selected
            console.show(a_view(("Later", "{}")))
            screen_of(app).poll()
            assert screen_of(app).selected == selected
            assert "Parked entries: 3" in screen_of(app).title_and_meaning(console.view)[0]

    async def test_y_copies_the_payload(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view())).run_test() as pilot:
            await pilot.press("x", "y")
            assert app.clipboard == "not json at all"


class TestCorrecting:
    @pytest.mark.shop_alone
    async def test_the_form_that_fits_holds_what_can_still_be_read(self, dashboard: Dashboard) -> None:
        entries = {
            ("TopUp", BROKEN_TOP_UP): {"user_id": "3", "amount": "12.50"},
            ("Order", BROKEN_ORDER): {"user_id": "3", "lines": ""},
            ("AddItem", BROKEN_ITEM): {"item_id": "hdd", "count": "-1", "price": "7.00"},
            ("TopUp", '{"user_id":3,"amount":12.5}'): {"user_id": "3", "amount": ""},
        }
        async with (app := dashboard(a_view(*reversed(entries)))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x")
            for (event_type, data), texts in entries.items():
                await pilot.press("c")
                assert is_form_of(app, event_type)
                assert typed(app) == texts, data
                await pilot.press("escape", "j")

    @pytest.mark.shop_alone
    async def test_a_field_that_may_be_empty_says_that_something_was_left_out(self, dashboard: Dashboard) -> None:
        entries = ("AddItem", '{"item_id":"hdd","count":-1,"price":"7"}'), ("AddItem", BROKEN_ITEM)
        async with (app := dashboard(a_view(*entries))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x")
            for left_out in (False, True):
                await pilot.press("c")
                assert any(UNSURE in line for line in text_of(app)) is left_out
                await pilot.press("escape", "j")

    @pytest.mark.domains_in_turn
    async def test_a_type_that_is_none_of_the_domains_is_for_a_person_to_choose(self, dashboard: Dashboard) -> None:
        name, data = sound(7, 1200)
        row, value = fields()
        others = ("Refund", name.lower(), f"{name}Type", "")
        console = RecordedConsole(a_view(*((event_type, data) for event_type in reversed(others))))
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            for event_type in others:
                await pilot.press("c")
                assert isinstance(app.screen, ChooseType), event_type
                assert data.decode() in said(pilot, "#purpose")
                assert re.search(rf"{name} .*  \(likely\)", "\n".join(text_of(app))), "by its name or its members"
                await pilot.press("enter")
                await until(pilot, lambda: is_form_of(app, name))
                assert typed(app) == {row: key(7), value: ""}, "whether 1200 are cents, nobody knows"
                await pilot.press("enter")
                assert not console.published
                await pilot.press("escape", "j")

    @pytest.mark.domains_in_turn
    async def test_where_no_type_is_likely_enter_alone_chooses_nothing(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(("What", '{"colour":7}')))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "c", "enter", "enter")
            assert isinstance(app.screen, ChooseType)
            await pilot.press("down", "down", "enter")
            await until(pilot, lambda: is_form_of(app, present().fold().publishable[1].wire_name))

    @pytest.mark.domains_in_turn
    async def test_the_person_may_choose_to_edit_type_and_json(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(("What", "[]")))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "c", "up", "enter")
            await until(pilot, lambda: isinstance(app.screen, RawEventForm))
            assert typed(app) == {"type": "", "data": "[]"}

    async def test_of_another_version_only_who_and_what_is_kept(self, dashboard: Dashboard) -> None:
        history = a_history().sound(7, value=1200, v=b"9")
        row, value = fields()
        async with (app := dashboard(history.live(parked=(history.rows[-1],)))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "c")
            assert typed(app) == {row: key(7), value: ""}

    @pytest.mark.shop_alone
    @pytest.mark.parametrize(
        ("key", "texts"),
        [("c", {"user_id": "", "lines": ""}), ("e", {"type": "Order", "data": '{"user_id":null,"lines":null}'})],
    )
    async def test_of_what_is_too_large_to_be_kept_nothing_is_filled_in(
        self, dashboard: Dashboard, key: str, texts: dict[str, str]
    ) -> None:
        view = a_view()
        fields = [b"type", b"Order", b"data", BROKEN_ORDER.encode() + b" " * 70_000]
        view = replace(view, parked=(row_of(99, (b"1749999413999-0", fields), TOO_LARGE),))
        async with (app := dashboard(view)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            assert "70,054 bytes; at most 65,536 are read" in about(app)
            await pilot.press(key)
            await pilot.pause()
            assert typed(app) == texts

    @pytest.mark.domains_in_turn
    async def test_a_new_event_is_published_and_the_parked_one_stays_marked(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(a_view(broken(7, 1250)))
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x", "c", "enter")
            await until(pilot, lambda: isinstance(app.screen, ParkedScreen))
            assert console.published == [sound(7, 1250)]
            assert len(console.view.parked) == 3
            assert "published as 1750000000000-1" in about(app)
            assert any("… published" in line for line in text_of(app))
            await pilot.press("escape", "x")
            assert "published as 1750000000000-1" in about(app), "also when the list is opened again"
            await pilot.press("c", "c")
            assert isinstance(app.screen, ParkedScreen), "once is enough"
            parked = console.view.parked[-1]
            assert console.keys == [f"corrects:{parked.entry_id.decode()}"]

    async def test_what_the_log_says_of_it_is_shown_whoever_did_it(self, dashboard: Dashboard) -> None:
        view = a_corrected_view()
        reason = present().fold().outcomes[view.rows[-1].code or 0].reason
        async with (app := dashboard(view)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            assert "Parked entries: 4, 3 open" in text_of(app)[0]
            lines = text_of(app)
            assert "open, see #11" in lines[4]
            assert "✓ corrected by #10" in lines[5]
            assert f"open: #11, published for it, was rejected ({reason})" in " ".join(about(app).split())
            await pilot.press("j", "c")
            assert isinstance(app.screen, ParkedScreen), "nothing is left to correct"
            assert "✓ corrected by #10" in about(app)

    @pytest.mark.domains_in_turn
    async def test_type_and_json_are_judged_while_they_are_typed(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(a_view(("Refund", "{")))
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "e")
            assert said(pilot) == "· still needed: type"
            event_type, data = app.screen.query_one("#type", Input), app.screen.query_one("#data", Input)
            (name, sound_data), (refused_name, refused_data) = sound(7), refused()
            for chosen, text, outlook in (
                (name, "", "· still needed: data"),
                (name, sound_data[:-1].decode(), "✗ cannot be published: see data"),
                (refused_name, refused_data.decode(), "✗ would be rejected: "),
                (name, sound_data.decode(), "✓ would be applied"),
            ):
                event_type.value, data.value = chosen, text
                await pilot.pause()
                assert said(pilot).startswith(outlook)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ParkedScreen))
            assert console.published == [sound(7)]

    @pytest.mark.domains_in_turn
    async def test_pasted_control_characters_become_json_escapes(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view())).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "e")
            data = app.screen.query_one("#data", Input)
            data.value = ""
            data.insert_text_at_cursor('{"item_id":"\u202ex\x1b"}')
            assert data.value == '{"item_id":"\\u202ex\\u001b"}'

    @pytest.mark.domains_in_turn
    async def test_the_type_is_completed(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(("What", "{}")))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "e")
            field = app.screen.query_one("#type", Input)
            field.value = ""
            field.focus()
            await write(pilot, sound(7)[0][:3].lower())
            await pilot.press("tab")
            assert field.value == sound(7)[0]

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("phase", [Phase.HALTED, Phase.DISCONNECTED])
    async def test_while_nothing_can_be_published_the_form_says_why(self, dashboard: Dashboard, phase: Phase) -> None:
        view = replace(a_view(broken(7, 1250)), phase=phase, phase_note="So it is.")
        console = RecordedConsole(view)
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "c", "enter")
            assert "So it is." in said(pilot)
            assert is_form_of(app, sound(7)[0])
            assert not console.published


@pytest.mark.shop_alone
class TestAnotherDomain:
    def a_bank(self, *broken: str) -> RecordedConsole:
        history = History(fold=(fold := the_bank()))
        for account in ("A", "B"):
            history.add("Opened", f'{{"account":"{account}","owner":"Ann"}}')
        for data in broken:
            history.add("Transferred", data)
        return RecordedConsole(history.live(parked=tuple(history.rows[2:])), fold)

    async def test_is_corrected_in_its_own_form(self, dashboard: Dashboard) -> None:
        console = self.a_bank('{"source":"A","target":"B","amount":0}')
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x")
            assert "Expected `int` >= 1 - at `$.amount`" in about(app)
            await pilot.press("c")
            assert is_form_of(app, "Transferred")
            assert typed(app) == {"source": "A", "target": "B", "amount": "0.00"}
            assert said(pilot) == "✗ cannot be published: see amount"
            app.screen.query_one("#field-amount", Input).value = "5"
            await pilot.pause()
            assert "insufficient_funds" in said(pilot)
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, ParkedScreen))
            assert console.published == [("Transferred", b'{"source":"A","target":"B","amount":500}')]
            assert console.keys == [f"corrects:{console.view.parked[0].entry_id.decode()}"]

    async def test_others_that_need_the_same_are_offered(self, dashboard: Dashboard) -> None:
        texts = ('{"source":"A","target":"B","amount":"5"}', '{"source":"B","target":"A","amount":"7.50"}')
        console = self.a_bank(*texts)
        async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
            await pilot.press("x", "c")
            assert typed(app) == {"source": "B", "target": "A", "amount": ""}
            await write(pilot, "7.5")
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            assert "source A · target B · amount 5.00" in said(pilot, "#consequence")
            await pilot.press("y")
            await until(pilot, lambda: len(console.published) == 2)
            assert console.published[1] == ("Transferred", b'{"source":"A","target":"B","amount":500}')

    async def test_type_and_json_say_what_numbers_mean(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(self.a_bank("{"))).run_test(size=(120, 40)) as pilot:
            await pilot.press("x", "e")
            assert typed(app) == {"type": "Transferred", "data": '{"source":null,"target":null,"amount":null}'}
            screen = " ".join("\n".join(text_of(app)).replace("│", "").split())
            assert '{"source":"text","target":"text","amount":1234}: amount 1234 is 12.34' in screen


class TestEveryTerminal:
    @pytest.mark.domains_in_turn
    async def test_every_line_is_exactly_as_wide(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(broken(7, 1250)))).run_test(size=SIZES[0]) as pilot:
            await pilot.press("x")
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert {cell_len(line) for line in text_of(app)} == {size[0]}
                assert "invalid_data" in "\n".join(text_of(app)[2:5])
                assert "c publish" in text_of(app)[-1]

    @pytest.mark.shop_alone
    async def test_hostile_text_is_harmless(self, dashboard: Dashboard) -> None:
        view = hostile()
        parked = tuple(row for row in view.rows if row.code in PARKED)
        nasty = "\x1b]0;title\x07[red]\u202e\u200b"
        raw = msgspec.json.encode({nasty: nasty, "user_id": nasty})
        row = Row(99, nasty.encode(), (nasty.encode(), nasty.encode(), b"type", b"TopUp", b"data", raw), INVALID_DATA)
        async with (app := dashboard(replace(view, parked=(*parked, row)))).run_test(size=SIZES[0]) as pilot:
            await pilot.press("x")
            for _ in range(len(parked) + 1):
                for line in (*text_of(app), *about(app).splitlines()):
                    assert visible(line, 1000) == line
                await pilot.press("j")
            await pilot.press("g", "c")
            for line in text_of(app):
                assert visible(line, 1000) == line

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("theme", ["ansi-dark", "textual-light"])
    async def test_every_theme_shows_the_same_text(self, dashboard: Dashboard, theme: str) -> None:
        async with (app := dashboard(a_view(), UiSettings(theme=theme))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x")
            assert "! invalid_data" in text_of(app)[4]

    @pytest.mark.domains_in_turn
    async def test_the_keys_can_be_clicked(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view(broken(7, 1250)))).run_test(size=(80, 24)) as pilot:
            await pilot.press("x")
            await pilot.click("#keys", offset=(text_of(app)[-1].index("publish"), 0))
            await until(pilot, lambda: is_form_of(app, sound(7)[0]))

    async def test_the_palette_offers_nothing_of_the_main_screen(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_view())).run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "ctrl+p")
            await pilot.pause()
            assert main_of(app) is not app.screen
            assert "Rebuild" not in "\n".join(text_of(app))


class TestPictures:
    @pytest.mark.shop_alone
    def test_the_list(self, snap_compare: Callable[..., bool], dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(a_corrected_view()), terminal_size=(120, 40), press=["x", "j"])


@pytest.mark.shop_alone
async def test_read_only_it_lists_no_key_that_publishes(dashboard: Dashboard) -> None:
    console = RecordedConsole(replace(a_view(("TopUp", BROKEN_TOP_UP)), readonly=True))
    async with (app := dashboard(console)).run_test(size=(120, 40)) as pilot:
        await pilot.press("x")
        await pilot.pause()
        shown = "\n".join(text_of(app))
        assert "open: this dashboard is read-only: it publishes nothing." in shown
        assert "publish a corrected event" not in shown
        for number, key in enumerate("ce", 1):
            await pilot.press(key)
            assert isinstance(app.screen, ParkedScreen)
            assert told(app)[number - 1 :] == ["! This dashboard is read-only: it publishes nothing."]


def test_types_and_reasons_have_room_for_those_of_the_domain() -> None:
    source = EntrySource(the_bank(), lambda _: Standing(True, "open", "open", "", ""), parked=True)
    longest = max(len(event_type.wire_name) for event_type in the_bank().domain.events)
    assert longest > 8
    assert source.wanted()[3] == longest
    assert source.wanted()[4] == len("! unsupported_version")
