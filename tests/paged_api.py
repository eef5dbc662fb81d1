"""余杭's interface in a thread of its own, so that stores opened by any test find it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from subgraphs.sample_city.paged_api import REGION, PagedApi, serving

__all__ = ["VARIABLES", "running_paged_api"]

VARIABLES = ("YUHANG_API_URL", "YUHANG_API_TOKEN")
TOKEN = "a-token-of-the-tests"


@contextmanager
def running_paged_api(city: Path) -> Iterator[None]:
    """Within it, the environment has what the mapping of 330110 asks of it."""
    started: list[str] = []
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with serving(PagedApi(city / "stores" / REGION, TOKEN, requests_a_window=10_000).app) as url:
            started.append(url)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="paged api")
    thread.start()
    ready.wait()
    assert started, "the interface did not start"
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(zip(VARIABLES, (started[0], TOKEN), strict=True))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        loop.call_soon_threadsafe(stop.set)
        thread.join()
