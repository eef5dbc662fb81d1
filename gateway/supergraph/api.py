"""The client-facing schema as text: what front-end teams read, and what a diff of it means to them.

Root types first, then all others by name; fields, arguments and enum values stay in the order of the supergraph,
because an enum's order can mean something (a status sorts as it is declared).
"""

from __future__ import annotations

from graphql import (
    GraphQLNamedType,
    GraphQLSchema,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from graphql.utilities.print_schema import print_directive, print_schema_definition, print_type

from gateway.supergraph.model import Supergraph

__all__ = ["api_schema_sdl", "schema_sdl"]


def api_schema_sdl(supergraph: Supergraph) -> str:
    """The SDL of what clients see, with descriptions, in stable order."""
    return schema_sdl(supergraph.api_schema)


def schema_sdl(schema: GraphQLSchema) -> str:
    roots = [one for one in (schema.query_type, schema.mutation_type, schema.subscription_type) if one is not None]
    others = sorted(
        (one for one in schema.type_map.values() if _is_own(one) and one not in roots), key=lambda one: one.name
    )
    directives = sorted((one for one in schema.directives if not is_specified_directive(one)), key=lambda one: one.name)
    blocks = [
        print_schema_definition(schema),
        *(print_directive(one) for one in directives),
        *(print_type(one) for one in [*roots, *others]),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _is_own(type_: GraphQLNamedType) -> bool:
    return not is_specified_scalar_type(type_) and not is_introspection_type(type_)
