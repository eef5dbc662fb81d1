"""Members' last good answers on Redis: shared by all gateways, and outliving each.

Redis is never worth an error, and hardly any waiting: a question to it has a short time limit, what is to be kept waits
in a bounded queue for one writer, and after a failure it is left alone for a while. Whatever is lost by that is a stale
answer which is not to be had. Age is bounded by Redis's own expiry; bytes by its `maxmemory`, for which `allkeys-lru`
or `volatile-lru` is the right policy.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.execution.stale import Kept
from subgraphs.kit.tasks import end_tasks

__all__ = ["RedisStale"]

_log = structlog.get_logger("stale")
_AT = struct.Struct(">d")
"""Before each body: when it came, in seconds since 1970."""
_FAILURES = (RedisError, OSError, TimeoutError)


class RedisStale:
    TIMEOUT_S: ClassVar[float] = 0.1
    """Of one question: what a client that allows stale answers may wait in vain, once a pause."""
    PAUSE_S: ClassVar[float] = 2.0
    """After a failure, until Redis is asked again."""
    CONNECTIONS_MAX: ClassVar[int] = 16
    BODY_BYTES_MAX: ClassVar[int] = 1 << 20
    """A larger answer is not kept."""
    QUEUE_BYTES_MAX: ClassVar[int] = 16 << 20
    """What waits to be written; beyond it the oldest is dropped."""
    BATCH_MAX: ClassVar[int] = 64

    def __init__(
        self, url: str, age_max_s: float, prefix: str = "gwc:stale:", now: Callable[[], float] = time.time
    ) -> None:
        self._age_max_s = age_max_s
        self._prefix = prefix
        self._now = now
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=self.CONNECTIONS_MAX,
                timeout=self.TIMEOUT_S,
                socket_connect_timeout=self.TIMEOUT_S,
                socket_timeout=self.TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
        )
        self._queue: OrderedDict[str, bytes] = OrderedDict()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writer: asyncio.Task[None] | None = None
        self._paused_until = 0.0

    @property
    def is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    async def get(self, key: str) -> Kept | None:
        if self.is_paused:
            return None
        try:
            async with asyncio.timeout(self.TIMEOUT_S):
                found = await self._redis.get(self._prefix + key)
        except _FAILURES as failure:
            self._pause(failure)
            return None
        if not isinstance(found, bytes) or len(found) < _AT.size:
            return None
        (at,) = _AT.unpack_from(found)
        age_s = max(0.0, self._now() - at)
        return Kept(found[_AT.size :], at, age_s) if age_s <= self._age_max_s else None

    def put(self, key: str, body: bytes) -> None:
        if self.is_paused or len(body) > self.BODY_BYTES_MAX:
            return
        value = _AT.pack(self._now()) + body
        self._queued_bytes += len(value) - len(self._queue.pop(key, b""))
        self._queue[key] = value
        while self._queued_bytes > self.QUEUE_BYTES_MAX:
            self._take()
        self._idle.clear()
        self._wake.set()
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="stale-redis")

    async def written(self) -> None:
        """Until nothing waits to be written, or what waited has been given up."""
        await self._idle.wait()

    async def close(self) -> None:
        if self._writer is not None:
            await end_tasks(self._writer)
        with contextlib.suppress(*_FAILURES):
            await self._redis.aclose()

    def _take(self) -> tuple[str, bytes]:
        key, value = self._queue.popitem(last=False)
        self._queued_bytes -= len(value)
        return key, value

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._write_batch([self._take() for _ in range(min(self.BATCH_MAX, len(self._queue)))])
            self._idle.set()

    async def _write_batch(self, batch: list[tuple[str, bytes]]) -> None:
        if self.is_paused:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key, value in batch:
                    pipeline.set(self._prefix + key, value, px=max(1, int(self._age_max_s * 1000)))
                await pipeline.execute()
        except _FAILURES as failure:
            self._pause(failure)

    def _pause(self, failure: Exception) -> None:
        if not self.is_paused:
            _log.warning("last good answers cannot be kept", reason=str(failure), again_in_s=self.PAUSE_S)
        self._paused_until = time.monotonic() + self.PAUSE_S
