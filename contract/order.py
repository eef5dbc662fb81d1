"""The canonical order of rows, the one every store, member and merge must agree on.

The given order values come first, then the region, then the native key as the member's adapter orders it.
Numbers go by value, dates and times by time, enums as the contract declares them, text by code points;
nulls are last in both directions; backward paging reverses the whole order, nulls and ties included.

A *sort value* is what stands in a cursor: None, a text, an int, or a canonical decimal text. `Kind` says how
to compare it. Member and gateway compare by `sort_key` alone, so neither needs to know what a field means.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

__all__ = ["Direction", "Kind", "SortValue", "sort_key"]

SortValue = str | int | None


class Direction(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


class Kind(StrEnum):
    """How a sort value compares. ISO 8601 dates and UTC times compare as text; enums travel as their rank."""

    TEXT = "t"
    NUMBER = "n"
    RANK = "r"


class _Reversed:
    """Turns an order around, for descending columns of any kind."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


def sort_key(
    values: Sequence[SortValue],
    kinds: Sequence[Kind],
    directions: Sequence[Direction],
    region: str,
    native: Sequence[SortValue] = (),
    native_kinds: Sequence[Kind] = (),
) -> tuple[Any, ...]:
    """A Python-comparable key of one row, in forward order.

    `native` is the member's own total order of its native keys; without it the key orders whole regions.
    """
    parts: list[Any] = []
    for value, kind, direction in zip(values, kinds, directions, strict=True):
        if value is None:
            parts.append((1,))
        else:
            comparable = Decimal(value) if kind is Kind.NUMBER else value
            parts.append((0, comparable if direction is Direction.ASC else _Reversed(comparable)))
    parts.append(region)
    for value, kind in zip(native, native_kinds, strict=True):
        parts.append((1,) if value is None else (0, Decimal(value) if kind is Kind.NUMBER else value))
    return tuple(parts)
