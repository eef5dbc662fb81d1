"""A telemetry app behind a real port, and a client that speaks HTTP and graphql-transport-ws to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn

from contract.identity import IDENTITY_HEADER, Identity, TokenIssuer, TokenVerifier, generate_key_pair
from subgraphs.telemetry.app import TelemetryOptions, create_telemetry_app
from subgraphs.telemetry.service import Telemetry

SOON_S = 5.0
PRIVATE, PUBLIC = generate_key_pair()
ISSUER = TokenIssuer(PRIVATE)
VERIFIER = TokenVerifier(PUBLIC)


async def until(what: Callable[[], bool]) -> None:
    """For what tells nobody when it happens."""
    async with asyncio.timeout(SOON_S):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass
class Client:
    url: str
    http: aiohttp.ClientSession
    telemetry: Telemetry

    async def ask(self, query: str, identity: Identity | None = None, language: str = "en", **variables: Any) -> Any:
        headers = {"accept-language": language, **_identity(identity)}
        body = {"query": query, "variables": variables}
        async with self.http.post(f"{self.url}/graphql", json=body, headers=headers) as answer:
            return await answer.json(content_type=None)

    async def data(self, query: str, identity: Identity | None = None, **variables: Any) -> Any:
        answer = await self.ask(query, identity, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    @contextlib.asynccontextmanager
    async def subscribe(self, query: str, **variables: Any) -> AsyncIterator[Stream]:
        """Entered once the server has really subscribed to the bus."""
        before = self.telemetry.bus.subscribers
        async with self.http.ws_connect(f"{self.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init"})
            assert (await socket.receive_json())["type"] == "connection_ack"
            payload = {"query": query, "variables": variables}
            await socket.send_json({"type": "subscribe", "id": "1", "payload": payload})
            await until(lambda: self.telemetry.bus.subscribers > before)
            yield Stream(socket)


@dataclass
class Stream:
    socket: aiohttp.ClientWebSocketResponse

    async def next(self) -> Any:
        async with asyncio.timeout(SOON_S):
            message = await self.socket.receive_json()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def error(self) -> Any:
        async with asyncio.timeout(SOON_S):
            while True:
                message = await self.socket.receive_json()
                if message["type"] == "error":
                    return message["payload"]


def _identity(identity: Identity | None) -> Mapping[str, str]:
    return {} if identity is None else {IDENTITY_HEADER: ISSUER.issue(identity)}


@contextlib.asynccontextmanager
async def serving(options: TelemetryOptions) -> AsyncIterator[Client]:
    app = create_telemetry_app(options)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, ws="websockets-sansio", lifespan="on", log_level="warning")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as http:
            client = Client(f"http://127.0.0.1:{port}", http, app.state.telemetry)
            if client.telemetry.ingest is not None:
                async with asyncio.timeout(SOON_S):
                    await client.telemetry.ingest.connected.wait()
            yield client
    finally:
        server.should_exit = True
        await running
