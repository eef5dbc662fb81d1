"""The contract's scalars. All travel as text inside the overlay: a value has one spelling, and commands are kept as JSON."""

from __future__ import annotations

from datetime import date
from typing import Any, NewType

import strawberry

from contract.decimals import InvalidDecimal, format_decimal, parse_decimal
from subgraphs.kit.errors import BadInput

__all__ = ["SCALARS", "AssetRule", "Date", "DateTime", "Decimal"]

Decimal = NewType("Decimal", str)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
AssetRule = NewType("AssetRule", object)


def _parse_decimal(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput('a Decimal is a text such as "1234.50"')
    try:
        return format_decimal(parse_decimal(value))
    except InvalidDecimal as error:
        raise BadInput(str(error)) from None


def _parse_date(value: Any) -> str:
    try:
        if len(value) != 10:
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise BadInput(f"{str(value)[:40]!r} is not a calendar day such as 2026-12-01") from None


def _as_is(value: Any) -> Any:
    return value


SCALARS: dict[object, Any] = {
    Decimal: strawberry.scalar(name="Decimal", serialize=str, parse_value=_parse_decimal),
    Date: strawberry.scalar(name="Date", serialize=str, parse_value=_parse_date),
    DateTime: strawberry.scalar(name="DateTime", serialize=str, parse_value=_as_is),
    AssetRule: strawberry.scalar(name="AssetRule", serialize=_as_is, parse_value=_as_is),
}
