"""How statements reach the store: SQLAlchemy writes them, a driver runs them, at most so many at a time.

Two readers with one face. SQLite is read by its own module in one worker thread: one hop a statement, where aiosqlite
makes one for execute, one for fetch, one for close. Measured (Python 3.11, two cores, other work beside it): 50 rows of
ten columns take 0.25 ms this way and 0.45 ms by aiosqlite, 0.07 ms of either the statement itself. Servers are read by
SQLAlchemy's async engine. Both run a statement that has been written once for its shape (`Statement`), with only the
values bound anew; both report a driver's error as `StoreUnavailable` without its text, which may hold a password or a
row.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from adapters.mapping.model import StoreSettings
from adapters.model import StoreError, StoreUnavailable, StoreUnsupported

__all__ = ["Reader", "Statement", "TableInfo", "open_reader", "write_statement"]

T = TypeVar("T")
_PROGRESS_STEPS = 20_000
"""SQLite asks every so many steps of its machine whether the deadline has passed."""
_DRIVERS = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy", "mariadb": "mysql+asyncmy"}


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL as the driver takes it, and the names of its parameters in order."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def bound(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(values[name] if name in values else self.constants[name] for name in self.names)


def write_statement(statement: sa.sql.ClauseElement, dialect: Dialect) -> Statement:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    names = getattr(compiled, "positiontup", None)
    return Statement(str(compiled), tuple(names or ()), dict(compiled.params))


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What the store says of one table."""

    types: Mapping[str, Any]
    """Column → SQLAlchemy type."""
    unique: frozenset[frozenset[str]]
    """Sets of columns that the store keeps unique, the primary key among them."""


