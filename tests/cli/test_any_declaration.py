"""What commands say of domains that nobody thought of is what the plainest reading says."""

import csv
import io
from typing import Any

import platformdirs
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.domain import TIME, Column, Table
from esdash.fold.loading import load
from esdash.fold.stored import number_name
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.track.folder import FOLDER, TrackFolder
from esdash.query.lexing import quoted
from tests.cli.conftest import STREAM, Call, Result
from tests.domains import at_random
from tests.domains.at_random import VALUES, Drawn, Plain, drawn, tried

Rows = dict[str, dict[Any, dict[str, Any]]]


def typed(column: Column, value: Any) -> str:
    """A value of a column as a person would type it."""
    if column.kind is bool:
        return "yes" if value else "no"
    if column.kind is str:
        return quoted(value)
    return str(value) if column.shown == TIME else column.shown.editable(value).split(" ")[0]


def as_json(rows: Rows, table: Table) -> dict[str, Any]:
    return {str(key): cells for key, cells in rows[table.name].items()}


def cells(rows: Rows) -> dict[str, Any]:
    """Every cell that is there, by its number."""
    return {
        number_name(table, key, column): value
        for table, found in rows.items()
        for key, row in found.items()
        for column, value in row.items()
        if value is not None
    }


@pytest.fixture
def ask(call: Call, url: str) -> Call:
    """Run a command with the domain that was drawn."""
    return lambda *arguments: call(*arguments, "--domain", "tests.domains.at_random:PRESENT", "--url", url)


def publish(drawn: Drawn, client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it the domain that commands find, and its entries those of the stream."""
    client.flushall()
    monkeypatch.setattr(at_random, "PRESENT", drawn.domain)
    for entry_id, fields in drawn.entries:
        client.execute_command("XADD", STREAM, entry_id, *fields)


@tried(4)
@given(drawn=drawn(20).filter(lambda drawn: drawn.happened), data=st.data())
def test_states_stories_places_and_entries(
    drawn: Drawn, data: DataObject, ask: Call, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(drawn, client, monkeypatch)
    plain = Plain(drawn.domain)
    states, decided = [plain.rows], []
    for each in drawn.happened:
        decided.append(plain.see(each))
        states.append(plain.rows)

    def asked(*arguments: object, code: int = 0) -> Result:
        shown = ask(*arguments)
        assert shown.code == code, (arguments, shown.err)
        return shown

    last = len(drawn.happened)
    now = asked("state", "--json").json
    assert now["tables"] == {table.name: as_json(states[-1], table) for table in drawn.domain.tables}
    assert now["outcomes"] == plain.outcomes
    assert [(each["outcome"], each["reason"]) for each in asked("events", "--json").lines] == decided
    table = data.draw(st.sampled_from(drawn.domain.tables))
    one, other = (data.draw(st.integers(1, last)) for _ in range(2))
    assert asked("state", "--json", "--at", f"#{one}", "--table", table.name).json["tables"] == {
        table.name: as_json(states[one], table)
    }
    between = {
        each["number"]: (each["before"], each["after"])
        for each in asked("diff", f"#{one}", f"#{other}", "--json", code=3 if states[one] != states[other] else 0).json[
            "numbers"
        ]
    }
    before, after = cells(states[one]), cells(states[other])
    assert between == {
        name: (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    exported = asked("export", "table", table.name, "--format", "jsonl").lines
    assert [(each["key"], each["cells"]) for each in exported] == [*states[-1][table.name].items()]
    shown = list(csv.reader(io.StringIO(asked("export", "table", table.name, "--format", "csv").out)))
    assert len(shown) == 1 + len(states[-1][table.name])
    keys = sorted({key for state in states for key in state[table.name]})
    if not keys:
        return
    key, column = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(table.columns))
    values = [state[table.name].get(key, {}).get(column.name) for state in states]
    number = number_name(table.name, key, column.name)
    if any(value is not None for value in values):
        story = asked("why", number, "--json").lines
        moved = [place for place in range(1, last + 1) if values[place] != values[place - 1]]
        assert [(each["ordinal"], each["before"], each["after"]) for each in story] == [
            (place, values[place - 1], values[place]) for place in reversed(moved)
        ]
        value = data.draw(st.sampled_from([each for each in values if each is not None]))
        found = asked("find", f"{number} = {typed(column, value)}", "--json").json
        assert found["ordinal"] == values.index(value)
    about = [
        place
        for place, each in enumerate(drawn.happened, 1)
        if (not each.parked and each.table == table.name and each.event.row == key)
        or states[place][table.name].get(key) != states[place - 1][table.name].get(key)
    ]
    told = asked("events", f"{quoted(table.one)}:{quoted(str(key))}", "--json").lines
    assert [each["ordinal"] for each in told] == about


@tried(2)
@given(drawn=drawn(25).filter(lambda drawn: drawn.happened), data=st.data())
def test_all_is_told_the_same_beside_the_past_that_is_kept(
    drawn: Drawn, data: DataObject, ask: Call, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(drawn, client, monkeypatch)
    fold, last = load("tests.domains.at_random:PRESENT"), len(drawn.happened)
    table = data.draw(st.sampled_from(drawn.domain.tables))
    state, keys = fold.empty(), set()
    for entry in drawn.entries:
        keys |= {each.key for each in fold.explain(state, entry)[1].changes if each.table == table.name}
    key = data.draw(st.sampled_from(sorted(keys) or [0 if table.key is int else "none"]))
    column = data.draw(st.sampled_from(table.columns))
    number = number_name(table.name, key, column.name)
    value = typed(column, data.draw(st.sampled_from(VALUES[column.kind][:6])))
    one, other = (f"n{data.draw(st.integers(1, last))}" for _ in range(2))
    condition = f"{number} {data.draw(st.sampled_from(['=', '!=', '<', '>']))} {value}"
    if column.kind is bool:
        condition = f"{number} = {value}"
    row = f"{quoted(table.one)}:{quoted(str(key))}"
    questions = [("why", number), ("why", number, "--at", one), ("state", "--at", one), ("diff", one, other)]
    questions += [("events", each) for each in (row, "-outcome:applied", "new")]
    for each in (condition, f"not {condition}", f"count({table.name}) = 0"):
        questions += [("find", each), ("find", each, "--last"), ("find", each, "--all")]
    questions = [(*each, "--json") for each in questions]
    without = [ask(*question) for question in questions]
    folder = TrackFolder(platformdirs.user_cache_path("esdash") / FOLDER, 10)
    path = folder.file_of(log.server.url, STREAM, fold)
    Builder(log, fold, folder, path, segment=data.draw(st.integers(1, 30))).run()
    beside = [ask(*question) for question in questions]
    path.unlink()
    for question, one_told, other_told in zip(questions, beside, without, strict=True):
        assert (one_told.code, one_told.err) == (other_told.code, other_told.err), question
        assert in_any_order(one_told.out) == in_any_order(other_told.out), question


def in_any_order(told: str) -> list[list[str]]:
    """The characters of each line, sorted: a track does not know in which order an entry made its changes."""
    return list(map(sorted, told.splitlines()))
