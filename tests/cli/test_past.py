"""Commands beside the past that a dashboard keeps."""

import re
import sqlite3
from contextlib import closing
from itertools import cycle
from pathlib import Path

import platformdirs
import pytest
import redis

from esdash.engine.history import History
from esdash.engine.projection import Projection
from esdash.fold.loading import load
from esdash.log.server import Server
from esdash.log.stream import Stream
from esdash.past.building import Builder
from esdash.past.folder import FOLDER, TrackFolder
from esdash.past.recorder import Recorder
from esdash.past.track import Track
from tests.cli.conftest import Call, append, stored
from tests.domains.shop import shop
from tests.strategies import raw_entry, seeded_entries


@pytest.fixture
def track(home: Path, url: str, client: redis.Redis) -> Path:  # noqa: ARG001 - the folder is that of the test
    """The track of 300 entries, as a dashboard keeps it."""
    append(client, seeded_entries(1, 300))
    folder = TrackFolder(platformdirs.user_cache_path("esdash") / FOLDER, 10)
    path = folder.file_of(url, "orders", shop())
    stream = Stream(Server(url), "orders")
    Builder(stream, shop(), folder, path).run()
    stream.server.close()
    return path


def test_it_is_verified_where_snapshots_are(call: Call, url: str, track: Path) -> None:
    assert call("snapshot", "take", "--url", url).code == 0
    found = call("verify", "--json", "--url", url)
    assert found.code == 0
    assert found.json["past"] == {"moments": 1, "wrong": []}
    assert "✓ the past that is kept: the same at 1 place" in call("verify", "--url", url).out
    assert track.exists()


def test_without_one_nothing_is_said(call: Call, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(1, 30))
    assert call("verify", "--json", "--url", url).json["past"] == {"moments": 0, "wrong": []}
    assert "past" not in call("verify", "--url", url).out


