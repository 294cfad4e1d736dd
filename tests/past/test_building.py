"""A track is kept up with its stream, and is never of anything else."""

import random
import resource
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
import redis

from esdash.engine.moments.history import History
from esdash.fold.failing import DomainError
from esdash.fold.loading import load
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.building.process import Task, TrackProcess
from esdash.past.shown.cursor import Cursor
from esdash.past.track.folder import TrackFolder, lock
from esdash.past.track.packing import TrackError
from esdash.past.track.reader import TrackReader
from tests.domains.ways import Present
from tests.engine.running import STREAM, publish_more, stored
from tests.past.recording import require_true
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

SEGMENT = 50

FAILING = """
from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table


class Divided(Struct, frozen=True):
    by: int


def divide(state, event):
    state.parts.size[event.by] = 12 // event.by


PARTS = Domain(
    name="parts",
    version="1",
    tables=(Table("parts", "part", int, (Column("size"),)),),
    events=(EventType(Divided, divide),),
    reasons={},
)
"""
"""A domain that one entry makes fail."""


def build(log: Stream, folder: TrackFolder, segment: int = SEGMENT) -> Path:
    """Record all that is in the log."""
    domain = Present()
    path = folder.file_of(log.server.url, STREAM, domain)
    builder = Builder(log, domain, folder, path, segment=segment)
    builder.run()
    return builder.path


