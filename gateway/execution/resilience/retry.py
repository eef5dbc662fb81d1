"""Whether a failed call is made again, and after which pause. Pure: it decides, `asking` sends and counts.

Again only after a failure that may pass by itself: refused or broken connections, 502 to 504, 429. Not after a timeout,
which has used up the time there was, and not after a bad answer, which would come again. A change only when who gets it
twice carries it out once (it has an idempotency key), or when it surely was not carried out.

Pauses are drawn evenly between nothing and a bound that doubles (*full jitter*): of many callers that failed at one
moment no two come back together. Another address needs no pause. Whoever said after how long to come back
(`Retry-After`) is not asked before that; when the deadline is earlier, not at all.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.execution.answers import Failure

__all__ = ["RETRIES_MAX", "is_free", "may_repeat", "pause_s"]

RETRIES_MAX = 2
"""What did not pass by the third time does not pass within a request."""
PAUSE_FIRST_S = 0.05
PAUSE_MAX_S = 1.0
"""Bounds of the pauses: the first is about a connection's setting up anew, the last a tenth of a usual deadline."""
ROOM_S = 0.02
"""What must be left of the time when the pause is over; no answer of a store comes in less."""


def may_repeat(failure: Failure, *, is_read: bool, has_key: bool) -> bool:
    return failure.may_pass and (is_read or has_key or not failure.was_sent)


def pause_s(
    failure: Failure, retried: int, remaining_s: float, jitter: Callable[[], float], *, is_elsewhere: bool
) -> float | None:
    """How long to wait before the next attempt, when `retried` were made before it; None: there is no time for one.

    `jitter` gives numbers between 0 and 1; `is_elsewhere`: the next attempt goes to another address.
    """
    if failure.retry_after_s is None and is_elsewhere:
        pause = 0.0
    else:
        pause = jitter() * min(PAUSE_MAX_S, PAUSE_FIRST_S * 2**retried) + (failure.retry_after_s or 0.0)
    return pause if pause + ROOM_S < remaining_s else None


def is_free(failure: Failure, *, is_elsewhere: bool) -> bool:
    """Whether an attempt needs no token: the last one reached nobody, so the next is no additional load for anybody."""
    return is_elsewhere and not failure.was_sent
