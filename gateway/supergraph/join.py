"""Reading the join specification, v0.1 to v0.5: which graph can serve what, and on what terms.

Versions differ in what they leave unsaid, and this module says it for them, so that planning sees one form:
- v0.1 (Federation 1): a type has one *owner*; its fields without `@join__field` are the owner's; other graphs know of
  it their keys and what they require. Types without an owner are in every graph.
- before v0.2 nothing tells where an interface is implemented, before v0.3 nothing tells union members and enum
  values apart by graph: they are taken to be wherever their types are.
- from v0.3 on, `@join__field` without a graph says that no graph serves the field directly (it comes by way of an
  interface object).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    ConstDirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    FieldNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    SelectionSetNode,
    StringValueNode,
)

from gateway.language.errors import Code, GatewayError, SupergraphInvalid
from gateway.language.selections import FieldSetSyntaxError, parse_field_set
from gateway.supergraph.elements import (
    CompositeNode,
    EnumNode,
    InputNode,
    Member,
    TypeSystemNode,
    UnionNode,
    applied,
    members_of,
    named_type,
    type_nodes,
)
from gateway.supergraph.links import Link, argument, string_argument
from gateway.supergraph.model import FieldJoin, Graph, TypeJoin

__all__ = ["KNOWN_JOIN_VERSIONS", "Joins", "read_joins"]

KNOWN_JOIN_VERSIONS = frozenset({(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)})

FieldKey = tuple[str, str]


@dataclass
class Joins:
    """What the join directives of one supergraph say."""

    graphs: dict[str, Graph] = field(default_factory=dict)
    types: dict[str, tuple[TypeJoin, ...]] = field(default_factory=dict)
    fields: dict[FieldKey, tuple[FieldJoin, ...]] = field(default_factory=dict)
    implements: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    union_members: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    enum_values: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)


def read_joins(document: DocumentNode, link: Link, links: Iterable[Link]) -> Joins:
    """`links` are all of the document's, whose own types are left out. Raises `SupergraphInvalid`."""
    return _Reader(document, link, tuple(links)).read()


class _Reader:
    def __init__(self, document: DocumentNode, link: Link, links: tuple[Link, ...]) -> None:
        self.document = document
        self.link = link
        self.joins = Joins()
        self.nodes: dict[str, list[TypeSystemNode]] = {}
        for node in type_nodes(document):
            if not any(one.owns_type(node.name.value) for one in links):
                self.nodes.setdefault(node.name.value, []).append(node)

    def read(self) -> Joins:
        self.read_graphs()
        for name, nodes in self.nodes.items():
            self.joins.types[name] = self.read_type(name, nodes)
        for name, nodes in self.nodes.items():
            for node in nodes:
                self.read_members(name, node)
        if self.link.version == (0, 1):
            _say_what_v01_leaves_unsaid(self.joins, self.nodes, self.link)
        for name, nodes in self.nodes.items():
            self.read_parts(name, nodes)
        return self.joins

    def read_graphs(self) -> None:
        enum_name = self.link.type("Graph")
        for node in type_nodes(self.document):
            if isinstance(node, EnumTypeDefinitionNode) and node.name.value == enum_name:
                for value in node.values or ():
                    graph = value.name.value
                    named = applied(value, self.link.directive("graph"))
                    name = string_argument(named[0], "name") if named else None
                    url = string_argument(named[0], "url") if named else None
                    self.joins.graphs[graph] = Graph(graph, name or graph, url or "")
        if not self.joins.graphs:
            raise _invalid(f'enum "{enum_name}" names no subgraph.')

    def read_type(self, name: str, nodes: list[TypeSystemNode]) -> tuple[TypeJoin, ...]:
        found = [
            TypeJoin(
                graph=self.graph(one, name),
                key=self.field_set(one, "key", name),
                resolvable=_flag(one, "resolvable", True),
                extension=_flag(one, "extension", False),
                is_interface_object=_flag(one, "isInterfaceObject", False),
            )
            for node in nodes
            for one in applied(node, self.link.directive("type"))
        ]
        owners = [one for node in nodes for one in applied(node, self.link.directive("owner"))]
        for owner in owners:
            graph = self.graph(owner, name)
            if all(join.graph != graph for join in found):
                found.append(TypeJoin(graph))
        return tuple(found) or tuple(TypeJoin(graph) for graph in self.joins.graphs)

    def read_members(self, type_name: str, node: TypeSystemNode) -> None:
        if not isinstance(node, CompositeNode | InputNode):
            return
        for member in members_of(node):
            terms = applied(member, self.link.directive("field"))
            if terms:
                where = f"{type_name}.{member.name.value}"
                self.joins.fields[type_name, member.name.value] = tuple(
                    self.field_join(one, where) for one in terms if argument(one, "graph") is not None
                )

    def field_join(self, node: ConstDirectiveNode, where: str) -> FieldJoin:
        return FieldJoin(
            graph=self.graph(node, where),
            requires=self.field_set(node, "requires", where),
            provides=self.field_set(node, "provides", where),
            external=_flag(node, "external", False),
            type=string_argument(node, "type"),
            override_from=string_argument(node, "override"),
            override_label=string_argument(node, "overrideLabel"),
            used_overridden=_flag(node, "usedOverridden", False),
            context_arguments=_context_arguments(node),
        )

    def read_parts(self, name: str, nodes: list[TypeSystemNode]) -> None:
        """Where interfaces, union members and enum values are; after the types, which stand in for what is unsaid."""
        graphs = list(dict.fromkeys(join.graph for join in self.joins.types[name]))
        first = nodes[0]
        if isinstance(first, CompositeNode):
            declared = [one.name.value for node in nodes for one in getattr(node, "interfaces", None) or ()]
            said = self.pairs(nodes, "implements", "interface", name)
            if declared:
                self.joins.implements[name] = self.by_graph(graphs, declared, said)
        elif isinstance(first, UnionNode):
            declared = [one.name.value for node in nodes for one in getattr(node, "types", None) or ()]
            said = self.pairs(nodes, "unionMember", "member", name)
            self.joins.union_members[name] = self.by_graph(graphs, declared, said)
        elif isinstance(first, EnumNode):
            values = [value for node in nodes for value in members_of(node)]
            self.joins.enum_values[name] = self.values_by_graph(name, graphs, values)

    def pairs(self, nodes: list[TypeSystemNode], directive: str, part: str, where: str) -> list[tuple[str, str]]:
        return [
            (self.graph(one, where), string_argument(one, part) or "")
            for node in nodes
            for one in applied(node, self.link.directive(directive))
        ]

    def by_graph(
        self, graphs: list[str], declared: list[str], said: list[tuple[str, str]]
    ) -> dict[str, frozenset[str]]:
        if said:
            return {
                graph: frozenset(part for at, part in said if at == graph)
                for graph in graphs
                if any(at == graph for at, _ in said)
            }
        unsaid = {
            graph: frozenset(
                part for part in declared if any(join.graph == graph for join in self.joins.types.get(part, ()))
            )
            for graph in graphs
        }
        return {graph: parts for graph, parts in unsaid.items() if parts}

    def values_by_graph(self, name: str, graphs: list[str], values: list[Member]) -> dict[str, frozenset[str]]:
        where: dict[str, set[str]] = {graph: set() for graph in graphs}
        for value in values:
            said = applied(value, self.link.directive("enumValue"))
            for graph in [self.graph(one, name) for one in said] or graphs:
                where.setdefault(graph, set()).add(value.name.value)
        return {graph: frozenset(found) for graph, found in where.items()}

    def graph(self, node: ConstDirectiveNode, where: str) -> str:
        value = argument(node, "graph")
        if not isinstance(value, EnumValueNode) or value.value not in self.joins.graphs:
            told = value.value if isinstance(value, EnumValueNode) else "none"
            raise _invalid(f"@{node.name.value} on {where} names no known graph ({told}).")
        return value.value

    def field_set(self, node: ConstDirectiveNode, name: str, where: str) -> SelectionSetNode | None:
        text = string_argument(node, name)
        if text is None:
            return None
        try:
            return parse_field_set(text)
        except FieldSetSyntaxError as error:
            raise _invalid(f"@{node.name.value} on {where}: {name}: {error}") from None


