"""Time and concurrency, bounded: deadlines, and limits with a short queue.

A deadline is a point on the monotonic clock. It travels as the milliseconds that remain, so clocks need not agree.
A limiter admits so many at once, lets so many more wait, and refuses the rest at once: one slow member fills its
own queue and nobody else's. `ExecutionLimits` has the figures of both for fetches.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType

__all__ = ["Deadline", "ExecutionLimits", "Limiter", "Overloaded"]


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    member_timeout_s: float = 4.0
    """The longest that a read waits for one member, all attempts together, within the request's deadline. Well below
    the usual deadline of 10 s: what a hung member costs is seen by a user, and `ONE` can still ask others."""
    subgraph_timeout_s: float = 10.0
    """The same of a subgraph that nobody else can stand in for, and of a change, which cut short leaves its outcome
    unknown."""
    share_before_others: float = 0.5
    """Of the time that remains, for a target after which another can be asked: however many hang, the next still gets
    half of what the last one left, and an answer that comes within usual times is not cut short."""
    answer_margin_s: float = 0.02
    answer_share: float = 0.05
    """Kept back from the deadline for shaping and writing the answer, and for its way back on a busy machine."""
    round_share: float = 0.2
    """Share of the remaining time kept back for each further round of fetches, all together at most half."""
    concurrency_max: int = 512
    queue_max: int = 1024
    """Requests to subgraphs at once, over all requests; more wait, then `OVERLOADED`."""


@dataclass(frozen=True, slots=True)
class Deadline:
    at: float
    """On `time.monotonic`."""

    @staticmethod
    def after(seconds: float) -> Deadline:
        return Deadline(time.monotonic() + seconds)

    @property
    def remaining_s(self) -> float:
        return self.at - time.monotonic()

    @property
    def header(self) -> str:
        """What remains, for the `gwc-deadline-ms` header."""
        return str(max(1, int(self.remaining_s * 1000)))


class Overloaded(Exception):
    """The queue is full."""


class Limiter:
    """`async with limiter:` runs at most `limit` bodies at once; at most `queue_max` wait; more raise `Overloaded`."""

    __slots__ = ("_free", "_queue_max", "_waiting", "limit")

    def __init__(self, limit: int, queue_max: int) -> None:
        self.limit = limit
        self._free = limit
        self._queue_max = queue_max
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def busy(self) -> int:
        return self.limit - self._free

    def enter_now(self) -> bool:
        """Take a place if one is free; then `leave` gives it back."""
        if self._free > 0:
            self._free -= 1
            return True
        return False

    async def __aenter__(self) -> None:
        if self.enter_now():
            return
        if len(self._waiting) >= self._queue_max:
            raise Overloaded
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
