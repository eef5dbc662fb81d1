"""Errors as clients of a subgraph see them: a stable code, a message in English, and what to do.

    CodedError                      a fault with a code; its message may be shown
    ├── BadInput                    BAD_USER_INPUT
    ├── Unauthenticated             UNAUTHENTICATED
    ├── Forbidden                   FORBIDDEN
    └── DeadlineExceeded            DEADLINE_EXCEEDED

Whatever else is raised is `INTERNAL`: clients get a reference, the log gets the rest. Refusals of business are no
errors at all: they are data (`problems`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from graphql import FieldNode, GraphQLError

__all__ = [
    "BadInput",
    "Classify",
    "CodedError",
    "DeadlineExceeded",
    "Forbidden",
    "Unauthenticated",
    "format_error",
    "format_errors",
]

_log = structlog.get_logger(__name__)
ERRORS_MAX = 100
"""More errors than this in one answer help nobody; the rest is counted, not listed."""


class CodedError(Exception):
    """A fault that a client may read about."""

    code = "INTERNAL"

    def __init__(self, message: str, *, code: str | None = None, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.extensions: Mapping[str, Any] = extensions


class BadInput(CodedError):
    code = "BAD_USER_INPUT"


class Unauthenticated(CodedError):
    code = "UNAUTHENTICATED"


class Forbidden(CodedError):
    code = "FORBIDDEN"


class DeadlineExceeded(CodedError):
    code = "DEADLINE_EXCEEDED"


Classify = Callable[[BaseException], CodedError | None]
"""Names an exception of the application (a store that is down), or None when it does not know it."""


def format_errors(errors: Iterable[GraphQLError], classify: Classify | None = None) -> list[dict[str, Any]]:
    formatted: list[dict[str, Any]] = []
    unlisted = 0
    for error in errors:
        if len(formatted) < ERRORS_MAX:
            formatted.append(format_error(error, classify))
        else:
            unlisted += 1
    if unlisted:
        formatted[-1]["extensions"]["alsoUnlisted"] = unlisted
    return formatted


def format_error(error: GraphQLError, classify: Classify | None = None) -> dict[str, Any]:
    """One error in the shape of the GraphQL specification, always with `extensions.code`."""
    coded, message = _code(error, classify)
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        formatted["path"] = list(error.path)
    formatted["extensions"] = coded
    return formatted


def _code(error: GraphQLError, classify: Classify | None) -> tuple[dict[str, Any], str]:
    cause = _innermost(error)
    if isinstance(cause, GraphQLError):
        if cause.extensions and "code" in cause.extensions:
            return dict(cause.extensions), cause.message
        # Where an argument could not be coerced, graphql-core names the argument's value; where a field's own value is
        # wrong, the field or nothing.
        if error.path is None or (cause.nodes and not any(isinstance(node, FieldNode) for node in cause.nodes)):
            return {"code": "BAD_USER_INPUT"}, cause.message
    coded = cause if isinstance(cause, CodedError) else classify(cause) if classify is not None else None
    if coded is None and isinstance(cause, TimeoutError):
        coded = DeadlineExceeded("the deadline passed before this was answered")
    if coded is not None:
        return {"code": coded.code, **coded.extensions}, coded.message
    reference = uuid.uuid4().hex[:12]
    _log.error("internal error", reference=reference, path=error.path, exc_info=cause)
    return {"code": "INTERNAL", "reference": reference}, f"internal error {reference}; the log has the detail"


def _innermost(error: GraphQLError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause
