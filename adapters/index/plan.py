"""How a page with a filter is read: by what the filter finds, or along the order until the page is full.

SQLite guesses by averages, and sorts half a table for a page of fifty. So the filter is tried first, for at most so many
rows (`FEW`). Where it finds no more, they alone are sorted. Where it finds more, the order's index is read, and the
filter looks at each row: of a million rows with so many matches, every 250th is one.

An order of several fields is read block by block (`adapters.index.blocks`).

Conditions on the very field that the page is ordered by are ranges of the order's own index and always stay. Without an
order, `(field, key)` gives the rows of an equality in key order, `(key, flaws)` those with issues, and a search for texts
alone reads `(key, matched)` until the page is full: none of them needs a trial.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from adapters.evaluate import GROUP_FIELDS
from adapters.index.blocks import block_values, inside
from adapters.index.layout import Layout
from adapters.index.pages import ranges
from adapters.index.settle import FILTERED, ORDERED
from adapters.index.where import Conditions
from adapters.model import (
    And,
    Compare,
    Filter,
    HasIssues,
    In,
    IsNull,
    KeyIn,
    Not,
    Or,
    PageRequest,
    TextContains,
    TextMatch,
    TextPrefix,
    UnderClass,
)

__all__ = ["PagePlan", "is_tallied"]

FEW: Final = 4_000
BLOCKS_MAX: Final = 200
"""Each costs two or three statements, 0.1 ms; a page of fifty rows has no more than fifty blocks without a filter."""
_EQUAL_FIELDS: Final = frozenset((*ORDERED, *FILTERED))
_TALLIED: Final = frozenset(GROUP_FIELDS) - {"classTop"}


@dataclass(frozen=True, slots=True)
class _Condition:
    sql: str
    values: list[Any]


class PagePlan:
    def __init__(
        self, request: PageRequest, conditions: Conditions, layout: Layout, block: _Condition | None = None
    ) -> None:
        """`block`: a condition that holds for all rows of the page, beside its filter."""
        self._request, self._conditions, self._layout, self._block = request, conditions, layout, block
        self._limit = request.limit
        self._columns = ", ".join(("row", "flaws", *layout.keys))
        self._ranges = ranges(request, conditions, layout)
        parts = _conjuncts(request.filter)
        own = _is_own(request)
        self._own = _written(conditions, [part for part in parts if own(part)])
        self._rest = _written(conditions, [part for part in parts if not own(part)])
        if block is not None:
            self._rest = _both(self._rest, block)
        self._is_direct = not self._rest.values and self._rest.sql == "1"
        self._source = "asset"
        if not request.order and block is not None:
            self._own, self._rest, self._is_direct = _both(self._own, self._rest), _Condition("1", []), True
        elif not request.order and parts and (any(map(_is_equality, parts)) or all(map(_is_search, parts))):
            self._own, self._rest, self._is_direct = _written(conditions, parts), _Condition("1", []), True
            self._source = "asset INDEXED BY by_match" if all(map(_is_search, parts)) else "asset"

    def read(self, db: sqlite3.Connection) -> list[tuple[Any, ...]]:
        """(row, flaws, key…), one more than asked for where there are more."""
        if not self._is_direct:
            sql, values = self._trial()
            found = [n for (n,) in db.execute(sql, values)]
            if len(found) <= FEW:
                return self._filled(db, self._among(found))
        if len(self._request.order) > 1 and (rows := self._by_blocks(db)) is not None:
            return rows
        return self._filled(db, self._along())

    def _by_blocks(self, db: sqlite3.Connection) -> list[tuple[Any, ...]] | None:
        """None where there are very many blocks: then each is small, and SQLite sorts them one by one as it goes."""
        found: list[tuple[Any, ...]] = []
        column = self._conditions.column(self._request.order[0].field)
        for number, value in enumerate(block_values(db, self._request, self._conditions)):
            if number == BLOCKS_MAX:
                return None
            asked = inside(self._request, value, self._conditions, self._limit + 1 - len(found))
            same = _Condition(f"{column} IS NULL", []) if value is None else _Condition(f"{column} = ?", [value])
            block = same if self._block is None else _both(self._block, same)
            found += PagePlan(asked, self._conditions, self._layout, block).read(db)
            if len(found) > self._limit:
                break
        return found

    @property
    def statements(self) -> list[str]:
        """What is sent, where the filter finds many."""
        trial = [] if self._is_direct else [self._trial()[0]]
        return trial + [sql for sql, _ in self._along()]

    def _trial(self) -> tuple[str, list[Any]]:
        where = f"{self._own.sql} AND {self._rest.sql}"
        return f"SELECT n FROM asset WHERE {where} LIMIT {FEW + 1}", [*self._own.values, *self._rest.values]

    def _along(self) -> list[tuple[str, list[Any]]]:
        # The sign keeps SQLite from answering the rest by an index of its own and sorting what that finds.
        rest = "" if self._is_direct else f" AND +({self._rest.sql})"
        return [
            (
                f"SELECT {self._columns} FROM {self._source} WHERE {part.where} AND {self._own.sql}{rest}"
                f" ORDER BY {part.order_by} LIMIT ?",
                [*part.values, *self._own.values, *self._rest.values],
            )
            for part in self._ranges
        ]

    def _among(self, found: Sequence[int]) -> list[tuple[str, list[Any]]]:
        few = orjson.dumps(found).decode()
        source = "FROM json_each(?) AS few CROSS JOIN asset ON asset.n = few.value"
        return [
            (
                f"SELECT {self._columns} {source} WHERE {part.where} ORDER BY {part.order_by} LIMIT ?",
                [few, *part.values],
            )
            for part in self._ranges
        ]

    def _filled(self, db: sqlite3.Connection, statements: Sequence[tuple[str, list[Any]]]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        wanted = self._limit + 1
        for sql, values in statements:
            found += db.execute(sql, (*values, wanted - len(found))).fetchall()
            if len(found) >= wanted:
                break
        return found


def _both(one: _Condition, other: _Condition) -> _Condition:
    return _Condition(f"{one.sql} AND {other.sql}", [*one.values, *other.values])


def _written(conditions: Conditions, parts: Sequence[Filter]) -> _Condition:
    values: list[Any] = []
    return _Condition(conditions.write(And(tuple(parts)), values), values)


def _conjuncts(filter_: Filter | None) -> list[Filter]:
    if filter_ is None:
        return []
    if isinstance(filter_, And):
        return [inner for part in filter_.parts for inner in _conjuncts(part)]
    return [filter_]


def _is_own(request: PageRequest) -> Callable[[Filter], bool]:
    """Whether a condition is a range of the index that gives the order."""
    if not request.order:
        return lambda part: isinstance(part, KeyIn)
    field = request.order[0].field
    return lambda part: isinstance(part, Compare | TextPrefix) and part.field == field


def _is_equality(part: Filter) -> bool:
    match part:
        case Compare(field, "eq", _):
            return field in _EQUAL_FIELDS
        case In(field, values):
            return field in _EQUAL_FIELDS and len(values) <= 1
        case IsNull(field):
            return field in _EQUAL_FIELDS
        case _:
            return part == HasIssues(True)


def _is_search(part: Filter) -> bool:
    return isinstance(part, TextMatch)


def is_tallied(filter_: Filter | None) -> bool:
    """Whether only fields are looked at that rows are grouped by, so that the tally of groups can answer."""
    match filter_:
        case None:
            return True
        case And(parts) | Or(parts):
            return all(map(is_tallied, parts))
        case Not(part):
            return is_tallied(part)
        case Compare() | In() | IsNull() | TextContains() | TextPrefix():
            return filter_.field in _TALLIED
        case _:
            return isinstance(filter_, UnderClass)
