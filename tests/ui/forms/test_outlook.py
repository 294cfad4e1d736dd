"""What would come of an event, told before it is published."""

import time

from esdash.engine.shown.viewer import Viewer
from esdash.ui.forms.outlook import foresee
from tests.domains import the_depots


def test_rules_see_the_time_that_an_append_would_give_the_entry() -> None:
    fold = the_depots()
    state = fold.empty()
    built = b'{"depot":"n","name":"North","opened":"2026-01-01T00:00:00Z"}'
    fold.fold(state, [(b"1-0", [b"type", b"Built", b"data", built])])
    delivered = b'{"depot":"n","goods":[{"sku":"s","pieces":3}],"kilos":"1"}'
    event = fold.read(fold.fields("Delivered", delivered, b"k")).event
    before = time.time_ns() // 1_000_000
    outlook = foresee(fold, Viewer(fold).view(state), event)
    assert outlook.accepted, outlook
    (last,) = [change.after for change in outlook.changes if change.column == "last"]
    assert before <= last <= time.time_ns() // 1_000_000


def test_before_the_first_state_it_is_that_of_an_empty_one() -> None:
    fold = the_depots()
    event = fold.read([b"type", b"Closed", b"data", b'{"depot":"n"}']).event
    outlook = foresee(fold, None, event)
    assert outlook.reason == "unknown_depot"
