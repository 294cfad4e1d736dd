"""A log folded by other rules: what is told of it is what differs between two plain folds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.domain import Column, EventType, Table
from esdash.engine.moments import history
from esdash.engine.projection import Projection
from esdash.fold import sorting
from esdash.fold.apart import Apart
from esdash.fold.folding import Entry, Fold
from esdash.log.facts import Evidence, StreamFacts
from esdash.log.pages import PackedPage, Page
from esdash.log.stream import Stream
from esdash.whatif.beside import Consequences, OtherwiseError
from esdash.whatif.rules import Comparing, Kept, MovedError, compare
from tests.domains import BANK
from tests.past.domains import DOMAINS, tried
from tests.whatif.test_beside import cells_of

EVIDENCE = Evidence(StreamFacts(), None, None)


def stricter(fold: Fold) -> Fold:
    """Each third event is refused, for a reason that is new and comes before all others."""

    def apply_of(event_type: EventType) -> Callable[[Any, Any], object]:
        def apply(state: Any, event: Any) -> object:
            assert event_type.apply is not None
            return "unlucky" if crc32(repr(event).encode()) % 3 == 0 else event_type.apply(state, event)

        return apply

    events = tuple(each if each.apply is None else replace(each, apply=apply_of(each)) for each in fold.domain.events)
    reasons = {"unlucky": "Bad luck.", **fold.domain.reasons}
    return Fold(replace(fold.domain, events=events, reasons=reasons, fast=False))


def with_another_table(fold: Fold) -> Fold:
    """The first table is gone from people's sight, and everything is counted in a new one."""

    def apply_of(event_type: EventType) -> Callable[[Any, Any], object]:
        def apply(state: Any, event: Any) -> object:
            assert event_type.apply is not None
            seen = state.seen.times
            seen[event_type.wire_name] = seen.get(event_type.wire_name, 0) + 1
            return event_type.apply(state, event)

        return apply

    events = tuple(each if each.apply is None else replace(each, apply=apply_of(each)) for each in fold.domain.events)
    tables = (Table("seen", "type", str, (Column("times"),)), *fold.domain.tables)
    return Fold(replace(fold.domain, events=events, tables=tables, fast=False))


def with_fewer_types(fold: Fold) -> Fold:
    """The first type of event is unknown."""
    types = fold.domain.events
    return Fold(replace(fold.domain, events=tuple(each for each in types if each.wire_name != types[0].wire_name)))


OTHERS = {"stricter": stricter, "another table": with_another_table, "fewer types": with_fewer_types}


