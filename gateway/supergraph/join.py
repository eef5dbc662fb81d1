"""Reading the join specification, v0.1 to v0.5: which graph can serve what, and on what terms.

Versions differ in what they leave unsaid, and this module says it for them, so that planning sees one form:
- v0.1 (Federation 1) speaks of owners, see `join_v01`.
- before v0.2 nothing tells where an interface is implemented, before v0.3 nothing tells union members and enum
  values apart by graph: they are taken to be wherever their types are.
- from v0.3 on, `@join__field` without a graph says that no graph serves the field directly (it comes by way of an
  interface object).
"""

from __future__ import annotations

from collections.abc import Iterable

from graphql import (
    BooleanValueNode,
    ConstDirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    SelectionSetNode,
)

from gateway.language.selections import FieldSetSyntaxError, parse_field_set
from gateway.supergraph.contexts import read_context_arguments
from gateway.supergraph.elements import (
    CompositeNode,
    EnumNode,
    InputNode,
    Member,
    TypeSystemNode,
    UnionNode,
    applied,
    members_of,
    type_nodes,
)
from gateway.supergraph.join_v01 import say_what_v01_leaves_unsaid
from gateway.supergraph.joins import Joins, invalid
from gateway.supergraph.links import Link, argument, string_argument
from gateway.supergraph.model import FieldJoin, Graph, TypeJoin

__all__ = ["KNOWN_JOIN_VERSIONS", "read_joins"]

KNOWN_JOIN_VERSIONS = frozenset({(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)})


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
            say_what_v01_leaves_unsaid(self.joins, self.nodes, self.link)
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
            raise invalid(f'enum "{enum_name}" names no subgraph.')

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
            context_arguments=read_context_arguments(node, where),
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
            raise invalid(f"@{node.name.value} on {where} names no known graph ({told}).")
        return value.value

    def field_set(self, node: ConstDirectiveNode, name: str, where: str) -> SelectionSetNode | None:
        text = string_argument(node, name)
        if text is None:
            return None
        try:
            return parse_field_set(text)
        except FieldSetSyntaxError as error:
            raise invalid(f"@{node.name.value} on {where}: {name}: {error}") from None


def _flag(node: ConstDirectiveNode, name: str, default: bool) -> bool:
    value = argument(node, name)
    return value.value if isinstance(value, BooleanValueNode) else default