class Reader(Protocol):
    dialect: Dialect

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]: ...

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]: ...

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run a change in its own transaction; the number of rows changed."""

    async def token(self) -> Hashable | None:
        """Equal tokens prove that nothing has changed in between; None: this store cannot tell."""


def open_reader(settings: StoreSettings, prepare: Callable[[sqlite3.Connection], None]) -> Reader:
    """`prepare` adds functions of ours to each SQLite connection."""
    if settings.engine == "sqlite":
        return SqliteReader(settings, prepare)
    return EngineReader(settings)


def _inspect(connection: sa.Connection, names: Sequence[str]) -> dict[str, TableInfo | None]:
    inspector = sa.inspect(connection)
    found: dict[str, TableInfo | None] = {}
    for name in names:
        if not inspector.has_table(name) and name not in inspector.get_view_names():
            found[name] = None
            continue
        types = {column["name"]: column["type"] for column in inspector.get_columns(name)}
        unique = {frozenset(item["column_names"]) for item in inspector.get_unique_constraints(name)}
        unique |= {
            frozenset(column for column in item["column_names"] if column is not None)
            for item in inspector.get_indexes(name)
            if item["unique"] and None not in item["column_names"] and not _is_partial(item)
        }
        unique.add(frozenset(inspector.get_pk_constraint(name)["constrained_columns"]))
        found[name] = TableInfo(types, frozenset(columns for columns in unique if columns))
    return found


def _is_partial(index: Mapping[str, Any]) -> bool:
    return any(option.endswith("_where") for option in index.get("dialect_options", {}))


class SqliteReader:
    """One connection in one thread; read-only, but for the changes a mapping grants."""

    def __init__(self, settings: StoreSettings, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self.dialect: Dialect = sqlite_dialect.dialect(paramstyle="qmark")
        self._settings = settings
        self._path = settings.url
        self._prepare = prepare
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._opened = 0
        self._worker: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="store")
        await self._run(lambda connection: connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall())

    async def close(self) -> None:
        if self._worker is None:
            return
        await asyncio.get_running_loop().run_in_executor(self._worker, self._disconnect)
        self._worker.shutdown(wait=False)
        self._worker = None

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]:
        def look(connection: sqlite3.Connection) -> dict[str, TableInfo | None]:
            engine = sa.create_engine(
                "sqlite://", creator=lambda: sqlite3.connect(self._uri("ro"), uri=True), poolclass=sa.pool.NullPool
            )
            with engine.connect() as borrowed:
                return _inspect(borrowed, names)

        return await self._run(look)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        bound = statement.bound(values)
        return await self._run(lambda connection: connection.execute(statement.sql, bound).fetchall())

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        bound = statement.bound(values)

        def change(_: sqlite3.Connection) -> int:
            writer = sqlite3.connect(self._uri("rw"), uri=True, timeout=self._settings.timeout_s)
            try:
                with writer:
                    return writer.execute(statement.sql, bound).rowcount
            finally:
                writer.close()

        return await self._run(change)

    async def token(self) -> Hashable | None:
        def look(connection: sqlite3.Connection) -> Hashable:
            return self._opened, connection.execute("PRAGMA data_version").fetchone()[0]

        return await self._run(look)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._worker is None:
            raise StoreUnavailable("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + self._settings.timeout_s
        try:
            connection = self._connected()
            connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _PROGRESS_STEPS)
            return work(connection)
        except sqlite3.Error as error:
            if "interrupted" in str(error):
                raise StoreUnavailable("the store did not answer in time") from None
            if "user-defined" in str(error):  # a function of ours refused a value: see adapters.sql.push
                raise StoreUnsupported("a value cannot be compared inside the store") from None
            raise StoreUnavailable(f"the SQLite store cannot be read ({type(error).__name__})") from error
        except OSError:
            raise StoreUnavailable("the SQLite file is missing or cannot be read") from None

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where another file has taken the store's place (a nightly copy)."""
        status = os.stat(self._path)
        identity = (status.st_dev, status.st_ino)
        if self._connection is None or identity != self._identity:
            self._disconnect()
            self._connection = sqlite3.connect(self._uri("ro"), uri=True, timeout=self._settings.timeout_s)
            self._prepare(self._connection)
            self._identity = identity
            self._opened += 1
        return self._connection

    def _uri(self, mode: str) -> str:
        return f"file:{quote(self._path)}?mode={mode}"

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class EngineReader:
    """A server, through SQLAlchemy's async engine."""

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        url: URL = make_url(settings.url)
        if url.get_driver_name() in ("", "psycopg2", "mysqldb") or "+" not in url.drivername:
            url = url.set(drivername=_DRIVERS[settings.engine])
        try:
            self._engine: AsyncEngine = create_async_engine(
                url,
                poolclass=AsyncAdaptedQueuePool,
                pool_size=settings.connections_max,
                max_overflow=0,
                pool_timeout=settings.timeout_s,
                pool_pre_ping=False,
            )
        except (SQLAlchemyError, ImportError) as error:
            raise StoreUnsupported(f"no driver for {settings.engine} ({type(error).__name__})") from None
        self.dialect: Dialect = self._engine.dialect

    async def open(self) -> None:
        await self.fetch(write_statement(sa.select(sa.literal_column("1")), self.dialect), {})

    async def close(self) -> None:
        await self._engine.dispose()

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]:
        async def look() -> dict[str, TableInfo | None]:
            async with self._engine.connect() as connection:
                return await connection.run_sync(_inspect, names)

        return await self._guarded(look)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        async def read() -> list[tuple[Any, ...]]:
            async with self._engine.connect() as connection:
                result = await connection.exec_driver_sql(statement.sql, self._bound(statement, values))
                return [tuple(row) for row in result]

        return await self._guarded(read)

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
            async with asyncio.timeout(self._settings.timeout_s):
                return await work()
        except StoreError:
            raise
        except TimeoutError:
            raise StoreUnavailable("the store did not answer in time") from None
        except (SQLAlchemyError, OSError, ConnectionError) as error:
            raise StoreUnavailable(f"the store cannot be read ({type(error).__name__})") from None
        except Exception as error:  # drivers raise classes of their own before SQLAlchemy wraps them
            raise StoreUnavailable(f"the store cannot be read ({type(error).__name__})") from None
