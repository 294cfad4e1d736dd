"""How a function of a domain reads and writes the state."""

from collections.abc import Callable
from typing import Any

import pytest

from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.fold.failing import DomainError
from esdash.fold.state import State
from tests.fold.trying import Apply, Do, Trial, folding, in_words, rows

KINDS = ["hooked", "forked", "over", "restored"]


def seen(kind: str, cells: dict[str, int], look: Callable[[Any], Any]) -> Any:
    """What a function sees of rows `things.n`, in a state that came about in one of several ways."""
    found: list[Any] = []

    def apply(state: Any, event: Do) -> None:
        if event.n:
            state.things.n[event.key] = event.n
        else:
            found.append(look(state))

    trial = Trial(apply)
    names = list(cells)
    for name in names[: len(names) // 2]:
        assert trial.does(Do(name, cells[name])) == "applied"
    if kind == "forked":
        trial.state.fork()
    elif kind == "over":
        trial.state = trial.state.over()
    elif kind == "restored":
        trial.state = trial.fold.load(list(trial.fold.dump(trial.state)))
    for name in names[len(names) // 2 :]:
        assert trial.does(Do(name, cells[name])) == "applied"
    assert trial.does(Do()) == "applied"
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
class TestReading:
    cells = {"b": 2, "d": 4, "a": 1, "c": 3}  # noqa: RUF012 - never changed

    def test_goes_in_ascending_order_of_keys(self, kind: str) -> None:
        assert seen(kind, self.cells, lambda state: list(state.things.n)) == ["a", "b", "c", "d"]
        assert seen(kind, self.cells, lambda state: list(reversed(state.things.n))) == ["d", "c", "b", "a"]
        assert seen(kind, self.cells, lambda state: [*state.things.text, *state.marks.n]) == []

    def test_by_key(self, kind: str) -> None:
        assert seen(kind, self.cells, lambda state: [state.things.n[key] for key in "abcd"]) == [1, 2, 3, 4]
        assert seen(kind, self.cells, lambda state: [state.things.n.get(key) for key in "ae"]) == [1, None]
        assert seen(kind, self.cells, lambda state: state.things.n.get("e", 7)) == 7
        assert seen(kind, self.cells, lambda state: [key in state.things.n for key in "ae"]) == [True, False]
        assert seen(kind, self.cells, lambda state: (len(state.things.n), len(state.things.text))) == (4, 0)

    def test_what_is_not_there_is_a_key_error(self, kind: str) -> None:
        with pytest.raises(DomainError, match=r"test_state_access\.py:\d+: KeyError: 'e'"):
            seen(kind, self.cells, lambda state: state.things.n["e"])
        with pytest.raises(DomainError, match="KeyError: 'e'"):
            seen(kind, self.cells, lambda state: state.things.n.pop("e"))
        with pytest.raises(DomainError, match="KeyError: 'e'"):
            seen(kind, self.cells, lambda state: state.things.n.__delitem__("e"))
        with pytest.raises(DomainError, match="KeyError: 'e'"):
            seen(kind, self.cells, lambda state: state.things.remove("e"))


@pytest.mark.parametrize("kind", KINDS[:3])
class TestWriting:
    @staticmethod
    def trial(kind: str, apply: Apply) -> Trial:
        trial = Trial(apply)
        trial.put("things", "a", n=1, text="x", flag=True)
        trial.put("things", "b", n=2)
        if kind == "forked":
            trial.state.fork()
        elif kind == "over":
            trial.state = trial.state.over()
        return trial

    def test_pop_gives_the_value_and_takes_it_out(self, kind: str) -> None:
        found: list[Any] = []

        def apply(state: Any, _: Do) -> None:
            found.extend([state.things.text.pop("a"), state.things.text.pop("a", None), state.things.text.pop("b", 7)])
            found.extend(["a" in state.things.text, "a" in state.things.n])

        trial = self.trial(kind, apply)
        assert trial.does() == "applied"
        assert found == ["x", None, 7, False, True]
        assert trial.things == {"a": {"n": 1, "flag": True}, "b": {"n": 2}}

    def test_setdefault_sets_only_what_is_absent(self, kind: str) -> None:
        found: list[Any] = []

        def apply(state: Any, _: Do) -> None:
            found.extend([state.things.n.setdefault("a", 9), state.things.n.setdefault("c", 9)])

        trial = self.trial(kind, apply)
        assert trial.does() == "applied"
        assert found == [1, 9]
        assert trial.things["c"] == {"n": 9}

    @pytest.mark.parametrize("way", ["remove", "del", "pop"])
    def test_taking_a_row_out_of_the_first_column_removes_all_of_it(self, kind: str, way: str) -> None:
        def apply(state: Any, event: Do) -> None:
            if way == "remove":
                state.things.remove(event.key)
            elif way == "del":
                del state.things.n[event.key]
            else:
                assert state.things.n.pop(event.key) in (1, 2)

        trial = self.trial(kind, apply)
        assert trial.does(Do("a")) == "applied"
        assert trial.things == {"b": {"n": 2}}
        assert [len(cells) for cells in trial.fold.cells_of(trial.state)["things"]] == [1, 0, 0]
        assert trial.does(Do("b")) == "applied"
        assert trial.things == {}

    def test_a_row_may_be_made_again_in_the_same_entry(self, kind: str) -> None:
        def apply(state: Any, _: Do) -> None:
            state.things.remove("a")
            state.things.n["a"] = 5

        trial = self.trial(kind, apply)
        assert trial.does() == "applied"
        assert trial.things["a"] == {"n": 5}

    def test_values_may_be_set_while_iterating(self, kind: str) -> None:
        def apply(state: Any, event: Do) -> None:
            for key in state.things.n:
                state.things.n[key] += 1
                state.things.n[key + key] = 10
            for key in state.things.n:
                if key == event.key:
                    state.things.remove(key)

        trial = self.trial(kind, apply)
        assert trial.does(Do("b")) == "applied"
        assert {key: row["n"] for key, row in trial.things.items()} == {"a": 2, "aa": 10, "bb": 10}

    def test_two_columns_of_a_row_in_any_order(self, kind: str) -> None:
        def apply(state: Any, _: Do) -> None:
            state.things.text["c"] = "first"
            state.things.n["c"] = 3

        trial = self.trial(kind, apply)
        assert trial.does() == "applied"
        assert trial.things["c"] == {"n": 3, "text": "first"}


class TestTheStateHasNothingElse:
    @pytest.mark.parametrize(
        "write",
        [
            lambda state: setattr(state, "more", 1),
            lambda state: setattr(state.things, "n", {}),
            lambda state: setattr(state.things.n, "more", 1),
            lambda state: state.others,
            lambda state: state.things.others,
        ],
    )
    def test_an_attribute_that_is_not_declared_is_an_error_of_the_domain(self, write: Callable[[Any], Any]) -> None:
        def apply(state: Any, _: Do) -> None:
            write(state)

        with pytest.raises(DomainError, match=r"test_state_access\.py:\d+: AttributeError"):
            Trial(apply).does()


class TestTheEntry:
    def test_has_id_time_and_key(self) -> None:
        found: list[Any] = []

        def apply(state: Any, _: Do) -> None:
            found.append((state.entry.id, state.entry.time, state.entry.key))

        fold = folding(apply)
        data = [b"type", b"Do", b"data", b"{}"]
        page = [
            (b"1700000000000-7", data),
            (b"1700000000001-0", [*data, b"key", b"k"]),
            (b"1700000000002-0", [b"key", b"\xff\xc3\xa9", *data]),
            (b"5-0", [*data, b"v", b"1"]),
        ]
        assert in_words(fold, fold.fold(fold.empty(), page)) == ["applied"] * 4
        assert found == [
            ("1700000000000-7", 1_700_000_000_000, None),
            ("1700000000001-0", 1_700_000_000_001, "k"),
            ("1700000000002-0", 1_700_000_000_002, "\\xffé"),
            ("5-0", 5, None),
        ]

    def test_of_a_preview_is_what_an_append_would_get(self) -> None:
        def apply(state: Any, _: Do) -> None:
            state.marks.n[state.entry.time] = len(state.entry.key or "")
            state.marks.m[state.entry.time] = int(state.entry.id.rpartition("-")[2])

        fold = folding(apply)
        _, told = fold.decide(fold.empty(), Do(), b"1700000000000-3", b"four")
        assert [(change.key, change.column, change.after) for change in told.changes] == [
            (1_700_000_000_000, "n", 4),
            (1_700_000_000_000, "m", 3),
        ]


class TestBounds:
    @pytest.mark.parametrize("key", [MIN_INT, -1, 0, MAX_INT])
    @pytest.mark.parametrize("value", [MIN_INT, -1, 0, MAX_INT])
    def test_integers_have_64_bits(self, key: int, value: int) -> None:
        def apply(state: Any, event: Do) -> None:
            state.marks.n[event.mark] = event.n
            state.marks.m[event.mark] = event.n

        trial = Trial(apply)
        assert trial.does(Do(n=value, mark=key)) == "applied"
        assert trial.marks == {key: {"n": value, "m": value}}
        restored = trial.fold.load(list(trial.fold.dump(trial.state)))
        assert rows(trial.fold, restored) == rows(trial.fold, trial.state)
        assert trial.fold.digest(restored) == trial.fold.digest(trial.state)

    @pytest.mark.parametrize("text", ["", "x" * 4_096, "é" * 2_048, "\U0001f600" * 1_024, "\x00\n\x1b", "\u202e"])
    @pytest.mark.parametrize("key", ["k", "k" * 256, "\U0001f600" * 256, " ", "\u202e\u2028", "\ufffe"])
    def test_texts_have_4_kib_and_keys_256_characters(self, key: str, text: str) -> None:
        def apply(state: Any, event: Do) -> None:
            state.things.n[event.key] = 1
            state.things.text[event.key] = event.text

        trial = Trial(apply)
        assert trial.does(Do(key, text=text)) == "applied"
        assert trial.things == {key: {"n": 1, "text": text}}
        restored: State = trial.fold.load(list(trial.fold.dump(trial.state)))
        assert trial.fold.digest(restored) == trial.fold.digest(trial.state)
