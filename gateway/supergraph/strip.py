"""Taking the machinery out of a supergraph: what `join`, `link` and their kind define and apply, never the schema's own.

What is left is a schema of its own: types as subgraphs have them together, and executable directives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    Node,
    SchemaDefinitionNode,
    SchemaExtensionNode,
)

from gateway.supergraph.elements import TypeSystemNode, members_of
from gateway.supergraph.links import Link

__all__ = ["replace_node", "strip_machinery"]

NodeT = TypeVar("NodeT", bound=Node)


def strip_machinery(document: DocumentNode, links: Iterable[Link]) -> DocumentNode:
    """The document less the definitions and applications of every linked specification."""
    foreign = tuple(links)
    kept = [_strip(definition, foreign) for definition in document.definitions if not _is_foreign(definition, foreign)]
    return DocumentNode(definitions=tuple(kept))


def _is_foreign(definition: DefinitionNode, links: tuple[Link, ...]) -> bool:
    if isinstance(definition, SchemaExtensionNode):
        return True
    if isinstance(definition, DirectiveDefinitionNode):
        return any(link.owns_directive(definition.name.value) for link in links)
    if isinstance(definition, TypeSystemNode):
        return any(link.owns_type(definition.name.value) for link in links)
    return False


def _strip(definition: DefinitionNode, links: tuple[Link, ...]) -> DefinitionNode:
    if isinstance(definition, SchemaDefinitionNode):
        return replace_node(definition, directives=())
    if isinstance(definition, TypeSystemNode):
        changes: dict[str, Any] = {"directives": _own(definition, links)}
        members = tuple(_strip_member(member, links) for member in members_of(definition))
        if members:
            changes["values" if hasattr(definition, "values") else "fields"] = members
        return replace_node(definition, **changes)
    if isinstance(definition, DirectiveDefinitionNode):
        return replace_node(definition, arguments=tuple(_strip_leaf(one, links) for one in definition.arguments))
    return definition


def _strip_member(member: Any, links: tuple[Link, ...]) -> Any:
    if isinstance(member, FieldDefinitionNode):
        arguments = tuple(_strip_leaf(one, links) for one in member.arguments or ())
        return replace_node(member, directives=_own(member, links), arguments=arguments)
    return _strip_leaf(member, links)


def _strip_leaf(node: Any, links: tuple[Link, ...]) -> Any:
    return replace_node(node, directives=_own(node, links))


def _own(node: Any, links: tuple[Link, ...]) -> tuple[Any, ...]:
    return tuple(one for one in node.directives or () if not any(link.owns_directive(one.name.value) for link in links))


def replace_node(node: NodeT, **changes: Any) -> NodeT:
    """The same node with other children: nodes are shared between schemas and never written to."""
    attributes = {key: getattr(node, key, None) for key in node.keys if key != "loc"}
    return type(node)(**{**attributes, **changes})
