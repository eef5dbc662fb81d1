"""Subgraph SDLs → a `Supergraph`, for tests of planning alone: no checks, no hints, just the records planning reads.

Composition proper lives in the product and has tests of its own; planning's tests stay independent of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NonNullTypeNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_schema,
    parse,
    print_ast,
    value_from_ast_untyped,
)

from gateway.language.selections import parse_field_set
from gateway.supergraph.model import (
    FieldJoin,
    Fold,
    FoldKind,
    Gather,
    GatherKind,
    Graph,
    Partitioned,
    Partitioning,
    Route,
    Supergraph,
    TypeJoin,
)

__all__ = ["compose_for_test"]

ROOTS = ("Query", "Mutation", "Subscription")


def compose_for_test(subgraphs: Mapping[str, str]) -> Supergraph:
    return _Composer({name: parse(sdl, no_location=True) for name, sdl in subgraphs.items()}).compose()


def _definitions(document: DocumentNode) -> Iterator[Any]:
    for node in document.definitions:
        if node.kind.endswith("_type_definition") or node.kind.endswith("_type_extension"):
            yield node


def _applied(node: Any, name: str) -> list[dict[str, Any]]:
    found: Iterable[DirectiveNode] = [one for one in node.directives or () if one.name.value == name]
    return [{one.name.value: value_from_ast_untyped(one.value) for one in each.arguments} for each in found]


class _Composer:
    def __init__(self, documents: Mapping[str, DocumentNode]) -> None:
        self.documents = {name.upper(): document for name, document in documents.items()}
        self.graphs = {name.upper(): Graph(name.upper(), name, "") for name in documents}
        self.type_joins: dict[str, list[TypeJoin]] = {}
        self.fields: dict[str, dict[str, dict[str, FieldDefinitionNode]]] = {}
        self.joins: dict[tuple[str, str], list[FieldJoin]] = {}
        self.kinds: dict[str, str] = {}
        self.implements: dict[str, dict[str, frozenset[str]]] = {}
        self.unions: dict[str, dict[str, frozenset[str]]] = {}
        self.others: dict[str, str] = {}
        self.partitions: dict[str, Partitioning] = {}

    def compose(self) -> Supergraph:
        for graph, document in self.documents.items():
            for node in _definitions(document):
                self.read(graph, node)
        self.spread_interface_objects()
        self.apply_overrides()
        schema = self.schema()
        return Supergraph(
            graphs=self.graphs,
            schema=schema,
            api_schema=schema,
            type_joins={name: tuple(joins) for name, joins in self.type_joins.items()},
            field_joins={key: tuple(joins) for key, joins in self.joins.items()},
            implements=self.implements,
            union_members=self.unions,
            enum_values={},
            partitions=self.partitions,
            version="test",
        )

    def read(self, graph: str, node: Any) -> None:
        name = node.name.value
        if isinstance(node, UnionTypeDefinitionNode):
            self.unions.setdefault(name, {})[graph] = frozenset(one.name.value for one in node.types)
            self.type_joins.setdefault(name, []).append(TypeJoin(graph))
        elif isinstance(node, ScalarTypeDefinitionNode | EnumTypeDefinitionNode | InputObjectTypeDefinitionNode):
            self.others[name] = print_ast(node)
        else:
            self.read_composite(graph, name, node)

    def read_composite(self, graph: str, name: str, node: Any) -> None:
        is_io = bool(_applied(node, "interfaceObject"))
        if isinstance(node, InterfaceTypeDefinitionNode) or is_io:
            self.kinds[name] = "interface"
        self.kinds.setdefault(name, "type")
        keys = _applied(node, "key")
        self.type_joins.setdefault(name, []).extend(
            [TypeJoin(graph, parse_field_set(key["fields"]), key.get("resolvable", True), False, is_io) for key in keys]
            or [TypeJoin(graph, is_interface_object=is_io)]
        )
        if node.interfaces:
            self.implements.setdefault(name, {})[graph] = frozenset(one.name.value for one in node.interfaces)
        for one in node.fields or ():
            self.read_field(graph, name, one)
        self.read_partition(graph, name, node)

    def read_field(self, graph: str, type_name: str, node: FieldDefinitionNode) -> None:
        name = node.name.value
        self.fields.setdefault(type_name, {}).setdefault(name, {})[graph] = node
        requires, provides, override = (_applied(node, one) for one in ("requires", "provides", "override"))
        self.joins.setdefault((type_name, name), []).append(
            FieldJoin(
                graph=graph,
                requires=parse_field_set(requires[0]["fields"]) if requires else None,
                provides=parse_field_set(provides[0]["fields"]) if provides else None,
                external=bool(_applied(node, "external")),
                type=print_ast(node.type),
                override_from=override[0]["from"].upper() if override else None,
                override_label=override[0].get("label") if override else None,
            )
        )

    def apply_overrides(self) -> None:
        for key, joins in self.joins.items():
            for winner in [one for one in joins if one.override_from is not None]:
                self.joins[key] = [self.overridden(one, winner) for one in self.joins[key]]
                self.joins[key] = [one for one in self.joins[key] if one is not None]

    @staticmethod
    def overridden(one: FieldJoin, winner: FieldJoin) -> Any:
        if one.graph != winner.override_from:
            return one
        if winner.override_label is None:
            return None
        return FieldJoin(one.graph, one.requires, one.provides, one.external, one.type, None, winner.override_label)

    def spread_interface_objects(self) -> None:
        for name in [one for one, joins in self.type_joins.items() if any(join.is_interface_object for join in joins)]:
            for type_name, by_graph in self.implements.items():
                if any(name in interfaces for interfaces in by_graph.values()):
                    for field_name, nodes in self.fields[name].items():
                        self.fields[type_name].setdefault(field_name, nodes)
                        self.joins.setdefault((type_name, field_name), [])

    # Partitions

    def read_partition(self, graph: str, name: str, node: Any) -> None:
        at = self.partitions.get(graph) or Partitioning(graph, {}, {}, {}, {})
        types, routes, gathers, folds = dict(at.types), dict(at.routes), dict(at.gathers), dict(at.folds)
        for one in _applied(node, "partitioned"):
            types[name] = Partitioned(one["key"], None if one.get("whole") else one["segment"])
        for each in node.fields or ():
            key = (name, each.name.value)
            for one in _applied(each, "route"):
                routes[key] = Route(tuple(one["argument"].split(".")))
            for one in _applied(each, "gather"):
                prune = tuple(tuple(path.split(".")) for path in one.get("prune", ()))
                gathers[key] = Gather(GatherKind(one["as"]), tuple(one.get("by", ())), one.get("order"), prune)
            for one in _applied(each, "fold"):
                folds[key] = Fold(FoldKind(one["with"]))
        if types or routes or gathers or folds:
            self.partitions[graph] = Partitioning(graph, types, routes, gathers, folds)

    # The merged schema

    def schema(self) -> GraphQLSchema:
        parts = list(self.others.values())
        for name, by_graph in self.unions.items():
            parts.append(f"union {name} = {' | '.join(sorted(frozenset().union(*by_graph.values())))}")
        for name, kind in self.kinds.items():
            interfaces = sorted(frozenset().union(*self.implements.get(name, {}).values()))
            head = f" implements {' & '.join(interfaces)}" if interfaces else ""
            fields = "\n".join(self.field_text(name, one) for one in self.fields[name])
            parts.append(f"{kind} {name}{head} {{\n{fields}\n}}")
        return build_schema("\n".join(parts), assume_valid_sdl=True)

    def field_text(self, type_name: str, name: str) -> str:
        nodes = self.fields[type_name][name]
        first = next(iter(nodes.values()))
        types = [node.type for node in nodes.values()]
        nullable = [one for one in types if not isinstance(one, NonNullTypeNode)]
        written = print_ast(nullable[0] if nullable else types[0])
        arguments = ", ".join(print_ast(one) for one in first.arguments or ())
        return f"{name}{f'({arguments})' if arguments else ''}: {written}"
