"""The scalars that all contracts share. They travel as text inside a subgraph too: one value has one spelling.

Give `SCALARS` to `strawberry.Schema(scalar_overrides=…)`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, NewType

import strawberry

from contract.decimals import InvalidDecimal, format_decimal, parse_decimal
from subgraphs.kit.errors import BadInput

__all__ = ["SCALARS", "AssetRule", "Date", "DateTime", "Decimal", "same_text"]

Decimal = NewType("Decimal", str)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
AssetRule = NewType("AssetRule", object)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def parse_decimal_text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput('a Decimal is a text such as "1234.50"')
    try:
        return format_decimal(parse_decimal(value))
    except InvalidDecimal as error:
        raise BadInput(str(error)) from None


def parse_day(value: Any) -> str:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise BadInput(f"{str(value)[:40]!r} is not a calendar day such as 2026-12-01")


def parse_instant(value: Any) -> str:
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value):
            datetime.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise BadInput(f"{str(value)[:40]!r} is not an instant such as 2026-12-01T08:00:00Z")


def same_text(value: Any) -> Any:
    """How these scalars are serialised: as they are."""
    return value


SCALARS: dict[object, Any] = {
    Decimal: strawberry.scalar(name="Decimal", serialize=same_text, parse_value=parse_decimal_text),
    Date: strawberry.scalar(name="Date", serialize=same_text, parse_value=parse_day),
    DateTime: strawberry.scalar(name="DateTime", serialize=same_text, parse_value=parse_instant),
    AssetRule: strawberry.scalar(name="AssetRule", serialize=same_text, parse_value=same_text),
}
