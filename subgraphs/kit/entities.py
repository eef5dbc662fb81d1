"""Federation's two root fields: `_service { sdl }` and `_entities(representations:)`.

Representations are grouped by type and each group is handed to that type's resolver at once; what comes back, per
representation, is a value, None (no such entity), or an exception, which stands as an error at that index alone. A
resolver that fails as a whole fails its own type's representations only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
)

from subgraphs.kit.errors import BadInput
from subgraphs.kit.plain import Tagged
from subgraphs.kit.selection import Selection, selection_of

__all__ = ["EntityResolver", "Representation", "Selected", "with_federation"]

REPRESENTATIONS_MAX = 10_000

Representation = Mapping[str, Any]
Selected = Selection
EntityResolver = Callable[[Any, Sequence[Representation], Selected], Awaitable[Sequence[Any]]]
"""(context, representations of one type, what is selected on it) → per one a value, None or an exception."""


def with_federation(schema: GraphQLSchema, sdl: str, entities: Mapping[str, EntityResolver]) -> GraphQLSchema:
    """`schema` with `_service`, and with `_entities` when there are entities."""
    service = GraphQLObjectType("_Service", {"sdl": GraphQLField(GraphQLString, resolve=lambda *_: sdl)})
    added = {"_service": GraphQLField(GraphQLNonNull(service), resolve=lambda *_: {})}
    if entities:
        added["_entities"] = _entities_field(schema, entities)
    query = schema.query_type
    if query is None:
        raise ValueError("the schema has no Query type")
    query_kwargs = query.to_kwargs()
    query_kwargs["fields"] = {**query.fields, **added}
    kwargs = schema.to_kwargs()
    kwargs["query"] = GraphQLObjectType(**query_kwargs)
    kwargs["types"] = tuple(type_ for type_ in kwargs["types"] or () if type_ is not query)
    federated = GraphQLSchema(**kwargs)
    federated._strawberry_schema = schema._strawberry_schema  # type: ignore[attr-defined]
    return federated


def _entities_field(schema: GraphQLSchema, entities: Mapping[str, EntityResolver]) -> GraphQLField:
    members: list[GraphQLObjectType] = []
    for name in entities:
        type_ = schema.type_map.get(name)
        if not isinstance(type_, GraphQLObjectType):
            raise ValueError(f"the entity {name} is no object type of the schema")
        members.append(type_)
    union = GraphQLUnionType("_Entity", members, resolve_type=_type_of)
    any_ = GraphQLScalarType("_Any")
    argument = GraphQLArgument(GraphQLNonNull(GraphQLList(GraphQLNonNull(any_))))

    async def resolve(_root: Any, info: GraphQLResolveInfo, representations: list[Any]) -> list[Any]:
        return await _resolve(entities, info, representations)

    return GraphQLField(GraphQLNonNull(GraphQLList(union)), args={"representations": argument}, resolve=resolve)


def _type_of(value: Any, _info: GraphQLResolveInfo, _type: Any) -> str:
    """For executions without `PlainExecutionContext`, which unwraps the value as well."""
    return str(value.typename)


async def _resolve(
    entities: Mapping[str, EntityResolver], info: GraphQLResolveInfo, representations: list[Any]
) -> list[Any]:
    if len(representations) > REPRESENTATIONS_MAX:
        raise BadInput(f"at most {REPRESENTATIONS_MAX} representations in one request")
    results: list[Any] = [None] * len(representations)
    groups: dict[str, list[int]] = {}
    for index, representation in enumerate(representations):
        typename = representation.get("__typename") if isinstance(representation, dict) else None
        if isinstance(typename, str) and typename in entities:
            groups.setdefault(typename, []).append(index)
        else:
            results[index] = BadInput(f"a representation of an entity of this subgraph is needed, not of {typename!r}")
    context = info.context
    await asyncio.gather(
        *(
            _resolve_group(name, entities[name], context, selection_of(info, name), representations, indices, results)
            for name, indices in groups.items()
        )
    )
    return results


async def _resolve_group(
    name: str,
    resolver: EntityResolver,
    context: Any,
    selected: Selection,
    representations: list[Any],
    indices: list[int],
    results: list[Any],
) -> None:
    try:
        values = await resolver(context, [representations[index] for index in indices], selected)
        if len(values) != len(indices):
            raise RuntimeError(f"the resolver of {name} gave {len(values)} values for {len(indices)} representations")
    except Exception as error:
        # One exception object cannot be located at several paths: graphql-core writes the path into what it wraps.
        for index in indices:
            results[index] = error if not isinstance(error, GraphQLError) else _copy(error)
        return
    for index, value in zip(indices, values, strict=True):
        unwrapped = value is None or isinstance(value, Exception)
        results[index] = value if unwrapped else Tagged(name, value)


def _copy(error: GraphQLError) -> GraphQLError:
    return GraphQLError(error.message, original_error=error.original_error, extensions=error.extensions)
