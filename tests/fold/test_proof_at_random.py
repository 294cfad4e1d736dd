"""Random rules, the proved ones tried on bare mappings: none writes before it refuses."""

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from esdash.domain import Domain
from esdash.fold.proof import prove
from tests.fold.declaring import Declare

RULES: Final = 25
"""Functions in a file, which is read for each."""

EVENTS: Final = 40

READS: Final = (
    "{b}[event.account]",
    "{b}.get(event.other)",
    "{b}.get(event.account, 0)",
    "len({b})",
    "event.account in {b}",
    "event.other not in {b}",
    "n",
    "event.amount",
    "doubled(event.amount)",
    "sum({b}.get(line.account, 0) for line in event.lines)",
    "sum(line.amount for line in event.lines)",
    "max(event.amount, 3)",
    # Tricks, of which none may be proved with what they hide.
    "{b}.setdefault(event.account, 7)",
    "{b}.pop(event.account, 0)",
    "(lambda: {b}.pop(event.account, 0))()",
    "put({b}, event.account)",
    "[{b}][0].setdefault(event.other, 3)",
    "{b}.__setitem__(event.account, 3)",
    "next(iter({b}.values()), 0)",
    "(c := {b})",
    "careful(event.amount)",
)
BALANCES: Final = ("state.accounts.balance", "state.accounts.balance", "b", "b", "c", "t.balance")
NAMES: Final = (
    "b = state.accounts.balance",
    "c = b",
    "b, c = state.accounts.balance, state.accounts.balance",
    "t = state.accounts",
    "s = state",
    "c = {}",
    "c = [state.accounts.balance][0]",
    "c = state.accounts.balance if n else {}",
    "c = dict(w)",
    "c = w = {}",
    "for c in (state.accounts.balance,):\n    break",
    "(c := state.accounts.balance)",
    "w[1] = state.accounts.balance",
    "c = w.get(1, w)",
    "put = w.setdefault",
)


class Writer:
    """Makes up functions."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def function(self, name: str) -> str:
        """One function."""
        lines = ["n = event.amount", "w = {}"]
        if self._chance.random() < 0.8:
            lines.append("b = state.accounts.balance")
        if self._chance.random() < 0.3:
            lines += ["c = b", "t = state.accounts"]
        lines += self._block(0, looping=False)
        return f"def {name}(state, event):\n" + "\n".join(f"    {line}" for line in lines) + "\n"

    def _block(self, depth: int, *, looping: bool) -> list[str]:
        found: list[str] = []
        for _ in range(self._chance.randint(1, 3 if depth else 5)):
            found += self._statement(depth, looping=looping)
        return found

    def _statement(self, depth: int, *, looping: bool) -> list[str]:
        drawn = self._chance.random()
        deep = depth < 3
        if drawn < 0.22:
            return [f"{self._column()}[{self._key()}] {self._pick('=', '=', '+=', '-=')} {self._read()}"]
        if drawn < 0.34:
            return [
                self._pick(
                    'return "no"', 'return "no"', "return None", "return", 'return Refusal("no")', "raise ValueError"
                )
            ]
        if drawn < 0.42:
            return [f"n {self._pick('=', '+=')} {self._read()}"]
        if drawn < 0.50:
            return self._pick(*NAMES).split("\n")
        if drawn < 0.54 and looping:
            return [self._pick("break", "continue")]
        if drawn < 0.56:
            return [
                self._pick("w[event.account] = n", "w[n] += 1", "assert n", "event.lines.append(n)", "SEEN.append(b)")
            ]
        if drawn < 0.76 and deep:
            found = [f"if {self._test()}:", *self._indented(depth, looping=looping)]
            if self._chance.random() < 0.4:
                found += ["else:", *self._indented(depth, looping=looping)]
            return found
        if drawn < 0.88 and deep:
            head = self._pick(
                "for line in event.lines:", "for i in range(3):", f"while turns_{depth} < 3:", "for k in list(w):"
            )
            found = [head, *self._indented(depth, looping=True)]
            if head.startswith("while"):
                found = [f"turns_{depth} = 0", head, f"    turns_{depth} += 1", *found[1:]]
            if self._chance.random() < 0.2:
                found += ["else:", *self._indented(depth, looping=looping)]
            return found
        if drawn < 0.93 and deep:
            last = self._pick("except ValueError:", "except KeyError:", "finally:")
            return ["try:", *self._indented(depth, looping=looping), last, *self._indented(depth, looping=looping)]
        if drawn < 0.96 and deep:
            found = [f"match {self._read()}:", "    case 1:", *self._indented(depth + 1, looping=looping, by=8)]
            return [
                *found,
                f"    case {self._pick('_', 'n', 'c', 'None')}:",
                *self._indented(depth + 1, looping=looping, by=8),
            ]
        return [self._pick("pass", self._read(), f"del {self._column()}[{self._key()}]", "state.accounts.remove(n)")]

    def _indented(self, depth: int, *, looping: bool, by: int = 4) -> list[str]:
        return [" " * by + line for line in self._block(depth + 1, looping=looping)]

    def _read(self) -> str:
        some = READS[:12] if self._chance.random() < 0.93 else READS[12:]
        return self._chance.choice(some).format(b=self._column())

    def _test(self) -> str:
        one = self._read()
        return self._pick(one, f"{one} == {self._read()}", f"n > {self._chance.randint(0, 9)}", f"not {one}")

    def _column(self) -> str:
        return self._pick(*BALANCES[: 4 if self._chance.random() < 0.8 else 6])

    def _key(self) -> str:
        return self._pick("event.account", "event.other", "event.account", "'k'", "n")

    def _pick(self, *choices: str) -> str:
        return self._chance.choice(choices)


HELPERS: Final = """
def put(column, key):
    column[key] = 99
    return 1


