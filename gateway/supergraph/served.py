"""One graph of a supergraph as a standard subgraph: any Federation v2 router asks it by `_service` and `_entities`.

The two fields belong to no graph: planning answers `_service` from what is known here, and takes `_entities` for what
it is, entities whose representations the asker gives. The SDL is the graph's own contract, word for word. A supergraph
keeps too little to write it anew: who shares what, and what its directives mean to others, is gone after composition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from graphql import GraphQLObjectType, extend_schema, parse

from gateway.supergraph.model import Served, Supergraph

__all__ = ["ENTITIES", "ENTITY", "SERVICE", "as_subgraph"]

SERVICE = "_service"
ENTITIES = "_entities"
ENTITY = "_Entity"


def as_subgraph(group: Supergraph, sdl: str) -> Supergraph:
    """`group`, a supergraph of one graph, with the fields of a subgraph; `sdl` is what `_service` tells."""
    entities = tuple(_entities(group))
    schema = extend_schema(group.schema, parse("\n".join(_machinery(group, entities))))
    nobody = {("Query", SERVICE): (), ("Query", ENTITIES): ()}
    return replace(
        group,
        schema=schema,
        api_schema=schema,
        field_joins={**group.field_joins, **nobody},
        version=f"{group.version}/served",
        served=Served(next(iter(group.graphs)), sdl, entities),
    )


def _entities(group: Supergraph) -> Iterator[str]:
    for name, joins in group.type_joins.items():
        is_resolvable = any(join.key is not None and join.resolvable for join in joins)
        if is_resolvable and isinstance(group.schema.type_map.get(name), GraphQLObjectType):
            yield name


def _machinery(group: Supergraph, entities: tuple[str, ...]) -> Iterator[str]:
    fields = [f"{SERVICE}: _Service!"]
    yield "type _Service { sdl: String! }"
    if entities:
        yield f"scalar _Any union {ENTITY} = {' | '.join(entities)}"
        fields.append(f"{ENTITIES}(representations: [_Any!]!): [{ENTITY}]!")
    if group.schema.query_type is None:
        yield "extend schema { query: Query }"
    yield f"{'type' if group.schema.query_type is None else 'extend type'} Query {{ {' '.join(fields)} }}"
