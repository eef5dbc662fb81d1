"""How much extra work a target may be given: a bucket of tokens.

Each request puts a part of a token in, each request that is made a second time takes a whole one out. While most
succeed there are tokens for the few that do not; when everything fails, the load grows by that part and no more, so
repeating never pushes a store over that is only short of breath. Time alone fills the bucket too, slowly: who is asked
once a minute may be asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Budget"]

RATIO = 0.1
"""Tokens for each request: at most a tenth more load, which a store that is not already lost can bear."""
TRICKLE_PER_S = 1.0
"""Tokens for each second: a load that no store notices."""
TOKENS_MAX = 10.0
"""What can be saved up. It is the longest burst: a page over a few paths during the restart of a member, not more."""


class Budget:
    __slots__ = ("_clock", "_filled_at", "_ratio", "_tokens")

    def __init__(self, ratio: float = RATIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._ratio = ratio
        self._clock = clock
        self._tokens = TOKENS_MAX
        self._filled_at = clock()

    def deposit(self) -> None:
        """A request was made."""
        if self._tokens < TOKENS_MAX:
            self._tokens = min(TOKENS_MAX, self._tokens + self._ratio)

    def withdraw(self) -> bool:
        """Whether one more may be made; then it is paid."""
        now = self._clock()
        self._tokens = min(TOKENS_MAX, self._tokens + (now - self._filled_at) * TRICKLE_PER_S)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
