"""Websockets, by aiohttp. Loaded with the first subscription only: a gateway without any does not carry it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import aiohttp

from gateway.execution.answers import Failure, Outcome
from gateway.execution.upstream import SUBPROTOCOL, Closed, receive_events
from gateway.language.errors import Code

__all__ = ["Streams"]


class Streams:
    """The one session that all streams of a gateway share; made in its loop."""

    def __init__(self, connect_s: float, connections_max: int, message_bytes_max: int) -> None:
        self._message_bytes_max = message_bytes_max
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=connections_max, ttl_dns_cache=60),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )

    async def events(
        self, url: str, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> AsyncGenerator[Outcome, None]:
        """Subscribe at a `ws:` or `wss:` URL and give each event."""
        try:
            async with (
                self._session.ws_connect(
                    url, protocols=(SUBPROTOCOL,), headers=headers, max_msg_size=self._message_bytes_max
                ) as socket,
                aclosing(receive_events(_Socket(socket), operation, variables, headers)) as outcomes,
            ):
                async for outcome in outcomes:
                    yield outcome
        except (aiohttp.ClientError, OSError, ValueError) as error:
            yield Failure(Code.SUBGRAPH_UNAVAILABLE, "its stream cannot be opened", f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        await self._session.close()


class _Socket:
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
