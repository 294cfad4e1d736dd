"""How safe an appended entry is: waited for on the connection that appended it, and said when it is not in time."""

from collections.abc import Callable, Iterator

import pytest

from esdash.engine.console import LessDurableError, NotPublishedError
from esdash.engine.publishing.publisher import Publisher
from esdash.log.durability import Durability, read_durability
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.generations import Generation
from tests.servers import RunningServer

SYNCED = Durability(synced=True)
TOP_UP = b'{"user_id":1,"amount":100}'


@pytest.fixture
def log_of() -> Iterator[Callable[[RunningServer], Stream]]:
    logs: list[Stream] = []

    def log_of(server: RunningServer) -> Stream:
        logs.append(Stream(Server(server.url, timeout=2), "orders"))
        return logs[-1]

    yield log_of
    for log in logs:
        log.server.close()


@pytest.mark.parametrize("text", ["applied", "synced", "replicas:1", "replicas:100"])
def test_what_people_write_is_what_they_read(text: str) -> None:
    assert str(read_durability(text)) == text


@pytest.mark.parametrize("text", ["", "fsync", "replicas", "replicas:0", "replicas:101", "replicas:1 ", "Synced"])
def test_what_is_no_durability_is_said_with_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="it is applied, synced, or replicas:N with N from 1 to 100"):
        read_durability(text)


@pytest.mark.every_generation
def test_a_server_tells_what_it_can(
    generation: Generation, new_server: Callable[..., RunningServer], log_of: Callable[[RunningServer], Stream]
) -> None:
    server = new_server(port=True, appendfsync="always")
    new_server(replica_of=server)
    log = log_of(server)
    assert Publisher(log).publish("TopUp", TOP_UP).durability == ""
    assert Publisher(log, durability=Durability(replicas=1)).publish("TopUp", TOP_UP).durability == "replicas:1"
    with pytest.raises(LessDurableError, match=r"the log as \d+-\d+, but 1\.6 s later 1 of 2 replicas of") as missed:
        Publisher(log, durability=Durability(replicas=2)).publish("TopUp", TOP_UP, "k")
    (published,) = missed.value.published
    assert (published.key, published.durability) == ("k", "replicas:1")
    publisher = Publisher(log, durability=SYNCED)
    if generation.product == "valkey" or generation.version >= (7, 2):
        assert {each.durability for each in publisher.publish_many([("TopUp", TOP_UP, None)] * 3)} == {"synced"}
    else:
        with pytest.raises(NotPublishedError, match=r"cannot tell what is synced .*less durability\. Nothing was publ"):
            publisher.publish("TopUp", TOP_UP)


def test_nothing_is_published_where_nothing_could_ever_be_synced(log: Stream) -> None:
    with pytest.raises(NotPublishedError, match=r"has no append-only file.*Nothing was published"):
        Publisher(log, durability=SYNCED).publish("TopUp", TOP_UP)
    assert log.facts().length == 0


def test_what_is_not_synced_in_time_is_said(
    new_server: Callable[..., RunningServer], log_of: Callable[[RunningServer], Stream]
) -> None:
    log = log_of(new_server(appendfsync="no"))
    several = Publisher(log, durability=SYNCED).publish_many([("TopUp", TOP_UP, "a"), ("TopUp", TOP_UP, "b")])
    assert [next(several).durability, next(several).durability] == ["applied"] * 2
    with pytest.raises(
        LessDurableError, match=r"The events are in the log, but 1\.6 s later it was not on the disk of"
    ):
        next(several)
    with pytest.raises(LessDurableError, match=r"It is in the log, but"):
        Publisher(log, durability=SYNCED).publish_after(log.facts().last_id, [[b"type", b"x"]])
    assert log.facts().length == 3


def test_of_a_condition_that_does_not_hold_nothing_is_waited_for(log: Stream) -> None:
    assert log.append_after(b"9-9", [[b"type", b"x"]], Durability(replicas=1)) == []
