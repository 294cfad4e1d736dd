"""Commands beside the past that a dashboard keeps."""

import json
import re
import sqlite3
from contextlib import closing
from itertools import cycle
from pathlib import Path

import platformdirs
import pytest
import redis

from esdash.engine.moments.history import History
from esdash.engine.projection import Projection
from esdash.fold.loading import load
from esdash.fold.stored import number_name
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.building.recorder import Recorder
from esdash.past.track.file import Track
from esdash.past.track.folder import FOLDER, TrackFolder
from esdash.query.lexing import quoted
from tests.cli.conftest import Call, append, day, stored
from tests.domains.ways import present
from tests.engine.running import sound_event
from tests.strategies import raw_entry

pytestmark = pytest.mark.usefixtures("any_domain")


@pytest.fixture
def track(home: Path, url: str, client: redis.Redis) -> Path:  # noqa: ARG001 - folder and domain are those of the test
    """The track of 300 entries, as a dashboard keeps it."""
    append(client, day(1, 300))
    folder = TrackFolder(platformdirs.user_cache_path("esdash") / FOLDER, 10)
    path = folder.file_of(url, "orders", present().fold())
    stream = Stream(Server(url), "orders")
    Builder(stream, present().fold(), folder, path).run()
    stream.server.close()
    return path


def cells(call: Call, url: str) -> list[str]:
    """Numbers of some rows of each table."""
    state = call("state", "--json", "--url", url).json["tables"]
    return [
        number_name(table.name, key, column.name)
        for table in present().fold().domain.tables
        for key in list(state[table.name])[:2]
        for column in table.columns[-3:]
    ]


@pytest.mark.domains_in_turn
def test_it_is_verified_where_snapshots_are(call: Call, url: str, track: Path) -> None:
    assert call("snapshot", "take", "--url", url).code == 0
    found = call("verify", "--json", "--url", url)
    assert found.code == 0
    assert found.json["past"] == {"moments": 1, "wrong": []}
    assert "✓ the past that is kept: the same at 1 place" in call("verify", "--url", url).out
    assert track.exists()


@pytest.mark.domains_in_turn
def test_without_one_nothing_is_said(call: Call, url: str, client: redis.Redis) -> None:
    append(client, day(1, 30))
    assert call("verify", "--json", "--url", url).json["past"] == {"moments": 0, "wrong": []}
    assert "past" not in call("verify", "--url", url).out


