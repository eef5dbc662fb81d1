"""One GraphQL request, whatever it came by: read → document → run under the deadline → answer as plain JSON data."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import ExecutionResult

from subgraphs.kit.documents import Document, InvalidDocument
from subgraphs.kit.errors import BadInput, Classify, CodedError, DeadlineExceeded, format_errors
from subgraphs.kit.served import ServedSchema

__all__ = ["GraphQLRequest", "error_answer", "prepare", "read_request", "result_answer", "run"]

Answer = dict[str, Any]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None


def read_request(body: Any) -> GraphQLRequest:
    """The request of a decoded JSON body. Raises `BadInput`."""
    if not isinstance(body, dict):
        raise BadInput("the request must be a JSON object with `query`; batches are not served")
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str):
        raise BadInput("`query` must be a text")
    if variables is not None and not isinstance(variables, dict):
        raise BadInput("`variables` must be an object or null")
    if name is not None and not isinstance(name, str):
        raise BadInput("`operationName` must be a text or null")
    if body.get("extensions") is not None and not isinstance(body["extensions"], dict):
        raise BadInput("`extensions` must be an object or null")
    return GraphQLRequest(query, variables, name)


def prepare(served: ServedSchema, request: GraphQLRequest) -> Document:
    """The request's document with the operation in it. Raises `InvalidDocument` or `CodedError`."""
    document = served.documents.get(request.query)
    document.operation(request.operation_name)
    return document


async def run(
    served: ServedSchema,
    document: Document,
    request: GraphQLRequest,
    context: Any,
    deadline: float | None,
    classify: Classify | None,
    root: Any = None,
) -> Answer:
    """Execute; when the deadline passes the whole answer is one error `DEADLINE_EXCEEDED`.

    A context may have a coroutine method `answered`: what must stand written before the answer leaves, such as who read
    what. Where that cannot be written, nothing is told: the answer is one error `NOT_RECORDED`."""
    limit_s = None if deadline is None else deadline - time.monotonic()
    try:
        async with asyncio.timeout(limit_s):
            result = await served.execute(document, request.operation_name, request.variables, context, root)
            await _record(context)
    except TimeoutError:
        return error_answer(DeadlineExceeded("the deadline passed before this was answered"), True)
    except _NotRecorded:
        return error_answer(CodedError("who reads this must be recorded, and could not be", code="NOT_RECORDED"), True)
    return result_answer(result, classify)


class _NotRecorded(Exception):
    pass


async def _record(context: Any) -> None:
    answered: Callable[[], Awaitable[None]] | None = getattr(context, "answered", None)
    if answered is None:
        return
    try:
        await answered()
    except Exception as error:
        _log.exception("an answer was held back, for what it tells could not be recorded")
        raise _NotRecorded from error


def result_answer(result: ExecutionResult, classify: Classify | None) -> Answer:
    answer: Answer = {"data": result.data}
    if result.errors:
        answer["errors"] = format_errors(result.errors, classify)
    return answer


def error_answer(error: CodedError | InvalidDocument, executed: bool = False) -> Answer:
    """The answer of a request that was refused before execution (no `data`), or that was cut off (`data: null`)."""
    errors = (
        format_errors(error.errors)
        if isinstance(error, InvalidDocument)
        else [{"message": error.message, "extensions": {"code": error.code, **error.extensions}}]
    )
    return {"errors": errors, "data": None} if executed else {"errors": errors}
