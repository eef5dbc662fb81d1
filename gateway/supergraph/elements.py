"""The elements of a type system document, one vocabulary for all who walk it: coordinates, types, children.

graphql-core has one node class for each kind of type, and one more for its extension. Whoever asks only "what is its
name, what stands in it" asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
)

__all__ = [
    "BUILT_IN_SCALARS",
    "ROOT_TYPES",
    "CompositeNode",
    "EnumNode",
    "InputNode",
    "Member",
    "TypeSystemNode",
    "UnionNode",
    "applied",
    "members_of",
    "named_type",
    "type_nodes",
]

BUILT_IN_SCALARS = frozenset({"ID", "String", "Int", "Float", "Boolean"})
ROOT_TYPES = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
"""Operation → the name its root type has in every supergraph."""

CompositeNode: TypeAlias = (
    ObjectTypeDefinitionNode | ObjectTypeExtensionNode | InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode
)
InputNode: TypeAlias = InputObjectTypeDefinitionNode | InputObjectTypeExtensionNode
EnumNode: TypeAlias = EnumTypeDefinitionNode | EnumTypeExtensionNode
UnionNode: TypeAlias = UnionTypeDefinitionNode | UnionTypeExtensionNode
ScalarNode: TypeAlias = ScalarTypeDefinitionNode | ScalarTypeExtensionNode
TypeSystemNode: TypeAlias = CompositeNode | InputNode | EnumNode | UnionNode | ScalarNode
Member: TypeAlias = FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode


def type_nodes(document: DocumentNode) -> Iterator[TypeSystemNode]:
    """Definitions and extensions of types, in the order of the file."""
    for definition in document.definitions:
        if isinstance(definition, TypeSystemNode):
            yield definition


def members_of(node: TypeSystemNode) -> tuple[Member, ...]:
    """Fields, input fields or enum values."""
    if isinstance(node, CompositeNode | InputNode):
        return tuple(node.fields or ())
    if isinstance(node, EnumNode):
        return tuple(node.values or ())
    return ()


def named_type(node: TypeNode) -> str:
    """`Asset` of `[Asset!]!`."""
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    return node.name.value  # type: ignore[attr-defined,no-any-return]


def applied(node: object, name: str) -> list[ConstDirectiveNode]:
    """The applications of one directive on a node."""
    return [one for one in getattr(node, "directives", None) or () if one.name.value == name]
