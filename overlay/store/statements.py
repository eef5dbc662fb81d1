"""Statements that are put together once.

To put a statement together and to find it compiled costs SQLAlchemy more than to ask SQLite for it. A statement that is
kept is put together once, and remembers itself by what it was compiled; its values go beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Insert, Table, Update, bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from subgraphs.kit.prepared import kept

__all__ = ["add", "change"]

_SHAPES_MAX = 512
"""Of sets of columns; the program names them, no request does."""


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
