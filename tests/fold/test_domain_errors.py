"""What becomes of a page on which a function of the domain fails: it ends before that entry, and says where and why."""

import inspect
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from esdash.domain import EventType, Refusal
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.words.entries import describe_event
from tests.fold.trying import Do, Trial, entry, folding, in_words, rows

HERE = "test_domain_errors.py"


class Word(str):
    """A text of a class of its own."""

    __slots__ = ()


class Number(int):
    """A number of a class of its own."""


def raises(*_: Any) -> None:
    raise RuntimeError("out of order")


def divides(*_: Any) -> float:
    return 1 // 0


def asks_json(*_: Any) -> None:
    json.loads("{")


def catches(state: Any, _: Do) -> str | None:
    try:
        state.things.n["x"] = "text"
    except Exception:  # noqa: BLE001 - as rules that are not careful do
        return "no"
    return None


def hides(state: Any, _: Do) -> None:
    with suppress(BaseException):
        state.things.n[7] = 1


FAULTS: dict[str, tuple[Callable[[Any, Do], object], str]] = {
    "raises": (raises, "RuntimeError: out of order"),
    "divides by zero": (divides, "ZeroDivisionError: integer division or modulo by zero"),
    "fails in a library": (asks_json, "JSONDecodeError: Expecting property name"),
    "raises nothing to say": (lambda *_: (_ for _ in ()).throw(KeyError), "KeyError"),
    "raises a sentence": (lambda *_: (_ for _ in ()).throw(ValueError("no such day")), "ValueError: no such day"),
    "ends the program": (lambda *_: sys.exit(3), "it ends the program, and may not"),
    "catches what was wrong": (catches, "things.n holds int, and 'text' is none"),
    "hides what was wrong": (hides, "the keys of things are str, and 7 is none"),
    "returns True": (lambda *_: True, "it returned True, which is none of the domain's reasons"),
    "returns False": (lambda *_: False, "it returned False"),
    "returns 0": (lambda *_: 0, "it returned 0"),
    "returns the state": (lambda state, _: state, "it returned <"),
    "returns another reason": (lambda *_: "nope", "it returned 'nope', which is none of the domain's reasons"),
    "returns a reason of esdash's": (lambda *_: "invalid_data", "it returned 'invalid_data'"),
    "refuses without a reason": (lambda *_: Refusal("boredom", 2, 1), "it returned 'boredom'"),
    "writes a text for a number": (
        lambda state, _: state.things.n.__setitem__("a", "1"),
        "things.n holds int, and '1' is none",
    ),
    "writes True for a number": (
        lambda state, _: state.things.n.__setitem__("a", True),
        "things.n holds int, and True",
    ),
    "writes a number for a truth": (lambda state, _: state.things.flag.__setitem__("a", 1), "things.flag holds bool"),
    "writes a float": (lambda state, _: state.things.n.__setitem__("a", 1.0), "things.n holds int, and 1.0"),
    "writes None": (lambda state, _: state.things.n.__setitem__("a", None), "things.n holds int, and None is none"),
    "sets None by default": (lambda state, _: state.things.n.setdefault("z"), "things.n holds int, and None is none"),
    "writes a number of another class": (
        lambda state, _: state.things.n.__setitem__("a", Number(1)),
        "things.n holds int, and 1 is none",
    ),
    "writes a text of another class": (
        lambda state, _: state.things.text.__setitem__("a", Word("x")),
        "things.text holds str, and 'x' is none",
    ),
    "writes half a character": (
        lambda state, _: state.things.text.__setitem__("a", "\ud800"),
        "things.text holds text",
    ),
    "a key of another kind": (
        lambda state, _: state.things.n.__setitem__(1, 1),
        "the keys of things are str, and 1 is none",
    ),
    "True for the key 1": (lambda state, _: state.marks.n.__setitem__(True, 1), "the keys of marks are int, and True"),
    "1.0 for the key 1": (lambda state, _: state.marks.n.__setitem__(1.0, 1), "the keys of marks are int, and 1.0"),
    "a list for a key": (lambda state, _: state.things.n.__setitem__([], 1), "TypeError: unhashable type"),
    "a cell without its row": (
        lambda state, _: state.things.text.__setitem__("z", "x"),
        "things.text['z'] was left without its row: there is no things.n['z']",
    ),
    "a cell that outlives its row": (
        lambda state, _: (
            state.things.n.setdefault("q", 1),
            state.things.remove("q"),
            state.things.flag.setdefault("q", False),
            None,
        )[3],
        "things.flag['q'] was left without its row",
    ),
}


