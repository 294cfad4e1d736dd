"""`esdash domain compare`: what other rules make of a log."""

import json
import sys
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import STREAM, Call, append
from tests.domains import BANK

SOURCE = BANK.read_text("utf-8").replace("balance[event.account] = 0", "balance[event.account] = 1000")


@pytest.fixture(autouse=True)
def entries(client: redis.Redis) -> list[str]:
    """Two accounts with 10.00 each; the last transfer is refused."""
    events: list[tuple[str, dict[str, object]]] = [
        ("Opened", {"account": "A", "owner": "Ann"}),
        ("Opened", {"account": "B", "owner": "Bob"}),
        ("Transferred", {"source": "A", "target": "B", "amount": 900}),
        ("Transferred", {"source": "A", "target": "B", "amount": 200}),
    ]
    return append(client, [[(b"type", name.encode()), (b"data", json.dumps(data).encode())] for name, data in events])


@pytest.fixture
def compare(call: Call, url: str, tmp_path: Path) -> Call:
    """Compare two files that are called the same."""

    def compare(new: str, *options: object, old: str = SOURCE) -> object:
        for name, source in (("old", old), ("new", new)):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "bank.py").write_text(source, "utf-8")
        return call("domain", "compare", tmp_path / "old/bank.py", tmp_path / "new/bank.py", *options, "--url", url)

    return compare  # type: ignore[return-value]


def changed(*parts: str) -> str:
    """The bank with some parts written otherwise."""
    source = SOURCE
    for old, new in zip(parts[::2], parts[1::2], strict=True):
        assert old in source
        source = source.replace(old, new)
    return source


FEE = changed("balance[event.source] -= event.amount", "balance[event.source] -= event.amount + 1")
GENEROUS = changed("if event.amount > balance[event.source]:", "if event.amount > balance[event.source] + 100:")


def test_the_same_rules_are_the_same(compare: Call, client: redis.Redis) -> None:
    before = client.keys("*")
    found = compare(SOURCE.replace('"""Open an account."""', '"""Open one."""'))
    assert (found.code, found.out, found.err) == (0, "The same on 4 entries.\n", "")
    found = compare(SOURCE, "--json")
    assert found.code == 0
    assert (found.json["numbers"], found.json["decided"], found.json["decided_count"]) == ([], [], 0)
    assert "tried" not in found.json
    assert found.json["old"] == found.json["new"]
    assert client.keys("*") == before


def test_another_decision_is_told_with_its_entry(compare: Call, entries: list[str]) -> None:
    found = compare(
        changed('version="1"', 'version="2"', "balance[event.source]:", "balance[event.source] + 100:"), "--json"
    )
    assert found.code == 3
    (decided,) = found.json["decided"]
    assert (decided["ordinal"], decided["id"], decided["type"]) == (4, entries[3], "Transferred")
    assert (decided["was"], decided["was_reason"]) == ("rejected", "insufficient_funds")
    assert (decided["is"], decided["is_reason"]) == ("applied", None)
    assert found.json["numbers"] == [
        {"number": "accounts:A.balance", "was": 100, "is": -100},
        {"number": "accounts:B.balance", "was": 1900, "is": 2100},
    ]
    old, new = found.json["old"], found.json["new"]
    assert (old["domain"], old["version"], new["version"]) == ("bank", "1", "2")
    assert old["fingerprint"] != new["fingerprint"]
    assert found.err == ""


def test_people_are_told_that_the_version_should_change(compare: Call) -> None:
    found = compare(GENEROUS)
    assert found.code == 3
    assert found.out.startswith("2 numbers differ · 1 entry of 4 decided otherwise, the first #4.")
    assert "rejected insufficient_funds" in found.out
    assert "−2.00" in found.out
    assert "version" in found.err
    assert "'1'" in found.err


def test_numbers_alone_are_a_difference(compare: Call) -> None:
    found = compare(FEE, "--json")
    assert found.code == 3
    assert found.json["decided"] == []
    assert found.json["numbers"] == [{"number": "accounts:A.balance", "was": 100, "is": 99}]
    assert compare(FEE, "--until", "n2").code == 0


