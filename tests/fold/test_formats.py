"""How people read and write numbers and texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.domain import COUNT, MONEY, PLAIN, TEXT, TIME, Format, decimal
from tests.unit.shop import steady

READ = {
    "99999999999999999999": 9_999_999_999_999_999_999_900,
    "0": 0,
    "12": 1_200,
    "12.3": 1_230,
    "12.34": 1_234,
    "0.01": 1,
    "0.1": 10,
    "00012.00": 1_200,
    " 7 ": 700,
}
READ |= {"\t7.5\n": 750, "10000000000000": 10**15, "9" * 17 + ".99": 10**19 - 1, "-1": -100, "-0.05": -5}
READ |= {"1,000": 100_000, "12,345.67": 1_234_567, "-1,234.5": -123_450}
REFUSED = ["", " ", ".", "1.", ".5", "1.234", "1,5", "1,00", "+1", "1e3", "0x1", "1_000", "1 000", "NaN", "inf", "--1"]
REFUSED += ["$5", "1.2.3", "١٢", "１", "²", "1\u00a0.", "9" * 40, "12.3\x00", "12\n3", "x", "1,,000", ",100"]
SHOWN = {0: "0.00", 1: "0.01", 10: "0.10", 1_234_567: "12,345.67", -5: "-0.05", -123_456: "-1,234.56"}
SHOWN |= {2**63 - 1: "92,233,720,368,547,758.07", -(2**63): "-92,233,720,368,547,758.08"}


class TestMoney:
    @pytest.mark.parametrize(("text", "cents"), READ.items())
    def test_is_read_as_cents(self, text: str, cents: int) -> None:
        assert MONEY.read(text) == cents

    @pytest.mark.parametrize("text", REFUSED)
    def test_anything_else_is_refused_with_a_sentence(self, text: str) -> None:
        with pytest.raises(
            ValueError, match=r"an amount is written like 12\.34: digits, a point, at most two decimals"
        ):
            MONEY.read(text)

    @pytest.mark.parametrize(("cents", "shown"), SHOWN.items())
    def test_is_shown_with_two_decimals(self, cents: int, shown: str) -> None:
        assert MONEY.write(cents) == shown
        assert MONEY.editable(cents) == shown.replace(",", "")

    def test_that_moved_has_a_sign(self) -> None:
        assert [MONEY.moved(by) for by in (50_000, -5, 0)] == ["+500.00", "-0.05", "0.00"]

    @steady(150)
    @given(st.text(max_size=12) | st.from_regex(r"-?[0-9]{0,3}[.,]?[0-9]{0,3}", fullmatch=True))
    def test_any_text_is_an_amount_or_refused(self, text: str) -> None:
        try:
            cents = MONEY.read(text)
        except ValueError:
            return
        assert float(text.replace(",", "")) == cents / 100


@steady(60)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 18), st.sampled_from(["", "kg", "€"]))
def test_what_is_written_is_read_back(number: int, places: int, unit: str) -> None:
    shown = decimal(places, unit)
    assert shown.read(shown.write(number)) == number
    assert shown.read(shown.editable(number)) == number
    assert "," not in shown.editable(number)
    for each in (PLAIN, COUNT):
        assert each.read(each.write(number)) == number
        assert each.read(each.editable(number)) == number


class TestADecimal:
    def test_has_its_places_and_its_unit(self) -> None:
        kilos = decimal(3, "kg")
        assert kilos.write(1_234_567) == "1,234.567 kg"
        assert kilos.read("1.5 kg") == kilos.read("1.5kg") == kilos.read("1.5") == 1_500
        assert decimal(0).write(1_234) == "1,234"
        assert decimal(0).read("1234") == 1_234

    @pytest.mark.parametrize("places", [0, 1, 3])
    def test_says_how_it_is_written(self, places: int) -> None:
        with pytest.raises(ValueError, match="an amount is written like 12"):
            decimal(places).read("x")

    @pytest.mark.parametrize("places", [-1, 19])
    def test_has_no_other_places(self, places: int) -> None:
        with pytest.raises(ValueError, match="0 to 18 places"):
            decimal(places)


class TestTheOthers:
    def test_plain_is_the_value_itself(self) -> None:
        assert [PLAIN.write(value) for value in (-7, "x", True, False)] == ["-7", "x", "yes", "no"]
        assert PLAIN.read(" 12 ") == 12
        for text in ("1.0", "", "１", "--1"):
            with pytest.raises(ValueError, match="digits only"):
                PLAIN.read(text)

    def test_a_count_has_commas(self) -> None:
        assert (COUNT.write(12_345), COUNT.editable(12_345), COUNT.moved(5), COUNT.moved(-5)) == (
            "12,345",
            "12345",
            "+5",
            "-5",
        )

    def test_text_is_as_it_is(self) -> None:
        assert TEXT.read(" é ") == TEXT.write(" é ") == " é "

    def test_a_time_is_read_back_to_the_second(self) -> None:
        assert TIME.read(TIME.write(1_700_000_000_000)) == 1_700_000_000_000
        assert TIME.editable(1_700_000_000_000) == TIME.write(1_700_000_000_000)
        for milliseconds in (179, -1, 1_700_000_000_123, 253_402_214_399_999, 2**62):
            assert TIME.read(TIME.editable(milliseconds)) == milliseconds
        assert TIME.read("2026-11-23T14:03:05+00:00") == 1_795_442_585_000
        assert TIME.read("1700000000123") == 1_700_000_000_123
        assert TIME.moved(1_500) == "+1.500 s"
        with pytest.raises(ValueError, match="a time is written like 2026-11-23 14:03:05"):
            TIME.read("yesterday")

    @pytest.mark.parametrize("beyond", [2**63 - 1, -(2**63)])
    def test_a_time_beyond_all_calendars_is_shown_as_a_number(self, beyond: int) -> None:
        assert TIME.write(beyond) == str(beyond)

    def test_ones_own_format_has_a_difference_of_its_own(self) -> None:
        own = Format(int, str, lambda by: f"by {by}", lambda value: f"{value}!")
        assert (own.moved(-3), own.editable(4)) == ("by -3", "4!")