def line_of(function: Callable[..., Any]) -> int:
    """The line of a function's `def`, or of a lambda."""
    return function.__code__.co_firstlineno


def page_around(fault: int, size: int) -> list[Any]:
    """Entries of which one does what is wrong, keys and a refused one among them."""
    events = [Do("bad" if number == fault else "no" if number == 1 else "a", number) for number in range(size)]
    return [entry(number, event, b"k%d" % number) for number, event in enumerate(events)]


def faulty(fault: Callable[[Any, Do], object]) -> Fold:
    def apply(state: Any, event: Do) -> object:
        if event.key == "bad":
            state.things.n["gone"] = 1
            state.marks.n[1] = 100
            return fault(state, event)
        if event.key == "no":
            return "no"
        state.things.n[event.key] = event.n
        state.marks.n[1] = event.n
        return None

    return folding(apply)


@pytest.mark.parametrize(("fault", "what"), FAULTS.values(), ids=FAULTS)
class TestAFault:
    @pytest.mark.parametrize("tell", [False, True])
    @pytest.mark.parametrize("place", [0, 2, 5])
    def test_ends_the_page_before_its_entry(
        self,
        fault: Callable[[Any, Do], object],
        what: str,  # noqa: ARG002 - of the other tests
        place: int,
        tell: bool,
    ) -> None:
        fold, page = faulty(fault), page_around(place, 6)
        state, expected = fold.empty(), fold.empty()
        codes = fold.fold(expected, page[:place])
        with pytest.raises(DomainError) as failed:
            fold.fold(state, page, [] if tell else None)
        assert failed.value.codes == codes
        assert not failed.value.spoiled
        assert rows(fold, state) == rows(fold, expected)
        assert state.counts == expected.counts
        assert list(state.key_order) == list(expected.key_order)
        assert state.keys == expected.keys
        assert fold.digest(state) == fold.digest(expected)

    def test_is_named_with_file_and_line(self, fault: Callable[[Any, Do], object], what: str) -> None:
        fold = faulty(fault)
        with pytest.raises(DomainError) as failed:
            fold.fold(fold.empty(), page_around(0, 1))
        file, _, line = failed.value.where.rpartition(":")
        assert file == HERE
        assert 1 < int(line) <= len(inspect.getsource(inspect.getmodule(TestAFault)).splitlines())  # type: ignore[arg-type]
        assert failed.value.what.startswith(what)
        assert str(failed.value).startswith(f"{failed.value.where}: {failed.value.what.rstrip('.')}")
        assert "\n" not in str(failed.value)

    def test_is_named_in_a_preview_as_well_and_leaves_the_state(
        self, fault: Callable[[Any, Do], object], what: str
    ) -> None:
        fold = faulty(fault)
        state = fold.empty()
        fold.fold(state, page_around(9, 4))
        digest = fold.digest(state)
        with pytest.raises(DomainError) as failed:
            fold.decide(state, Do("bad"))
        assert failed.value.what.startswith(what)
        assert fold.digest(state) == digest

    def test_when_mended_the_fold_goes_on_with_that_entry(
        self,
        fault: Callable[[Any, Do], object],
        what: str,  # noqa: ARG002
    ) -> None:
        broken, mended, page = faulty(fault), faulty(lambda *_: None), page_around(3, 6)
        state, whole = broken.empty(), mended.empty()
        with pytest.raises(DomainError) as failed:
            broken.fold(state, page)
        restored = mended.load(list(broken.dump(state)))
        rest = mended.fold(restored, page[len(failed.value.codes) :])
        assert failed.value.codes + rest == mended.fold(whole, page)
        assert mended.digest(restored) == mended.digest(whole)


class TestTheLine:
    @pytest.mark.parametrize(("function", "below"), [(raises, 1), (divides, 1), (asks_json, 1)])
    def test_is_the_last_one_of_the_domain(self, function: Callable[[Any, Do], object], below: int) -> None:
        with pytest.raises(DomainError) as failed:
            Trial(function).does()
        assert failed.value.where == f"{HERE}:{line_of(function) + below}"

    def test_of_what_is_found_after_the_function_is_its_own(self) -> None:
        def wrong(*_: Any) -> str:
            return "nope"

        def lonely(state: Any, _: Do) -> None:
            state.things.text["z"] = "x"

        for function in (wrong, lonely):
            with pytest.raises(DomainError) as failed:
                Trial(function).does()
            assert failed.value.where == f"{HERE}:{line_of(function)}"

    def test_of_a_wrong_value_is_that_which_writes_it(self) -> None:
        def apply(state: Any, _: Do) -> None:
            state.things.n["a"] = 1
            state.things.n["b"] = "two"

        with pytest.raises(DomainError) as failed:
            Trial(apply).does()
        assert failed.value.where == f"{HERE}:{line_of(apply) + 2}"


