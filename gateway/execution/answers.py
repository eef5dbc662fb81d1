"""What comes back from a subgraph, as values: an `Answer`, or a `Failure` that says why there is none.

`Asked` is what asking came to in the end: the outcome, and by which `Attempt`s it was reached. A failure is never an
exception: it costs the fields that were asked for, not their siblings. `read_answer` is the one place that judges a
response, so that real and in-process subgraphs are judged alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

import orjson

from gateway.language.errors import Code
from gateway.language.paths import ResponsePath

__all__ = [
    "CANCELLED",
    "Answer",
    "Asked",
    "Attempt",
    "Failure",
    "Outcome",
    "Reason",
    "error_path",
    "read_answer",
    "read_payload",
    "read_retry_after",
]

ERRORS_MAX = 500
"""Errors of one answer that are looked at; a broken subgraph cannot flood the client's answer."""
TOO_MANY_REQUESTS = 429
PASSING_STATUSES = frozenset({502, 503, 504})
"""What proxies say when the server behind them is away for a moment; a 500 is the server's own, about this request."""
CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Answer:
    """A well-formed GraphQL answer."""

    data: dict[str, Any] | None
    errors: tuple[dict[str, Any], ...] = ()
    extensions: dict[str, Any] = field(default_factory=dict)
    body: bytes = field(default=b"", compare=False, repr=False)
    """As it came; empty when it came as an event of a stream."""
    said: ClassVar[str] = "OK"


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. `message` is safe to show; `detail` is for the log only."""

    code: Code
    message: str
    detail: str = ""
    was_sent: bool = True
    """Whether the subgraph may have acted upon the request: then a mutation's outcome is unknown."""
    may_pass: bool = False
    """Whether the same request may succeed a moment later."""
    retry_after_s: float | None = None
    """When the subgraph said so: not earlier than that."""

    @property
    def said(self) -> str:
        return self.code


Outcome: TypeAlias = Answer | Failure
"""Its `said` is `OK` or the failure's code: what explain shows."""


class Reason(StrEnum):
    """Why an attempt was made."""

    FIRST = "FIRST"
    RETRY = "RETRY"
    """An earlier one failed; at another address, if there is one."""
    HEDGE = "HEDGE"
    """Another one was slow and still running."""
    REJECTED = "REJECTED"
    """It was not made: the breaker is open."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one address."""

    address: int
    """Its place in the target's addresses; the URL itself stays inside."""
    latency_ms: float
    """Waiting in queues included."""
    outcome: str
    """`OK`, the failure's code, or `CANCELLED`: another attempt had answered."""
    reason: Reason

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "reason": self.reason,
            "outcome": self.outcome,
            "latencyMs": round(self.latency_ms, 1),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking a subgraph or a member came to."""

    outcome: Outcome
    latency_ms: float = 0.0
    """Of all attempts together, as the request waited for them."""
    attempts: tuple[Attempt, ...] = ()
    """In the order in which they were made; empty when none was: no time was left, or nothing is connected."""

    @property
    def detours(self) -> tuple[Attempt, ...]:
        """The attempts, where there is more to tell than that one was made."""
        if len(self.attempts) == 1 and self.attempts[0].reason is Reason.FIRST:
            return ()
        return self.attempts


def read_answer(status: int, body: bytes, retry_after: str | None = None) -> Outcome:
    """Judge a response. A GraphQL answer may come with 2xx or 4xx (GraphQL over HTTP); 429 and 5xx never count as one.

    `retry_after`: the header of that name.
    """
    if status == TOO_MANY_REQUESTS:
        wait_s = read_retry_after(retry_after, datetime.now(UTC))
        when = "" if wait_s is None else f"; it may be asked again in {wait_s:.0f} s"
        return Failure(
            Code.RATE_LIMITED,
            f"it was asked too often{when}",
            _excerpt(body),
            was_sent=False,
            may_pass=True,
            retry_after_s=wait_s,
        )
    if status >= 500:
        may_pass = status in PASSING_STATUSES
        wait_s = read_retry_after(retry_after, datetime.now(UTC)) if may_pass else None
        message = f"it answered HTTP {status}"
        return Failure(Code.SUBGRAPH_UNAVAILABLE, message, _excerpt(body), may_pass=may_pass, retry_after_s=wait_s)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        what = "an answer that is no JSON" if status < 300 else f"HTTP {status}"
        return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave {what}", f"{error}: {_excerpt(body)}")
    outcome = read_payload(payload, body)
    if status >= 300 and isinstance(outcome, Answer) and not outcome.errors:
        return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave HTTP {status}", _excerpt(body))
    return outcome


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """The header `Retry-After`, which is a number of seconds or a date, as seconds from now; None: none that can be read."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def read_payload(payload: Any, body: bytes = b"") -> Outcome:
    """Judge an execution result that has been read from JSON already."""
    if not isinstance(payload, dict):
        return _malformed("the answer is no object")
    data = payload.get("data")
    if data is not None and not isinstance(data, dict):
        return _malformed("`data` is no object")
    errors = payload.get("errors")
    if errors is None:
        if data is None:
            return _malformed("the answer has neither data nor errors")
        return Answer(data, body=body)
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        return _malformed("`errors` is no list of objects")
    if data is None and not errors:
        return _malformed("the answer has neither data nor errors")
    return Answer(data, tuple(errors[:ERRORS_MAX]), body=body)


def _malformed(what: str) -> Failure:
    return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave an answer of the wrong shape: {what}")


def _excerpt(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")


def error_path(raw: Mapping[str, Any]) -> ResponsePath | None:
    """The path of an answer's error, if it has one that can be one."""
    path = raw.get("path")
    if not isinstance(path, list) or not all(isinstance(one, (str, int)) for one in path):
        return None
    return tuple(path)
