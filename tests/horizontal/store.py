"""One store that holds all rows: what horizontal federation has to be equal to.

Written apart from everything that it judges. It compares two rows by a function of its own, value by value: decimals
as fractions, dates and times as such, enums by their place, texts by the numbers of their code points. It knows no
cursors: a page begins after a row. What members and gateway share (`contract.order`, `contract.cursors`) is not used,
so a fault there is a difference here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from tests.horizontal.contract import GRADES
from tests.horizontal.rows import FIELDS, Filter, Order, Row

__all__ = ["Page", "Store", "Window"]


@dataclass(frozen=True)
class Window:
    """Which rows of the whole order: `first` of those after a row, or `last` of those before one."""

    first: int | None = None
    last: int | None = None
    after: Row | None = None
    before: Row | None = None


@dataclass(frozen=True)
class Page:
    rows: tuple[Row, ...]
    has_more: bool
    """In the direction of the walk."""

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]


class Store:
    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)

    def of(self, depots: Iterable[str]) -> Store:
        """The store as it would be with these depots' rows alone."""
        kept = frozenset(depots)
        return Store(row for row in self.rows if row.depot in kept)

    def where(self, filter_: Filter | None) -> Store:
        return Store(row for row in self.rows if _matches(row, filter_ or {}))

    def sorted(self, order: Order) -> list[Row]:
        def compared(one: Row, other: Row) -> int:
            return compare(one, other, order)

        return sorted(self.rows, key=cmp_to_key(compared))

    def page(self, order: Order, window: Window) -> Page:
        after, before = window.after, window.before
        found = [
            row
            for row in self.sorted(order)
            if (after is None or compare(row, after, order) > 0) and (before is None or compare(row, before, order) < 0)
        ]
        if window.last is not None:
            kept = found[len(found) - window.last :] if window.last < len(found) else found
        else:
            kept = found[: window.first]
        return Page(tuple(kept), len(kept) < len(found))

    def by_id(self, id_: str) -> Row | None:
        return next((row for row in self.rows if row.id == id_), None)

    def groups(self, *by: str) -> dict[tuple[Any, ...], Store]:
        """Rows that are equal in these fields; a null is equal to a null, a price to itself however it is written."""
        found: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows:
            identity = tuple(_value(row, name) if name == "price" else getattr(row, name) for name in by)
            found.setdefault(identity, []).append(row)
        return {identity: Store(rows) for identity, rows in found.items()}

    # What a group or the whole comes to

    @property
    def worth(self) -> Fraction:
        return sum(self.values("price"), Fraction(0))

    @property
    def pieces(self) -> int:
        return sum(self.values("count"))

    def least(self, name: str) -> Any:
        return min(self.values(name), default=None)

    def greatest(self, name: str) -> Any:
        return max(self.values(name), default=None)

    @staticmethod
    def meaning(name: str) -> Callable[[Any], Any]:
        return _MEANINGS[name]

    def values(self, name: str) -> list[Any]:
        """The values that are not null, as what they mean."""
        return [_value(row, name) for row in self.rows if getattr(row, name) is not None]


# The order


def compare(one: Row, other: Row, order: Order) -> int:
    """Negative: `one` comes first. Two rows are never equal, for a depot has no native key twice."""
    for field, direction in order:
        found = _compare_values(_value(one, FIELDS[field]), _value(other, FIELDS[field]), direction)
        if found:
            return found
    return _sign(_points(one.depot), _points(other.depot)) or _compare_keys(one.key, other.key)


def _compare_values(one: Any, other: Any, direction: str) -> int:
    if one is None or other is None:
        return (one is None) - (other is None)  # Nulls are last in both directions.
    return _sign(one, other) if direction == "ASC" else _sign(other, one)


def _compare_keys(one: int | str, other: int | str) -> int:
    if isinstance(one, int) and isinstance(other, int):
        return _sign(one, other)
    return _sign(_points(str(one)), _points(str(other)))


def _sign(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _points(text: str) -> list[int]:
    return [ord(character) for character in text]


_MEANINGS: dict[str, Callable[[Any], Any]] = {
    "name": _points,
    "price": Fraction,
    "count": int,
    "made": date.fromisoformat,
    "seen": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    "grade": GRADES.index,
}


def _value(row: Row, name: str) -> Any:
    written = getattr(row, name)
    return None if written is None else _MEANINGS[name](written)


# The filter


def _matches(row: Row, filter_: Filter) -> bool:
    return all(_holds(row, name, wanted) for name, wanted in filter_.items())


def _holds(row: Row, name: str, wanted: Any) -> bool:
    match name:
        case "depot" | "id":
            own = row.depot if name == "depot" else row.id
            allowed: Sequence[str] = wanted["in"] if "in" in wanted else [wanted["eq"]]
            return own in allowed
        case "countMin":
            return row.count is not None and row.count >= wanted
        case "isPriced":
            return (row.price is not None) is bool(wanted)
        case _:
            return bool(getattr(row, name) == wanted)
