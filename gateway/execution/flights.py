"""Identical requests in flight, sent once: who comes later waits for the answer of who came first.

What is shared is what came over the wire, never what was read from it: each request reads, merges and shapes its own
data. A flight goes on as long as anybody waits for it, each within a deadline of its own, and is torn when nobody does.
An answer that was on its way before a change may be older than the change, so sharing is a choice (`gwc gateway
--share`), and changes are never shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Flights"]

T = TypeVar("T")


class _Flight(Generic[T]):
    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.waiting = 0


class Flights(Generic[T]):
    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: Hashable, send: Callable[[], Awaitable[T]]) -> T:
        """The answer of the flight with this key; `send` starts one if there is none. Its errors reach all who wait."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(_awaited(send)))
            flight.task.add_done_callback(lambda _: self._ended(key, flight))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._ended(key, flight)
                flight.task.cancel()

    def _ended(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _awaited(send: Callable[[], Awaitable[T]]) -> T:
    return await send()
