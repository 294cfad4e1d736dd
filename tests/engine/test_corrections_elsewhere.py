"""Corrections on a wire on which keys are called otherwise."""

from dataclasses import replace

import pytest
import redis

from esdash.domain import Wire
from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.shown.view import Phase
from esdash.fold.folding import Fold
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.domains.ways import present
from tests.engine.running import STREAM, RunningConsumer, sound_event

pytestmark = pytest.mark.usefixtures("any_domain")


@pytest.fixture(params=["other names", "one type, flat"])
def fold(request: pytest.FixtureRequest) -> Fold:
    """The present domain on another wire."""
    domain = present().fold().domain
    if request.param == "other names":
        return Fold(replace(domain, wire=Wire("kind", "body", "id", "version")))
    only, _ = sound_event()
    return Fold(replace(domain, wire=Wire(data="", key="id", only=only)))


@pytest.mark.parametrize("watched", [True, False])
def test_a_correction_is_known_by_its_key(url: str, client: redis.Redis, fold: Fold, watched: bool) -> None:
    nonsense = fold.fields(sound_event()[0], b"{}", b"k1")
    client.xadd(STREAM, dict(zip(nonsense[::2], nonsense[1::2], strict=True)), id="5-0")
    with RunningConsumer(url, ConsumerSettings(watched=watched), domain=fold) as consumer:
        view = consumer.until(lambda view: view.parked)
        (row,) = view.parked
        assert view.corrections.of_parked(row) is None
        key = view.corrections.key_for_parked(row)
        assert key == "corrects:5-0"
        fields = fold.fields(*sound_event(), key.encode())
        client.xadd(STREAM, dict(zip(fields[::2], fields[1::2], strict=True)))
        view = consumer.until(lambda view: view.position.ordinal == 2 and view.phase is Phase.LIVE)
        found = view.corrections.of_parked(row)
        assert found is not None
        assert found.done is not None
        assert found.done.ordinal == 2


@pytest.mark.one_generation
def test_a_correction_is_known_when_another_process_read_it(
    url: str, fold: Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "FAR", 4000)
    log = Stream(Server(url), STREAM)
    nonsense = fold.fields(sound_event()[0], b"{}", b"k1")
    (parked,) = log.append_many([nonsense])
    key = b"corrects:" + parked
    log.append_many([fold.fields(*sound_event(), key)])
    log.append_many([fold.fields(*sound_event(2), None)] * 4000)
    with RunningConsumer(url, domain=fold) as consumer:
        view = consumer.until_live(log.facts().last_id)
        (row,) = view.parked
        found = view.corrections.of_parked(row)
        assert found is not None
        assert found.done is not None
        assert found.done.ordinal == 2
    log.server.close()
