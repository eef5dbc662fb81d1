"""An interface on a socket whose every answer a test decides, and a store over it whose waits take no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from adapters.index import IndexedStore
from adapters.rest.client import RestClient
from adapters.rest.source import RestSource
from tests import endpoint
from tests.adapters.support import mapping_of

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
PAGE_SIZE = 3


class Interface:
    """A list of rows in pages. `before` may change them between two requests, `answers` replace single answers."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.requests: list[web.BaseRequest] = []
        self.before: Callable[[int], None] = lambda number: None
        """Called with the number of the request, from 1."""
        self.answers: dict[int, Answer] = {}
        """Number of the request → what is answered instead of a page."""
        self.with_total = self.by_cursor = False
        self.beyond_is_last = False
        """Whether the page after the last is the last again, as some servers have it."""
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        number = len(self.requests)
        self.before(number)
        if number in self.answers:
            return await self.answers[number](request)
        query = request.query
        rows = self.rows if "since" not in query else [row for row in self.rows if row.get("new")]
        if self.by_cursor:
            return self._after(rows, int(query.get("cursor", "0")))
        size, page = int(query.get("pageSize", str(PAGE_SIZE))), int(query.get("page", "1"))
        start = int(query["offset"]) if "offset" in query else (page - 1) * size
        if self.beyond_is_last and rows:
            start = min(start, (len(rows) - 1) // size * size)
        content: dict[str, Any] = {"list": rows[start : start + size]}
        if self.with_total:
            content["total"] = len(rows)
        if start + size < len(rows):
            content["next"] = f"/assets?page={page + 1}&pageSize={size}"
        return reply({"data": content})

    def _after(self, rows: list[Any], place: int) -> web.Response:
        end = place + PAGE_SIZE
        more = {"next": str(end)} if end < len(rows) else {}
        return reply({"data": {"list": rows[place:end], **more}})

    @property
    def pages(self) -> list[str]:
        return [request.query.get("page", "") for request in self.requests]


def reply(content: Any, status: int = 200, **headers: str) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, headers=headers, content_type="application/json")


def answering(status: int, body: Any = None, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return reply(body if body is not None else {}, status, **headers)

    return answer


@asynccontextmanager
async def served(interface: Interface) -> AsyncIterator[str]:
    async with endpoint.served(web.get("/{path:.*}", interface.handle)) as interface.url:
        yield interface.url


class Opened:
    """A store over the interface that looks only when it is told to; `waits` are the seconds it would have slept."""

    def __init__(self, store: IndexedStore, waits: list[float]) -> None:
        self.store, self.waits = store, waits


@asynccontextmanager
async def opened(folder: Path, interface: Interface, **more: Any) -> AsyncIterator[Opened]:
    """`more`: tables of the mapping."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    rest = {"rows_at": "data.list", "page_size": PAGE_SIZE, **more.pop("rest", {})}
    store_table = {
        "engine": "rest",
        "url": interface.url,
        "reread_s": 86_400,
        "reload_s": 1,
        **more.pop("store", {}),
    }
    mapping = mapping_of(folder, store=store_table, source={"table": "/assets"}, rest=rest, **more)
    client = RestClient(mapping.store.url, mapping.rest, mapping.store.guest, sleep)
    now = Clock()
    store = IndexedStore(mapping, RestSource(mapping, client, now), folder / "cache")
    await store.open()
    try:
        yield Opened(store, waits)
    finally:
        await store.close()


class Clock:
    """A second later each time it is looked at: so every look at the source reads it again (`reload_s` is 1)."""

    def __init__(self) -> None:
        self._moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._moment += timedelta(seconds=1)
        return self._moment
