"""Servers, through SQLAlchemy's async engine: at most so many connections, each statement within its time.

What a driver would not hand over, or hand over as something else, is asked for as text: a date before Christ or
`infinity` (asyncpg refuses the one and makes 9999-12-31 of the other) is a fault of its row, not of the store.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from adapters.guest import Gate, tls_context
from adapters.kinds import missing_driver
from adapters.mapping.model import StoreSettings
from adapters.model import StoreError, StoreUnavailable, StoreUnsupported
from adapters.sql.reader import (
    BATCH_ROWS,
    Reader,
    SqliteReader,
    Statement,
    TableInfo,
    inspect_tables,
    write_statement,
)

__all__ = ["EngineReader", "open_reader"]

T = TypeVar("T")
_DRIVERS = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "mariadb": "mysql+asyncmy"}


def open_reader(settings: StoreSettings, prepare: Callable[[sqlite3.Connection], None]) -> Reader:
    """`prepare` adds functions of ours to each SQLite connection."""
    if settings.engine == "sqlite":
        return SqliteReader(settings, prepare)
    return EngineReader(settings)


def _engine_of(settings: StoreSettings) -> AsyncEngine:
    guest = settings.guest
    try:
        url: URL = make_url(settings.url)
        if "+" not in url.drivername:
            url = url.set(drivername=_DRIVERS[settings.engine])
        return create_async_engine(
            url,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=guest.connections_max,
            max_overflow=0,
            pool_timeout=guest.statement_timeout_s,
            pool_pre_ping=False,
            connect_args=_tls_arguments(settings),
        )
    except ImportError as error:
        raise missing_driver(settings.engine, error.name) from None
    except (SQLAlchemyError, ValueError):  # their texts show the url
        raise StoreUnsupported(
            f"the url is none of a {settings.engine} store: write {settings.engine}://user:password@host:port/database"
        ) from None


def _tls_arguments(settings: StoreSettings) -> dict[str, Any]:
    context = tls_context(settings.guest)
    if context is not None:
        return {"ssl": context}
    return {"ssl": False} if settings.guest.tls == "off" and settings.engine == "postgresql" else {}


def _read_all_dates(connection: Any, _: Any) -> None:
    """Let asyncpg take dates and times as text, and give back as text those that Python has no value for."""
    readers: dict[str, Callable[[str], Any]] = {
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "timestamptz": datetime.fromisoformat,
    }

    async def set_codecs(driver: Any) -> None:
        await driver.execute("SET datestyle = 'ISO, YMD'")
        for name, read in readers.items():
            await driver.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=_or_text(read), format="text")

    connection.run_async(set_codecs)


def _or_text(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def decode(text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            return text

    return decode


class EngineReader:
    """A server, through SQLAlchemy's async engine."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._gate = Gate(settings.guest)
        self._engine = _engine_of(settings)
        self.dialect: Dialect = self._engine.dialect
        if self.dialect.name == "postgresql":
            event.listen(self._engine.sync_engine, "connect", _read_all_dates)

    async def open(self) -> None:
        await self.fetch(write_statement(sa.select(sa.literal_column("1")), self.dialect), {})

    async def close(self) -> None:
        await self._engine.dispose()

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]:
        async def look() -> dict[str, TableInfo | None]:
            async with self._engine.connect() as connection:
                return await connection.run_sync(inspect_tables, names)

        return await self._guarded(look)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        async def read() -> list[tuple[Any, ...]]:
            async with self._engine.connect() as connection:
                result = await connection.exec_driver_sql(statement.sql, self._bound(statement, values))
                return [tuple(row) for row in result]

        rows = await self._guarded(read)
        await self._gate.took(len(rows))
        return rows

    async def fetch_with_token(
        self, statement: Statement, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], Hashable | None]:
        return await self.fetch(statement, values), None

    async def stream(self, statement: Statement) -> AsyncIterator[list[tuple[Any, ...]]]:
        """By a cursor at the server."""
        bound = self._bound(statement, {})

        def start(connection: sa.Connection) -> sa.CursorResult[Any]:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
            return streaming.exec_driver_sql(statement.sql, bound)

        connection = self._engine.connect()
        await self._guarded(connection.start)
        try:
            result = await self._guarded(lambda: connection.run_sync(start))
            while batch := await self._guarded(lambda: connection.run_sync(lambda _: result.fetchmany(BATCH_ROWS))):
                yield [tuple(row) for row in batch]
                await self._gate.took(len(batch))
        except BaseException:
            await connection.invalidate()  # closing a cursor that is not at its end would read all that is left
            raise
        finally:
            await connection.close()

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        async def change() -> int:
            async with self._engine.begin() as connection:
                result = await connection.exec_driver_sql(statement.sql, self._bound(statement, values))
                return int(result.rowcount)

        return await self._guarded(change)

    def _bound(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        if statement.names:
            return statement.bound(values)
        return {**statement.constants, **values} if statement.constants else ()

    async def token(self) -> Hashable | None:
        return None

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            self._gate.enter()
            async with asyncio.timeout(self._settings.guest.statement_timeout_s):
                return await work()
        except StoreError:
            raise
        except TimeoutError:
            raise StoreUnavailable("the store did not answer in time") from None
        except (SQLAlchemyError, OSError, ConnectionError) as error:
            raise StoreUnavailable(f"the store cannot be read ({type(error).__name__})") from None
        except Exception as error:  # drivers raise classes of their own before SQLAlchemy wraps them
            raise StoreUnavailable(f"the store cannot be read ({type(error).__name__})") from None
