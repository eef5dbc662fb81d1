"""Fan-out: clients that ask for the same thing share one upstream, each behind a bounded queue of its own.

*Slow clients*: policy `drop oldest, and say so`. A monitoring screen wants the latest reading, not a backlog, and a
closed socket at night is worse than a gap it is told of: the next item a slow client gets says how many it missed,
so that it can ask for the state anew. The upstream and the other clients never wait for it.
The upstream opens with the first listener and closes with the last.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

__all__ = ["Delivered", "Hub", "HubFull", "Listener"]

T = TypeVar("T")


class HubFull(Exception):
    """No more listeners are admitted."""


@dataclass(frozen=True, slots=True)
class Delivered(Generic[T]):
    item: T
    dropped: int
    """How many items before this one the listener has missed, because it was slow."""


class Listener(Generic[T]):
    """One client's queue. Iterate it; `close` when done (iteration does it at the end)."""

    def __init__(self, channel: _Channel[T], queue_max: int) -> None:
        self._channel = channel
        self._items: deque[T] = deque()
        self._queue_max = queue_max
        self._dropped = 0
        self._something = asyncio.Event()
        self._ended: BaseException | bool = False

    def put(self, item: T) -> None:
        if len(self._items) >= self._queue_max:
            self._items.popleft()
            self._dropped += 1
        self._items.append(item)
        self._something.set()

    def end(self, fault: BaseException | None) -> None:
        self._ended = fault or True
        self._something.set()

    def __aiter__(self) -> Listener[T]:
        return self

    async def __anext__(self) -> Delivered[T]:
        while not self._items:
            if self._ended:
                self.close()
                if isinstance(self._ended, BaseException):
                    raise self._ended
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        delivered = Delivered(self._items.popleft(), self._dropped)
        self._dropped = 0
        return delivered

    def close(self) -> None:
        self._channel.leave(self)


Open: TypeAlias = Callable[[], AsyncGenerator[T, None]]


class _Channel(Generic[T]):
    """One upstream and who listens to it."""

    def __init__(self, hub: Hub[T], key: Hashable, open_: Open[T]) -> None:
        self._hub = hub
        self._key = key
        self._open = open_
        self.listeners: set[Listener[T]] = set()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        fault: BaseException | None = None
        try:
            async with aclosing(self._open()) as upstream:
                async for item in upstream:
                    for listener in self.listeners:
                        listener.put(item)
        except Exception as error:
            fault = error
        finally:
            self._hub.forget(self._key, self)
            for listener in self.listeners:
                listener.end(fault)

    def leave(self, listener: Listener[T]) -> None:
        self.listeners.discard(listener)
        if not self.listeners and not self.task.done():
            self._hub.forget(self._key, self)
            self.task.cancel()


class Hub(Generic[T]):
    def __init__(self, *, queue_max: int, listeners_max: int) -> None:
        self._queue_max = queue_max
        self._listeners_max = listeners_max
        self._channels: dict[Hashable, _Channel[T]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def upstreams(self) -> int:
        return len(self._channels)

    @property
    def listeners(self) -> int:
        return sum(len(channel.listeners) for channel in self._channels.values())

    def listen(self, key: Hashable, open_: Open[T]) -> Listener[T]:
        """Join the upstream of `key`, opened by `open_` if nobody listens yet. Raises `HubFull`."""
        if self.listeners >= self._listeners_max:
            raise HubFull
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(self, key, open_)
        listener = Listener(channel, self._queue_max)
        channel.listeners.add(listener)
        return listener

    def forget(self, key: Hashable, channel: _Channel[T]) -> None:
        if self._channels.get(key) is channel:
            del self._channels[key]
        if not channel.task.done():
            self._closing.add(channel.task)
            channel.task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End every upstream and wait until they have cleaned up."""
        tasks = {channel.task for channel in self._channels.values()} | self._closing
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
