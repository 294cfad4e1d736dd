"""What is told of a domain that breaks a promise: which, by what input, and where."""

import textwrap
from typing import Any, Final

import pytest

from esdash.checking import elsewhere, making
from esdash.checking.promises import PROMISES, Broken, Check
from esdash.checking.showing import shown
from esdash.checking.trial import check
from esdash.fold.loading import DomainFileError, load
from tests.fold.declaring import Declare

BROKEN: Final = {
    "a reason that is not declared": (
        "returns",
        """
        if event.amount == 1:
            return "nobody declared this"
        """,
    ),
    "a rule that raises": ("raises", "state.accounts.balance[event.account] = 100 // event.amount"),
    "a rule that ends the program": (
        "raises",
        """
        if event.amount == 1:
            raise SystemExit
        """,
    ),
    "a value of another kind": ("kinds", "state.accounts.balance[event.account] = event.account"),
    "a cell without its row": ("kinds", "state.accounts.owner[event.account] = 'x'"),
    "a list of the module": ("outside", "SEEN.append(event.amount)"),
    "a counter on the function": ("outside", "apply.count = getattr(apply, 'count', 0) + 1"),
    "a file that is read": ("outside", "open(__file__).close()"),
    "a file that is written": (
        "outside",
        """
        import tempfile
        if event.amount == 0:
            tempfile.TemporaryFile().close()
        """,
    ),
    "a program that is run": (
        "outside",
        """
        import subprocess
        subprocess.run(["true"], check=False)
        """,
    ),
    "a changed event": ("outside", "event.lines.append(Line('a', 1))"),
    "a counter in the state": (
        "again",
        """
        TIMES["a"] += 1
        state.accounts.balance[event.account] = TIMES["a"]
        """,
    ),
    "chance": (
        "again",
        """
        import random
        state.accounts.balance[event.account] = random.randrange(2**60)
        """,
    ),
}


def tried(declare: Declare) -> Check:
    """A check in this process."""
    found = Check(load(str(declare.file)))
    found.compare(found.one_by_one(found.entries()), ())
    return found


