"""graphql-transport-ws, the server's half: operations of one client over one socket.

Messages, with their direction (→ from the client, ← to it):
    → connection_init {payload}   ← connection_ack   ↔ ping/pong
    → subscribe {id, payload}     ← next {id, payload}   ← error {id, payload: [errors]}   ↔ complete {id}

A fault of the protocol closes the socket with the protocol's code; a fault of one operation is an `error` message for
that operation, and the others go on. Identity comes from the opening payload (`authorization`) or the upgrade's
headers; when its token expires the socket closes with 4403, at which clients connect anew, with a new token, and ask
again for what was running. Each operation runs in a task of its own; leaving ends them all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.language.errors import Code, GatewayError, GatewayException
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline
from gateway.server.callers import Callers
from gateway.server.metrics import Metrics

__all__ = ["SUBPROTOCOL", "GraphQLOverWebSocket", "SocketLimits"]

log = logging.getLogger("gateway.server.websocket")

SUBPROTOCOL: Final = "graphql-transport-ws"
INIT_HEADERS: Final = ("authorization", "accept-language", "gwc-partial", "gwc-deadline-ms", "gwc-explain")
"""What the opening payload may say in place of headers (browsers cannot set headers on a websocket)."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    init_timeout_s: float = 5.0
    operations_max: int = 50
    """Of one socket, at once."""
    message_characters_max: int = 262_144
    sockets_max: int = 5_000
    id_length_max: int = 200


