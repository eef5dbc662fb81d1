"""What comes back from a subgraph, as values: an `Answer`, or a `Failure` that says why there is none.

`Asked` is what asking came to in the end: the outcome, and by which `Attempt`s it was reached. A failure is never an exception: it costs the fields that were asked for, not their siblings. `read_answer` is the
one place that judges a body, so that real and in-process subgraphs are judged alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

import orjson

from gateway.language.errors import Code
from gateway.language.paths import ResponsePath

__all__ = ["Answer", "Asked", "Attempt", "Failure", "Outcome", "Reason", "error_path", "read_answer", "read_payload"]

ERRORS_MAX = 500
"""Errors of one answer that are looked at; a broken subgraph cannot flood the client's answer."""


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
    """Whether the subgraph may have seen the request: then a mutation's outcome is unknown."""

    @property
    def said(self) -> str:
        return self.code


Outcome: TypeAlias = Answer | Failure
"""Its `said` is `OK` or the failure's code: what explain shows."""


class Reason(StrEnum):
    """Why an attempt was made."""

    FIRST = "FIRST"
    RETRY = "RETRY"
    HEDGE = "HEDGE"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one address."""

    address: int
    """Its place in the target's addresses; the URL itself stays inside."""
    latency_ms: float
    """Waiting in queues included."""
    outcome: str
    """`OK`, or the failure's code."""
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


def read_answer(status: int, body: bytes) -> Outcome:
    """Judge a response. A GraphQL answer may come with 2xx or 4xx (GraphQL over HTTP); 5xx never counts as one."""
    if status >= 500:
        return Failure(Code.SUBGRAPH_UNAVAILABLE, f"it answered HTTP {status}", _excerpt(body))
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        what = "an answer that is no JSON" if status < 300 else f"HTTP {status}"
        return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave {what}", f"{error}: {_excerpt(body)}")
    outcome = read_payload(payload, body)
    if status >= 300 and isinstance(outcome, Answer) and not outcome.errors:
        return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave HTTP {status}", _excerpt(body))
    return outcome


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
