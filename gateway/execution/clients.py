"""Clients: how a subgraph is reached. A real one over HTTP, an embedded one through its ASGI application.

Both speak the same bytes and fail in the same ways, so a city in one process behaves as a city of many. A client
never raises for what a subgraph did: it gives a `Failure`. Only cancellation by the caller passes through.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Protocol, TypeAlias

import aiohttp
import orjson
from aiohttp import hdrs

from contract.identity import DEADLINE_HEADER
from gateway.execution.answers import Failure, Outcome, read_answer
from gateway.execution.flights import Flights
from gateway.execution.limits import Deadline
from gateway.execution.upstream import SUBPROTOCOL, Closed, receive_events
from gateway.language.errors import Code

__all__ = ["ANSWER_BYTES_MAX", "RETRY_AFTER", "HttpClient", "HttpPool", "SubgraphClient", "request_body"]

ANSWER_BYTES_MAX = 64 << 20
RETRY_AFTER = "Retry-After"
CONNECT_S = 10.0
CONNECTIONS_PER_HOST_MAX = 256
KEPT_ALIVE_S = 4.0
"""Shorter than servers keep idle connections (uvicorn: 5 s), so that no request meets a connection being closed."""
_JSON_HEADERS = {"content-type": "application/json", "accept": "application/json"}


_Received: TypeAlias = tuple[int, bytes, str | None] | None
"""Status, body, and the header `Retry-After`; None: too large."""
_BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError)
"""The connection was at fault and not what came over it."""


class SubgraphClient(Protocol):
    """One subgraph, or one member of a partitioned one."""

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        """Run a query or mutation. Gives a `Failure` when there is no well-formed answer before the deadline."""
        ...

    def subscribe(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        """Run a subscription: each event as an `Answer`; a broken stream ends with a `Failure`."""
        ...

    async def close(self) -> None: ...


def request_body(operation: str, variables: Mapping[str, Any] | None) -> bytes:
    """The request's JSON. Values may be `orjson.Fragment`s, so that what was written once is not written again."""
    if variables:
        return orjson.dumps({"query": operation, "variables": variables})
    return orjson.dumps({"query": operation})


def too_late() -> Failure:
    return Failure(Code.SUBGRAPH_TIMEOUT, "it did not answer in time")


def connection_broke(detail: str, *, may_pass: bool = True) -> Failure:
    return Failure(Code.SUBGRAPH_UNAVAILABLE, "the connection broke", detail, may_pass=may_pass)


def too_large() -> Failure:
    return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"its answer is larger than {ANSWER_BYTES_MAX >> 20} MB")


class HttpPool:
    """The one pooled HTTP session that all `HttpClient`s of a gateway share; opened at first use, in its loop."""

    def __init__(self, connections_per_host_max: int = CONNECTIONS_PER_HOST_MAX) -> None:
        self._connections_per_host_max = connections_per_host_max
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(
                limit=0, limit_per_host=self._connections_per_host_max, ttl_dns_cache=60, keepalive_timeout=KEPT_ALIVE_S
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
                auto_decompress=True,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class HttpClient:
    """A subgraph behind a URL. Subscriptions go to the same URL with `ws:` in place of `http:`."""

    def __init__(self, url: str, pool: HttpPool, *, share: bool = False) -> None:
        """`share`: a query that equals one in flight (text, variables, identity, language) waits for that one's answer."""
        self.url = url
        self._pool = pool
        self._flights: Flights[_Received] | None = Flights() if share else None
        self._stream_url = "ws" + url.removeprefix("http")

    def __repr__(self) -> str:
        return f"HttpClient({self.url!r})"

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        body = request_body(operation, variables)
        try:
            async with asyncio.timeout(deadline.remaining_s):
                if self._flights is None or operation.startswith("mutation"):
                    received = await self._post(body, headers)
                else:
                    key = (body, *(one for one in headers.items() if one[0] != DEADLINE_HEADER))
                    received = await self._flights.join(key, lambda: self._post(body, headers))
        except TimeoutError:
            return too_late()
        except aiohttp.ClientConnectorError as error:
            return Failure(Code.SUBGRAPH_UNAVAILABLE, "it cannot be reached", str(error), was_sent=False, may_pass=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return connection_broke(f"{type(error).__name__}: {error}", may_pass=isinstance(error, _BROKEN))
        return too_large() if received is None else read_answer(*received)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> _Received:
        sent = {**headers, **_JSON_HEADERS}
        async with self._pool.session.post(self.url, data=body, headers=sent, allow_redirects=False) as response:
            # What is compressed may be far larger than its length says.
            is_plain = hdrs.CONTENT_ENCODING not in response.headers
            if is_plain and response.content_length is not None and response.content_length <= ANSWER_BYTES_MAX:
                return response.status, await response.read(), response.headers.get(RETRY_AFTER)
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > ANSWER_BYTES_MAX:
                    return None
                chunks.append(chunk)
            return response.status, b"".join(chunks), response.headers.get(RETRY_AFTER)

    async def subscribe(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        try:
            async with self._pool.session.ws_connect(
                self._stream_url, protocols=(SUBPROTOCOL,), headers=headers, max_msg_size=ANSWER_BYTES_MAX
            ) as socket:
                received = receive_events(_AiohttpSocket(socket), operation, variables, headers)
                async with aclosing(received) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
        except (aiohttp.ClientError, OSError, ValueError) as error:
            yield Failure(Code.SUBGRAPH_UNAVAILABLE, "its stream cannot be opened", f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        """Nothing of its own to close: the pool is closed by whoever opened it."""


class _AiohttpSocket:
    """The message socket `receive_events` talks through, on aiohttp's websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (ConnectionError, RuntimeError) as error:
            raise Closed(1006, str(error)) from None

    async def receive(self) -> str:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        raise Closed(self._socket.close_code or 1006, str(message.extra or ""))
