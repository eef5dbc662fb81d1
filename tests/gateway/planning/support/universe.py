"""Consistent data for any supergraph, and subgraphs that serve only their part of it: the oracle of planning's tests.

Every value is worked out from what it belongs to (type, identity, field, arguments), so all subgraphs agree without
sharing state, and one schema that serves everything gives the answer that a right plan must give.

A subgraph is strict: it resolves entities only by its own keys, gives `@external` fields only when they were sent or
provided, and works out a field with `@requires` from what was *sent*, so that a wrong or missing requirement shows.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLType,
    GraphQLUnionType,
    Undefined,
    assert_valid_schema,
    is_abstract_type,
    is_composite_type,
    parse_type,
    type_from_ast,
)

from gateway.language.selections import field_paths
from gateway.query_graph.graph import QueryGraph
from gateway.query_graph.moves import Node
from gateway.query_graph.selection import SelectionSet
from gateway.supergraph.model import Supergraph

__all__ = ["Thing", "Universe"]

INSTANCES = 3
"""Entities of each type."""
ROOTS = frozenset({"Query", "Mutation", "Subscription"})


def number(*parts: Any) -> int:
    return zlib.crc32("/".join(str(one) for one in parts).encode())


@dataclass(frozen=True)
class Thing:
    """An object: its real type and what it is."""

    type: str
    id: str
    known: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)
    """In a subgraph: what a representation or a `@provides` brought."""
    copy: int = field(default=0, compare=False)
    as_interface: str | None = field(default=None, compare=False)


class Universe:
    def __init__(self, supergraph: Supergraph, graph: QueryGraph, labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self.graph = graph
        self.labels = labels
        self.schema = supergraph.schema
        self.entities = sorted(
            name
            for name, joins in supergraph.type_joins.items()
            if any(join.key is not None for join in joins)
            and isinstance(self.schema.type_map.get(name), GraphQLObjectType)
        )
        self.instances = {name: [Thing(name, f"{name}-{n}") for n in range(INSTANCES)] for name in self.entities}
        self._subgraphs: dict[str, GraphQLSchema] = {}
        self.broken: frozenset[tuple[str, str]] = frozenset()
        """(type, field): raises, in the single schema and in every subgraph."""

    def break_fields(self, random: Random) -> None:
        """Break some fields that nothing else is worked out from: no key, nothing required, nothing provided."""
        plain = [
            coordinate
            for coordinate, joins in sorted(self.supergraph.field_joins.items())
            if coordinate[0] not in ROOTS
            and not any(join.external or join.requires for join in joins)
            and coordinate[1] not in self._key_fields
        ]
        self.broken = frozenset(random.sample(plain, min(len(plain), random.randint(1, 3))))

    @cached_property
    def _key_fields(self) -> frozenset[str]:
        keys = [join.key for joins in self.supergraph.type_joins.values() for join in joins if join.key is not None]
        return frozenset(name for key in keys for path in field_paths(key) for name in path)

    # Values

    def value(self, thing: Thing, name: str, arguments: Mapping[str, Any]) -> Any:
        """The one true value of a field."""
        parent = self.schema.type_map[thing.type]
        assert isinstance(parent, GraphQLObjectType)
        requires = self._requires(thing.type, name)
        seed: tuple[Any, ...] = (thing.id, name, sorted(arguments.items()))
        if requires is not None:
            seed = (*seed, self.read(thing, requires))
        return self._make(parent.fields[name].type, seed, self._possible(thing.type, name), nullable=True)

    def _requires(self, type_name: str, name: str) -> SelectionSet | None:
        for graph in self.supergraph.graphs:
            for move in self._moves(graph, type_name, name):
                if move.requires is not None:
                    return move.requires
        return None

    def _moves(self, graph: str, type_name: str, name: str) -> list[Any]:
        kind = self.schema.type_map[type_name]
        names = [type_name]
        if isinstance(kind, GraphQLObjectType):
            names += [one.name for one in kind.interfaces]
        found = []
        for one in names:
            if one == type_name or self.graph.kind(Node(graph, one)) == "interface_object":
                move = self.graph.field(Node(graph, one), name, self.labels)
                if move is not None:
                    found.append(move)
        return found

    def read(self, thing: Thing, selections: SelectionSet) -> Any:
        """A field set's values as plain JSON; `known` values go before the true ones."""
        found: dict[str, Any] = {}
        for one in selections.for_type(thing.type):
            if one.name == "__typename":
                continue
            arguments = self._defaults(thing.type, one.name) | _arguments(one.node, one.arguments)
            found[one.name] = self._plain(self.value(thing, one.name, arguments), one.children)
        return found

    def _defaults(self, type_name: str, name: str) -> dict[str, Any]:
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        arguments = parent.fields[name].args
        return {key: one.default_value for key, one in arguments.items() if one.default_value is not Undefined}

    def _plain(self, value: Any, children: SelectionSet | None) -> Any:
        if isinstance(value, list):
            return [self._plain(one, children) for one in value]
        if isinstance(value, Thing):
            return self.read(value, children or SelectionSet(()))
        return value

    def _possible(self, type_name: str, name: str) -> frozenset[str] | None:
        """Object types that every graph serving the field knows."""
        found: frozenset[str] | None = None
        for graph in self.supergraph.graphs:
            for move in self._moves(graph, type_name, name):
                if not move.is_leaf:
                    here = self.graph.possible(move.target)
                    found = here if found is None else found & here
        return found

    def _make(self, kind: GraphQLType, seed: tuple[Any, ...], possible: frozenset[str] | None, nullable: bool) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._make(kind.of_type, seed, possible, nullable=False)
        if nullable and self._nullable_everywhere(seed) and number("null", *seed) % 11 == 0:
            return None
        if isinstance(kind, GraphQLList):
            length = number("length", *seed) % 3 + 1
            return [self._make(kind.of_type, (*seed, place), possible, nullable) for place in range(length)]
        assert isinstance(kind, GraphQLNamedType)
        if is_composite_type(kind):
            names = sorted(possible or frozenset((kind.name,)))
            return self._object(names[number("type", *seed) % len(names)], seed)
        return self._scalar(kind, seed)

    @staticmethod
    def _nullable_everywhere(seed: tuple[Any, ...]) -> bool:
        """Names tell: fields that may be null are called `maybe…` in the tests' schemas."""
        return str(seed[1]).startswith("maybe")

    def _object(self, type_name: str, seed: tuple[Any, ...]) -> Thing:
        if type_name in self.instances:
            # A key that names another entity must be as unique as the entity: the n-th has the n-th.
            owner = str(seed[0])
            place = int(owner.rsplit("-", 1)[1]) if owner.rsplit("-", 1)[-1].isdigit() and len(seed) <= 3 else -1
            place = number("entity", *seed) if place < 0 else place
            return self.instances[type_name][place % INSTANCES]
        return Thing(type_name, f"{type_name}({'/'.join(str(one) for one in seed)})")

    @staticmethod
    def _scalar(kind: GraphQLNamedType, seed: tuple[Any, ...]) -> Any:
        match kind.name:
            case "Int":
                return number("int", *seed) % 1_000_000
            case "Float":
                return float(number("float", *seed) % 1000)
            case "Boolean":
                return number("bool", *seed) % 2 == 0
        if isinstance(kind, GraphQLEnumType):
            names = sorted(kind.values)
            return names[number("enum", *seed) % len(names)]
        return "|".join(str(one) for one in seed)

    # The single schema

    def single_schema(self) -> GraphQLSchema:
        """One schema that serves everything."""
        builder = _SchemaBuilder(self, None)
        return builder.build()

    def subgraph(self, graph: str) -> GraphQLSchema:
        if graph not in self._subgraphs:
            self._subgraphs[graph] = _SchemaBuilder(self, graph).build()
        return self._subgraphs[graph]

    def find(self, graph: str, representation: Mapping[str, Any]) -> Thing | None:
        """The entity a representation names, by one of this graph's keys."""
        asked = representation["__typename"]
        candidates = [one for name in self._types_of(asked) for one in self.instances.get(name, ())]
        keys = [
            move.key
            for move in self.graph.key_moves_of[asked]
            if move.target.graph == graph and move.target.type == asked
        ]
        for key in keys:
            for thing in candidates:
                if _holds(representation, self.read(thing, key)):
                    known = {name: value for name, value in representation.items() if name != "__typename"}
                    return Thing(thing.type, thing.id, known, 0, self._interface(graph, asked))
        raise ValueError(f"{graph} knows no entity {representation!r}")

    def _interface(self, graph: str, asked: str) -> str | None:
        return asked if self.graph.kind(Node(graph, asked)) == "interface_object" else None

    def _types_of(self, name: str) -> frozenset[str]:
        return self.graph.types.possible(name)


