"""The operators' table of rights: each row suffices, and what is missing of it is named."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import redis

from esdash.engine.shown.view import Phase
from tests.cli.conftest import STREAM, Call, append
from tests.engine.running import RunningConsumer
from tests.generations import Generation
from tests.readme import OPERATING
from tests.servers import RunningServer
from tests.strategies import seeded_entries

_numbers = count(1)


def rows() -> list[list[str]]:
    """The rights of each row of the table: `+xadd`, `~orders`."""
    table = re.search(r"<!-- rights:[^\n]*-->\n(.*?)<!-- /rights", OPERATING.read_text("utf-8"), re.S)
    assert table is not None
    lines = [line.replace("\\|", "\0").split("|") for line in table[1].splitlines()[2:]]
    return [re.findall(r"[+~][^ `]+", " ".join(cells[2:]).replace("\0", "|")) for cells in lines]


PUBLISH, READ, SNAPSHOTS, FOLLOW, TAKE, EXAMINE, SURVEY, MEASURE, TRIM, REFILL = rows()


@pytest.fixture
def filled(url: str, client: redis.Redis, call: Call) -> redis.Redis:
    """The shared server with some entries and a snapshot that was taken in the middle of them."""
    append(client, seeded_entries(1, 40))
    assert call("snapshot", "take", "--url", url).code == 0
    append(client, seeded_entries(2, 10))
    return client


@pytest.fixture
def user(client: redis.Redis, url: str) -> Iterator[Callable[[list[str]], str]]:
    """Make a user with these rights alone; the URL by which to be that user."""
    names: list[str] = []

    def user(rights: list[str]) -> str:
        names.append(f"user{next(_numbers)}")
        client.execute_command("ACL", "SETUSER", names[-1], "on", ">pw", *rights)
        return url.replace("unix://", f"unix://{names[-1]}:pw@")

    yield user
    client.execute_command("ACL", "DELUSER", *names, "nobody")


@pytest.fixture
def as_user(user: Callable[[list[str]], str], call: Call) -> Callable[..., tuple[int, str]]:
    """Run a command as a user with these rights alone; its exit code and all that it said."""

    def as_user(rights: list[str], *arguments: object) -> tuple[int, str]:
        result = call(*arguments, "--url", user(rights))
        assert "Traceback" not in result.err
        return result.code, result.out + result.err

    return as_user


def without(rights: list[str], right: str) -> list[str]:
    return [other for other in rights if other != right]


AsUser = Callable[..., tuple[int, str]]


class TestPublishing:
    def test_needs_its_row_and_nothing_else(self, filled: redis.Redis, as_user: AsUser) -> None:
        assert as_user(PUBLISH, "publish", "top-up", "7", "1")[0] == 0
        assert as_user(PUBLISH, "produce", "--count", "5")[0] == 0
        assert filled.xlen(STREAM) == 50 + 1 + 5

    @pytest.mark.two_generations
    @pytest.mark.parametrize("right", PUBLISH)
    def test_names_what_is_missing(self, filled: redis.Redis, as_user: AsUser, right: str) -> None:
        for arguments in (("publish", "top-up", "7", "1"), ("produce", "--count", "5")):
            code, said = as_user(without(PUBLISH, right), *arguments)
            assert code == 1
            assert f"({right})" in said
            assert "Nothing was published" in said or "0 events" in said
        assert filled.xlen(STREAM) == 50

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(("durability", "right"), [("synced", "+waitaof"), ("replicas:1", "+wait")])
    def test_to_wait_for_durability_is_a_right_of_its_own(self, as_user: AsUser, durability: str, right: str) -> None:
        code, said = as_user(PUBLISH, "publish", "top-up", "7", "1", "--durability", durability)
        assert code == 1
        assert f"({right})" in said
        assert "Nothing was published" in said


class TestReading:
    SAYING = (("state", "--json"), ("verify", "--json"), ("consume", "--once", "--readonly"))
    COMMANDS = (
        *SAYING,
        ("events", "--json"),
        ("why", "count(users)", "--json"),
        ("diff", "now", "now", "--json"),
        ("find", "count(users) > 0", "--json"),
        ("export", "log"),
        ("export", "board"),
        ("export", "--all"),
    )

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("arguments", COMMANDS)
    def test_needs_its_row_and_says_once_that_it_has_no_snapshots(
        self, as_user: AsUser, arguments: tuple[str, ...]
    ) -> None:
        code, said = as_user(READ, *arguments)
        assert code == 0
        assert said.count("Snapshots cannot be read: ") == (arguments in self.SAYING)

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("arguments", COMMANDS)
    def test_from_snapshots_needs_two_rows(self, as_user: AsUser, arguments: tuple[str, ...]) -> None:
        code, said = as_user(READ + SNAPSHOTS, *arguments)
        assert code == 0
        assert "esdash: " not in said

    @pytest.mark.two_generations
    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("right", READ)
    def test_names_what_is_missing(self, as_user: AsUser, right: str) -> None:
        for arguments in self.COMMANDS:
            code, said = as_user(without(READ + SNAPSHOTS, right), *arguments)
            assert code == 1, arguments
            # Redis 6.2 does not tell the second word of a command.
            assert re.search(rf"\({re.escape(right.partition('|')[0])}(\|stream)?\)", said), arguments

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("right", SNAPSHOTS)
    def test_without_snapshots_names_what_is_missing_and_goes_on(self, as_user: AsUser, right: str) -> None:
        code, said = as_user(without(READ + SNAPSHOTS, right), "state", "--json")
        assert code == 0
        assert said.count(f"({right})") == 1

    @pytest.mark.usefixtures("filled")
    def test_what_became_of_an_event_needs_both_rows(self, as_user: AsUser) -> None:
        assert as_user(PUBLISH + READ, "publish", "top-up", "7", "1", "--wait")[0] == 0


@pytest.mark.usefixtures("filled")
def test_a_user_of_the_streams_key_alone_is_told_once_what_is_done_without(as_user: AsUser) -> None:
    rights = ["+@all", f"~{STREAM}"]
    missing = f"(~esdash:{{{STREAM}}}:*)"
    assert as_user(rights, "publish", "top-up", "7", "1")[0] == 0
    for arguments in (("state",), ("verify",), ("consume", "--once")):
        code, said = as_user(rights, *arguments)
        assert code == 0
        assert said.count(missing) == 1, arguments
    assert as_user(rights, "events")[0] == 0
    code, said = as_user(rights, "doctor")
    assert code in (0, 3)
    assert "! snapshots         unix://" in said
    assert "Nothing between the snapshot and the newest entry is missing" in said
    code, said = as_user(rights, "bench", "--yes", "--entries", "1000")
    assert code == 1
    assert f"(~esdash:{{{STREAM}}}:bench:" in said


class TestTakingSnapshots:
    @pytest.mark.usefixtures("filled")
    def test_needs_its_row(self, as_user: AsUser) -> None:
        code, said = as_user(READ + SNAPSHOTS + FOLLOW + TAKE, "consume", "--once")
        assert code == 0
        assert "esdash: " not in said

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize(
        "right", ["+eval", "+hset", "+pexpire", "+hlen", "+persist", "+exists", "+sismember", "+srem"]
    )
    def test_names_what_is_missing_once_and_goes_on(self, as_user: AsUser, generation: Generation, right: str) -> None:
        code, said = as_user(without(READ + SNAPSHOTS + FOLLOW + TAKE, right), "consume", "--once")
        assert code == 0
        # Redis 6.2 does not tell which command of a script it is.
        in_script = generation.version < (7, 0) and right not in ("+eval", "+hset", "+pexpire")
        assert said.count("a command in a script" if in_script else f"({right})") == 1, said

    @pytest.mark.usefixtures("filled")
    def test_commands_about_snapshots_need_no_more(self, as_user: AsUser) -> None:
        code, said = as_user(READ + SNAPSHOTS, "snapshot", "list", "--json")
        assert code == 0
        (snapshot,) = json.loads(said)
        assert as_user(READ + SNAPSHOTS, "snapshot", "show", snapshot["id"])[0] == 0
        code, said = as_user(READ + SNAPSHOTS, "snapshot", "delete", snapshot["id"])
        assert code == 1
        assert "(+hdel)" in said
        rights = READ + SNAPSHOTS + FOLLOW + TAKE
        assert as_user(rights, "snapshot", "take")[0] == 0
        assert as_user(rights, "snapshot", "delete", snapshot["id"])[0] == 0

    @pytest.mark.usefixtures("filled")
    def test_where_they_may_not_be_read_no_command_says_that_there_are_none(self, as_user: AsUser) -> None:
        code, said = as_user(READ, "snapshot", "list")
        assert code == 1
        assert "(+hgetall)" in said


class TestMeasuring:
    @pytest.mark.usefixtures("filled")
    def test_needs_its_row(self, as_user: AsUser) -> None:
        rights = [right for right in READ + SNAPSHOTS + FOLLOW + MEASURE if right != f"~{STREAM}"]
        assert as_user(rights, "bench", "--yes", "--entries", "1000")[0] == 0

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("right", MEASURE)
    def test_names_what_is_missing(self, as_user: AsUser, right: str) -> None:
        rights = without(READ + SNAPSHOTS + FOLLOW + MEASURE, right)
        code, said = as_user(rights, "bench", "--yes", "--entries", "1000")
        assert code == 1
        assert f"({right})" in said


class TestFollowing:
    def test_needs_its_row(self, filled: redis.Redis, user: Callable[[list[str]], str]) -> None:
        with RunningConsumer(user(READ + SNAPSHOTS + FOLLOW)) as consumer:
            consumer.until_live(filled.xadd(STREAM, {"type": "Odd", "data": "{}"}))
        assert Phase.DISCONNECTED not in consumer.phases

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("right", FOLLOW)
    def test_names_what_is_missing(self, user: Callable[[list[str]], str], right: str) -> None:
        with RunningConsumer(user(without(READ + SNAPSHOTS + FOLLOW, right))) as consumer:
            assert f"({right})" in consumer.until_phase(Phase.DISCONNECTED).phase_note


class TestExamining:
    @pytest.mark.usefixtures("filled")
    def test_needs_its_row(self, as_user: AsUser) -> None:
        _, said = as_user(READ + SNAPSHOTS + FOLLOW + TAKE + EXAMINE, "doctor")
        assert "(+" not in said

    @pytest.mark.usefixtures("filled")
    @pytest.mark.parametrize("right", ["+info", "+time", "+memory|usage", "+pttl"])
    def test_goes_on_without_what_is_nice_to_have_and_names_it(self, as_user: AsUser, right: str) -> None:
        code, said = as_user(without(READ + SNAPSHOTS + FOLLOW + TAKE + EXAMINE, right), "doctor")
        assert code in (0, 3)
        assert f"({right})" in said
        assert "Every entry can be understood" in said or "cannot be understood" in said


class TestSurveying:
    def test_needs_its_row(self, filled: redis.Redis, as_user: AsUser) -> None:
        filled.xgroup_create(STREAM, "billing", id="0")
        filled.xreadgroup("billing", "ann", {STREAM: ">"}, count=6)
        code, said = as_user(READ + SNAPSHOTS + FOLLOW + SURVEY, "streams", "--json")
        assert code == 0
        assert '"pending": 6' in said

    @pytest.mark.usefixtures("filled")
    def test_names_what_is_missing(self, as_user: AsUser) -> None:
        code, said = as_user(READ + SNAPSHOTS + FOLLOW + without(SURVEY, "+scan"), "streams")
        assert code == 1
        assert "(+scan)" in said

    @pytest.mark.usefixtures("filled")
    def test_streams_that_this_user_may_not_read_are_left_out(self, client: redis.Redis, as_user: AsUser) -> None:
        client.xadd("other", {"a": "b"})
        code, said = as_user(["+@all", f"~{STREAM}", f"~esdash:{{{STREAM}}}:*"], "streams")
        assert code == 0
        assert STREAM in said
        assert "Left out: 1 stream that this user may not read." in said


class TestTrimming:
    @pytest.fixture
    def archive(self, filled: redis.Redis, as_user: AsUser, tmp_path: Path) -> Path:
        """What the first row of the rights alone can archive."""
        filled.xgroup_create(STREAM, "billing", id="$")
        assert as_user(READ, "archive", tmp_path / "archive")[0] == 0
        return tmp_path / "archive"

    def test_needs_its_row(self, filled: redis.Redis, archive: Path, as_user: AsUser) -> None:
        rights = READ + SNAPSHOTS + FOLLOW + TAKE + TRIM
        code, said = as_user(rights, "trim", "--archive", archive, "--yes")
        assert code == 0, said
        assert filled.xlen(STREAM) == 11

    def test_names_what_is_missing(
        self, filled: redis.Redis, archive: Path, as_user: AsUser, generation: Generation
    ) -> None:
        for right in TRIM:
            code, said = as_user(
                READ + SNAPSHOTS + FOLLOW + TAKE + without(TRIM, right), "trim", "--archive", archive, "--yes"
            )
            assert code == 1, right
            if generation.version >= (7, 0):
                assert f"({right.partition('|')[0]}" in said, said
        assert filled.xlen(STREAM) == 50


@pytest.mark.parametrize("missing", ["INFO", "TIME", "CONFIG", "MEMORY", "CLIENT", "HELLO", "ECHO", "EVAL"])
def test_a_command_that_is_only_nice_to_have_may_be_taken_away(
    new_server: Callable[..., RunningServer], call: Call, missing: str
) -> None:
    server = new_server(appendonly="no", rename_command=f'{missing} ""')
    with server.client() as client:
        append(client, seeded_entries(1, 20))
    for arguments in (("publish", "top-up", "7", "1", "--wait"), ("state",), ("consume", "--once")):
        result = call(*arguments, "--url", server.url)
        assert result.code == 0, (arguments, result.err)
        assert result.err.count("unknown command EVAL") == (missing == "EVAL" and arguments[0] == "consume")
    assert call("doctor", "--url", server.url).code in (0, 3)


class TestFillingAStream:
    @pytest.fixture
    def file(self, filled: redis.Redis, url: str, call: Call, tmp_path: Path) -> Path:
        """A whole stream, which is gone then."""
        file = tmp_path / "all.jsonl"
        assert call("export", "--all", "--output", file, "--url", url).code == 0
        filled.flushall()
        return file

    def test_needs_its_row_and_nothing_else(self, file: Path, as_user: AsUser, client: redis.Redis) -> None:
        assert as_user(REFILL, "publish", "batch", file, "--keep-ids")[0] == 0
        assert client.keys("*") == [STREAM.encode()]
        assert client.xlen(STREAM) == 50

    @pytest.mark.two_generations
    def test_names_what_is_missing(
        self, file: Path, as_user: AsUser, client: redis.Redis, generation: Generation
    ) -> None:
        for right in REFILL:
            code, said = as_user(without(REFILL, right), "publish", "batch", file, "--keep-ids")
            if right == "+unlink":
                assert code == 0, "there was nothing to be removed"
                client.flushall()
                continue
            assert code == 1, right
            sent = right in ("+xinfo|stream", "+xadd", "+pexpire", "+eval") or right.startswith("~")
            if generation.version >= (7, 0) or sent:
                assert f"({right.partition('|')[0]}" in said, said
            assert not client.exists(STREAM)
            client.flushall()
