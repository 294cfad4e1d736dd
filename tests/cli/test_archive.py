"""`esdash archive` and `esdash trim`: what leaves a stream was archived and proved, and can still be read."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import STREAM, Call, Result, append, day, rules
from tests.generations import Generation

pytestmark = [pytest.mark.two_generations, pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

INDEX = "esdash:{orders}:snapshots"
SAID = ("ordinal", "unseen", "digest", "tables", "outcomes")


@pytest.fixture
def at(call: Call, url: str) -> Call:
    """Run a command on the shared server."""
    return lambda *arguments: call(*arguments, "--url", url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive of all there is, of which a snapshot in the middle has seen a part."""
    return tmp_path / "archive"


@pytest.fixture
def archived(at: Call, client: redis.Redis, folder: Path) -> Path:
    """400 entries, the first 300 of them in a snapshot, all of them archived."""
    append(client, day(1, 300))
    assert at("snapshot", "take").code == 0
    append(client, day(2, 100))
    done = at("archive", folder, "--json")
    assert done.code == 0, done.err
    assert (done.json["entries"], done.json["added"], done.json["unseen"]) == (400, 400, 0)
    return folder


def state(at: Call, *arguments: object) -> dict[str, Any]:
    found = at("state", "--json", *arguments)
    assert found.code == 0, found.err
    return {name: found.json[name] for name in SAID}


def ids_of(client: redis.Redis) -> list[bytes]:
    entries: Any = client.execute_command("XRANGE", STREAM, "-", "+")
    return [entry_id for entry_id, _ in entries]


def trimmed(at: Call, folder: Path, *arguments: object) -> Result:
    return at("trim", "--archive", folder, "--yes", "--json", *arguments)


