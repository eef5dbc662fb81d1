"""The book's database: a SQLite file, or PostgreSQL by URL. `write()` is a transaction that excludes every other
command on the same asset: SQLite has one writer at a time (BEGIN IMMEDIATE), PostgreSQL takes an advisory lock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from subgraphs.district.custody import tables

__all__ = ["Database", "IncompatibleBook"]

_SQLITE_CONNECTIONS = 2
"""Each is a thread, and fourteen books may stand in one process."""
_POSTGRESQL_CONNECTIONS = 8
_BUSY_TIMEOUT_MS = 10_000
_WRITE = "gwc_write"


class IncompatibleBook(RuntimeError):
    """The book was made by another version of this program."""


class Database:
    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._writer = asyncio.Lock()
        """Writers of this process queue here, in order, before they queue in the file."""

    async def open(self) -> None:
        """Make the tables where there are none. Raises `IncompatibleBook`."""
        try:
            async with self.write("custody schema") as connection:
                await connection.run_sync(tables.metadata.create_all)
                found = (await connection.execute(sa.select(tables.schema_version.c.version))).scalar()
                if found is None:
                    await connection.execute(sa.insert(tables.schema_version).values(version=tables.SCHEMA_VERSION))
                elif found != tables.SCHEMA_VERSION:
                    raise IncompatibleBook(
                        f"the custody book has schema version {found}, this program needs {tables.SCHEMA_VERSION}"
                    )
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self, *locks: str) -> AsyncIterator[AsyncConnection]:
        """One transaction that holds the named locks to its end; durable when it returns."""
        if self._is_sqlite:
            async with self._writer, self._engine.connect() as connection:
                await connection.execution_options(**{_WRITE: True})
                async with connection.begin():
                    yield connection
            return
        async with self._engine.begin() as connection:
            for name in sorted(locks):  # always in the same order, so that two commands never wait for each other
                await connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
                )
            yield connection


def _engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(
            parsed.set(drivername="sqlite+aiosqlite"), pool_size=_SQLITE_CONNECTIONS, max_overflow=0
        )
        sa.event.listen(engine.sync_engine, "connect", _configure_sqlite)
        sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"), pool_size=_POSTGRESQL_CONNECTIONS, pool_pre_ping=True
        )
    raise ValueError("a custody book is SQLite or PostgreSQL")


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin below, not where the driver guesses
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
