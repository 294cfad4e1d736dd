"""`esdash produce`."""

import time
from collections import Counter

import redis

from tests.cli.conftest import Call, stored


def types(client: redis.Redis) -> Counter[bytes]:
    return Counter(fields[b"type"] for _, fields in stored(client))


def test_ten_of_each_kind(call: Call, url: str, client: redis.Redis) -> None:
    done = call("produce", "--json", "--url", url)
    assert done.code == 0
    assert done.json["published"] == 30
    assert types(client) == {b"TopUp": 10, b"AddItem": 10, b"Order": 10}
    outcomes = call("state", "--json", "--url", url).json["outcomes"]
    assert outcomes["parked"] == {}
    assert outcomes["applied"] >= 20
    assert all(fields[b"key"] for _, fields in stored(client))


def test_so_many_in_all(call: Call, url: str, client: redis.Redis) -> None:
    assert call("produce", "--count", 701, "--url", url).code == 0
    assert types(client) == {b"TopUp": 234, b"AddItem": 234, b"Order": 233}


def test_a_seed_makes_the_same_events(call: Call, url: str, client: redis.Redis) -> None:
    call("produce", "--seed", 5, "--users", 3, "--items", 20, "--url", url)
    first = [fields[b"data"] for _, fields in stored(client)]
    client.delete("orders")
    call("produce", "--seed", 5, "--users", 3, "--items", 20, "--url", url)
    assert [fields[b"data"] for _, fields in stored(client)] == first


def test_at_a_rate(call: Call, url: str) -> None:
    begun = time.monotonic()
    done = call("produce", "--count", 6, "--rate", 20, "--json", "--url", url).json
    assert done["published"] == 6
    assert time.monotonic() - begun >= 0.25


def test_for_a_time(call: Call, url: str, client: redis.Redis) -> None:
    done = call("produce", "--seconds", 0.2, "--rate", 100, "--json", "--url", url).json
    assert 1 <= done["published"] <= 30
    assert done["published"] == client.xlen("orders")
    assert call("produce", "--seconds", 20, "--count", 2, "--json", "--url", url).json["published"] == 2


def test_bad_numbers(call: Call, url: str, client: redis.Redis) -> None:
    for option in ("--count", "--rate", "--seconds", "--users", "--items"):
        assert call("produce", option, 0, "--url", url).code == 2
        assert call("produce", option, "nan", "--url", url).code == 2
    assert client.keys() == []
