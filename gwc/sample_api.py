"""The sample city's one interface: 余杭's, served beside the city so that its adapter has something to read.

Its address and token stand in the environment, as any district's would: where somebody has put them there already, an
interface elsewhere is meant, and none is served here.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from gwc.errors import CommandError

__all__ = ["TOKEN_VARIABLE", "URL_VARIABLE", "sample_api", "serve_sample_api"]

URL_VARIABLE = "YUHANG_API_URL"
TOKEN_VARIABLE = "YUHANG_API_TOKEN"


@asynccontextmanager
async def sample_api(city: Path) -> AsyncIterator[None]:
    """Within it, the mapping of 330110 can be opened."""
    if os.environ.get(URL_VARIABLE):
        yield
        return
    token = os.environ.setdefault(TOKEN_VARIABLE, secrets.token_urlsafe())
    async with _serving(city, token, "127.0.0.1", 0) as url:
        os.environ[URL_VARIABLE] = url
        try:
            yield
        finally:
            del os.environ[URL_VARIABLE]


def serve_sample_api(city: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """The interface alone, until Ctrl-C."""
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise CommandError(f"{TOKEN_VARIABLE} is not set.", "Set it here, and to the same where the district runs.", 2)

    async def serve() -> None:
        async with _serving(city, token, host, port) as url:
            say(f"ready: {url}/api/v2/assets")
            await asyncio.Event().wait()

    asyncio.run(serve())


@asynccontextmanager
async def _serving(city: Path, token: str, host: str, port: int) -> AsyncIterator[str]:
    from subgraphs.sample_city.paged_api import REGION, PagedApi, serving

    async with AsyncExitStack() as running:
        try:
            api = PagedApi(city / "stores" / REGION, token)
            url = await running.enter_async_context(serving(api.app, host, port))
        except OSError as error:
            raise CommandError(
                f"The interface of {REGION} cannot be served: {error.strerror}.",
                "Is the city generated, the port free?",
            ) from None
        yield url
