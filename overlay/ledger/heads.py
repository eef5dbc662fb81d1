"""Reading the entries of all lineages up to a place: in one order on every engine, as they come, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, collate, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal, format_money
from overlay.store.tables import ledger_entries

__all__ = ["Sums", "add_sums", "heads", "in_code_order", "shown_sums", "snapshot", "streamed", "sums_between"]

_ROWS_AT_ONCE = 2_000
Sums = dict[str, tuple[Decimal, Decimal]]
"""Per custody quantity and known value."""


def in_code_order(connection: AsyncConnection, column: ColumnElement[str]) -> ColumnElement[str]:
    """Order by code points: a PostgreSQL database has a collation of its own."""
    return column if connection.dialect.name == "sqlite" else collate(column, "C")


async def snapshot(connection: AsyncConnection) -> None:
    """As the first statement of a transaction: all that it reads is of one moment."""
    if connection.dialect.name != "sqlite":
        await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


async def streamed(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Any]:
    result = await connection.stream(query.execution_options(yield_per=_ROWS_AT_ONCE))
    async for part in result.partitions(_ROWS_AT_ONCE):
        for row in part:
            yield row


def heads(connection: AsyncConnection, position: int) -> AsyncIterator[Any]:
    """The last entry of each lineage up to a place, lineages in order: (lineage, sequence, hash, position)."""
    table = ledger_entries
    last = (
        select(table.c.lineage, func.max(table.c.sequence).label("sequence"))
        .where(table.c.position <= position)
        .group_by(table.c.lineage)
        .subquery()
    )
    query = (
        select(table.c.lineage, table.c.sequence, table.c.hash, table.c.position)
        .join(last, (last.c.lineage == table.c.lineage) & (last.c.sequence == table.c.sequence))
        .order_by(in_code_order(connection, table.c.lineage))
    )
    return streamed(connection, query)


async def sums_between(connection: AsyncConnection, after: int, upto: int) -> tuple[Sums, int]:
    """Sums and count of the entries in (after, upto]. The store counts equal texts; they are added up here, exactly."""
    table = ledger_entries
    dimensions = (table.c.custody, table.c.quantity, table.c.value)
    query = (
        select(*dimensions, func.count().label("times"))
        .where(table.c.position > after, table.c.position <= upto)
        .group_by(*dimensions)
    )
    sums: Sums = {}
    entries = 0
    async for row in streamed(connection, query):
        add_sums(sums, row.custody, Decimal(row.quantity) * row.times, Decimal(row.value or 0) * row.times)
        entries += row.times
    return sums, entries


def add_sums(sums: Sums, custody: str, quantity: Decimal, value: Decimal) -> None:
    held = sums.get(custody, (Decimal(0), Decimal(0)))
    sums[custody] = held[0] + quantity, held[1] + value


def shown_sums(sums: Sums) -> dict[str, dict[str, str]]:
    """As they stand in an anchor; a custody that nothing was ever in is left out."""
    return {
        custody: {"quantity": format_decimal(quantity), "value": format_money(value)}
        for custody, (quantity, value) in sums.items()
    }
