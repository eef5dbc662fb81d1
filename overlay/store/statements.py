"""Statements that are put together once.

To put a statement together and to find it compiled costs SQLAlchemy more than to ask SQLite for it. A statement that is
kept is put together once, and remembers itself by what it was compiled; its values go beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    RowMapping,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.kit.prepared import kept

__all__ = ["ByValue", "add", "change"]

_SHAPES_MAX = 512
"""Of sets of columns; the program names them, no request does."""


class ByValue:
    """A question about the rows of which a column has one of some values: kept for one value, since a list of values is
    put into the statement anew each time."""

    def __init__(self, asked: Callable[[Callable[[ColumnElement[Any]], ColumnElement[bool]]], Select[Any]]) -> None:
        """`asked`: the question, given what makes the condition on the column."""
        self._of_one = kept(asked(lambda column: column == bindparam("value")))
        self._of_many = asked(lambda column: column.in_(bindparam("values", expanding=True)))

    async def rows(self, connection: AsyncConnection, values: Sequence[Any]) -> Sequence[RowMapping]:
        """None for no values."""
        if not values:
            return []
        if len(values) == 1:
            found = await connection.execute(self._of_one, {"value": values[0]})
        else:
            found = await connection.execute(self._of_many, {"values": values})
        return found.mappings().all()


async def add(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that name the same columns, in one statement; none where there are none."""
    if rows:
        await connection.execute(_insert(table), rows)


async def change(connection: AsyncConnection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Set columns of the rows whose key columns have these values. Where the table counts versions, it counts one more.
    Returns how many rows there were."""
    statement = _update(table, tuple(key), tuple(values))
    given = {f"key_{name}": value for name, value in key.items()} | {f"new_{name}": v for name, v in values.items()}
    return int((await connection.execute(statement, given)).rowcount)


@lru_cache(_SHAPES_MAX)
def _insert(table: Table) -> Insert:
    return kept(insert(table))


@lru_cache(_SHAPES_MAX)
def _update(table: Table, key: tuple[str, ...], values: tuple[str, ...]) -> Update:
    where = [table.c[name] == _bound("key", table, name) for name in key]
    new: dict[str, Any] = {name: _bound("new", table, name) for name in values}
    if "version" in table.c:
        new["version"] = table.c.version + 1
    return kept(update(table).where(*where).values(new))


def _bound(use: str, table: Table, name: str) -> BindParameter[Any]:
    return bindparam(f"{use}_{name}", type_=table.c[name].type)
