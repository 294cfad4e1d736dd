"""When a screen is shown another picture of the state."""

import pytest

from esdash.engine import display
from esdash.engine.display import STATE_SHARE, VIEW_SECONDS, Display
from esdash.engine.projection import Projection
from tests.domains.shop import shop


def test_the_first_picture_does_not_put_the_next_one_off_by_what_it_took_to_load_the_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0

    def slowly() -> None:
        """As a machine does that has other things to do."""
        nonlocal now
        now += 0.4

    monkeypatch.setattr(display, "load", slowly)
    fold = shop()
    shown = Display(fold, "here", "orders", readonly=False, clock=lambda: now)
    projection = Projection(fold)
    shown.publish(projection)
    for number in range(1, 4):
        page = [(b"%d-0" % number, [b"type", b"TopUp", b"data", b'{"user_id":%d,"amount":5}' % number])]
        shown.applied(number, page, projection.apply(page))
        now += VIEW_SECONDS * 2
        assert now < 1000.0 + 0.4 * STATE_SHARE
        shown.publish(projection)
        assert shown.view.state is not None
        assert len(shown.view.state.tables["users"]) == number
