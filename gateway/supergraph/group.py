"""One graph of a supergraph, alone: what the group endpoint of a partitioned graph serves to those inside.

Nothing is hidden there: inaccessible fields (holds, movements) are what services call it for. What the graph knows
only as external, and what belongs to other graphs, is left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from graphql import (
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLObjectType,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    parse,
    print_schema,
)

from gateway.language.selections import print_selection_set
from gateway.supergraph.model import Supergraph

__all__ = ["contract_sdl", "group_supergraph"]

_Node = TypeVar("_Node", bound=DefinitionNode)


def group_supergraph(supergraph: Supergraph, graph: str) -> Supergraph:
    """The supergraph that has only `graph` (an enum value). Raises `KeyError` when there is no such graph."""
    only = {graph: supergraph.graphs[graph]}
    types = {
        name: kept
        for name, joins in supergraph.type_joins.items()
        if (kept := tuple(join for join in joins if join.graph == graph))
    }
    document = parse(print_schema(supergraph.schema))
    definitions = [
        restricted
        for node in document.definitions
        if isinstance(node, TypeDefinitionNode)
        and (isinstance(node, ScalarTypeDefinitionNode) or node.name.value in types)
        and (restricted := _restrict(supergraph, graph, node)) is not None
    ]
    schema = build_ast_schema(DocumentNode(definitions=tuple(definitions)))
    fields = {
        key: served
        for key, terms in supergraph.field_joins.items()
        if (served := tuple(term for term in terms if term.graph == graph))
    }
    return replace(
        supergraph,
        graphs=only,
        schema=schema,
        api_schema=schema,
        type_joins=types,
        field_joins=fields,
        partitions={name: part for name, part in supergraph.partitions.items() if name == graph},
        version=f"{supergraph.version}/{graph}",
    )


def contract_sdl(group: Supergraph) -> str:
    """What every member of a group must publish, of a supergraph that has only that group: its types and keys."""
    keys = (
        f'extend type {name} @key(fields: "{print_selection_set(join.key)}")'
        for name, joins in group.type_joins.items()
        for join in joins
        if join.key is not None and join.resolvable and isinstance(group.schema.get_type(name), GraphQLObjectType)
    )
    return "\n".join((print_schema(group.schema), *keys))


def _restrict(supergraph: Supergraph, graph: str, node: TypeDefinitionNode) -> TypeDefinitionNode | None:
    """The definition as the graph has it; None when nothing is left of it."""
    name = node.name.value
    if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        fields = tuple(f for f in node.fields or () if _serves(supergraph, graph, name, f.name.value))
        interfaces = supergraph.implements.get(name, {}).get(graph, frozenset())
        kept = tuple(i for i in node.interfaces or () if i.name.value in interfaces)
        return _copy(node, fields=fields, interfaces=kept) if fields else None
    if isinstance(node, InputObjectTypeDefinitionNode):
        inputs = tuple(f for f in node.fields or () if _serves(supergraph, graph, name, f.name.value))
        return _copy(node, fields=inputs) if inputs else None
    if isinstance(node, EnumTypeDefinitionNode):
        values = supergraph.enum_values.get(name, {}).get(graph)
        return (
            node
            if values is None
            else _copy(node, values=tuple(v for v in node.values or () if v.name.value in values))
        )
    if isinstance(node, UnionTypeDefinitionNode):
        members = supergraph.union_members.get(name, {}).get(graph, frozenset())
        return _copy(node, types=tuple(t for t in node.types or () if t.name.value in members)) if members else None
    return node


def _serves(supergraph: Supergraph, graph: str, type_name: str, field_name: str) -> bool:
    joins = supergraph.field_joins.get((type_name, field_name))
    return joins is None or any(join.graph == graph and not join.external for join in joins)


def _copy(node: _Node, **changes: Any) -> _Node:
    return type(node)(**{**{key: getattr(node, key) for key in node.keys}, **changes})
