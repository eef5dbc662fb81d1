"""Short transactions on a SQLite file: few statements, all of them by key.

They are carried out at once, in the event loop's own thread: a statement by key is over before another thread would
have been woken for it. Who waits for anything else within one keeps everybody waiting, so they don't. Only what may wait
for another process or for the disk, `BEGIN IMMEDIATE` and `COMMIT`, is done in a thread.

**Group commit.** Who writes while others wait for their turn does not commit alone. Whoever comes first begins the
group's transaction, everyone who is waiting by then joins it, one after the other, each within a savepoint of its own;
who is refused undoes no more than its own. The last of them commits for all, and nobody's `write` returns before. So a
disk that takes 5 ms to be sure is waited for once, not once for each.

A group is lost as a whole where SQLite undoes it as a whole (a disk that is full), or where its commit fails: then each of
its members is told an error, and none has changed anything.

Who is cancelled leaves at once while waiting, but not while committing for others: a commit takes its time, and then
they go.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Insert, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import NullPool

from subgraphs.kit.prepared import is_kept, prepared
from subgraphs.kit.sqlite import connected

__all__ = ["ShortTransactions"]

_BEGIN = "BEGIN IMMEDIATE"
_Serializer = Callable[[Any], str]


class ShortTransactions:
    """A reader and a writer of their own beside an engine's connections. Opened by the first transaction."""

    def __init__(
        self, engine: AsyncEngine, url: URL, *pragmas: str, json_serializer: _Serializer | None = None
    ) -> None:
        """`engine`: the one that long transactions use, on the same file."""
        self._engine = engine
        self._url = url
        self._pragmas = pragmas
        self._json_serializer = json_serializer
        self._reader: _Line | None = None
        self._writer: _Line | None = None
        self._is_reader_taken = False
        self._is_closed = False
        self._turn = asyncio.Lock()
        """First come, first served."""
        self._holder: asyncio.Task[Any] | None = None
        self._asked = 0
        """How many have asked for a turn; each is known by its number."""
        self._waiting = 0
        self._locked_out: tuple[int, sqlite3.Error] | None = None
        """Up to which number a file that stayed locked was waited for in vain."""
        self._group: _Group | None = None

    @property
    def is_reader_taken(self) -> bool:
        """Whether somebody reads who waits for something else meanwhile: the one reader is theirs until they end."""
        return self._is_reader_taken

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One snapshot. Not while the reader is taken."""
        assert not self._is_reader_taken
        self._is_reader_taken = True
        try:
            line = self._reader = self._reader or await self._open()
            line.begin_read()
            try:
                yield line.connection
            finally:
                line.forget()
        finally:
            self._is_reader_taken = False
            if self._is_closed:
                await self._close_reader()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Durable when it returns, and so is what a refusal has seen when it is raised. Raises what SQLAlchemy raises for
        a file that is locked or a disk that is full."""
        refusal: Exception | None = None
        async with self._in_turn() as number:
            line = self._writer = self._writer or await self._open()
            group = self._group or await self._begin(line, number)
            try:
                with line.savepoint():
                    yield line.connection
            except BaseException as error:
                if not line.is_within:
                    self._lose(line, group, error)
                    raise
                if not isinstance(error, Exception):
                    raise
                refusal = error
        lost = await asyncio.shield(group.end)
        if lost is not None:
            raise line.error("COMMIT", lost)
        if refusal is not None:
            raise refusal

    @asynccontextmanager
    async def none(self) -> AsyncIterator[None]:
        """No short transaction is under way meanwhile, so that a long one on another connection may begin."""
        async with self._in_turn():
            await self._end()
            yield

    async def close(self) -> None:
        """Whoever reads may go on to the end; later transactions are refused."""
        self._is_closed = True
        async with self.none():
            writer, self._writer = self._writer, None
            if writer is not None:
                await writer.close()
        if not self._is_reader_taken:
            await self._close_reader()

    async def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def _open(self) -> _Line:
        if self._is_closed:
            raise InvalidRequestError("the store is closed")
        opening = asyncio.ensure_future(
            asyncio.to_thread(_Line, self._engine, self._url, self._pragmas, self._json_serializer)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_discard)
            raise

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[int]:
        """Gives the number of who has the turn. The last of a group ends it."""
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("a transaction within one would wait for ever")
        self._asked += 1
        number = self._asked
        await self._take_turn()
        self._holder = asyncio.current_task()
        try:
            yield number
        finally:
            try:
                if self._group is not None and (not self._waiting or number >= self._group.last):
                    await self._end()
            finally:
                self._holder = None
                self._turn.release()

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            if self._waiting == 1 and not self._turn.locked():
                # Whoever had it before has left the group open for us, and nobody comes behind. The lock is free: it
                # wakes those who wait in their order, and that was us.
                async with self._turn:
                    await self._end()
            raise
        finally:
            self._waiting -= 1

    async def _begin(self, line: _Line, number: int) -> _Group:
        if self._locked_out is not None and number <= self._locked_out[0]:
            raise line.error(_BEGIN, self._locked_out[1])
        failure = await line.begin()
        if failure is not None:
            self._locked_out = self._asked, failure
            raise line.error(_BEGIN, failure)
        self._locked_out = None
        self._group = _Group(self._asked)
        return self._group

    def _lose(self, line: _Line, group: _Group, error: BaseException) -> None:
        """SQLite has undone the group as a whole."""
        self._group = None
        cause = error.orig if isinstance(error, DBAPIError) else None
        group.end.set_result(cause if isinstance(cause, sqlite3.Error) else _undone())
        line.forget()

    async def _end(self) -> None:
        """End the group that is open, if one is."""
        group, line = self._group, self._writer
        if group is None or line is None:
            return
        self._group = None
        await line.commit(group.end)