class TestTrimming:
    def test_all_is_as_before_with_the_archive_and_from_the_snapshot(
        self, at: Call, client: redis.Redis, archived: Path
    ) -> None:
        before, past = state(at), state(at, "--at", "n120")
        events = at("events", "outcome:rejected", "--json").lines
        ids = ids_of(client)
        done = trimmed(at, archived)
        assert done.code == 0, done.err
        assert (done.json["removes"], done.json["removed"]) == (299, 299)
        assert done.json["minid"] == ids[299].decode()
        assert ids_of(client) == ids[299:]
        assert state(at) == state(at, "--archive", archived) == before
        assert state(at, "--at", "n120", "--archive", archived) == past
        assert at("state", "--at", "n120").code == 1
        elsewhere = at("state", "--at", "n120", "--archive", archived.parent)
        assert (elsewhere.code, f"the archive {archived.parent} has nothing of it" in elsewhere.err) == (1, True)
        assert at("events", "outcome:rejected", "--json", "--archive", archived).lines == events
        found = at("verify", "--json", "--archive", archived)
        assert (found.code, found.json["entries"], found.json["unseen"]) == (0, 400, 0)
        replayed = at("consume", "--once", "--from-start", "--no-snapshot", "--archive", archived).json
        assert (replayed["restored_from"], replayed["replayed"], replayed["unseen"]) == (None, 400, 0)
        assert replayed["digest"] == before["digest"]
        assert f"{archived} tells 400 entries of these; 0 came since." in at("doctor", "--archive", archived).out

    def test_the_next_one_begins_at_the_snapshot_that_was_pinned(
        self, at: Call, client: redis.Redis, archived: Path
    ) -> None:
        assert trimmed(at, archived).json["removed"] == 299
        assert trimmed(at, archived).json["removed"] == 0
        before = state(at)
        assert at("snapshot", "take").code == 0
        assert trimmed(at, archived).json["removed"] == 100
        assert state(at) == state(at, "--archive", archived) == before
        assert client.xlen(STREAM) == 1
        append(client, day(3, 60))
        assert at("snapshot", "take").code == 0
        assert at("archive", archived).code == 0
        assert trimmed(at, archived).json["removed"] == 60
        assert at("verify", "--archive", archived).code == 0

    def test_where_the_pinned_snapshot_is_damaged_the_whole_archive_is_folded(
        self, at: Call, client: redis.Redis, archived: Path
    ) -> None:
        pinned = trimmed(at, archived).json["snapshot"]
        assert at("snapshot", "take").code == 0
        client.hset(f"esdash:{{orders}}:snapshot:{pinned}", "0", b"?")
        assert trimmed(at, archived).json["removed"] == 100

    def test_the_pinned_snapshot_outlives_newer_ones(self, at: Call, client: redis.Redis, archived: Path) -> None:
        listed = at("snapshot", "list", "--json").json
        assert [each["pinned"] for each in listed] == ["archived"]
        pinned = trimmed(at, archived).json["snapshot"]
        for seed in range(10, 18):
            append(client, day(seed, 20))
            assert at("snapshot", "take").code == 0
        listed = at("snapshot", "list", "--json").json
        assert len(listed) == 6
        assert [each["id"] for each in listed if each["pinned"] == "trimmed"] == [pinned]
        assert at("snapshot", "delete", pinned).code == 0
        assert client.exists("esdash:{orders}:pinned") == 0

    def test_a_place_keeps_more(self, at: Call, client: redis.Redis, archived: Path) -> None:
        assert trimmed(at, archived, "--until", "n50").json["removed"] == 50
        assert client.xlen(STREAM) == 350
        # What has left the stream is a place all the same.
        assert trimmed(at, archived, "--until", "n20").json["removed"] == 0
        assert trimmed(at, archived, "--until", "first").json["removed"] == 0

    def test_a_full_server_is_trimmed(
        self, at: Call, client: redis.Redis, archived: Path, generation: Generation
    ) -> None:
        if not generation.reads_when_full:
            pytest.skip("it does not answer what is read in a transaction when it is full")
        client.delete("esdash:{orders}:pinned")
        client.config_set("maxmemory", 1)
        try:
            done = trimmed(at, archived)
        finally:
            client.config_set("maxmemory", 0)
        assert (done.code, done.json["removed"]) == (0, 299)
        assert client.hvals("esdash:{orders}:pinned") == [b"trimmed"]

    def test_what_the_server_refuses_changes_no_pin(self, at: Call, client: redis.Redis, archived: Path) -> None:
        assert trimmed(at, archived, "--until", "n50").code == 0
        before = client.hgetall("esdash:{orders}:pinned")
        append(client, day(3, 10))
        assert at("snapshot", "take").code == 0
        assert at("archive", archived).code == 0
        client.xgroup_create(STREAM, "g", "0")
        assert trimmed(at, archived).json["removed"] == 0
        after = client.hgetall("esdash:{orders}:pinned")
        assert before.items() < after.items()

    def test_a_domain_that_only_watches_needs_nothing(self, at: Call, archived: Path) -> None:
        refused = at("trim", "--archive", archived, "--domain", "raw", "--dry-run")
        assert (refused.code, "is for looking only" in refused.err) == (1, True)

    @pytest.mark.counts_entries
    def test_of_a_stream_that_lost_entries_before_it_was_archived(
        self, at: Call, client: redis.Redis, folder: Path
    ) -> None:
        append(client, day(1, 100))
        assert at("snapshot", "take").code == 0
        client.xtrim(STREAM, maxlen=40, approximate=False)
        append(client, day(2, 30))
        assert at("archive", folder).code == 0
        refused = trimmed(at, folder)
        assert refused.code == 1
        assert "no older snapshot from which it can be folded" in refused.err
        append(client, day(3, 30))
        assert at("snapshot", "take").code == 0
        assert at("archive", folder).code == 0
        assert trimmed(at, folder).json["removed"] == 99
        assert state(at)["unseen"] == 0

    def test_a_stream_that_is_lost_comes_back_from_its_archive(
        self, at: Call, client: redis.Redis, archived: Path, tmp_path: Path
    ) -> None:
        before, ids = state(at), ids_of(client)
        assert trimmed(at, archived).json["removed"] == 299
        client.flushall()
        file = tmp_path / "orders.jsonl"
        done = at("export", "--all", "--archive", archived, "--output", file)
        assert done.code == 0, done.err
        assert at("publish", "batch", file, "--keep-ids").code == 0
        assert ids_of(client) == ids
        assert state(at) == state(at, "--archive", archived) == before
        assert at("archive", archived, "--json").json["added"] == 0


