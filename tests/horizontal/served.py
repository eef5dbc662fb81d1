"""A member on a real socket: HTTP/1.1, as much of it as a pooled client uses, in front of any answering function."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import orjson

from tests.horizontal.stub import Answering

__all__ = ["HOST", "Handle", "answer_head", "listening", "read_message", "served"]

HOST = "127.0.0.1"
Handle: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(answering: Answering) -> AsyncIterator[int]:
    """Listens until the block ends; gives the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (message := await read_message(reader)) is not None:
            body = orjson.dumps(answering(orjson.loads(message[1])))
            writer.write(answer_head(200, len(body)) + body)
            await writer.drain()

    async with listening(handle) as port:
        yield port


@asynccontextmanager
async def listening(handle: Handle, port: int = 0) -> AsyncIterator[int]:
    """A server whose connections end with it: none outlives the block."""
    open_now: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        try:
            await handle(reader, writer)
        except ConnectionError:
            pass  # The other side has gone.
        except asyncio.CancelledError:
            writer.transport.abort()  # The block has ended: nobody waits for what was not sent yet.
        finally:
            writer.close()
            open_now.discard(task)

    server = await asyncio.start_server(one, HOST, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now)


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Head and body of the next request or answer; None when no more come."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        return head, await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


_REASONS = {200: "OK", 429: "Too Many Requests", 500: "Internal Server Error"}


def answer_head(status: int, length: int, *more: str) -> bytes:
    lines = (f"HTTP/1.1 {status} {_REASONS[status]}", "content-type: application/json", f"content-length: {length}")
    return "\r\n".join((*lines, *more, "", "")).encode()
