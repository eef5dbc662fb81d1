"""Filters and orders on canonical rows in memory: what every store's own way must equal.

Two uses: it serves the stores that cannot filter or sort as the contract asks (see `adapters.snapshot`), and it is
the oracle against which pushed-down SQL and the local index are tested. A filter becomes a plain function once; the
logic is two-valued, so a null field makes a comparison false and its `Not` true.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias, assert_never

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping.numbers import plus
from adapters.model import (
    And,
    Compare,
    FieldKind,
    FieldSpec,
    Filter,
    GroupRow,
    HasIssues,
    In,
    IsNull,
    KeyIn,
    Not,
    Nothing,
    Or,
    OrderTerm,
    Position,
    Row,
    StoreUnsupported,
    TextContains,
    TextMatch,
    TextPrefix,
    UnderClass,
)
from contract.order import Direction, Kind, SortValue, sort_key

__all__ = [
    "GROUP_FIELDS",
    "MATCHED_FIELDS",
    "Predicate",
    "field_of",
    "fold",
    "group_key",
    "group_text",
    "groups_of",
    "order_kinds",
    "order_value",
    "position_key",
    "predicate",
    "row_key",
    "sorted_rows",
]

Predicate: TypeAlias = Callable[[Row], bool]

MATCHED_FIELDS = ("name", "specification", "brand", "model", "className")
"""The fields `TextMatch` looks into."""

GROUP_FIELDS = (
    "classTop",
    "classCode",
    "status",
    "condition",
    "source",
    "acquisition",
    "owner",
    "warehouse",
    "shareable",
)
"""The fields that rows may be grouped by."""


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """NFKC and case folded, as `TextMatch` compares."""
    return unicodedata.normalize("NFKC", text).casefold()


def field_of(name: str, use: str = "filter") -> FieldSpec:
    """The canonical field of this name. Raises `StoreUnsupported` for one that is unknown or not for this use."""
    spec = CANONICAL_FIELDS.get(name)
    if spec is None:
        raise StoreUnsupported(f"there is no canonical field {name!r}")
    if use == "order" and not spec.orderable:
        raise StoreUnsupported(f"rows cannot be ordered by {name!r}")
    return spec


# --- filters ------------------------------------------------------------------------------------------------------


def predicate(filter_: Filter | None) -> Predicate:
    """The filter as a function of a row."""
    match filter_:
        case None:
            return lambda row: True
        case And(parts):
            tests = [predicate(part) for part in parts]
            return lambda row: all(test(row) for test in tests)
        case Or(parts):
            tests = [predicate(part) for part in parts]
            return lambda row: any(test(row) for test in tests)
        case Not(part):
            inner = predicate(part)
            return lambda row: not inner(row)
        case Compare():
            return _compare(filter_)
        case In(field, values):
            return _in(field_of(field), values)
        case IsNull(field):
            field_of(field)
            return lambda row: row.get(field) is None
        case TextContains(field, value):
            field_of(field)
            return lambda row: (text := row.get(field)) is not None and value in text
        case TextPrefix(field, value):
            field_of(field)
            return lambda row: (text := row.get(field)) is not None and text.startswith(value)
        case UnderClass(codes):
            return lambda row: (code := row.get("classCode")) is not None and code.startswith(codes)
        case TextMatch(groups):
            return lambda row: _matches(row, groups)
        case KeyIn(natives):
            keys = frozenset(natives)
            return lambda row: row["native"] in keys
        case HasIssues(wanted):
            return lambda row: bool(row["issues"]) is wanted
        case Nothing():
            return lambda row: False
        case _:
            assert_never(filter_)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def _comparable(spec: FieldSpec) -> Callable[[Any], Any]:
    """Turns a canonical value into one that Python compares as the contract asks."""
    if spec.kind is FieldKind.DECIMAL:
        return Decimal
    if spec.kind is FieldKind.ENUM:
        return spec.values.index
    return lambda value: value


def _compare(filter_: Compare) -> Predicate:
    spec, operator = field_of(filter_.field), _OPERATORS[filter_.op]
    field, convert = filter_.field, _comparable(spec)
    if spec.kind is FieldKind.ENUM and filter_.value not in spec.values:
        return lambda row: False
    wanted = convert(filter_.value)
    return lambda row: (value := row.get(field)) is not None and operator(convert(value), wanted)


def _in(spec: FieldSpec, values: Sequence[str]) -> Predicate:
    field = spec.name
    if spec.kind is FieldKind.DECIMAL:
        numbers = frozenset(Decimal(value) for value in values)
        return lambda row: (value := row.get(field)) is not None and Decimal(value) in numbers
    wanted = frozenset(values)
    return lambda row: (value := row.get(field)) is not None and value in wanted


def _matches(row: Row, groups: tuple[tuple[str, ...], ...]) -> bool:
    texts = [fold(text) for name in MATCHED_FIELDS if (text := row.get(name))]
    return all(any(alternative in text for alternative in group for text in texts) for group in groups)


# --- order --------------------------------------------------------------------------------------------------------


def order_value(field: str, row: Row) -> SortValue:
    """The row's sort value of an orderable field: an enum's rank, else the canonical value."""
    value: SortValue = row.get(field)
    if value is not None and CANONICAL_FIELDS[field].kind is FieldKind.ENUM:
        return CANONICAL_FIELDS[field].values.index(str(value))
    return value


def order_kinds(order: Sequence[OrderTerm]) -> tuple[Kind, ...]:
    return tuple(_KINDS.get(field_of(term.field, "order").kind, Kind.TEXT) for term in order)


_KINDS = {FieldKind.DECIMAL: Kind.NUMBER, FieldKind.ENUM: Kind.RANK, FieldKind.INTEGER: Kind.NUMBER}


def row_key(
    row: Row, native: Sequence[SortValue], order: Sequence[OrderTerm], native_kinds: Sequence[Kind]
) -> tuple[Any, ...]:
    """The row's place in forward order, comparable with `position_key`."""
    values = [order_value(term.field, row) for term in order]
    directions = [term.direction for term in order]
    return sort_key(values, order_kinds(order), directions, "1", native, native_kinds)


