"""What a person did to one parked entry, done to others that need the same."""

import msgspec
import pytest

from esdash.engine.shown.row import Row
from esdash.fold.outcomes import INVALID_DATA, UNKNOWN_TYPE
from esdash.shop.events import AddItem, Line, Order, TopUp
from esdash.ui.correct.alike import alike, change_of, changed
from tests.domains.shop import shop

Publishable = TopUp | AddItem | Order


def entry(data: str | bytes, event_type: str = "Refund") -> list[bytes]:
    return [b"type", event_type.encode(), b"data", data if isinstance(data, bytes) else data.encode()]


@pytest.mark.parametrize(
    ("first", "event", "other", "expected"),
    [
        # The same type chosen, the values as they are.
        ('{"user_id":7,"amount":1200}', TopUp(7, 1200), '{"user_id":8,"amount":5}', TopUp(8, 5)),
        # Amounts that were in whole units.
        ('{"user_id":7,"amount":12}', TopUp(7, 1200), '{"user_id":8,"amount":3.5}', TopUp(8, 350)),
        ('{"user_id":7,"amount":"12.00"}', TopUp(7, 1200), '{"user_id":8,"amount":"3.50"}', TopUp(8, 350)),
        ('{"user_id":7,"amount":12}', TopUp(7, 1200), '{"user_id":8,"amount":3.555}', None),
        # Numbers that were text.
        ('{"user_id":"7","amount":1200}', TopUp(7, 1200), '{"user_id":"8","amount":5}', TopUp(8, 5)),
        # Members of other names.
        ('{"customer":7,"cents":1200}', TopUp(7, 1200), '{"customer":8,"cents":5}', TopUp(8, 5)),
        ('{"customer":7,"cents":1200}', TopUp(7, 1200), '{"user":8,"cents":5}', None),
        # Two members that the value may have come from: nobody can tell.
        ('{"a":7,"b":7,"amount":1200}', TopUp(7, 1200), '{"a":8,"b":9,"amount":5}', None),
        # A value that the person made up is for entries with the very same payload.
        ('{"user_id":7}', TopUp(7, 1200), '{"user_id":8}', None),
        ('{"user_id":7}', TopUp(7, 1200), '{"user_id":7}', TopUp(7, 1200)),
        ("garbage", TopUp(7, 1200), "other garbage", None),
        # What the change makes of it breaks the schema.
        ('{"user_id":7,"amount":1200}', TopUp(7, 1200), '{"user_id":8,"amount":-5}', None),
        ('{"item_id":"hdd","count":"2"}', AddItem("hdd", 2), '{"item_id":"cpu","count":"3"}', AddItem("cpu", 3)),
        ('{"item_id":"hdd","count":"2"}', AddItem("hdd", 2), '{"item_id":"cpu","count":"3","price":5}', None),
        (
            '{"user_id":1,"lines":[{"item_id":"5","quantity":"2"}]}',
            Order(1, (Line("5", 2),)),
            '{"user_id":2,"lines":[{"item_id":"7","quantity":"1"},{"item_id":"8","quantity":"9"}]}',
            Order(2, (Line("7", 1), Line("8", 9))),
        ),
    ],
)
def test_the_same_change_is_done_or_none(
    first: str, event: Publishable, other: str, expected: Publishable | None
) -> None:
    assert changed(shop(), change_of(shop(), entry(first), event), entry(other)) == expected


def test_schema_v0_is_changed_like_v1() -> None:
    first, other = (
        msgspec.msgpack.encode({"Type": "Other", "UserID": user_id, "Amount": amount})
        for user_id, amount in ((7, 12), (8, 3))
    )
    change = change_of(shop(), entry(first, "TopUp"), TopUp(7, 1200))
    assert changed(shop(), change, entry(other, "TopUp")) == TopUp(8, 300)


def test_only_those_with_the_same_reason_and_type_are_alike() -> None:
    data = '{"user_id":7,"amount":1200}'
    rows = [
        Row(number, b"%d-0" % number, entry(data, kind), code)
        for number, (kind, code) in enumerate(
            [("Refund", UNKNOWN_TYPE), ("Refund", UNKNOWN_TYPE), ("Other", UNKNOWN_TYPE), ("Refund", INVALID_DATA)], 1
        )
    ]
    change = change_of(shop(), rows[0].fields, TopUp(7, 1200))
    assert [row.ordinal for row, _ in alike(shop(), change, rows[0], rows)] == [2]
