"""A line to a document store that is looked at from beside: who is connected, what is asked, and a store that is dumb."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import bson

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013
_FLAGS_BYTES, _KIND_BYTES = 4, 1


class Wire:
    """`is_dumb`: whoever connects is not answered any more. Commands are noted as they pass, those by which a driver looks after
    its connections left out."""

    def __init__(self) -> None:
        self.is_dumb = False
        self.open = self.open_max = 0
        self._sent: list[bytearray] = []

    @asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        place = urlsplit(url)
        ends: list[asyncio.StreamWriter] = []
        visits: list[asyncio.Task[Any]] = []

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, noted: bytearray) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65_536):
                    noted += data
                    if not self.is_dumb:
                        sink.write(data)
            sink.close()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            visit = asyncio.current_task()
            assert visit is not None
            visits.append(visit)
            ends.append(writer)
            self.open += 1
            self.open_max = max(self.open_max, self.open)
            sent = bytearray()
            self._sent.append(sent)
            far_reader, far_writer = await asyncio.open_connection(place.hostname, place.port)
            ends.append(far_writer)
            await asyncio.gather(pump(reader, far_writer, sent), pump(far_reader, writer, bytearray()))
            self.open -= 1

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            yield place._replace(netloc=f"127.0.0.1:{port}", query="directConnection=true").geturl()
        finally:
            server.close()
            for visit in visits:
                visit.cancel()  # who comes while it ends may not have reached the store yet
            await asyncio.gather(*visits, return_exceptions=True)
            for end in ends:
                end.close()
            await asyncio.gather(*(end.wait_closed() for end in ends), return_exceptions=True)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """The commands of that name, of all connections."""
        return [command for sent in self._sent for command in _commands(bytes(sent)) if name in command]


def _commands(sent: bytes) -> Iterator[dict[str, Any]]:
    at = 0
    while at + _HEADER.size <= len(sent):
        length, _, _, code = _HEADER.unpack_from(sent, at)
        if code == _OP_MSG:
            body = sent[at + _HEADER.size + _FLAGS_BYTES + _KIND_BYTES : at + length]
            size = int.from_bytes(body[:4], "little")
            yield bson.decode(body[:size])
        at += length
