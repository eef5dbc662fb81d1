"""SQLite for an event loop, with as few changes of thread as there may be.

SQLite's calls block, so they are made in a thread. But to hand a call over and be woken costs more than most statements
do, and while others keep the loop busy, a transaction waits its turn after every one of its calls, holding the store's
only write lock all the while. So:

- a statement and its first rows are one call;
- what never waits is done at once: the `BEGIN` of a read, and the end of one;
- transactions of few statements, all of them by key, have a way of their own (`subgraphs.kit.short`).

Calls are carried out in the order in which they are made: while one is in the thread, whether or not its caller still
waits for it, the next one goes there too.

`Connection` has the interface of aiosqlite's that SQLAlchemy calls, and is given to it by `create_engine`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

__all__ = ["WRITING", "Connection", "Cursor", "connected", "create_engine"]

_ROWS_AT_ONCE = 500
_LOG_WAIT_S, _LOG_PAUSE_S = 10.0, 0.01
_BEGIN_READ, _BEGIN_WRITE = "BEGIN", "BEGIN IMMEDIATE"
WRITING: dict[str, Any] = {"gwc_write": True}
"""Execution options of a connection whose transactions write: a later upgrade of a reader's could fail."""

T = TypeVar("T")


def create_engine(url: URL, *pragmas: str, only_reads: bool = False, **options: Any) -> AsyncEngine:
    """An engine over such connections. They have a write-ahead log and the pragmas given, and begin no transactions by
    themselves: the engine begins those of a connection whose execution options are `WRITING` as a writer's.

    `only_reads`: SQLite itself refuses to change the file, and it keeps the kind of log that it has."""

    async def connect() -> Connection:
        arguments, given = engine.dialect.create_connect_args(url)
        return await Connection.open(*arguments, only_reads=only_reads, **given)

    url = url.set(drivername="sqlite+aiosqlite")
    if only_reads:
        url = url.set(database=f"file:{quote(str(url.database))}", query={"mode": "ro", "uri": "true"})
    engine = create_async_engine(url, async_creator=connect, **options)

    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", configure)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(connection: Any) -> None:
    is_writer = connection.get_execution_options().get("gwc_write", False)
    connection.exec_driver_sql(_BEGIN_WRITE if is_writer else _BEGIN_READ)


def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
    """Connect, with a write-ahead log. SQLite does not wait for the lock that a new file needs to get its log, whatever
    its timeout, so that of several processes that open a new file together only one would succeed."""
    raw: sqlite3.Connection = sqlite3.connect(*arguments, **options)
    until = time.monotonic() + _LOG_WAIT_S
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL").close()
            return raw
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raw.close()
                raise
        time.sleep(_LOG_PAUSE_S)


class Connection:
    def __init__(self, raw: sqlite3.Connection) -> None:
        """`raw` begins no transactions by itself and lets any thread use it."""
        self._raw = raw
        self._is_writing = False
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._last: Future[Any] | None = None

    @classmethod
    async def open(cls, *arguments: Any, only_reads: bool = False, **options: Any) -> Connection:
        options = {**options, "isolation_level": None, "check_same_thread": False}
        connect = sqlite3.connect if only_reads else connected
        raw: sqlite3.Connection = await asyncio.to_thread(connect, *arguments, **options)
        return cls(raw)

    async def run(self, call: Callable[[], T], *, at_once: bool = False) -> T:
        if at_once and (self._last is None or self._last.done()):
            return call()
        self._last = future = self._thread.submit(call)
        return await asyncio.shield(asyncio.wrap_future(future))  # what was handed over is carried out

    async def carry_out(self, statement: str, call: Callable[[], T]) -> T:
        self._is_writing = self._is_writing or statement == _BEGIN_WRITE
        return await self.run(call, at_once=statement == _BEGIN_READ)

    async def cursor(self) -> Cursor:
        return Cursor(self, self._raw.cursor())

    async def execute(self, statement: str, parameters: Any = ()) -> Cursor:
        cursor = await self.cursor()
        await cursor.execute(statement, parameters)
        return cursor

    async def create_function(self, name: str, number: int, function: Any, *, deterministic: bool = False) -> None:
        self._raw.create_function(name, number, function, deterministic=deterministic)

    async def commit(self) -> None:
        await self.run(self._raw.commit, at_once=not self._is_writing)
        self._is_writing = False

    async def rollback(self) -> None:
        await self.run(self._raw.rollback, at_once=not self._is_writing)
        self._is_writing = False

    async def close(self) -> None:
        await self.run(self._raw.close)
        self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Close without waiting for it."""
        self._thread.submit(self._raw.close)
        self._thread.shutdown(wait=False)


class Cursor:
    """One statement's result: its first rows are here when it has been executed, further ones are fetched when asked
    for."""

    def __init__(self, connection: Connection, raw: sqlite3.Cursor) -> None:
        self._connection = connection
        self._raw = raw
        self._rows: list[Any] = []
        self._is_over = True

    @property
    def description(self) -> Any:
        return self._raw.description

    @property
    def lastrowid(self) -> int | None:
        return self._raw.lastrowid

    @property
    def rowcount(self) -> int:
        return self._raw.rowcount

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        def call() -> list[Any]:
            self._raw.execute(statement, parameters)
            return self._raw.fetchmany(_ROWS_AT_ONCE) if self._raw.description else []

        self._rows = await self._connection.carry_out(statement, call)
        self._is_over = len(self._rows) < _ROWS_AT_ONCE

    async def executemany(self, statement: str, parameters: Iterable[Any]) -> None:
        await self._connection.carry_out(statement, lambda: self._raw.executemany(statement, parameters))

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int = 1) -> Sequence[Any]:
        if not self._rows and not self._is_over:
            self._rows = await self._connection.run(lambda: self._raw.fetchmany(max(size, _ROWS_AT_ONCE)))
            self._is_over = len(self._rows) < _ROWS_AT_ONCE
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    async def fetchall(self) -> Sequence[Any]:
        rest = [] if self._is_over else await self._connection.run(self._raw.fetchall)
        taken, self._rows, self._is_over = [*self._rows, *rest], [], True
        return taken

    async def close(self) -> None:
        await self._connection.run(self._raw.close, at_once=True)
