"""How statements reach the store: SQLAlchemy writes them, a driver runs them, at most so many at a time.

Two readers with one face. SQLite is read by its own module in one worker thread: one hop a statement, where aiosqlite
makes one for execute, one for fetch, one for close. Measured (Python 3.11, two cores, other work beside it): 50 rows of
ten columns take 0.25 ms this way and 0.45 ms by aiosqlite, 0.07 ms of either the statement itself. Servers are read by
SQLAlchemy's async engine (`adapters.sql.engine`). Both run a statement that has been written once for its shape (`Statement`), with only the
values bound anew; both report a driver's error as `StoreUnavailable` without its text, which may hold a password or a
row.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import Dialect

from adapters.guest import Gate
from adapters.mapping.model import StoreSettings
from adapters.model import StoreUnavailable, StoreUnsupported
from adapters.status import ReasonCode

__all__ = ["BATCH_ROWS", "Reader", "SqliteReader", "Statement", "TableInfo", "inspect_tables", "write_statement"]

T = TypeVar("T")
_PROGRESS_STEPS = 20_000
"""SQLite asks every so many steps of its machine whether the deadline has passed."""
BATCH_ROWS = 500
"""Rows of a stream that are in memory at once."""


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

    name: str
    """Bare; the mapping may have named it `schema.table`."""
    schema: str | None
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

    def stream(self, statement: Statement) -> AsyncIterator[list[tuple[Any, ...]]]:
        """All rows of a statement without values, in batches, and no more than one batch in memory."""

    async def fetch_with_token(
        self, statement: Statement, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], Hashable | None]:
        """The rows, and the token looked at after them: equal to an earlier one, nothing had changed until then."""

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run a change in its own transaction; the number of rows changed."""

    async def token(self) -> Hashable | None:
        """Equal tokens prove that nothing has changed in between; None: this store cannot tell."""


def inspect_tables(connection: sa.Connection, names: Sequence[str]) -> dict[str, TableInfo | None]:
    """What the store says of these tables; None: it has none of this name."""
    inspector = sa.inspect(connection)
    return {name: _inspect(inspector, name) for name in names}


def _inspect(inspector: sa.Inspector, name: str) -> TableInfo | None:
    """A name with a point is a table's whole name where there is one, else `schema.table`."""
    schema, dot, bare = name.rpartition(".")
    for table, of in ((name, None), (bare, schema)) if dot else ((name, None),):
        if not inspector.has_table(table, of) and table not in inspector.get_view_names(of):
            continue
        types = {column["name"]: column["type"] for column in inspector.get_columns(table, of)}
        unique = {frozenset(item["column_names"]) for item in inspector.get_unique_constraints(table, of)}
        unique |= {
            frozenset(column for column in item["column_names"] if column is not None)
            for item in inspector.get_indexes(table, of)
            if item["unique"] and None not in item["column_names"] and not _is_partial(item)
        }
        unique.add(frozenset(inspector.get_pk_constraint(table, of)["constrained_columns"]))
        return TableInfo(table, of, types, frozenset(columns for columns in unique if columns))
    return None


def _is_partial(index: Mapping[str, Any]) -> bool:
    return any(option.endswith("_where") for option in index.get("dialect_options", {}))


class SqliteReader:
    """One connection in one thread; read-only, but for the changes a mapping grants."""

    def __init__(self, settings: StoreSettings, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self.dialect: Dialect = sqlite_dialect.dialect(paramstyle="qmark")
        self._settings = settings
        self._gate = Gate(settings.guest)
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
                return inspect_tables(borrowed, names)

        return await self._run(look)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        bound = statement.bound(values)
        rows = await self._run(lambda connection: connection.execute(statement.sql, bound).fetchall())
        await self._gate.took(len(rows))
        return rows

    async def stream(self, statement: Statement) -> AsyncIterator[list[tuple[Any, ...]]]:
        """On a connection of its own, so that a long reading and answers do not wait for each other's rows."""
        bound = statement.bound({})

        def start(_: sqlite3.Connection) -> tuple[sqlite3.Connection, sqlite3.Cursor]:
            own = sqlite3.connect(self._uri("ro"), uri=True, check_same_thread=False)
            self._prepare(own)
            return own, own.execute(statement.sql, bound)

        own, cursor = await self._run(start)
        try:
            while batch := await self._run(lambda _: cursor.fetchmany(BATCH_ROWS)):
                yield batch
                await self._gate.took(len(batch))
        finally:
            # In the thread that reads, after what it reads now: whoever is cancelled does not wait for it.
            if self._worker is None:
                own.close()
            else:
                self._worker.submit(own.close)

    async def fetch_with_token(
        self, statement: Statement, values: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, ...]], Hashable | None]:
        bound = statement.bound(values)
        rows, token = await self._run(
            lambda connection: (connection.execute(statement.sql, bound).fetchall(), self._look(connection))
        )
        await self._gate.took(len(rows))
        return rows, token

    async def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        bound = statement.bound(values)

        def change(_: sqlite3.Connection) -> int:
            writer = sqlite3.connect(self._uri("rw"), uri=True, timeout=self._settings.guest.statement_timeout_s)
            try:
                with writer:
                    return writer.execute(statement.sql, bound).rowcount
            finally:
                writer.close()

        return await self._run(change)

    async def token(self) -> Hashable | None:
        return await self._run(self._look)

    def _look(self, connection: sqlite3.Connection) -> Hashable:
        return self._opened, connection.execute("PRAGMA data_version").fetchone()[0]

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._worker is None:
            raise StoreUnavailable("the store is not open")
        self._gate.enter()
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + self._settings.guest.statement_timeout_s
        try:
            connection = self._connected()
            connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _PROGRESS_STEPS)
            return work(connection)
        except sqlite3.Error as error:
            if "interrupted" in str(error):
                raise StoreUnavailable("the store did not answer in time") from None
            if "user-defined" in str(error):  # a function of ours refused a value: see adapters.sql.push
                raise StoreUnsupported("a value cannot be compared inside the store", ReasonCode.VALUE) from None
            raise StoreUnavailable(f"the SQLite store cannot be read ({type(error).__name__})") from error
        except OSError:
            raise StoreUnavailable("the SQLite file is missing or cannot be read") from None

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where another file has taken the store's place (a nightly copy)."""
        status = os.stat(self._path)
        identity = (status.st_dev, status.st_ino)
        if self._connection is None or identity != self._identity:
            self._disconnect()
            self._connection = sqlite3.connect(
                self._uri("ro"), uri=True, timeout=self._settings.guest.statement_timeout_s
            )
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
