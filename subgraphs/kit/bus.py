"""An event bus: what one process publishes reaches subscribers here or in every process of the same subgraph.

An event is a plain JSON object, published on a topic. A subscriber names its topics, the capacity of its own queue
and what happens when it is too slow (`Overflow`): a screen of readings would rather miss old ones, a log of alarms
must never have a silent gap. One slow subscriber costs no other anything, and never the publisher.

- `MemoryBus`: one process.
- `RedisBus`: many processes over Redis pub/sub. Every process reads one stream (all topics under its prefix), decodes
  an event once and spreads it here. Redis keeps nothing for who is away: after a lost connection the bus reconnects
  with growing pauses, and subscribers that must not miss anything are told (`BusInterrupted`).

Delivered events are shared between subscribers: do not change them.

Errors:
    BusError
    ├── BusUnavailable      the event could not be published, or the bus cannot be joined
    └── SubscriptionLost    the subscription ends, because events were or may have been missed
        ├── SubscriberTooSlow
        └── BusInterrupted
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar, Final, Protocol, Self

import orjson
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

__all__ = [
    "BusError",
    "BusInterrupted",
    "BusUnavailable",
    "Event",
    "EventBus",
    "MemoryBus",
    "Overflow",
    "RedisBus",
    "SubscriberTooSlow",
    "Subscription",
    "SubscriptionLost",
    "open_bus",
]

Event = Mapping[str, Any]

_log = structlog.get_logger("bus")


class BusError(Exception):
    code: ClassVar[str] = "EVENT_BUS"


class BusUnavailable(BusError):
    code = "EVENT_BUS_UNAVAILABLE"


class SubscriptionLost(BusError):
    """Events were missed, or may have been. Read the present state again, then subscribe anew."""

    code = "SUBSCRIPTION_LOST"


class SubscriberTooSlow(SubscriptionLost):
    code = "SUBSCRIBER_TOO_SLOW"


class BusInterrupted(SubscriptionLost):
    code = "SUBSCRIPTION_INTERRUPTED"


class Overflow(StrEnum):
    """What happens when a subscriber's queue is full, or when the bus was interrupted."""

    DROP_OLDEST = "drop-oldest"
    """The oldest event in the queue gives way; `Subscription.dropped` counts. An interruption passes in silence."""
    FAIL = "fail"
    """The subscriber gets what is in its queue and then an error. So it does after an interruption."""


class Subscription(AsyncIterator[Event]):
    """One subscriber's queue. Made by a bus; ends when its context is left."""

    def __init__(
        self, topics: Collection[str], capacity: int, overflow: Overflow, where: Callable[[Event], bool] | None = None
    ) -> None:
        if capacity < 1:
            raise ValueError("a subscription holds at least one event")
        self.topics: Final = frozenset(topics)
        self.dropped = 0
        self._capacity = capacity
        self._overflow = overflow
        self._where = where
        self._queue: deque[Event] = deque()
        self._error: SubscriptionLost | None = None
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, event: Event) -> None:
        if self._error is not None or self._closed or (self._where is not None and not self._where(event)):
            return
        if len(self._queue) >= self._capacity:
            if self._overflow is Overflow.FAIL:
                self.fail(SubscriberTooSlow(f"more than {self._capacity} events were waiting"))
                return
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(event)
        self._wake()

    def fail(self, error: SubscriptionLost) -> None:
        if self._error is None:
            self._error = error
            self._wake()

    def interrupt(self) -> None:
        if self._overflow is Overflow.FAIL:
            self.fail(BusInterrupted("the connection to the event bus was lost; events may have been missed"))

    def close(self) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def __anext__(self) -> Event:
        while not self._queue:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._queue.popleft()


class EventBus(Protocol):
    """Open it with `async with`; subscribing and publishing are for the time in between."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def subscribers(self) -> int:
        """How many subscribe in this process."""

    async def publish(self, topic: str, event: Event) -> None:
        """Raises `BusUnavailable` when the event went nowhere."""

    def subscribe(
        self,
        topics: Collection[str],
        *,
        capacity: int,
        overflow: Overflow,
        where: Callable[[Event], bool] | None = None,
    ) -> AbstractAsyncContextManager[Subscription]:
        """Once the context is entered, no event that is published later is missed without a word.

        `where` chooses before the queue, so that what nobody wants pushes nothing out; it must not raise.
        """


class _Fanout:
    """The subscriptions of one process, by topic."""

    def __init__(self) -> None:
        self._by_topic: dict[str, dict[int, Subscription]] = {}

    def spread(self, topic: str, event: Event) -> None:
        for subscription in self._by_topic.get(topic, {}).values():
            subscription.offer(event)

    def wants(self, topic: str) -> bool:
        return topic in self._by_topic

    def add(self, subscription: Subscription) -> None:
        for topic in subscription.topics:
            self._by_topic.setdefault(topic, {})[id(subscription)] = subscription

    def remove(self, subscription: Subscription) -> None:
        for topic in subscription.topics:
            here = self._by_topic.get(topic, {})
            here.pop(id(subscription), None)
            if not here:
                self._by_topic.pop(topic, None)
        subscription.close()

    def all(self) -> list[Subscription]:
        return list({key: each for here in self._by_topic.values() for key, each in here.items()}.values())

    def close(self) -> None:
        for subscription in self.all():
            subscription.close()
        self._by_topic.clear()


class MemoryBus:
    """The bus of one process."""

    def __init__(self) -> None:
        self._fanout = _Fanout()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fanout.close()

    @property
    def subscribers(self) -> int:
        return len(self._fanout.all())

    async def publish(self, topic: str, event: Event) -> None:
        self._fanout.spread(topic, event)

    @contextlib.asynccontextmanager
    async def subscribe(
        self,
        topics: Collection[str],
        *,
        capacity: int,
        overflow: Overflow,
        where: Callable[[Event], bool] | None = None,
    ) -> AsyncIterator[Subscription]:
        subscription = Subscription(topics, capacity, overflow, where)
        self._fanout.add(subscription)
        try:
            yield subscription
        finally:
            self._fanout.remove(subscription)


class RedisBus:
    """The bus of many processes, over Redis pub/sub."""

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
        self._fanout = _Fanout()
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
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
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
        subscription = Subscription(topics, capacity, overflow, where)
        self._fanout.add(subscription)
        try:
            yield subscription
        finally:
            self._fanout.remove(subscription)

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


def open_bus(url: str | None, prefix: str = "gwc") -> EventBus:
    """The bus a URL names: `redis://…` / `rediss://…`, or the process's own where there is none."""
    if url is None or url == "memory:":
        return MemoryBus()
    if url.startswith(("redis://", "rediss://", "unix://")):
        return RedisBus(url, prefix)
    raise ValueError("the event bus's URL starts with redis://, rediss:// or unix://, or there is none")