def _flag(node: ConstDirectiveNode, name: str, default: bool) -> bool:
    value = argument(node, name)
    return value.value if isinstance(value, BooleanValueNode) else default


def _context_arguments(node: ConstDirectiveNode) -> tuple[str, ...]:
    value = argument(node, "contextArguments")
    if not isinstance(value, ListValueNode):
        return ()
    names = []
    for entry in value.values:
        if isinstance(entry, ObjectValueNode):
            names += [
                one.value.value
                for one in entry.fields
                if one.name.value == "name" and isinstance(one.value, StringValueNode)
            ]
    return tuple(names)


def _say_what_v01_leaves_unsaid(joins: Joins, nodes: Mapping[str, list[TypeSystemNode]], link: Link) -> None:
    """Federation 1: fields without terms are the owner's, and other graphs know their keys and requirements."""
    for name, parts in nodes.items():
        owners = [one for node in parts for one in applied(node, link.directive("owner"))]
        if not owners:
            continue
        owner = argument(owners[0], "graph")
        assert isinstance(owner, EnumValueNode)
        for node in parts:
            for member in members_of(node):
                joins.fields.setdefault((name, member.name.value), (FieldJoin(owner.value),))
        joins.types[name] = tuple(
            TypeJoin(join.graph, join.key, join.resolvable, join.graph != owner.value, join.is_interface_object)
            for join in joins.types[name]
        )
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


def _know(
    joins: Joins,
    nodes: Mapping[str, list[TypeSystemNode]],
    type_name: str,
    graph: str,
    selections: SelectionSetNode,
    external: bool,
) -> None:
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


def _field_type(nodes: Mapping[str, list[TypeSystemNode]], type_name: str, field_name: str) -> str:
    for node in nodes.get(type_name, ()):
        if isinstance(node, CompositeNode):
            for member in node.fields or ():
                if member.name.value == field_name:
                    return named_type(member.type)
    raise _invalid(f'a field set selects "{type_name}.{field_name}", which does not exist.')


def _invalid(message: str) -> SupergraphInvalid:
    return SupergraphInvalid([GatewayError(Code.SUPERGRAPH_INVALID, message)])
