"""Quick readers: one native value of one class → its canonical value, or None: somebody else must decide.

Each equals the field's own reader (`adapters.mapping.fields`) wherever it does not give up, and answers only where
that one finds no issue. See `adapters.mapping.compiled` for how they are used and tested.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from adapters.mapping.dates import zone_of
from adapters.mapping.model import FieldMapping
from adapters.mapping.values import TRIMMED, is_mojibake, is_unicode
from adapters.model import FieldKind

__all__ = ["Quick", "quick_readers"]

Quick: TypeAlias = Callable[[Any], Any]

_MONEY = re.compile(r"(?:0|[1-9]\d{0,12})\.\d\d", re.ASCII)
_NUMBER = re.compile(r"(?:0|[1-9]\d{0,12})(?:\.\d{0,8}[1-9])?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
_PLAIN_FLOAT_MIN, _PLAIN_FLOAT_MAX = 1e-3, 1e15
"""Between these Python spells a float without an exponent, and by the decimals the store was given."""
_INTEGER_MAX = 10**18


def quick_readers(mapped: FieldMapping) -> Map[type, Quick] | None:
    """By class of the native value; None where what was read before must be remembered instead."""
    kind = mapped.spec.kind
    if mapped.empty or mapped.codes is not None or mapped.lookup is not None:
        return None
    if kind is FieldKind.TEXT:
        return _text(mapped.clean)
    if kind is FieldKind.DECIMAL:
        return _MONEY_BY_UNIT.get(mapped.unit) if mapped.unit else _NUMBERS
    if kind is FieldKind.DATETIME and "ymd" in mapped.formats:
        return {str: _utc_time if mapped.zone == "UTC" else _time_in(zone_of(mapped.zone))}
    return None


# --- text -------------------------------------------------------------------------------------------------------------


def _text(clean: tuple[str, ...]) -> Map[type, Quick]:
    width, mojibake = "width" in clean, "mojibake" in clean

    def bare(value: str) -> str | None:
        text = value.strip(TRIMMED)
        return (text or None) if text.isascii() or is_unicode(text) else None

    def cleaned(value: str) -> str | None:
        text = value.strip(TRIMMED)
        if text.isascii():
            return text or None
        return None if width or (mojibake and is_mojibake(text)) or not is_unicode(text) else text

    return {str: cleaned if width or mojibake else bare, int: _text_of_integer}


def _text_of_integer(value: int) -> str | None:
    return str(value) if -_INTEGER_MAX < value < _INTEGER_MAX else None


# --- numbers ----------------------------------------------------------------------------------------------------------


def _yuan_of_float(value: float) -> str | None:
    if not _PLAIN_FLOAT_MIN < value < _PLAIN_FLOAT_MAX:
        return None
    text = repr(value)
    if text[-3:-2] == ".":
        return text
    return text + "0" if text[-2:-1] == "." else None


def _yuan_of_integer(value: int) -> str | None:
    return f"{value}.00" if -_INTEGER_MAX < value < _INTEGER_MAX else None


def _yuan_of_text(value: str) -> str | None:
    return value if _MONEY.fullmatch(value) else None


def _yuan_of_decimal(value: Decimal) -> str | None:
    return _yuan_of_text(str(value))


def _yuan_of_fen(value: int) -> str | None:
    return f"{value // 100}.{value % 100:02d}" if 0 <= value < _INTEGER_MAX else None


def _wan_of_integer(value: int) -> str | None:
    return f"{value}0000.00" if 0 < value < _INTEGER_MAX else None


_MONEY_BY_UNIT: Map[str, Map[type, Quick]] = {
    "元": {float: _yuan_of_float, int: _yuan_of_integer, str: _yuan_of_text, Decimal: _yuan_of_decimal},
    "分": {int: _yuan_of_fen},
    "万元": {int: _wan_of_integer},
}


def _number_of_float(value: float) -> str | None:
    return repr(value).removesuffix(".0") if _PLAIN_FLOAT_MIN < value < _PLAIN_FLOAT_MAX else None


def _number_of_text(value: str) -> str | None:
    return value if _NUMBER.fullmatch(value) else None


def _number_of_decimal(value: Decimal) -> str | None:
    return _number_of_text(str(value))


_NUMBERS: Map[type, Quick] = {
    float: _number_of_float,
    int: _text_of_integer,
    str: _number_of_text,
    Decimal: _number_of_decimal,
}


# --- times ---------------------------------------------------------------------------------------------------


def _utc_time(value: str) -> str | None:
    if not _TIME.fullmatch(value):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return f"{value[:10]}T{value[11:]}Z"


def _time_in(zone: Any) -> Quick:
    def read(value: str) -> str | None:
        if not _TIME.fullmatch(value):
            return None
        try:
            moment = datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return moment.replace(tzinfo=None).isoformat() + "Z"

    return read
