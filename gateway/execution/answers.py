"""What comes back from a subgraph, as values: an `Answer`, or a `Failure` that says why there is none.

A failure is never an exception: it costs the fields that were asked for, not their siblings. `read_answer` is the
one place that judges a body, so that real and in-process subgraphs are judged alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from gateway.language.errors import Code

__all__ = ["Answer", "Failure", "Outcome", "read_answer", "read_payload"]

ERRORS_MAX = 500
"""Errors of one answer that are looked at; a broken subgraph cannot flood the client's answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A well-formed GraphQL answer."""

    data: dict[str, Any] | None
    errors: tuple[dict[str, Any], ...] = ()
    extensions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer. `message` is safe to show; `detail` is for the log only."""

    code: Code
    message: str
    detail: str = ""
    was_sent: bool = True
    """Whether the subgraph may have seen the request: then a mutation's outcome is unknown."""


Outcome: TypeAlias = Answer | Failure


def read_answer(status: int, body: bytes) -> Outcome:
    """Judge a response. A GraphQL answer may come with 2xx or 4xx (GraphQL over HTTP); 5xx never counts as one."""
    if status >= 500:
        return Failure(Code.SUBGRAPH_UNAVAILABLE, f"it answered HTTP {status}", _excerpt(body))
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        what = "an answer that is no JSON" if status < 300 else f"HTTP {status}"
        return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave {what}", f"{error}: {_excerpt(body)}")
    outcome = read_payload(payload)
    if status >= 300 and isinstance(outcome, Answer) and not outcome.errors:
        return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave HTTP {status}", _excerpt(body))
    return outcome


def read_payload(payload: Any) -> Outcome:
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
        return Answer(data)
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        return _malformed("`errors` is no list of objects")
    if data is None and not errors:
        return _malformed("the answer has neither data nor errors")
    return Answer(data, tuple(errors[:ERRORS_MAX]))


def _malformed(what: str) -> Failure:
    return Failure(Code.SUBGRAPH_BAD_RESPONSE, f"it gave an answer of the wrong shape: {what}")


def _excerpt(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")
