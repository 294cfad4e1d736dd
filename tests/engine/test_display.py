"""When a screen is shown another picture of the state."""

import pytest

from esdash.engine.consumer import display
from esdash.engine.consumer.display import STATE_SHARE, VIEW_SECONDS, Display
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Phase
from tests.domains.shop import shop


def test_the_first_picture_does_not_put_the_next_one_off_by_what_it_took_to_load_the_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0

    def slowly() -> None:
        """As a machine does that has other things to do."""
        nonlocal now
        now += 0.4

    monkeypatch.setattr(display, "load_numpy", slowly)
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


@pytest.mark.parametrize(("phase", "rate"), [(Phase.LIVE, 1.0), (Phase.HALTED, 0.0), (Phase.DISCONNECTED, 0.0)])
def test_a_consumer_that_applies_nothing_has_no_rate(phase: Phase, rate: float) -> None:
    now = 1000.0
    fold = shop()
    shown = Display(fold, "here", "orders", readonly=False, clock=lambda: now)
    projection = Projection(fold)
    page = [(b"1-0", [b"type", b"TopUp", b"data", b'{"user_id":1,"amount":5}'])]
    shown.applied(1, page, projection.apply(page))
    now += 1.0
    shown.enter(phase)
    shown.publish(projection)
    assert shown.view.rate == rate
