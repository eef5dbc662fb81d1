"""Clients: how a subgraph is reached. A real one over HTTP, an embedded one through its ASGI application.

Both speak the same bytes and fail in the same ways, so a city in one process behaves as a city of many. A client
never raises for what a subgraph did: it gives a `Failure`. Only cancellation by the caller passes through.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from contract.identity import DEADLINE_HEADER
from gateway.execution.answers import Failure, Outcome, read_answer
from gateway.execution.flights import Flights
from gateway.execution.limits import Deadline
from gateway.execution.wire.connection import Response
from gateway.execution.wire.errors import Broken, TooLarge, Unreachable, UnsentInTime, WireError
from gateway.execution.wire.pool import CONNECT_S, CONNECTIONS_MAX, Pool
from gateway.execution.wire.requests import Origin, Post
from gateway.language.errors import Code

if TYPE_CHECKING:
    from gateway.execution.wire.streams import Streams

__all__ = ["ANSWER_BYTES_MAX", "RETRY_AFTER", "HttpClient", "HttpPool", "SubgraphClient", "request_body"]

ANSWER_BYTES_MAX = 64 << 20
RETRY_AFTER = "Retry-After"


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


def too_late(*, was_sent: bool = True) -> Failure:
    return Failure(Code.SUBGRAPH_TIMEOUT, "it did not answer in time", was_sent=was_sent)


def connection_broke(detail: str, *, may_pass: bool = True) -> Failure:
    return Failure(Code.SUBGRAPH_UNAVAILABLE, "the connection broke", detail, may_pass=may_pass)


def too_large() -> Failure:
    return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"its answer is larger than {ANSWER_BYTES_MAX >> 20} MB")


class HttpPool:
    """The connections that all `HttpClient`s of a gateway share; opened at first use, in its loop."""

    def __init__(self, connections_per_host_max: int = CONNECTIONS_MAX, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: what servers must show, if it is not what the system trusts."""
        self._connections_per_host_max = connections_per_host_max
        self._tls = tls
        self._pools: dict[Origin, Pool] = {}
        self._streams: Streams | None = None

    def of(self, origin: Origin) -> Pool:
        pool = self._pools.get(origin)
        if pool is None:
            tls = self._tls_context() if origin.is_secure else None
            pool = self._pools[origin] = Pool(origin, tls, ANSWER_BYTES_MAX, self._connections_per_host_max)
        return pool

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    @property
    def streams(self) -> Streams:
        if self._streams is None:
            from gateway.execution.wire.streams import Streams

            self._streams = Streams(CONNECT_S, self._connections_per_host_max, ANSWER_BYTES_MAX)
        return self._streams

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        if self._streams is not None:
            await self._streams.close()
            self._streams = None


class HttpClient:
    """A subgraph behind a URL. Subscriptions go to the same URL with `ws:` in place of `http:`."""

    def __init__(self, url: str, pool: HttpPool, *, share: bool = False) -> None:
        """`share`: a query that equals one in flight (text, variables, identity, language) waits for that one's answer."""
        self.url = url
        self._pool = pool
        self._flights: Flights[Response] | None = Flights() if share else None
        self._stream_url = "ws" + url.removeprefix("http")
        self._post: Post | None = None

    def __repr__(self) -> str:
        return f"HttpClient({self.url!r})"

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        body = request_body(operation, variables)
        try:
            if self._flights is None or operation.startswith("mutation"):
                response = await self._send(body, headers, deadline.remaining_s)
            else:
                response = await self._share(self._flights, body, headers, deadline.remaining_s)
        except TimeoutError as error:
            return too_late(was_sent=not isinstance(error, UnsentInTime))
        except Unreachable as error:
            return Failure(Code.SUBGRAPH_UNAVAILABLE, "it cannot be reached", str(error), was_sent=False, may_pass=True)
        except TooLarge:
            return too_large()
        except WireError as error:
            return connection_broke(f"{type(error).__name__}: {error}", may_pass=isinstance(error, Broken))
        except ValueError as error:
            return Failure(Code.SUBGRAPH_UNAVAILABLE, "it cannot be asked", str(error), was_sent=False)
        return read_answer(*response)

    async def _share(
        self, flights: Flights[Response], body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> Response:
        """Each who waits has a deadline; the flight has none."""
        key = (body, *(one for one in headers.items() if one[0] != DEADLINE_HEADER))
        async with asyncio.timeout(timeout_s):
            return await flights.join(key, lambda: self._send(body, headers, None))

    async def _send(self, body: bytes, headers: Mapping[str, str], timeout_s: float | None) -> Response:
        post = self._post
        if post is None:
            post = self._post = Post(self.url)
        return await self._pool.of(post.origin).ask(post.message(headers, body), timeout_s)

    async def subscribe(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        events = self._pool.streams.events(self._stream_url, operation, variables, headers)
        async with aclosing(events) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def close(self) -> None:
        """Nothing of its own to close: the pool is closed by whoever opened it."""
