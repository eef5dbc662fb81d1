"""Serve a Strawberry subgraph: GraphQL over HTTP and graphql-transport-ws at `/graphql`, `/health` beside it.

    served = ServedSchema(strawberry.Schema(Query, config=strawberry_config()), sdl_text, entities={"Book": load_books})
    app = create_subgraph_app(served, verifier=TokenVerifier(public_pem), context_factory=MyContext)

The context factory gets a `Caller` (identity, language, deadline) and gives what resolvers find as `info.context`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from contract.identity import TokenVerifier
from subgraphs.kit.caller import Caller, read_caller
from subgraphs.kit.documents import InvalidDocument
from subgraphs.kit.errors import BadInput, Classify, CodedError, Unauthenticated
from subgraphs.kit.operations import Answer, error_answer, prepare, read_request, run
from subgraphs.kit.served import ServedSchema
from subgraphs.kit.websocket import SocketLimits, SocketSession

__all__ = ["SubgraphOptions", "create_subgraph_app"]

_log = structlog.get_logger(__name__)
GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

ContextFactory = Callable[[Caller], Any]
Health = Callable[[], Awaitable[Mapping[str, Any]]]
"""What `/health` answers beside `status`, which is `ok` unless given here (`degraded`; with `unavailable` the answer is a
503); raises when the subgraph cannot serve."""


@dataclass(frozen=True, slots=True)
class SubgraphOptions:
    body_length_max: int = 2_000_000
    deadline_s_max: float = 30.0
    """No request runs longer, whatever its deadline header says."""
    socket: SocketLimits = field(default_factory=SocketLimits)


def create_subgraph_app(
    served: ServedSchema,
    *,
    verifier: TokenVerifier | None = None,
    context_factory: ContextFactory = lambda caller: caller,
    classify: Classify | None = None,
    health: Health | None = None,
    options: SubgraphOptions | None = None,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[Any]] | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """An ASGI app that serves `served`.

    Without `verifier` every request is anonymous and an identity header is refused. `classify` gives the
    application's exceptions their codes; what it does not know is `INTERNAL`. `routes`: what it serves beside GraphQL.
    """
    endpoint = _Endpoint(served, verifier, context_factory, classify, options or SubgraphOptions())

    async def answer_health(_request: Request) -> Response:
        return await _health(health)

    return Starlette(
        routes=[
            Route("/graphql", endpoint.http, methods=["POST"]),
            WebSocketRoute("/graphql", endpoint.websocket),
            Route("/health", answer_health, methods=["GET"]),
            *routes,
        ],
        lifespan=lifespan,
    )


class _Endpoint:
    def __init__(
        self,
        served: ServedSchema,
        verifier: TokenVerifier | None,
        make_context: ContextFactory,
        classify: Classify | None,
        options: SubgraphOptions,
    ) -> None:
        self._served = served
        self._verifier = verifier
        self._make_context = make_context
        self._classify = classify
        self._options = options

    async def http(self, request: Request) -> Response:
        modern = GRAPHQL_RESPONSE in request.headers.get("accept", "")
        try:
            caller = self._read_caller(request.headers)
            graphql_request = read_request(await self._read_body(request))
        except Unauthenticated as error:
            return _respond(error_answer(error), 401, modern)
        except _Refused as refusal:
            return _respond(error_answer(refusal.error), refusal.status, modern)
        except BadInput as error:
            return _respond(error_answer(error), 400, modern)
        except ClientDisconnect:
            return Response(status_code=499)
        try:
            document = prepare(self._served, graphql_request)
            if document.is_subscription(graphql_request.operation_name):
                raise BadInput("subscriptions are served by websocket (graphql-transport-ws) at this address")
        except (InvalidDocument, CodedError) as error:
            return _respond(error_answer(error), 400 if modern else 200, modern)
        context = self._make_context(caller)
        answer = await run(self._served, document, graphql_request, context, caller.deadline, self._classify)
        return _respond(answer, 200, modern)

    async def websocket(self, socket: WebSocket) -> None:
        session = SocketSession(
            socket, self._served, self._read_caller, self._make_context, self._classify, self._options.socket
        )
        await session.run()

    def _read_caller(self, headers: Mapping[str, str]) -> Caller:
        return read_caller(headers, self._verifier, self._options.deadline_s_max)

    async def _read_body(self, request: Request) -> Any:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise _Refused(415, f"Content-Type must be {JSON}")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._options.body_length_max:
                raise _Refused(413, f"the request is longer than {self._options.body_length_max} bytes")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            raise _Refused(400, "the request is not JSON") from None


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = BadInput(message)


def _respond(answer: Answer, status: int, modern: bool) -> Response:
    media_type = f"{GRAPHQL_RESPONSE}; charset=utf-8" if modern else JSON
    return Response(orjson.dumps(answer), status, media_type=media_type)


async def _health(health: Health | None) -> Response:
    try:
        detail = dict(await health()) if health is not None else {}
    except Exception:
        _log.warning("the subgraph is not healthy", exc_info=True)
        return Response(orjson.dumps({"status": "unavailable"}), 503, media_type=JSON)
    answer = {"status": "ok", **detail}
    return Response(orjson.dumps(answer), 503 if answer["status"] == "unavailable" else 200, media_type=JSON)