@pytest.mark.domains_in_turn
def test_why_is_told_the_same_with_it_and_without(call: Call, url: str, track: Path) -> None:
    numbers = cells(call, url)
    places: list[tuple[str, ...]] = [(), ("--at", "#150"), ("--at", "#1")]
    ways = cycle([(*place, *form) for place in places for form in ((), ("--json",))])
    questions = [(number, *next(ways)) for number in numbers * 2]
    with_it = [call("why", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("why", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), question


@pytest.mark.domains_in_turn
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


@pytest.mark.domains_in_turn
def test_a_state_of_an_entry_that_is_gone_is_not_told_by_it(
    call: Call, url: str, client: redis.Redis, track: Path
) -> None:
    gone, _ = stored(client)[149]
    client.xtrim("orders", maxlen=100, approximate=False)
    one = call("state", "--at", gone, "--url", url)
    track.unlink()
    assert call("state", "--at", gone, "--url", url) == one


@pytest.mark.domains_in_turn
def test_a_difference_is_told_the_same_with_it_and_without(call: Call, url: str, track: Path) -> None:
    places = [("#1", "#300"), ("#210", "#150"), ("#60", "#60"), ("first", "now"), ("#20", "#29")]
    questions = [*places[::2], *((*each, "--json") for each in places)]
    with_it = [call("diff", *question, "--url", url) for question in questions]
    track.unlink()
    without = [call("diff", *question, "--url", url) for question in questions]
    for question, one, other in zip(questions, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), question


def test_places_are_found_the_same_with_it_and_without(call: Call, url: str, track: Path) -> None:
    conditions = []
    for table in present().fold().domain.tables:
        conditions += [f"count({table.name}) >= 2", f"count({table.name}) = 0"]
        for column in [column for column in table.columns if column.kind is int][-1:]:
            name = f"{table.name}.{column.name}"
            conditions += [f"not min({name}) > 0", f"sum({name}) > max({name})"]
    never, key, name, value = present().cell(10**6, 1)
    conditions.append(f"{number_name(never, key, name)} = {quoted(value) if isinstance(value, str) else value}")
    forms: list[tuple[str, ...]] = [(), ("--last",), ("--all",), ("--json",), ("--all", "--json")]
    questions = [(condition, *form) for condition, form in zip(conditions, cycle(forms), strict=False)]
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
    name, members = present().sound(10**6, 5)
    client.xadd("orders", {"type": name, "data": json.dumps(members), "key": f"corrects:{parked}"})
    stream = Stream(Server(url), "orders")
    Builder(stream, present().fold(), TrackFolder(track.parent, 10), track, segment=50).run()
    stream.server.close()
    asked = [
        "outcome:rejected",
        f"type:{name} -outcome:applied",
        "outcome:parked",
        "new or /[3-9]/",
        "type:Nothing",
    ]
    for table in present().fold().domain.tables:
        keys = call("state", "--json", "--url", url).json["tables"][table.name]
        asked += [f"{quoted(table.one)}:{quoted(key)}" for key in list(keys)[:1]]
    asked += ["since:#100 until:#160 -outcome:applied", f"key:corrects:{parked}", "since:#290"]
    asked.append(f"reason:{next(iter(present().fold().domain.reasons))}")
    forms = cycle(
        [(), ("--json",), ("--reverse",), ("--tail", "7"), ("--count", "3", "--json"), ("--reverse", "--count", "2")]
    )
    forms_of_place = cycle([(), ("--from", "#40", "--to", "#220"), ("--tail", "9", "--count", "4")])
    questions = [(each, *next(forms), *next(forms_of_place)) for each in asked]
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


@pytest.mark.domains_in_turn
def test_events_of_which_some_are_gone_are_not_told_by_it(
    call: Call, url: str, client: redis.Redis, track: Path
) -> None:
    client.xtrim("orders", maxlen=100, approximate=False)
    one = call("events", "outcome:rejected", "--url", url)
    track.unlink()
    assert call("events", "outcome:rejected", "--url", url) == one


@pytest.mark.domains_in_turn
def test_one_that_lost_its_oldest_is_not_asked(call: Call, url: str, track: Path) -> None:
    track.unlink()
    stream = Stream(Server(url), "orders")
    Builder(stream, present().fold(), TrackFolder(track.parent, 10), track, segment=50).run()
    stream.server.close()
    file = Track(track, write=True)
    Recorder(file, "orders", Projection(present().fold())).thin()
    file.close()
    assert call("verify", "--json", "--url", url).json["past"]["moments"] == 1
    numbers = cells(call, url)
    with_it = [call("why", number, "--url", url) for number in numbers]
    track.unlink()
    without = [call("why", number, "--url", url) for number in numbers]
    for number, one, other in zip(numbers, with_it, without, strict=True):
        assert (one.code, one.out, one.err) == (other.code, other.out, other.err), number


@pytest.mark.domains_in_turn
def test_one_of_a_log_that_was_made_again_is_no_difference(
    call: Call, url: str, client: redis.Redis, track: Path
) -> None:
    client.delete("orders")
    append(client, day(2, 300))
    found = call("verify", "--json", "--url", url)
    assert (found.code, found.json["past"]) == (0, {"moments": 0, "wrong": []})
    assert track.exists()


@pytest.mark.domains_in_turn
def test_one_that_lacks_entries_is_not_asked(call: Call, url: str, client: redis.Redis, track: Path) -> None:  # noqa: ARG001
    table, key, column, value = present().cell(10**6, 500)
    before = call("why", f"count({table})", "--json", "--url", url).lines
    append(client, [raw_entry(*sound_event(10**6, 500))])
    assert call("why", number_name(table, key, column), "--json", "--url", url).lines[0]["after"] == value
    assert len(call("why", f"count({table})", "--json", "--url", url).lines) == len(before) + 1


@pytest.mark.domains_in_turn
def test_one_that_is_thinned_or_damaged_is_not_asked(call: Call, url: str, track: Path) -> None:
    moves = ("--json", "--at", "#250", "--url", url)
    number = max(cells(call, url), key=lambda each: len(call("why", each, *moves).lines))
    question = ("why", number, "--json", "--url", url)
    places = ("find", f"{number} = {number}", "--all", "--url", url)
    expected = call(*question, "--at", "#20"), call(*question), call(*places)
    with closing(sqlite3.connect(track)) as file, file:
        file.execute("UPDATE parts SET data = zeroblob(40)")
    assert (call(*question, "--at", "#20"), call(*question), call(*places)) == expected
    with closing(sqlite3.connect(track)) as file, file:
        file.execute("DELETE FROM segments WHERE first = 1")
    assert (call(*question, "--at", "#20"), call(*question), call(*places)) == expected


@pytest.mark.shop_alone
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
