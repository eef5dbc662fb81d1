"""Amounts, quantities and lives, exactly: never through a binary fraction of our own making.

A float that a driver hands over is read by its shortest decimal spelling, which is what the store was given.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, localcontext
from typing import Any

from adapters.mapping.values import code_text, text_of

__all__ = ["MEASURE_WORDS", "MONEY_FACTORS", "plus", "quantity_in_name", "read_decimal", "scaled"]

MONEY_FACTORS = {"元": Decimal(1), "万元": Decimal(10_000), "分": Decimal("0.01")}
_PLAIN = re.compile(r"[+-]?\d{1,40}(\.\d{0,20})?|[+-]?\d{1,3}(,\d{3}){1,12}(\.\d{0,20})?|[+-]?\.\d{1,20}", re.ASCII)
_EXPONENT = re.compile(r"[+-]?\d(\.\d{1,20})?[eE][+-]?\d{1,2}", re.ASCII)
_PRECISION = 120
INTEGER_DIGITS_MAX, FRACTION_DIGITS_MAX = 40, 28
_EXACT = Context(prec=_PRECISION)
_INTEGER_BOUND = 10**INTEGER_DIGITS_MAX

MEASURE_WORDS = "台把张套个件辆只组部块支条箱副册盏架座本幅根面樘卷包批"
_IN_NAME = re.compile(rf"\D(\d{{1,6}})([{MEASURE_WORDS}])")


def read_decimal(value: Any) -> Decimal | str | None:
    """The number; None where nothing is recorded; the text where it is no number."""
    if isinstance(value, bool):
        return str(value).upper()  # as Excel shows it; true is no amount
    if isinstance(value, int):
        return Decimal(value) if -_INTEGER_BOUND < value < _INTEGER_BOUND else text_of(value)
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, Decimal):
        return value if _is_held(value) else text_of(value)
    text = code_text(value)
    if text is None:
        return None
    bare = text.removeprefix("¥").removeprefix("￥").strip()
    if _PLAIN.fullmatch(bare):
        return Decimal(bare.replace(",", ""))
    if _EXPONENT.fullmatch(bare) and _is_held(number := Decimal(bare)):
        return number
    return text


def _is_held(number: Decimal) -> bool:
    """Whether a canonical number (60 digits before the point, 30 behind) can hold it in any unit."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or number.adjusted() >= INTEGER_DIGITS_MAX or len(digits) > _PRECISION:
        return False
    if exponent < -FRACTION_DIGITS_MAX:  # perhaps only by zeros at the end
        exponent = number.normalize(_EXACT).as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -FRACTION_DIGITS_MAX


def plus(total: Decimal, number: Decimal) -> Decimal:
    """The exact sum: Python's own context would round it to 28 digits."""
    with localcontext() as context:
        context.prec = _PRECISION
        return total + number


def scaled(number: Decimal, factor: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = _PRECISION
        return number * factor


def quantity_in_name(name: str) -> tuple[int, str] | None:
    """`台式电脑3台` → (3, "台"): a number and a measure word at the very end."""
    folded = code_text(name) or ""
    match = _IN_NAME.search(folded, max(0, len(folded) - 8))
    if match is None or match.end() != len(folded) or int(match[1]) == 0:
        return None
    return int(match[1]), match[2]