def test_other_tables_columns_reasons_and_types(compare: Call) -> None:
    new = changed(
        *('Column("owner", str, TEXT)', 'Column("owner", str, TEXT), Column("frozen", bool)'),
        *("state.accounts.owner[event.account] = event.owner", "state.accounts.frozen[event.account] = False"),
        *('tables=(Table("accounts"', 'tables=(Table("banks", "bank", int, (Column("n"),)), Table("accounts"'),
        *("class Transferred(", "class Moved("),
        *("EventType(Transferred", "EventType(Moved"),
    )
    found = compare(new, "--json")
    assert found.code == 3
    assert [(each["type"], each["is_reason"]) for each in found.json["decided"]] == [
        ("Transferred", "unknown_type"),
        ("Transferred", "unknown_type"),
    ]
    assert {each["number"]: (each["was"], each["is"]) for each in found.json["numbers"]} == {
        "accounts:A.balance": (100, 1000),
        "accounts:A.owner": ("Ann", None),
        "accounts:A.frozen": (None, False),
        "accounts:B.balance": (1900, 1000),
        "accounts:B.owner": ("Bob", None),
        "accounts:B.frozen": (None, False),
    }
    shown = compare(new).out
    assert "accounts:A.frozen" in shown
    assert "parked unknown_type" in shown


def test_a_rule_that_fails_is_said_with_entry_and_line(compare: Call) -> None:
    new = changed("    balance[event.source] -= event.amount", "    balance[event.source] -= event.amout")
    line = new.splitlines().index("    balance[event.source] -= event.amout") + 1
    found = compare(new)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(f"esdash: The new rules fail on #3, bank.py:{line}: AttributeError: ")
    assert compare(SOURCE, old=new).err.startswith(f"esdash: The old rules fail on #3, bank.py:{line}: ")


class TestInvariants:
    DECLARED = changed(
        *("Column, Domain", "Column, Domain, Invariant"),
        *("reasons={", 'invariants=(Invariant("nobody_owes", "not min(accounts.balance) < 0"),),\n    reasons={'),
    )
    OWING = DECLARED.replace("if event.amount > balance[event.source]:", "if event.amount > 10**6:")

    def test_one_that_holds_no_more_is_a_difference(self, compare: Call) -> None:
        assert compare(self.DECLARED, "--json").json["unheld"] == []
        found = compare(self.OWING, "--json", old=self.DECLARED)
        assert (found.code, found.json["unheld"]) == (3, ["nobody_owes"])
        assert "Invariants that would not hold: nobody_owes." in compare(self.OWING, old=self.DECLARED).out
        # Nor by the old ones.
        assert compare(self.OWING, "--json", old=self.OWING).json["unheld"] == []

    def test_one_that_is_only_declared_asks_for_no_other_version(self, compare: Call) -> None:
        found = compare(self.DECLARED.replace("balance) < 0", "balance) < 99.00"))
        assert found.code == 3
        assert "nobody_owes" in found.out
        assert found.err == ""

    def test_one_that_cannot_be_read_exits_with_2(self, compare: Call) -> None:
        found = compare(self.DECLARED.replace("balance) < 0", "balanse) < 0"))
        assert (found.code, found.out) == (2, "")
        assert "new/bank.py: bank.py:" in found.err
        assert "^" in found.err

    def test_one_that_fails_is_said_with_its_line(self, compare: Call) -> None:
        new = self.DECLARED.replace('"not min(accounts.balance) < 0"', "lambda state: state.nothing")
        line = next(number for number, text in enumerate(new.splitlines(), 1) if "state.nothing" in text)
        found = compare(new)
        assert (found.code, found.out) == (1, "")
        assert "The invariant nobody_owes of the new rules can tell nothing after #4: bank.py:" in found.err
        assert f"bank.py:{line}: " in found.err