def test_why_is_told_the_same_with_it_and_without(call: Call, url: str, track: Path) -> None:
    state = call("state", "--json", "--url", url).json["tables"]
    numbers = [f"users:{key}.balance" for key in list(state["users"])[:3]]
    numbers += [f'items:"{key}".{column}' for key in list(state["items"])[:3] for column in ("price", "remain")]
    places: list[tuple[str, ...]] = [(), ("--at", "#150"), ("--at", "#1")]
    ways = cycle([(*place, *form) for place in places for form in ((), ("--json",))])
    questions = [(number, *next(ways)) for number in numbers * 2]
    with_it = [call("why", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("why", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), question


def test_a_state_is_told_the_same_with_it_and_without(
    call: Call, url: str, track: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [
        (*form, "--at", place) for place in ("first", "#1", "#150", "#300", "now") for form in ((), ("--json",))
    ]
    with monkeypatch.context() as folding:
        folding.setattr(History, "at", None)
        with_it = [call("state", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("state", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), question


def test_a_state_of_an_entry_that_is_gone_is_not_told_by_it(
    call: Call, url: str, client: redis.Redis, track: Path
) -> None:
    gone, _ = stored(client)[149]
    client.xtrim("orders", maxlen=100, approximate=False)
    one = call("state", "--at", gone, "--url", url)
    track.unlink()
    assert call("state", "--at", gone, "--url", url) == one


def test_a_difference_is_told_the_same_with_it_and_without(call: Call, url: str, track: Path) -> None:
    places = [("#1", "#300"), ("#210", "#150"), ("#60", "#60"), ("first", "now"), ("#20", "#29")]
    questions = [*places[::2], *((*each, "--json") for each in places)]
    with_it = [call("diff", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("diff", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), question


def test_places_are_found_the_same_with_it_and_without(call: Call, url: str, track: Path) -> None:
    conditions = ["count(users) >= 2", "count(users) = 0", "not min(items.remain) > 0", "users:1.balance < 0"]
    conditions += ["sum(users.balance) > max(users.balance)", "users:2.balance >= users:1.balance"]
    forms: list[tuple[str, ...]] = [(), ("--last",), ("--all",), ("--json",), ("--all", "--json")]
    questions = [(condition, *form) for condition, form in zip(conditions * 2, forms * 3, strict=False)]
    with_it = [call("find", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("find", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), question
    assert {each.code for each in with_it} == {0, 1}


def in_any_order(line: str) -> list[str]:
    """A line with the changes in it sorted: a track does not know in which order an entry made them."""
    return sorted(re.split(r"(?:, | {2,}|\}, \{|\[\{|\}\])", line))


def test_events_are_told_the_same_with_it_and_without(
    call: Call, url: str, track: Path, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    parked = next(each["id"] for each in call("events", "outcome:parked", "--json", "--url", url).lines)
    client.xadd("orders", {"type": "TopUp", "data": '{"user_id":1,"amount":5}', "key": f"corrects:{parked}"})
    stream = Stream(Server(url), "orders")
    Builder(stream, shop(), TrackFolder(track.parent, 10), track, segment=50).run()
    stream.server.close()
    asked = [
        "outcome:rejected",
        "type:TopUp amount>100",
        "user:2",
        "outcome:parked",
        "hdd or /buys [3-9]/",
        "type:Nothing",
    ]
    asked += ["since:#100 until:#160 -outcome:applied", f"key:corrects:{parked}", "since:#290", "reason:out_of_stock"]
    forms = cycle(
        [(), ("--json",), ("--reverse",), ("--tail", "7"), ("--count", "3", "--json"), ("--reverse", "--count", "2")]
    )
    forms_of_place = cycle([(), ("--from", "#40", "--to", "#220"), ("--tail", "9", "--count", "4")])
    questions = [(each, *next(forms), *next(forms_of_place)) for each in asked * 3]
    questions += [("outcome:parked", *form) for form in ((), ("--reverse",), ("--tail", "2"))]
    with monkeypatch.context() as folding:
        folding.setattr(History, "explain", None)
        with_it = [call("events", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("events", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.err) == (other.code, other.err), question
        assert list(map(in_any_order, one.out.splitlines())) == list(map(in_any_order, other.out.splitlines())), (
            question
        )
    assert any("corrected by #301" in each.out for each in with_it)


def test_events_of_which_some_are_gone_are_not_told_by_it(
    call: Call, url: str, client: redis.Redis, track: Path
) -> None:
    client.xtrim("orders", maxlen=100, approximate=False)
    one = call("events", "outcome:rejected", "--url", url)
    track.unlink()
    assert call("events", "outcome:rejected", "--url", url) == one


def test_one_that_lost_its_oldest_is_not_asked(call: Call, url: str, track: Path) -> None:
    track.unlink()
    stream = Stream(Server(url), "orders")
    Builder(stream, shop(), TrackFolder(track.parent, 10), track, segment=50).run()
    stream.server.close()
    file = Track(track, write=True)
    Recorder(file, "orders", Projection(shop())).thin()
    file.close()
    assert call("verify", "--json", "--url", url).json["past"]["moments"] == 1
    users = call("state", "--json", "--url", url).json["tables"]["users"]
    numbers = [f"users:{key}.balance" for key in list(users)[:5]]
    with_it = [call("why", number, "--url", url) for number in numbers]
    track.unlink()
    without = [call("why", number, "--url", url) for number in numbers]
    for number, one, other in zip(numbers, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), number


def test_one_of_a_log_that_was_made_again_is_no_difference(
    call: Call, url: str, client: redis.Redis, track: Path
) -> None:
    client.delete("orders")
    append(client, seeded_entries(2, 300))
    found = call("verify", "--json", "--url", url)
    assert (found.code, found.json["past"]) == (0, {"moments": 0, "wrong": []})
    assert track.exists()


def test_one_that_lacks_entries_is_not_asked(call: Call, url: str, client: redis.Redis, track: Path) -> None:  # noqa: ARG001
    before = call("why", "sum(users.balance)", "--json", "--url", url).lines
    client.xadd("orders", {"type": "TopUp", "data": '{"user_id":77,"amount":500}'})
    assert call("why", "users:77.balance", "--json", "--url", url).lines[0]["after"] == 500
    assert len(call("why", "sum(users.balance)", "--json", "--url", url).lines) == len(before) + 1


def test_one_that_is_thinned_or_damaged_is_not_asked(call: Call, url: str, track: Path) -> None:
    question = ("why", "users:1.balance", "--json", "--url", url)
    places = ("find", "users:1.balance > 10", "--all", "--url", url)
    expected = call(*question, "--at", "#20"), call(*question), call(*places)
    with closing(sqlite3.connect(track)) as file, file:
        file.execute("UPDATE parts SET data = zeroblob(40)")
    assert (call(*question, "--at", "#20"), call(*question), call(*places)) == expected
    with closing(sqlite3.connect(track)) as file, file:
        file.execute("DELETE FROM segments WHERE first = 1")
    assert (call(*question, "--at", "#20"), call(*question), call(*places)) == expected


@pytest.mark.parametrize(
    "values", [(1, -2, 3, -4, -5), (-1, 2, -3), (-1, -2), (1, -1)], ids=lambda values: ",".join(map(str, values))
)
def test_since_when_an_invariant_is_broken_is_told_the_same_with_it_and_without(
    call: Call,
    home: Path,  # noqa: ARG001 - the folder is that of the test
    url: str,
    client: redis.Redis,
    values: tuple[int, ...],
) -> None:
    fold = load("tests.domains.meters:METERS")
    append(client, [raw_entry("Read", b'{"meter":"a","shown":%d}' % value) for value in values])
    folder = TrackFolder(platformdirs.user_cache_path("esdash") / FOLDER, 10)
    path = folder.file_of(url, "orders", fold)
    stream = Stream(Server(url), "orders")
    Builder(stream, fold, folder, path).run()
    stream.server.close()
    told = []
    for _ in range(2):
        found = call("doctor", "--json", "--url", url, "--domain", fold.choice)
        told.append([each for each in found.json["checks"] if each["name"] == "invariant none_below_zero"])
        path.unlink(missing_ok=True)
    assert told[0] == told[1]
    assert "It is broken since #" in told[0][0]["seen"]
