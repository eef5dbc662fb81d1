"""How statements reach the store: SQLAlchemy writes them, a driver runs them, at most so many at a time.

Two readers with one face. SQLite is read by its own module in one worker thread: one hop a statement, where aiosqlite
makes one for execute, one for fetch, one for close. Measured (Python 3.11, two cores, other work beside it): 50 rows of
ten columns take 0.25 ms this way and 0.45 ms by aiosqlite, 0.07 ms of either the statement itself. Servers are read
through SQLAlchemy's engines, by async drivers or by others in threads (`adapters.sql.engine`). Both run a statement
that has been written once for its shape (`Statement`), with only the values bound anew; both report a driver's error as
`StoreUnavailable` without its text, which may hold a password or a row. Neither can write where it reads.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import quoted_name

from adapters.guest import Gate
from adapters.mapping.model import StoreSettings
from adapters.model import StoreUnavailable, StoreUnsupported
from adapters.sql.dialects import parameters_max
from adapters.sql.faults import STORE_TIMEOUT, unavailable
from adapters.sql.workers import THREAD_NAME
from adapters.status import ReasonCode

__all__ = [
    "BATCH_ROWS",
    "Reader",
    "SqliteReader",
    "Statement",
    "TableInfo",
    "inspect_tables",
    "stored_name",
    "write_statement",
]

T = TypeVar("T")
_PROGRESS_STEPS = 20_000
"""SQLite asks every so many steps of its machine whether somebody still waits, and still has the time."""
BATCH_ROWS = 500
"""Rows of a stream that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL as the driver takes it, and the names of its parameters in order."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def bound(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(map({**self.constants, **values}.__getitem__, self.names))


def write_statement(statement: sa.sql.ClauseElement, dialect: Dialect) -> Statement:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    names = tuple(getattr(compiled, "positiontup", None) or ())
    values, values_max = len(names) or len(compiled.params), parameters_max(dialect)
    if values > values_max:
        message = f"the statement has {values} values, {dialect.name} takes {values_max}"
        raise StoreUnsupported(message, ReasonCode.VALUE)
    return Statement(str(compiled), names, dict(compiled.params))


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
    stored = partial(stored_name, inspector.dialect)
    schema, dot, bare = name.rpartition(".")
    for table_name, of_name in ((name, None), (bare, schema)) if dot else ((name, None),):
        table, of = quoted_name(table_name, True), None if of_name is None else quoted_name(of_name, True)
        if not inspector.has_table(table, of) and table not in inspector.get_view_names(of):
            continue
        types = {stored(column["name"]): column["type"] for column in inspector.get_columns(table, of)}
        unique = {frozenset(map(stored, item["column_names"])) for item in inspector.get_unique_constraints(table, of)}
        unique |= {
            frozenset(stored(column) for column in item["column_names"] if column is not None)
            for item in inspector.get_indexes(table, of)
            if item["unique"] and None not in item["column_names"] and not _is_partial(item)
        }
        unique.add(frozenset(map(stored, inspector.get_pk_constraint(table, of)["constrained_columns"])))
        return TableInfo(table_name, of_name, types, frozenset(columns for columns in unique if columns))
    return None


def stored_name(dialect: Dialect, name: str) -> str:
    """A name as the store spells it, which is how mappings do: Oracle's and 达梦's are told in lower case by SQLAlchemy."""
    return str(dialect.denormalize_name(name)) if dialect.requires_name_normalize else name


def _is_partial(index: Mapping[str, Any]) -> bool:
    return any(option.endswith("_where") for option in index.get("dialect_options", {}))


