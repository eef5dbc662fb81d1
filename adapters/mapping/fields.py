"""One field's mapping as a function `(raw, found) -> canonical value`.

`raw` is a native row as a tuple in the order of `Mapping.columns`; issues are appended to `found`. Each kind of field
has its own builder; what they share (the first column that is not empty, values that mean "not recorded", code
tables) is settled once in `_Reading`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

from adapters.mapping.dates import Fault, read_day, read_time, zone_of
from adapters.mapping.expressions import Compiling, Expression, Unreadable
from adapters.mapping.expressions.model import Raw
from adapters.mapping.issues import issue
from adapters.mapping.model import Condition, FieldMapping
from adapters.mapping.numbers import MONEY_FACTORS, plus, quantity_in_name, read_decimal, scaled
from adapters.mapping.values import code_text, is_mojibake, is_unicode, repair_mojibake, text_of, trimmed
from adapters.model import FieldKind, Issue
from contract.decimals import format_decimal, format_money
from contract.uscc import is_valid_uscc

__all__ = ["FieldReader", "Raw", "SideTables", "build_reader", "condition_test"]

_REPLACED, _HALF = "\ufffd", "\ud800"
_GIVEN = ""
"""The one column that the reader behind an expression sees."""
FieldReader: TypeAlias = Callable[[Raw, list[Issue]], Any]
Index: TypeAlias = Map[str, int]


@dataclass(slots=True)
class SideTables:
    """What a row refers to: code tables of the store, its units and its warehouses, by native key."""

    lookups: dict[str, dict[str, tuple[str | None, str | None]]] = field(default_factory=dict)
    """name → key → (value, label)."""
    units: dict[str, dict[str, Any]] = field(default_factory=dict)
    warehouses: dict[str, dict[str, Any]] = field(default_factory=dict)


def condition_test(condition: Condition, index: Index) -> Callable[[Raw], bool]:
    """The condition on a row read into memory."""
    at, values = index[condition.column], frozenset(condition.values)
    match condition.test:
        case "null":
            return lambda raw: raw[at] is None or raw[at] == ""
        case "not_null":
            return lambda raw: raw[at] is not None and raw[at] != ""
        case "in":
            return lambda raw: text_of(raw[at]) in values
        case "not_in":
            return lambda raw: (text := text_of(raw[at])) is not None and text not in values


def build_reader(mapped: FieldMapping, index: Index, side: SideTables, name_at: tuple[int, ...] = ()) -> FieldReader:
    if mapped.expr is not None:
        inner = _expression(mapped, mapped.expr, index, side)
    else:
        inner = _inner(mapped, _Reading(mapped, index, side), index, name_at)
    if not mapped.cases and mapped.when is None:
        return inner
    cases = [(condition_test(case.when, index), _constant(mapped, case.value)) for case in mapped.cases]
    applies = condition_test(mapped.when, index) if mapped.when else None

    def read(raw: Raw, found: list[Issue]) -> Any:
        if applies is not None and not applies(raw):
            return None
        for holds, value in cases:
            if holds(raw):
                return value
        return inner(raw, found)

    return read


def _expression(mapped: FieldMapping, expression: Expression, index: Index, side: SideTables) -> FieldReader:
    """The field's own reader, on what the expression gives in place of a column's value."""
    bare = replace(mapped, columns=(_GIVEN,), expr=None, cases=(), when=None)
    place = {_GIVEN: 0}
    inner = _inner(bare, _Reading(bare, place, side), place, ())
    number_issue = "UNMAPPABLE_AMOUNT" if mapped.unit in MONEY_FACTORS else "INVALID_NUMBER"
    value = expression.compiled(Compiling(index, mapped.spec.name, f"{mapped.where}.expr", number_issue))
    unread = False if mapped.spec.kind is FieldKind.BOOLEAN else None
    reads = tuple(index[column] for column in expression.columns)

    def read(raw: Raw, found: list[Issue]) -> Any:
        try:
            given = value(raw, found)
        except Unreadable:
            return unread
        if isinstance(given, str) and _REPLACED in given:  # operations see `�`; the field's reader is to see why
            given = next((given.replace(_REPLACED, _HALF) for at in reads if _is_torn(raw[at])), given)
        return inner((given,), found)

    return read


def _inner(mapped: FieldMapping, reading: _Reading, index: Index, name_at: tuple[int, ...]) -> FieldReader:
    if mapped.digest:
        return _digest
    if mapped.from_name:
        return _from_name(mapped, name_at)
    if not mapped.columns:
        constant = _constant(mapped, mapped.constant or "")
        return lambda raw, found: constant
    builders: dict[FieldKind, Callable[[FieldMapping, _Reading], FieldReader]] = {
        FieldKind.TEXT: _text,
        FieldKind.ENUM: _enum,
        FieldKind.BOOLEAN: _boolean,
        FieldKind.DATE: _day,
        FieldKind.DATETIME: _time,
        FieldKind.INTEGER: _integer,
        FieldKind.REFERENCE: _reference,
    }
    if mapped.spec.kind is FieldKind.DECIMAL:
        return _decimal(mapped, reading, index)
    return builders[mapped.spec.kind](mapped, reading)


def _constant(mapped: FieldMapping, text: str) -> Any:
    if mapped.spec.kind is FieldKind.BOOLEAN:
        return text == "true"
    if mapped.spec.kind is FieldKind.INTEGER:
        return int(text)
    return text


class _Reading:
    """The raw value of a field: which column, what is empty, what a code stands for."""

    def __init__(self, mapped: FieldMapping, index: Index, side: SideTables) -> None:
        self.mapped = mapped
        self.at = tuple(index[column] for column in mapped.columns)
        self.empty = frozenset(mapped.empty) | {code_text(text) for text in mapped.empty}
        self.side = side
        self.name = mapped.spec.name
        self.where = mapped.where

    def value(self, raw: Raw) -> Any:
        """The first native value that is neither empty nor declared to mean nothing."""
        for at in self.at:
            value = raw[at]
            if value is None:
                continue
            text = code_text(value)
            if text is not None and text not in self.empty:
                return value
        return None

    def add(self, found: list[Issue], code: str, value: Any, rule: str) -> None:
        found.append(issue(code, self.name, text_of(value), f"{self.where}.{rule}"))

    def defaulted(self, found: list[Issue]) -> str | None:
        if self.mapped.default is not None:
            self.add(found, "DEFAULTED", None, "default")
        return self.mapped.default

    def code(self, raw: Raw, found: list[Issue]) -> str | None:
        """The value through the store's code table and the mapping's; None (with an issue) where it is unknown."""
        value = self.value(raw)
        if value is None:
            return self.defaulted(found)
        text = code_text(value)
        assert text is not None
        if self.mapped.lookup is not None:
            entry = self.side.lookups[self.mapped.lookup].get(text)
            if entry is None or entry[0] is None:
                self.add(found, "UNKNOWN_CODE", value, "lookup")
                return None
            text = entry[0]
        if self.mapped.codes is None:
            return text
        coded = self.mapped.codes.get(text)
        if coded is None:
            self.add(found, "UNKNOWN_CODE", value, "codes")
        return coded


# --- kinds --------------------------------------------------------------------------------------------------------


def _text(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    if mapped.codes is not None or mapped.lookup is not None:
        return reading.code
    at, empty, clean = reading.at, reading.empty, mapped.clean
    width, mojibake = "width" in clean, "mojibake" in clean

    def read(raw: Raw, found: list[Issue]) -> str | None:
        for place in at:
            if isinstance(raw[place], dict | list):
                reading.add(found, "NESTED_VALUE", raw[place], "column")
                return None
            value = raw[place]
            text = trimmed(text_of(value))
            if text is None or text in empty:
                continue
            if not mojibake and _is_torn(value):
                reading.add(found, "MOJIBAKE", text, "unicode")
            if mojibake and is_mojibake(text):
                reading.add(found, "MOJIBAKE", text, "clean.mojibake")
                text = repair_mojibake(text)
                if text is None:
                    return None
            if width and not text.isascii():
                return trimmed(unicodedata.normalize("NFKC", text))
            return text
        return reading.defaulted(found)

    return read


def _is_torn(value: Any) -> bool:
    """Whether half of a character stands in it, as JSON can write one; as text it is `�`."""
    return isinstance(value, str) and not is_unicode(value)


def _enum(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    known = frozenset(mapped.spec.values)

    def read(raw: Raw, found: list[Issue]) -> str | None:
        value = reading.code(raw, found)
        if value is not None and value not in known:
            reading.add(found, "UNKNOWN_CODE", value, "codes")
            return None
        return value

    return read


_BOOLEANS = {"1": "true", "0": "false", "true": "true", "false": "false", "t": "true", "f": "false"}


def _boolean(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    if mapped.codes is None:
        reading.mapped = replace(mapped, codes=_BOOLEANS)
    return lambda raw, found: reading.code(raw, found) == "true"


def _decimal(mapped: FieldMapping, reading: _Reading, index: Index) -> FieldReader:
    factor = MONEY_FACTORS.get(mapped.unit, Decimal(1))
    money = bool(mapped.unit)
    subtracted = index[mapped.minus] if mapped.minus else None

    def number(value: Any, found: list[Issue]) -> Decimal | None:
        amount = read_decimal(value)
        if isinstance(amount, str):
            reading.add(found, "UNMAPPABLE_AMOUNT" if money else "INVALID_NUMBER", amount, "number")
            return None
        return amount

    def read(raw: Raw, found: list[Issue]) -> str | None:
        value = reading.value(raw)
        if value is None:
            return reading.defaulted(found) if subtracted is None else None
        amount = number(value, found)
        if amount is not None and subtracted is not None:
            less = number(raw[subtracted], found)
            amount = None if less is None else plus(amount, less.copy_negate())
        if amount is None:
            return None
        return format_money(scaled(amount, factor)) if money else format_decimal(amount)

    return read


def _integer(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    factor = 12 if mapped.unit == "years" else 1

    def read(raw: Raw, found: list[Issue]) -> int | None:
        value = reading.value(raw)
        if value is None:
            return None
        number = read_decimal(value)
        if isinstance(number, Decimal):
            months = number * factor
            if months == months.to_integral_value() and abs(months) < 100_000:
                return int(months)
        reading.add(found, "INVALID_NUMBER", value, "number")
        return None

    return read


def _day(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    zone, formats = zone_of(mapped.zone), mapped.formats

    def read(raw: Raw, found: list[Issue]) -> str | None:
        value = reading.value(raw)
        day = read_day(value, formats, zone)
        if isinstance(day, Fault):
            reading.add(found, day.value, value, "date")
            return None
        return day

    return read


def _time(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    zone, formats = zone_of(mapped.zone), mapped.formats

    def read(raw: Raw, found: list[Issue]) -> str | None:
        value = reading.value(raw)
        moment = read_time(value, formats, zone)
        if isinstance(moment, Fault):
            reading.add(found, moment.value, value, "date")
            return None
        return moment

    return read


def _reference(mapped: FieldMapping, reading: _Reading) -> FieldReader:
    units = mapped.spec.name == "owner"

    def read(raw: Raw, found: list[Issue]) -> str | None:
        key = reading.code(raw, found)
        if key is None:
            return None
        if mapped.uscc and not is_valid_uscc(key):
            reading.add(found, "INVALID_USCC", key, "uscc")
            return None
        if key in (reading.side.units if units else reading.side.warehouses):
            return key
        reading.add(found, "UNKNOWN_CODE", key, "reference")
        return None

    return read


def _from_name(mapped: FieldMapping, name_at: tuple[int, ...]) -> FieldReader:
    quantity = mapped.spec.name == "quantity"

    def read(raw: Raw, found: list[Issue]) -> str | None:
        for at in name_at:
            name = text_of(raw[at])
            if not name:
                continue
            counted = quantity_in_name(name)
            if counted is None:
                break
            if quantity:
                found.append(issue("QUANTITY_IN_NAME", "quantity", name, f"{mapped.where}.from_name"))
                return str(counted[0])
            return counted[1]
        return mapped.constant

    return read


def _digest(raw: Raw, found: list[Issue]) -> str:
    return hashlib.blake2b(_spelt(raw).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _spelt(raw: Raw) -> str:
    """The row as text that is the same for the same values."""
    try:
        text = repr(raw)
    except ValueError:  # an integer of thousands of digits
        text = _ADDRESS
    return repr(tuple(text_of(value) for value in raw)) if _ADDRESS in text else text


_ADDRESS = " at 0x"
"""What a value shows that has no spelling of its own."""
