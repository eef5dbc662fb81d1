"""Values that members gave for one folded field become one: sums, extremes, yes or no. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Any, TypeAlias, assert_never

from contract.decimals import InvalidDecimal, format_decimal, format_money, parse_decimal
from gateway.execution.shapes import Shape
from gateway.supergraph.model import FoldKind

__all__ = ["COMPARED", "fold", "is_value"]

DECIMAL_PRECISION = 120

COMPARED = frozenset({FoldKind.SUM, FoldKind.MIN, FoldKind.MAX})
"""Folds that read values as numbers, texts or times."""

Values: TypeAlias = Sequence[Any]


def fold(kind: FoldKind, values: Values, is_decimal: bool, *, complete: bool) -> Any:
    """Nulls do not count. `complete` is false when a member is missing or its value an earlier one: then nobody can say `ALL`."""
    present = [value for value in values if value is not None]
    match kind:
        case FoldKind.SUM:
            return _sum_decimals(present) if is_decimal else _sum_numbers(present)
        case FoldKind.MIN:
            return _extreme(min, present, is_decimal)
        case FoldKind.MAX:
            return _extreme(max, present, is_decimal)
        case FoldKind.ANY:
            return any(value is True for value in present)
        case FoldKind.ALL:
            return complete and all(value is True for value in present)
        case FoldKind.FIRST:
            return present[0] if present else None
        case _:
            assert_never(kind)


def _sum_numbers(values: Values) -> Any:
    return sum(values)


def _sum_decimals(values: Values) -> str:
    """Exact. Money stays money (two decimals) when every summand is written so."""
    with localcontext() as context:
        context.prec = DECIMAL_PRECISION
        total = sum((parse_decimal(str(value)) for value in values), Decimal(0))
    is_money = bool(values) and all(len(str(value).partition(".")[2]) >= 2 for value in values)
    return format_money(total) if is_money else format_decimal(total)


def _extreme(choose: Callable[..., Any], values: Values, is_decimal: bool) -> Any:
    return choose(values, key=_decimal if is_decimal else None, default=None)


def _decimal(value: Any) -> Decimal:
    return parse_decimal(str(value))


_NUMBERS = frozenset({"Int", "Float"})


def is_value(value: Any, shape: Shape) -> bool:
    """Whether a folded field's value can be summed or compared with others of its kind."""
    if value is None:
        return True
    if shape.element_type in _NUMBERS:
        return value.__class__ is int or value.__class__ is float
    if not shape.is_decimal:
        return isinstance(value, str)
    try:
        _decimal(value)
    except InvalidDecimal:
        return False
    return True
