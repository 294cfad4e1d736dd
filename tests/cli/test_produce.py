"""`esdash produce`."""

import time
from collections import Counter
from pathlib import Path

import redis

from tests.cli.conftest import Call, stored
from tests.domains import BANK, DEPOT


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
    assert types(client).total() == 701
    assert min(types(client)[name] for name in (b"TopUp", b"AddItem", b"Order")) > 70


def test_of_a_sample_that_ends_it_goes_on_with_the_next(call: Call, url: str, client: redis.Redis) -> None:
    done = call("produce", "--count", 50, "--seed", 1, "--domain", DEPOT, "--json", "--url", url)
    assert (done.code, done.json["types"]) == (0, {"Weighed": 50})
    outcomes = call("state", "--domain", DEPOT, "--json", "--url", url).json["outcomes"]
    assert (client.xlen("orders"), outcomes["applied"]) == (50, 50)


def test_a_domain_that_makes_none_up_says_so(call: Call, url: str, client: redis.Redis) -> None:
    for command in (("produce",), ("bench", "--yes")):
        refused = call(*command, "--domain", BANK, "--url", url)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith("esdash: The domain bank makes no events up")
    assert client.keys() == []


def test_a_sample_that_fails_is_a_sentence(call: Call, url: str, tmp_path: Path) -> None:
    source = BANK.read_text("utf-8").replace('name="bank",', 'name="bank", sample=lambda seed: [seed / 0],')
    (tmp_path / "broken.py").write_text(source)
    refused = call("produce", "--domain", tmp_path / "broken.py", "--url", url)
    assert refused.code == 1
    assert "broken.py:" in refused.err
    assert "division by zero" in refused.err


def test_a_seed_makes_the_same_events(call: Call, url: str, client: redis.Redis) -> None:
    call("produce", "--seed", 5, "--count", 60, "--url", url)
    first = [fields[b"data"] for _, fields in stored(client)]
    client.delete("orders")
    call("produce", "--seed", 5, "--count", 60, "--url", url)
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
    for option in ("--count", "--rate", "--seconds"):
        assert call("produce", option, 0, "--url", url).code == 2
        assert call("produce", option, "nan", "--url", url).code == 2
    assert client.keys() == []
