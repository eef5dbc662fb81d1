"""A subgraph from its SDL and a few resolvers, served by HTTP: all that a member has to be. Any GraphQL server will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema, GraphQLUnionType, build_schema, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

__all__ = ["bad_input", "serve_subgraph"]

Resolver = Callable[..., Any]
"""(parent, info, **arguments) → value; of an entity type: (representation) → the entity or None."""


def serve_subgraph(sdl: str, resolvers: Mapping[str, Resolver], entities: Mapping[str, Resolver], port: int) -> None:
    """`resolvers`: `Type.field` → resolver; `entities`: entity type → how it is found. Prints a line when it listens."""
    schema = _schema(sdl, resolvers, entities)

    async def endpoint(request: Request) -> JSONResponse:
        body = await request.json()
        result = await graphql(schema, body["query"], variable_values=body.get("variables"))
        return JSONResponse(result.formatted)

    app = Starlette(routes=[Route("/graphql", endpoint, methods=["POST"])])
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
    _Server(config).run()


class _Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"ready: http://127.0.0.1:{self.config.port}/graphql", flush=True)


def bad_input(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def _schema(sdl: str, resolvers: Mapping[str, Resolver], entities: Mapping[str, Resolver]) -> GraphQLSchema:
    machinery = f"""
        scalar _Any
        union _Entity = {" | ".join(entities)}
        type _Service {{ sdl: String! }}
        extend type Query {{ _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }}
    """
    # The directives are for those who compose; they change nothing here.
    schema = build_schema(sdl + machinery, assume_valid=True)

    def found(_: Any, info: Any, representations: list[dict[str, Any]]) -> list[Any]:
        entity = ((one["__typename"], entities[one["__typename"]](one)) for one in representations)
        return [None if value is None else {**value, "__typename": name} for name, value in entity]

    own = {"Query._service": lambda _, info: {"sdl": sdl}, "Query._entities": found}
    for name, resolver in {**resolvers, **own}.items():
        type_name, field = name.split(".")
        type_ = schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        type_.fields[field].resolve = resolver
    union = schema.type_map["_Entity"]
    assert isinstance(union, GraphQLUnionType)
    union.resolve_type = lambda value, info, type_: value["__typename"]
    return schema
