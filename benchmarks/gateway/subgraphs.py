"""The market's four subgraphs in one process, on fixed ports: `python -m benchmarks.gateway.subgraphs`.

HTTP/1.1 by hand, only as much as pooled clients need, and each answer kept by its request's body: what is measured is
the gateway, so its subgraphs must never be what it waits for.
"""

from __future__ import annotations

import asyncio
from typing import cast

import orjson
import uvloop

from benchmarks.gateway.market import PORTS, answer

__all__ = ["main"]

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class Subgraph(asyncio.Protocol):
    def __init__(self, name: str, kept: dict[bytes, bytes]) -> None:
        self._name = name
        self._kept = kept
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next()) is not None:
            assert self._transport is not None
            self._transport.write(self._answer(request))

    def _next(self) -> bytes | None:
        """The next request's body, when it has come whole."""
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = self._buffer[:head_end].lower()
        start = head_end + 4
        place = head.find(b"content-length:")
        if place >= 0:
            length = int(head[place + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < start + length:
                return None
            body, self._buffer = self._buffer[start : start + length], self._buffer[start + length :]
            return body
        if b"transfer-encoding: chunked" in head:
            end = self._buffer.find(b"0\r\n\r\n", start)
            if end < 0:
                return None
            chunks, self._buffer = self._buffer[start:end], self._buffer[end + 5 :]
            return _unchunked(chunks)
        self._buffer = self._buffer[start:]
        return b'{"query":"{__typename}"}'

    def _answer(self, body: bytes) -> bytes:
        kept = self._kept.get(body)
        if kept is None:
            request = orjson.loads(body)
            said = orjson.dumps(answer(self._name, request["query"], request.get("variables")))
            kept = self._kept[body] = _HEAD % len(said) + said
        return kept


def _unchunked(chunks: bytes) -> bytes:
    body = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size, 16)
        body += rest[:length]
        chunks = rest[length + 2 :]
    return body


async def serve() -> None:
    loop = asyncio.get_running_loop()
    for name, port in PORTS.items():
        kept: dict[bytes, bytes] = {}
        await loop.create_server(lambda name=name, kept=kept: Subgraph(name, kept), "127.0.0.1", port)  # type: ignore[misc]
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    uvloop.run(serve())


if __name__ == "__main__":
    main()
