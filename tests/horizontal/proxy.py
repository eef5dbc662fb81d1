"""A fault proxy: a real socket in front of a real member, which does to its answers what networks and servers do.

`FaultProxy.fault` decides, request by request. A fault gets the exchange: it may ask the member or not, and writes
what it likes; its answer says whether the connection can be used again. `refuse` closes the port itself.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from tests.horizontal.served import HOST, answer_head, listening, read_message

__all__ = [
    "Exchange",
    "Fault",
    "FaultProxy",
    "cut",
    "delay",
    "drip",
    "garbage",
    "half_status_line",
    "hang",
    "length_too_great",
    "length_too_small",
    "refuse",
    "reset",
    "says",
]


@dataclass
class Exchange:
    """One request, as it came, and the way to its answer."""

    head: bytes
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    target: int

    async def ask(self) -> bytes:
        """The body of the member's true answer."""
        reader, writer = await asyncio.open_connection(HOST, self.target)
        try:
            writer.write(self.head + self.body)
            answered = await read_message(reader)
        finally:
            writer.close()
        assert answered is not None, "the member behind the proxy is gone"
        return answered[1]

    async def say(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()


Fault: TypeAlias = Callable[[Exchange], Awaitable[bool]]
"""Whether the connection stays open."""


class FaultProxy:
    """`async with FaultProxy(port) as proxy:` and then `await proxy.inflict(fault)`, or `None` to be honest again."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._fault: Fault | None = None
        self._listening: AsyncExitStack | None = None
        self.port = 0
        self.afflicted = 0
        """Requests that met a fault."""

    async def __aenter__(self) -> FaultProxy:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/graphql"

    async def inflict(self, fault: Fault | None) -> None:
        self._fault = fault
        if fault is refuse:
            await self._close()
        elif self._listening is None:
            await self._listen()

    async def _listen(self) -> None:
        self._listening = AsyncExitStack()
        self.port = await self._listening.enter_async_context(listening(self._handle, self.port))

    async def _close(self) -> None:
        if self._listening is not None:
            await self._listening.aclose()
            self._listening = None

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (message := await read_message(reader)) is not None:
            exchange = Exchange(*message, reader, writer, self._target)
            fault = self._fault or _honest
            self.afflicted += fault is not _honest
            if not await fault(exchange):
                return


async def _honest(exchange: Exchange) -> bool:
    body = await exchange.ask()
    await exchange.say(answer_head(200, len(body)) + body)
    return True


async def refuse(exchange: Exchange) -> bool:  # A mark: while it is set nobody listens, so it is never called.
    return False


def delay(seconds: float) -> Fault:
    """The true answer, late."""

    async def fault(exchange: Exchange) -> bool:
        await asyncio.sleep(seconds)
        return await _honest(exchange)

    return fault


async def hang(exchange: Exchange) -> bool:
    """Nothing, until the other side gives up."""
    await exchange.reader.read()
    return False


async def reset(exchange: Exchange) -> bool:
    """The member has done its work; then the connection is reset, not closed."""
    await exchange.ask()
    raw: socket.socket = exchange.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.writer.transport.abort()
    return False


async def cut(exchange: Exchange) -> bool:
    """The whole answer is announced, half of it comes."""
    body = await exchange.ask()
    await exchange.say(answer_head(200, len(body)) + body[: len(body) // 2])
    return False


async def garbage(exchange: Exchange) -> bool:
    await exchange.say(b"\x16\x03\x01\x00\xff\x00 this is no HTTP \r\n\r\n")
    return False


async def half_status_line(exchange: Exchange) -> bool:
    await exchange.say(b"HTTP/1.1 20")
    return False


async def length_too_small(exchange: Exchange) -> bool:
    """More comes than was announced: the rest must not be taken for the next answer."""
    body = await exchange.ask()
    await exchange.say(answer_head(200, len(body) // 2) + body)
    return True


async def length_too_great(exchange: Exchange) -> bool:
    """Less comes than was announced, and the connection stays open."""
    body = await exchange.ask()
    await exchange.say(answer_head(200, len(body) + 1) + body)
    return await hang(exchange)


def drip(seconds: float) -> Fault:
    """The true answer, one byte at a time."""

    async def fault(exchange: Exchange) -> bool:
        body = await exchange.ask()
        for byte in answer_head(200, len(body)) + body:
            await exchange.say(bytes((byte,)))
            await asyncio.sleep(seconds)
        return True

    return fault


def says(status: int, body: bytes, *headers: str) -> Fault:
    """What a server in trouble, or something in front of it, says in place of the member."""

    async def fault(exchange: Exchange) -> bool:
        await exchange.say(answer_head(status, len(body), *headers) + body)
        return True

    return fault
