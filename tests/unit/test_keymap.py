"""Keys in the settings: what is given, what is refused, and what the refusal says."""

import pytest

from esdash.ui.declared import Actions
from esdash.ui.keymap import KeymapError, checked, unknown
from tests.domains.shop import shop


def test_the_usual_keys_are_free_of_conflicts() -> None:
    assert checked({}, shop()) == {}
    actions = list(Actions(shop()))
    assert checked({action.id: action.keys for action in actions if action.keys}, shop()).keys() == {
        action.id for action in actions if action.keys
    }


@pytest.mark.parametrize(
    ("keymap", "names"),
    [
        ({"order": "c"}, ("order (Order)", "crash (Crash)")),
        ({"order": "f5", "crash": "f5"}, ("both order (Order) and crash (Crash)",)),
        ({"order": "f6,enter"}, ("Enter", "order", "details (Details)")),
        ({"up": "b"}, ("up (Up)", "demo_batch (Demo batch)")),
        ({"quit": "question_mark"}, ("?", "quit (Quit)", "help (Help)")),
    ],
)
def test_a_key_that_would_mean_two_things_is_refused_with_both_names(
    keymap: dict[str, str], names: tuple[str, ...]
) -> None:
    with pytest.raises(KeymapError) as refused:
        checked(keymap, shop())
    for name in names:
        assert name in str(refused.value)


@pytest.mark.parametrize(("key", "usual"), [("ctrl+m", "details"), ("ctrl+i", "next_panel"), ("ctrl+[", "clear")])
def test_a_key_that_terminals_send_as_another_one_is_that_one(key: str, usual: str) -> None:
    with pytest.raises(KeymapError, match=usual):
        checked({"order": key}, shop())


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
def test_keys_that_mean_something_else_everywhere_are_refused(key: str) -> None:
    with pytest.raises(KeymapError, match=r"(copies|quits)"):
        checked({"order": key}, shop())


@pytest.mark.parametrize("key", ["ctlr+x", "foo", "ctrl+", "", " , "])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(KeymapError, match="no key"):
        checked({"order": key}, shop())


def test_an_action_that_there_is_not_is_told_those_like_it() -> None:
    with pytest.raises(KeymapError, match=r"'snapshots'.*Like it: snapshot"):
        checked({"snapshots": "f5"}, shop())
    with pytest.raises(KeymapError, match=r"'top_ups'.*Like it: top_up"):
        checked({"top_ups": "f5"}, shop())


def test_an_action_of_another_domain_may_have_keys_and_is_told() -> None:
    assert checked({"transferred": "f5"}, shop()) == {"transferred": "f5"}
    assert unknown({"transferred": "f5", "order": "f6"}, shop()) == ["transferred"]


@pytest.mark.parametrize(
    ("keymap", "given"),
    [
        ({"order": "c", "crash": "o"}, {"order": "c", "crash": "o"}),
        ({"order": "F5, Ctrl+Y ,f5"}, {"order": "f5,ctrl+y"}),
        ({"snapshot": "%"}, {"snapshot": "percent_sign"}),
        ({"faster": "+", "slower": "underscore"}, {"faster": "plus", "slower": "underscore"}),
        ({"order": "Q"}, {"order": "Q"}),
        ({"quit": "ctrl+q,f10"}, {"quit": "f10"}),
        ({"quit": "ctrl+q"}, {}),
    ],
)
def test_what_can_be_given_is_given(keymap: dict[str, str], given: dict[str, str]) -> None:
    assert checked(keymap, shop()) == given
