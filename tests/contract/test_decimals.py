from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.decimals import InvalidDecimal, format_decimal, format_money, parse_decimal, sortable_decimal

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=6)


@given(st.lists(DECIMALS, max_size=40))
def test_sortable_text_orders_as_the_numbers_do(values: list[Decimal]) -> None:
    assert [sortable_decimal(v) for v in sorted(values)] == sorted(sortable_decimal(v) for v in values)


@given(DECIMALS)
def test_formatting_is_exact(value: Decimal) -> None:
    assert parse_decimal(format_decimal(value)) == value
    assert parse_decimal(format_money(value)) == value


@pytest.mark.parametrize(
    ("value", "text"), [("0", "0.00"), ("-0.0", "0.00"), ("1E3", "1000.00"), ("3.1", "3.10"), ("0.001", "0.001")]
)
def test_money_has_two_decimals_and_is_never_rounded(value: str, text: str) -> None:
    assert format_money(Decimal(value)) == text


@pytest.mark.parametrize("text", ["", "1e5", "+1", "NaN", "1.", ".5", "1,000", "１２", " 1"])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(InvalidDecimal):
        parse_decimal(text)
