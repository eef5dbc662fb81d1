"""Join v0.1, as Federation 1 wrote it: what it leaves unsaid, told in the words of its successors.

- A type of rows has one *owner*. Its fields without terms are the owner's; other graphs know its keys, and as external
  what they require or provide.
- A type without an owner is a value type, the same wherever it is. Where that is, nothing says; but a graph must know
  what its own fields take and return. So each graph's fields are followed, from its root fields and its rows, and the
  value types met on the way are the graph's. One that no graph meets is in none: nothing returns it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import EnumValueNode, FieldDefinitionNode, FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.supergraph.elements import (
    ROOT_TYPES,
    CompositeNode,
    TypeSystemNode,
    UnionNode,
    applied,
    members_of,
    named_type,
)
from gateway.supergraph.joins import Joins, invalid
from gateway.supergraph.links import Link, argument
from gateway.supergraph.model import FieldJoin, TypeJoin

__all__ = ["say_what_v01_leaves_unsaid"]

Nodes = Mapping[str, list[TypeSystemNode]]


def say_what_v01_leaves_unsaid(joins: Joins, nodes: Nodes, link: Link) -> None:
    owners = {name: owner for name, parts in nodes.items() if (owner := _owner(parts, link)) is not None}
    for name, owner in owners.items():
        _owned(joins, nodes, name, owner)
    for name in nodes:
        for type_join in joins.types[name]:
            if type_join.key is not None:
                _know(joins, nodes, name, type_join.graph, type_join.key, external=False)
    for (name, field_name), terms in list(joins.fields.items()):
        for term in terms:
            if term.requires is not None:
                _know(joins, nodes, name, term.graph, term.requires, external=True)
            if term.provides is not None:
                target = _field_type(nodes, name, field_name)
                _know(joins, nodes, target, term.graph, term.provides, external=True)
    _place_types_without_owner(joins, nodes, frozenset(owners))


def _owner(parts: list[TypeSystemNode], link: Link) -> str | None:
    for node in parts:
        for one in applied(node, link.directive("owner")):
            graph = argument(one, "graph")
            assert isinstance(graph, EnumValueNode)
            return graph.value
    return None


def _owned(joins: Joins, nodes: Nodes, name: str, owner: str) -> None:
    for node in nodes[name]:
        for member in members_of(node):
            joins.fields.setdefault((name, member.name.value), (FieldJoin(owner),))
    joins.types[name] = tuple(
        TypeJoin(join.graph, join.key, join.resolvable, join.graph != owner, join.is_interface_object)
        for join in joins.types[name]
    )


def _know(joins: Joins, nodes: Nodes, type_name: str, graph: str, selections: SelectionSetNode, external: bool) -> None:
    """`graph` knows these fields: add terms where an owned type has none for it."""
    for selection in selections.selections:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else type_name
            _know(joins, nodes, condition, graph, selection.selection_set, external)
        elif isinstance(selection, FieldNode):
            key = (type_name, selection.name.value)
            if key in joins.fields and all(term.graph != graph for term in joins.fields[key]):
                joins.fields[key] = (*joins.fields[key], FieldJoin(graph, external=external))
                if all(join.graph != graph for join in joins.types[type_name]):
                    joins.types[type_name] = (*joins.types[type_name], TypeJoin(graph, extension=True))
            if selection.selection_set is not None:
                below = _field_type(nodes, type_name, selection.name.value)
                _know(joins, nodes, below, graph, selection.selection_set, external)


def _field_type(nodes: Nodes, type_name: str, field_name: str) -> str:
    for node in nodes.get(type_name, ()):
        if isinstance(node, CompositeNode):
            for member in node.fields or ():
                if member.name.value == field_name:
                    return named_type(member.type)
    raise invalid(f'a field set selects "{type_name}.{field_name}", which does not exist.')


# Where value types are


def _place_types_without_owner(joins: Joins, nodes: Nodes, owned: frozenset[str]) -> None:
    met = {graph: _met(joins, nodes, owned, graph) for graph in joins.graphs}
    for name in nodes:
        if name not in owned and name != ROOT_TYPES["query"]:
            joins.types[name] = tuple(TypeJoin(graph) for graph in joins.graphs if name in met[graph])


def _met(joins: Joins, nodes: Nodes, owned: frozenset[str], graph: str) -> frozenset[str]:
    """The types that the graph's fields lead to."""
    rows = [name for name in owned if any(join.graph == graph for join in joins.types[name])]
    roots = [
        name
        for name in ROOT_TYPES.values()
        if any(at == name and any(term.graph == graph for term in terms) for (at, _), terms in joins.fields.items())
    ]
    seen = {*rows, *roots}
    waiting = [*seen]
    while waiting:
        for target in _leads_to(joins, nodes, waiting.pop(), graph):
            if target in nodes and target not in seen and target not in owned:
                seen.add(target)
                waiting.append(target)
    return frozenset(seen)


def _leads_to(joins: Joins, nodes: Nodes, name: str, graph: str) -> Iterator[str]:
    for node in nodes[name]:
        if isinstance(node, UnionNode):
            yield from (one.name.value for one in node.types or ())
            continue
        for member in members_of(node):
            terms = joins.fields.get((name, member.name.value))
            if terms is not None and all(term.graph != graph for term in terms):
                continue
            if hasattr(member, "type"):
                yield named_type(member.type)
            if isinstance(member, FieldDefinitionNode):
                yield from (named_type(one.type) for one in member.arguments or ())
    yield from _implementations(nodes, name)


def _implementations(nodes: Nodes, interface: str) -> Iterator[str]:
    for name, parts in nodes.items():
        if any(one.name.value == interface for node in parts for one in getattr(node, "interfaces", None) or ()):
            yield name