def test_what_is_appended_later_is_recorded_then(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    ids: list[bytes] = []
    for count in (0, 1, 70, 3, 200, 1):
        ids += publish_more(client, count)
        require_true(build(log, folder), log, ids)


def test_restarts_leave_no_short_segments(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    ids: list[bytes] = []
    for _ in range(20):
        ids += publish_more(client, 10)
        path = build(log, folder)
    reader = TrackReader(path, Present())
    assert all(segment.count >= SEGMENT for segment in reader.segments[1:-1])
    reader.close()


def test_another_log_of_the_same_name_takes_the_place_of_the_first(
    log: Stream, client: redis.Redis, folder: TrackFolder
) -> None:
    publish_more(client, 120)
    build(log, folder)
    client.delete(STREAM)
    ids = publish_more(client, 150)
    require_true(build(log, folder), log, ids)


def test_a_log_that_lost_its_tail_cuts_the_track_back(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    ids = publish_more(client, 200)
    build(log, folder)
    kept = stored(log)[:120]
    client.delete(STREAM)
    for entry_id, fields in kept:
        client.execute_command("XADD", STREAM, entry_id, *fields)
    ids = ids[:120] + publish_more(client, 30)
    require_true(build(log, folder), log, ids)


def test_what_was_trimmed_after_it_was_recorded_is_still_shown(
    log: Stream, client: redis.Redis, folder: TrackFolder
) -> None:
    ids = publish_more(client, 210)
    build(log, folder)
    fold = Present()
    expected = fold.digest(History(log, fold).at(ids[29], ignore_snapshots=True)[0].state)
    client.xtrim(STREAM, minid=ids[150], approximate=False)
    publish_more(client, 30)
    path = build(log, folder)
    reader = TrackReader(path, fold)
    cursor = Cursor(reader)
    assert (reader.shown_from, reader.built_to) == (0, 240)
    cursor.seek(30)
    assert fold.digest(cursor.state()) == expected
    reader.close()


def test_a_trimmed_stream_shows_from_where_it_can(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    ids = publish_more(client, 100)
    client.xtrim(STREAM, minid=ids[60], approximate=False)
    require_true(build(log, folder), log, ids[60:])


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_built_anew(log: Stream, client: redis.Redis, folder: TrackFolder, seed: int) -> None:
    ids = publish_more(client, 120)
    path = build(log, folder)
    whole = path.read_bytes()
    chance = random.Random(seed)
    damaged = bytearray(whole)
    if seed % 3 == 0:
        del damaged[chance.randrange(len(damaged)) :]
    else:
        for _ in range(200):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    path.write_bytes(damaged)
    try:
        reader = TrackReader(path, Present())
        cursor = Cursor(reader)
        for ordinal in range(reader.shown_from, reader.built_to + 1):
            cursor.seek(ordinal)
        reader.close()
    except TrackError:
        pass
    ids += publish_more(client, 10)
    require_true(build(log, folder), log, ids)


def test_the_oldest_goes_when_there_is_too_much(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    ids = publish_more(client, 3000)
    folder = TrackFolder(tmp_path / "past", 0)
    folder.bound = 120_000
    path = build(log, folder)
    fold = Present()
    reader = TrackReader(path, fold)
    cursor = Cursor(reader)
    assert reader.shown_from > 0
    assert reader.built_to == 3000
    assert path.stat().st_size < 200_000
    for ordinal in (reader.shown_from, reader.shown_from + 70, 3000):
        cursor.seek(ordinal)
        projection, _ = History(log, fold).at(ids[ordinal - 1], ignore_snapshots=True)
        assert fold.digest(cursor.state()) == fold.digest(projection.state)
    reader.close()


def test_the_tracks_of_others_go_first(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    folder.make()
    other = folder.path / "other.track"
    other.write_bytes(bytes(200_000))
    publish_more(client, 120)
    folder.bound = 150_000
    build(log, folder)
    assert not other.exists()


def test_the_tracks_that_others_build_stay(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    folder.make()
    other = folder.path / "other.track"
    other.write_bytes(bytes(200_000))
    publish_more(client, 120)
    folder.bound = 150_000
    with lock(other):
        build(log, folder)
    assert other.exists()


def test_what_was_folded_before_a_failure_is_kept(
    log: Stream, client: redis.Redis, folder: TrackFolder, tmp_path: Path
) -> None:
    file = tmp_path / "failing.py"
    file.write_text(FAILING)
    fold = load(str(file))
    path = folder.file_of(log.server.url, STREAM, fold)
    for number in (1, 2, 3, 0, 4):
        client.xadd(STREAM, {"type": "Divided", "data": f'{{"by":{number}}}'})
    with pytest.raises(DomainError):
        Builder(log, fold, folder, path).run()
    reader = TrackReader(path, fold)
    cursor = Cursor(reader)
    assert reader.built_to == 3
    cursor.seek(3)
    assert cursor.columns("parts")[0].cells() == {1: 12, 2: 6, 3: 4}
    reader.close()


def test_the_folder_is_for_this_user_alone(log: Stream, client: redis.Redis, folder: TrackFolder) -> None:
    publish_more(client, 10)
    path = build(log, folder)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_end_of_a_process_is_said(url: str, client: redis.Redis, folder: TrackFolder) -> None:
    publish_more(client, 10)
    domain = Present()
    process = TrackProcess(Task(url, STREAM, domain.choice, str(folder.file_of(url, STREAM, domain)), 100))
    process.start()
    try:
        eventually(lambda: process.built.ordinal == 10)
        for child in psutil.Process().children():
            if "esdash.past.building.process" in " ".join(child.cmdline()):
                child.kill()
        eventually(lambda: "ended unexpectedly" in process.built.error)
        assert process.built.ordinal == 10
    finally:
        process.close()


def test_where_its_folder_cannot_be_made_it_says_so(url: str, client: redis.Redis, tmp_path: Path) -> None:
    publish_more(client, 10)
    (tmp_path / "file").write_text("")
    process = TrackProcess(Task(url, STREAM, Present().choice, str(tmp_path / "file" / "past" / "x.track"), 100))
    process.start()
    try:
        eventually(lambda: "The folder for the past" in process.built.error)
    finally:
        process.close()


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux can say how large another process's files may be"
)
def test_a_full_disk_is_said_and_what_is_there_stays_true(
    url: str, client: redis.Redis, log: Stream, folder: TrackFolder
) -> None:
    ids = publish_more(client, 30)
    domain = Present()
    path = folder.file_of(url, STREAM, domain)
    process = TrackProcess(Task(url, STREAM, domain.choice, str(path), 100))
    process.start()
    try:
        eventually(lambda: process.built.ordinal == 30)
        for child in psutil.Process().children():
            if "esdash.past.building.process" in " ".join(child.cmdline()):
                resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        ids += publish_more(client, 3000)
        eventually(lambda: "The track of the past" in process.built.error)
    finally:
        process.close()
    reader = TrackReader(path, domain)
    built = reader.built_to
    reader.close()
    require_true(path, log, ids[:built])


def test_two_processes_take_turns(url: str, client: redis.Redis, log: Stream, folder: TrackFolder) -> None:
    ids = publish_more(client, 30)
    domain = Present()
    path = folder.file_of(url, STREAM, domain)
    one, other = (TrackProcess(Task(url, STREAM, domain.choice, str(path), 100)) for _ in range(2))
    one.start()
    try:
        eventually(lambda: one.built.ordinal == 30)
        other.start()
        one.close()
        ids += publish_more(client, 5)
        eventually(lambda: other.built.ordinal == 35)
    finally:
        one.close()
        other.close()
    require_true(path, log, ids)


def test_a_process_keeps_up_until_it_is_closed(url: str, client: redis.Redis, log: Stream, folder: TrackFolder) -> None:
    ids = publish_more(client, 100)
    domain = Present()
    path = folder.file_of(url, STREAM, domain)
    process = TrackProcess(Task(url, STREAM, domain.choice, str(path), 100))
    process.start()
    try:
        eventually(lambda: process.built.ordinal == 100)
        with lock(path) as alone:
            assert not alone
        ids += publish_more(client, 40)
        eventually(lambda: process.built.ordinal == 140)
    finally:
        process.close()
    require_true(path, log, ids)
    with lock(path) as alone:
        assert alone
