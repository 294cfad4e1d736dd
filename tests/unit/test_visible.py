"""Text from outside as a screen may draw it."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from esdash.visible import visible
from tests.unit.shop import steady

HOSTILE = st.text(
    st.characters()
    | st.sampled_from("\x00\x07\b\t\n\r\x1b\x7f\x85\x9b\xad\u200b\u200d\u200e\u202e\u2066\u2069\ufeff")
    | st.sampled_from("\u0301\u20dd\ufe0f\u2028\u2029\xa0\u3000\u3164\U0001f3fd\U000e0041\ud800\udfff\ufffe⟨⟩…␛␣"),
    max_size=40,
)


@pytest.fixture(scope="module")
def drawn() -> set[str]:
    """Every character that may come out, whatever goes in."""
    return {shown for code in range(sys.maxunicode + 1) for shown in visible(chr(code))}


class TestNothingHarmfulIsDrawn:
    def test_no_character_of_unicode_is_obeyed_hidden_or_joined(self, drawn: set[str]) -> None:
        forbidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Mc", "Me"}
        assert not [hex(ord(char)) for char in drawn if unicodedata.category(char) in forbidden]
        assert not [hex(ord(char)) for char in drawn if not char.isprintable()]
        assert len(drawn) > 100_000

    def test_every_character_takes_room_on_the_screen(self, drawn: set[str]) -> None:
        assert not [hex(ord(char)) for char in drawn if cell_len(char) not in (1, 2)]

    @pytest.mark.parametrize("blank", "\u115f\u1160\u2800\u3164\uffa0\xa0\u2003\u3000\u180e\u200b\xad\ufeff")
    def test_a_blank_that_is_not_a_space_is_seen(self, blank: str) -> None:
        assert visible(blank) in ("␣", f"⟨{ord(blank):04X}⟩")

    @steady(150)
    @given(HOSTILE, HOSTILE)
    def test_text_from_outside_does_not_join_what_stands_beside_it(self, left: str, right: str) -> None:
        left, right = visible(left), visible(right)
        assert cell_len(f"{left}│{right}│") == sum(cell_len(char) for char in left + right) + 2


class TestWhatIsSeenInstead:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("hdd", "hdd"),
            ("", ""),
            ("кот 猫 😀 é", "кот 猫 😀 é"),
            ("[red]x[/]", "[red]x[/]"),
            ("\x1b[2J", "␛[2J"),
            ("a\tb\r\nc", "a␉b␍␊c"),
            ("\x00\x7f", "␀␡"),
            ("\x9b31m", "⟨009B⟩31m"),
            ("\u202etxt", "⟨202E⟩txt"),
            ("e\u0301", "e\u0301"),
            ("ภาษาไทย हिन्दी שָׁלוֹם مُحَمَّد", "ภาษาไทย हिन्दी שָׁלוֹם مُحَمَّد"),
            ("❤\ufe0f", "❤\ufe0f"),
            ("a\ufe0f", "a⟨FE0F⟩"),
            ("a\u0301\u0302\u0303", "a\u0301\u0302⟨0303⟩"),
            ("\u0301a", "⟨0301⟩a"),
            ("│\u0301", "│⟨0301⟩"),
            ("a\u20dd", "a⟨20DD⟩"),
            ("a\xa0b", "a␣b"),
            ("\u2028", "⟨2028⟩"),
            ("\ud800", "⟨D800⟩"),
            ("👍🏽", "👍⟨1F3FD⟩"),
            ("\u1112\u1161\u11ab", "ᄒ⟨1161⟩⟨11AB⟩"),
        ],
    )
    def test_each_has_its_picture_or_its_number(self, text: str, shown: str) -> None:
        assert visible(text) == shown

    @steady(150)
    @given(HOSTILE, st.integers(1, 60))
    def test_what_was_made_visible_stays_as_it_is(self, text: str, limit: int) -> None:
        once = visible(text, limit)
        assert visible(once, limit) == once

    @steady(100)
    @given(st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=60))
    def test_plain_text_is_not_touched(self, text: str) -> None:
        assert visible(text) == text


class TestTheLimit:
    @steady(150)
    @given(HOSTILE, st.integers(1, 60))
    def test_is_never_passed_and_a_cut_is_marked(self, text: str, limit: int) -> None:
        shown, whole = visible(text, limit), visible(text, 10_000)
        assert len(shown) <= limit
        if len(whole) <= limit:
            assert shown == whole
        else:
            assert shown == whole[: limit - 1] + "…"

    def test_a_text_that_just_fits_is_whole(self) -> None:
        assert visible("abcde", 5) == "abcde"
        assert visible("abcdef", 5) == "abcd…"
        assert visible("ab\u202e", 5) == "ab⟨2…"
        assert visible("abc", 1) == "…"
        assert visible("x" * 200) == "x" * 200
        assert visible("x" * 201) == "x" * 199 + "…"
