"""A track is compared with what a replay made; a wrong one goes."""

from pathlib import Path

import pytest
import redis

from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.past.checking import check
from tests.domains import the_bank
from tests.engine.running import STREAM
from tests.past.recording import recorded

ENTRIES = [
    (b"%d-0" % number, [b"type", b"Opened", b"data", b'{"account":"A%d","owner":"Ann"}' % (number % 5)])
    for number in range(1, 21)
]


def digests(fold: Fold) -> list[tuple[int, str]]:
    state = fold.empty()
    found = []
    for ordinal, entry in enumerate(ENTRIES, 1):
        fold.fold(state, [entry])
        found.append((ordinal, fold.digest(state)))
    return found


@pytest.fixture
def bank_log(log: Stream, client: redis.Redis) -> Stream:
    """The log with the entries."""
    for entry_id, fields in ENTRIES:
        client.execute_command("XADD", STREAM, entry_id, *fields)
    return log


def test_a_true_track_stays(bank_log: Stream) -> None:
    fold = the_bank()
    with recorded(the_bank(), ENTRIES, page=3, segment=6) as reader:
        found = check(bank_log, reader.path, fold, 0, digests(fold))
        assert (found.moments, found.wrong) == (20, [])
        assert reader.path.exists()
        assert check(bank_log, reader.path, fold, 1, digests(fold)).moments == 0, "of another history"


def test_a_wrong_one_is_deleted(bank_log: Stream) -> None:
    fold = the_bank()
    states = digests(fold)
    states[7] = (8, states[8][1])
    with recorded(the_bank(), ENTRIES, page=3, segment=6) as reader:
        assert check(bank_log, reader.path, fold, 0, states).wrong == [8]
        assert not reader.path.exists()


def test_one_of_a_log_that_was_made_again_is_not_compared(bank_log: Stream, client: redis.Redis) -> None:
    fold = the_bank()
    client.delete(STREAM)
    for entry_id, _ in ENTRIES:
        client.xadd(STREAM, {"type": "Opened", "data": '{"account":"B","owner":"Bob"}'}, id=entry_id)
    states = [(ordinal, "another") for ordinal, _ in digests(fold)]
    with recorded(the_bank(), ENTRIES, page=3, segment=6) as reader:
        found = check(bank_log, reader.path, fold, 0, states)
        assert (found.moments, found.wrong) == (0, [])
        assert reader.path.exists()


def test_where_there_is_none_nothing_is_compared(log: Stream, tmp_path: Path) -> None:
    assert check(log, tmp_path / "none", the_bank(), 0, [(1, "")]).moments == 0
