"""The book's database: a SQLite file, or PostgreSQL by URL. `write()` is a transaction that excludes every other
command on the same asset: SQLite has one writer at a time (BEGIN IMMEDIATE), PostgreSQL takes an advisory lock.

A database that is away, or busy beyond patience, is `BookUnavailable`, whatever the driver calls it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from subgraphs.district.custody import tables
from subgraphs.kit import sqlite
from subgraphs.kit.migrations import Migrations

__all__ = ["MIGRATIONS", "BookUnavailable", "Database"]

MIGRATIONS = Migrations(
    "subgraphs.district.custody.migrations",
    "custody_alembic_version",
    tables.metadata,
    legacy_table="custody_schema_version",
)

_SQLITE_CONNECTIONS = 2
"""Each is a thread, and fourteen books may stand in one process."""
_POSTGRESQL_CONNECTIONS = 8
_BUSY_S = 10.0
"""How long a command waits for another process to let go of a SQLite file."""
_BUSY_SLICE_MS = 100
"""SQLite waits in its thread, where no deadline reaches it, so it waits in slices. Readers (WAL) wait for nobody."""
_PRAGMAS = ("synchronous=FULL", f"busy_timeout={_BUSY_SLICE_MS}")
_LAST_COMMAND = "SELECT max(rowid) FROM custody_commands"
"""Answered out of the tree's last leaf; rows of this table are only ever added."""


class BookUnavailable(RuntimeError):
    """The database does not answer; whether a command was carried out tells its idempotency key."""


class Database:
    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._writer = asyncio.Lock()
        """Writers of this process queue here, in order, before they queue in the file."""
        self.writes = 0
        """Transactions that this process has ended: while it stands, this process has changed nothing."""

    async def open(self) -> None:
        """Bring the book to this program's tables. Raises `StoreTooNew` or `BookUnavailable`."""
        try:
            async with self.write("custody schema") as connection:
                await connection.run_sync(MIGRATIONS.upgrade)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with _reported():
            async with self._connected() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *locks: str) -> AsyncIterator[AsyncConnection]:
        """One transaction that holds the named locks to its end; durable when it returns."""
        try:
            async with self._write(*locks) as connection:
                yield connection
        finally:
            self.writes += 1

    @asynccontextmanager
    async def add(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that adds what no command decides by: it does not count among the `writes`."""
        async with self._write() as connection:
            yield connection

    async def mark(self) -> str:
        """Equal to an earlier one only if no process has kept a command of any region since."""
        question = _LAST_COMMAND if self._is_sqlite else "SELECT pg_current_snapshot()"
        async with self.read() as connection:
            return str((await connection.execute(sa.text(question))).scalar())

    @asynccontextmanager
    async def _write(self, *locks: str) -> AsyncIterator[AsyncConnection]:
        with _reported():
            if self._is_sqlite:
                async with self._writer, self._connected() as connection:
                    await connection.execution_options(**sqlite.WRITING)
                    await _begin(connection)
                    yield connection
                    await connection.commit()  # leaving the connection without it rolls back
                return
            async with self._connected() as connection, connection.begin():
                for name in sorted(locks):  # always in the same order, so that two commands never wait for each other
                    await self.lock(connection, name)
                yield connection

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """One lock more, inside a `write()`; SQLite's writer has them all."""
        if not self._is_sqlite:
            await connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Drivers raise classes of their own while connecting; none of them means anything else than this."""
        try:
            connection = await self._engine.connect()
        except Exception as error:
            raise BookUnavailable(f"the custody book cannot be reached ({type(error).__name__})") from error
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())  # a request that is given up still gives its connection back


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except (OSError, sa.exc.DBAPIError) as error:
        if isinstance(error, sa.exc.DBAPIError) and not _is_away(error):
            raise
        raise BookUnavailable(f"the custody book does not answer ({type(error).__name__})") from error


def _is_away(error: sa.exc.DBAPIError) -> bool:
    return error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)


async def _begin(connection: AsyncConnection) -> None:
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            await connection.begin()
            return
        except sa.exc.OperationalError:
            if time.monotonic() > until:
                raise


def _engine(url: str) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite.create_engine(parsed, *_PRAGMAS, pool_size=_SQLITE_CONNECTIONS, max_overflow=0)
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"), pool_size=_POSTGRESQL_CONNECTIONS, pool_pre_ping=True
        )
    raise ValueError("a custody book is SQLite or PostgreSQL")