class _Close(Exception):
    """The protocol asks to close the socket with this code."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class _Left(Exception):
    """The client has left while something was sent to it."""


class GraphQLOverWebSocket:
    def __init__(self, pipeline: Pipeline, callers: Callers, metrics: Metrics, limits: SocketLimits) -> None:
        self._pipeline = pipeline
        self._callers = callers
        self._metrics = metrics
        self._limits = limits
        self._open = 0

    async def endpoint(self, socket: WebSocket) -> None:
        if SUBPROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(SUBPROTOCOL)
        if self._open >= self._limits.sockets_max:
            await socket.close(1013, "Too many sockets")
            return
        self._open += 1
        self._metrics.sockets.inc()
        conversation = _Conversation(socket, self._pipeline, self._callers, self._metrics, self._limits)
        try:
            await conversation.run()
        finally:
            self._open -= 1
            self._metrics.sockets.dec()


class _Conversation:
    def __init__(
        self,
        socket: WebSocket,
        pipeline: Pipeline,
        callers: Callers,
        metrics: Metrics,
        limits: SocketLimits,
    ) -> None:
        self._socket = socket
        self._pipeline = pipeline
        self._callers = callers
        self._metrics = metrics
        self._limits = limits
        self._caller: Caller | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        try:
            try:
                await self._talk()
            finally:
                await self._end_operations()
        except _Close as close:
            if self._socket.application_state is WebSocketState.CONNECTED:
                with suppress(RuntimeError, OSError):
                    await self._socket.close(close.code, close.reason)
        except (WebSocketDisconnect, OSError, _Left):
            pass

    async def _end_operations(self) -> None:
        tasks = list(self._operations.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _talk(self) -> None:
        try:
            async with asyncio.timeout(self._limits.init_timeout_s):
                while self._caller is None:
                    await self._handle(await self._receive())
        except TimeoutError:
            raise _Close(4408, "Connection initialisation timeout") from None
        until = self._caller.until
        try:
            async with asyncio.timeout(None if until is None else until - time.time()):
                while True:
                    await self._handle(await self._receive())
        except TimeoutError:
            raise _Close(4403, "Forbidden: the token has expired") from None

    async def _receive(self) -> dict[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None or len(text) > self._limits.message_characters_max:
            raise _Close(4400, "Messages are texts of bounded size")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise _Close(4400, "Invalid message: no JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _Close(4400, "Invalid message: no object with a type")
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._init(message.get("payload"))
            case "ping":
                await self._send({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                task = self._operations.pop(_id_of(message, self._limits), None)
                if task is not None:
                    task.cancel()
            case _:
                raise _Close(4400, "Invalid message type")

    async def _init(self, payload: Any) -> None:
        if self._caller is not None:
            raise _Close(4429, "Too many initialisation requests")
        if payload is not None and not isinstance(payload, dict):
            raise _Close(4400, "Invalid message: the payload is no object")
        headers = dict(self._socket.headers.items())
        for name, value in (payload or {}).items():
            if isinstance(value, str) and name.lower() in INIT_HEADERS:
                headers[name.lower()] = value
        try:
            self._caller = self._callers.caller(headers)
        except GatewayException as error:
            raise _Close(4403, f"Forbidden: {error.errors[0].message}"[:120]) from None
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if self._caller is None:
            raise _Close(4401, "Unauthorized")
        id_ = _id_of(message, self._limits)
        if id_ in self._operations:
            raise _Close(4409, f"Subscriber for {id_} already exists"[:120])
        asked = _asked(message.get("payload"))
        if len(self._operations) >= self._limits.operations_max:
            # Said here and not in a task of its own: who sends on without reading waits, and piles up nothing.
            await self._refuse_one_more(id_)
            return
        task = asyncio.create_task(self._operate(id_, asked, self._caller))
        self._operations[id_] = task
        self._metrics.subscriptions.inc()
        task.add_done_callback(lambda done: self._forget(id_, done))

    def _forget(self, id_: str, task: asyncio.Task[None]) -> None:
        self._metrics.subscriptions.dec()
        if self._operations.get(id_) is task:
            del self._operations[id_]

    # Operations

    async def _operate(self, id_: str, asked: GraphQLRequest, caller: Caller) -> None:
        try:
            if self._pipeline.prepare(asked).kind != "subscription":
                await self._answer_once(id_, asked, caller)
                return
            await self._stream(id_, asked, caller)
        except GatewayException as error:
            await self._send_errors(id_, error.errors)
        except _Left:
            pass  # `run` ends the rest.
        except Exception:
            log.exception("an operation on a socket failed")
            message = "The gateway failed to answer. The fault is logged."
            with suppress(_Left):
                await self._send_errors(id_, (GatewayError(Code.INTERNAL_SERVER_ERROR, message),))

    async def _refuse_one_more(self, id_: str) -> None:
        message = f"A socket carries at most {self._limits.operations_max} operations at once."
        await self._send_errors(id_, (GatewayError(Code.OVERLOADED, message),))

    async def _answer_once(self, id_: str, asked: GraphQLRequest, caller: Caller) -> None:
        answered = await self._pipeline.answer(asked, caller)
        if answered.executed:
            await self._send_next(id_, answered)
            await self._complete(id_)
        else:
            await self._send_errors(id_, answered.errors)

    async def _stream(self, id_: str, asked: GraphQLRequest, caller: Caller) -> None:
        listener = self._pipeline.subscribe(asked, caller)
        try:
            async for delivered in listener:
                answered = delivered.item
                if delivered.dropped:
                    dropped = {**answered.extensions, "dropped": delivered.dropped}
                    answered = replace(answered, extensions=dropped)
                await self._send_next(id_, answered)
        finally:
            listener.close()
        await self._complete(id_)

    async def _complete(self, id_: str) -> None:
        await self._send({"type": "complete", "id": id_}, ends=id_)

    async def _send_next(self, id_: str, answered: Answered) -> None:
        await self._send({"type": "next", "id": id_, "payload": answered.to_json()})

    async def _send_errors(self, id_: str, errors: tuple[GatewayError, ...]) -> None:
        await self._send({"type": "error", "id": id_, "payload": [error.to_json() for error in errors]}, ends=id_)

    async def _send(self, message: Mapping[str, Any], ends: str = "") -> None:
        """`ends`: the operation whose last message this is. It counts until the message's turn to be sent has come, so
        a client that does not read cannot start more; after that the client may use its id again. Raises `_Left`."""
        text = orjson.dumps(message).decode()
        async with self._sending:
            self._operations.pop(ends, None)
            if self._socket.application_state is WebSocketState.CONNECTED:
                try:
                    await self._socket.send_text(text)
                except (OSError, RuntimeError, WebSocketDisconnect):
                    raise _Left from None


def _id_of(message: Mapping[str, Any], limits: SocketLimits) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_ or len(id_) > limits.id_length_max:
        raise _Close(4400, "Invalid message: no id")
    return id_


def _asked(payload: Any) -> GraphQLRequest:
    if not isinstance(payload, dict):
        raise _Close(4400, "Invalid message: the payload is no object")
    query, name, variables = payload.get("query"), payload.get("operationName"), payload.get("variables")
    if not isinstance(query, str):
        raise _Close(4400, "Invalid message: the payload has no query")
    if name is not None and not isinstance(name, str):
        raise _Close(4400, "Invalid message: operationName is no text")
    if variables is not None and not isinstance(variables, dict):
        raise _Close(4400, "Invalid message: variables are no object")
    return GraphQLRequest(query, name or None, variables or {})
