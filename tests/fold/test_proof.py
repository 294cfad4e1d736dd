"""The proof that the functions of a domain may run on bare mappings."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from esdash.fold.loading import DomainFileError, load
from esdash.fold.proof import Unproved, prove
from esdash.shop.domain import SHOP
from tests.fold.declaring import Declare

BANK = """
    def opened(state, event):
        if event.account in state.accounts.balance:
            return "no"
        state.accounts.balance[event.account] = 0
        state.accounts.owner[event.account] = event.account


    def apply(state, event):
        balance = state.accounts.balance
        if event.account not in balance or event.other not in balance:
            return "no"
        if event.amount > balance[event.account]:
            return Refusal("no", needed=event.amount, available=balance[event.account])
        balance[event.account] -= event.amount
        balance[event.other] += event.amount
"""

PROVED = {
    "nothing": "pass",
    "two names at once": """
        balance, owner = state.accounts.balance, state.accounts.owner
        if balance.get(event.account) is None:
            return "no"
        balance[event.account], owner[event.account] = 1, "x"
    """,
    "a name for a table": """
        accounts = state.accounts
        accounts.balance[event.account] = len(accounts.balance)
    """,
    "a return of nothing after a write": """
        if event.amount > 3:
            state.accounts.balance[event.account] = 1
            return None
        return "no"
    """,
    "a loop that refuses before a loop that writes": """
        wanted = {}
        for line in event.lines:
            if line.amount == 0:
                return "no"
            wanted[line.account] = wanted.get(line.account, 0) + line.amount
        for account, amount in wanted.items():
            state.accounts.balance[account] = amount
    """,
    "a loop that stops when it has written": """
        for line in event.lines:
            if line.amount == 0:
                return "no"
            state.accounts.balance[line.account] = 1
            break
    """,
    "a function that cannot refuse": """
        state.accounts.balance[event.account] = doubled(event.amount)
    """,
    "a function that raises, before a write": """
        amount = careful(event.amount)
        state.accounts.balance[event.account] = amount
    """,
    "a try without a write": """
        try:
            amount = int(event.account)
        except ValueError:
            return "no"
        state.accounts.balance[event.account] = amount
    """,
    "a match": """
        match event.amount:
            case 0:
                return "no"
            case amount if amount > 5:
                state.accounts.balance[event.account] = amount
            case _:
                pass
    """,
    "sums over lines": """
        balance = state.accounts.balance
        total = sum(balance.get(line.account, 0) for line in event.lines)
        total += event.amount
        ordered = sorted(event.lines, key=lambda line: line.amount)
        names = [line.account for line in ordered if line.account not in balance]
        names.append("x")
        balance[event.account] = total + zlib.crc32(names[0].encode())
    """,
    "a while": """
        left = event.amount
        while left > 10:
            left -= 10
        state.accounts.balance[event.account] = left
    """,
}

REFUSED = {
    "a reason after a write": (
        """
        state.accounts.balance[event.account] = 1
        if event.amount > 3:
            return "no"
        """,
        "line 3: it can still refuse here, and line 1 has written",
    ),
    "a call whose result may be a reason, after a write": (
        """
        state.accounts.balance[event.account] = 1
        return doubled(1)
        """,
        "can still refuse",
    ),
    "raise after a write": (
        """
        state.accounts.balance[event.account] = 1
        raise ValueError
        """,
        "can still raise",
    ),
    "assert after a write": (
        """
        state.accounts.balance[event.account] = 1
        assert event.amount
        """,
        "can still raise",
    ),
    "a function that raises, after a write": (
        """
        state.accounts.balance[event.account] = 1
        state.accounts.balance[event.other] = careful(1)
        """,
        "careful can raise",
    ),
    "a key that raises, after a write": (
        """
        state.accounts.balance["a"], state.accounts.balance[careful(1)] = 1, 1
        """,
        "careful can raise",
    ),
    "a write before the refusal of the next line": (
        """
        for line in event.lines:
            if line.amount == 0:
                return "no"
            state.accounts.balance[line.account] = 1
        """,
        "line 3: it can still refuse here, and line 4 has written",
    ),
    "the same after continue": (
        """
        for line in event.lines:
            if line.amount == 0:
                return "no"
            if line.amount == 1:
                state.accounts.balance[line.account] = 1
                continue
        """,
        "can still refuse",
    ),
    "a refusal after a loop that was left": (
        """
        for line in event.lines:
            state.accounts.balance[line.account] = 1
            break
        else:
            return None
        return "no"
        """,
        "can still refuse",
    ),
    "a write inside try": (
        """
        try:
            state.accounts.balance[event.account] = 1
        except ValueError:
            pass
        """,
        "inside try",
    ),
    "with": ("with open('x'):\n    pass", "with inside a function"),
    "iteration": ("for key in state.accounts.balance:\n    pass", "of a column alone"),
    "a comprehension over a column": ("x = [key for key in state.accounts.balance]", "of a column alone"),
    "del": ("del state.accounts.balance[event.account]", "takes something out"),
    "pop": ("state.accounts.balance.pop(event.account)", "only get"),
    "a method without a call": ("take = state.accounts.balance.pop\ntake(1)", "only get"),
    "setdefault": ("state.accounts.balance.setdefault(event.account, 0)", "only get"),
    "remove": ("state.accounts.remove(event.account)", "takes a row out"),
    "entry": ("state.accounts.balance[event.account] = state.entry.time", "state.entry is not there"),
    "no such table": ("state.nobody.balance[event.account] = 1", "there is no table nobody"),
    "no such column": ("state.accounts.nothing[event.account] = 1", "there is no column nothing of accounts"),
    "the state given away": ("doubled(state)", "given to another function"),
    "a column given away": ("doubled(state.accounts.balance)", "given to another function"),
    "a column in a list": ("columns = [state.accounts.balance]", "of a column alone"),
    "a column in a dict": ("columns = {}\ncolumns['a'] = state.accounts.balance", "of a column alone"),
    "a column by a walrus": ("(balance := state.accounts.balance)", "of a column alone"),
    "a column by a condition": ("b = state.accounts.balance if event.amount else 1", "of a column alone"),
    "a column or something else": (
        "b = state.accounts.balance\nif event.amount:\n    b = {}\nb[1] = 2",
        "b stands for a part of the state, and for something else",
    ),
    "a column rebound by a loop": (
        "b = state.accounts.balance\nfor b in event.lines:\n    pass",
        "stands for a part of the state, and for something else",
    ),
    "a column in a text": ("x = f'{state.accounts.balance}'", "of a column alone"),
    "a comparison of columns": ("x = state.accounts.balance == {}", "of a column alone"),
    "the truth of a column": ("if state.accounts.balance:\n    pass", "of a column alone"),
    "a lambda": ("f = lambda: state.accounts.balance[event.account]", "a lambda sees the state"),
    "a function inside": ("def inner():\n    pass\ninner()", "function inside a function"),
    "global": ("global COUNT\nCOUNT = 1", "global inside a function"),
    "import": ("import os", "import inside a function"),
    "a list of the module": ("SEEN.append(1)", "may change something else"),
    "an element of the module's": ("TIMES['a'] = 1", "the state alone may be"),
    "an attribute": ("event.amount = 1", "the state alone may be"),
    "the event's list": ("event.lines.append(1)", "may change something else"),
    "the event's list by a name": ("lines = event.lines\nlines.clear()", "may change something else"),
    "the event's list in place": ("lines = event.lines\nlines += [1]", "write lines = lines + [1]"),
    "getattr": ("getattr(state, 'accounts').balance[1] = 1", "getattr"),
    "eval": ("eval('1')", "what eval does"),
    "exec": ("exec('1')", "what exec does"),
    "print": ("print(1)", "what print does"),
    "a dunder": ("event.__class__.x(1)", "reaches behind"),
    "a call of what was given": ("f = doubled\nf(1)", "what f does"),
    "a call of an element": ("TIMES['a'](1)", "what TIMES['a'] does"),
    "a method of the model": ("event.tell()", "method that is not known"),
    "a keyword that is called": ("sorted(event.lines, key=TIMES)", "what TIMES does"),
    "yield": ("yield 1", "nothing that can be proved"),
    "no such name": ("x = nowhere", "there is no nowhere"),
    "a loop over an element": ("for TIMES['a'] in event.lines:\n    pass", "binds names"),
    "a column in a pattern": (
        "match event.amount:\n    case state.accounts.balance:\n        pass",
        "of a column alone",
    ),
}


def test_the_shop_and_the_bank_are_proved(declare: Declare) -> None:
    assert prove(SHOP) is None
    assert prove(declare(BANK, fast=True)) is None


@pytest.mark.parametrize("body", PROVED.values(), ids=PROVED)
def test_a_rule_that_checks_before_it_writes_is_proved(declare: Declare, body: str) -> None:
    assert prove(declare.rule(body)) is None


@pytest.mark.parametrize(("body", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_known_to_be_safe_is_refused_with_its_line(declare: Declare, body: str, said: str) -> None:
    unproved = prove(declare.rule(body))
    assert unproved is not None
    file, _, line = unproved.where.partition(":")
    number = int(line) - declare.before
    assert file == declare.file.name
    assert 0 <= number <= len(body.splitlines())
    # Lines of a body are counted from 1 here, and by file in what is said.
    sentence = unproved.sentence
    for index in range(1, 9):
        sentence = sentence.replace(f"line {index + declare.before} ", f"line {index} ")
    assert said in f"line {number}: {sentence}"


def test_the_line_that_is_named_may_be_in_a_function_that_is_called(declare: Declare) -> None:
    unproved = prove(declare("def helper():\n    print(1)\n\ndef apply(state, event):\n    helper()\n"))
    assert unproved is not None
    assert Path(declare.file).read_text().splitlines()[int(unproved.where.partition(":")[2]) - 1] == "    print(1)"


def test_what_is_no_plain_function_is_refused(declare: Declare) -> None:
    domain = declare.rule("pass")

    class Rule:
        def __call__(self, state: object, event: object) -> None: ...

    def within(column: object) -> Callable[..., object]:
        return lambda *_: column

    rules: list[Callable[..., object]] = [Rule(), within(1), len]
    for apply in rules:
        changed = replace(domain, events=(replace(domain.events[0], apply=apply),))
        assert prove(changed) is not None


@pytest.mark.parametrize(
    "signature",
    ["state, event, seen=[]", "state, *events", "state, event, *, seen=[]", "state, event, **more"],
)
def test_a_rule_takes_the_state_and_the_event(declare: Declare, signature: str) -> None:
    unproved = prove(declare(f"def apply({signature}):\n    pass\n"))
    assert unproved is not None
    assert "something else than the state and the event" in unproved.sentence


def test_an_unproved_domain_that_says_it_is_fast_is_not_loaded(declare: Declare) -> None:
    body = 'state.accounts.balance[event.account] = 1\nreturn "no"'
    declare.rule(body)
    load(str(declare.file))
    declare.rule(body, fast=True)
    with pytest.raises(DomainFileError, match=r"^rules\.py:\d+: fast is not proved: .* Write only after the last"):
        load(str(declare.file))


def test_the_proof_takes_a_few_milliseconds() -> None:
    def taken() -> float:
        start = time.process_time()
        assert prove(SHOP) is None
        return time.process_time() - start

    assert min(taken() for _ in range(5)) < 0.03


def test_unproved_says_where_and_what() -> None:
    assert Unproved("a.py:1", "it").where == "a.py:1"
