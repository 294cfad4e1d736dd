"""Drawing in exact cells: text, numbers, bars, columns, keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from esdash.fold.outcomes import APPLIED
from esdash.shop.samples import Event, demo_batch, demo_events
from esdash.ui.actions import ACTIONS, Group, key_name, key_rows
from esdash.ui.declared import Actions
from esdash.ui.paint.drawing import age, bar, clock_time, duration, fit, fit_number, rate, sparkline
from esdash.ui.paint.painted import Chunk, Span, join
from esdash.ui.tables.columns import Cell, Column, Kind, arrange, draw, title
from esdash.ui.tables.log_cells import counted
from esdash.visible import visible
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.readme import key_table
from tests.ui.recorded import WALL


class TestCells:
    @given(st.text(max_size=60), st.integers(1, 50), st.booleans())
    def test_harmless_text_takes_exactly_its_cells(self, text: str, width: int, right: bool) -> None:
        assert cell_len(fit(visible(text), width, right)) == width

    @given(st.integers(-(2**63), 2**63), st.integers(1, 30))
    def test_a_number_is_whole_or_an_ellipsis(self, number: int, width: int) -> None:
        shown = fit_number(f"{number:,}", width)
        assert len(shown) == width
        assert shown.strip() in (f"{number:,}", "…")

    @given(st.floats(-1, 2), st.integers(0, 80))
    def test_a_bar_takes_exactly_its_cells(self, fraction: float, width: int) -> None:
        assert cell_len(bar(fraction, width)) == width

    def test_anything_above_nothing_shows_in_a_bar(self) -> None:
        assert bar(0.0, 10).strip() == ""
        assert bar(1e-9, 10).strip() == "╸"
        assert bar(1.0, 10) == "━" * 10

    def test_a_sparkline_is_as_wide_as_asked_and_flat_when_nothing_happened(self) -> None:
        assert sparkline((0.0,) * 60, 5) == "▁▁▁▁▁"
        assert sparkline((0.0, 1.0, 2.0), 3) == "▁▄█"
        assert sparkline((1.0,), 0) == ""

    @pytest.mark.parametrize(
        ("seconds", "told"),
        [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (172_800, "2 d")],
    )
    def test_ages(self, seconds: float, told: str) -> None:
        assert age(seconds) == told

    @pytest.mark.parametrize(
        ("seconds", "told"),
        [
            (0.0004, "0.4 ms"),
            (0.012, "12 ms"),
            (1.25, "1.2 s"),
            (12.5, "12 s"),
            (200, "3 min 20 s"),
            (7260, "2 h 1 min"),
        ],
    )
    def test_durations(self, seconds: float, told: str) -> None:
        assert duration(seconds) == told

    def test_rates(self) -> None:
        assert [rate(value) for value in (0, 0.5, 9.94, 10, 912_345.4)] == [
            "0/s",
            "0.5/s",
            "9.9/s",
            "10/s",
            "912,345/s",
        ]

    def test_times_of_other_days_say_the_day(self) -> None:
        now = int(WALL * 1000)
        assert clock_time(now, WALL) == "15:06:40"
        assert clock_time(now - 86_400_000, WALL) == "06-14 15:06"
        assert clock_time(now - 400 * 86_400_000, WALL) == "2024-05-11"
        assert clock_time(2**64, WALL) == "—"


columns = st.lists(
    st.builds(
        Column,
        key=st.just("k"),
        title=st.text("abc", max_size=9),
        kind=st.sampled_from(Kind),
        least=st.integers(1, 20),
        rank=st.integers(0, 4),
        stretch=st.integers(0, 2),
        sortable=st.booleans(),
    ),
    min_size=1,
    max_size=6,
).filter(lambda found: any(column.rank == 0 for column in found))


class TestColumns:
    @given(columns, st.data(), st.integers(10, 200), st.integers(1, 2))
    def test_they_never_take_more_than_there_is(
        self, found: list[Column], data: st.DataObject, width: int, gap: int
    ) -> None:
        wanted = data.draw(st.lists(st.integers(1, 60), min_size=len(found), max_size=len(found)))
        widths = arrange(found, wanted, width, gap)
        used = [cells for cells in widths if cells]
        assert sum(used) + gap * (len(used) - 1) <= max(width, sum(1 for column in found if not column.rank) * 4)
        assert all(widths[index] for index, column in enumerate(found) if column.rank == 0)

    def test_the_least_important_leave_first(self) -> None:
        found = [Column("a", "a", rank=0), Column("b", "b", Kind.NUMBER, rank=1), Column("c", "c", rank=2, least=8)]
        assert arrange(found, [10, 6, 10], 40, 1) == (10, 6, 10)
        assert arrange(found, [10, 6, 10], 21, 1)[2] >= 8
        assert arrange(found, [10, 6, 10], 18, 1) == (10, 6, 0)
        assert arrange(found, [10, 6, 10], 10, 1) == (10, 0, 0)

    def test_what_is_left_over_goes_to_those_that_stretch(self) -> None:
        found = [Column("a", "a", stretch=1), Column("b", "b", Kind.BAR, least=5, stretch=3)]
        widths = arrange(found, [10, 5], 51, 1)
        assert sum(widths) == 50
        assert widths[1] > widths[0]

    def test_a_cell_has_a_short_form_for_narrow_columns(self) -> None:
        cell = Cell("rejected · out_of_stock", shorter=("out_of_stock",))
        assert draw(Column("o", "outcome"), cell, 23) == "rejected · out_of_stock"
        assert draw(Column("o", "outcome"), cell, 22).rstrip() == "out_of_stock"

    def test_a_sorted_title_has_its_arrow_even_when_it_is_cut(self) -> None:
        assert title(Column("r", "remaining", Kind.NUMBER), 12, "↓") == "  ↓remaining"
        assert title(Column("r", "remaining"), 5, "↑") == "rem…↑"

    @given(
        st.lists(st.tuples(st.text("ab ", min_size=1, max_size=12), st.integers(0, 4)), max_size=8), st.integers(1, 80)
    )
    def test_a_line_of_chunks_keeps_those_that_matter(self, found: list[tuple[str, int]], width: int) -> None:
        chunks = [Chunk((Span(text),), rank) for text, rank in found]
        line = join(chunks, width)
        texts = [span.text for span in line]
        assert all(text in texts for text, rank in found if rank == 0)
        if all(rank for _, rank in found):
            assert sum(map(cell_len, texts)) <= width


class TestCounts:
    def test_as_many_reasons_as_fit_the_frequent_first(self) -> None:
        outcomes = shop().outcomes
        told = {(None): 1_234, "unknown_user": 5, "out_of_stock": 7, "unknown_type": 1}
        counts = [2 if name == "duplicate" else told.get(reason, 0) for name, reason in outcomes]

        def counts_text(counts: list[int], width: int) -> str:
            return "  ".join(each.text for each in counted(outcomes, counts, width))

        assert counts_text(counts, 200) == (
            "✓ 1,234 applied  ✗ 12 rejected (out_of_stock 7, unknown_user 5)  "
            "! 1 parked (unknown_type 1)  = 2 duplicate"
        )
        assert counts_text(counts, 100) == (
            "✓ 1,234 applied  ✗ 12 rejected (out_of_stock 7, …)  ! 1 parked (unknown_type 1)  = 2 duplicate"
        )
        assert counts_text(counts, 60) == "✓ 1,234 applied  ✗ 12 rejected  ! 1 parked  = 2 duplicate"
        assert counts_text([0] * len(outcomes), 60) == ""


class TestTheRegistryOfActions:
    @pytest.mark.usefixtures("any_domain")
    def test_no_key_means_two_things(self) -> None:
        keys = [key.strip() for action in Actions(present().fold()) for key in action.keys.split(",") if key]
        assert len(keys) == len(set(keys))

    @pytest.mark.usefixtures("any_domain")
    def test_ids_are_unique_and_every_group_is_used(self) -> None:
        fold = present().fold()
        ids = [action.id for action in Actions(fold)]
        assert len(ids) == len(set(ids))
        assert {each.wire_name.lower() for each in fold.publishable} <= {name.replace("_", "") for name in ids}
        assert {action.group for action in ACTIONS} == set(Group)

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("question_mark", "?"),
            ("?", "?"),
            ("ctrl+d", "Ctrl+D"),
            ("pageup", "PgUp"),
            ("space", "Space"),
            ("+", "+"),
            ("plus", "+"),
            ("shift+tab", "Shift+Tab"),
            ("enter", "Enter"),
            ("G", "G"),
            ("f5", "F5"),
            ("up", "↑"),
        ],
    )
    def test_keys_have_the_names_that_people_read(self, key: str, name: str) -> None:
        assert key_name(key) == name

    def test_the_tables_for_help_and_readme_have_every_action(self) -> None:
        table = key_table()
        for action in ACTIONS:
            assert action.tooltip in table
        assert {row[2] for row in key_rows(ACTIONS)} == {action.label for action in ACTIONS if action.keys}
        actions = Actions(shop(), {"snapshot": "f5"})
        assert ("Control the consumer", "F5", "Snapshot", actions["snapshot"].tooltip) in actions.key_rows()


class TestTheDemo:
    def test_a_batch_is_the_same_for_a_seed_and_mostly_applied(self) -> None:
        assert demo_batch(5) == demo_batch(5)
        assert demo_batch(5) != demo_batch(6)
        assert [type(event).__name__ for event in demo_batch(1)] == ["TopUp"] * 10 + ["AddItem"] * 10 + ["Order"] * 10
        assert applied(demo_batch(5)) >= 24

    def test_an_endless_stream_is_mostly_applied_and_sometimes_refused(self) -> None:
        events = demo_events(3, users=1000, items=50)
        taken = [next(events) for _ in range(5000)]
        assert 4000 < applied(taken) < 5000

    @pytest.mark.parametrize(("users", "items"), [(1, 1), (2, 3), (100_000, 1000)])
    def test_any_number_of_users_and_items(self, users: int, items: int) -> None:
        assert applied(demo_batch(1, users, items)) >= 20


def applied(events: list[Event]) -> int:
    """How many of these events a fold applies to an empty state."""
    fields = [shop().fields(*shop().encode(event), b"")[:-2] for event in events]
    return shop().fold(shop().empty(), [(b"1-1", each) for each in fields]).count(APPLIED)
