"""A stream that is copied and put back: the same entries, ids and counts, as a whole or not at all."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from esdash.log.copying import Copying
from esdash.log.errors import LogError
from esdash.log.facts import Entry, StreamFacts
from esdash.log.refilling import NotEmptyError, Refilling
from esdash.log.stream import Stream
from tests.generations import Generation

pytestmark = pytest.mark.two_generations

GREATEST = b"18446744073709551615-18446744073709551614"


@pytest.fixture
def copy(log: Stream) -> Stream:
    """Another stream on the server, which is empty."""
    return Stream(log.server, "copy{7}")


def fill(log: Stream, copy: Stream) -> tuple[StreamFacts, StreamFacts]:
    """Put all of a stream into another; what is known of both."""
    copying, refilling = Copying(log), Refilling(copy)
    refilling.add(copying.entries())
    refilling.finish(copying.facts)
    return log.facts(), copy.facts()


def entries_of(client: redis.Redis, stream: str) -> Any:
    return client.execute_command("XRANGE", stream, "-", "+")


def append(client: redis.Redis, count: int) -> None:
    with client.pipeline(transaction=False) as pipeline:
        for number in range(1, count + 1):
            pipeline.execute_command("XADD", "orders", f"{number}-{number}", "n", number, "n", b"\xff\x00", "", "")
        pipeline.execute()


def test_entries_ids_and_counts_are_the_same(log: Stream, copy: Stream, client: redis.Redis) -> None:
    append(client, 2500)
    client.xdel("orders", "700-700", "2500-2500")
    client.xtrim("orders", maxlen=1200, approximate=False)
    client.xadd("orders", {"last": "one"}, id=GREATEST)
    before, after = fill(log, copy)
    assert before == after
    assert entries_of(client, "orders") == entries_of(client, "copy{7}")
    assert client.ttl("copy{7}") == -1
    assert sorted(client.keys("*")) == [b"copy{7}", b"orders"], "nothing is left beside it"


@pytest.mark.parametrize("count", [0, 3])
def test_a_stream_that_has_lost_all_its_entries_remembers_them(
    log: Stream, copy: Stream, client: redis.Redis, count: int
) -> None:
    append(client, 3)
    client.xdel("orders", "2-2")
    client.xtrim("orders", maxlen=0, approximate=False)
    for number in range(count):
        client.xadd("orders", {"n": number})
    assert fill(log, copy)[0] == copy.facts()


def test_one_that_was_deleted_behind_the_last_is_remembered(log: Stream, copy: Stream, client: redis.Redis) -> None:
    append(client, 3)
    client.xdel("orders", "3-3")
    assert fill(log, copy)[0] == copy.facts()
    with pytest.raises(redis.ResponseError, match="equal or smaller"):
        client.xadd("copy{7}", {"n": 1}, id="3-3")


def test_a_stream_with_entries_or_one_that_had_some_is_left_alone(
    log: Stream, copy: Stream, client: redis.Redis
) -> None:
    append(client, 3)
    client.xadd("copy{7}", {"n": 1}, id="1-0")
    with pytest.raises(NotEmptyError):
        Refilling(copy).require_empty()
    with pytest.raises(NotEmptyError, match=r"has entries, or had some"):
        fill(log, copy)
    client.xdel("copy{7}", "1-0")
    with pytest.raises(NotEmptyError):
        fill(log, copy)
    assert client.xlen("copy{7}") == 0


def test_nobody_sees_a_part_of_it_and_who_comes_in_between_wins(log: Stream, copy: Stream, client: redis.Redis) -> None:
    append(client, 3)
    copying, refilling = Copying(log), Refilling(copy)
    refilling.add(copying.entries())
    assert not client.exists("copy{7}")
    keys: Any = client.keys("*")
    (beside,) = [key for key in keys if key != b"orders"]
    assert beside.startswith(b"esdash::copy{7}:filling:")
    assert 0 < client.pttl(beside) <= 600_000
    client.xadd("copy{7}", {"n": 1}, id="9-9")
    with pytest.raises(NotEmptyError):
        refilling.finish(copying.facts)
    refilling.give_up()
    assert sorted(client.keys("*")) == [b"copy{7}", b"orders"]
    assert [entry_id for entry_id, _ in entries_of(client, "copy{7}")] == [b"9-9"]


def test_groups_of_a_stream_that_waits_for_its_first_entry_stay(log: Stream, copy: Stream, client: redis.Redis) -> None:
    append(client, 3)
    client.xgroup_create("copy{7}", "workers", id="0", mkstream=True)
    fill(log, copy)
    (group,) = client.xinfo_groups("copy{7}")
    assert group["name"] == b"workers"
    read: Any = client.xreadgroup("workers", "one", {"copy{7}": ">"})
    assert len(read[0][1]) == 3


def test_what_was_sent_and_is_gone_is_noticed(log: Stream, copy: Stream, client: redis.Redis) -> None:
    append(client, 3)
    copying, refilling = Copying(log), Refilling(copy)
    refilling.add(copying.entries())
    client.delete(*[key for key in client.keys("*") if key != b"orders"])
    with pytest.raises(LogError, match="not all there"):
        refilling.finish(copying.facts)
    assert not client.exists("copy{7}")


def test_whether_what_left_before_is_counted_depends_on_the_server(
    log: Stream, copy: Stream, client: redis.Redis, generation: Generation
) -> None:
    append(client, 1)
    refilling = Refilling(copy)
    refilling.add(Copying(log).entries())
    assert refilling.finish(StreamFacts(1, 5, b"1-1", b"1-1")) is generation.counts_entries
    assert copy.facts().entries_added == (5 if generation.counts_entries else None)


class TestWhileItIsRead:
    @pytest.fixture
    def reading(self, log: Stream, client: redis.Redis) -> Callable[[], list[Entry]]:
        """A stream of which the first page was read already."""
        append(client, 2500)
        copying = Copying(log)
        return lambda: list(copying.entries())

    def test_what_is_appended_is_left_out(self, reading: Callable[[], list[Entry]], client: redis.Redis) -> None:
        client.xadd("orders", {"n": 1})
        assert len(reading()) == 2500

    def test_what_was_read_may_go(self, reading: Callable[[], list[Entry]], client: redis.Redis) -> None:
        client.xdel("orders", "1-1", "2-2")
        assert len(reading()) == 2500

    def test_what_goes_unread_is_told(self, reading: Callable[[], list[Entry]], client: redis.Redis) -> None:
        client.xtrim("orders", maxlen=500, approximate=False)
        with pytest.raises(LogError, match=r"entries left the stream before they were read\. Run it again"):
            reading()

    def test_a_stream_that_becomes_another_one_is_told(
        self, reading: Callable[[], list[Entry]], client: redis.Redis
    ) -> None:
        client.delete("orders")
        with client.pipeline(transaction=False) as pipeline:
            for number in range(1, 2501):
                pipeline.execute_command("XADD", "orders", f"{number}-{number}", "other", number)
            pipeline.execute()
        with pytest.raises(LogError, match="another one"):
            reading()
