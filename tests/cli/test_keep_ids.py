"""A whole stream exported and put back: `esdash export --all`, `esdash publish batch --keep-ids`."""

import json
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash.export.whole import Header, lines_of
from esdash.log.facts import StreamFacts
from tests.cli.conftest import Call, append, day
from tests.cli.told import DOMAINS, publish
from tests.domains.ways import present
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

SAME = ("ordinal", "unseen", "digest", "last_event_id", "continuity")


def hostile(client: redis.Redis) -> None:
    """A stream with entries of every kind, of which some were deleted and the first trimmed."""
    append(client, day(3, 400))
    for fields in (
        (b"\xff\x00", b"\x80", b"data", b"\x81\xa6UserID\x01"),
        (b"type", b"TopUp", b"type", b"Order", b"data", b'{"user_id":1,"amount":5}', b"data", b"{}", b"", b""),
        (b"type", b"TopUp", b"data", b'{"user_id":7,"amount":5}', b"key", b"\xfe", b"v", b"9"),
        (b"type", "Ünï\u202e".encode(), b"data", b"\x1b[31m\r\n", b"key", b"k" * 500),
    ):
        client.execute_command("XADD", "orders", "*", *fields)
    ids = [entry_id for entry_id, _ in raw(client, "orders")]
    client.xdel("orders", *ids[50:60], ids[-2])
    client.xtrim("orders", maxlen=300, approximate=False)
    client.execute_command("XADD", "orders", f"{2**64 - 1}-7", "type", "TopUp", "data", '{"user_id":7,"amount":1}')


def raw(client: redis.Redis, stream: str) -> Any:
    return client.execute_command("XRANGE", stream, "-", "+")


@pytest.fixture
def exported(call: Call, url: str, client: redis.Redis, tmp_path: Path) -> Path:
    """The file of such a stream."""
    hostile(client)
    file = tmp_path / "orders.jsonl"
    done = call("export", "--all", "--output", file, "--url", url)
    assert done.code == 0, done.err
    return file


def test_a_hostile_stream_comes_back_with_its_ids_numbers_and_digest(
    call: Call, url: str, client: redis.Redis, exported: Path
) -> None:
    done = call("publish", "batch", exported, "--keep-ids", "--stream", "copy", "--url", url)
    assert done.code == 0, done.err
    assert done.json["entries"] == client.xlen("orders") == 301
    assert raw(client, "copy") == raw(client, "orders")
    one, other = (
        call("consume", "--once", "--readonly", "--json", "--stream", stream, "--url", url).json
        for stream in ("orders", "copy")
    )
    assert {name: one[name] for name in SAME} == {name: other[name] for name in SAME}
    assert one["unseen"] > 0
    for place in ("n350", f"#{one['ordinal'] + one['unseen']}"):
        lines = [
            call("events", "--to", place, "--tail", "1", "--stream", each, "--url", url) for each in ("orders", "copy")
        ]
        assert lines[0].out == lines[1].out != ""


def test_snapshots_of_a_stream_that_was_lost_fit_it_again(
    call: Call, url: str, client: redis.Redis, exported: Path
) -> None:
    taken = call("snapshot", "take", "--json", "--url", url).json["id"]
    before = call("consume", "--once", "--readonly", "--json", "--url", url).json
    client.delete("orders")
    assert call("publish", "batch", exported, "--keep-ids", "--url", url).code == 0
    after = call("consume", "--once", "--readonly", "--json", "--url", url).json
    assert after["restored_from"] == taken
    assert {name: after[name] for name in SAME} == {name: before[name] for name in SAME}


def test_through_a_pipe(esdash: Call, url: str, client: redis.Redis) -> None:
    publish(client, "bank", 60)
    whole = esdash("export", "--all", "--domain", DOMAINS["bank"], "--url", url)
    options = ("--keep-ids", "--stream", "copy", "--domain", DOMAINS["bank"], "--url", url)
    done = esdash("publish", "batch", "-", *options, input=whole.out)
    assert done.json["entries"] == 60, done.err
    assert raw(client, "copy") == raw(client, "orders")
    cut = esdash("publish", "batch", "-", "--keep-ids", "--stream", "cut", "--url", url, input=whole.out[:-1])
    assert cut.code == 2
    assert "Nothing was written" in cut.err
    assert not client.exists("cut")


