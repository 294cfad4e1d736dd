"""`esdash consume`."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Call, append, closed_pipe, day, line_with
from tests.servers import RunningServer
from tests.strategies import raw_entry

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

Start = Callable[..., "subprocess.Popen[str]"]
MEMBERS = [
    *("restored_from", "replayed", "seconds", "events_per_second", "last_event_id", "ordinal", "unseen"),
    *("digest", "continuity", "missing", "partial"),
]


def take_and_damage(call: Call, url: str, client: redis.Redis) -> str:
    """The id of a snapshot at event 10 that cannot be used any more."""
    append(client, day(1, 10))
    taken: str = call("snapshot", "take", "--json", "--url", url).json["id"]
    client.hset(f"esdash:{{orders}}:snapshot:{taken}", "1", b"nonsense")
    return taken


class TestOnce:
    @pytest.mark.parametrize("flags", [(), ("--json",)])
    def test_it_prints_what_it_replayed(
        self, call: Call, url: str, client: redis.Redis, flags: tuple[str, ...]
    ) -> None:
        ids = append(client, day(1, 1234))
        done = call("consume", "--once", *flags, "--url", url)
        assert done.code == 0
        document = done.json
        assert list(document) == MEMBERS
        assert document["restored_from"] is None
        assert document["replayed"] == document["ordinal"] == 1234
        assert document["last_event_id"] == ids[-1]
        assert document["continuity"] == "CONTINUOUS"
        assert document["events_per_second"] > 0
        assert document["digest"] == call("state", "--json", "--url", url).json["digest"]

    def test_the_second_time_only_the_tail(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 100))
        call("consume", "--once", "--url", url)
        (snapshot,) = call("snapshot", "list", "--json", "--url", url).json
        append(client, day(2, 10))
        document = call("consume", "--once", "--url", url).json
        assert (document["restored_from"], document["replayed"], document["ordinal"]) == (snapshot["id"], 10, 110)

    def test_from_the_start(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 100))
        first = call("consume", "--once", "--url", url).json
        again = call("consume", "--once", "--from-start", "--url", url).json
        assert (again["restored_from"], again["replayed"]) == (None, 100)
        assert again["digest"] == first["digest"]

    @pytest.mark.parametrize("flag", ["--no-snapshot", "--readonly"])
    def test_without_writing(self, call: Call, url: str, client: redis.Redis, flag: str) -> None:
        append(client, day(1, 100))
        assert call("consume", "--once", flag, "--url", url).code == 0
        assert client.keys() == [b"orders"]

    def test_a_stream_that_is_not_there_yet_is_said(self, call: Call, url: str) -> None:
        done = call("consume", "--once", "--url", url)
        assert done.code == 0
        assert "There is no stream 'orders'" in done.err
        document = done.json
        assert (document["replayed"], document["last_event_id"], document["events_per_second"]) == (0, "0-0", 0.0)

    def test_a_gap_is_4(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 100))
        before = call("consume", "--once", "--url", url).json
        append(client, day(2, 10))
        client.xtrim("orders", maxlen=5, approximate=False)
        broken = call("consume", "--once", "--url", url)
        assert broken.code == 4
        assert broken.json["continuity"] == "GAP 5"
        assert (broken.json["missing"], broken.json["partial"]) == (5, 0)
        assert (broken.json["ordinal"], broken.json["digest"]) == (100, before["digest"])
        assert "5 entries vanished unread" in broken.err

    def test_partial_history_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 10))
        client.xtrim("orders", maxlen=7, approximate=False)
        done = call("consume", "--once", "--url", url)
        assert done.code == 0
        assert (done.json["continuity"], done.json["missing"], done.json["partial"]) == ("CONTINUOUS", 0, 3)
        assert "Partial history: 3 entries were gone" in done.err

    def test_a_snapshot_that_was_not_used_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        damaged = take_and_damage(call, url, client)
        done = call("consume", "--once", "--no-snapshot", "--url", url)
        assert (done.code, done.json["restored_from"]) == (0, None)
        assert f"esdash: Snapshot {damaged} at event 10 was not used: " in done.err

    def test_no_server_is_5(self, call: Call) -> None:
        assert call("consume", "--once", "--url", "redis://127.0.0.1:1").code == 5
        assert call("consume", "--url", "redis://127.0.0.1:1").code == 5


class TestUntilToldToStop:
    @pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
    def test_it_ends_with_a_snapshot(
        self, start: Start, call: Call, url: str, client: redis.Redis, ending: int
    ) -> None:
        append(client, day(1, 50))
        consumer = start("consume", "--url", url)
        line_with(consumer.stderr, "live · 50 entries")
        consumer.send_signal(ending)
        assert consumer.wait(timeout=30) == 0
        (snapshot,) = call("snapshot", "list", "--json", "--url", url).json
        assert snapshot["ordinal"] == 50
        assert snapshot["usable"]

    def test_progress_as_json(self, start: Start, url: str, client: redis.Redis) -> None:
        append(client, day(1, 5))
        consumer = start("consume", "--json", "--url", url)
        progress = json.loads(line_with(consumer.stdout, '{"phase": "live"'))
        assert (progress["ordinal"], progress["continuity"]) == (5, "CONTINUOUS")
        consumer.terminate()
        out, err = consumer.communicate(timeout=30)
        assert json.loads(out.splitlines()[-1])["phase"] == "stopped"
        assert err == ""

    def test_it_says_what_it_could_not_use_and_what_is_missing(
        self, start: Start, call: Call, url: str, client: redis.Redis
    ) -> None:
        damaged = take_and_damage(call, url, client)
        consumer = start("consume", "--json", "--no-snapshot", "--url", url)
        assert f"Snapshot {damaged} at event 10 was not used: " in line_with(consumer.stderr, "esdash: ")
        client.delete("orders")
        client.delete(*client.keys("esdash:*"))
        append(client, day(1, 10))
        client.xtrim("orders", maxlen=7, approximate=False)
        partial = start("consume", "--json", "--url", url)
        assert "Partial history: 3 entries were gone" in line_with(partial.stderr, "esdash: ")
        progress = json.loads(line_with(partial.stdout, '{"phase": "live"'))
        assert (progress["missing"], progress["partial"]) == (0, 3)

    def test_a_gap_ends_it_with_4(self, start: Start, url: str, client: redis.Redis) -> None:
        append(client, day(1, 3))
        consumer = start("consume", "--url", url)
        line_with(consumer.stderr, "live")
        pipeline = client.pipeline(transaction=True)
        for _ in range(4):
            pipeline.xadd("orders", {"type": "x", "data": "y"})
        pipeline.xtrim("orders", maxlen=1, approximate=False)
        pipeline.execute()
        _, err = consumer.communicate(timeout=30)
        assert consumer.returncode == 4
        assert "3 entries vanished" in err

    def test_a_server_that_comes_back(self, start: Start, url: str, new_server: Callable[..., RunningServer]) -> None:
        assert url
        server = new_server()
        consumer = start("consume", "--url", server.url)
        line_with(consumer.stderr, "live")
        server.kill()
        line_with(consumer.stderr, "disconnected: No connection")
        server.start()
        line_with(consumer.stderr, "live")
        consumer.terminate()
        assert consumer.wait(timeout=30) == 0


needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


class TestOutputThatIsGone:
    """A consumer whose output nobody reads any more ends, even when it has nothing to say."""

    def test_a_reader_of_the_progress_that_leaves(
        self, start: Start, call: Call, url: str, client: redis.Redis
    ) -> None:
        append(client, day(1, 50))
        consumer = start("consume", "--json", "--url", url)
        line_with(consumer.stdout, '{"phase": "live"')
        assert consumer.stdout is not None
        consumer.stdout.close()
        assert consumer.wait(timeout=30) == 0
        assert consumer.stderr is not None
        assert consumer.stderr.read() == ""
        (snapshot,) = call("snapshot", "list", "--json", "--url", url).json
        assert snapshot["ordinal"] == 50

    def test_a_reader_of_what_it_says_that_leaves(self, start: Start, url: str) -> None:
        consumer = start("consume", "--url", url)
        line_with(consumer.stderr, "live")
        assert consumer.stderr is not None
        consumer.stderr.close()
        assert consumer.wait(timeout=30) == 0

    def test_no_reader_from_the_beginning(self, start: Start, url: str) -> None:
        with closed_pipe() as pipe:
            assert start("consume", "--json", "--url", url, stdout=pipe).wait(timeout=30) == 0
            assert start("consume", "--url", url, stderr=pipe).wait(timeout=30) == 0

    @needs_a_full_disk
    def test_a_full_disk(self, shell: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 5))
        ended = shell(">/dev/full", "consume", "--json", "--url", url)
        assert (ended.code, ended.err) == (1, "esdash: No space left on device.\n")

    def test_a_closed_output(self, shell: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 5))
        ended = shell(">&-", "consume", "--json", "--url", url)
        assert (ended.code, ended.err) == (1, "esdash: Standard input or output is closed.\n")


class TestFromTheStartOfATrimmedStream:
    def trimmed(self, call: Call, url: str, client: redis.Redis) -> str:
        """A stream of 500 entries beside a snapshot that has seen 500 more; the digest of all."""
        append(client, day(1, 1000))
        digest: str = call("consume", "--once", "--url", url).json["digest"]
        client.xtrim("orders", maxlen=500, approximate=False)
        return digest

    def test_it_says_what_would_be_lost_and_does_nothing(self, call: Call, url: str, client: redis.Redis) -> None:
        digest = self.trimmed(call, url, client)
        for flags in (("--once",), (), ("--once", "--no-snapshot"), ("--json",)):
            refused = call("consume", "--from-start", *flags, "--url", url)
            assert (refused.code, refused.out) == (2, "")
            assert "500 entries that a snapshot has seen have left the stream" in refused.err
            assert "--yes" in refused.err
        assert call("state", "--json", "--url", url).json["digest"] == digest

    def test_yes_does_it_and_keeps_what_was_known(self, call: Call, url: str, client: redis.Redis) -> None:
        digest = self.trimmed(call, url, client)
        done = call("consume", "--once", "--from-start", "--yes", "--url", url)
        assert (done.code, done.json["ordinal"], done.json["continuity"]) == (0, 500, "CONTINUOUS")
        assert "has seen 500 entries more that left the stream" in done.err
        for _ in range(2):
            told = call("state", "--json", "--url", url).json
            assert (told["digest"], told["ordinal"], told["continuity"]) == (digest, 1000, "CONTINUOUS")
            call("consume", "--once", "--url", url)

    def test_nothing_is_asked_where_nothing_is_lost(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 100))
        client.xtrim("orders", maxlen=50, approximate=False)
        for _ in range(2):
            done = call("consume", "--once", "--from-start", "--url", url)
            assert (done.code, done.json["ordinal"]) == (0, 50)


@pytest.mark.shop_alone
def test_the_invariants_of_a_domain_are_told_where_it_has_some(call: Call, url: str, client: redis.Redis) -> None:
    append(client, [raw_entry("Read", b'{"meter":"a","shown":-1}')])
    done = call("consume", "--once", "--domain", "tests.domains.meters:METERS", "--url", url)
    assert (done.code, done.json["invariants"]) == (0, {"none_below_zero": False, "below_hundred": True})
    assert "The invariant none_below_zero is broken. #1 Read broke it." in done.err
    assert "invariants" not in call("consume", "--once", "--stream", "other", "--url", url).json
