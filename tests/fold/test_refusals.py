"""What becomes of an entry that a rule refuses: nothing stays of what was written, and the numbers are told."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import astuple

from esdash.domain import COUNT, EventType, Refusal
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.fold.folding import Fold, Told
from esdash.words.outcomes import shortfall
from tests.fold.trying import Apply, Do, Named, Trial, entry, folding, in_words, rows

WRITES: dict[str, Callable[[Any], object]] = {
    "a new row": lambda state: state.things.n.__setitem__("new", 1),
    "a cell": lambda state: state.things.n.__setitem__("a", 9),
    "a cell twice": lambda state: [state.things.n.__setitem__("a", value) for value in (8, 9)],
    "an absent cell": lambda state: state.things.text.__setitem__("b", "y"),
    "a cell taken out": lambda state: state.things.text.pop("a"),
    "a row removed": lambda state: state.things.remove("a"),
    "a row removed and made": lambda state: (state.things.remove("a"), state.things.n.setdefault("a", 5)),
    "a row made and removed": lambda state: (state.things.n.setdefault("c", 5), state.things.remove("c")),
    "another column without its row": lambda state: state.things.text.__setitem__("z", "y"),
    "everything": lambda state: [state.things.remove(key) for key in state.things.n],
    "another table": lambda state: (state.marks.n.__setitem__(7, 1), state.marks.m.setdefault(7, 2)),
}
REFUSALS: dict[str, tuple[object, str]] = {
    "a reason": ("no", "rejected:no"),
    "a refusal": (Refusal("never", 2, 1), "rejected:never"),
    "overflow": (None, "rejected:overflow"),
}
BEYOND: dict[str, Callable[[Any], object]] = {
    "an int above": lambda state: state.marks.n.__setitem__(1, MAX_INT + 1),
    "an int below": lambda state: state.marks.n.__setitem__(1, MIN_INT - 1),
    "a key above": lambda state: state.marks.n.__setitem__(MAX_INT + 1, 1),
    "a key below": lambda state: state.marks.n.__setitem__(MIN_INT - 1, 1),
    "a long text": lambda state: state.things.text.__setitem__("a", "x" * 4_097),
    "a text long in bytes": lambda state: state.things.text.__setitem__("a", "é" * 2_049),
    "an empty key": lambda state: state.things.n.__setitem__("", 1),
    "a long key": lambda state: state.things.n.__setitem__("k" * 257, 1),
    "a key with a control character": lambda state: state.things.n.__setitem__("a\x00", 1),
    "a key with another": lambda state: state.things.n.setdefault("\x9f", 1),
}


def furnished(apply: Apply, kind: str = "plain", **more: Any) -> Trial:
    """A trial whose state has something in it."""
    trial = Trial(apply, **more)
    trial.put("things", "a", n=1, text="x", flag=True)
    trial.put("things", "b", n=2)
    trial.put("marks", 1, n=1, m=1)
    if kind == "forked":
        trial.state.fork()
    return trial


@pytest.mark.parametrize("kind", ["plain", "forked"])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_whatever_was_written_is_undone(write: Callable[[Any], object], refusal: tuple[object, str], kind: str) -> None:
    def apply(state: Any, _: Do) -> object:
        write(state)
        if refusal[0] is None:
            state.marks.n[2] = MAX_INT + 1
        return refusal[0]

    trial = furnished(apply, kind)
    before, order = rows(trial.fold, trial.state), [len(cells) for cells in trial.state.cells]
    assert trial.does() == refusal[1]
    assert rows(trial.fold, trial.state) == before
    assert [len(cells) for cells in trial.state.cells] == order
    assert sum(trial.state.counts) == 1
    other = furnished(apply, kind)
    other.state.counts[:] = trial.state.counts
    assert trial.fold.digest(trial.state) == other.fold.digest(other.state)


class TestOverflow:
    @pytest.mark.parametrize("write", BEYOND.values(), ids=BEYOND)
    def test_of_what_would_leave_the_bounds(self, write: Callable[[Any], object]) -> None:
        def apply(state: Any, _: Do) -> None:
            state.things.n["a"] = 100
            write(state)

        trial = furnished(apply)
        assert trial.does() == "rejected:overflow"
        assert trial.things["a"] == {"n": 1, "text": "x", "flag": True}

    @pytest.mark.parametrize("write", BEYOND.values(), ids=BEYOND)
    @pytest.mark.parametrize("caught", [Exception, BaseException])
    def test_cannot_be_swallowed(self, write: Callable[[Any], object], caught: type[BaseException]) -> None:
        def apply(state: Any, _: Do) -> None:
            try:
                write(state)
            except caught:
                state.things.n["a"] = 100

        trial = furnished(apply)
        assert trial.does() == "rejected:overflow"
        assert trial.things["a"]["n"] == 1
        assert trial.fold.decide(trial.state, Do())[0] == trial.fold.outcomes.index(("rejected", "overflow"))

    def test_outweighs_a_reason_that_is_returned_for_it(self) -> None:
        def apply(state: Any, _: Do) -> str:
            try:
                state.marks.n[1] = MAX_INT + 1
            except BaseException:  # noqa: BLE001 - as a careless domain would
                return "no"
            return "never"

        assert furnished(apply).does() == "rejected:overflow"

    def test_does_not_spill_into_the_next_entry(self) -> None:
        def apply(state: Any, event: Do) -> None:
            state.marks.n[1] = event.n

        fold = Trial(apply).fold
        state = fold.empty()
        page = [entry(number, Do(n=n)) for number, n in enumerate((1, MAX_INT + 1, 2, MAX_INT + 1, 3))]
        overflow = "rejected:overflow"
        assert in_words(fold, fold.fold(state, page)) == ["applied", overflow, "applied", overflow, "applied"]
        assert rows(fold, state)["marks"] == {1: {"n": 3}}

    def test_is_decided_by_a_domain_that_declares_it(self) -> None:
        def apply(_: Any, event: Do) -> object:
            return Refusal("overflow", event.n, 10) if event.n > 10 else None

        trial = furnished(apply, reasons={"overflow": "More than ten.", "no": "No."})
        names = [outcome.reason for outcome in trial.fold.outcomes]
        assert names.count("overflow") == 1
        assert trial.does(Do(n=10)) == "applied"
        code, told = trial.fold.explain(trial.state, entry(9, Do(n=11)))
        assert in_words(trial.fold, [code]) == ["rejected:overflow"]
        assert (told.needed, told.available) == (11, 10)

    def test_is_a_reason_that_every_domain_may_return(self) -> None:
        assert furnished(lambda *_: "overflow").does() == "rejected:overflow"


class TestWhatIsTold:
    def test_the_numbers_that_decided_and_no_changes(self) -> None:
        def apply(state: Any, event: Do) -> object:
            state.things.n["a"] = 50
            return Refusal("no", event.n, 7, COUNT) if event.n else "no"

        trial = furnished(apply)
        assert trial.fold.explain(trial.state, entry(1, Do(n=12)))[1] == Told((), 12, 7, COUNT)
        assert trial.fold.explain(trial.state, entry(2, Do()))[1] == Told()

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ((Decimal("2.5"), 1), (None, 1)),
            (("many", "few"), (None, None)),
            ((True, 1.5), (None, None)),
            ((10**30, -1), (10**30, -1)),
            ((10**8_000, 1 - 10**4_000), (None, 1 - 10**4_000)),
            ((2, 1, "money"), (2, 1)),
        ],
    )
    def test_what_is_no_number_is_not_told(self, given: Any, told: tuple[int | None, int | None]) -> None:
        trial = furnished(lambda *_: Refusal("no", *given))
        found = trial.fold.explain(trial.state, entry(1, Do()))[1]
        assert found == Told((), *told)
        assert isinstance(shortfall(found), str)

    def test_they_are_no_part_of_the_state(self) -> None:
        one, other = (furnished(lambda _, event: Refusal("no", event.n, 1)) for _ in range(2))
        one.does(Do(n=2))
        other.does(Do(n=3))
        assert one.fold.digest(one.state) == other.fold.digest(other.state)

    def test_changes_are_told_in_the_order_of_the_first_write_and_only_where_something_changed(self) -> None:
        def apply(state: Any, _: Do) -> None:
            state.marks.n[1] = 4
            state.things.flag["a"] = False
            state.things.n["a"] = 1
            state.things.text["b"] = "y"
            state.marks.n[1] = 5
            state.things.remove("b")
            state.things.n["c"] = 3

        trial = furnished(apply)
        _, told = trial.fold.explain(trial.state, entry(1, Do()))
        assert [astuple(change) for change in told.changes] == [
            ("marks", 1, "n", 1, 5),
            ("things", "a", "flag", True, False),
            ("things", "b", "n", 2, None),
            ("things", "c", "n", None, 3),
        ]


class TestFieldsThatNameRows:
    @pytest.mark.parametrize("name", ["", "k" * 257, "a\x00", "\n", "\x7f", "\x85"])
    @pytest.mark.parametrize("place", ["thing", "others"])
    def test_which_could_be_no_key_are_invalid_before_any_rule(self, name: str, place: str) -> None:
        asked: list[Any] = []
        fold = _with_named(asked)
        event = Named(name) if place == "thing" else Named("a", 1, ["b", name])
        good = [entry(number, Named("a" if number else "é"), b"k%d" % number) for number in range(2)]
        page = [good[0], entry(5, event, b"key"), good[1]]
        state = fold.empty()
        assert in_words(fold, fold.fold(state, page)) == ["applied", "parked:invalid_data", "applied"]
        assert len(asked) == 2
        assert list(state.key_order) == [b"k0", b"k1"]

    @pytest.mark.parametrize("mark", [MAX_INT + 1, MIN_INT - 1, 2**64])
    def test_which_are_no_64_bit_integers_are_invalid(self, mark: int) -> None:
        asked: list[Any] = []
        fold = _with_named(asked)
        page = [entry(1, Named("a", MAX_INT)), entry(2, Named("a", mark)), entry(3, Named("a", MIN_INT))]
        assert in_words(fold, fold.fold(fold.empty(), page)) == ["applied", "parked:invalid_data", "applied"]
        assert [event.mark for event in asked] == [MAX_INT, MIN_INT]

    @pytest.mark.parametrize("name", ["k" * 256, "\u202e", " ", "\U0001f600" * 256])
    def test_which_could_be_a_key_are_handed_over(self, name: str) -> None:
        asked: list[Any] = []
        fold = _with_named(asked)
        assert in_words(fold, fold.fold(fold.empty(), [entry(1, Named(name, 1, [name, name]))])) == ["applied"]
        assert asked == [Named(name, 1, [name, name])]


def _with_named(asked: list[Any]) -> Fold:
    return folding(lambda *_: None, EventType(Named, lambda _, event: asked.append(event)))
