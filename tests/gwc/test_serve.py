from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette

from gwc.serve import listen, run_server


async def test_a_part_that_never_closes_does_not_hold_up_the_end() -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    listener, threshold = listen("127.0.0.1", 0), gc.get_threshold()
    try:
        with structlog.testing.capture_logs() as said:
            await run_server(
                Starlette(lifespan=lifespan), listener, lambda: os.kill(os.getpid(), signal.SIGTERM), close_s=0.1
            )
    finally:
        listener.close()
        gc.unfreeze()  # a server settles its process's memory
        gc.set_threshold(*threshold)
    assert [one["code"] for one in said] == ["CLOSE_TIMEOUT"]