@pytest.fixture
def found_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what a few entries show: a quarter of those at random."""
    monkeypatch.setattr(making, "AT_RANDOM", 150)


@pytest.mark.usefixtures("found_early")
@pytest.mark.parametrize(("promise", "body"), BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_is_told_with_its_input_and_its_line(declare: Declare, promise: str, body: str) -> None:
    declare.rule(body)
    found = [each for each in tried(declare).broken if each.promise == promise]
    assert found
    lines = declare.file.read_text().splitlines()
    file, _, line = found[0].where.partition(":")
    assert file == declare.file.name
    said = lines[int(line.partition(":")[0]) - 1].strip()
    assert said == "def apply(state, event):" or said in textwrap.dedent(body)
    assert len(found[0].input) <= 2
    assert shown(found[0].input[0])["type"] == "Moved"


def test_what_keeps_every_promise_is_said_to_hold(declare: Declare) -> None:
    declare.rule("""
        balance = state.accounts.balance
        if event.amount > 100:
            return "no"
        balance[event.account] = balance.get(event.account, 0) + event.amount % 1000
        if event.account == event.other:
            state.accounts.remove(event.account)
    """)
    found = tried(declare)
    assert found.broken == []
    assert {"returns", "raises", "kinds", "trace", "outside", "again", "pages", "cuts", "forks"} <= found.tried
    assert found.unreached() == []
    assert sum(found.state.counts) > 500


def test_a_rule_that_raises_once_the_same_comes_again_is_told_with_what_made_it_so(declare: Declare) -> None:
    declare.rule("""
        balance = state.accounts.balance
        if balance.get(event.account) == event.amount:
            raise ValueError
        balance[event.account] = event.amount
    """)
    found = Check(load(str(declare.file)))
    data = b'{"account":"%s","other":"b","amount":%d}'
    entries = [
        (b"%d-0" % number, [b"type", b"Moved", b"data", data % (account, number)])
        for number, account in enumerate((b"a", b"b", b"c"), 1)
    ]
    found.once_more(entries)
    (broken,) = found.broken
    assert broken.promise == "raises"
    first, second = (shown(entry)["data"] for entry in broken.input)
    assert first == second


@pytest.mark.usefixtures("found_early")
def test_the_input_is_the_smallest_that_shows_it(declare: Declare) -> None:
    declare.rule("""
        balance = state.accounts.balance
        if event.account in balance and event.amount > 17:
            return "undeclared"
        balance[event.account] = 1
    """)
    (found,) = tried(declare).broken
    first, second = (shown(entry)["data"] for entry in found.input)
    assert '"amount":18' in second
    assert '"lines"' not in first + second


@pytest.mark.usefixtures("found_early")
def test_an_event_that_is_changed_once_its_row_is_there_is_told_with_what_made_it_so(declare: Declare) -> None:
    declare.rule("""
        if event.account not in state.accounts.balance:
            state.accounts.balance[event.account] = 1
        else:
            event.lines.append(Line("a", 1))
    """)
    (found,) = tried(declare).broken
    first, second = (shown(entry)["data"] for entry in found.input)
    assert found.promise == "outside"
    assert '"lines"' not in first + second


@pytest.mark.usefixtures("found_early")
@pytest.mark.parametrize("guard", ["event.amount == 4711", "event.other == 'nobody'", "event.amount > LIMIT"])
def test_values_that_a_rule_compares_with_are_tried(declare: Declare, guard: str) -> None:
    declare.rule(f"return 'undeclared' if {guard} else None")
    declare.file.write_text(declare.file.read_text().replace("COUNT = 0", "LIMIT = 10**15"))
    (found,) = tried(declare).broken
    assert (found.promise, len(found.input)) == ("returns", 1)


@pytest.mark.usefixtures("found_early")
def test_a_reason_that_nothing_leads_to_is_read_in_the_source(declare: Declare) -> None:
    declare.rule("""
        if event.amount % 1009 == 471 and event.account == event.other and not event.lines:
            return Refusal("no") if event.amount % 1013 else Refusal("undeclared", 1, 2)
        def told():
            return "this is no reason"
        return None
    """)
    (found,) = tried(declare).broken
    line = declare.before + 2
    assert found == Broken("returns", [], f"rules.py:{line}: undeclared")


@pytest.mark.usefixtures("found_early")
def test_an_event_that_is_read_otherwise_when_it_was_written_is_told(declare: Declare) -> None:
    declare.rule("pass")
    model = "class Moved(BaseModel):\n    amount: Annotated[int, BeforeValidator(lambda amount: 2 * int(amount))]\n"
    source = declare.file.read_text().replace(
        "import zlib", "from pydantic import BaseModel, BeforeValidator\nimport zlib"
    )
    start, end = source.index("class Moved"), source.index("def doubled")
    source = "from typing import Annotated\n" + source[:start] + model + "\n\n" + source[end:]
    declare.file.write_text(source)
    (found,) = tried(declare).broken
    assert (found.promise, found.where) == ("writes", "Moved")


@pytest.mark.usefixtures("found_early")
def test_an_invariant_that_does_not_hold_is_named_and_why_it_can_tell_nothing(declare: Declare) -> None:
    declare.rule("state.accounts.balance[event.account] = event.amount")
    source = declare.file.read_text().replace("    reasons={", "    invariants=(never_above, unsure),\n    reasons={")
    balances = "[state.accounts.balance[key] for key in state.accounts.balance]"
    holds = f"def never_above(state):\n    return max({balances}) < 90\n\n\n"
    holds += "def unsure(state):\n    return 1 // 0\n\n\nDOMAIN ="
    source = source.replace("DOMAIN =", holds)
    declare.file.write_text(source)
    found = tried(declare).broken
    assert {each.promise for each in found} == {"invariants"}
    cannot_tell, broken = sorted((each.where for each in found), key=len, reverse=True)
    assert broken.endswith(": never_above")
    assert ": unsure (" in cannot_tell
    assert "ZeroDivisionError" in cannot_tell


@pytest.mark.usefixtures("found_early")
def test_a_condition_that_does_not_hold_is_named(declare: Declare) -> None:
    declare.rule("state.accounts.balance[event.account] = event.amount")
    source = declare.file.read_text().replace("import Column", "import Invariant, Column")
    given = 'invariants=(Invariant("small", "not max(accounts.balance) >= 90"),),'
    declare.file.write_text(source.replace("    reasons={", f"    {given}\n    reasons={{"))
    (found,) = tried(declare).broken
    assert (found.promise, found.where, len(found.input)) == ("invariants", "the invariant small", 1)


@pytest.mark.usefixtures("found_early")
def test_an_event_that_cannot_be_described_and_a_sample_of_another_kind_are_told(declare: Declare) -> None:
    declare.rule("pass")
    more = "    describe=lambda event: event.amount,\n    sample=lambda seed: [1],\n    reasons={"
    declare.file.write_text(declare.file.read_text().replace("    reasons={", more))
    assert [each.promise for each in tried(declare).broken] == ["samples", "describes"]


def test_functions_that_are_fast_are_tried_bare(declare: Declare) -> None:
    # Bounds are what the author keeps by himself: nothing refuses what is too large here.
    declare.rule(
        """
        balance = state.accounts.balance
        balance["key"] = balance.get("key", 1) * 3
        """,
        fast=True,
    )
    found = tried(declare)
    assert [each.promise for each in found.broken] == ["fast"]
    assert len(found.broken[0].input) == 40  # 3**40 is the first beyond 64 bits


def told(declare: Declare, seconds: float = 60) -> dict[str, Any]:
    """The whole check, in other processes."""
    return check(str(declare.file), seconds=seconds)


def test_what_depends_on_the_hash_seed_is_found_in_another_process(declare: Declare) -> None:
    declare.rule("""
        for account in {event.account, event.other, "a", "b", "c"}:
            if len(state.accounts.balance) < 3:
                state.accounts.balance[account] = 1
    """)
    document = told(declare)
    assert not document["holds"]
    assert [each["promise"] for each in document["broken"]] == [PROMISES["elsewhere"]]
    assert len(document["broken"][0]["input"]) == 1
    assert PROMISES["again"] in document["promises"]


def test_what_is_remembered_beside_the_state_is_found_in_another_process(declare: Declare) -> None:
    declare.rule("state.accounts.balance[event.account] = seen(event.account)")
    remembering = (
        "@functools.cache\ndef seen(account, so_far=iter(range(9999))):\n    return next(so_far)\n\n\ndef apply("
    )
    source = declare.file.read_text().replace("import zlib", "import functools\nimport zlib")
    declare.file.write_text(source.replace("def apply(", remembering))
    document = told(declare)
    assert [each["promise"] for each in document["broken"]] == [PROMISES["elsewhere"]]


def test_what_depends_on_the_day_is_seen_by_another_process(declare: Declare) -> None:
    clocks = ("0", "time.gmtime().tm_year", "datetime.now().year", "datetime.today().year")
    declare.rule("\n".join(f"if event.amount == {n}: state.accounts.balance['a'] = {c}" for n, c in enumerate(clocks)))
    source = declare.file.read_text()
    declare.file.write_text(source.replace("import zlib", "import time\nimport zlib\nfrom datetime import datetime"))
    entries = [
        (b"1-0", [b"type", b"Moved", b"data", b'{"account":"a","other":"b","amount":%d}' % amount])
        for amount in range(len(clocks))
    ]
    with elsewhere.processes(str(declare.file)) as others:
        digests = [{other([entry]) for other in others} for entry in entries]
    assert [len(each) for each in digests] == [1, 2, 2, 2]


def test_a_rule_without_an_end_is_stopped_and_its_line_named(declare: Declare) -> None:
    declare.rule("""
        while event.amount == 17 or event.amount < -5:
            pass
    """)
    document = told(declare, seconds=3)
    (broken,) = document["broken"]
    assert broken["promise"] == PROMISES["ends"]
    line = declare.file.read_text().splitlines()[int(broken["where"].partition(":")[2]) - 1]
    assert line.strip() in ("while event.amount == 17 or event.amount < -5:", "pass")
    assert broken["input"][0]["type"] == "Moved"


def test_a_rule_that_ends_the_process_is_told_with_its_input(declare: Declare) -> None:
    declare.rule("""
        if event.amount == 0:
            import os
            os._exit(0)
    """)
    (broken,) = told(declare)["broken"]
    assert broken["promise"] == PROMISES["raises"]
    assert '"amount":0' in broken["input"][0]["data"]


def test_rules_that_print_disturb_nothing(declare: Declare, capfd: pytest.CaptureFixture[str]) -> None:
    declare.rule("""
        import sys
        sys.stdout.write("noise")
        print("noise")
    """)
    document = told(declare)
    assert document["holds"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("while True:\n    pass\n", r"^rules\.py:\d: it takes longer than 2 s to be loaded\.$"),
        ("import os\nos._exit(3)\n", "ends the process"),
        ("x = (\n", "rules.py:1"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_a_sentence(declare: Declare, source: str, said: str) -> None:
    declare.file.write_text(source)
    with pytest.raises(DomainFileError, match=said):
        told(declare, seconds=2 if "while" in source else 30)


def test_the_shop_keeps_every_promise() -> None:
    document = check("esdash.shop.domain:SHOP")
    assert document["holds"], document["broken"]
    assert document["reasons_never_given"] == ["overflow"]  # so much money takes thousands of events
    assert all(document["understood"].values())
    assert document["fast"] == {"declared": True, "proved": True, "where": None, "sentence": None}
    assert 0 < document["speed"] < 1000
    assert 50 < document["bytes_a_row"]["users"] < 300