def test_a_description_that_fails_is_replaced_by_the_default() -> None:
    def ends(_: Do) -> str:
        sys.exit(3)

    for describe in (raises, ends):
        fold = folding(lambda *_: None, describe=describe)
        assert describe_event(fold, Do("a", 5)) == describe_event(folding(lambda *_: None), Do("a", 5))


ENDED = """
import os, signal
from esdash import signals
from tests.fold.trying import Trial
signals.end_at_once()
with signals.ending_in_order():
    Trial(lambda *_: [os.kill(os.getpid(), signal.SIGTERM), sum(range(100_000))][2:] or None).does()
"""


def test_a_signal_that_ends_the_program_meanwhile_is_no_failure_of_the_domain() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDED], cwd=Path(__file__).parents[2], capture_output=True)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGTERM, b"")


class Checked(Struct, frozen=True):
    """A model that fails on some of its own values, in several ways."""

    n: int

    def __post_init__(self) -> None:
        if self.n == 13:
            raise ValueError("unlucky")
        if self.n == 0:
            print(1 // self.n)


class TestAModelThatFails:
    def test_ends_the_page_before_its_entry_and_not_before_the_page(self) -> None:
        seen: list[int] = []
        fold = folding(lambda *_: None, EventType(Checked, lambda _, event: seen.append(event.n)))
        page = [(b"%d-0" % n, [b"type", b"Checked", b"data", b'{"n":%d}' % n]) for n in (1, 13, 2, 0, 3)]
        state = fold.empty()
        with pytest.raises(DomainError, match=rf"{HERE}:\d+: ZeroDivisionError") as failed:
            fold.fold(state, page)
        assert in_words(fold, failed.value.codes) == ["applied", "parked:invalid_data", "applied"]
        assert seen == [1, 2]
        assert sum(state.counts) == 3

    def test_is_no_event_when_it_is_only_read(self) -> None:
        made = EventType(Checked, lambda *_: None)
        fold = folding(lambda *_: None, made)
        assert in_words(fold, [fold.read([b"type", b"Checked", b"data", b'{"n":0}']).code or 0]) == [
            "parked:invalid_data"
        ]
        event, why = fold.decode(made, b'{"n":0}')
        assert event is None
        assert "Checked failed: integer division" in why
        assert fold.decode(made, b'{"n":13}') == (None, "unlucky")


class TestAFastDomain:
    def test_that_fails_says_that_the_state_is_spoiled_and_is_careful_from_then_on(self) -> None:
        def apply(state: Any, event: Do) -> object:
            if event.key == "bad":
                state.marks.n[1] = 100
                return "nope"
            state.marks.n[event.n] = 1
            return None

        fold, page = folding(apply, fast=True), page_around(3, 5)
        assert not fold.careful
        with pytest.raises(DomainError) as failed:
            fold.fold(fold.empty(), page)
        assert failed.value.spoiled
        assert len(failed.value.codes) == 3
        assert fold.careful
        again = fold.empty()
        with pytest.raises(DomainError, match="it returned 'nope', which is none of the domain's reasons") as failed:
            fold.fold(again, page)
        assert not failed.value.spoiled
        assert rows(fold, again)["marks"] == {0: {"n": 1}, 1: {"n": 1}, 2: {"n": 1}}

    def test_decides_like_the_same_domain_with_hooks(self) -> None:
        def apply(state: Any, event: Do) -> object:
            if event.n % 3 == 0:
                return Refusal("no", event.n, 1)
            state.marks.n[event.n % 5] = state.marks.n.get(event.n % 5, 0) + event.n
            state.marks.m[event.n % 5] = 1
            return None

        folds = [folding(apply, fast=fast) for fast in (False, True)]
        page = [entry(number, Do(n=number), b"%d" % (number % 40)) for number in range(60)]
        states = [fold.empty() for fold in folds]
        assert len({fold.fold(state, page) for fold, state in zip(folds, states, strict=True)}) == 1
        assert len({fold.digest(state) for fold, state in zip(folds, states, strict=True)}) == 1
