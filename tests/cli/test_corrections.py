"""What the commands say of parked entries that were corrected, whoever did it."""

import redis

from tests.cli.conftest import Call, append
from tests.strategies import raw_entry

REFUND = raw_entry("Refund", b'{"user_id":7,"amount":1200}')


def correct(call: Call, url: str, parked: str, amount: str = "12.00", number: int = 1) -> None:
    key = f"corrects:{parked}" if number == 1 else f"corrects:{parked}:{number}"
    assert call("publish", "top-up", 7, amount, "--key", key, "--url", url).code == 0


def corrected_by(call: Call, url: str, *arguments: object) -> list[int | None]:
    """Of each parked entry that is shown; None where nothing is said."""
    shown = call("events", "--json", "--outcome", "parked", "--url", url, *arguments).lines
    return [event.get("corrected_by") for event in shown]


def parked_check(call: Call, url: str) -> dict[str, str]:
    checks = call("doctor", "--json", "--url", url).json["checks"]
    found: dict[str, str] = next(check for check in checks if check["name"] == "parked")
    return found


class TestEvents:
    def test_name_what_corrected_a_parked_entry(self, call: Call, url: str, client: redis.Redis) -> None:
        first, second, third = append(client, [REFUND] * 3)
        correct(call, url, second, amount="0")
        correct(call, url, first)
        assert corrected_by(call, url) == [5, None, None], "a rejected correction leaves it open"
        correct(call, url, second, number=2)
        assert corrected_by(call, url) == [5, 6, None]
        assert corrected_by(call, url, "--from", second, "--count", 1) == [6]
        assert "corrected by #5" in call("events", "--url", url).out
        assert corrected_by(call, url, "--from", third) == [None]

    def test_in_a_partial_history_too(self, call: Call, url: str, client: redis.Redis) -> None:
        *_, last = append(client, [REFUND] * 4)
        correct(call, url, last)
        client.xtrim("orders", maxlen=2, approximate=False)
        assert corrected_by(call, url) == [5]


class TestDoctor:
    def test_counts_those_that_are_open(self, call: Call, url: str, client: redis.Redis) -> None:
        first, second = append(client, [REFUND] * 2)
        correct(call, url, first)
        call("snapshot", "take", "--url", url)
        check = parked_check(call, url)
        assert check["status"] == "warning"
        assert "1 open, 1 corrected" in check["seen"]
        correct(call, url, second)
        check = parked_check(call, url)
        assert check["status"] == "ok"
        assert "Every one of them is corrected" in check["seen"]

    def test_says_only_what_is_known_of_those_that_are_gone(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [REFUND] * 3)
        call("snapshot", "take", "--url", url)
        client.xtrim("orders", maxlen=1, approximate=False)
        assert "Open: 1 of the 1 newest that are still in the stream" in parked_check(call, url)["seen"]
