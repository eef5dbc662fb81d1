"""The bus of many processes, over Redis pub/sub.

Every process reads one stream (all topics under its prefix), decodes an event once and spreads it here. Redis keeps
nothing for who is away: after a lost connection the bus reconnects with growing pauses, and subscribers that must not
miss anything are told (`BusInterrupted`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from types import TracebackType
from typing import ClassVar, Self

import orjson
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from subgraphs.kit.bus import BusUnavailable, Event, Fanout, Overflow, Subscription
from subgraphs.kit.tasks import end_tasks

__all__ = ["RedisBus"]

_log = structlog.get_logger("bus")


class RedisBus:
    FIRST_PAUSE_S: ClassVar[float] = 0.1
    LONGEST_PAUSE_S: ClassVar[float] = 5.0
    COMMAND_TIMEOUT_S: ClassVar[float] = 5.0
    LISTEN_S: ClassVar[float] = 1.0
    """How long one read waits before the connection's health is looked at again."""
    HEALTH_CHECK_S: ClassVar[int] = 10
    CONNECTIONS_MAX: ClassVar[int] = 16

    def __init__(self, url: str, prefix: str = "gwc", *, connect_timeout_s: float = 5.0) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._prefix = f"{prefix}:"
        self._fanout = Fanout()
        # No retries inside the client: it would reconnect in silence, and a gap must be known.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=self.CONNECTIONS_MAX,
            timeout=self.COMMAND_TIMEOUT_S,
            socket_connect_timeout=connect_timeout_s,
            socket_timeout=self.COMMAND_TIMEOUT_S,
            socket_keepalive=True,
            client_name=prefix,
            health_check_interval=self.HEALTH_CHECK_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._listener: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen(), name="redis-bus")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            await end_tasks(self._listener)
        self._fanout.close()
        await self._redis.aclose()

    @property
    def subscribers(self) -> int:
        return len(self._fanout.all())

    async def publish(self, topic: str, event: Event) -> None:
        data = orjson.dumps(event)
        try:
            try:
                await self._redis.publish(self._prefix + topic, data)
            except RedisConnectionError:  # most likely a pooled connection that died while idle: a new one tells
                await self._redis.publish(self._prefix + topic, data)
        except (RedisError, OSError, TimeoutError) as error:
            raise BusUnavailable(f"the event could not be published: {error}") from None

    @contextlib.asynccontextmanager
    async def subscribe(
        self,
        topics: Collection[str],
        *,
        capacity: int,
        overflow: Overflow,
        where: Callable[[Event], bool] | None = None,
    ) -> AsyncIterator[Subscription]:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await self._joined.wait()
        except TimeoutError:
            raise BusUnavailable("the event bus cannot be reached; try again later") from None
        with self._fanout.subscribed(Subscription(topics, capacity, overflow, where)) as subscription:
            yield subscription

    async def _listen(self) -> None:
        pause_s = self.FIRST_PAUSE_S
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.psubscribe(f"{self._prefix}*")
                await self._read(pubsub)
            except (RedisError, OSError, TimeoutError) as error:
                if self._joined.is_set():
                    pause_s = self.FIRST_PAUSE_S
                    self._interrupted()
                _log.warning("event bus lost", code=BusUnavailable.code, reason=str(error), again_in_s=pause_s)
            finally:
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, self.LONGEST_PAUSE_S)

    async def _read(self, pubsub: PubSub) -> None:
        """Read until the connection fails; the first message confirms that we have joined."""
        while True:
            message = await pubsub.get_message(timeout=self.LISTEN_S)
            if message is None:
                continue
            if message["type"] == "psubscribe":
                self._joined.set()
            elif message["type"] == "pmessage":
                self._deliver(message["channel"], message["data"])

    def _deliver(self, channel: bytes, data: bytes) -> None:
        topic = channel.decode(errors="replace").removeprefix(self._prefix)
        if not self._fanout.wants(topic):
            return
        try:
            event = orjson.loads(data)
        except ValueError:
            _log.warning("event cannot be read", code="EVENT_UNREADABLE", topic=topic)
            return
        if isinstance(event, dict):
            self._fanout.spread(topic, event)

    def _interrupted(self) -> None:
        self._joined.clear()
        for subscription in self._fanout.all():
            subscription.interrupt()
