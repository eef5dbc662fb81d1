"""A circuit breaker: who does not answer is not asked for a while, so its silence costs one request and not every one.

Two things open it. *Failures in a row*: connections refused or broken, 502 to 504; any answer in between, however bad,
proves that somebody is there. And *silence*: the time that requests have waited without anything coming back, counted
once however many wait side by side. An answer to one request ends the silence of all. So a single heavy query that runs
into its timeout opens nothing while others are answered, and clients that grant a few milliseconds cannot talk a
healthy member down: a wait that short is the client's impatience and counts for nothing.

While it is open, requests are refused at once. When its time is over one request goes through, as a probe: an answer
closes the breaker, a failure opens it again for twice as long. What becomes of requests that were under way when it
opened says nothing about the member after that, unless it is an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

__all__ = ["Breaker", "BreakerState"]

FAILURES_MAX = 5
"""In a row. They cost little time, so there is no hurry; two requests with their repetitions come to more."""
OPEN_FIRST_S = 1.0
"""A restart takes about as long, and a user who tries again finds the member back."""
OPEN_MAX_S = 30.0
"""The periods double up to this: a member that stays silent costs one request in half a minute its timeout, and one
that is repaired is back half a minute later."""
WAIT_MIN_S = 0.25
"""Shorter waits are no evidence of silence; answers of healthy stores take a small part of it."""


class BreakerState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    """One request may go through, or is on its way."""


class Breaker:
    """Of one address. Every request that `enter` lets through is reported once: by `answered`, `failed`, `silent` or
    `gave_up`, with the time that `enter` gave."""

    __slots__ = (
        "_accounted_until",
        "_clock",
        "_failures",
        "_is_open",
        "_open_s",
        "_probe_began",
        "_probe_due",
        "_silent_s",
    )

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._silent_s = 0.0
        self._accounted_until = clock()
        """Up to here, time is known as silence or as ended by an answer."""
        self._is_open = False
        self._open_s = OPEN_FIRST_S
        self._probe_due = 0.0
        self._probe_began: float | None = None

    @property
    def state(self) -> BreakerState:
        if not self._is_open:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._clock() >= self._probe_due else BreakerState.OPEN

    def refuses(self) -> bool:
        """Whether a request would be refused now."""
        return self._is_open and (self._probe_began is not None or self._clock() < self._probe_due)

    def enter(self) -> float | None:
        """Let a request through: the time at which it begins, to be given back with its report. None: refused."""
        if not self._is_open:
            return self._clock()
        if self.refuses():
            return None
        self._probe_began = self._clock()
        return self._probe_began

    def answered(self, began: float) -> float:
        """Something came back, good or bad. Returns after how many seconds."""
        now = self._clock()
        self._accounted_until = now
        self._failures = 0
        self._silent_s = 0.0
        if self._is_open:
            self._is_open = False
            self._open_s = OPEN_FIRST_S
            self._probe_began = None
        return now - began

    def failed(self, began: float) -> None:
        """The connection was refused or broke, or a gateway in front of it said so."""
        if self._is_open:
            self._probe_failed(began)
            return
        self._failures += 1
        if self._failures >= FAILURES_MAX:
            self._open()

    def silent(self, began: float, patience_s: float) -> None:
        """Nothing came until the time was over. `patience_s`: how much silence in all opens the breaker."""
        now = self._clock()
        if now - began < min(patience_s, WAIT_MIN_S):
            self.gave_up(began)
        elif self._is_open:
            self._probe_failed(began)
        else:
            self._silent_s += now - max(began, self._accounted_until)
            self._accounted_until = now
            if self._silent_s >= patience_s:
                self._open()

    def gave_up(self, began: float) -> None:
        """Whoever asked did not wait for the end: nothing is known. The next probe waits for its time as ever."""
        if began == self._probe_began:
            self._probe_began = None
            self._probe_due = self._clock() + self._open_s

    def _probe_failed(self, began: float) -> None:
        if began == self._probe_began:
            self._open_s = min(OPEN_MAX_S, self._open_s * 2)
            self._open()

    def _open(self) -> None:
        self._is_open = True
        self._failures = 0
        self._silent_s = 0.0
        self._probe_began = None
        self._probe_due = self._clock() + self._open_s
