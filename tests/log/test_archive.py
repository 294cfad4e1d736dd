"""What was archived is what stood in the stream, and a stream reads through its archive as if it were whole."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from msgspec.structs import replace

from esdash.log.archive import segment
from esdash.log.archive.folder import Archive, folder_name
from esdash.log.archive.segment import ArchiveError, BrokenArchiveError, DamagedArchiveError
from esdash.log.archive.through import ArchivedStream
from esdash.log.archive.writing import archive
from esdash.log.errors import LogError, UnreadableReplyError
from esdash.log.facts import START
from esdash.log.reading.readahead import read_ahead
from esdash.log.stream import Stream
from tests.log.packing import PACKING

pytestmark = pytest.mark.two_generations

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

    def test_what_was_deleted_after_it_was_archived_is_there(
        self, log: Stream, whole: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        ids = add(client, 900)
        archive(log, Archive(tmp_path, log.name))
        ids += add(client, 100, 901)
        client.xdel("orders", *ids[300:420])
        through = ArchivedStream(log.server, log.name, tmp_path)
        assert through.facts() == whole.facts()
        assert through.page(START, count=2000) == whole.page(START, count=2000)
        assert through.newest(ids[450], 400) == whole.newest(ids[450], 400)
        assert through.evidence(ids[350]) == replace(whole.evidence(ids[350]), after=649)

    def test_what_is_archived_and_trimmed_meanwhile_is_found(
        self, log: Stream, whole: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        ids = add(client, 50)
        archive(log, Archive(tmp_path, log.name))
        through = ArchivedStream(log.server, log.name, tmp_path)
        assert through.facts() == whole.facts()
        ids += add(client, 50, 51)
        archive(log, Archive(tmp_path, log.name))
        client.xtrim("orders", maxlen=10, approximate=False)
        assert through.facts() == whole.facts()
        assert through.page(ids[20], count=100) == whole.page(ids[20], count=100)

    @pytest.mark.counts_entries
    def test_a_hole_between_them_is_said(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        add(client, 50)
        archive(log, Archive(tmp_path, log.name))
        add(client, 50, 51)
        client.xtrim("orders", maxlen=30, approximate=False)
        with pytest.raises(BrokenArchiveError, match="20 entries vanished unread after 1016-2"):
            ArchivedStream(log.server, log.name, tmp_path).facts()
        with pytest.raises(BrokenArchiveError, match="and leave this one out"):
            archive(log, Archive(tmp_path, log.name))

    @pytest.mark.parametrize("lost", ["tail", "all", "swapped"])
    def test_another_log_is_said(self, log: Stream, client: redis.Redis, tmp_path: Path, lost: str) -> None:
        ids = add(client, 50)
        archive(log, Archive(tmp_path, log.name))
        client.delete("orders")
        for number, entry_id in enumerate({"tail": ids[:40], "all": [], "swapped": ids}[lost]):
            client.xadd("orders", {"type": "Other", "data": number}, id=entry_id)
        said = (
            "Is it the right server.*--keep-ids` bring it back"
            if lost == "all"
            else "not the log that it was made from.*begin another"
        )
        with pytest.raises(BrokenArchiveError, match=said):
            ArchivedStream(log.server, log.name, tmp_path).facts()
        with pytest.raises(BrokenArchiveError, match=said):
            archive(log, Archive(tmp_path, log.name))

    def test_without_anything_archived_it_is_the_stream(
        self, log: Stream, whole: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        ids = add(client, 20)
        through = ArchivedStream(log.server, log.name, tmp_path)
        assert (through.facts(), through.archived_to) == (whole.facts(), START)
        assert list(through.pages(START)) == list(log.pages(START))
        assert through.entry(ids[3]) == log.entry(ids[3])


class TestArchiving:
    def test_goes_on_where_it_ended_and_is_chained(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        ids = add(client, 1200)
        kept = Archive(tmp_path, log.name)
        assert archive(log, kept) == 1200
        before = kept.digest
        assert archive(log, kept) == 0
        ids += add(client, 300, 1201)
        assert archive(log, kept) == 300
        assert [segment.trailer.count for segment in kept.segments] == [1200, 300]
        assert kept.segments[1].trailer.previous.hex() == before != kept.digest
        again = Archive(tmp_path, log.name)
        assert (again.digest, again.count, again.first_id, again.last_id) == (kept.digest, 1500, ids[0], ids[-1])
        assert sum(again.check()) == 1500

    def test_what_left_the_stream_before_is_unseen(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        add(client, 30)
        facts = log.facts()
        client.xtrim("orders", maxlen=20, approximate=False)
        kept = Archive(tmp_path, log.name)
        assert archive(log, kept) == 20
        assert kept.unseen == (0 if facts.entries_added is None else 10)

    def test_a_segment_is_closed_when_it_has_enough(
        self, log: Stream, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(segment, "SEGMENT_ENTRIES", 400)
        monkeypatch.setattr(segment, "BLOCK_ENTRIES", 64)
        monkeypatch.setattr(segment, "BLOCK_BYTES", 2000)
        add(client, 1000)
        kept = Archive(tmp_path, log.name)
        archive(log, kept)
        assert [each.trailer.count for each in kept.segments] == [400, 400, 200]
        assert all(block.count <= 64 for each in kept.segments for block in each.trailer.blocks)
        every = log.page(START, count=2000)
        assert [entry for block in kept.blocks(START) for entry in block] == every
        assert [kept.count_from(entry_id) for entry_id, _ in every] == list(range(1000, 0, -1))
        assert list(map(kept.entry, (entry_id for entry_id, _ in every))) == every

    def test_a_large_entry_is_archived(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        for size in (3, 5_000_000, 3, 2_000_000):
            client.xadd("orders", {"type": "T", "data": b"\x00\xff" * size})
        kept = Archive(tmp_path, log.name)
        assert archive(log, kept) == 4
        assert list(kept.blocks(START)) == [[entry] for entry in log.page(START)]

    def test_what_is_no_entry_is_not_archived(
        self, log: Stream, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(client, 50)
        page = next(log.pages(START))
        page.entries[15] = (page.entries[15][0], [b"type", 7])  # type: ignore[list-item]
        monkeypatch.setattr(log, "pages", lambda *_: iter([page]))
        with pytest.raises(UnreadableReplyError, match="another program is there"):
            archive(log, Archive(tmp_path, log.name))
        assert Archive(tmp_path, log.name).count == 0

    def test_only_one_writes_it(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        add(client, 3)
        with Archive(tmp_path, log.name).alone(), pytest.raises(ArchiveError, match="Another esdash writes to"):
            archive(log, Archive(tmp_path, log.name))

    def test_where_it_ends_at_any_write_nothing_is_lost(
        self, log: Stream, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(segment, "SEGMENT_ENTRIES", 300)
        monkeypatch.setattr(segment, "BLOCK_ENTRIES", 100)
        add(client, 1000)
        every = log.page(START, count=2000)
        said: list[str] = []
        for moment in range(30):
            left = moment

            def used() -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")

            root = tmp_path / str(moment)
            with monkeypatch.context() as failing:
                let_the_disk_fill(failing, used)
                try:
                    archive(log, Archive(root, log.name))
                except ArchiveError as error:
                    said.append(str(error))
            kept = Archive(root, log.name)
            assert not list(kept.folder.glob("*.part"))
            assert [entry for block in kept.blocks(START) for entry in block] == every[: kept.count]
            archive(log, kept)
            assert [entry for block in kept.blocks(START) for entry in block] == every
            assert sum(kept.check()) == 1000
        assert 0 < len(said) < 30
        assert all("No space left on device. What was archived before stays" in each for each in said)


def let_the_disk_fill(failing: pytest.MonkeyPatch, used: Callable[[], None]) -> None:
    """Call `used` before anything is written to a file or kept on the disk."""

    class Filling(io.BufferedWriter):
        def write(self, buffer: Any, /) -> int:
            used()
            return super().write(buffer)

    def opened(path: Path, mode: str = "r", **options: Any) -> Any:
        return Filling(io.FileIO(path, "w")) if mode == "wb" else plainly_opened(path, mode, **options)

    def synced(descriptor: int) -> None:
        used()
        fsync(descriptor)

    plainly_opened, fsync = Path.open, os.fsync
    failing.setattr(Path, "open", opened)
    failing.setattr(os, "fsync", synced)


class TestDamage:
    @pytest.fixture
    def kept(self, log: Stream, client: redis.Redis, tmp_path: Path) -> Archive:
        kept = Archive(tmp_path, log.name)
        for first in (1, 31, 61):
            add(client, 30, first)
            archive(log, kept)
        return kept

    def test_each_flipped_or_missing_byte_is_found(self, kept: Archive, tmp_path: Path) -> None:
        path = kept.segments[1].path
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
            with pytest.raises(ArchiveError, match=r"damaged|another stream"):
                sum(Archive(tmp_path, "orders").check())
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(DamagedArchiveError, match=f"{path.name} is damaged"):
                Archive(tmp_path, "orders")

    @pytest.mark.parametrize("how", ["gone", "exchanged", "another"])
    def test_a_file_that_is_another_is_found(self, kept: Archive, tmp_path: Path, how: str) -> None:
        first, second, third = (segment.path for segment in kept.segments)
        if how == "gone":
            second.unlink()
        elif how == "exchanged":
            third.rename(second)
        else:
            second.write_bytes(first.read_bytes())
        with pytest.raises(DamagedArchiveError, match="does not follow the file before it"):
            Archive(tmp_path, "orders")

    def test_an_archive_of_another_stream_is_not_read(self, kept: Archive, tmp_path: Path) -> None:
        kept.folder.rename(tmp_path / "other")
        with pytest.raises(ArchiveError, match="is of another stream"):
            Archive(tmp_path, "other")

    def test_a_file_that_was_renamed_is_found_and_never_written_over(self, kept: Archive, tmp_path: Path) -> None:
        third = kept.segments[2].path
        third.rename(kept.path_of(4))
        with pytest.raises(ArchiveError, match=f"another name than it was given: rename it to {third.name}"):
            Archive(tmp_path, "orders")
        kept.path_of(4).rename(third)
        written = kept.begin(0)
        written.add((b"9999-0", [b"type", b"T"]))
        kept.path_of(4).write_bytes(b"somebody's")
        with pytest.raises(FileExistsError):
            written.closed()
        assert kept.path_of(4).read_bytes() == b"somebody's"

    def test_a_process_that_reads_ahead_says_what_is_damaged(
        self, kept: Archive, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        client.xtrim("orders", maxlen=1, approximate=False)
        through = ArchivedStream(log.server, log.name, tmp_path)
        last = through.facts().last_id
        path = kept.segments[2].path
        path.write_bytes(b"\0" + path.read_bytes()[1:])
        with pytest.raises(LogError, match="is damaged: block 1020-1 is not what was written"):
            list(read_ahead(through, START, last, PACKING))


def test_each_stream_has_a_folder_of_its_own() -> None:
    names = ["orders", "Orders", ".", "..", "a/b", "a%2Fb", "", "ö", "o" * 300, "o" * 299, "{7}:x", "\n", "\0"]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all("/" not in name and not name.startswith(".") and len(name.encode()) <= 255 for name in folders)
