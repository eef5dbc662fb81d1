"""A real gateway on a real port, for tests of HTTP and websockets; and a client of each."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import uvicorn

from contract.identity import ACCESS, Identity, Role, TokenIssuer, TokenVerifier, generate_key_pair
from gateway.server.app import GatewayOptions, create_gateway_app
from tests.gateway.support.gateway import planner
from tests.gateway.support.library import Library

ACCESS_PRIVATE, ACCESS_PUBLIC = generate_key_pair()
INTERNAL_PRIVATE, INTERNAL_PUBLIC = generate_key_pair()
OFFICER = Identity(person="p1", unit="u1", region="n", roles=frozenset({Role.REGION_OFFICER}))


def access_token(identity: Identity = OFFICER, life_s: int = 60) -> str:
    return TokenIssuer(ACCESS_PRIVATE, ACCESS, life_s).issue(identity)


def options(**more: Any) -> GatewayOptions:
    verifier = TokenVerifier(ACCESS_PUBLIC, ACCESS)
    return GatewayOptions(verifier=verifier, issuer=TokenIssuer(INTERNAL_PRIVATE), **more)


@dataclass
class Served:
    library: Library
    url: str
    session: aiohttp.ClientSession

    async def post(
        self, body: Any, headers: Mapping[str, str] | None = None, parameters: Mapping[str, str] | None = None
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        sent = {"content-type": "application/json", **(headers or {})}
        async with self.session.post(self.url, data=data, headers=sent, params=parameters) as response:
            text = await response.read()
            return response.status, orjson.loads(text) if text else None, response

    async def get(self, parameters: Mapping[str, str], headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        async with self.session.get(self.url, params=parameters, headers=headers or {}) as response:
            return response.status, orjson.loads(await response.read())

    def socket(self, protocol: str = "graphql-transport-ws", headers: Mapping[str, str] | None = None) -> Any:
        return self.session.ws_connect(self.url, protocols=(protocol,), headers=headers or {})


@asynccontextmanager
async def served(library: Library | None = None, chosen: GatewayOptions | None = None) -> AsyncIterator[Served]:
    opened = library or Library()
    app = create_gateway_app(opened.supergraph, opened.clients, chosen or options(), planner())
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="on", ws="websockets-sansio")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listener]))
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
            yield Served(opened, url, session)
    finally:
        server.should_exit = True
        await running