class _Group:
    """Transactions that are committed together."""

    def __init__(self, last: int) -> None:
        self.last = last
        """The number of the last who had asked when it began."""
        self.end: asyncio.Future[sqlite3.Error | None] = asyncio.get_running_loop().create_future()
        """Why it was lost; None when it is durable."""


class _Line:
    """One connection to the file, with a thread for what may wait."""

    def __init__(
        self, engine: AsyncEngine, url: URL, pragmas: tuple[str, ...], json_serializer: _Serializer | None
    ) -> None:
        self.raw: sqlite3.Connection = connected(str(url.database), isolation_level=None, check_same_thread=False)
        for pragma in pragmas:
            self.raw.execute(f"PRAGMA {pragma}")
        self._at_once = create_engine(
            url.set(drivername="sqlite"),
            creator=lambda: self.raw,
            poolclass=NullPool,
            json_serializer=json_serializer,
        )
        self._sync = self._at_once.connect()
        self.connection = _AtOnce(engine, self._sync, self)
        self._thread = ThreadPoolExecutor(1, "sqlite-short")

    @property
    def is_within(self) -> bool:
        """Whether a transaction is open that SQLite has not undone."""
        return self.raw.in_transaction

    def begin_read(self) -> None:
        self._execute("BEGIN")

    async def begin(self) -> sqlite3.Error | None:
        """Why it failed. Who goes away meanwhile leaves nothing behind."""
        begun = asyncio.wrap_future(self._thread.submit(self._begin))
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            self._thread.submit(self.raw.rollback)
            raise

    def _begin(self) -> sqlite3.Error | None:
        try:
            if self.raw.in_transaction:  # a commit failed, and so did undoing it
                self.raw.rollback()
            self.raw.execute(_BEGIN)
        except sqlite3.Error as error:
            return error
        return None

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undone alone where what is within raises; where even that fails, all is undone, and nothing `is_within`."""
        self._execute("SAVEPOINT member")
        try:
            yield
            if not self.is_within:
                raise self.error("RELEASE", _undone())
            self._execute("RELEASE member")
        except BaseException:
            try:
                if self.is_within:
                    self.raw.execute("ROLLBACK TO member")
                    self.raw.execute("RELEASE member")
            except sqlite3.Error:
                self.raw.rollback()
            raise

    async def commit(self, end: asyncio.Future[sqlite3.Error | None]) -> None:
        """Tell `end` how it ended. Whoever is cancelled meanwhile, however often, is so when it has."""
        committing = asyncio.wrap_future(self._thread.submit(self._commit))
        cancelled: asyncio.CancelledError | None = None
        while not committing.done():
            try:
                await asyncio.shield(committing)
            except asyncio.CancelledError as error:
                cancelled = error
        end.set_result(committing.result())
        self._sync.rollback()  # it is over for SQLAlchemy too
        if cancelled is not None:
            raise cancelled

    def _commit(self) -> sqlite3.Error | None:
        """Why it failed. Raises nothing: whoever waits must be told."""
        try:
            self.raw.commit()
        except BaseException as error:
            with suppress(sqlite3.Error):
                self.raw.rollback()
            return error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError(repr(error))
        return None

    def forget(self) -> None:
        """Undo what was not committed."""
        try:
            self._sync.rollback()
        finally:
            self.raw.rollback()

    def error(self, statement: str, error: sqlite3.Error) -> Exception:
        """As SQLAlchemy tells it; a new one for everybody who is told."""
        told: Exception = DBAPIError.instance(statement, (), error, sqlite3.Error, dialect=self._at_once.dialect)
        return told

    def _execute(self, statement: str) -> None:
        try:
            self.raw.execute(statement)
        except sqlite3.Error as error:
            raise self.error(statement, error) from error

    async def close(self) -> None:
        """When the thread has done what it was given: a connection that is closed while another thread uses it takes the
        process with it."""
        self.discard()
        await asyncio.to_thread(self._thread.shutdown)

    def discard(self) -> None:
        self._thread.submit(self._sync.close)
        self._thread.shutdown(wait=False)


class _AtOnce(AsyncConnection):
    """Executes without leaving the event loop's thread, and so without a greenlet. What is found is fetched as a whole: a
    result that is left half read would hold its snapshot beyond the end of the transaction."""

    def __init__(self, engine: AsyncEngine, connection: Connection, line: _Line) -> None:
        super().__init__(engine, connection)
        self._line = line

    async def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        self._check()
        if is_kept(statement):
            given = parameters or {}
            columns = None
            if isinstance(statement, Insert):
                columns = tuple(given if isinstance(given, Mapping) else given[0])
            return prepared(statement, columns, self._proxied.dialect).execute(self._line.raw, given)
        self._count_transaction()
        return _fetched(self._proxied.execute(statement, parameters, execution_options=execution_options))

    async def exec_driver_sql(self, statement: str, parameters: Any = None, execution_options: Any = None) -> Any:
        self._check()
        self._count_transaction()
        return _fetched(self._proxied.exec_driver_sql(statement, parameters, execution_options))

    def _count_transaction(self) -> None:
        """Or SQLAlchemy would undo everything for a statement that it refuses by itself."""
        if not self._proxied.in_transaction():
            self._proxied.begin()

    def _check(self) -> None:
        """Once the transaction is undone, a statement would be one by itself."""
        if not self._line.is_within:
            raise self._line.error("", _undone())


def _fetched(result: Any) -> Any:
    return result.freeze()() if result.returns_rows else result


def _undone() -> sqlite3.Error:
    return sqlite3.OperationalError("the transaction was undone as a whole")


def _discard(opening: asyncio.Future[_Line]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().discard()
