"""The client's half of graphql-transport-ws: one subscription over one message socket.

Messages, with their direction (→ to the subgraph, ← from it):
    → connection_init {payload}   ← connection_ack   ↔ ping/pong
    → subscribe {id, payload}     ← next {id, payload}   ← error {id, payload: [errors]}   ↔ complete {id}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, Protocol

import orjson

from gateway.execution.answers import Answer, Failure, Outcome, read_payload
from gateway.language.errors import Code

__all__ = ["SUBPROTOCOL", "Closed", "MessageSocket", "receive_events"]

SUBPROTOCOL = "graphql-transport-ws"
ACKNOWLEDGE_S = 10.0
PING_EVERY_S = 20.0
SILENCE_S = 45.0
"""A stream that sends nothing, not even the pong to our ping, for so long is dead."""
_ID = "1"


class Closed(Exception):
    """The other side closed the socket."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code


class MessageSocket(Protocol):
    async def send(self, text: str) -> None: ...

    async def receive(self) -> str:
        """The next text message. Raises `Closed`."""
        ...


async def receive_events(
    socket: MessageSocket, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
) -> AsyncGenerator[Outcome, None]:
    """Subscribe and give each event. Ends at `complete`; a broken stream gives one `Failure` and ends."""
    pinger: asyncio.Task[None] | None = None
    try:
        await _open(socket, headers)
        payload = {"query": operation, "variables": dict(variables or {})}
        await socket.send(_message({"type": "subscribe", "id": _ID, "payload": payload}))
        pinger = asyncio.create_task(_ping(socket))
        while True:
            async with asyncio.timeout(SILENCE_S):
                message = orjson.loads(await socket.receive())
            outcome = await _handle(socket, message)
            if outcome is _COMPLETE:
                return
            if isinstance(outcome, (Answer, Failure)):
                yield outcome
                if message["type"] == "error" or isinstance(outcome, Failure):
                    return
    except TimeoutError:
        yield Failure(Code.SUBGRAPH_TIMEOUT, "its stream went silent")
    except Closed as error:
        yield Failure(Code.SUBGRAPH_UNAVAILABLE, "its stream was closed", str(error))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        yield Failure(Code.SUBGRAPH_BAD_RESPONSE, "its stream sent what the protocol does not know", repr(error))
    finally:
        if pinger is not None:
            pinger.cancel()
        with suppress(Closed):
            await socket.send(_message({"type": "complete", "id": _ID}))


class _Complete:
    pass


_COMPLETE = _Complete()


async def _open(socket: MessageSocket, headers: Mapping[str, str]) -> None:
    await socket.send(_message({"type": "connection_init", "payload": dict(headers)}))
    async with asyncio.timeout(ACKNOWLEDGE_S):
        while True:
            message = orjson.loads(await socket.receive())
            if message["type"] == "connection_ack":
                return
            await _handle(socket, message)


async def _handle(socket: MessageSocket, message: dict[str, Any]) -> Outcome | _Complete | None:
    match message["type"]:
        case "next":
            return read_payload(message["payload"])
        case "error":
            return read_payload({"errors": message["payload"]})
        case "complete":
            return _COMPLETE
        case "ping":
            await socket.send(_message({"type": "pong"}))
            return None
        case "pong" | "connection_ack":
            return None
        case other:
            return Failure(Code.SUBGRAPH_BAD_RESPONSE, "its stream sent what the protocol does not know", str(other))


async def _ping(socket: MessageSocket) -> None:
    with suppress(Closed):
        while True:
            await asyncio.sleep(PING_EVERY_S)
            await socket.send(_message({"type": "ping"}))


def _message(content: dict[str, Any]) -> str:
    return orjson.dumps(content).decode()
