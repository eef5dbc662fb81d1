"""余杭's interface, as its vendor serves it: `GET /api/v2/assets?page=&pageSize=&updatedSince=`, a token in a header.

    200  {"code": 0, "data": {"list": […], "page": 1}}: no total, fewer rows a page than were asked for where that is many
    401  without the token
    429  with Retry-After, beyond so many requests in a second

Records are those of a generated city. They may be changed while pages are read: `records` is the interface's state.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

__all__ = ["REGION", "TOKEN_HEADER", "PagedApi", "serving"]

REGION = "330110"
TOKEN_HEADER = "X-Api-Token"
REQUESTS_A_WINDOW = 100
WINDOW_S = 1.0
PAGE_SIZE_MAX = 100
_TABLES = ("assets", "companies", "locations")
_UPDATED = ("updatedAt", "updated_at")


class PagedApi:
    def __init__(
        self,
        folder: Path,
        token: str,
        *,
        requests_a_window: int = REQUESTS_A_WINDOW,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder`: where the generator wrote the records. Raises `OSError` where they are not."""
        self.records: dict[str, list[dict[str, Any]]] = {
            table: [orjson.loads(line) for line in (folder / f"{table}.jsonl").read_bytes().splitlines()]
            for table in _TABLES
        }
        self._token, self._allowed, self._window_s, self._clock = token, requests_a_window, window_s, clock
        self._asked: deque[float] = deque()
        """When the requests of the window that is running came."""
        self.app = web.Application()
        self.app.router.add_get("/api/v2/{table}", self._page)

    async def _page(self, request: web.Request) -> web.Response:
        if request.headers.get(TOKEN_HEADER) != self._token:
            return _json({"code": 401, "message": "token"}, 401)
        wait_s = self._wait_s()
        if wait_s:
            return _json({"code": 429, "message": "too many requests"}, 429, {"Retry-After": str(math.ceil(wait_s))})
        records = self.records.get(request.match_info["table"])
        if records is None:
            return _json({"code": 404, "message": "no such table"}, 404)
        try:
            page, size = int(request.query.get("page", "1")), int(request.query.get("pageSize", "20"))
            since = _instant(request.query["updatedSince"]) if "updatedSince" in request.query else None
        except ValueError:
            return _json({"code": 400, "message": "page, pageSize or updatedSince"}, 400)
        if page < 1 or size < 1:
            return _json({"code": 400, "message": "page, pageSize"}, 400)
        size = min(size, PAGE_SIZE_MAX)
        found = records if since is None else [one for one in records if _changed(one) >= since]
        return _json({"code": 0, "data": {"list": found[(page - 1) * size : page * size], "page": page}})

    def _wait_s(self) -> float:
        """How long this caller is to wait; 0: it is served."""
        now = self._clock()
        while self._asked and now - self._asked[0] >= self._window_s:
            self._asked.popleft()
        if len(self._asked) >= self._allowed:
            return self._window_s - (now - self._asked[0])
        self._asked.append(now)
        return 0.0


@asynccontextmanager
async def serving(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """The interface on a socket; its address. Raises `OSError` where the port is taken."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = orjson.dumps(content)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _changed(record: dict[str, Any]) -> datetime:
    texts = [record[name] for name in _UPDATED if record.get(name)]
    return _instant(texts[0]) if texts else datetime.max.replace(tzinfo=UTC)