class TestRefusing:
    def test_without_an_archive(self, at: Call, client: redis.Redis, archived: Path) -> None:
        for arguments in (("--yes",), ("--yes", "--archive", archived.parent)):
            refused = at("trim", *arguments)
            assert refused.code == 1
            assert "archive" in refused.err
        assert at("trim", "--archive", archived / "none").code == 2
        told = at("trim", "--dry-run", "--json")
        assert told.code == 0
        assert told.json["refusal"].startswith("Nothing is removed without an archive")
        assert client.xlen(STREAM) == 400

    def test_unasked(self, at: Call, client: redis.Redis, archived: Path) -> None:
        refused = at("trim", "--archive", archived)
        assert refused.code == 2
        assert "Add --yes" in refused.err
        assert at("trim", "--archive", archived, "--dry-run").code == 0
        assert at("trim", "--archive", archived, "--yes", "--readonly").code == 1
        assert client.xlen(STREAM) == 400

    def test_without_a_snapshot_of_what_is_archived(self, at: Call, client: redis.Redis, folder: Path) -> None:
        append(client, day(1, 30))
        assert at("archive", folder).code == 0
        assert f"There is no snapshot of {rules()}" in trimmed(at, folder).err
        append(client, day(2, 30))
        assert at("snapshot", "take").code == 0
        refused = trimmed(at, folder)
        assert refused.code == 1
        assert f"No snapshot of {rules()} can be used whose entries are all archived" in refused.err

    def test_what_the_archive_has_otherwise(self, at: Call, client: redis.Redis, archived: Path) -> None:
        entries: Any = client.execute_command("XRANGE", STREAM, "-", "+")
        groups = client.exists(INDEX)
        client.delete(STREAM)
        for place, (entry_id, fields) in enumerate(entries):
            client.xadd(STREAM, {**fields, b"more": b""} if place == 17 else fields, id=entry_id)
        refused = trimmed(at, archived)
        assert refused.code == 1
        assert f"Entry {entries[17][0].decode()} is not in the archive" in refused.err
        assert (client.xlen(STREAM), client.exists(INDEX)) == (400, groups)

    def test_what_makes_another_state(self, at: Call, client: redis.Redis, folder: Path, tmp_path: Path) -> None:
        rules, others = tmp_path / "clicks.py", tmp_path / "edited.py"
        rules.write_text(RULES.replace("BY", "1"), "utf-8")
        others.write_text(RULES.replace("BY", "2"), "utf-8")
        for number in range(30):
            client.xadd(STREAM, {"type": "Click", "data": json.dumps({"page": number % 3})})
        assert at("snapshot", "take", "--domain", rules).code == 0
        assert at("archive", folder).code == 0
        refused = trimmed(at, folder, "--domain", others)
        assert refused.code == 1
        assert "The archive makes another state than snapshot" in refused.err
        assert client.xlen(STREAM) == 30


RULES = """
from dataclasses import dataclass
from esdash.domain import Column, Domain, EventType, Table

@dataclass(frozen=True)
class Click:
    page: int

def clicked(state, event):
    state.pages.clicks[event.page] = state.pages.clicks.get(event.page, 0) + BY

CLICKS = Domain("clicks", "1", (Table("pages", "page", int, (Column("clicks"),)),), (EventType(Click, clicked),))
"""


