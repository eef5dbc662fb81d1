"""The connections to one server: never more than the guest may have, whoever asks and for what.

    request ─▶ a place free? ─▶ a kept connection, or a new one ─▶ statement ─▶ kept ─▶ place free
                  │ no: wait, at most as long as a statement may take                │
                  ▼                                                                  ▼ cancelled, too late, failed
              STORE_BUSY                              told to the server, closed, and only then is the place free

SQLAlchemy's pools do not serve here: they count neither the connection that writes beside those that read, nor the
statement that still runs at the server after its caller has left. A caller that leaves never waits for that: it is
done by a task of ours. `KILL QUERY` (MySQL's protocol) needs one connection more, for that moment, and never two.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from adapters.breaker import Breaker
from adapters.mapping.model import StoreSettings
from adapters.model import StoreUnavailable
from adapters.sql.connect import make_engine
from adapters.sql.faults import STORE_TIMEOUT, Cause, cause_of, server_answered, unavailable
from adapters.sql.session import (
    Use,
    cut,
    driver_connection,
    drop_rest,
    end_statement,
    ends_by_itself,
    line_of,
    prepare_session,
    server_number,
)
from adapters.sql.workers import GreenletWorker, ThreadWorker, Worker

__all__ = ["STORE_BUSY", "Lane", "Lanes"]

T = TypeVar("T")
STORE_BUSY: Final = "STORE_BUSY"
_SERVER_FIRST_S: Final = 1.0
"""A server that keeps the time itself gets so much longer to end its statement before we do."""
_END_S: Final = 2.0
"""How long a statement may take to end after the server was told; then its line is cut."""
_CONNECT_ATTEMPTS: Final = 3
_BACKOFF_S: Final = 0.1
"""Before the second attempt; twice as long, and a random part of it, before each further one."""


class Lane:
    """One connection and what runs its calls."""

    def __init__(self, worker: Worker, timeout_s: float) -> None:
        self._worker, self._timeout_s = worker, timeout_s
        self._connection: sa.Connection | None = None
        self._number: int | None = None
        self._driver: Any = None
        self._adapted: Any = None
        """The driver's connection with the face that SQLAlchemy gives it."""
        self._runs = False
        self.cursor: Any = None
        """That of a long reading: its statement runs until it has been closed."""
        self.was_kept = False

    async def connect(self, engine: sa.Engine, use: Use, settings: StoreSettings) -> None:
        def connect() -> None:
            self._connection = connection = engine.connect()
            prepare_session(connection, use, settings.guest)
            self._number, self._driver = server_number(connection), driver_connection(connection)
            self._adapted = connection.connection.dbapi_connection
            if connection.in_transaction():
                connection.rollback()
            if use is Use.READ and ends_by_itself(connection.dialect.name):
                connection.execution_options(isolation_level="AUTOCOMMIT")

        async with asyncio.timeout(settings.guest.connect_timeout_s):
            await self._worker.run(connect)

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Within the time of a statement; where it is not done then, or given up, this lane is not used again."""
        connection = self._connection
        assert connection is not None
        self._runs = True
        try:
            async with asyncio.timeout(self._timeout_s):
                done = await self._worker.run(lambda: work(connection))
        except (asyncio.CancelledError, TimeoutError):
            raise
        except BaseException:
            self._runs = False  # the driver has come back
            raise
        self._runs = False
        return done

    def is_gone(self, error: Exception) -> bool:
        """Whether the server has closed this connection."""
        assert self._connection is not None
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
        if isinstance(cause, ConnectionError):
            return True
        try:
            return self._connection.dialect.is_disconnect(cause, self._adapted, None)  # type: ignore[arg-type]
        except Exception:  # it looks into its own driver's errors, and this is none
            return False

    async def close(self) -> None:
        """Of a lane whose calls have all come back."""
        gone = line_of(self._driver)
        with suppress(Exception):
            await self._worker.run(self._disconnect)
        await gone()
        await self._worker.close()

    async def abandon(
        self, connect_aside: Callable[[], sa.Connection], aside: Worker, one_at_a_time: asyncio.Lock
    ) -> None:
        """Of a lane that may still run a statement: end it at the server, and wait until it has come back."""
        if self._driver is not None and (self._runs or self.cursor is not None):
            with suppress(Exception):
                async with one_at_a_time, asyncio.timeout(_END_S):
                    await aside.run(lambda: end_statement(self._driver, self._number, connect_aside))
        gone = line_of(self._driver)
        closing = asyncio.ensure_future(self._worker.run(lambda: self._disconnect(broken=True)))
        await asyncio.wait([closing], timeout=_END_S)
        if not closing.done():
            cut(self._driver)
        with suppress(Exception):
            await closing
        await gone()
        await self._worker.close()

    def _disconnect(self, *, broken: bool = False) -> None:
        if self.cursor is not None:
            with suppress(Exception):  # the line may be dead
                drop_rest(self.cursor)
                self.cursor.close()
        if self._connection is not None:
            if broken:
                self._connection.invalidate()
            self._connection.close()


class Lanes:
    """`sleep` is turned by hand in tests."""

    def __init__(
        self,
        settings: StoreSettings,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._sleep = settings, sleep
        self._breaker = Breaker(clock)
        self.reading = make_engine(settings)
        self._writing: sa.Engine | None = None
        self._places = asyncio.Semaphore(settings.guest.connections_max)
        self._busy = 0
        self._kept: list[Lane] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._one_aside = asyncio.Lock()
        self._is_closed = False

    @asynccontextmanager
    async def lane(self, use: Use, *, fresh: bool = False) -> AsyncIterator[Lane]:
        await self._take_place()
        lane: Lane | None = None
        try:
            lane = await self._lane(use, fresh)
            yield lane
        except BaseException:
            self._end(lane)
            raise
        if use is Use.READ and not self._is_closed:
            self._kept.append(lane)
            self._free_place()
        else:
            try:
                await lane.close()
            finally:
                self._free_place()

    async def close(self) -> None:
        """Returns when no connection and no thread of ours is left."""
        self._is_closed = True
        await self._close_kept()
        while self._ending:
            await asyncio.wait(self._ending)

    # --- places -----------------------------------------------------------------------------------------------------

    async def _take_place(self) -> None:
        guest = self._settings.guest
        try:
            async with asyncio.timeout(guest.statement_timeout_s):
                await self._places.acquire()
        except TimeoutError:
            message = f"all {guest.connections_max} connections that the mapping allows are in use"
            raise StoreUnavailable(message, STORE_BUSY) from None
        self._busy += 1

    def _free_place(self) -> None:
        self._busy -= 1
        self._places.release()

    async def _lane(self, use: Use, fresh: bool) -> Lane:
        if fresh:
            await self._close_kept()
        if use is Use.READ and self._kept:
            lane = self._kept.pop()
            lane.was_kept = True
            return lane
        while self._kept and len(self._kept) + self._busy > self._settings.guest.connections_max:
            await self._kept.pop().close()
        return await self._connected(use)

    async def _close_kept(self) -> None:
        while self._kept:
            await self._kept.pop().close()

    def _end(self, lane: Lane | None, *, place: bool = True) -> None:
        """End what may still run, without letting the caller wait; then its place is free."""

        async def end(lane: Lane) -> None:
            aside = self._worker()
            try:
                await lane.abandon(self.reading.connect, aside, self._one_aside)
            finally:
                if place:
                    self._free_place()
                await aside.close()

        if lane is None:
            self._free_place()
            return
        task = asyncio.create_task(end(lane), name="end a statement")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    # --- connecting -------------------------------------------------------------------------------------------------

    async def _connected(self, use: Use) -> Lane:
        self._breaker.check()
        for attempt in range(1, _CONNECT_ATTEMPTS + 1):
            lane = Lane(self._worker(), self._settings.guest.statement_timeout_s + _SERVER_FIRST_S)
            try:
                await lane.connect(self._engine(use), use, self._settings)
            except BaseException as error:
                self._end(lane, place=False)
                if not isinstance(error, Exception):
                    raise
                refused = cause_of(error) is Cause.LOGIN
                if refused or attempt == _CONNECT_ATTEMPTS or server_answered(error):
                    said = _not_connected(error)
                    self._breaker.failed(said, for_good=refused)
                    raise said from None
            else:
                self._breaker.answered()
                return lane
            await self._sleep(_BACKOFF_S * 2 ** (attempt - 1) * (1 + random.random()))
        raise AssertionError("the last attempt returns or raises")

    def _engine(self, use: Use) -> sa.Engine:
        if use is not Use.WRITE:
            return self.reading
        if self._writing is None:
            self._writing = make_engine(self._settings, writing=True)
        return self._writing

    def _worker(self) -> Worker:
        return GreenletWorker() if self.reading.dialect.is_async else ThreadWorker()


def _not_connected(error: Exception) -> StoreUnavailable:
    if isinstance(error, TimeoutError):
        return StoreUnavailable("the store did not take a connection in time", STORE_TIMEOUT)
    said = unavailable(error)
    return said if isinstance(said, StoreUnavailable) else StoreUnavailable(str(said))
