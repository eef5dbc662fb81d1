"""The other side of a connection: a real socket whose answers the test writes itself, byte by byte if it likes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateway.execution.wire.pool import Pool
from gateway.execution.wire.requests import Origin

__all__ = ["HOST", "MESSAGE", "OK", "Asked", "Peer", "peer", "pool_of", "response"]

HOST = "127.0.0.1"
MESSAGE = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"
BYTES_MAX = 1000


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


OK = response(b"ok")


@dataclass
class Asked:
    """A request that has come, and the way to answer it."""

    connection: int
    """The connections are counted from 0."""
    head: str
    body: bytes
    writer: asyncio.StreamWriter
    gone: asyncio.Event
    """The client has closed the connection."""

    def say(self, content: bytes) -> None:
        self.writer.write(content)

    def hang_up(self) -> None:
        self.writer.close()


@dataclass
class Peer:
    port: int = 0
    opened: int = 0
    handlers: list[asyncio.Task[None]] = field(default_factory=list)
    is_met: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has opened a connection."""
    asked: asyncio.Queue[Asked] = field(default_factory=asyncio.Queue)

    async def next(self) -> Asked:
        return await self.asked.get()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection, self.opened = self.opened, self.opened + 1
        handler = asyncio.current_task()
        assert handler is not None
        self.handlers.append(handler)
        self.is_met.set()
        gone = asyncio.Event()
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                body = await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
                self.asked.put_nowait(Asked(connection, head, body, writer, gone))
        except (asyncio.IncompleteReadError, ConnectionError):
            gone.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def peer(tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    here = Peer()
    server = await asyncio.start_server(here.handle, HOST, 0, ssl=tls)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for handler in here.handlers:
            handler.cancel()
        await asyncio.gather(*here.handlers, return_exceptions=True)


@asynccontextmanager
async def pool_of(there: Peer, connections_max: int = 8) -> AsyncIterator[Pool]:
    pool = Pool(Origin(HOST, there.port, False), None, BYTES_MAX, connections_max)
    try:
        yield pool
    finally:
        await pool.close()
        assert len(pool) == 0
