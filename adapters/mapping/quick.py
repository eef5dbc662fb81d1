"""Quick readers: one native value of one class → its canonical value, or None: somebody else must decide.

Each equals the field's own reader (`adapters.mapping.fields`) wherever it does not give up, and answers only where
that one finds no issue. See `adapters.mapping.compiled` for how they are used and tested.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from adapters.mapping.dates import zone_of
from adapters.mapping.model import FieldMapping
from adapters.mapping.values import TRIMMED, is_mojibake, is_unicode
from adapters.model import FieldKind

__all__ = ["Quick", "Whole", "all_bare", "quick_readers", "whole_readers"]

Quick: TypeAlias = Callable[[Any], Any]


class Whole(NamedTuple):
    """The same for a column at once: all its values, or None where any of them needs a closer look."""

    classes: frozenset[type]
    """Of which the values are."""
    read: Callable[[Sequence[Any]], Sequence[Any] | None]


_TEXT, _INTEGER, _BINARY = frozenset((str,)), frozenset((int,)), frozenset((float, int))

_MONEY = re.compile(r"(?:0|[1-9]\d{0,12})\.\d\d", re.ASCII)
_NUMBER = re.compile(r"(?:0|[1-9]\d{0,12})(?:\.\d{0,8}[1-9])?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
_SECONDS_LENGTH = len("2019-03-05T08:30:00")
"""What is longer has parts of a second, or a zone."""
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
    if kind is FieldKind.DATE and "ymd" in mapped.formats:
        return _DAYS
    if kind is FieldKind.DATETIME and "ymd" in mapped.formats:
        if mapped.zone != "UTC":
            return {str: _time_in(zone_of(mapped.zone))}
        return {str: _utc_time, datetime: _utc_of_moment}
    return None


def whole_readers(mapped: FieldMapping) -> tuple[Whole, ...]:
    """For columns of one kind of value, in a few calls for all of them; none for some fields."""
    if quick_readers(mapped) is None:
        return ()
    match mapped.spec.kind:
        case FieldKind.TEXT:
            texts = Whole(_TEXT, _bare_texts if _REPAIRS.isdisjoint(mapped.clean) else _ascii_and_bare)
            return texts, Whole(_INTEGER, _texts_of_integers)
        case FieldKind.DECIMAL if mapped.unit == "元":
            return (Whole(_BINARY, _yuan_of_numbers),)
        case FieldKind.DECIMAL if not mapped.unit:
            return (Whole(_INTEGER, _texts_of_integers),)
        case FieldKind.DATE:
            return (Whole(_TEXT, _days),)
        case FieldKind.DATETIME if mapped.zone == "UTC":
            return (Whole(_TEXT, _utc_times),)
        case _:
            return ()


# --- text -------------------------------------------------------------------------------------------------------------

_REPAIRS = frozenset(("width", "mojibake"))
"""Cleanings that may change a text that is not ASCII."""
_TRIMMED_NO_SPACES = ("\u200b", "\ufeff")
"""What `TRIMMED` names and Python does not call a space; each other character of it is one."""


def all_bare(texts: Sequence[str]) -> bool:
    """Whether all are Unicode, not empty, and without anything to be trimmed."""
    joined = "".join(texts)
    if not joined.isascii() and (any(char in joined for char in _TRIMMED_NO_SPACES) or not is_unicode(joined)):
        return False
    return "" not in texts and all(map(operator.is_, texts, map(str.strip, texts)))


def _bare_texts(texts: Sequence[str]) -> Sequence[str] | None:
    return texts if all_bare(texts) else None


def _ascii_and_bare(texts: Sequence[str]) -> Sequence[str] | None:
    return texts if all(map(str.isascii, texts)) and all_bare(texts) else None


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


def _texts_of_integers(values: Sequence[int]) -> Sequence[str] | None:
    return list(map(str, values)) if max(map(abs, values)) < _INTEGER_MAX else None


# --- numbers ----------------------------------------------------------------------------------------------------------


def _yuan_of_float(value: float) -> str | None:
    if not _PLAIN_FLOAT_MIN < value < _PLAIN_FLOAT_MAX:
        return None
    text = repr(value)
    if text[-3:-2] == ".":
        return text
    return text + "0" if text[-2:-1] == "." else None


_YUAN_MAX = 1e13
"""Below it an amount with two decimals has at most fifteen digits, which tell one binary fraction from all others."""


def _yuan_of_numbers(values: Sequence[float]) -> Sequence[str] | None:
    least, most = min(values), max(values)
    if not _PLAIN_FLOAT_MIN < least <= most < _YUAN_MAX:
        return None
    texts = (len(values) * "%.2f " % tuple(values)).split()
    return texts if list(map(float, texts)) == list(values) else None


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
    text = str(value)
    return _number_of_text(text.rstrip("0").rstrip(".") if "." in text else text)


_NUMBERS: Map[type, Quick] = {
    float: _number_of_float,
    int: _text_of_integer,
    str: _number_of_text,
    Decimal: _number_of_decimal,
}


# --- days and times -------------------------------------------------------------------------------------------


def _day(value: str) -> str | None:
    try:
        return value if date.fromisoformat(value).isoformat() == value else None
    except ValueError:
        return None


def _days(values: Sequence[str]) -> Sequence[str] | None:
    try:
        spelt = list(map(date.isoformat, map(date.fromisoformat, values)))
    except ValueError:
        return None
    return spelt if spelt == list(values) else None


_DAYS: Map[type, Quick] = {str: _day, date: date.isoformat}


def _utc_time(value: str) -> str | None:
    if not _TIME.fullmatch(value):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return f"{value[:10]}T{value[11:]}Z"


def _utc_of_moment(value: datetime) -> str | None:
    return f"{value.isoformat(timespec='seconds')}Z" if value.tzinfo is None else None


def _utc_times(values: Sequence[str]) -> Sequence[str] | None:
    try:
        spelt = list(map(datetime.isoformat, map(datetime.fromisoformat, values)))
    except ValueError:
        return None
    if "\n".join(values).replace(" ", "T") != "\n".join(spelt) or max(map(len, spelt)) > _SECONDS_LENGTH:
        return None
    return [f"{text}Z" for text in spelt]


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
