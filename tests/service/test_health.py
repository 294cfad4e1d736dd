"""Whether a consumer can be relied on."""

import pytest
from msgspec.structs import replace

from esdash.engine.consumer.consumer import Consumer
from esdash.engine.shown.view import Phase, View
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.service.health import unready
from tests.domains.shop import Shop


@pytest.fixture
def live() -> View:
    view = Consumer(Stream(Server("unix:///nowhere"), "orders"), Shop()).view
    return replace(view, phase=Phase.LIVE, lag=10)


def test_it_is_ready_when_live_and_not_too_far_behind(live: View) -> None:
    assert unready(live, 10) == ""
    assert "lags behind by 10 entries" in unready(live, 9)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.LIVE])
def test_in_any_other_phase_it_is_not_and_says_why(live: View, phase: Phase) -> None:
    assert unready(replace(live, phase=phase, phase_note="Somebody tripped."), 10).endswith(
        f"{phase}: Somebody tripped."
    )
