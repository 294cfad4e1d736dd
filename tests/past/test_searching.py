"""The entries of a log by their ordinals, and those that a question asks for: as if all had been read."""

from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.engine.moments.asking import Asked, Examined
from esdash.engine.moments.places import begin_of, end_of
from esdash.engine.shown.row import Row
from esdash.fold.folding import Entry, Fold
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.entries.searching import known_of
from esdash.past.entries.sieve import Sieve
from esdash.past.entries.wording import characters
from esdash.past.service import Past
from esdash.past.shown.deeds import Deeds
from esdash.past.track.folder import TrackFolder
from esdash.query.places import Between, Id
from esdash.query.questions import read_question
from esdash.query.terms import AboutRow, Since, Until
from esdash.words.asked import schema_of
from esdash.words.lines import deeds
from tests.domains.shop import Shop
from tests.engine import test_asking
from tests.engine.running import STREAM, publish_day, stored, top_up
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded
from tests.past.test_moments import told

COUNT = 1200

QUESTIONS = (
    "",
    "outcome:rejected",
    "-outcome:applied",
    "type:Order",
    "-type:TopUp outcome:applied",
    "reason:insufficient_funds or reason:unknown_type",
    "user:3",
    "user:3 item:ssd or item:hdd",
    "-user:3",
    "amount>100",
    "type:Order -outcome:applied quantity>2",
    "reject",
    '"balance of 3"',
    "/insufficient|#1\\d /",
    "SSD",
    '"buys 1"',
    '"  applied "',
    '" 9"',
    "00 type:TopUp",
    "-order -new",
    "/PRICE of .*[05]\\.00/i",
    "/buys [2-4] × \\w+  applied/",
    "/needed (\\d+), had/",
    "quantity!=1",
    "quantity<99999999999999999999999999",
    "user:1 -(amount>50 or balance)",
    "since:#300 until:#800 user:2",
    "since:-1d nothing_has_this",
    "user:99999999999999999999999",
)


def plainly(fold: Fold, entries: Sequence[Entry]) -> list[Row]:
    """All entries with what they did, by a plain replay."""
    rows, state = [], fold.empty()
    for ordinal, entry in enumerate(entries, 1):
        code, did = fold.explain(state, entry)
        rows.append(Row(ordinal, *entry, code, told=did))
    return rows


def same(row: Row, other: Row) -> bool:
    """Whether two rows say the same; the order in which an entry changed cells is not kept."""
    assert row.told is not None
    assert other.told is not None
    changes = set(row.told.changes), set(other.told.changes)
    numbers = (
        (row.told.needed, row.told.available, row.told.shown),
        (
            other.told.needed,
            other.told.available,
            other.told.shown,
        ),
    )
    here, there = ((each.ordinal, each.entry_id, list(each.fields), each.code) for each in (row, other))
    return here == there and changes[0] == changes[1] and numbers[0] == numbers[1]


@pytest.fixture
def past(log: Stream, client: redis.Redis, folder: TrackFolder) -> Iterator[Past]:
    """The past of a day in the shop, in segments of 150 entries."""
    publish_day(client, COUNT)
    fold = Shop()
    path = folder.file_of(log.server.url, log.name, fold)
    Builder(log, fold, folder, path, segment=150).run()
    past = Past(log, fold, path)
    yield past
    past.close()


def test_every_row_is_that_of_a_plain_replay(past: Past, log: Stream) -> None:
    rows = plainly(Shop(), stored(log))
    found = past.rows_at(range(1, COUNT + 1))
    assert len(found) == COUNT
    assert all(map(same, found, rows))
    some = [3, 149, 150, 151, 700, 1200]
    assert all(map(same, past.rows_at(some), [rows[ordinal - 1] for ordinal in some]))


def test_what_has_left_the_stream_has_no_fields(past: Past, client: redis.Redis) -> None:
    ids = [row.entry_id for row in past.rows_at(range(1, 21))]
    client.xdel(STREAM, ids[4], ids[5], ids[19])
    client.xtrim(STREAM, minid=ids[2], approximate=False)
    found = past.rows_at(range(1, 21))
    assert [row.entry_id for row in found] == ids
    assert [row.ordinal for row in found if not row.fields] == [1, 2, 5, 6, 20]
    assert [bool(row.fields) for row in past.rows_at([1, 4, 6, 1000])] == [False, True, False, True]
    steps = list(past.search(read_question("e", schema_of(Shop()), 0), 20))
    assert sum(step.gone for step in steps) == 5
    assert not {1, 2, 5, 6, 20} & {hit for step in steps for hit in step.hits}


