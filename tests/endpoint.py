"""An HTTP endpoint of a test's own, in the test's own loop on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from subgraphs.sample_city.paged_api import serving

__all__ = ["served"]


@asynccontextmanager
async def served(*routes: web.RouteDef) -> AsyncIterator[str]:
    """Its address, without a path."""
    app = web.Application()
    app.add_routes(routes)
    async with serving(app) as url:
        yield url
