"""`esdash state`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from esdash.cli.rows import Named, read_rows, read_tables
from esdash.domain import Column, Table
from esdash.fold.folding import Fold
from tests.cli.conftest import Call, append, day, said_of
from tests.domains import BANK
from tests.domains.meters import METERS
from tests.strategies import raw_entry

any_domain = pytest.mark.usefixtures("any_domain")


def top_up(user: int, amount: int = 100) -> list[tuple[bytes, bytes]]:
    return raw_entry("TopUp", b'{"user_id": %d, "amount": %d}' % (user, amount))


def rows(*names: str) -> list[str]:
    return [part for name in names for part in ("--about", name)]


class TestNow:
    def test_an_empty_stream(self, call: Call, url: str, client: redis.Redis) -> None:
        client.xgroup_create("orders", "readers", mkstream=True)
        document = call("state", "--json", "--url", url).json
        assert document["last_event_id"] == "0-0"
        assert document["ordinal"] == 0
        assert document["tables"] == {"users": {}, "items": {}}
        assert document["outcomes"] == {"applied": 0, "rejected": {}, "parked": {}, "duplicate": 0}
        assert document["continuity"] == "CONTINUOUS"

    @any_domain
    def test_the_same_from_a_snapshot_and_its_tail(self, call: Call, url: str, client: redis.Redis) -> None:
        entries = day(4, 400)
        append(client, entries[:300])
        assert call("snapshot", "take", "--url", url).code == 0
        append(client, entries[300:])
        with_snapshot = call("state", "--json", "--url", url).json
        client.delete("esdash:{orders}:snapshots")
        assert call("state", "--json", "--url", url).json == with_snapshot

    def test_another_stream(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(7)], "other")
        for arguments in (("--stream", "other", "state"), ("state", "--stream", "other")):
            document = call("--url", url, *arguments, "--json").json
            assert (document["stream"], document["tables"]["users"]) == ("other", {"7": {"balance": 100}})

    def test_only_some_users_or_items(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(user) for user in (1, 2, 3)])
        append(
            client, [raw_entry("AddItem", b'{"item_id": "%b", "count": 1, "price": 1}' % item) for item in (b"a", b"b")]
        )
        everything = call("state", "--json", "--url", url).json
        some = call("state", "--json", "--url", url, *rows("users:1", "users:3", "users:9", "items:b")).json
        assert some["tables"]["users"] == {"1": {"balance": 100}, "3": {"balance": 100}}
        assert some["tables"]["items"] == {"b": {"price": 1, "remain": 1}}
        assert some["digest"] == everything["digest"]
        assert some["outcomes"] == everything["outcomes"]

    def test_only_users_or_only_items(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(7), raw_entry("AddItem", b'{"item_id": "a", "count": 1, "price": 1}')])
        for flags, member, other, heading in (
            (rows("users:7"), "users", "items", "Balances"),
            (rows("items:a"), "items", "users", "Stock"),
        ):
            shown = call("state", *flags, "--json", "--url", url).json
            assert len(shown["tables"][member]) == 1
            assert shown["tables"][other] == {}
            table = call("state", *flags, "--url", url).out
            assert f"{heading} (1)" in table
            assert ("Stock" in table) + ("Balances" in table) == 1

    def test_only_some_tables(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(7), top_up(8)])
        shown = call("state", "--table", "users", "--json", "--url", url).json
        assert shown["tables"] == {"users": {"7": {"balance": 100}, "8": {"balance": 100}}}
        table = call("state", "--table", "items", "--url", url).out
        assert "Stock (0)" in table
        assert "Balances" not in table

    @pytest.mark.parametrize(
        "flags", [("--table", "rooms"), ("--about", "users"), ("--about", "users:x"), ("--about", "rooms:7")]
    )
    def test_what_is_no_table_or_row_is_2(self, call: Call, url: str, flags: tuple[str, ...]) -> None:
        for command in ("state", "events"):
            refused = call(command, *flags, "--url", url)
            assert (refused.code, refused.out) == (2, "")
            assert refused.err.count("\n") == 1

    def test_the_name_of_a_table_goes_before_the_word_for_a_row_of_another(self) -> None:
        tables = Table("rooms", "stock", int, (Column("n"),)), Table("stock", "piece", int, (Column("n"),))
        fold = Fold(replace(METERS, tables=tables))
        assert read_tables(fold, ["stock", "piece", "rooms"]) == ["stock", "rooms"]
        assert read_rows(fold, ["stock:7"]) == [Named("stock", 7)]

    def test_a_row_with_a_name_in_quotes(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [raw_entry("AddItem", b'{"item_id": "two words", "count": 1, "price": 1}')])
        for row in ('items:"two words"', "items:two words", "item:two words"):
            shown = call("state", "--about", row, "--json", "--url", url)
            assert (shown.code, list(shown.json["tables"]["items"])) == (0, ["two words"])

    def test_a_snapshot_that_was_not_used_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(7)] * 3)
        taken = call("snapshot", "take", "--json", "--url", url).json["id"]
        client.hset(f"esdash:{{orders}}:snapshot:{taken}", "1", b"nonsense")
        shown = call("state", "--json", "--url", url)
        assert (shown.code, shown.json["tables"]["users"]) == (0, {"7": {"balance": 300}})
        assert shown.err.startswith(f"esdash: Snapshot {taken} at event 3 was not used: ")
        assert shown.err.count("\n") == 1

    def test_for_people(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(7, 123456), top_up(8, 0)])
        shown = call("state", "--url", url).out
        assert "1,234.56" in shown
        assert "invalid_amount" in shown
        assert "CONTINUOUS" in shown


class TestThen:
    @any_domain
    def test_after_any_entry(self, call: Call, url: str, client: redis.Redis) -> None:
        entries = day(5, 60)
        ids = append(client, entries[:40])
        assert call("snapshot", "take", "--url", url).code == 0
        ids += append(client, entries[40:])
        for count in (1, 39, 40, 41, 60):
            document = call("state", "--json", "--at", ids[count - 1], "--url", url).json
            computed = said_of(ids[:count], entries[:count])
            assert {name: document[name] for name in computed} == computed

    def test_at_a_time(self, call: Call, url: str, client: redis.Redis) -> None:
        for moment in (1_700_000_000_000, 1_700_000_000_999, 1_700_000_060_000):
            client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'}, id=f"{moment}-5")
        local = datetime.fromtimestamp(1_700_000_001, UTC).astimezone().replace(tzinfo=None)

        def ordinal(at: str) -> int:
            found: int = call("state", "--json", "--at", at, "--url", url).json["ordinal"]
            return found

        assert ordinal("1700000000000") == 1
        assert ordinal("1700000000000-4") == 0
        assert ordinal("2023-11-14T22:13:19Z") == 0
        assert ordinal("2023-11-14T22:13:20.000Z") == 1
        assert ordinal("2023-11-14T22:13:20Z") == 2, "the whole second"
        assert ordinal("2023-11-14T23:13:21+01:00") == 2
        assert ordinal("2023-11-14T22:13Z") == 2
        assert ordinal("2023-11-14T22:14Z") == 3
        assert ordinal(local.isoformat()) == 2
        assert ordinal("-1s") == 3
        assert ordinal("2023-11-13") == 0

    @pytest.mark.parametrize("at", ["yesterday", "1-2-3", str(2**64), "-5y", "", "1700000000000-", "٣"])
    def test_what_is_no_place_is_refused(self, call: Call, url: str, at: str) -> None:
        refused = call("state", "--at", at, "--url", url)
        assert refused.code == 2
        assert "--at" in refused.err


class TestBrokenContinuity:
    def test_a_gap_is_4_with_the_last_good_state(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(1)] * 3)
        call("snapshot", "take", "--url", url)
        append(client, [top_up(2)] * 5)
        client.xtrim("orders", maxlen=3, approximate=False)
        shown = call("state", "--json", "--url", url)
        assert shown.code == 4
        assert shown.json["continuity"] == "GAP 2"
        assert shown.json["missing"] == 2
        assert (shown.json["ordinal"], shown.json["tables"]["users"]) == (3, {"1": {"balance": 300}})
        assert "2 entries vanished unread" in shown.err

    def test_partial_history_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(1)] * 5)
        client.xtrim("orders", maxlen=3, approximate=False)
        shown = call("state", "--json", "--url", url)
        assert shown.code == 0
        assert shown.json["continuity"] == "CONTINUOUS"
        assert shown.json["partial"] == 2
        assert "Partial history: 2 entries were gone" in shown.err

    def test_a_stream_made_again_is_another_history(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(1)] * 3)
        call("snapshot", "take", "--url", url)
        client.delete("orders")
        append(client, [top_up(2)])
        document = call("state", "--json", "--url", url).json
        assert document["tables"]["users"] == {"2": {"balance": 100}}


def test_that_the_rules_were_edited_since_the_snapshot_is_said(
    call: Call, url: str, client: redis.Redis, tmp_path: Path
) -> None:
    path, source = tmp_path / "own.py", BANK.read_text("utf-8")
    path.write_text(source, "utf-8")
    given = ("--domain", str(path), "--url", url)
    append(client, [raw_entry("Opened", b'{"account": "A", "owner": "x"}')])
    assert call("snapshot", "take", *given).code == 0
    before = call("state", *given)
    assert "was edited" not in before.err
    path.write_text(source.replace('return "already_open"', 'return "already" + "_open"'), "utf-8")
    after = call("state", *given)
    assert (after.code, after.out) == (0, before.out)
    assert "The source of the rules was edited since the snapshot was taken" in after.err
    checks = {check["name"]: check["status"] for check in call("doctor", "--json", *given).json["checks"]}
    assert checks["edited rules"] == "warning"
    append(client, [raw_entry("Opened", b'{"account": "B", "owner": "y"}')])
    for command in (("diff", "n1", "now"), ("events", "--from", "n2")):
        assert "The source of the rules was edited" in call(*command, *given).err
    assert "was edited" not in call("events", *given).err, "from the beginning on there is no snapshot in it"
    client.xtrim("orders", maxlen=1, approximate=False)
    number = 'accounts:"B".balance'
    asked = [("events",), ("events", "--tail", "1"), ("why", number), ("find", f"{number} = 0"), ("export", "log")]
    for words in asked:
        told = call(*words, *given)
        assert (told.code, told.err.count("The source of the rules was edited")) == (0, 1), told
