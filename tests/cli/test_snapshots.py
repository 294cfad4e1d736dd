"""`esdash snapshot`."""

import hashlib
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import Call, append, day, rules
from tests.domains.ways import present

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def test_taking_one(call: Call, url: str, client: redis.Redis) -> None:
    ids = append(client, day(1, 40))
    taken = call("snapshot", "take", "--json", "--url", url).json
    assert (taken["ordinal"], taken["last_event_id"], taken["taken"]) == (40, ids[-1], True)
    again = call("snapshot", "take", "--json", "--url", url).json
    assert (again["id"], again["taken"]) == (taken["id"], False)
    assert taken["id"] in call("snapshot", "take", "--url", url).out


def test_none_of_an_empty_stream(call: Call, url: str) -> None:
    refused = call("snapshot", "take", "--url", url)
    assert refused.code == 1
    assert "empty" in refused.err


def test_why_none_was_stored_is_said_once(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 5))
    client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "&*", "+@all", "-eval")
    try:
        refused = call("snapshot", "take", "--url", url.replace("://", "://reader:pw@"))
    finally:
        client.execute_command("ACL", "DELUSER", "reader")
    assert refused.code == 1
    assert refused.err.count("the right is missing (+eval)") == 1


def test_the_list_says_why_one_cannot_be_used(call: Call, url: str, client: redis.Redis) -> None:
    for seed in (1, 2, 3, 4):
        append(client, day(seed, 10))
        call("snapshot", "take", "--url", url)
    assert [snapshot["usable"] for snapshot in call("snapshot", "list", "--json", "--url", url).json] == [True] * 4
    newest, second, third, oldest = (row["id"] for row in call("snapshot", "list", "--json", "--url", url).json)
    chunks = f"esdash:{{orders}}:snapshot:{second}"
    client.hset(chunks, "1", b"nonsense")
    client.delete(f"esdash:{{orders}}:snapshot:{third}")
    client.hset("esdash:{orders}:snapshots", newest, b"nonsense")
    shown = {row["id"]: row for row in call("snapshot", "list", "--json", "--url", url).json}
    assert shown[oldest]["usable"]
    assert shown[oldest]["reason"] is None
    assert "checksum" in shown[second]["reason"]
    assert "missing" in shown[third]["reason"]
    assert "damaged" in shown[newest]["reason"]
    assert all(row.keys() == shown[oldest].keys() for row in shown.values())
    table = call("snapshot", "list", "--url", url).out
    assert "checksum" in table


def test_partial_history_is_said(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 10))
    client.xtrim("orders", maxlen=7, approximate=False)
    assert "Partial history: 3 entries were gone" in call("snapshot", "take", "--url", url).err
    assert "yes, without 3 entries before" in call("snapshot", "list", "--url", url).out


def test_one_of_another_history_cannot_be_used(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 10))
    call("snapshot", "take", "--url", url)
    client.delete("orders")
    append(client, day(2, 3))
    (row,) = call("snapshot", "list", "--json", "--url", url).json
    assert not row["usable"]
    assert row["reason"]


def test_showing_one(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 40))
    taken = call("snapshot", "take", "--json", "--url", url).json
    state: dict[str, Any] = call("state", "--json", "--url", url).json
    shown = call("snapshot", "show", taken["id"], "--json", "--url", url).json
    assert shown["rows"] == {name: len(rows) for name, rows in state["tables"].items()}
    assert shown["digest"] == state["digest"]
    assert f"{shown['domain']} {shown['version']}" == rules()
    assert (shown["unseen"], shown["condemned"]) == (0, False)
    assert shown["fingerprint"]
    assert state["digest"] in call("snapshot", "show", taken["id"], "--url", url).out


def test_a_condemned_one_is_not_usable(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 5))
    taken = call("snapshot", "take", "--json", "--url", url).json
    client.sadd("esdash:{orders}:condemned", taken["id"])
    (row,) = call("snapshot", "list", "--json", "--url", url).json
    assert (row["condemned"], row["usable"]) == (True, False)
    assert "verification" in row["reason"]