def compared(old: Fold, new: Fold, entries: Sequence[Entry], size: int) -> Consequences:
    """Page after page, packed where both sort alike."""
    comparing = Comparing(old, new)
    pack = sorting.packer(comparing.packing.split("(", 1)[1][:-1]) if comparing.packing else None
    was, now = Projection(old), Projection(new)
    for start in range(0, len(entries), size):
        some = list(entries[start : start + size])
        page: Page | PackedPage = Page(some, EVIDENCE, True)
        if pack is not None:
            page = PackedPage(len(some), some[-1], EVIDENCE, pack(some), ())
        comparing.see(start + 1, page, was.apply_ahead(page), now.apply_ahead(page))
    return comparing.end(was, now)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *(("shop", "stricter"), ("bank", "stricter"), ("bank", "another table"), ("depots", "another table")),
        *(("bank", "fewer types"), ("depots", "fewer types")),
    ],
)
@tried
@given(data=st.data())
def test_what_is_told_is_what_differs_between_two_folds(name: str, other: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries = data.draw(strategy().filter(bool))
    old, new = make(), OTHERS[other](make())
    found = compared(old, new, entries, size=data.draw(st.integers(1, 7)))
    was, now = old.empty(), new.empty()
    before = [old.outcomes[code] for code in old.fold(was, entries)]
    after = [new.outcomes[code] for code in new.fold(now, entries)]
    assert [(each.ordinal, each.entry_id, each.type, each.was, each.now) for each in found.decided] == [
        (number, entry[0], old.sorter.type_of(entry[1]), one, another)
        for number, (entry, one, another) in enumerate(zip(entries, before, after, strict=True), 1)
        if one != another
    ]
    assert found.count == len(found.decided)
    one, another = cells_of(old, was), cells_of(new, now)
    assert {(each.table, each.key, each.column): (each.before, each.after) for each in found.numbers} == {
        number: (one.get(number), another.get(number))
        for number in one.keys() | another.keys()
        if one.get(number) != another.get(number)
    }
    assert found.differ == (before != after or one != another)


SOURCE = BANK.read_text("utf-8")
STRICTER = SOURCE.replace("event.amount > balance", "event.amount + 100 > balance")
GIVEN = "state.accounts.balance[event.account] = 0"


def publish(client: redis.Redis, count: int, amount: int = 30) -> None:
    """Two accounts, and money that goes from one to the other and back."""
    pipeline = client.pipeline(transaction=False)
    for account in "AB":
        pipeline.xadd("orders", {"type": "Opened", "data": f'{{"account":"{account}","owner":"{account}"}}'})
    for number in range(count):
        source, target = ("A", "B") if number % 2 else ("B", "A")
        data = f'{{"source":"{source}","target":"{target}","amount":{amount}}}'
        pipeline.xadd("orders", {"type": "Transferred", "data": data})
    pipeline.execute()


def bank(folder: Path, source: str) -> Apart:
    """A bank that gives 120 cents to whoever opens an account."""
    folder.mkdir(exist_ok=True)
    (folder / "bank.py").write_text(source.replace(GIVEN, GIVEN.replace("0", "120")))
    return Apart(f"{folder / 'bank.py'}")


def told(found: Consequences) -> list[tuple[int, str | None]]:
    """Which entries are decided otherwise, and why not applied."""
    return [(each.ordinal, each.now.reason) for each in found.decided]


@pytest.mark.parametrize("far", [50_000, 100], ids=["here", "with a second process"])
class TestOnAServer:
    @pytest.fixture(autouse=True)
    def _far(self, far: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(history, "FAR", far)

    def test_old_rules_are_kept_and_go_on_with_the_log(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        publish(client, 3000)
        old, new = bank(tmp_path / "old", SOURCE), bank(tmp_path / "new", STRICTER)
        kept = Kept(old.fold)
        kept.advance(log)
        found = kept.beside(log, new.fold)
        assert found == compare(log, old, new, log.facts().last_id)
        assert told(found)[:2] == [(3, "insufficient_funds"), (4, "insufficient_funds")]
        assert found.count == 3000
        assert kept.beside(log, old.fold).differ is False
        publish(client, 10)
        kept.advance(log)
        assert kept.beside(log, new.fold) == compare(log, old, new, log.facts().last_id)
        assert kept.was.ordinal == 3014

    def test_old_rules_that_fail_are_compared_up_to_there(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        publish(client, 600)
        client.xadd("orders", {"type": "Opened", "data": '{"account":"X","owner":"X"}'})
        publish(client, 5)
        source = SOURCE.replace(
            "def opened(state, event):", "def opened(state, event):\n    1 / (event.account != 'X')"
        )
        old, new = bank(tmp_path / "old", source), bank(tmp_path / "new", STRICTER)
        line = source.splitlines().index("    1 / (event.account != 'X')") + 1
        said = f"The old rules fail on #603, bank.py:{line}: ZeroDivisionError: division by zero."
        kept = Kept(old.fold)
        kept.advance(log)
        assert (kept.failure, kept.was.ordinal) == (said, 602)
        assert kept.beside(log, new.fold).count == 600
        with pytest.raises(OtherwiseError) as error:
            compare(log, old, new, log.facts().last_id)
        assert str(error.value) == said
        with pytest.raises(OtherwiseError, match=r"^The new rules fail on #603, bank\.py"):
            compare(log, new, old, log.facts().last_id)

    def test_a_trimmed_log_is_compared_from_where_it_begins(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        publish(client, 1000)
        publish(client, 1000)
        client.xtrim("orders", maxlen=1001, approximate=False)
        old, new = (
            bank(tmp_path / "old", SOURCE),
            bank(tmp_path / "new", SOURCE.replace('"unknown_account"', '"unheard"')),
        )
        found = compare(log, old, new, log.facts().last_id)
        assert (found.begin.unseen, found.end.number, found.count) == (1003, 2004, 1000)
        kept = Kept(old.fold)
        kept.advance(log)
        assert kept.beside(log, new.fold) == found
        client.xtrim("orders", maxlen=500, approximate=False)
        with pytest.raises(MovedError):
            kept.beside(log, new.fold)
        client.delete("orders")
        publish(client, 3)
        with pytest.raises(MovedError):
            kept.advance(log)


def test_nothing_is_the_same_on_an_empty_log(log: Stream) -> None:
    kept = Kept(Apart(str(BANK)).fold)
    kept.advance(log)
    assert kept.beside(log, Apart(str(BANK)).fold).differ is False
