"""A second request when the first one is slow: whichever succeeds first counts, the other is cancelled.

Waiting for the slowest answer is what a page over many members costs. A second address that answers alike cuts the
long tail: when the first takes longer than 95 % of answers do, the second is asked as well. Here is only the race;
when it begins and whether it may, the caller says.

The first request runs in the caller's own task, for nearly always it is the only one: until a second begins, a race
costs a timer. What ends the first one early is what ends a timeout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["first_good"]

T = TypeVar("T")


async def first_good(
    first: Awaitable[T], second: Callable[[], Awaitable[T] | None], after_s: float, is_good: Callable[[T], bool]
) -> T:
    """The first good result of the two; without any, the one that came last. `second` is called when `after_s` have
    passed, and may decline. When this returns or is cancelled, neither is running any more."""
    race = _Race(second, is_good)
    timer = asyncio.get_running_loop().call_later(after_s, race.begin_second)
    try:
        try:
            async with race.first_scope:
                result = await first
        except TimeoutError:
            if race.rival is None or not race.first_scope.expired():
                raise
            return race.rival.result()
        finally:
            race.first_is_running = False
        if race.rival is None or is_good(result):
            return result
        return await race.rival
    finally:
        timer.cancel()
        if race.rival is not None:
            race.rival.cancel()
            await asyncio.gather(race.rival, return_exceptions=True)


class _Race(Generic[T]):
    __slots__ = ("_is_good", "_second", "first_is_running", "first_scope", "rival")

    def __init__(self, second: Callable[[], Awaitable[T] | None], is_good: Callable[[T], bool]) -> None:
        self._second = second
        self._is_good = is_good
        self.first_scope = asyncio.timeout(None)
        """It expires when the second has won."""
        self.first_is_running = True
        self.rival: asyncio.Future[T] | None = None

    def begin_second(self) -> None:
        other = self._second()
        if other is not None:
            self.rival = asyncio.ensure_future(other)
            self.rival.add_done_callback(self._second_ended)

    def _second_ended(self, rival: asyncio.Future[T]) -> None:
        if not self.first_is_running or rival.cancelled() or rival.exception() is not None:
            return
        if self._is_good(rival.result()):
            self.first_scope.reschedule(0)
