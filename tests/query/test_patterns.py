"""Regular expressions that nothing keeps at it for ever."""

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.query.expressions import MOST_STEPS, PatternError
from esdash.query.patterns import LONGEST, Pattern

_ATOMS = [
    "a",
    "B",
    "é",
    ".",
    "[ab]",
    "[^a]",
    "[a-c1-3]",
    "[]x]",
    "[^\\d-]",
    r"\w",
    r"\D",
    r"\s",
    r"\b",
    r"\B",
    "^",
    r"\.",
    "|",
]
_PATTERNS = st.recursive(
    st.sampled_from(_ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,1}", "{2,}", "*?", "{,2}"])).map(
            "({0[0]}){0[1]}".format
        ),
    ),
    max_leaves=8,
)


@given(_PATTERNS, st.text("aAbBé12. x]\n-", min_size=1, max_size=10), st.booleans())
def test_they_find_what_those_of_the_library_find(pattern: str, text: str, ignoring_case: bool) -> None:
    wanted = re.search(pattern, text, re.IGNORECASE if ignoring_case else 0)
    assert Pattern(pattern, ignoring_case=ignoring_case).search(text) is (wanted is not None)


@given(_PATTERNS, st.text("aAbBé12. x]\n-", min_size=1, max_size=10), st.booleans())
def test_what_they_need_is_in_all_that_they_find(pattern: str, text: str, ignoring_case: bool) -> None:
    made = Pattern(pattern, ignoring_case=ignoring_case)
    assert not made.search(text) or made.needed in text.casefold()


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (" [789]9 × /", "9 × /"),
        ("^Some(thing) else$", "something else"),
        ("colou?r", "colo"),
        ("this|that", ""),
        ("(?:ab)*c", "c"),
        ("", ""),
    ],
)
def test_what_they_need_is_the_longest_text_that_is_fixed(pattern: str, needed: str) -> None:
    assert Pattern(pattern).needed == needed


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b$", "ab", True),
        ("a$", "ab", False),
        (r"\Aab\Z", "ab", True),
        ("(?P<name>a)b", "ab", True),
        ("x{", "x{", True),
        ("x{a}", "x{a}", True),
        ("", "", True),
        (r"\t\n", "\t\n", True),
        (r"a\/b", "a/b", True),
    ],
)
def test_what_else_is_understood(pattern: str, text: str, found: bool) -> None:
    assert Pattern(pattern).search(text) is found


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "(a",
        "[a",
        "*",
        "a**",
        "a|+",
        r"\1",
        r"(a)\1",
        "(?=a)",
        "(?<!a)",
        "(?i)a",
        "[b-a]",
        "\\",
        r"\q",
        "a{3,2}",
    ],
)
def test_what_is_not_is_said(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"\.$") as error:
        Pattern(pattern)
    assert 0 <= error.value.place <= len(pattern)


@pytest.mark.parametrize("pattern", ["a{1001}", "(a{100}){100}", "a" * (MOST_STEPS + 1), "(" * 5000, "((a{9}){9}){99}"])
def test_what_is_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(.*)*(.*)*x", ".*.*.*.*.*x", "(a?){100}a{100}b", "(a|b|ab)*c", "(x+x+)+y"]
)
def test_a_hostile_one_takes_no_longer_than_a_large_one(pattern: str) -> None:
    text = ("a" * 2000 + "x" * 1000) * 2
    begun = time.process_time()
    Pattern(pattern).search(text)
    assert time.process_time() - begun < 10


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    assert Pattern("b").search("a" * (LONGEST - 1) + "b")
    assert not Pattern("b").search("a" * LONGEST + "b")


@given(st.text("ab()[]{}*+?|\\^$.-123,<>=!:P", max_size=20), st.text(max_size=5))
def test_any_text_is_one_or_is_said_to_be_none(pattern: str, text: str) -> None:
    with suppress(PatternError):
        Pattern(pattern).search(text)
