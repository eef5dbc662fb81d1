"""An event bus: what one process publishes reaches subscribers here or in every process of the same subgraph.

An event is a plain JSON object, published on a topic. A subscriber names its topics, the capacity of its own queue
and what happens when it is too slow (`Overflow`): a screen of readings would rather miss old ones, a log of alarms
must never have a silent gap. One slow subscriber costs no other anything, and never the publisher.

- `MemoryBus`: one process.
- `RedisBus` (module `redis_bus`): many processes over Redis pub/sub.

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
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar, Final, Protocol, Self

__all__ = [
    "BusError",
    "BusInterrupted",
    "BusUnavailable",
    "Event",
    "EventBus",
    "Fanout",
    "MemoryBus",
    "Overflow",
    "SubscriberTooSlow",
    "Subscription",
    "SubscriptionLost",
    "open_bus",
]

Event = Mapping[str, Any]


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


class Fanout:
    """The subscriptions of one process, by topic."""

    def __init__(self) -> None:
        self._by_topic: dict[str, dict[int, Subscription]] = {}

    def spread(self, topic: str, event: Event) -> None:
        for subscription in self._by_topic.get(topic, {}).values():
            subscription.offer(event)

    def wants(self, topic: str) -> bool:
        return topic in self._by_topic

    @contextlib.contextmanager
    def subscribed(self, subscription: Subscription) -> Iterator[Subscription]:
        for topic in subscription.topics:
            self._by_topic.setdefault(topic, {})[id(subscription)] = subscription
        try:
            yield subscription
        finally:
            self._remove(subscription)

    def _remove(self, subscription: Subscription) -> None:
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
        self._fanout = Fanout()

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
        with self._fanout.subscribed(Subscription(topics, capacity, overflow, where)) as subscription:
            yield subscription


def open_bus(url: str | None, prefix: str = "gwc") -> EventBus:
    """The bus a URL names: `redis://…` / `rediss://…`, or the process's own where there is none."""
    if url is None or url == "memory:":
        return MemoryBus()
    if url.startswith(("redis://", "rediss://", "unix://")):
        from subgraphs.kit.redis_bus import RedisBus  # its client costs 6 MB that one process alone can spare

        return RedisBus(url, prefix)
    raise ValueError("the event bus's URL starts with redis://, rediss:// or unix://, or there is none")
