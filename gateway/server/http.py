"""GraphQL over HTTP: POST with JSON, GET for queries, both media types of the specification.

A plain ASGI application, because this is the hot path: headers are read once, the answer leaves in two messages.
Only `application/json` bodies are taken; what a browser may send across sites without asking (forms, plain text) is
refused, so no foreign page can act for a user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.types import Message, Receive, Scope, Send

from gateway.language.errors import Code, GatewayError, GatewayException
from gateway.pipeline.answer import Answered, GraphQLRequest, Pipeline
from gateway.server.callers import Callers
from gateway.server.metrics import Metrics
from gateway.server.negotiation import GRAPHQL_RESPONSE, Unacceptable, choose_media_type, wants_page

__all__ = ["GraphQLOverHttp"]

WATCH_AFTER_S = 0.05
"""A request that takes longer is watched for its client leaving; most end before."""
_STATUS = {Code.UNAUTHENTICATED: 401, Code.REQUEST_TOO_LARGE: 413}
_ALLOW = (b"allow", b"GET, POST")
_ALLOW_POST = (b"allow", b"POST")


class _Refused(Exception):
    """The HTTP request itself is at fault."""

    def __init__(self, status: int, code: Code, message: str) -> None:
        self.status = status
        self.error = GatewayError(code, message)


class _ClientLeft(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class GraphQLOverHttp:
    pipeline: Pipeline
    callers: Callers
    metrics: Metrics
    page: bytes | None
    body_bytes_max: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        if scope["method"] == "GET" and self.page is not None and wants_page(headers.get("accept", "")):
            await _send(send, 200, "text/html; charset=utf-8", self.page)
            return
        try:
            media_type = choose_media_type(headers.get("accept"))
        except Unacceptable:
            message = "This endpoint answers application/graphql-response+json or application/json."
            await self._refuse(send, 406, "application/json", GatewayError(Code.BAD_REQUEST, message))
            return
        try:
            asked = await self._read(scope, headers, receive)
        except _Refused as refused:
            await self._refuse(send, refused.status, media_type, refused.error)
            return
        except _ClientLeft:
            return
        await self._answer(scope, headers, asked, media_type, receive, send)

    async def _answer(
        self,
        scope: Scope,
        headers: Mapping[str, str],
        asked: GraphQLRequest,
        media_type: str,
        receive: Receive,
        send: Send,
    ) -> None:
        with self.metrics.request() as seen:
            try:
                is_post = scope["method"] == "POST"
                caller = self.callers.caller(headers, parameters=scope["query_string"], may_change=is_post)
            except GatewayException as error:
                answered = Answered(None, error.errors, executed=False)
                status = _status(answered, media_type, refused_by_http=True)
            else:
                try:
                    answered = await _while_wanted(self.pipeline, asked, caller, receive)
                except _ClientLeft:
                    seen.outcome = "left"
                    return
                status = _status(answered, media_type)
            seen.outcome = "refused" if not answered.executed else "errors" if answered.errors else "ok"
        extra = (_ALLOW_POST,) if answered.by_post_only else ()
        await _send(send, status, f"{media_type}; charset=utf-8", answered.written, extra)

    async def _refuse(self, send: Send, status: int, media_type: str, error: GatewayError) -> None:
        body = Answered(None, (error,), executed=False).written
        extra = (_ALLOW,) if status == 405 else ()
        await _send(send, status, f"{media_type}; charset=utf-8", body, extra)

    # Reading

    async def _read(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> GraphQLRequest:
        match scope["method"]:
            case "POST":
                content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
                if content_type != "application/json":
                    raise _Refused(415, Code.BAD_REQUEST, "A POST request must have content-type application/json.")
                return _request(_json(await self._body(headers, receive), "The body"))
            case "GET" | "HEAD":
                return _request(_query_parameters(scope))
            case _:
                raise _Refused(405, Code.BAD_REQUEST, "This endpoint takes POST, and GET for queries.")

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        declared = headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()) or int(declared) > self.body_bytes_max:
            raise self._too_large()
        message = await receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body", False):
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self.body_bytes_max:
                raise self._too_large()
        if message["type"] == "http.disconnect":
            raise _ClientLeft
        if len(body) > self.body_bytes_max:
            raise self._too_large()
        return body

    def _too_large(self) -> _Refused:
        return _Refused(413, Code.REQUEST_TOO_LARGE, f"A request has at most {self.body_bytes_max} bytes.")


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _json(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _Refused(400, Code.BAD_REQUEST, f"{what} is not valid JSON.") from None


def _query_parameters(scope: Scope) -> dict[str, Any]:
    given: dict[str, Any] = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _json(given[name], f"The parameter {name}")
    return given


def _request(given: Any) -> GraphQLRequest:
    if isinstance(given, list):
        raise _Refused(400, Code.BAD_REQUEST, "Several operations in one request are not served; send them one by one.")
    if not isinstance(given, dict):
        raise _Refused(400, Code.BAD_REQUEST, "The body must be a JSON object.")
    query = given.get("query")
    if not isinstance(query, str) or not query.strip():
        raise _Refused(400, Code.BAD_REQUEST, "The request must have `query`, a GraphQL document as text.")
    name = given.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _Refused(400, Code.BAD_REQUEST, "`operationName` must be a text.")
    variables = given.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise _Refused(400, Code.BAD_REQUEST, "`variables` must be a JSON object.")
    extensions = given.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise _Refused(400, Code.BAD_REQUEST, "`extensions` must be a JSON object.")
    return GraphQLRequest(query, name or None, variables or {})


# Answering


async def _while_wanted(pipeline: Pipeline, asked: GraphQLRequest, caller: Any, receive: Receive) -> Answered:
    """Run the request; when it takes long and the client leaves, cancel it (a change goes on, the pipeline sees to it)."""
    loop = asyncio.get_running_loop()
    running = asyncio.current_task()
    watcher: list[asyncio.Task[None]] = []
    left = False

    async def watch() -> None:
        nonlocal left
        message: Message = await receive()
        if message["type"] == "http.disconnect" and running is not None:
            left = True
            running.cancel()

    timer = loop.call_later(WATCH_AFTER_S, lambda: watcher.append(loop.create_task(watch())))
    try:
        return await pipeline.answer(asked, caller)
    except asyncio.CancelledError:
        if left:
            if running is not None:
                running.uncancel()
            raise _ClientLeft from None
        raise
    finally:
        timer.cancel()
        for task in watcher:
            task.cancel()


def _status(answered: Answered, media_type: str, *, refused_by_http: bool = False) -> int:
    """With `application/json`, intermediaries may rewrite statuses, so a well-formed request gets 200 (specification)."""
    if answered.executed:
        return 200
    if answered.by_post_only:
        return 405
    code = answered.errors[0].code if answered.errors else ""
    if code in _STATUS:
        return _STATUS[Code(code)]
    return 400 if refused_by_http or media_type == GRAPHQL_RESPONSE or code == Code.BAD_REQUEST else 200


async def _send(
    send: Send, status: int, content_type: str, body: bytes, extra: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"accept, accept-language, authorization"),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
