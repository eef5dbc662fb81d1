"""graphql-transport-ws: https://github.com/enisdenj/graphql-ws/blob/master/PROTOCOL.md

A bad operation ends that operation, by an `error` message; only a breach of the protocol closes the socket:

    4400 no valid message          4401 an operation before the acknowledgement     4403 the identity is refused
    4406 another subprotocol       4408 no `connection_init` in time                4409 an id that is in use
    4429 a second `connection_init`

Client → server: connection_init, ping, pong, subscribe, complete. Server → client: connection_ack, ping, pong, next,
error, complete. Each operation is a task of its own; their number is bounded. A slow client slows its own
operations: a message is sent before the next event is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from subgraphs.kit.caller import Caller
from subgraphs.kit.documents import Document, InvalidDocument
from subgraphs.kit.errors import Classify, CodedError
from subgraphs.kit.operations import Answer, GraphQLRequest, error_answer, prepare, read_request, result_answer, run
from subgraphs.kit.served import ServedSchema

__all__ = ["SocketLimits", "SocketSession"]

SUBPROTOCOL = "graphql-transport-ws"


@dataclass(frozen=True, slots=True)
class SocketLimits:
    operations_max: int = 100
    init_timeout_s: float = 10.0
    message_length_max: int = 1_000_000
    operation_id_length_max: int = 200
    query_timeout_s: float = 30.0
    """For queries and mutations; a subscription lives as long as its socket."""


class ProtocolBreach(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


ReadCaller = Callable[[Mapping[str, str]], Caller]
MakeContext = Callable[[Caller], Any]


class SocketSession:
    """One websocket from handshake to close."""

    def __init__(
        self,
        socket: WebSocket,
        served: ServedSchema,
        read_caller: ReadCaller,
        make_context: MakeContext,
        classify: Classify | None,
        limits: SocketLimits,
    ) -> None:
        self._socket = socket
        self._served = served
        self._read_caller = read_caller
        self._make_context = make_context
        self._classify = classify
        self._limits = limits
        self._caller: Caller | None = None
        self._initialised = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        if SUBPROTOCOL not in self._socket.scope.get("subprotocols", ()):
            await self._socket.accept()
            await self._socket.close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(subprotocol=SUBPROTOCOL)
        try:
            await self._converse()
        except ProtocolBreach as breach:
            await self._close(breach)
        except WebSocketDisconnect:
            pass
        finally:
            await self._end_operations()

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(self._limits.init_timeout_s) as waiting:
                while not self._initialised:
                    await self._receive()
                waiting.reschedule(None)
        except TimeoutError:
            raise ProtocolBreach(4408, "Connection initialisation timeout") from None
        while True:
            await self._receive()

    async def _receive(self) -> None:
        message = await self._next_message()
        match message.get("type"):
            case "connection_init":
                await self._initialise(_payload(message))
            case "ping":
                _payload(message)
                await self._send({"type": "pong"})
            case "pong":
                _payload(message)
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._complete(self._operation_id(message))
            case other:
                raise ProtocolBreach(4400, f"Invalid message type {str(other)[:40]!r}")

    async def _next_message(self) -> dict[str, Any]:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        data = event.get("text") or event.get("bytes") or ""
        if len(data) > self._limits.message_length_max:
            raise ProtocolBreach(4400, "The message is too long")
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise ProtocolBreach(4400, "The message is not JSON") from None
        if not isinstance(message, dict):
            raise ProtocolBreach(4400, "The message is not an object")
        return message

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._initialised:
            raise ProtocolBreach(4429, "Too many initialisation requests")
        headers = {key.lower(): value for key, value in payload.items() if isinstance(value, str)}
        try:
            self._caller = self._read_caller({**dict(self._socket.headers), **headers})
        except CodedError as error:
            raise ProtocolBreach(4403, f"Forbidden: {error.message}") from None
        self._initialised = True
        await self._send({"type": "connection_ack"})

    # --- operations ---------------------------------------------------------------------------------------------------

    def _operation_id(self, message: Mapping[str, Any]) -> str:
        id_ = message.get("id")
        if not isinstance(id_, str) or not 0 < len(id_) <= self._limits.operation_id_length_max:
            raise ProtocolBreach(4400, "The message needs an id")
        return id_

    async def _subscribe(self, message: Mapping[str, Any]) -> None:
        id_ = self._operation_id(message)
        payload = message.get("payload")
        if not isinstance(payload, dict):
            raise ProtocolBreach(4400, "The payload of subscribe is not an object")
        if self._caller is None:
            raise ProtocolBreach(4401, "Unauthorized")
        if id_ in self._operations:
            raise ProtocolBreach(4409, f"Subscriber for {id_[:80]} already exists")
        if len(self._operations) >= self._limits.operations_max:
            error = CodedError(
                f"at most {self._limits.operations_max} operations at a time on one socket", code="TOO_MANY_OPERATIONS"
            )
            await self._send_errors(id_, error_answer(error))
            return
        caller = self._caller.renewed()
        self._operations[id_] = asyncio.create_task(self._operate(id_, payload, caller), name=f"operation {id_}")

    def _complete(self, id_: str) -> None:
        task = self._operations.pop(id_, None)
        if task is not None:
            task.cancel()

    async def _operate(self, id_: str, payload: Any, caller: Caller) -> None:
        try:
            request = read_request(payload)
            document = prepare(self._served, request)
            if document.is_subscription(request.operation_name):
                await self._stream(id_, document, request, caller)
            else:
                await self._answer_once(id_, document, request, caller)
        except (CodedError, InvalidDocument) as error:
            await self._finish(id_, error_answer(error))
        except (WebSocketDisconnect, asyncio.CancelledError):
            raise
        except Exception as error:  # the application's stream broke: this operation ends, the others go on
            result = ExecutionResult(None, [_located(error)])
            await self._finish(id_, result_answer(result, self._classify))
        finally:
            if self._operations.get(id_) is asyncio.current_task():
                del self._operations[id_]

    async def _answer_once(self, id_: str, document: Document, request: GraphQLRequest, caller: Caller) -> None:
        caller.deadline = time.monotonic() + self._limits.query_timeout_s
        answer = await run(self._served, document, request, self._make_context(caller), caller.deadline, self._classify)
        await self._send({"type": "next", "id": id_, "payload": answer})
        await self._finish(id_, None)

    async def _stream(self, id_: str, document: Document, request: GraphQLRequest, caller: Caller) -> None:
        context = self._make_context(caller)
        source = await self._served.subscribe(document, request.operation_name, request.variables, context)
        if isinstance(source, ExecutionResult):
            await self._finish(id_, result_answer(source, self._classify))
            return
        async with _closing(source):
            async for event in source:
                answer = await run(
                    self._served, document, request, self._make_context(caller.renewed()), None, self._classify, event
                )
                await self._send({"type": "next", "id": id_, "payload": answer})
        await self._finish(id_, None)

    async def _finish(self, id_: str, errors: Answer | None) -> None:
        """End an operation from here: by `error`, or by `complete`. The id is free before the client hears of it."""
        if self._operations.get(id_) is asyncio.current_task():
            del self._operations[id_]
        if errors is None:
            await self._send({"type": "complete", "id": id_})
        else:
            await self._send_errors(id_, errors)

    async def _end_operations(self) -> None:
        tasks = list(self._operations.values())
        self._operations.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- sending ------------------------------------------------------------------------------------------------------

    async def _send_errors(self, id_: str, answer: Answer) -> None:
        await self._send({"type": "error", "id": id_, "payload": answer["errors"]})

    async def _send(self, message: dict[str, Any]) -> None:
        text = orjson.dumps(message).decode()
        async with self._sending:
            if self._socket.application_state is WebSocketState.CONNECTED:
                await self._socket.send_text(text)

    async def _close(self, breach: ProtocolBreach) -> None:
        # A close frame holds at most 123 bytes of reason (RFC 6455).
        reason = breach.reason.encode()[:123].decode(errors="ignore")
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            async with self._sending:
                await self._socket.close(breach.code, reason)


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = message.get("payload")
    if payload is None:
        return {}
    if not isinstance(payload, dict):
        raise ProtocolBreach(4400, "The payload is not an object")
    return payload


def _located(error: Exception) -> GraphQLError:
    return error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)


@contextlib.asynccontextmanager
async def _closing(source: AsyncIterator[Any]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        close: Callable[[], Awaitable[None]] | None = getattr(source, "aclose", None)
        if close is not None:
            await close()
