"""Lines that are given back in another order than they came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.cli import spool as spools
from esdash.cli.spool import Spool


@given(st.lists(st.text(max_size=20)), st.none() | st.integers(1, 10))
def test_all_or_the_last_in_either_order(lines: list[str], most: int | None) -> None:
    kept = lines if most is None else lines[-most:]
    with Spool(most) as spool:
        for line in lines:
            spool.add(line)
        assert len(spool) == len(kept)
        assert list(spool.oldest_first()) == kept
        assert list(spool.newest_first()) == kept[::-1]


def test_what_is_not_wanted_any_more_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "MEMORY", 1000)
    monkeypatch.setattr(spools, "DROPPED", 5000)
    lines = [f"{number} {'x' * (number % 100)}" for number in range(2000)]
    with Spool(30) as spool:
        for line in lines:
            spool.add(line)
            assert spool.size < 20_000
        assert list(spool.newest_first()) == lines[:-31:-1]


def test_it_can_begin_anew() -> None:
    with Spool() as spool:
        for line in ("a", "b"):
            spool.add(line)
        spool.clear()
        assert list(spool.oldest_first()) == []
        spool.add("c")
        assert list(spool.newest_first()) == ["c"]


def test_a_lone_surrogate_is_kept() -> None:
    with Spool() as spool:
        spool.add("\ud800")
        assert list(spool.oldest_first()) == ["\ud800"]
