"""Domains of teams: how one is chosen, what is wrong with its file, and what is said when its code fails."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from esdash import config
from esdash.cli.commands.verify import tell_people as tell
from esdash.engine.shown.verification import Segment, Verification
from esdash.engine.shown.view import Position
from esdash.fold.stored import Difference
from tests.cli.conftest import Call, Result, append, line_with
from tests.domains import BANK, the_bank
from tests.strategies import raw_entry, seeded_entries

OPEN_A = raw_entry("Opened", b'{"account": "A", "owner": "Ada"}')
OPEN_B = raw_entry("Opened", b'{"account": "B", "owner": "Bob"}')


def transfer(amount: int) -> list[tuple[bytes, bytes]]:
    return raw_entry("Transferred", b'{"source": "A", "target": "B", "amount": %d}' % amount)


def domain_of(call: Call, *arguments: object) -> str:
    told: str = call("config", "--json", *arguments).json["domain"]
    return told


class TestChoosing:
    @pytest.fixture
    def file(self, home: Path) -> Path:
        path = config.usual_file()
        assert path is not None
        assert path.is_relative_to(home)
        path.parent.mkdir(parents=True)
        return path

    def test_the_shop_unless_told_otherwise(self, call: Call) -> None:
        assert domain_of(call) == "shop"

    def test_flag_then_environment_then_stream_then_setting(
        self, call: Call, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text('domain = "general"\n[domains]\npayments = "special"')
        assert domain_of(call) == "general"
        assert domain_of(call, "--stream", "payments") == "special"
        monkeypatch.setenv("ESDASH_DOMAIN", "exported")
        assert domain_of(call, "--stream", "payments") == "exported"
        assert domain_of(call, "--stream", "payments", "--domain", "typed") == "typed"
        assert call("--domain", "before", "config", "--json").json["domain"] == "before"

    def test_a_file_beside_the_settings(self, call: Call, file: Path, url: str, client: redis.Redis) -> None:
        (file.parent / "bank.py").write_text(BANK.read_text("utf-8"))
        file.write_text('[domains]\npayments = "bank.py:BANK"')
        append(client, [OPEN_A], "payments")
        assert call("state", "--stream", "payments", "--json", "--url", url).json["domain"] == "bank"
        assert domain_of(call, "--stream", "payments") == f"{file.parent / 'bank.py'}:BANK"

    @pytest.mark.parametrize("text", ["domain = ''", "domain = 7", "domains = 'x'", "[domains]\npayments = ''"])
    def test_a_setting_that_is_none(self, call: Call, file: Path, text: str) -> None:
        file.write_text(text)
        refused = call("config", "--json")
        assert refused.code == 2
        assert "domain" in refused.err

    def test_an_empty_one_is_2(self, call: Call) -> None:
        assert call("--domain", "", "state").code == 2


class TestState:
    def test_the_tables_of_a_bank(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [OPEN_A, OPEN_B, OPEN_A, transfer(5), raw_entry("Transferred", b"{}")])
        document = call("state", "--domain", BANK, "--json", "--url", url).json
        assert document["domain"] == "bank"
        assert document["tables"] == {
            "accounts": {"A": {"balance": 0, "owner": "Ada"}, "B": {"balance": 0, "owner": "Bob"}}
        }
        assert document["outcomes"] == {
            "applied": 2,
            "rejected": {"already_open": 1, "insufficient_funds": 1},
            "parked": {"invalid_data": 1},
            "duplicate": 0,
        }
        shown = call("state", "--domain", BANK, "--about", "account:B", "--url", url).out
        assert "Accounts (1)" in shown
        assert "Bob" in shown
        assert "Ada" not in shown

    def test_every_command_works_with_it(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [OPEN_A, OPEN_B, OPEN_A])
        options = ("--domain", BANK, "--url", url)
        assert call("consume", "--once", *options).json["ordinal"] == 3
        (snapshot,) = call("snapshot", "list", "--json", *options).json
        assert (snapshot["domain"], snapshot["rows"], snapshot["usable"]) == ("bank", {"accounts": 2}, True)
        assert call("verify", "--json", *options).json["holds"]
        assert call("doctor", *options).code in (0, 3)
        rejected = call("events", "--outcome", "already_open", "--json", *options).lines
        assert [event["ordinal"] for event in rejected] == [3]

    def test_snapshots_of_another_domain_are_said_before_anything_is_written(
        self, call: Call, url: str, client: redis.Redis
    ) -> None:
        append(client, seeded_entries(1, 10))
        assert call("consume", "--once", "--url", url).err == ""
        said = "esdash: The snapshots of orders are of another domain, shop, not of bank"
        assert said not in call("consume", "--once", "--readonly", "--domain", BANK, "--url", url).err
        assert call("consume", "--once", "--domain", BANK, "--url", url).err.startswith(said)
        assert said not in call("consume", "--once", "--domain", BANK, "--url", url).err, "one of its own is there"

    def test_a_difference_is_told_as_people_read_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        differences = (
            Difference("accounts:A.balance", 123456, None),
            Difference("accounts:A.owner", "Ada", "Bob"),
            Difference("applied", 1234, 1235),
        )
        segment = Segment(Position(), Position("5-1", 2), "5-1-0", "a", "b", differences)
        tell(the_bank(), Verification((segment,), (), (), 0, 2, 1.0))
        told = capsys.readouterr().out
        assert "  accounts:A.balance: 1,234.56 replayed, nothing stored" in told
        assert "  accounts:A.owner: Ada replayed, Bob stored" in told
        assert "  applied: 1,234 replayed, 1,235 stored" in told

    @pytest.mark.parametrize("found", ["a", "b"])
    def test_of_an_end_that_no_right_state_led_to_no_invariant_is_told(
        self, capsys: pytest.CaptureFixture[str], found: str
    ) -> None:
        first = Segment(Position(), Position("5-1", 2), "5-1-0", "a", found, ())
        last = Segment(first.end, Position("6-1", 3), None, "c", "c", (), ("few",))
        tell(the_bank(), Verification((first, last), (), (), 0, 3, 1.0))
        assert ("the invariant few does not hold" in capsys.readouterr().out) is (found == "a")


class TestRaw:
    def test_every_stream_can_be_watched_and_nothing_is_written(
        self, call: Call, url: str, client: redis.Redis
    ) -> None:
        append(client, [[(b"temperature", b"21"), (b"room", b"kitchen")]] * 3 + [OPEN_A])
        options = ("--domain", "raw", "--url", url)
        document = call("state", "--json", *options).json
        assert (document["domain"], document["outcomes"]["applied"]) == ("raw", 4)
        assert [event["outcome"] for event in call("events", "--json", *options).lines] == ["applied"] * 4
        assert call("consume", "--once", *options).code == 0
        assert call("snapshot", "take", *options).code == 1
        assert call("produce", *options).code in (1, 2)
        assert call("publish", "opened", *options).code == 2
        assert client.keys() == [b"orders"]


BROKEN: dict[str, tuple[Callable[[str], str], bool]] = {
    "syntax": (lambda text: text.replace("def opened(state, event):", "def opened(state, event:"), True),
    "no domain": (lambda text: text[: text.index("BANK = ")], False),
    "two domains": (lambda text: f"{text}OTHER = Domain('o', '1', BANK.tables, BANK.events)\n", True),
    "a float": (lambda text: text.replace("owner: str", "owner: float"), True),
    "a column twice": (lambda text: text.replace('Column("owner"', 'Column("balance"'), True),
    "a reserved column": (lambda text: text.replace('Column("owner"', 'Column("remove"'), True),
    "raising": (lambda text: f"{text}raise RuntimeError('no such luck')\n", True),
}
"""What may be wrong with a file: how it is made of a good one, and whether a line is named."""


class TestFilesThatAreNone:
    def refused(self, call: Call, *arguments: object) -> Result:
        result = call(*arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("esdash: ")
        assert result.err.count("\n") == 1
        assert "Traceback" not in result.err
        return result

    @pytest.mark.parametrize("what", BROKEN)
    def test_what_is_wrong_with_one_is_a_sentence_with_its_line(self, call: Call, tmp_path: Path, what: str) -> None:
        change, line = BROKEN[what]
        text = BANK.read_text("utf-8")
        assert change(text) != text
        (tmp_path / "team.py").write_text(change(text))
        for arguments in (("state",), ("publish", "--help"), ("publish", "opened", "A", "Ada"), ("produce",)):
            told = self.refused(call, *arguments, "--domain", tmp_path / "team.py").err
            assert "team.py:" in told
            assert not line or told.partition("team.py:")[2][0].isdigit()

    def test_a_condition_of_an_invariant_is_pointed_at(self, call: Call, tmp_path: Path) -> None:
        source = BANK.read_text("utf-8").replace("import MONEY", "import Invariant, MONEY")
        condition = "not min(accounts.balanse) < 0"
        given = f'invariants=(\n        Invariant("nobody_owes", "{condition}"),\n    ),'
        source = source.replace('    name="bank",', f'    {given}\n    name="bank",')
        file = tmp_path / "bank.py"
        file.write_text(source, "utf-8")
        line = next(number for number, text in enumerate(source.splitlines(), 1) if condition in text)
        for arguments in (("state", "--domain", file), ("domain", "check", file)):
            shown = call(*arguments)
            assert shown.code == 2
            first, second, third = shown.err.splitlines()
            assert first.endswith(
                f"bank.py:{line}: the invariant nobody_owes cannot be read. accounts has no column balanse. Did you "
                "mean balance? Expected balance or owner."
            )
            assert second.strip() == condition
            assert third.index("^") == second.index("balanse")

    @pytest.mark.parametrize("choice", ["nowhere/team.py", "no.such.module:BANK", "nobody", "tests.domains.bank:BNAK"])
    def test_one_that_is_not_there(self, call: Call, choice: str) -> None:
        self.refused(call, "state", "--domain", choice)

    def test_the_program_ends_without_a_traceback(self, esdash: Call, tmp_path: Path) -> None:
        (tmp_path / "team.py").write_text("import nothing_of_the_kind\n")
        refused = esdash("state", "--domain", tmp_path / "team.py")
        assert refused.code == 2
        assert "team.py:1" in refused.err


FAILING = 'if event.amount == 13:\n        raise RuntimeError("unlucky")\n    balance = state.accounts.balance\n'


class TestCodeThatFails:
    """Where a function of the domain fails, nothing from that entry on is applied."""

    @pytest.fixture
    def failing(self, tmp_path: Path, client: redis.Redis) -> tuple[Path, str, int]:
        """A domain, the entry that it fails on, and the line at which it does."""
        text = BANK.read_text("utf-8").replace("balance = state.accounts.balance\n", FAILING)
        (tmp_path / "unlucky.py").write_text(text)
        ids = append(client, [OPEN_A, OPEN_B, transfer(13), OPEN_A])
        return tmp_path / "unlucky.py", ids[2], text[: text.index("raise RuntimeError")].count("\n") + 1

    @pytest.mark.parametrize(
        "command",
        [
            ("state", "--json"),
            ("consume", "--once"),
            ("consume", "--json"),
            ("snapshot", "take"),
            ("events", "--json"),
            ("verify",),
        ],
    )
    def test_every_command_names_the_line_and_the_entry(
        self, call: Call, url: str, failing: tuple[Path, str, int], command: tuple[str, ...]
    ) -> None:
        file, entry_id, line = failing
        failed = call(*command, "--domain", file, "--url", url)
        assert failed.code == 1
        assert f"unlucky.py:{line}: RuntimeError: unlucky" in failed.err
        if command[0] != "verify":
            assert entry_id in failed.err

    def test_the_doctor_says_so_and_examines_the_rest(
        self, call: Call, url: str, failing: tuple[Path, str, int]
    ) -> None:
        file, entry_id, line = failing
        found = call("doctor", "--json", "--domain", file, "--url", url)
        checks = {check["name"]: check for check in found.json["checks"]}
        assert (found.code, checks["rules"]["status"]) == (3, "problem")
        assert f"unlucky.py:{line}: RuntimeError: unlucky. Entry {entry_id}" in checks["rules"]["seen"]
        assert {"memory", "stream", "snapshots", "expiry", "keys"} <= checks.keys()

    def test_what_was_there_before_it_can_be_told(self, call: Call, url: str, failing: tuple[Path, str, int]) -> None:
        file, *_ = failing
        shown = call("state", "--at", "#2", "--json", "--domain", file, "--url", url)
        assert (shown.code, shown.json["ordinal"]) == (0, 2)

    def test_a_consumer_that_follows_ends_with_a_snapshot_of_what_was_good(
        self,
        start: "Callable[..., subprocess.Popen[str]]",
        call: Call,
        url: str,
        client: redis.Redis,
        failing: tuple[Path, str, int],
    ) -> None:
        file, *_ = failing
        client.delete("orders")
        append(client, [OPEN_A, OPEN_B])
        consumer = start("consume", "--domain", file, "--url", url)
        line_with(consumer.stderr, "live")
        append(client, [transfer(13)])
        _, err = consumer.communicate(timeout=30)
        assert consumer.returncode == 1
        assert "unlucky.py:" in err
        assert "Traceback" not in err
        (snapshot,) = call("snapshot", "list", "--json", "--domain", file, "--url", url).json
        assert (snapshot["ordinal"], snapshot["usable"]) == (2, True)

    def test_after_a_long_way_too(
        self,
        call: Call,
        url: str,
        client: redis.Redis,
        failing: tuple[Path, str, int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("esdash.engine.consumer.replaying.FAR", 100)
        file, _, line = failing
        client.delete("orders")
        append(client, [OPEN_A, OPEN_B, *[transfer(5)] * 600])
        (entry_id,) = append(client, [transfer(13)])
        append(client, [transfer(5)] * 600)
        failed = call("consume", "--once", "--domain", file, "--url", url)
        assert failed.code == 1
        assert f"unlucky.py:{line}: RuntimeError: unlucky" in failed.err
        assert entry_id in failed.err
        (snapshot,) = call("snapshot", "list", "--json", "--domain", file, "--url", url).json
        assert (snapshot["ordinal"], snapshot["usable"]) == (602, True)

    def test_a_published_event_is_told_all_the_same(self, call: Call, url: str, failing: tuple[Path, str, int]) -> None:
        file, *_ = failing
        published = call("publish", "opened", "C", "Cid", "--wait", "--domain", file, "--url", url)
        assert published.code == 1
        assert published.json["outcome"] is None
        assert "is in the log as" in published.err
        assert "unlucky.py:" in published.err


def test_an_interrupted_consumer_of_a_bank_ends_in_order(
    start: "Callable[..., subprocess.Popen[str]]", url: str, client: redis.Redis
) -> None:
    append(client, [OPEN_A])
    consumer = start("consume", "--domain", BANK, "--url", url)
    line_with(consumer.stderr, "live · 1 entry")
    consumer.send_signal(signal.SIGTERM)
    assert consumer.wait(timeout=30) == 0