def test_what_is_found_is_what_reading_all_entries_finds(past: Past, log: Stream) -> None:
    fold = Shop()
    rows = past.rows_at(range(1, COUNT - 6))

    def reach(term: Since | Until) -> Id:
        return id_parts((begin_of if isinstance(term, Since) else end_of)(log, term.place))

    for text in QUESTIONS:
        question = read_question(text, schema_of(fold), 2_000_000_000)
        asks = Asked(fold, question, reach)
        wanted = [row.ordinal for row in rows if asks(Examined(fold, row, 0))]
        found, reached = [], [COUNT - 6]
        for step in past.search(question, COUNT - 7):
            found += step.hits
            assert step.gone == 0, text
            assert all(step.down_to <= hit < reached[-1] for hit in step.hits), text
            reached.append(step.down_to)
        assert found == wanted[::-1], text
        assert reached[-1] == 1, text


def test_the_search_waits_for_what_the_track_lacks(past: Past, client: redis.Redis) -> None:
    client.xadd(STREAM, top_up(77))
    steps = past.search(read_question("user:77", schema_of(Shop()), 0), COUNT + 1)
    first = next(steps)
    assert (first.hits, first.down_to) == ([], COUNT + 2)


@pytest.mark.parametrize(
    ("domain", "known"), [("shop", test_asking.SHOP), ("bank", test_asking.BANK), ("depots", test_asking.DEPOTS)]
)
def test_what_the_track_is_sure_of_is_so_and_what_it_excludes_is_not(
    domain: str, known: Sequence[tuple[str, object]]
) -> None:
    fold, rows, _ = test_asking.a_day(domain)

    def reach(term: Since | Until) -> Id:
        assert isinstance(term.place, Between)
        return term.place.first if isinstance(term, Since) else term.place.last

    entries = [(row.entry_id, row.fields) for row in rows]
    with recorded(fold, entries, page=70, segment=140) as reader:
        for text, _ in known:
            question = read_question(text, schema_of(fold), test_asking.NOW)
            asks, sieve = Asked(fold, question, reach), Sieve(reader, question, reach)
            for place, segment in enumerate(reader.segments):
                sure, possible = sieve.sift(place)
                holds = [asks(Examined(fold, row, 0)) for row in rows[segment.first - 1 : segment.last]]
                assert all(yes <= held <= may for yes, may, held in zip(sure, possible, holds, strict=True)), text


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_what_is_told_of_what_entries_did_has_the_characters_that_are_known(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries: Any = data.draw(strategy())
    sizes = st.integers(1, 9)
    with recorded(make(), entries, page=data.draw(sizes), segment=data.draw(sizes)) as reader:
        rows = plainly(make(), entries)
        for place, segment in enumerate(reader.segments):
            known = characters(reader, place)
            for row in rows[segment.first - 1 : segment.last]:
                assert known is None or known.issuperset(deeds(reader.fold, row.told).casefold())


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_what_any_entry_did_and_is_about_is_what_a_plain_replay_says(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries: Any = data.draw(strategy())
    _, _, changes = told(make(), entries)
    sizes = st.integers(1, 9)
    with recorded(make(), entries, page=data.draw(sizes), segment=data.draw(sizes)) as reader:
        of_track = Deeds(reader)
        some = data.draw(st.lists(st.booleans(), min_size=len(entries), max_size=len(entries)))
        ordinals = list(compress(range(1, len(entries) + 1), some))
        found = known_of(reader, ordinals, of_track)
        assert [known.ordinal for known in found] == ordinals
        for known in found:
            assert known.told is not None
            assert set(known.told.changes) == changes[known.ordinal]
        about: dict[tuple[str, int | str], list[int]] = {}
        for row in plainly(make(), entries):
            for each in Examined(reader.fold, row, 0).rows:
                about.setdefault(each, []).append(row.ordinal)
        for (table, key), ordinals in about.items():
            sieve = Sieve(reader, AboutRow("", table, key), lambda _: (0, 0))
            sifted = [sieve.sift(place).sure.tolist() for place in range(len(reader.segments))]
            assert [ordinal for ordinal, sure in enumerate(chain(*sifted), 1) if sure] == ordinals
