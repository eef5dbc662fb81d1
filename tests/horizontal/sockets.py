"""The city of `city`, with every depot a real HTTP server behind a fault proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.execution.clients import HttpClient, HttpPool
from tests.horizontal.city import City, city, member
from tests.horizontal.proxy import FaultProxy
from tests.horizontal.rows import Row
from tests.horizontal.served import served
from tests.horizontal.stub import Room

__all__ = ["Sockets", "on_sockets"]


@dataclass(frozen=True)
class Sockets:
    city: City
    proxies: dict[str, FaultProxy]
    pool: HttpPool


@asynccontextmanager
async def on_sockets(depots: Sequence[str], rows: Iterable[Row], rooms: Sequence[Room] = ()) -> AsyncIterator[Sockets]:
    here = city().settle(depots, rows, rooms)
    async with AsyncExitStack() as running:
        pool = HttpPool()
        proxies: dict[str, FaultProxy] = {}
        for code in depots:
            port = await running.enter_async_context(served(here.depot(code)))
            proxies[code] = await running.enter_async_context(FaultProxy(port))
        running.push_async_callback(pool.close)
        here.members.replace([member(code, HttpClient(proxy.url, pool)) for code, proxy in proxies.items()])
        yield Sockets(here, proxies, pool)
