"""What was archived is what stood in the stream, to the byte; and a stream reads through its archive as if it were whole."""

from pathlib import Path

import pytest
import redis

from esdash.log.archive.folder import Archive
from esdash.log.archive.through import ArchivedStream
from esdash.log.archive.writing import archive
from esdash.log.facts import START
from esdash.log.readahead import read_ahead
from esdash.log.stream import Stream
from tests.log.packing import PACKING

WHOLE = "whole"
"""A stream that has the same entries as the one that is archived, and loses none."""


def add(client: redis.Redis, count: int, start: int = 1) -> list[bytes]:
    """Entries whose ids tell their number, in the stream and in the one that stays whole."""
    ids = [b"%d-%d" % (1000 + number // 3, number % 3) for number in range(start, start + count)]
    with client.pipeline(transaction=False) as pipeline:
        for number, entry_id in enumerate(ids, start):
            for name in ("orders", WHOLE):
                pipeline.xadd(
                    name, {"type": f"T{number % 4}", "data": "x" * (number % 97), "\x00": b"\xff"}, id=entry_id
                )
        pipeline.execute()
    return ids


@pytest.fixture
def whole(log: Stream) -> Stream:
    return Stream(log.server, WHOLE)


class TestReadingThrough:
    @pytest.mark.parametrize(
        ("archived", "trimmed"), [(2500, 2500), (2500, 1700), (2500, 0), (1000, 1000), (3000, 3000)]
    )
    def test_it_is_as_if_nothing_had_left_the_stream(
        self, log: Stream, whole: Stream, client: redis.Redis, tmp_path: Path, archived: int, trimmed: int
    ) -> None:
        ids = add(client, archived)
        archive(log, Archive(tmp_path, log.name))
        ids += add(client, 3000 - archived, archived + 1)
        if trimmed:
            client.xtrim("orders", maxlen=3000 - trimmed, approximate=False)
        through = ArchivedStream(log.server, log.name, tmp_path)
        assert through.facts() == whole.facts()
        every = whole.page(START, count=5000)
        assert through.page(START, count=5000) == every
        places = [0, 1, 5, 999, 1000, 1001, 1699, 1700, 1701, 2499, 2500, 2501, 2998, 2999]
        for place in places:
            entry_id = ids[place]
            assert through.entry(entry_id) == every[place]
            assert through.evidence(entry_id).anchor == whole.evidence(entry_id).anchor
            assert through.evidence(entry_id).after in (2999 - place, None)
            for count in (1, 3, 1000):
                assert through.page(entry_id, count=count) == whole.page(entry_id, count=count)
                assert through.newest(entry_id, count) == whole.newest(entry_id, count)
            pages = list(through.pages(entry_id, count=700))
            assert [each for page in pages for each in page.entries] == every[place + 1 :]
            assert not pages[-1].full
            until = ids[min(place + 400, 2999)]
            pages = list(through.pages(entry_id, until))
            assert [each for page in pages for each in page.entries] == every[place + 1 : place + 401]
            assert not pages[-1].full
        assert list(through.entries([ids[place] for place in places[::-1]])) == [every[place] for place in places[::-1]]
        found: list[bytes] = []
        for page in read_ahead(through, START, ids[-1], PACKING):
            assert page.last_entry is not None
            found.append(page.last_entry[0])
        assert found[-1] == ids[-1]