def test_deleting_some(call: Call, url: str, client: redis.Redis) -> None:
    ids = []
    for seed in (1, 2):
        append(client, day(seed, 10))
        ids.append(call("snapshot", "take", "--json", "--url", url).json["id"])
    assert call("snapshot", "delete", ids[0], "nope", "--url", url).code == 1
    assert len(call("snapshot", "list", "--json", "--url", url).json) == 2
    assert call("snapshot", "delete", *ids, "--json", "--url", url).json == {"deleted": ids}
    assert call("snapshot", "list", "--json", "--url", url).json == []
    assert client.keys() == [b"orders"]


def test_an_unknown_one(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 5))
    for command in ("show", "delete"):
        refused = call("snapshot", command, "no\x1bpe", "--url", url)
        assert refused.code == 1
        assert "There is no snapshot" in refused.err
        assert "\x1b" not in refused.err


def test_those_of_a_version_that_nobody_uses_are_named_and_dropped(call: Call, url: str, client: redis.Redis) -> None:
    for seed in (1, 2):
        append(client, day(seed, 10))
        call("snapshot", "take", "--url", url)
    former, newest = call("snapshot", "list", "--json", "--url", url).json
    fold = present().fold()
    index = "esdash:{orders}:snapshots"
    raw = client.hget(index, former["id"])
    assert isinstance(raw, bytes)
    raw = raw[16:].replace(b'"version":"%s"' % fold.version.encode(), b'"version":"former-rules"')
    client.hset(index, former["id"], hashlib.blake2b(raw, digest_size=8).hexdigest().encode() + raw)
    listed = {row["id"]: row for row in call("snapshot", "list", "--json", "--url", url).json}
    assert (listed[former["id"]]["version"], listed[former["id"]]["usable"]) == ("former-rules", False)
    assert "former-rules" in call("snapshot", "list", "--url", url).out
    assert f"snapshot delete --version '{fold.name} former-rules'" in call("doctor", "--url", url).out
    assert call("snapshot", "delete", "--version", "unknown", "--url", url).code == 1
    assert call("snapshot", "delete", "--url", url).code == 2
    deleted = call("snapshot", "delete", "--version", "former-rules", "--json", "--url", url).json
    assert deleted == {"deleted": [former["id"]]}
    assert [row["id"] for row in call("snapshot", "list", "--json", "--url", url).json] == [newest["id"]]


@pytest.mark.shop_alone
def test_a_version_of_several_domains_is_told_apart(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 10))
    other = Path(__file__).parents[1] / "domains" / "bank.py"
    assert call("snapshot", "take", "--url", url).code == 0
    assert call("snapshot", "take", "--url", url, "--domain", other).code == 0
    refused = call("snapshot", "delete", "--version", "1", "--url", url)
    assert (refused.code, "Write --version 'bank 1' or --version 'shop 1'" in refused.err) == (2, True)
    assert call("snapshot", "delete", "--version", "bank 1", "--url", url).code == 0
    assert [row["domain"] for row in call("snapshot", "list", "--json", "--url", url).json] == ["shop"]
    assert call("snapshot", "delete", "--version", "1", "--url", url).code == 0


def test_people_are_told_local_times(
    call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(client, day(1, 5))
    assert call("snapshot", "take", "--json", "--url", url).code == 0
    created = datetime.fromisoformat(call("snapshot", "list", "--json", "--url", url).json[0]["created"])
    for zone, minutes in (("UTC", 0), ("IST-5:30", 330)):
        local = created.astimezone(timezone(timedelta(minutes=minutes)))
        with monkeypatch.context() as there:
            there.setenv("TZ", zone)
            time.tzset()
            told = call("snapshot", "list", "--url", url)
        time.tzset()
        assert f"{local:%Y-%m-%d %H:%M:%S}" in told.out