def test_a_file_that_was_cut_or_changed_writes_nothing(
    call: Call, url: str, client: redis.Redis, exported: Path
) -> None:
    data = exported.read_bytes()
    chosen = random.Random(7)
    wrong = [data[: chosen.randrange(len(data))] for _ in range(6)] + [b"", data[:-1], data + b"\n", data + data]
    for _ in range(12):
        place = chosen.randrange(len(data))
        wrong.append(data[:place] + bytes([data[place] ^ 1 << chosen.randrange(8)]) + data[place + 1 :])
    for each in wrong:
        exported.write_bytes(each)
        refused = call("publish", "batch", exported, "--keep-ids", "--stream", "copy", "--url", url)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith("esdash: The file is no whole export: ")
        assert refused.err.endswith("Nothing was written.\n")
        assert client.keys("*") == [b"orders"]


def test_only_an_empty_stream_is_filled(call: Call, url: str, client: redis.Redis, exported: Path) -> None:
    before = raw(client, "orders")
    refused = call("publish", "batch", exported, "--keep-ids", "--url", url)
    assert refused.code == 2
    assert "has entries, or had some" in refused.err
    assert raw(client, "orders") == before
    client.set("text", "no stream")
    refused = call("publish", "batch", exported, "--keep-ids", "--stream", "text", "--url", url)
    assert refused.code == 1
    assert "not a stream" in refused.err
    assert client.keys("*esdash*") == []


def test_without_the_option_it_is_named(call: Call, url: str, client: redis.Redis, exported: Path) -> None:
    refused = call("publish", "batch", exported, "--stream", "copy", "--url", url)
    assert refused.code == 2
    assert "whole stream" in refused.err
    assert "--keep-ids" in refused.err
    assert not client.exists("copy")


def test_a_dashboard_for_looking_only_fills_nothing(call: Call, url: str, client: redis.Redis, exported: Path) -> None:
    for option in (("--readonly",), ("--domain", "raw")):
        refused = call("publish", "batch", exported, "--keep-ids", "--stream", "copy", *option, "--url", url)
        assert refused.code == 1
        assert "Nothing was published" in refused.err
    assert not client.exists("copy")


def test_a_server_that_is_full_keeps_nothing_of_it(
    call: Call, new_server: Callable[..., RunningServer], url: str, client: redis.Redis, tmp_path: Path
) -> None:
    for number in range(400):
        client.xadd("orders", {"type": "TopUp", "data": b"x" * 20_000, "n": number})
    file = tmp_path / "large.jsonl"
    assert call("export", "--all", "--output", file, "--url", url).code == 0
    small = new_server(maxmemory="4mb", appendonly="no")
    refused = call("publish", "batch", file, "--keep-ids", "--url", small.url)
    assert refused.code == 1
    assert "memory" in refused.err
    assert refused.err.endswith("Nothing is in the stream.\n")
    with small.client() as other:
        assert other.keys("*") == []


def test_one_that_is_interrupted_leaves_all_or_nothing(
    start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis, tmp_path: Path
) -> None:
    count = 40_000
    entries = [(b"%d-1" % number, [b"n", b"%d" % number]) for number in range(1, count + 1)]
    header = Header.of("orders", "shop", StreamFacts(count, count, entries[0][0], entries[-1][0]))
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"".join(lines_of(header, entries)))
    process = start("publish", "batch", file, "--keep-ids", "--url", url)
    eventually(lambda: client.keys("*") or process.poll() is not None, timeout=30)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert client.keys("*") == ([b"orders"] if process.returncode == 0 else [])
    assert client.xlen("orders") in (0, count)


def test_the_first_and_the_last_line_tell_what_it_is(exported: Path) -> None:
    first, *_, last = exported.read_text().splitlines()
    header = json.loads(first)
    assert (header["esdash"], header["stream"], header["domain"], header["length"]) == (
        "stream",
        "orders",
        present().fold().name,
        301,
    )
    assert json.loads(last)["entries"] == 301
