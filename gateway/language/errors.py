"""Every error of the gateway, and how it shows itself to a client.

An error that belongs into an answer is a *value*, `GatewayError`: one subgraph's failure must not stop its
siblings. An *exception* is raised only where a stage cannot give any answer at all; it carries the values that
the client (or the command line) may see. What must stay inside (traces, URLs, texts of other programs) goes to
the log, never into these.

    GatewayError                     a value: code, message, path, locations, extensions
    GatewayException                 raised; carries one or more GatewayErrors
    ├── RequestRefused               the request itself is at fault: not GraphQL, not valid, over a limit
    ├── PlanningRefused              the operation is valid, but no plan within the bounds serves it
    ├── SupergraphInvalid            the supergraph file cannot be used
    └── ExecutionFailed              the request as a whole cannot be answered (too many are served already, a fault of ours)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from graphql import GraphQLError

from gateway.language.paths import ResponsePath

__all__ = [
    "Code",
    "ExecutionFailed",
    "GatewayError",
    "GatewayException",
    "Location",
    "PlanningRefused",
    "RequestRefused",
    "SupergraphInvalid",
]


class Code(StrEnum):
    """`extensions.code`: stable, documented, what programs may rely on. Composition's codes stand in its rules."""

    # The request.
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    BAD_REQUEST = "BAD_REQUEST"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    OPERATION_TOO_COMPLEX = "OPERATION_TOO_COMPLEX"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    # Planning.
    QUERY_PLAN_COMPLEXITY_EXCEEDED = "QUERY_PLAN_COMPLEXITY_EXCEEDED"
    PLANNING_IMPOSSIBLE = "PLANNING_IMPOSSIBLE"
    PLANNING_UNSUPPORTED = "PLANNING_UNSUPPORTED"
    # Execution: a subgraph.
    SUBGRAPH_UNAVAILABLE = "SUBGRAPH_UNAVAILABLE"
    SUBGRAPH_TIMEOUT = "SUBGRAPH_TIMEOUT"
    SUBGRAPH_BAD_RESPONSE = "SUBGRAPH_BAD_RESPONSE"
    SUBGRAPH_ERROR = "SUBGRAPH_ERROR"
    """A subgraph's own error that brought no code."""
    RATE_LIMITED = "RATE_LIMITED"
    """It answered 429: it has been asked too often."""
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    """It failed so often of late that it was not asked."""
    # Execution: members of a partitioned graph.
    PARTITION_UNAVAILABLE = "PARTITION_UNAVAILABLE"
    PARTITION_CUT_SHORT = "PARTITION_CUT_SHORT"
    """A member gave rows, and failed when asked for the rest: the page ends before them."""
    PARTITION_STALE = "PARTITION_STALE"
    """A member's earlier answer stands in for the one that it did not give."""
    PARTITION_OUTDATED = "PARTITION_OUTDATED"
    PARTITION_ORDER_VIOLATION = "PARTITION_ORDER_VIOLATION"
    """A member's page is not the one that was asked for: out of order, repeated, beyond the cursor, unreadable."""
    PARTITION_FOREIGN_ROW = "PARTITION_FOREIGN_ROW"
    """A member gave a row that only another region's may have."""
    PARTITION_BAD_VALUE = "PARTITION_BAD_VALUE"
    """A member gave something to sum or compare that is no value of its kind."""
    PARTITION_MISSED_EARLIER = "PARTITION_MISSED_EARLIER"
    UNKNOWN_REGION = "UNKNOWN_REGION"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    # Execution: as a whole.
    NULL_IN_NON_NULL_FIELD = "NULL_IN_NON_NULL_FIELD"
    OVERLOADED = "OVERLOADED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    # The supergraph file.
    SUPERGRAPH_SYNTAX = "SUPERGRAPH_SYNTAX"
    SUPERGRAPH_NOT_A_SUPERGRAPH = "SUPERGRAPH_NOT_A_SUPERGRAPH"
    SUPERGRAPH_VERSION_UNKNOWN = "SUPERGRAPH_VERSION_UNKNOWN"
    SUPERGRAPH_FEATURE_UNKNOWN = "SUPERGRAPH_FEATURE_UNKNOWN"
    SUPERGRAPH_INVALID = "SUPERGRAPH_INVALID"
    SUPERGRAPH_PARTITION_INVALID = "SUPERGRAPH_PARTITION_INVALID"


@dataclass(frozen=True, slots=True)
class Location:
    """A position in a document, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class GatewayError:
    """One entry of an answer's `errors`. `extensions` holds what stands beside the code (service, region, remedy)."""

    code: str
    message: str
    path: ResponsePath | None = None
    locations: tuple[Location, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def from_graphql(error: GraphQLError, code: str) -> GatewayError:
        """What graphql-core found in a document; its own code, if it has one, stays."""
        extensions = dict(error.extensions or {})
        own = extensions.pop("code", code)
        return GatewayError(
            code=str(own),
            message=error.message,
            path=tuple(error.path) if error.path else None,
            locations=tuple(Location(at.line, at.column) for at in error.locations or ()),
            extensions=extensions,
        )

    def at(self, path: ResponsePath) -> GatewayError:
        """The same error, told at another place of the answer."""
        return replace(self, path=path)

    def to_json(self) -> dict[str, Any]:
        """As the GraphQL specification writes errors; keys without content are left out."""
        written: dict[str, Any] = {"message": self.message}
        if self.locations:
            written["locations"] = [{"line": at.line, "column": at.column} for at in self.locations]
        if self.path is not None:
            written["path"] = list(self.path)
        written["extensions"] = {**self.extensions, "code": self.code}
        return written

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class GatewayException(Exception):
    """A stage gave up; `errors` says why, in words a client may read."""

    def __init__(self, errors: Sequence[GatewayError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = tuple(errors)


class RequestRefused(GatewayException):
    """The request itself is at fault."""


class PlanningRefused(GatewayException):
    """No plan within the stated bounds serves this operation."""


class SupergraphInvalid(GatewayException):
    """The supergraph cannot be used."""


class ExecutionFailed(GatewayException):
    """The request as a whole cannot be answered."""
