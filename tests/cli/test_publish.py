"""`esdash publish`."""

import codecs
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Call, append, stored
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.strategies import seeded_entries

Start = Callable[..., "subprocess.Popen[str]"]


class TestOneEvent:
    def test_a_top_up(self, call: Call, url: str, client: redis.Redis) -> None:
        printed = call("publish", "top-up", 7, "12.34", "--url", url)
        assert printed.code == 0
        ((entry_id, fields),) = stored(client)
        assert printed.json == {"id": entry_id, "type": "TopUp", "key": fields[b"key"].decode()}
        assert fields[b"type"] == b"TopUp"
        assert json.loads(fields[b"data"]) == {"user_id": 7, "amount": 1234}

    def test_an_item_with_a_price(self, call: Call, url: str, client: redis.Redis) -> None:
        assert call("publish", "add-item", "hard disk", 5, "--price", "0.99", "--url", url).code == 0
        assert json.loads(stored(client)[0][1][b"data"]) == {"item_id": "hard disk", "count": 5, "price": 99}

    def test_an_item_without_a_price(self, call: Call, url: str, client: redis.Redis) -> None:
        assert call("publish", "add-item", "hdd", 5, "--url", url).code == 0
        assert json.loads(stored(client)[0][1][b"data"]) == {"item_id": "hdd", "count": 5}

    def test_an_order_of_an_item_with_a_colon(self, call: Call, url: str, client: redis.Redis) -> None:
        assert call("publish", "order", 7, "a:b:2", "cpu:1", "--url", url).code == 0
        lines = json.loads(stored(client)[0][1][b"data"])["lines"]
        assert lines == [{"item_id": "a:b", "quantity": 2}, {"item_id": "cpu", "quantity": 1}]

    def test_a_key_of_ones_own_counts_once(self, call: Call, url: str) -> None:
        first = call("publish", "top-up", 7, 1, "--key", "k", "--wait", "--url", url).json
        again = call("publish", "top-up", 7, 1, "--key", "k", "--wait", "--url", url).json
        assert (first["key"], first["ordinal"], first["outcome"], first["reason"]) == ("k", 1, "applied", None)
        assert (again["key"], again["ordinal"], again["outcome"], again["reason"]) == ("k", 2, "duplicate", None)

    def test_waiting_tells_why_it_was_refused(self, call: Call, url: str) -> None:
        refused = call("publish", "order", 7, "hdd:1", "--wait", "--url", url)
        assert refused.code == 1
        assert (refused.json["outcome"], refused.json["reason"]) == ("rejected", "unknown_user")
        assert "is in the log as" in refused.err
        assert "was not applied. Nobody had topped this user up before." in refused.err

    def test_waiting_tells_a_duplicate(self, call: Call, url: str) -> None:
        assert call("publish", "top-up", 7, 1, "--key", "k", "--wait", "--url", url).code == 0
        again = call("publish", "top-up", 7, 1, "--key", "k", "--wait", "--url", url)
        assert (again.code, again.json["outcome"]) == (1, "duplicate")
        assert "An earlier entry has the same key" in again.err

    def test_says_how_safe_it_is(self, call: Call, new_server: Callable[..., RunningServer], tmp_path: Path) -> None:
        server = new_server(appendfsync="always")
        at = ("--url", f"{server.url}?socket_timeout=2")
        assert call("publish", "top-up", 7, 1, "--durability", "synced", *at).json["durability"] == "synced"
        missed = call("publish", "top-up", 7, 1, "--durability", "replicas:1", "--wait", *at)
        assert (missed.code, missed.json["durability"], missed.json["outcome"]) == (1, "applied", "applied")
        assert "is in the log as " in missed.err
        assert "but 1.6 s later 0 of 1 replicas of" in missed.err
        lines = tmp_path / "lines"
        lines.write_text('{"type":"TopUp","data":{"user_id":7,"amount":1}}\n' * 3)
        missed = call("publish", "batch", lines, "--durability", "replicas:1", *at)
        assert missed.code == 1
        assert missed.out.count('"durability": "applied"') == 3
        assert "The events are in the log, but 1.6 s later" in missed.err
        missed = call("produce", "--count", 2, "--durability", "replicas:1", "--json", *at)
        assert (missed.code, missed.json["published"]) == (1, 2)
        refused = call("publish", "top-up", 7, 1, "--durability", "twice", *at)
        assert refused.code == 2
        assert "it is applied, synced, or replicas:N with N from 1 to 100" in refused.err

    def test_a_line_without_a_quantity_is_one_piece(self, call: Call, url: str, client: redis.Redis) -> None:
        assert call("publish", "order", 7, "hdd", "cpu:2", "--url", url).code == 0
        lines = json.loads(stored(client)[0][1][b"data"])["lines"]
        assert lines == [{"item_id": "hdd", "quantity": 1}, {"item_id": "cpu", "quantity": 2}]

    def test_a_decision_that_a_gap_hides_is_4_and_the_event_is_told(
        self, call: Call, url: str, client: redis.Redis
    ) -> None:
        append(client, seeded_entries(1, 5))
        assert call("snapshot", "take", "--url", url).code == 0
        append(client, seeded_entries(2, 5))
        client.xtrim("orders", maxlen=2, approximate=False)
        published = call("publish", "top-up", 7, 1, "--key", "k", "--wait", "--url", url)
        assert published.code == 4
        entry_id = stored(client)[-1][0]
        assert published.json == {
            "id": entry_id,
            "type": "TopUp",
            "key": "k",
            "ordinal": None,
            "outcome": None,
            "reason": None,
        }
        assert published.err.startswith(f"esdash: The event is in the log as {entry_id}, but ")
        assert "vanished" in published.err
        assert published.err.count("cannot be told") == 1

    def test_a_server_that_is_lost_after_the_append_is_5_and_the_event_is_told(
        self, call: Call, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server()
        with Proxy(server) as proxy:
            # The first command after the append.
            proxy.cut_reply_to(b"XRANGE")
            published = call("publish", "top-up", 7, 1, "--wait", "--url", proxy.url)
            assert proxy.cuts == 1
        assert published.code == 5
        with server.client() as client:
            ((entry_id, fields),) = stored(client)
        assert (published.json["id"], published.json["key"]) == (entry_id, fields[b"key"].decode())
        assert published.json["outcome"] is None
        assert published.err.startswith(f"esdash: The event is in the log as {entry_id}, but ")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_when_it_cannot_be_printed_the_event_is_told(self, shell: Call, url: str, client: redis.Redis) -> None:
        failed = shell(">/dev/full", "publish", "top-up", 7, 1, "--key", "k", "--url", url)
        assert failed.code == 1
        assert f"The event is in the log as {stored(client)[0][0]}, with the key k." in failed.err

    @pytest.mark.parametrize(
        "arguments",
        [
            ("top-up", "x", "1"),
            ("top-up", "7.5", "1"),
            ("top-up", str(2**63), "1"),
            ("top-up", "7", "1.234"),
            ("top-up", "7", "1e3"),
            ("top-up", "7", "10000000000000.01"),
            ("top-up", "7"),
            ("top-up", "7", "-1"),
            ("add-item", "", "1"),
            ("add-item", "x" * 65, "1"),
            ("add-item", "a\nb", "1"),
            ("add-item", "\udcff", "1"),
            ("add-item", "hdd", str(10**12 + 1)),
            ("add-item", "hdd", "1", "--price", "free"),
            ("order", "7"),
            ("order", "7", "hdd:"),
            ("order", "7", ":1"),
            ("order", "7", "hdd:-1"),
            ("order", "7", *["hdd:1"] * 101),
            ("top-up", "7", "1", "--key", ""),
            ("top-up", "7", "1", "--key", "ü" * 65),
            ("top-up", "7", "1", "--key", "\udcff"),
            ("top-up", "7", "1", "--stream", ""),
            ("top-up", "7", "1", "--stream", "\udcff"),
            ("refund", "7", "1"),
            (),
        ],
    )
    def test_bad_input_is_one_sentence_and_2(
        self, call: Call, url: str, client: redis.Redis, arguments: tuple[str, ...]
    ) -> None:
        refused = call("--url", url, "publish", *arguments)
        assert refused.code == 2
        assert refused.out == ""
        assert refused.err.startswith("esdash: ")
        assert refused.err.count("\n") == 1
        assert stored(client) == []

    def test_the_bounds_themselves_are_accepted(self, call: Call, url: str) -> None:
        assert call("publish", "top-up", 2**63 - 1, "10000000000000.00", "--url", url).code == 0
        assert call("publish", "add-item", "й" * 64, 10**12, "--key", "k" * 128, "--url", url).code == 0
        assert call("publish", "order", 0, *["hdd:0"] * 100, "--url", url).code == 0


class TestBatch:
    LINES = (
        b'{"type": "TopUp", "data": {"user_id": 7, "amount": 100}}\n'
        b"\n"
        b'{"data": {"item_id": "hdd", "count": 1, "note": "kept"}, "type": "AddItem", "key": "k"}\n'
    )

    @pytest.mark.parametrize("beginning", [b"", codecs.BOM_UTF8])
    def test_a_file(self, call: Call, url: str, client: redis.Redis, tmp_path: Path, beginning: bytes) -> None:
        (tmp_path / "batch").write_bytes(beginning + self.LINES)
        printed = call("publish", "batch", tmp_path / "batch", "--url", url)
        assert printed.code == 0
        assert [(line["type"], line["id"]) for line in printed.lines] == [
            (fields[b"type"].decode(), entry_id) for entry_id, fields in stored(client)
        ]
        assert stored(client)[1][1] == {
            b"type": b"AddItem",
            b"data": b'{"item_id": "hdd", "count": 1, "note": "kept"}',
            b"key": b"k",
        }

    def test_from_stdin(self, esdash: Call, url: str, client: redis.Redis) -> None:
        assert len(esdash("publish", "batch", "-", "--url", url, input=self.LINES.decode()).lines) == 2
        assert len(stored(client)) == 2

    def test_a_slow_pipe_holds_nothing_back(self, start: Start, url: str, client: redis.Redis) -> None:
        process = start("publish", "batch", "-", "--url", url, stdin=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        top_up, _, add_item = self.LINES.decode().splitlines()
        for beginning, end in ((top_up + "\n\n" + add_item[:9], add_item[9:] + "\n"), (top_up[:9], top_up[9:] + "\n")):
            process.stdin.write(beginning)
            process.stdin.flush()
            if "\n" in beginning:
                assert json.loads(process.stdout.readline())["type"] == "TopUp"
            process.stdin.write(end)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == stored(client)[-1][0]
        out, err = process.communicate("nonsense", timeout=30)
        assert (process.returncode, out) == (2, "")
        assert err.startswith("esdash: Line 5 is no event: JSON is malformed")
        assert len(stored(client)) == 3

    def test_a_long_pipe_keeps_every_line_in_its_order(self, esdash: Call, url: str, client: redis.Redis) -> None:
        lines = [
            json.dumps({"type": "TopUp", "data": {"user_id": n, "amount": 1}}) + " " * (n % 97) for n in range(2500)
        ]
        assert len(esdash("publish", "batch", "-", "--url", url, input="\n".join(lines)).lines) == 2500
        assert [json.loads(fields[b"data"])["user_id"] for _, fields in stored(client)] == list(range(2500))

    def test_too_much_data_names_the_bound(self, call: Call, url: str, client: redis.Redis, tmp_path: Path) -> None:
        note = "x" * 64 * 1024
        (tmp_path / "batch").write_text(json.dumps({"type": "TopUp", "data": {"user_id": 7, "amount": 1, "n": note}}))
        refused = call("publish", "batch", tmp_path / "batch", "--url", url)
        assert refused.code == 2
        assert "Line 1 would be parked as too_large" in refused.err
        assert "64 KiB" in refused.err
        assert stored(client) == []

    def test_a_file_with_a_bad_line_is_not_sent_at_all(
        self, call: Call, url: str, client: redis.Redis, tmp_path: Path
    ) -> None:
        good = b'{"type": "TopUp", "data": {"user_id": 7, "amount": 100}}\n'
        (tmp_path / "batch").write_bytes(good * 1500 + b'{"type": "TopUp", "data": {"user_id": 7, "amount": -1}}\n')
        refused = call("publish", "batch", tmp_path / "batch", "--url", url)
        assert refused.code == 2
        assert "Line 1501 would be parked as invalid_data" in refused.err
        assert refused.err.endswith(" Nothing was sent.\n")
        assert refused.out == ""
        assert stored(client) == []

    def test_a_pipe_with_a_bad_line_stops_after_the_thousands_before(
        self, call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = b'{"type": "TopUp", "data": {"user_id": 7, "amount": 100}}\n'

        class Pipe(io.BytesIO):
            def seekable(self) -> bool:
                return False

        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Pipe(good * 1500 + b"nonsense\n")))
        refused = call("publish", "batch", "-", "--url", url)
        assert refused.code == 2
        assert "Line 1501 is no event" in refused.err
        assert "1,000 events before are in the log" in refused.err
        assert len(refused.lines) == len(stored(client)) == 1000

    @pytest.mark.parametrize(
        "line",
        [
            "",
            "[]",
            '{"type": "TopUp"}',
            '{"type": "TopUp", "data": "x"}',
            '{"type": "TopUp", "data": {"user_id": 7, "amount": 1.5}}',
            '{"type": "TopUp", "data": {"user_id": 7, "amount": true}}',
            '{"type": "Refund", "data": {}}',
            '{"type": "TopUp", "data": {"user_id": 7, "amount": 1}, "key": ""}',
            '{"type": "TopUp", "data": {"user_id": 7, "amount": 1}, "kye": "typo"}',
            '{"type": "AddItem", "data": {"item_id": "a\\u0000", "count": 1}}',
        ],
    )
    def test_what_the_fold_would_park_is_refused(
        self, call: Call, url: str, client: redis.Redis, tmp_path: Path, line: str
    ) -> None:
        (tmp_path / "batch").write_text(line or "{")
        refused = call("publish", "batch", tmp_path / "batch", "--url", url)
        assert refused.code == 2
        assert refused.err.startswith("esdash: Line 1 ")
        assert stored(client) == []


class TestReadonly:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("publish", "top-up", "7", "1"),
            ("publish", "batch", "-"),
            ("produce",),
            ("snapshot", "take"),
            ("snapshot", "delete", "x"),
        ],
    )
    def test_nothing_is_written(self, call: Call, url: str, client: redis.Redis, arguments: tuple[str, ...]) -> None:
        refused = call(*arguments, "--readonly", "--url", url)
        assert refused.code == 1
        assert "--readonly" in refused.err
        assert client.keys() == []


class TestAnotherKindOfKey:
    def test_it_is_refused_with_a_sentence(self, call: Call, url: str, client: redis.Redis) -> None:
        client.set("orders", "x")
        for arguments in (("publish", "top-up", 7, 1), ("state",), ("consume", "--once"), ("events",)):
            refused = call(*arguments, "--url", url)
            assert refused.code == 1
            assert "not a stream" in refused.err
            assert refused.out == ""