class TestGroups:
    def test_what_a_group_has_not_got_or_acknowledged_stays(
        self, at: Call, client: redis.Redis, archived: Path
    ) -> None:
        ids = ids_of(client)
        client.xgroup_create(STREAM, "billing", ids[199])
        client.xgroup_create(STREAM, "mail", "0")
        client.xreadgroup("mail", "worker", {STREAM: ">"}, count=250)
        client.xack(STREAM, "mail", *ids[:120])
        assert f"#121   {ids[120].decode()}" in at("trim", "--archive", archived, "--dry-run").out
        told = at("trim", "--archive", archived, "--dry-run", "--json").json
        bounds = {(each["what"], each["name"]): each for each in told["bounds"]}
        assert bounds["group", "mail"]["minid"] == ids[120].decode() == told["minid"]
        assert f"{ids[120].decode()} waits to be acknowledged" in bounds["group", "mail"]["why"]
        assert trimmed(at, archived).json["removed"] == 120
        client.xack(STREAM, "mail", *ids[120:250])
        assert trimmed(at, archived).json["removed"] == 80
        assert ids_of(client) == ids[200:]

    def test_a_group_that_comes_meanwhile_is_asked_by_the_server(
        self, at: Call, client: redis.Redis, archived: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from esdash.engine.operations import trimming

        proved = trimming.prove

        def prove(*arguments: Any) -> int:
            found = proved(*arguments)
            client.xgroup_create(STREAM, "late", "0")
            return found

        monkeypatch.setattr("esdash.cli.commands.trim.prove", prove)
        refused = trimmed(at, archived)
        assert refused.code == 1
        assert "the consumer group late needs some of it by now" in refused.err
        assert client.xlen(STREAM) == 400


class TestArchive:
    def test_several_streams_are_told_one_after_the_other(self, at: Call, client: redis.Redis, folder: Path) -> None:
        for name in ("a", "b"):
            client.xadd(name, {"x": "1"})
        told = at("archive", folder, "a", "b", "--json")
        assert [each["stream"] for each in told.lines] == ["a", "b"]
        assert "a: 0 entries added; #1 to #1 are in" in at("archive", folder, "a", "--check").out

    def test_damage_is_found(self, at: Call, client: redis.Redis, archived: Path) -> None:
        (path,) = (archived / STREAM).glob("*.segment")
        path.write_bytes(b"\0" + path.read_bytes()[1:])
        assert at("archive", archived).code == 0
        found = at("archive", archived, "--check")
        assert found.code == 3
        assert "is damaged" in found.err
        for arguments in (("state", "--at", "n5"), ("trim", "--yes")):
            refused = at(*arguments, "--archive", archived)
            assert refused.code == 1
            assert "is damaged" in refused.err
        client.xtrim(STREAM, maxlen=1, approximate=False)
        client.xdel(STREAM, *ids_of(client))
        assert at("doctor", "--archive", archived).code == 3
        path.write_bytes(b"\0")
        assert at("archive", archived).code == 1
        examined = at("doctor", "--archive", archived, "--json")
        checks = {each["name"]: each for each in examined.json["checks"]}
        assert (examined.code, checks["archive"]["status"], checks["stream"]["status"]) == (3, "problem", "ok")
        assert "its end is not there" in checks["archive"]["seen"]

    @pytest.mark.counts_entries
    def test_entries_that_vanished_unarchived_break_it(self, at: Call, client: redis.Redis, archived: Path) -> None:
        append(client, day(3, 50))
        client.xtrim(STREAM, maxlen=20, approximate=False)
        for arguments in (("archive", archived), ("state", "--json", "--archive", archived)):
            broken = at(*arguments)
            assert broken.code == 4
            assert "30 entries vanished" in broken.err

    def test_a_stream_that_is_gone_can_be_brought_back(self, at: Call, client: redis.Redis, archived: Path) -> None:
        client.delete(STREAM)
        for arguments in (("archive", archived), ("state", "--archive", archived), ("trim", "--archive", archived)):
            broken = at(*arguments)
            assert (broken.code, "`esdash publish batch FILE --keep-ids` bring it back" in broken.err) == (4, True)
        assert "✗ archive           The stream that is archived in" in at("doctor", "--archive", archived).out

    def test_its_folder_is_asked_for(self, at: Call, call: Call) -> None:
        assert at("archive").code == 2
        assert "esdash archive DIR" in call("state", "--archive", "/nowhere").err
