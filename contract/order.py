"""The canonical order of rows, the one every store, member and merge must agree on.

The given order values come first, then the region, then the native key as the member's adapter orders it.
Numbers go by value, dates and times by time, enums as the contract declares them, text by code points;
nulls are last in both directions; backward paging reverses the whole order, nulls and ties included.

A *sort value* is what stands in a cursor: None, a text, an int, or a canonical decimal text. `Kind` says how
to compare it. Member and gateway compare by `sort_key` alone (`sort_keys` for many rows), so neither needs to know what a field means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import repeat
from types import NoneType
from typing import Any

__all__ = ["Direction", "Kind", "SortValue", "sort_key", "sort_keys"]

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

    `native` is the member's own total order of its native keys; without it the key orders whole regions. The key is
    flat: of each value whether it is null, then what compares.
    """
    parts: list[Any] = []
    for value, kind, direction in zip(values, kinds, directions, strict=True):
        parts += (value is None, _comparable(value, kind, direction))
    parts.append(region)
    for value, kind in zip(native, native_kinds, strict=True):
        parts += (value is None, _comparable(value, kind, Direction.ASC))
    return tuple(parts)


def sort_keys(
    values: Sequence[Sequence[SortValue]],
    kinds: Sequence[Kind],
    directions: Sequence[Direction],
    regions: Sequence[str],
    natives: Sequence[Sequence[SortValue]],
    native_kinds: Sequence[Kind],
) -> list[tuple[Any, ...]]:
    """The `sort_key` of each of many rows, worked out column by column, which costs a fraction.

    Raises `ValueError` for values that are not of their kinds, so that all keys that come out compare.
    """
    if not regions:
        return []
    columns: list[Iterable[Any]] = []
    for column, kind, direction in zip(_columns(values, len(kinds)), kinds, directions, strict=True):
        columns += _column(column, kind, direction)
    columns.append(regions)
    for column, kind in zip(_columns(natives, len(native_kinds)), native_kinds, strict=True):
        columns += _column(column, kind, Direction.ASC)
    return list(zip(*columns, strict=True))


def _columns(rows: Sequence[Sequence[SortValue]], width: int) -> list[tuple[SortValue, ...]]:
    if {len(row) for row in rows} != {width}:
        raise ValueError("a row has another number of values than there are kinds")
    return list(zip(*rows, strict=True))


def _column(values: Sequence[SortValue], kind: Kind, direction: Direction) -> tuple[Iterable[bool], Iterable[Any]]:
    """Whether each value is null, and what compares."""
    types = set(map(type, values))
    if not types <= _TYPES[kind]:
        raise ValueError(f"a value is no {kind.name.lower()}")
    nulls = [value is None for value in values] if NoneType in types else repeat(False, len(values))
    if kind is Kind.NUMBER:
        return nulls, _numbers(values, direction)
    if direction is Direction.ASC:
        return nulls, values
    return nulls, [None if value is None else _Reversed(value) for value in values]


def _numbers(values: Sequence[Any], direction: Direction) -> list[Decimal | None]:
    try:
        numbers = [None if value is None else Decimal(value) for value in values]
    except InvalidOperation:
        raise ValueError("a value is no number") from None
    present = [number for number in numbers if number is not None]
    if not all(map(Decimal.is_finite, present)):
        raise ValueError("a value is no number")
    if direction is Direction.ASC:
        return list(numbers)
    # Not by minus: that rounds to the context's precision.
    return [None if number is None else number.copy_negate() for number in numbers]


_TYPES: Mapping[Kind, frozenset[type]] = {
    Kind.TEXT: frozenset((str, NoneType)),
    Kind.NUMBER: frozenset((str, int, NoneType)),
    Kind.RANK: frozenset((int, NoneType)),
}


def _comparable(value: SortValue, kind: Kind, direction: Direction) -> Any:
    """Raises `ValueError` for a text that is no number."""
    if kind is Kind.NUMBER:
        return _numbers((value,), direction)[0]
    return value if value is None or direction is Direction.ASC else _Reversed(value)
