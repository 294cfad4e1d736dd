"""What many entries say at once is what each of them says alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.fold.folding import Entry, Fold
from esdash.fold.loading import load
from tests.domains import kinds
from tests.past.domains import DOMAINS, tried

UNSOUND = '''"""Models that fail while they are made."""

from dataclasses import dataclass

from esdash.domain import Column, Domain, EventType, Table


@dataclass(frozen=True)
class Counted:
    """Count."""

    by: int

    def __post_init__(self):
        if self.by == 7:
            raise RuntimeError("seven")


def counted(state, event):
    state.counters.value[1] = event.by


COUNTERS = Domain(
    name="counters",
    version="1",
    tables=(Table("counters", "counter", int, (Column("value"),)),),
    events=(EventType(Counted, counted),),
)
'''


def alone(fold: Fold, entries: list[Entry]) -> list[Any]:
    events = [fold.read(fields).event for _, fields in entries]
    return [(type(event), event) for event in events]


def together(fold: Fold, entries: list[Entry]) -> list[Any]:
    return [(type(event), event) for event in fold.events(entries)]


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_of_every_domain(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries: Any = data.draw(strategy())
    for fold in (make(), load("esdash.fold.raw:RAW"), kinds()):
        assert together(fold, entries) == alone(fold, entries)


def test_where_a_model_fails_on_some(tmp_path: Any) -> None:
    file = tmp_path / "counters.py"
    file.write_text(UNSOUND)
    fold = load(str(file))
    entries: list[Entry] = [
        (b"%d-0" % at, [b"type", b"Counted", b"data", data])
        for at, data in enumerate([b'{"by":1}', b'{"by":7}', b'{"by":"x"}', b'{"by":2}'], 1)
    ]
    found = together(fold, entries)
    assert found == alone(fold, entries)
    assert [event and event.by for _, event in found] == [1, None, None, 2]