def _holds(representation: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    for name, value in wanted.items():
        if name not in representation:
            return False
        sent = representation[name]
        if isinstance(value, dict) and isinstance(sent, dict):
            if not _holds(sent, value):
                return False
        elif sent != value:
            return False
    return True


def _arguments(node: Any, text: str) -> dict[str, Any]:
    if not text:
        return {}
    from graphql import parse_value, value_from_ast_untyped

    return value_from_ast_untyped(parse_value("{" + text + "}"))  # type: ignore[no-any-return]


class _SchemaBuilder:
    """A graphql-core schema of one graph, or (graph None) of everything."""

    def __init__(self, universe: Universe, graph: str | None) -> None:
        self.universe = universe
        self.graph = graph
        self.types: dict[str, GraphQLNamedType] = {}

    def build(self) -> GraphQLSchema:
        schema = self.universe.schema
        for name, kind in schema.type_map.items():
            if name.startswith("__") or not is_composite_type(kind) or not self.knows(name):
                continue
            self.types[name] = self.composite(kind)
        roots = {name: self.types.get(name) for name in ROOTS}
        query = roots["Query"]
        if self.graph is not None:
            query = self.with_entities(query)
        known = [one for name, one in self.types.items() if name not in ROOTS]
        built = GraphQLSchema(
            query=query,  # type: ignore[arg-type]
            mutation=roots["Mutation"],  # type: ignore[arg-type]
            subscription=roots["Subscription"],  # type: ignore[arg-type]
            types=known,
        )
        assert_valid_schema(built)
        return built

    def knows(self, name: str) -> bool:
        if self.graph is None:
            return True
        node = Node(self.graph, name)
        return self.universe.graph.kind(node) != "leaf" and bool(
            self.universe.graph.field_moves.get(node)
            or self.externals(name)
            or name in self.universe.supergraph.union_members
        )

    def externals(self, name: str) -> list[str]:
        return [
            field_name
            for (type_name, field_name), joins in self.universe.supergraph.field_joins.items()
            if type_name == name and any(join.graph == self.graph and join.external for join in joins)
        ]

    def composite(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        name = kind.name
        is_io = self.graph is not None and self.universe.graph.kind(Node(self.graph, name)) == "interface_object"
        if isinstance(kind, GraphQLUnionType):
            members = self.members(name, [one.name for one in kind.types])
            return GraphQLUnionType(
                name,
                lambda: [self.types[one] for one in members],
                resolve_type=self.resolve_type,  # type: ignore[misc]
            )
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        interfaces = [one.name for one in kind.interfaces]
        if self.graph is not None:
            here = self.universe.supergraph.implements.get(name, {}).get(self.graph, frozenset())
            interfaces = [one for one in interfaces if one in here]
        if isinstance(kind, GraphQLInterfaceType) and not is_io:
            return GraphQLInterfaceType(
                name,
                lambda: self.fields(kind),
                interfaces=lambda: [self.types[one] for one in interfaces],  # type: ignore[misc]
                resolve_type=self.resolve_type,
            )
        return GraphQLObjectType(
            name,
            lambda: self.fields(kind),
            interfaces=lambda: [self.types[one] for one in interfaces],  # type: ignore[misc]
        )

    def members(self, name: str, all_members: list[str]) -> list[str]:
        if self.graph is None:
            return all_members
        here = self.universe.supergraph.union_members[name].get(self.graph, frozenset())
        return [one for one in all_members if one in here]

    def resolve_type(self, value: Thing, info: GraphQLResolveInfo, kind: Any) -> str:
        return value.as_interface or value.type

    def fields(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> dict[str, GraphQLField]:
        found: dict[str, GraphQLField] = {}
        for name, one in kind.fields.items():
            output = self.output(kind.name, name, one.type)
            if output is None:
                continue
            arguments = {
                key: GraphQLArgument(each.type, default_value=each.default_value) for key, each in one.args.items()
            }
            found[name] = GraphQLField(
                output, arguments, resolve=self.resolver(kind.name, name), subscribe=self.subscriber(kind.name, name)
            )
        return found

    def output(self, type_name: str, name: str, merged: GraphQLOutputType) -> GraphQLOutputType | None:
        if self.graph is None:
            return self.own(str(merged))
        joins = self.universe.supergraph.field_joins.get((type_name, name))
        join = next((one for one in joins or () if one.graph == self.graph), None)
        if joins is not None and join is None:
            return None
        written = join.type if join is not None and join.type is not None else str(merged)
        return self.own(written)

    def own(self, written: str) -> GraphQLOutputType:
        def build(node: Any) -> Any:
            if node.kind == "non_null_type":
                return GraphQLNonNull(build(node.type))
            if node.kind == "list_type":
                return GraphQLList(build(node.type))
            return self.types.get(node.name.value) or type_from_ast(self.universe.schema, node)

        return build(parse_type(written))  # type: ignore[no-any-return]

    def subscriber(self, type_name: str, name: str) -> Callable[..., Any] | None:
        if type_name != "Subscription":
            return None

        async def events(root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
            yield None

        return events

    def resolver(self, type_name: str, name: str) -> Callable[..., Any]:
        universe, graph = self.universe, self.graph

        def resolve(parent: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
            thing = parent if isinstance(parent, Thing) else Thing(type_name, type_name)
            if (thing.type, name) in universe.broken:
                raise ValueError(f"{thing.type}.{name} is broken")
            if graph is None:
                return universe.value(thing, name, arguments)
            place = Node(graph, thing.as_interface or thing.type, thing.copy)
            move = universe.graph.field(place, name, universe.labels)
            if move is None:
                if name in thing.known:
                    return thing.known[name]
                raise ValueError(f"{graph} was asked for {thing.type}.{name}, which it does not serve here")
            if move.requires is not None:
                _check_sent(universe, thing, move.requires)
            return self.hand_on(universe.value(thing, name, arguments), move)

        return resolve

    def hand_on(self, value: Any, move: Any) -> Any:
        if isinstance(value, list):
            return [self.hand_on(one, move) for one in value]
        if not isinstance(value, Thing):
            return value
        target: Node = move.target
        kind = self.universe.graph.kind(target)
        if kind == "interface_object":
            return Thing(value.type, value.id, {}, target.copy, target.type)
        narrowed = self.universe.graph.downcast(target, value.type) if kind == "abstract" else target
        return Thing(value.type, value.id, {}, narrowed.copy)

    # Entities

    def with_entities(self, query: Any) -> GraphQLObjectType:
        entities = [
            one
            for name, one in self.types.items()
            if isinstance(one, GraphQLObjectType)
            and any(
                join.graph == self.graph and join.key is not None
                for join in self.universe.supergraph.type_joins.get(name, ())
            )
        ]
        fields = dict(query.fields) if query is not None else {}
        interfaces = self.entity_interfaces()
        members = entities + [
            self.types[name]
            for name in interfaces
            if self.types[name] not in entities  # type: ignore[comparison-overlap]
        ]
        if members:
            any_scalar = GraphQLScalarType("_Any")
            union = GraphQLUnionType("_Entity", entities, resolve_type=self.resolve_type)
            fields["_entities"] = GraphQLField(
                GraphQLNonNull(GraphQLList(union)),
                {"representations": GraphQLArgument(GraphQLNonNull(GraphQLList(GraphQLNonNull(any_scalar))))},
                resolve=self.resolve_entities,
            )
        if not fields:
            fields["_nothing"] = GraphQLField(GraphQLString)
        return GraphQLObjectType("Query", fields)

    def entity_interfaces(self) -> list[str]:
        return [
            name
            for name, one in self.types.items()
            if is_abstract_type(one)
            and any(
                join.graph == self.graph and join.key is not None
                for join in self.universe.supergraph.type_joins.get(name, ())
            )
        ]

    def resolve_entities(self, root: Any, info: GraphQLResolveInfo, representations: list[Any]) -> list[Thing | None]:
        assert self.graph is not None
        return [self.universe.find(self.graph, one) for one in representations]


def _check_sent(universe: Universe, thing: Thing, requires: SelectionSet) -> None:
    true = universe.read(Thing(thing.type, thing.id), requires)
    if not _same(true, thing.known):
        raise ValueError(f"{thing.id}: required {true!r}, sent {dict(thing.known)!r}")


def _same(true: Any, sent: Any) -> bool:
    if isinstance(true, dict):
        return isinstance(sent, Mapping) and all(
            name in sent and _same(value, sent[name]) for name, value in true.items()
        )
    if isinstance(true, list):
        return isinstance(sent, list) and len(true) == len(sent) and all(map(_same, true, sent))
    return bool(true == sent)