"""


def declared(declare: Declare, seed: int) -> tuple[Domain, dict[str, Callable[[Any, Any], object]]]:
    """A domain, and functions of its file."""
    writer = Writer(seed)
    sources = [writer.function(f"rule_{index}") for index in range(RULES)]
    source = "\n\n".join(
        [HELPERS, *sources, f"def apply(state, event):\n    return ({', '.join(f'rule_{i}' for i in range(RULES))})\n"]
    )
    domain = declare(source)
    apply: Any = domain.events[0].apply
    return domain, dict(zip(sources, apply(None, None), strict=True))


def bare() -> tuple[Any, dict[Any, Any], dict[Any, Any]]:
    """A state of bare mappings, and its columns."""
    balance: dict[Any, Any] = {"a": 3, "b": 0, "k": 12, 3: 1}
    owner: dict[Any, Any] = {"a": "x"}
    return SimpleNamespace(accounts=SimpleNamespace(balance=balance, owner=owner)), balance, owner


def events(chance: random.Random) -> Iterator[Any]:
    """Events of any kind."""
    for _ in range(EVENTS):
        lines = [
            SimpleNamespace(account=chance.choice("abcd"), amount=chance.randint(0, 4))
            for _ in range(chance.randint(0, 3))
        ]
        amount = chance.choice((0, 1, 3, 4, 9, 30))
        yield SimpleNamespace(account=chance.choice("abcd"), other=chance.choice("abcd"), amount=amount, lines=lines)


def test_a_proved_rule_that_refuses_has_written_nothing(declare: Declare) -> None:
    refusals = [count for seed in range(6) for count in refused(*declared(declare, seed), random.Random(seed))]
    assert len(refusals) > 15
    assert sum(refusals) > 200


def refused(domain: Domain, functions: dict[str, Callable[[Any, Any], object]], chance: random.Random) -> Iterator[int]:
    """How often each of the functions that are proved refused."""
    for source, function in functions.items():
        if prove(replace(domain, events=(replace(domain.events[0], apply=function),))) is not None:
            continue
        count = 0
        state, balance, owner = bare()
        for event in events(chance):
            before, event_before = (balance.copy(), owner.copy()), copy.deepcopy(event)
            try:
                refusal = function(state, event) is not None
            except ValueError:
                refusal = True
            except Exception:  # noqa: BLE001 - a rule that fails halts the consumer, whatever it wrote
                refusal = False
                state, balance, owner = bare()
            else:
                assert event == event_before, source
            if refusal:
                count += 1
                assert (balance, owner) == before, source
        yield count
