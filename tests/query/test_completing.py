"""What is offered while a question is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.query.completing import completions
from esdash.query.schema import Schema
from tests.query.asking import of_depots, of_kinds, of_shop, texts


def offered(text: str, schema: Schema | None = None) -> list[str]:
    """What a text becomes; its cursor is the bar, or its end."""
    cursor = text.index("|") if "|" in text else len(text)
    bare = text.replace("|", "")
    return [
        bare[: each.start] + each.text + bare[each.end :] for each in completions(bare, cursor, schema or of_shop())
    ]


class TestNames:
    def test_all_there_are_when_nothing_is_typed(self) -> None:
        terms = ["type:", "outcome:", "reason:", "key:", "id:", "since:", "until:", "user:", "item:"]
        assert offered("") == [*terms, "user_id", "amount", "item_id", "count", "price", "quantity", "ItemID", "Count"]

    @pytest.mark.parametrize(
        ("text", "becomes"),
        [
            ("ty", ["type:"]),
            ("AM", ["amount"]),
            ("hdd -(am", ["hdd -(amount"]),
            ("-out", ["-outcome:", "-reason:out_of_stock"]),
            ("rej", ["outcome:rejected"]),
            ("top", ["type:TopUp"]),
            ("lines.q", ["lines.quantity"]),
            ("lin", ["lines.item_id", "lines.quantity"]),
            ("Order.l", ["Order.lines.item_id", "Order.lines.quantity"]),
            ("us|er b", ["user: b", "user_id b"]),
            ("/x y/ ty", ["/x y/ type:"]),
            ("nothing", []),
        ],
    )
    def test_those_that_begin_so(self, text: str, becomes: list[str]) -> None:
        assert offered(text) == becomes

    def test_a_field_whose_name_means_something_else(self) -> None:
        assert offered("With", of_depots()) == ["Withdrawn.depot", "type:Withdrawn"]
        assert offered("depo", of_depots()) == ["depot:", "reason:depot_exists"]


class TestValues:
    @pytest.mark.parametrize(
        ("text", "becomes"),
        [
            ("outcome:", ["outcome:parked", "outcome:applied", "outcome:duplicate", "outcome:rejected"]),
            ("x type:o", ["x type:Order", "x type:OrderType"]),
            ('reason:"out', ["reason:out_of_stock"]),
            ("reason:e|xyz hdd", ["reason:empty_order hdd"]),
            ("user:", []),
            ('item:"two w', []),
            ("amount>", []),
            ("/a typ", []),
            ('"two wor', []),
        ],
    )
    def test_where_they_are_few(self, text: str, becomes: list[str]) -> None:
        assert offered(text) == becomes

    def test_of_a_choice_and_of_yes_or_no(self) -> None:
        assert offered("climate:", of_depots()) == ["climate:dry", "climate:cold"]
        assert offered("wipe:y", of_kinds()) == ["wipe:yes"]


@given(texts(), st.data())
def test_any_text_can_be_completed_anywhere(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    for each in completions(text, cursor, of_shop()):
        assert 0 <= each.start <= cursor <= each.end <= len(text)
