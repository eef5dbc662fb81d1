"""Connections that are kept: for each origin a pool, which knows every connection it has opened until it is lost.

A request takes the connection that became free last (the others may run out), else opens one, else waits its turn. Who
waits is given a connection that became free, or a new one, yet to be opened, in place of one that was lost; who stops
waiting passes on what it was given. One timer a pool closes what has been free for too long.

Nothing is sent twice here. A kept connection that its server closes just as a request goes out breaks like any other,
and whether that request is made again (a read under a budget, a change only with its key) is decided where all attempts
are (`execution/asking`). So that it hardly happens, connections are kept for less time than servers keep them.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque

from aiohappyeyeballs import start_connection

from gateway.execution.wire.connection import Connection, Exchange, Response
from gateway.execution.wire.errors import Unreachable, UnsentInTime
from gateway.execution.wire.requests import Origin

__all__ = ["CONNECTIONS_MAX", "CONNECT_S", "KEPT_FREE_S", "Pool"]

CONNECT_S = 10.0
CONNECTIONS_MAX = 256
"""To one origin."""
KEPT_FREE_S = 4.0
"""Shorter than servers keep idle connections (uvicorn: 5 s), so that no request meets a connection being closed."""
NEXT_ADDRESS_AFTER_S = 0.25
"""A name may have several addresses; when one does not answer for so long, the next is tried beside it (RFC 8305)."""


class Pool:
    """The connections to one origin."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, bytes_max: int, connections_max: int) -> None:
        """`tls`: None where the origin has none. `bytes_max`: of a response's body."""
        self._origin = origin
        self._tls = tls
        self._bytes_max = bytes_max
        self._connections_max = connections_max
        self._connections: set[Connection] = set()
        """Each takes a place, from before it is opened until it is lost."""
        self._free: deque[Connection] = deque()
        """The one that has been free the longest stands first."""
        self._waiting: deque[asyncio.Future[Connection]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""
        return len(self._waiting)

    async def ask(self, message: bytes, timeout_s: float | None) -> Response:
        """Send a request and give its response. Raises `WireError`, or `TimeoutError` when there is none in time."""
        if timeout_s is not None and timeout_s <= 0:
            raise UnsentInTime
        loop = asyncio.get_running_loop()
        now = loop.time()
        ends_at = None if timeout_s is None else now + timeout_s
        connection = self._take_free(now) or await self._take_next(ends_at)
        exchange: Exchange = loop.create_future()
        timer = None if ends_at is None else loop.call_at(ends_at, connection.give_up, exchange)
        connection.send(message, exchange)
        try:
            return await exchange
        finally:
            if timer is not None:
                timer.cancel()
            connection.give_up(exchange)

    async def close(self) -> None:
        """Close all connections; who waits for a response gets none. Asked again, the pool opens new ones."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._free.clear()
        await asyncio.gather(*(one.closed() for one in self._connections if not one.is_new))

    # Taking a connection

    def _take_free(self, now: float) -> Connection | None:
        while self._free:
            connection = self._free.pop()
            if now - connection.free_since < KEPT_FREE_S and not connection.is_closing:
                return connection
            connection.close()
        return None

    async def _take_next(self, ends_at: float | None) -> Connection:
        try:
            async with asyncio.timeout_at(ends_at):
                while True:
                    has_place = len(self._connections) < self._connections_max
                    connection = self._place() if has_place else await self._turn()
                    if connection.is_new:
                        await self._open(connection)
                        return connection
                    if not connection.is_closing:
                        return connection
        except TimeoutError:
            raise UnsentInTime from None

    def _place(self) -> Connection:
        connection = Connection(self, self._bytes_max)
        self._connections.add(connection)
        return connection

    async def _turn(self) -> Connection:
        turn: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on(turn.result())
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _pass_on(self, connection: Connection) -> None:
        if connection.is_new:
            self.lost(connection)
        elif not connection.is_closing:
            self.free(connection)

    async def _open(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._connect(connection)
            if connection.is_closing:
                raise Unreachable("the connection was closed as soon as it was opened")
        except BaseException:
            if connection.is_new:
                self.lost(connection)
            else:
                connection.close()
            raise

    async def _connect(self, connection: Connection) -> None:
        loop, (host, port, _) = asyncio.get_running_loop(), self._origin
        name = host.rstrip(".") if self._tls is not None else None
        try:
            addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            opened = await start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_AFTER_S, interleave=1)
            try:
                await loop.create_connection(lambda: connection, sock=opened, ssl=self._tls, server_hostname=name)
            except BaseException:
                opened.close()
                raise
        except OSError as error:
            raise Unreachable(str(error)) from None

    # Giving it back: what a connection tells its owner

    def free(self, connection: Connection) -> None:
        turn = self._next_turn()
        if turn is not None:
            turn.set_result(connection)
            return
        loop = asyncio.get_running_loop()
        connection.free_since = loop.time()
        self._free.append(connection)
        if self._timer is None:
            self._timer = loop.call_at(connection.free_since + KEPT_FREE_S, self._on_timer)

    def lost(self, connection: Connection) -> None:
        """If it was free it stays in `_free` until it is come across: it is closed, which is looked at."""
        self._connections.discard(connection)
        turn = self._next_turn()
        if turn is not None:
            turn.set_result(self._place())

    def _next_turn(self) -> asyncio.Future[Connection] | None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None

    def _on_timer(self) -> None:
        self._timer = None
        self.expire(asyncio.get_running_loop().time())

    def expire(self, now: float) -> None:
        """Close what has been free for too long; the timer does this when it is time for the first."""
        while self._free and now - self._free[0].free_since >= KEPT_FREE_S:
            self._free.popleft().close()
        if self._free and self._timer is None:
            at = self._free[0].free_since + KEPT_FREE_S
            self._timer = asyncio.get_running_loop().call_at(at, self._on_timer)
