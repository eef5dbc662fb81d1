"""Servers of any kind, through SQLAlchemy: which reader a store needs, and the one for all that are not SQLite.

A statement is run by the driver's own cursor, for SQLAlchemy has written it already (`Statement`); a long reading by a
cursor at the server. What a driver would not hand over, or hand over as something else, is asked for as text: a date
before Christ or `infinity` (asyncpg refuses the one and makes 9999-12-31 of the other) is a fault of its row, not of
the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from adapters.guest import Gate, warn_of_old_tls
from adapters.mapping.model import StoreSettings
from adapters.model import StoreUnsupported
from adapters.sql.faults import unavailable
from adapters.sql.lanes import Lane, Lanes
from adapters.sql.reader import BATCH_ROWS, Reader, SqliteReader, Statement, TableInfo, inspect_tables
from adapters.sql.session import Use, ends_by_itself, transaction_start

__all__ = ["EngineReader", "open_reader"]

T = TypeVar("T")


def open_reader(
    settings: StoreSettings, prepare: Callable[[sqlite3.Connection], None], *, writes: bool = False
) -> Reader:
    """`prepare` adds functions of ours to each SQLite connection; `writes`: whether the mapping grants changes."""
    if settings.engine == "sqlite":
        return SqliteReader(settings, prepare, writes=writes)
    return EngineReader(settings, writes=writes)


class EngineReader:
    """`gate` and `lanes` are given by tests that turn a clock by hand."""

    def __init__(
        self, settings: StoreSettings, *, writes: bool = False, gate: Gate | None = None, lanes: Lanes | None = None
    ) -> None:
        self._settings, self._writes = settings, writes
        self._gate = gate or Gate(settings.guest)
        self._lanes = lanes or Lanes(settings)
        self.dialect: Dialect = self._lanes.reading.dialect
        burst = settings.guest.burst
        self._batch_rows = min(BATCH_ROWS, burst) if burst else BATCH_ROWS
        """A store that gives few rows a second gives them in small batches: its cursor then never waits long."""

    async def open(self) -> None:
        warn_of_old_tls(self._lanes.reading.url.host or self._settings.engine, self._settings.guest)
        await self._read(lambda connection: None)

    async def close(self) -> None:
        await self._lanes.close()

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]:
        def look(connection: sa.Connection) -> dict[str, TableInfo | None]:
            try:
                return inspect_tables(connection, names)
            finally:
                connection.rollback()

        return await self._read(look)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        bound = self._bound(statement, values)
        start = transaction_start(self.dialect.name, Use.READ)

        def read(connection: sa.Connection) -> list[tuple[Any, ...]]:
            cursor = connection.connection.cursor()
            try:
                if start is not None:
                    cursor.execute(start)
                cursor.execute(statement.sql, bound)
                return [tuple(row) for row in cursor.fetchall()]
            finally:
                with suppress(Exception):  # of a cursor that has failed: what it raised first is what counts
                    cursor.close()
                    if not ends_by_itself(connection.dialect.name):
                        connection.connection.rollback()

        rows = await self._read(read)
        await self._gate.took(len(rows))
        return rows

    async def fetch_with_token(
        self, statement: Statement, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], Hashable | None]:
        return await self.fetch(statement, values), None

    async def stream(self, statement: Statement) -> AsyncIterator[list[tuple[Any, ...]]]:
        bound = self._bound(statement, {})
        start = transaction_start(self.dialect.name, Use.STREAM)

        def begin(connection: sa.Connection, lane: Lane) -> sa.CursorResult[Any]:
            if start is not None:
                connection.exec_driver_sql(start)
            streaming = connection.execution_options(stream_results=True, max_row_buffer=self._batch_rows)
            result = streaming.exec_driver_sql(statement.sql, bound)
            lane.cursor = result.cursor
            return result

        self._gate.enter()
        try:
            async with self._lanes.lane(Use.STREAM) as lane:
                result = await lane.run(partial(begin, lane=lane))
                while batch := await lane.run(lambda _: result.fetchmany(self._batch_rows)):
                    yield [tuple(row) for row in batch]
                    await self._gate.took(len(batch))
                    self._gate.enter()
        except Exception as error:
            raise unavailable(error) from None

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        if not self._writes:
            raise StoreUnsupported("the mapping grants no changes to this store")
        bound = self._bound(statement, values)

        def change(connection: sa.Connection) -> int:
            changed = connection.exec_driver_sql(statement.sql, bound).rowcount
            connection.commit()
            return int(changed)

        self._gate.enter()
        try:
            async with self._lanes.lane(Use.WRITE) as lane:
                return await lane.run(change)
        except Exception as error:
            raise unavailable(error) from None

    def _bound(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        if statement.names:
            return statement.bound(values)
        return {**statement.constants, **values} if statement.constants else ()

    async def token(self) -> Hashable | None:
        return None

    async def _read(self, work: Callable[[sa.Connection], T]) -> T:
        """A kept connection may have been closed behind our back: then once more, on a new one."""
        self._gate.enter()
        lane: Lane | None = None
        try:
            async with self._lanes.lane(Use.READ) as lane:
                return await lane.run(work)
        except Exception as error:
            if lane is None or not lane.was_kept or not lane.is_gone(error):
                raise unavailable(error) from None
        try:
            async with self._lanes.lane(Use.READ, fresh=True) as lane:
                return await lane.run(work)
        except Exception as error:
            raise unavailable(error) from None