def position_key(position: Position, order: Sequence[OrderTerm], native_kinds: Sequence[Kind]) -> tuple[Any, ...]:
    """A position's place. Without a native key it lies before (`inclusive`) or after all rows of its values, which
    the region's part of the key says here: rows have "1"."""
    directions = [term.direction for term in order]
    kinds = order_kinds(order)
    if len(position.values) != len(order):
        raise StoreUnsupported("the position belongs to another order")
    if position.native is None:
        return sort_key(position.values, kinds, directions, "0" if position.inclusive else "2")
    return sort_key(position.values, kinds, directions, "1", position.native, native_kinds)


def sorted_rows(
    rows: Iterable[tuple[Row, tuple[SortValue, ...]]], order: Sequence[OrderTerm], native_kinds: Sequence[Kind]
) -> list[tuple[Row, tuple[SortValue, ...]]]:
    """Rows (with their native order values) in canonical order, by one stable pass a term."""
    ordered = sorted(rows, key=lambda pair: sort_key((), (), (), "", pair[1], native_kinds))
    for term in reversed(order):
        spec = field_of(term.field, "order")
        key = _sort_pass(spec, term.direction)
        ordered.sort(key=key, reverse=term.direction is Direction.DESC)
    return ordered


def _sort_pass(spec: FieldSpec, direction: Direction) -> Callable[[tuple[Row, Any]], tuple[bool, Any]]:
    field, convert, ascending = spec.name, _comparable(spec), direction is Direction.ASC

    def key(pair: tuple[Row, Any]) -> tuple[bool, Any]:
        value = pair[0].get(field)
        if value is None:
            return (ascending, _LEAST)
        return (not ascending, convert(value))

    return key


class _Least:
    """Stands for a null beside other nulls; never compared with a value, because the flag before it differs."""

    def __lt__(self, other: object) -> bool:
        return False


_LEAST = _Least()


# --- groups -------------------------------------------------------------------------------------------------------


def group_key(by: str, row: Row) -> str | None:
    if by not in GROUP_FIELDS:
        raise StoreUnsupported(f"rows cannot be grouped by {by!r}")
    if by == "classTop":
        code: str | None = row.get("classCode")
        return None if code is None else code[:3]
    value = row.get(by)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def groups_of(rows: Iterable[Row], by: Sequence[str]) -> list[GroupRow]:
    """Groups in the order of their keys (nulls last), summed exactly; a null amount adds nothing."""
    sums: dict[tuple[str | None, ...], list[Any]] = {}
    zero = Decimal(0)
    for row in rows:
        key = tuple(group_key(name, row) for name in by)
        group = sums.setdefault(key, [0, zero, zero, zero])
        group[0] += 1
        for place, name in ((1, "quantity"), (2, "originalValue"), (3, "netValue")):
            if (value := row.get(name)) is not None:
                group[place] = plus(group[place], Decimal(value))
    keys = sorted(sums, key=lambda key: tuple((part is None, part or "") for part in key))
    return [GroupRow(key, *sums[key]) for key in keys]


def group_text(name: str, value: Any) -> str | None:
    """A group's key out of what SQL keeps for it: an enum's rank, a boolean's number."""
    if value is None or name == "classTop":
        return None if value is None else str(value)
    spec = CANONICAL_FIELDS[name]
    if spec.kind is FieldKind.ENUM:
        return spec.values[int(value)]
    if spec.kind is FieldKind.BOOLEAN:
        return "true" if value else "false"
    return str(value)
