"""Money as people write and read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.money import format_money, parse_money, plain_money
from tests.unit.shop import steady

READ = {"0": 0, "12": 1_200, "12.3": 1_230, "12.34": 1_234, "0.01": 1, "0.1": 10, "00012.00": 1_200, " 7 ": 700}
READ |= {"\t7.5\n": 750, "10000000000000": 10**15, "9" * 18 + ".99": 10**20 - 1}
REFUSED = ["", " ", ".", "1.", ".5", "1.234", "1,5", "1,000", "-1", "+1", "1e3", "0x1", "1_000", "1 000", "NaN", "inf"]
REFUSED += ["$5", "1.2.3", "١٢", "１", "²", "1\u00a0", "9" * 19, "12.3\x00", "12\n3", "x"]
SHOWN = {0: "0.00", 1: "0.01", 10: "0.10", 1_234_567: "12,345.67", -5: "-0.05", -123_456: "-1,234.56"}
SHOWN |= {2**63 - 1: "92,233,720,368,547,758.07"}


@pytest.mark.parametrize(("text", "cents"), READ.items())
def test_money_is_read_as_cents(text: str, cents: int) -> None:
    assert parse_money(text) == cents


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"an amount is written like 12\.34"):
        parse_money(text)


@pytest.mark.parametrize(("cents", "shown"), SHOWN.items())
def test_money_is_shown_with_two_decimals(cents: int, shown: str) -> None:
    assert format_money(cents) == shown
    assert plain_money(cents) == shown.replace(",", "")


@steady(100)
@given(st.integers(0, 2**63 - 1))
def test_what_is_written_plainly_is_read_back(cents: int) -> None:
    assert parse_money(plain_money(cents)) == cents


@steady(150)
@given(st.text(max_size=12) | st.from_regex(r"[0-9]{0,3}[.,]?[0-9]{0,3}", fullmatch=True))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        cents = parse_money(text)
    except ValueError:
        return
    assert cents >= 0
    assert float(text) == cents / 100
