"""Short transactions on a SQLite file: few statements, all of them by key.

They are carried out at once, in the event loop's own thread: a statement by key is over before another thread would
have been woken for it, and a transaction that never waits never holds the store's one write lock while others have
their turn. Only what may wait for another process or for the disk, `BEGIN IMMEDIATE` and `COMMIT`, is done in a thread.

**Group commit.** Who writes while others wait for their turn does not commit alone. Whoever comes first begins the
group's transaction, everyone who is waiting by then joins it, one after the other, each within a savepoint of its own;
who is refused undoes no more than its own. The commit stands in the same queue, behind those; nobody's `write` returns
before it. So a disk that takes 5 ms to be sure is waited for once, not once for each.

A group is lost as a whole where SQLite undoes it as a whole (a disk that is full), or where its commit fails: then each of
its members is told the error, and none has changed anything.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from subgraphs.kit.prepared import is_kept, prepared
from subgraphs.kit.sqlite import connected

__all__ = ["ShortTransactions"]

T = TypeVar("T")


class ShortTransactions:
    """A reader and a writer of their own beside an engine's connections. Opened by the first transaction."""

    def __init__(self, engine: AsyncEngine, url: URL, *pragmas: str) -> None:
        """`engine`: the one that long transactions use, on the same file."""
        self._engine = engine
        self._url = url
        self._pragmas = pragmas
        self._reader: _Line | None = None
        self._writer: _Line | None = None
        self._is_read = False
        self._turn = asyncio.Lock()
        """First come, first served."""
        self._group: _Group | None = None

    @property
    def is_read(self) -> bool:
        """Whether somebody reads who waits for something else meanwhile: the one reader is theirs until they end."""
        return self._is_read

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One snapshot. Not while it `is_read`."""
        assert not self._is_read
        self._is_read = True
        try:
            line = self._reader = self._reader or await self._open()
            line.raw.execute("BEGIN")
            try:
                yield line.connection
            finally:
                line.forget()
        finally:
            self._is_read = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Durable when it returns, and so is what a refusal has seen when it is raised. Raises what SQLAlchemy raises for
        a file that is locked or a disk that is full."""
        refusal: Exception | None = None
        async with self._turn:
            line = self._writer = self._writer or await self._open()
            group = self._group or await self._begin(line)
            line.raw.execute("SAVEPOINT member")
            try:
                yield line.connection
                line.raw.execute("RELEASE member")
            except BaseException as error:
                self._undo(line, group, error)
                if not isinstance(error, Exception):
                    raise
                refusal = error
        await asyncio.shield(group.kept)
        if refusal is not None:
            raise refusal

    @asynccontextmanager
    async def none(self) -> AsyncIterator[None]:
        """None is written meanwhile, so that a long transaction on another connection may begin."""
        async with self._turn:
            await _completed(self._end())
            yield

    async def close(self) -> None:
        async with self.none():
            for line in (self._reader, self._writer):
                if line is not None:
                    await line.close()
            self._reader = self._writer = None

    async def _open(self) -> _Line:
        return await asyncio.to_thread(_Line, self._engine, self._url, self._pragmas)

    async def _begin(self, line: _Line) -> _Group:
        await line.run("BEGIN IMMEDIATE", lambda: line.raw.execute("BEGIN IMMEDIATE"))
        group = self._group = _Group()
        group.end = asyncio.create_task(self._end_in_turn(), name="group commit")
        return group

    def _undo(self, line: _Line, group: _Group, error: BaseException) -> None:
        if line.raw.in_transaction:
            line.raw.execute("ROLLBACK TO member")
            line.raw.execute("RELEASE member")
            return
        self._group = None
        line.forget()
        group.fail(error)

    async def _end_in_turn(self) -> None:
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        """End the group that is open, if one is."""
        group, line = self._group, self._writer
        if group is None or line is None:
            return
        self._group = None
        try:
            await line.run("COMMIT", line.raw.commit)
        except DBAPIError as error:
            group.fail(error)
        else:
            group.kept.set_result(None)
        finally:
            line.forget()


class _Group:
    """Transactions that are committed together."""

    def __init__(self) -> None:
        self.kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.end: asyncio.Task[None] | None = None

    def fail(self, error: BaseException) -> None:
        self.kept.set_exception(error)
        self.kept.exception()  # a group that nobody is left to wait for


async def _completed(work: Coroutine[Any, Any, None]) -> None:
    """Await it to its end, even where the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class _Line:
    """One connection to the file, with a thread for what may wait."""

    def __init__(self, engine: AsyncEngine, url: URL, pragmas: tuple[str, ...]) -> None:
        self.raw: sqlite3.Connection = connected(str(url.database), isolation_level=None, check_same_thread=False)
        for pragma in pragmas:
            self.raw.execute(f"PRAGMA {pragma}")
        self._at_once = create_engine(url.set(drivername="sqlite"), creator=lambda: self.raw, poolclass=NullPool)
        self._sync = self._at_once.connect()
        self.connection = _AtOnce(engine, self._sync, self.raw)
        self._thread = ThreadPoolExecutor(1, "sqlite-short")

    async def run(self, statement: str, call: Callable[[], T]) -> T:
        """In the thread. What was handed over is carried out, and undone if whoever waited for it has gone."""
        future = self._thread.submit(call)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            self._thread.submit(self.raw.rollback)
            raise
        except sqlite3.Error as error:
            raise DBAPIError.instance(statement, (), error, sqlite3.Error, dialect=self._at_once.dialect) from error

    def forget(self) -> None:
        """Undo what was not committed. SQLAlchemy has counted a transaction of its own since its first statement, if any
        statement was executed by it."""
        self._sync.rollback()
        self.raw.rollback()

    async def close(self) -> None:
        await asyncio.to_thread(self._sync.close)
        self._thread.shutdown(wait=False)


class _AtOnce(AsyncConnection):
    """Executes without leaving the event loop's thread, and so without a greenlet."""

    def __init__(self, engine: AsyncEngine, connection: Connection, raw: sqlite3.Connection) -> None:
        super().__init__(engine, connection)
        self._raw = raw

    async def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        if is_kept(statement):
            given = parameters or {}
            columns = None
            if isinstance(statement, Insert):
                columns = tuple(given if isinstance(given, Mapping) else given[0])
            return prepared(statement, columns, self._proxied.dialect).execute(self._raw, given)
        return self._proxied.execute(statement, parameters, execution_options=execution_options)

    async def exec_driver_sql(self, statement: str, parameters: Any = None, execution_options: Any = None) -> Any:
        return self._proxied.exec_driver_sql(statement, parameters, execution_options)
