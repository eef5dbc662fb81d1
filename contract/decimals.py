"""Exact decimals as text: money in CNY yuan with two decimals, quantities in their shortest plain form.

One value has one spelling, so that equal values are equal texts everywhere. No exponent, no `-0`, no NaN.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext

__all__ = ["InvalidDecimal", "format_decimal", "format_money", "parse_decimal", "share_of", "sortable_decimal"]

_PLAIN = re.compile(r"-?\d{1,60}(\.\d{1,30})?", re.ASCII)
_INTEGER_DIGITS_MAX = 60
_PRECISION = 120


class InvalidDecimal(ValueError):
    """The text is not a plain decimal number."""


def parse_decimal(text: str) -> Decimal:
    """Read `-12.50`; refuses exponents, signs other than a leading minus, NaN and infinities."""
    if not _PLAIN.fullmatch(text):
        raise InvalidDecimal(f"{text!r} is not a plain decimal number such as 1234.50")
    return Decimal(text)


def format_decimal(value: Decimal) -> str:
    """The shortest plain spelling: `Decimal("3.00")` → `3`, `Decimal("1E2")` → `100`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "", "-") else text


def format_money(value: Decimal) -> str:
    """Yuan with exactly two decimals when the value has no more, else as many as it has (never rounded)."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        text = format_decimal(value)
        decimals = len(text.partition(".")[2])
        return text if decimals >= 2 else format_money(Decimal(text))
    with localcontext() as context:
        context.prec = _PRECISION
        text = format(value.quantize(Decimal("0.01")), "f")
    return "0.00" if text == "-0.00" else text


def share_of(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What a part of a batch is worth, in whole cents; the rest is worth `amount` less that, so nothing is lost."""
    with localcontext() as context:
        context.prec = _PRECISION
        return (amount * part / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def sortable_decimal(value: Decimal) -> str:
    """A text whose code-point order is the numeric order, for stores that sort only text exactly.

    `+` or `-`, the count of integer digits in two characters, the digits; a negative number's digits are
    complemented and closed by `~`, which sorts after every digit.
    """
    text = format_decimal(value)
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(whole) > _INTEGER_DIGITS_MAX:
        raise InvalidDecimal(f"more than {_INTEGER_DIGITS_MAX} integer digits")
    body = f"{len(whole):02d}{whole}{fraction}"
    if not negative:
        return "1" + body
    return "0" + body.translate(_NINES) + "~"


_NINES = str.maketrans("0123456789", "9876543210")
