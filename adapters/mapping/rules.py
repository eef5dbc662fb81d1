"""Rules on canonical fields: amounts by value, days and texts as they are written, flags as `true` and `false`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from typing import Any, TypeAlias

from adapters.mapping.dates import read_day, read_time
from adapters.mapping.model import FieldTest
from adapters.mapping.numbers import read_decimal
from adapters.model import FieldKind, FieldSpec, Row

__all__ = ["field_test", "readable"]

_Comparable: TypeAlias = "Decimal | str"
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def readable(spec: FieldSpec, text: str) -> _Comparable | None:
    """A value of a rule as rows are compared with it; None where it is not how the field is written."""
    if spec.kind in (FieldKind.DECIMAL, FieldKind.INTEGER):
        number = read_decimal(text)
        return number if isinstance(number, Decimal) else None
    if spec.kind is FieldKind.DATE:
        return text if read_day(text, ("ymd",), UTC) == text else None
    if spec.kind is FieldKind.DATETIME:
        return text if read_time(text, ("ymd",), UTC) == text else None
    return text


def field_test(test: FieldTest) -> Callable[[Row], bool]:
    spec, name = test.spec, test.spec.name
    values = [value for text in test.values if (value := readable(spec, text)) is not None]
    match test.test:
        case "null":
            return lambda row: row[name] is None
        case "not_null":
            return lambda row: row[name] is not None
        case "in":
            return lambda row: row[name] is not None and _value(spec, row[name]) in values
        case "not_in":
            return lambda row: row[name] is not None and _value(spec, row[name]) not in values
        case bound:
            compare, limit = _BOUNDS[bound], values[0]
            return lambda row: row[name] is not None and compare(_value(spec, row[name]), limit)


def _value(spec: FieldSpec, value: Any) -> _Comparable:
    if spec.kind in (FieldKind.DECIMAL, FieldKind.INTEGER):
        return Decimal(value)
    if spec.kind is FieldKind.BOOLEAN:
        return "true" if value else "false"
    return str(value)
