"""What commands say of domains that nobody thought of is what the plainest reading says."""

import csv
import io
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.domain import TIME, Column, Table
from esdash.fold.stored import number_name
from esdash.query.lexing import quoted
from tests.cli.conftest import STREAM, Call, Result
from tests.domains import at_random
from tests.domains.at_random import Drawn, Plain, drawn, tried

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


@tried(4)
@given(drawn=drawn(20).filter(lambda drawn: drawn.happened), data=st.data())
def test_states_stories_places_and_entries(
    drawn: Drawn, data: DataObject, call: Call, client: redis.Redis, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.flushall()
    monkeypatch.setattr(at_random, "PRESENT", drawn.domain)
    for entry_id, fields in drawn.entries:
        client.execute_command("XADD", STREAM, entry_id, *fields)
    plain = Plain(drawn.domain)
    states, decided = [plain.rows], []
    for each in drawn.happened:
        decided.append(plain.see(each))
        states.append(plain.rows)

    def ask(*arguments: object, code: int = 0) -> Result:
        shown = call(*arguments, "--domain", "tests.domains.at_random:PRESENT", "--url", url)
        assert shown.code == code, (arguments, shown.err)
        return shown

    last = len(drawn.happened)
    now = ask("state", "--json").json
    assert now["tables"] == {table.name: as_json(states[-1], table) for table in drawn.domain.tables}
    assert now["outcomes"] == plain.outcomes
    assert [(each["outcome"], each["reason"]) for each in ask("events", "--json").lines] == decided
    table = data.draw(st.sampled_from(drawn.domain.tables))
    one, other = (data.draw(st.integers(1, last)) for _ in range(2))
    assert ask("state", "--json", "--at", f"#{one}", "--table", table.name).json["tables"] == {
        table.name: as_json(states[one], table)
    }
    between = {
        each["number"]: (each["before"], each["after"])
        for each in ask("diff", f"#{one}", f"#{other}", "--json", code=3 if states[one] != states[other] else 0).json[
            "numbers"
        ]
    }
    before, after = cells(states[one]), cells(states[other])
    assert between == {
        name: (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    exported = ask("export", "table", table.name, "--format", "jsonl").lines
    assert [(each["key"], each["cells"]) for each in exported] == [*states[-1][table.name].items()]
    shown = list(csv.reader(io.StringIO(ask("export", "table", table.name, "--format", "csv").out)))
    assert len(shown) == 1 + len(states[-1][table.name])
    keys = sorted({key for state in states for key in state[table.name]})
    if not keys:
        return
    key, column = data.draw(st.sampled_from(keys)), data.draw(st.sampled_from(table.columns))
    values = [state[table.name].get(key, {}).get(column.name) for state in states]
    number = number_name(table.name, key, column.name)
    if any(value is not None for value in values):
        story = ask("why", number, "--json").lines
        moved = [place for place in range(1, last + 1) if values[place] != values[place - 1]]
        assert [(each["ordinal"], each["before"], each["after"]) for each in story] == [
            (place, values[place - 1], values[place]) for place in reversed(moved)
        ]
        value = data.draw(st.sampled_from([each for each in values if each is not None]))
        found = ask("find", f"{number} = {typed(column, value)}", "--json").json
        assert found["ordinal"] == values.index(value)
    about = [
        place
        for place, each in enumerate(drawn.happened, 1)
        if (not each.parked and each.table == table.name and each.event.row == key)
        or states[place][table.name].get(key) != states[place - 1][table.name].get(key)
    ]
    asked = ask("events", f"{quoted(table.one)}:{quoted(str(key))}", "--json").lines
    assert [each["ordinal"] for each in asked] == about
