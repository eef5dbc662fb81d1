"""Fifty-six members in one process: `python -m benchmarks.horizontal.members FIRST_PORT`.

Member `n` listens on FIRST_PORT + n, and has each set under a path of its own: `/uniform/graphql`. It answers after
20 ms, from memory once it has been asked the same before; under `/hung/graphql` it never answers. `GET /carried` gives
the number of rows that all members have sent.

HTTP/1.1 by hand, only as much as pooled clients need: what is measured is the gateway, so its members must cost as
little as they can.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any, cast

import orjson
import uvloop
from graphql import ExecutionResult, GraphQLSchema, execute, parse

from benchmarks.horizontal.stock import MEMBERS_MAX, SDL, Shelf, shelves
from tests.gateway.support.serving import executable

__all__ = ["THINKING_S", "main"]

THINKING_S = 0.02
"""What a member takes for each answer, as a store would."""
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


class Member:
    """What one member says, kept by path and body."""

    carried = 0
    """Rows sent, by all members."""

    def __init__(self, place: int, schema: GraphQLSchema) -> None:
        self._shelves: Mapping[str, Shelf] = shelves(place)
        self._schema = schema
        self._kept: dict[tuple[str, bytes], tuple[bytes, int]] = {}

    def answer(self, path: str, body: bytes) -> bytes:
        kept = self._kept.get((path, body))
        if kept is None:
            kept = self._kept[path, body] = self._think(self._shelves[path], orjson.loads(body))
        said, rows = kept
        Member.carried += rows
        return said

    def _think(self, shelf: Shelf, request: Mapping[str, Any]) -> tuple[bytes, int]:
        document, variables = parse(request["query"]), request.get("variables")
        result = execute(self._schema, document, shelf, variable_values=variables)
        assert isinstance(result, ExecutionResult)
        assert not result.errors, result.errors
        said = orjson.dumps({"data": result.data})
        rows = len((result.data or {}).get("items", {}).get("nodes", ()))
        return _HEAD % len(said) + said, rows


class Connection(asyncio.Protocol):
    def __init__(self, member: Member) -> None:
        self._member = member
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next()) is not None:
            self._meet(*request)

    def _next(self) -> tuple[str, bytes] | None:
        """The next request's path and body, when it has come whole."""
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = self._buffer[:head_end].lower()
        path = head.split(b" ", 2)[1].decode().split("/")[1]
        place, end = head.find(b"content-length:"), head_end + 4
        length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self._buffer) < end + length:
            return None
        body, self._buffer = self._buffer[end : end + length], self._buffer[end + length :]
        return path, body

    def _meet(self, path: str, body: bytes) -> None:
        assert self._transport is not None
        match path:
            case "hung":
                return
            case "carried":
                said = str(Member.carried).encode()
                self._transport.write(_HEAD % len(said) + said)
            case _:
                self._loop.call_later(THINKING_S, self._transport.write, self._member.answer(path, body))


async def serve(first_port: int) -> None:
    loop = asyncio.get_running_loop()
    schema = executable(SDL, {"Query.items": lambda shelf, info, first=50, after=None, **_: shelf.page(first, after)})
    for place in range(MEMBERS_MAX):
        member = Member(place, schema)
        await loop.create_server(lambda member=member: Connection(member), "127.0.0.1", first_port + place)  # type: ignore[misc]
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    uvloop.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