@pytest.mark.parametrize("which", ["old", "new"])
def test_a_file_that_does_not_load_exits_with_2_and_is_named(compare: Call, which: str, tmp_path: Path) -> None:
    broken = SOURCE + "\n(\n"
    found = compare(broken) if which == "new" else compare(SOURCE, old=broken)
    assert (found.code, found.out) == (2, "")
    assert f"{tmp_path / which / 'bank.py'}: bank.py:{len(SOURCE.splitlines()) + 2}: " in found.err


def test_what_has_no_rules_or_is_not_there(call: Call, url: str) -> None:
    assert "no rules" in call("domain", "compare", BANK, "raw", "--url", url).err
    assert call("domain", "compare", BANK, "nowhere.py", "--url", url).code == 2
    assert call("domain", "compare", BANK, "--url", url).code == 2
    absent = call("domain", "compare", BANK, BANK, "--url", url, "--stream", "nothing")
    assert absent.code == 1


def test_a_domain_of_esdashs_own_beside_a_file(call: Call, url: str) -> None:
    found = call("domain", "compare", "shop", BANK, "--url", url, "--json")
    assert found.code == 3
    assert (found.json["old"]["domain"], found.json["new"]["domain"]) == ("shop", "bank")
    assert found.json["decided_count"] == 4


def test_a_trimmed_stream_is_partial_history(compare: Call, client: redis.Redis, entries: list[str]) -> None:
    client.xtrim(STREAM, minid=entries[2], approximate=False)
    found = compare(changed('return "unknown_account"', 'return "already_open"'), "--json")
    assert found.code == 3
    assert [(each["ordinal"], each["id"]) for each in found.json["decided"]] == [(1, entries[2]), (2, entries[3])]
    assert "Partial history: 2 entries were gone" in found.err


class TestModulesOfTheSameNames:
    """Both files import `fees`, a package `parts`, and something when they are called first, each from its folder."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> list[Path]:
        source = SOURCE.replace(
            "from typing import", "from fees import FEE\nfrom parts import more\nfrom typing import"
        )
        source = source.replace(
            "    balance[event.source] -= event.amount",
            "    from later_on import LATER\n    balance[event.source] -= event.amount + FEE + more.MORE + LATER",
        )
        files = []
        for name, fee in (("old", 1), ("new", 2)):
            folder = tmp_path / name
            (folder / "parts").mkdir(parents=True)  # no __init__.py
            (folder / "fees.py").write_text(f"FEE = {fee}\n")
            (folder / "parts/more.py").write_text(f"MORE = {fee * 10}\n")
            (folder / "later_on.py").write_text(f"LATER = {fee * 30}\n")
            files.append(folder / "bank.py")
            files[-1].write_text(source)
        return files

    @pytest.mark.parametrize("order", [1, -1])
    def test_do_not_mix(self, call: Call, url: str, files: list[Path], order: int) -> None:
        before, search = dict(sys.modules), sys.path[:]
        found = call("domain", "compare", *files[::order], "--url", url, "--json")
        (number,) = (each for each in found.json["numbers"] if each["number"] == "accounts:A.balance")
        assert [number["was"], number["is"]] == [100 - 41, 100 - 82][::order]
        assert found.json["old"]["fingerprint"] != found.json["new"]["fingerprint"]
        assert not {"fees", "parts", "parts.more", "later_on"} & (sys.modules.keys() - before.keys())
        assert sys.path == search


def test_numbers_of_a_hidden_table_are_counted_where_they_are_not_shown(compare: Call) -> None:
    hidden = 'Column("owner", str, TEXT))', 'Column("owner", str, TEXT)), hidden=True'
    found = compare(changed(*hidden, "balance[event.source] -= event.amount", "pass"), old=changed(*hidden))
    assert found.code == 3
    assert "2 numbers of hidden tables differ: see --json." in found.out
    assert "Numbers (" not in found.out


def test_an_entry_that_only_the_old_rules_can_name_has_their_name(compare: Call) -> None:
    wire = ("version=", 'wire=Wire(type="kind"), version='), ("Table, about", "Table, Wire, about")
    found = compare(changed(*(part for pair in wire for part in pair)), "--json")
    assert [each["type"] for each in found.json["decided"]] == ["Opened", "Opened", "Transferred", "Transferred"]
