"""Where blocking calls of a driver run: in a greenlet of the event loop, or in a thread.

SQLAlchemy gives every driver the same blocking face. Of an async driver it works inside a greenlet, where a call that
waits lets the loop go on; of any other it would stop the loop, and so runs in a thread: one for each connection, so
that there are as many as the guest may have. Nothing else of the reader knows which it is.

A greenlet is cancelled as a task is: the driver's own call ends. A thread cannot be: what runs in it is told to the
server (`adapters.sql.session.end_statement`), whose answer, an error, ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from sqlalchemy.util import greenlet_spawn

__all__ = ["THREAD_NAME", "GreenletWorker", "ThreadWorker", "Worker"]

T = TypeVar("T")
THREAD_NAME = "store"


class Worker(Protocol):
    """Runs the calls of one connection, one after the other."""

    async def run(self, work: Callable[[], T]) -> T: ...

    async def close(self) -> None:
        """After the last call."""


class GreenletWorker:
    async def run(self, work: Callable[[], T]) -> T:
        result: T = await greenlet_spawn(work)
        return result

    async def close(self) -> None:
        """Nothing is held."""


class ThreadWorker:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=THREAD_NAME)

    async def run(self, work: Callable[[], T]) -> T:
        """Whoever waits may be cancelled; a call that runs goes on, and the next one waits for its end."""
        return await asyncio.wrap_future(self._thread.submit(work))

    async def close(self) -> None:
        self._thread.shutdown(wait=False)
        await asyncio.to_thread(self._thread.shutdown)
