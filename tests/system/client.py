"""A GraphQL client as a front end has one: HTTP, and graphql-transport-ws."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

PROTOCOL = "graphql-transport-ws"


class Answer:
    """One response: `data`, `errors`, `extensions` as they came."""

    def __init__(self, body: dict[str, Any], status: int) -> None:
        self.body, self.status = body, status
        self.errors: list[dict[str, Any]] = body.get("errors", [])

    @property
    def data(self) -> dict[str, Any]:
        assert not self.errors, self.errors
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def partial(self) -> dict[str, Any]:
        """The data beside errors."""
        data: dict[str, Any] = self.body["data"]
        return data

    def codes(self) -> set[str]:
        return {error["extensions"]["code"] for error in self.errors}


class Client:
    """Posts operations to one URL, as one person."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self._session, self.url, self._token = session, url, token

    def as_(self, token: str) -> Client:
        return Client(self._session, self.url, token)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    async def __call__(
        self, query: str, variables: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        async with self._session.post(
            self.url, json={"query": query, "variables": variables or {}}, headers={**self._headers, **(headers or {})}
        ) as response:
            return Answer(await response.json(content_type=None), response.status)

    @asynccontextmanager
    async def subscribe(self, query: str, variables: dict[str, Any] | None = None) -> AsyncIterator[AsyncIterator[Any]]:
        """Open a subscription; the iterator gives each event's `data`."""
        url = self.url.replace("http", "ws", 1)
        async with self._session.ws_connect(url, protocols=[PROTOCOL], headers=self._headers) as socket:
            assert socket.protocol == PROTOCOL
            await socket.send_json({"type": "connection_init", "payload": self._headers})
            assert (await socket.receive_json())["type"] == "connection_ack"
            payload = {"query": query, "variables": variables or {}}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})

            async def events() -> AsyncIterator[Any]:
                while True:
                    message = await socket.receive_json()
                    if message["type"] == "ping":
                        await socket.send_json({"type": "pong"})
                    elif message["type"] == "next":
                        assert "errors" not in message["payload"], message["payload"]["errors"]
                        yield message["payload"]["data"]
                    else:
                        raise AssertionError(message)

            yield events()


async def walk(
    client: Client, query: str, path: tuple[str, ...], variables: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Every node of a connection, page by page. `query` declares `$after`, selects `nodes` and `pageInfo`."""
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        connection: Any = (await client(query, {**(variables or {}), "after": after})).data
        for step in path:
            connection = connection[step]
        rows += connection["nodes"]
        if not connection["pageInfo"]["hasNextPage"]:
            return rows
        assert connection["pageInfo"]["endCursor"] != after, "a page that leads nowhere"
        after = connection["pageInfo"]["endCursor"]
