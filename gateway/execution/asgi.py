"""An in-process subgraph: its ASGI application, spoken to in bytes as a server would, without a socket.

The application runs in a task of its own, as it would behind a server: when the caller gives up, the application
is told `http.disconnect` and may go on until a grace period ends, so a change under way is not torn in the middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing, suppress
from typing import Any, TypeAlias

from gateway.execution.answers import Failure, Outcome, read_answer
from gateway.execution.clients import ANSWER_BYTES_MAX, RETRY_AFTER, connection_broke, request_body, too_large, too_late
from gateway.execution.limits import Deadline
from gateway.execution.upstream import SUBPROTOCOL, Closed, receive_events
from gateway.language.errors import Code

__all__ = ["AsgiClient"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

GRACE_S = 30.0
"""How long an application may go on after its caller left."""
SOCKET_QUEUE_MAX = 64
_RETRY_AFTER = RETRY_AFTER.lower().encode()


class AsgiClient:
    def __init__(self, app: AsgiApp, path: str = "/graphql") -> None:
        self._app = app
        self._path = path
        self._left_behind: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"AsgiClient({self._path!r})"

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        exchange = _Exchange(request_body(operation, variables))
        task = asyncio.ensure_future(self._run(self._scope(headers, exchange), exchange))
        try:
            async with asyncio.timeout(deadline.remaining_s):
                await exchange.answered.wait()
        except TimeoutError:
            return too_late()
        finally:
            if not task.done():
                exchange.disconnected.set()
                self._leave_behind(task)
        return exchange.outcome()

    async def _run(self, scope: dict[str, Any], exchange: _Exchange) -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # The application's own fault, which a server would answer with 500.
            exchange.fault = f"{type(error).__name__}: {error}"
        finally:
            exchange.answered.set()

    def _leave_behind(self, task: asyncio.Task[None]) -> None:
        self._left_behind.add(task)
        timer = asyncio.get_running_loop().call_later(GRACE_S, task.cancel)

        def done(_: asyncio.Task[None]) -> None:
            timer.cancel()
            self._left_behind.discard(task)

        task.add_done_callback(done)

    def _scope(self, headers: Mapping[str, str], exchange: _Exchange) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [
                (b"host", b"subgraph"),
                (b"content-type", b"application/json"),
                (b"accept", b"application/json"),
                (b"content-length", str(len(exchange.body)).encode()),
                *_encoded(headers),
            ],
            "client": ("127.0.0.1", 0),
            "server": ("subgraph", 80),
            "state": {},
        }

    async def subscribe(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        socket = _InProcessSocket()
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"subgraph"), (b"sec-websocket-protocol", SUBPROTOCOL.encode()), *_encoded(headers)],
            "subprotocols": [SUBPROTOCOL],
            "client": ("127.0.0.1", 0),
            "server": ("subgraph", 80),
            "state": {},
        }
        task = asyncio.ensure_future(self._run_socket(scope, socket))
        try:
            async with aclosing(receive_events(socket, operation, variables, headers)) as outcomes:
                async for outcome in outcomes:
                    yield outcome
        finally:
            await socket.disconnect()
            with suppress(TimeoutError):
                await asyncio.wait_for(task, timeout=1.0)

    async def _run_socket(self, scope: dict[str, Any], socket: _InProcessSocket) -> None:
        try:
            await self._app(scope, socket.app_receive, socket.app_send)
        except Exception as error:  # As a server: the socket closes with 1011.
            socket.closed_by_app(1011, f"{type(error).__name__}: {error}")
        else:
            socket.closed_by_app(1000, "")

    async def close(self) -> None:
        tasks = list(self._left_behind)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Exchange:
    """One request and its response, as the application's `receive` and `send` see them."""

    __slots__ = (
        "_chunks",
        "_retry_after",
        "_size",
        "_status",
        "_was_read",
        "answered",
        "body",
        "complete",
        "disconnected",
        "fault",
    )

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.answered = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.fault: str | None = None
        self.complete = False
        self._was_read = False
        self._status = 0
        self._retry_after: str | None = None
        self._chunks: list[bytes] = []
        self._size = 0

    async def receive(self) -> Message:
        if not self._was_read:
            self._was_read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        if not self.complete:
            await self.disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for name, value in message.get("headers", ()):
                if name.lower() == _RETRY_AFTER:
                    self._retry_after = value.decode("latin-1")
            return
        if message["type"] != "http.response.body" or self.disconnected.is_set():
            return
        chunk = message.get("body", b"")
        self._size += len(chunk)
        if self._size <= ANSWER_BYTES_MAX:
            self._chunks.append(chunk)
        if not message.get("more_body", False):
            self.complete = True
            self.answered.set()

    def outcome(self) -> Outcome:
        if self._size > ANSWER_BYTES_MAX:
            return too_large()
        if self.complete:
            return read_answer(self._status, b"".join(self._chunks), self._retry_after)
        if self._status == 0:
            return Failure(Code.SUBGRAPH_UNAVAILABLE, "it answered HTTP 500", self.fault or "no response")
        return connection_broke(self.fault or "the response was cut")


class _InProcessSocket:
    """Both ends of an in-process websocket: `send`/`receive` for us, `app_send`/`app_receive` for the application."""

    def __init__(self) -> None:
        self._to_app: asyncio.Queue[Message] = asyncio.Queue(SOCKET_QUEUE_MAX)
        self._from_app: asyncio.Queue[Message] = asyncio.Queue(SOCKET_QUEUE_MAX)
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._closed: Closed | None = None
        self._left = asyncio.Event()

    async def send(self, text: str) -> None:
        if self._closed is not None:
            raise self._closed
        await self._to_app.put({"type": "websocket.receive", "text": text})

    async def receive(self) -> str:
        while True:
            if self._closed is not None and self._from_app.empty():
                raise self._closed
            message = await self._from_app.get()
            match message["type"]:
                case "websocket.send":
                    text = message.get("text")
                    return text if text is not None else bytes(message["bytes"]).decode()
                case "websocket.close":
                    self._closed = Closed(message.get("code", 1000), message.get("reason") or "")
                case _:
                    pass

    async def app_receive(self) -> Message:
        if self._left.is_set() and self._to_app.empty():
            return {"type": "websocket.disconnect", "code": 1001}
        return await self._to_app.get()

    async def app_send(self, message: Message) -> None:
        if self._left.is_set():
            raise OSError("the client has left")
        if not self._from_app.full():
            self._from_app.put_nowait(message)
            return
        put = asyncio.ensure_future(self._from_app.put(message))
        left = asyncio.ensure_future(self._left.wait())
        try:
            await asyncio.wait((put, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            put.cancel()
            left.cancel()

    def closed_by_app(self, code: int, reason: str) -> None:
        if self._from_app.full():
            self._closed = Closed(code, reason)
        else:
            self._from_app.put_nowait({"type": "websocket.close", "code": code, "reason": reason})

    async def disconnect(self) -> None:
        self._left.set()
        while not self._to_app.empty():
            self._to_app.get_nowait()
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
