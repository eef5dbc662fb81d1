"""A store's rows as files: one a table, one line of JSON a row, its columns in the order of the first line.

Nothing is lost on the way: the stores keep numbers with decimals and instants as text. The same files are read into
either engine, so a city may also move from one to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import quoted_name

__all__ = ["BrokenRows", "read_tables", "write_tables"]

ROWS_AT_ONCE = 500


class BrokenRows(ValueError):
    """A file is not what a backup writes."""


async def write_tables(connection: AsyncConnection, metadata: MetaData, folder: Path) -> dict[str, int]:
    """Write every table into a new folder; gives how many rows each has."""
    folder.mkdir(parents=True)
    counts: dict[str, int] = {}
    for table in metadata.sorted_tables:
        names = [str(column.name) for column in table.columns]
        counts[str(table.name)] = 0
        with (folder / f"{table.name}.jsonl").open("wb") as file:
            file.write(orjson.dumps(names) + b"\n")
            query = sa.select(table).order_by(*table.primary_key.columns)
            async with connection.stream(query) as rows:
                async for row in rows:
                    file.write(orjson.dumps(list(row)) + b"\n")
                    counts[str(table.name)] += 1
    return counts


def read_tables(connection: Connection, folder: Path, order: list[str]) -> dict[str, int]:
    """Insert the files' rows into tables that are empty, in this order of tables; gives how many each got."""
    found = MetaData()
    found.reflect(connection, only=order)
    return {name: _read_table(connection, found.tables[name], folder / f"{name}.jsonl") for name in order}


def _read_table(connection: Connection, table: Table, path: Path) -> int:
    columns = [sa.column(quoted_name(column.name, True), column.type) for column in table.columns]
    into, n = sa.table(table.name, *columns), 0
    for batch in _batches(path, {column.name for column in table.columns}):
        connection.execute(sa.insert(into), batch)
        n += len(batch)
    if connection.dialect.name == "postgresql":
        _set_sequences(connection, table)
    return n


def _batches(path: Path, known: set[str]) -> Iterator[list[Mapping[str, Any]]]:
    with path.open("rb") as file:
        try:
            names = orjson.loads(file.readline())
            if not set(names) <= known:
                raise BrokenRows(f"{path.name} has columns that its table has not")
            batch: list[Mapping[str, Any]] = []
            for line in file:
                batch.append(dict(zip(names, orjson.loads(line), strict=True)))
                if len(batch) == ROWS_AT_ONCE:
                    yield batch
                    batch = []
        except (orjson.JSONDecodeError, TypeError) as error:
            raise BrokenRows(f"{path.name} cannot be read: {error}") from None
    if batch:
        yield batch


def _set_sequences(connection: Connection, table: Table) -> None:
    """Rows came with their numbers, which PostgreSQL's own counters know nothing of."""
    for column in table.primary_key.columns:
        named = {"table": table.name, "column": column.name}
        sequence = connection.execute(sa.text("SELECT pg_get_serial_sequence(:table, :column)"), named).scalar()
        highest = connection.execute(sa.select(sa.func.max(column))).scalar() if sequence else None
        if highest is not None:
            connection.execute(sa.text("SELECT setval(:sequence, :n)"), {"sequence": sequence, "n": highest})