class SqliteReader:
    """One connection in one thread, and another pair for long readings; read-only both. A change that the mapping
    grants has a connection of its own."""

    def __init__(
        self,
        settings: StoreSettings,
        prepare: Callable[[sqlite3.Connection], None],
        *,
        writes: bool = False,
        gate: Gate | None = None,
    ) -> None:
        self.dialect: Dialect = sqlite_dialect.dialect(paramstyle="qmark")
        self._settings, self._writes = settings, writes
        self._gate = gate or Gate(settings.guest)
        self._path = settings.url
        self._prepare = prepare
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._opened = 0
        self._worker: ThreadPoolExecutor | None = None
        self._streams: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix=THREAD_NAME)
            self._streams = ThreadPoolExecutor(1, thread_name_prefix=THREAD_NAME)
        await self._run(lambda connection: connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall())

    async def close(self) -> None:
        worker, streams, self._worker, self._streams = self._worker, self._streams, None, None
        if worker is None or streams is None:
            return
        await asyncio.get_running_loop().run_in_executor(worker, self._disconnect)
        for pool in (worker, streams):
            await asyncio.to_thread(pool.shutdown)

    async def tables(self, names: Sequence[str]) -> dict[str, TableInfo | None]:
        def look(connection: sqlite3.Connection) -> dict[str, TableInfo | None]:
            engine = sa.create_engine("sqlite://", creator=self._reading, poolclass=sa.pool.NullPool)
            with engine.connect() as borrowed:
                return inspect_tables(borrowed, names)

        return await self._run(look)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        bound = statement.bound(values)
        rows = await self._run(lambda connection: connection.execute(statement.sql, bound).fetchall())
        await self._gate.took(len(rows))
        return rows

    async def stream(self, statement: Statement) -> AsyncIterator[list[tuple[Any, ...]]]:
        """In a thread of its own, so that a long reading and answers do not wait for each other."""
        bound = statement.bound({})
        opened: list[sqlite3.Connection] = []

        def own() -> sqlite3.Connection:
            if not opened:
                opened.append(self._reading())
                self._prepare(opened[0])
            return opened[0]

        streams = self._streams
        try:
            cursor = await self._run(lambda connection: connection.execute(statement.sql, bound), streams, own)
            while batch := await self._run(lambda _: cursor.fetchmany(BATCH_ROWS), streams, own):
                yield batch
                await self._gate.took(len(batch))
        finally:
            # In the thread that reads, after what it reads now: whoever is cancelled does not wait for it.
            if streams is not None and streams is self._streams:
                streams.submit(_close_all, opened)
            else:
                _close_all(opened)

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
        if not self._writes:
            raise StoreUnsupported("the mapping grants no changes to this store")
        bound = statement.bound(values)

        def change(_: sqlite3.Connection) -> int:
            writer = self._connect("rw")
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

    async def _run(
        self,
        work: Callable[[sqlite3.Connection], T],
        worker: ThreadPoolExecutor | None = None,
        connect: Callable[[], sqlite3.Connection] | None = None,
    ) -> T:
        """Where the caller is cancelled, what has not begun never does, and what runs is interrupted."""
        worker = worker or self._worker
        if worker is None:
            raise StoreUnavailable("the store is not open")
        self._gate.enter()
        given_up = threading.Event()
        try:
            return await asyncio.wrap_future(worker.submit(self._work, work, connect or self._connected, given_up))
        except asyncio.CancelledError:
            given_up.set()
            raise

    def _work(
        self,
        work: Callable[[sqlite3.Connection], T],
        connect: Callable[[], sqlite3.Connection],
        given_up: threading.Event,
    ) -> T:
        deadline = time.monotonic() + self._settings.guest.statement_timeout_s
        try:
            connection = connect()
            connection.set_progress_handler(
                lambda: int(given_up.is_set() or time.monotonic() > deadline), _PROGRESS_STEPS
            )
            return work(connection)
        except sqlite3.Error as error:
            if "interrupted" in str(error):
                raise StoreUnavailable("the store did not answer in time", STORE_TIMEOUT) from None
            if "user-defined" in str(error):  # a function of ours refused a value: see adapters.sql.push
                raise StoreUnsupported("a value cannot be compared inside the store", ReasonCode.VALUE) from None
            raise unavailable(error) from error
        except OSError:
            raise StoreUnavailable("the SQLite file is missing or cannot be read") from None

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where another file has taken the store's place (a nightly copy)."""
        status = os.stat(self._path)
        identity = (status.st_dev, status.st_ino)
        if self._connection is None or identity != self._identity:
            self._disconnect()
            self._connection = self._reading()
            self._prepare(self._connection)
            self._identity = identity
            self._opened += 1
        return self._connection

    def _reading(self) -> sqlite3.Connection:
        connection = self._connect("ro")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"file:{quote(self._path)}?mode={mode}"
        timeout_s = self._settings.guest.statement_timeout_s
        return sqlite3.connect(uri, uri=True, timeout=timeout_s, check_same_thread=False)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _close_all(connections: Sequence[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()
