"""The process that builds a track goes on whatever becomes of the log, and ends when it is to."""

import gc
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
import redis

from esdash.domain import Domain
from esdash.fold.folding import Fold
from esdash.log import child
from esdash.log.stream import Stream
from esdash.past.building.process import Built, Task, TrackProcess, keep_up
from esdash.past.track.folder import TrackFolder, lock
from tests.domains.ways import Present
from tests.engine.running import STREAM, publish_more
from tests.past.recording import require_true
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


@pytest.fixture
def path(url: str, folder: TrackFolder) -> Path:
    """The track's file."""
    return folder.file_of(url, STREAM, Present())


@pytest.fixture
def process(url: str, path: Path) -> Iterator[TrackProcess]:
    """Builds it."""
    process = TrackProcess(Task(url, STREAM, Present().choice, str(path), 100))
    yield process
    process.close()


def its_process() -> psutil.Process:
    """That of the operating system."""
    return next(
        each for each in psutil.Process().children() if "esdash.past.building.process" in " ".join(each.cmdline())
    )


def reaches(process: TrackProcess, ordinal: int) -> Callable[[], bool]:
    """Whether a track is kept up to an entry."""
    return lambda: (process.built.ordinal, process.built.error) == (ordinal, "")


def test_a_log_that_is_made_again_meanwhile_is_told_anew(
    process: TrackProcess, path: Path, client: redis.Redis, log: Stream
) -> None:
    publish_more(client, 30)
    process.start()
    eventually(reaches(process, 30))
    client.delete(STREAM)
    ids = publish_more(client, 12)
    eventually(reaches(process, 12))
    require_true(path, log, ids)


def test_a_log_that_loses_entries_unread_is_told_from_where_it_can(
    process: TrackProcess, path: Path, client: redis.Redis, log: Stream
) -> None:
    publish_more(client, 30)
    process.start()
    eventually(reaches(process, 30))
    builder = its_process()
    builder.send_signal(signal.SIGSTOP)
    ids = publish_more(client, 20)
    client.xtrim(STREAM, minid=ids[15], approximate=False)
    builder.send_signal(signal.SIGCONT)
    eventually(reaches(process, 5))
    require_true(path, log, ids[15:])


def test_a_file_that_is_deleted_again_and_again_is_made_again(
    process: TrackProcess, path: Path, client: redis.Redis, log: Stream
) -> None:
    ids = publish_more(client, 30)
    process.start()
    eventually(reaches(process, 30))
    for _ in range(3):
        for each in path.parent.iterdir():
            if not each.name.endswith(".lock"):
                each.unlink()
        ids += publish_more(client, 5)
        eventually(reaches(process, len(ids)))
        eventually(path.exists)
    require_true(path, log, ids)


def test_while_another_builds_the_domain_is_not_loaded(url: str, path: Path, folder: TrackFolder) -> None:
    process = TrackProcess(Task(url, STREAM, "no such domain", str(path), 100))
    folder.make()
    with lock(path):
        at_first = process.built
        process.start()
        eventually(lambda: process.built is not at_first)
        assert process.built.error == ""
    eventually(lambda: process.built.error)
    process.close()


def test_a_file_that_could_not_be_written_is_tried_again(
    url: str, path: Path, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esdash.past.building.process.AGAIN_SECONDS", 0.01)
    ids = publish_more(client, 30)
    path.parent.write_text("in its place")
    stopped = threading.Event()
    heard: list[Built] = []
    builder = threading.Thread(
        target=keep_up, args=(Task(url, STREAM, Present().choice, str(path), 100), stopped, heard.append)
    )
    builder.start()
    try:
        eventually(lambda: heard)
        assert heard[0].error.startswith("The folder for the past, ")
        path.parent.unlink()
        eventually(lambda: heard[-1] == Built(30))
    finally:
        stopped.set()
        builder.join()
    require_true(path, log, ids)


def test_a_try_that_has_failed_leaves_nothing(folder: TrackFolder, tmp_path: Path) -> None:
    """The collector is off there, and as long as a server is away there is a try every two seconds."""
    gone = f"unix://{tmp_path / 'gone'}"
    task = Task(gone, STREAM, Present().choice, str(folder.file_of(gone, STREAM, Present())), 100)
    stopped = threading.Event()
    heard: list[Built] = []

    def hear(built: Built) -> None:
        heard.append(built)
        stopped.set()

    gc.collect()
    gc.disable()
    try:
        keep_up(task, stopped, hear)
        assert [built.error != "" for built in heard] == [True]
        assert not [each for each in gc.get_objects(0) if isinstance(each, Fold | Domain)]
    finally:
        gc.enable()


def test_it_ends_in_order_after_an_error(url: str, path: Path) -> None:
    process = child.start("esdash.past.building.process:main", stdin=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        task = Task(url, STREAM, "no such domain", str(path), 100)
        process.stdin.write(msgspec.json.encode(task) + b"\n")
        process.stdin.flush()
        assert process.wait(20) == 0


def test_one_that_was_closed_before_it_began_ends(process: TrackProcess, client: redis.Redis) -> None:
    publish_more(client, 3)
    process.close()
    process.start()
    eventually(lambda: "track" not in {thread.name for thread in threading.enumerate()})
    assert process.built.error == ""
