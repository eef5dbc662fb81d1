"""Subgraphs in memory: a schema and resolvers behind a real ASGI application, by graphql-core; and broken ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, execute, parse, subscribe
from starlette.types import Message, Receive, Scope, Send

Resolvers = Mapping[str, Callable[..., Any]]
"""`Type.field` → (parent, info, **arguments) → value."""


def executable(sdl: str, resolvers: Resolvers) -> GraphQLSchema:
    """A subgraph's schema with resolvers; `Type.__resolve` finds an entity from its representation.

    Resolvers of what the schema does not have are left alone.
    """
    text = _without_directives(sdl)
    known = build_schema(text, assume_valid=True).type_map
    entities = sorted(
        {name.removesuffix(".__resolve") for name in resolvers if name.endswith(".__resolve")} & known.keys()
    )
    if entities:
        text += f"\nunion _Entity = {' | '.join(entities)}\nscalar _Any\n"
        text += "extend type Query { _entities(representations: [_Any!]!): [_Entity]! }\n"
    schema = build_schema(text, assume_valid=True)
    for name, resolver in resolvers.items():
        type_name, field = name.split(".")
        if field == "__resolve":
            continue
        target = getattr(schema.type_map.get(type_name), "fields", {}).get(field)
        if target is None:
            continue
        if type_name == "Subscription":
            target.subscribe = resolver
            target.resolve = lambda value, info: value
        else:
            target.resolve = resolver
    if entities:

        def resolve_entities(root: Any, info: Any, representations: list[dict[str, Any]]) -> list[Any]:
            found = []
            for one in representations:
                entity = resolvers[f"{one['__typename']}.__resolve"](info.root_value, one)
                found.append(None if entity is None else {**entity, "__typename": one["__typename"]})
            return found

        schema.query_type.fields["_entities"].resolve = resolve_entities  # type: ignore[union-attr]
        schema.type_map["_Entity"].resolve_type = lambda value, info, union: value["__typename"]  # type: ignore[attr-defined]
    return schema


def _without_directives(sdl: str) -> str:
    """Only the types: federation's directives mean nothing to a plain server."""
    from graphql import print_ast, visit
    from graphql.language import REMOVE, Visitor

    class Strip(Visitor):
        def enter_directive(self, *_: Any) -> Any:
            return REMOVE

        def enter_directive_definition(self, *_: Any) -> Any:
            return REMOVE

        def enter_schema_extension(self, *_: Any) -> Any:
            return REMOVE

    document = visit(parse(sdl), Strip())
    kept = [
        one for one in document.definitions if getattr(one, "name", None) is None or one.name.value not in _HORIZONTAL
    ]
    return print_ast(DocumentNode(definitions=tuple(kept)))


_HORIZONTAL = ("Gather", "Fold")


class SubgraphApp:
    """A GraphQL server as an ASGI application. Keeps what it was asked, for tests to look at."""

    def __init__(self, schema: GraphQLSchema, root: Any = None) -> None:
        self.schema = schema
        self.root = root
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.open_subscriptions = 0
        self.idle = asyncio.Event()
        """No subscription is open any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        request = orjson.loads(await read_body(receive))
        self.requests.append(request)
        await answer(send, 200, orjson.dumps(await self.run(request)))

    async def run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        document = parse(request["query"])
        result = execute(self.schema, document, self.root, variable_values=request.get("variables"))
        if isinstance(result, Awaitable):
            result = await result
        written: dict[str, Any] = {"data": result.data}
        if result.errors:
            written["errors"] = [error.formatted for error in result.errors]
        return written

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return
                content = orjson.loads(message["text"])
                match content["type"]:
                    case "connection_init":
                        self.headers.append(content.get("payload") or {})
                        await _say(send, {"type": "connection_ack"})
                    case "ping":
                        await _say(send, {"type": "pong"})
                    case "subscribe":
                        id_ = content["id"]
                        tasks[id_] = asyncio.create_task(self._stream(id_, content["payload"], send))
                    case "complete" if content["id"] in tasks:
                        tasks.pop(content["id"]).cancel()
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _stream(self, id_: str, payload: Mapping[str, Any], send: Send) -> None:
        self.requests.append(dict(payload))
        stream: Any = await subscribe(
            self.schema, parse(payload["query"]), self.root, variable_values=payload.get("variables")
        )
        self.open_subscriptions += 1
        self.idle.clear()
        try:
            async for result in stream:
                written = {"data": result.data}
                if result.errors:
                    written["errors"] = [error.formatted for error in result.errors]
                await _say(send, {"type": "next", "id": id_, "payload": written})
            await _say(send, {"type": "complete", "id": id_})
        finally:
            self.open_subscriptions -= 1
            if not self.open_subscriptions:
                self.idle.set()
            await stream.aclose()


async def _say(send: Send, content: Any) -> None:
    await send({"type": "websocket.send", "text": orjson.dumps(content).decode()})


async def read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message: Message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def answer(send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    more = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    named = [(b"content-type", b"application/json"), *more]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})


Fault = Callable[[Scope, Receive, Send, Callable[[Scope, Receive, Send], Awaitable[None]]], Awaitable[None]]


class Faulty:
    """An application in front of another, which it breaks while `fault` is set."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], fault: Fault | None = None) -> None:
        self.app = app
        self.fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.fault is None:
            await self.app(scope, receive, send)
        else:
            await self.fault(scope, receive, send, self.app)


def delay(seconds: float) -> Fault:
    async def fault(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return fault


async def hang(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
    await asyncio.Event().wait()


async def crash(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
    raise RuntimeError("the application is broken")


async def cut(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
    """The whole answer is announced, half of it is sent."""
    body = await _answer_of(scope, receive, app)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


async def half_json(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
    body = await _answer_of(scope, receive, app)
    await answer(send, 200, body[: len(body) // 2])


def says(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Fault:
    async def fault(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        await read_body(receive)
        await answer(send, status, body, headers)

    return fault


def alters(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """The real answer, changed: for wrong shapes, wrong orders, wrong rows."""

    async def fault(scope: Scope, receive: Receive, send: Send, app: Any) -> None:
        body = await _answer_of(scope, receive, app)
        await answer(send, 200, orjson.dumps(change(orjson.loads(body))))

    return fault


def errors(code: str, message: str = "refused") -> Fault:
    body = orjson.dumps({"data": None, "errors": [{"message": message, "extensions": {"code": code}}]})
    return says(200, body)


async def _answer_of(scope: Scope, receive: Receive, app: Any) -> bytes:
    chunks: list[bytes] = []

    async def capture(message: Message) -> None:
        if message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(scope, receive, capture)
    return b"".join(chunks)


def coded(message: str, code: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})
