"""Supergraph → query graph.

Who serves a field: the graphs its `@join__field`s name, or, without any, every graph that has the type. A field that
is `@external` in a graph is not served there, except where it is part of a key: an entity is never sent without its
key, so the graph can always give that back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    SelectionSetNode,
    is_composite_type,
)

from gateway.language.selections import print_selection_set
from gateway.query_graph.graph import QueryGraph
from gateway.query_graph.moves import ROOT, FieldMove, KeyMove, Kind, Label, Node
from gateway.query_graph.selection import TYPENAME, Flattener, Selected, SelectionSet, TypeTable
from gateway.supergraph.model import ContextArgument, FieldJoin, Supergraph

__all__ = ["build_query_graph"]


def build_query_graph(supergraph: Supergraph) -> QueryGraph:
    return _Builder(supergraph).build()


@dataclass
class _Builder:
    supergraph: Supergraph
    kinds: dict[tuple[str, str], Kind] = field(default_factory=dict)
    moves: dict[Node, dict[str, tuple[FieldMove, ...]]] = field(default_factory=dict)
    unsupported: dict[tuple[str, str], str] = field(default_factory=dict)
    key_fields: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(graph, type) → fields that stand in one of its keys."""
    copies: int = 0

    def __post_init__(self) -> None:
        self.types = TypeTable(self.supergraph.schema)
        self.flattener = Flattener(self.types)

    def build(self) -> QueryGraph:
        self.read_kinds()
        for (graph, type_name), kind in self.kinds.items():
            if kind != "leaf":
                self.note_keys(graph, type_name)
        provided: list[tuple[FieldJoin, str, str]] = []
        for (graph, type_name), kind in self.kinds.items():
            if kind != "leaf":
                provided += self.add_fields(graph, type_name)
        for join, type_name, field_name in provided:
            self.add_copy(join, type_name, field_name)
        self.add_root()
        return QueryGraph(
            types=self.types,
            kinds=self.kinds,
            possible_in=dict(self.possible_in()),
            field_moves=self.moves,
            key_moves_of={name: tuple(self.key_moves(name)) for name in self.supergraph.type_joins},
            unsupported=self.unsupported,
            context_setters=dict(self.context_setters()),
            contextual=self.contextual(),
        )

    def read_kinds(self) -> None:
        for name, joins in self.supergraph.type_joins.items():
            kind = self.supergraph.schema.type_map.get(name)
            if kind is None or not is_composite_type(kind):
                continue
            for join in joins:
                if join.is_interface_object:
                    self.kinds[join.graph, name] = "interface_object"
                elif isinstance(kind, GraphQLObjectType):
                    self.kinds[join.graph, name] = "object"
                else:
                    self.kinds[join.graph, name] = "abstract"

    def possible_in(self) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
        for (graph, name), kind in self.kinds.items():
            if kind != "abstract":
                continue
            if name in self.supergraph.union_members:
                yield (graph, name), self.supergraph.union_members[name].get(graph, frozenset())
            else:
                yield (
                    (graph, name),
                    frozenset(
                        one
                        for one in self.types.possible(name)
                        if name in self.supergraph.implements.get(one, {}).get(graph, ())
                        and self.kinds.get((graph, one)) == "object"
                    ),
                )

    # Keys

    def note_keys(self, graph: str, type_name: str) -> None:
        for join in self.supergraph.type_joins[type_name]:
            if join.graph == graph and join.key is not None:
                self.note_key(graph, type_name, join.key)

    def note_key(self, graph: str, type_name: str, key: SelectionSetNode) -> None:
        for one in self.flattener.flatten(key, type_name).fields:
            self.note_key_field(graph, type_name, one.name, one.children)

    def note_key_field(self, graph: str, type_name: str, name: str, below: SelectionSet | None) -> None:
        names = {type_name} | (self.types.possible(type_name) if self.types.is_abstract(type_name) else set())
        for one in names:
            self.key_fields.setdefault((graph, one), set()).add(name)
        if below is not None:
            inner = self.types.field_type(type_name, name)
            for one_below in below.fields:
                self.note_key_field(graph, inner, one_below.name, one_below.children)

    def key_moves(self, type_name: str) -> Iterator[KeyMove]:
        """To graphs that have the type itself, then to those that have one of its interfaces as an object."""
        yield from self.keys_of(type_name, type_name)
        yield from self.roots_of(type_name)
        kind = self.supergraph.schema.type_map.get(type_name)
        if isinstance(kind, GraphQLObjectType):
            for interface in kind.interfaces:
                for move in self.keys_of(interface.name, interface.name):
                    if self.kinds[move.target.graph, interface.name] == "interface_object":
                        yield move

    def roots_of(self, type_name: str) -> Iterator[KeyMove]:
        """Whoever holds the query root (a field may give it) can ask any graph for its own."""
        root = self.supergraph.schema.query_type
        if root is not None and type_name == root.name:
            for join in self.supergraph.type_joins.get(type_name, ()):
                yield KeyMove(Node(join.graph, type_name), SelectionSet(()), "", type_name)

    def keys_of(self, type_name: str, send_typename: str) -> Iterator[KeyMove]:
        for join in self.supergraph.type_joins.get(type_name, ()):
            if join.key is not None and join.resolvable and (join.graph, type_name) in self.kinds:
                yield KeyMove(
                    Node(join.graph, type_name),
                    self.flattener.flatten(join.key, type_name),
                    print_selection_set(join.key),
                    send_typename,
                )

    # Fields

    def joins(self, graph: str, type_name: str, field_name: str) -> Iterator[FieldJoin]:
        joins = self.supergraph.field_joins.get((type_name, field_name))
        if joins is None:
            yield FieldJoin(graph)
        else:
            yield from (join for join in joins if join.graph == graph)

    def add_fields(self, graph: str, type_name: str) -> Iterator[tuple[FieldJoin, str, str]]:
        """Adds the plain moves; gives those that provide, which need copies of nodes that are not all there yet."""
        kind = self.supergraph.schema.type_map[type_name]
        found: dict[str, tuple[FieldMove, ...]] = {}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name in kind.fields:
                for join in self.joins(graph, type_name, name):
                    if join.context_arguments and graph in self.supergraph.partitions:
                        self.unsupported[type_name, name] = (
                            "it takes an argument from a context (@fromContext) in a partitioned graph"
                        )
                    elif self.is_served(join, graph, type_name, name):
                        found[name] = (*found.get(name, ()), self.move(join, type_name, name))
                        if join.provides is not None:
                            yield join, type_name, name
        self.moves[Node(graph, type_name)] = found

    def is_served(self, join: FieldJoin, graph: str, type_name: str, name: str) -> bool:
        if name in self.key_fields.get((graph, type_name), ()):
            return True
        # Of a labelled override the label decides, whatever else the loser needs the field for.
        is_lost = join.used_overridden and join.override_label is None
        return not join.external and not is_lost

    def move(self, join: FieldJoin, type_name: str, name: str) -> FieldMove:
        kind = self.supergraph.schema.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        written = join.type or str(kind.fields[name].type)
        target = written.replace("[", "").replace("]", "").replace("!", "")
        label = None
        if join.override_label is not None:
            label = Label(join.override_label, join.override_from is not None)
        requires = None
        if join.requires is not None:
            requires = self.with_types(self.flattener.flatten(join.requires, type_name), join.graph)
        return FieldMove(
            name=name,
            target=Node(join.graph, target),
            type=written,
            list_depth=written.count("["),
            is_leaf=not is_composite_type(self.supergraph.schema.type_map[target]),
            requires=requires,
            requires_text=print_selection_set(join.requires),
            label=label,
            context_arguments=join.context_arguments,
            is_gathered=self.is_gathered(join.graph, type_name, name),
        )

    def is_gathered(self, graph: str, type_name: str, name: str) -> bool:
        partitioning = self.supergraph.partitions.get(graph)
        return (
            partitioning is not None
            and (graph, type_name) in self.key_fields
            and type_name not in partitioning.types
            and (type_name, name) in partitioning.gathers
        )

    def with_types(self, selections: SelectionSet, graph: str) -> SelectionSet:
        """A graph that is sent an object of an abstract type is told its real type, so somebody must be asked for it."""
        return SelectionSet(tuple(self.with_types_below(one, graph) for one in selections.fields))

    def with_types_below(self, one: Selected, graph: str) -> Selected:
        if one.children is None:
            return one
        below = self.with_types(one.children, graph)
        inner = self.types.field_type(one.on, one.name)
        if self.kinds.get((graph, inner)) == "abstract":
            typename = Selected(TYPENAME, TYPENAME, inner, None, signature=TYPENAME)
            below = SelectionSet((typename, *below.fields))
        return one.with_children(below)

    # Contexts

    def context_setters(self) -> Iterator[tuple[str, frozenset[str]]]:
        """A root of changes or events sets none: nothing is read from it twice."""
        schema = self.supergraph.schema
        changing = {one.name for one in (schema.mutation_type, schema.subscription_type) if one is not None}
        for context, names in self.supergraph.contexts.items():
            yield context, frozenset().union(*(self.types.possible(name) for name in names)) - changing

    def contextual(self) -> dict[tuple[str, str], tuple[ContextArgument, ...]]:
        """What an interface object takes, it takes for all types behind it."""
        found: dict[tuple[str, str], tuple[ContextArgument, ...]] = {}
        for (type_name, name), joins in self.supergraph.field_joins.items():
            taken = tuple(one for join in joins for one in join.context_arguments)
            for possible in self.types.possible(type_name) if taken else ():
                found[possible, name] = (*found.get((possible, name), ()), *taken)
        return found

    # Copies

    def add_copy(self, join: FieldJoin, type_name: str, field_name: str) -> None:
        assert join.provides is not None
        node = Node(join.graph, type_name)
        moves = self.moves[node][field_name]
        self.moves[node][field_name] = tuple(
            self.with_target(move, self.copy(move.target, join.provides)) for move in moves
        )

    def copy(self, node: Node, provides: SelectionSetNode) -> Node:
        """A copy of `node` that serves the provided fields too."""
        self.copies += 1
        return self.fill_copy(Node(node.graph, node.type, self.copies), provides)

    def fill_copy(self, node: Node, provides: SelectionSetNode) -> Node:
        plain = Node(node.graph, node.type)
        moves = self.moves.setdefault(node, dict(self.moves.get(plain, {})))
        for selection in provides.selections:
            if isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition.name.value if selection.type_condition else node.type
                self.fill_copy(Node(node.graph, condition, node.copy), selection.selection_set)
                continue
            name = selection.name.value  # type: ignore[attr-defined]
            if name == TYPENAME:
                continue
            joins = self.supergraph.field_joins.get((node.type, name), (FieldJoin(node.graph),))
            join = next((one for one in joins if one.graph == node.graph), FieldJoin(node.graph))
            move = self.move(FieldJoin(node.graph, type=join.type), node.type, name)
            below = selection.selection_set  # type: ignore[attr-defined]
            moves[name] = (move if below is None else self.with_target(move, self.copy(move.target, below)),)
        self.spread_over_types(node, provides)
        return node

    def spread_over_types(self, node: Node, provides: SelectionSetNode) -> None:
        """What an interface provides, each of its types provides."""
        if self.kinds.get((node.graph, node.type)) != "abstract":
            return
        own = [one for one in provides.selections if not isinstance(one, InlineFragmentNode)]
        if own:
            for name in sorted(self.types.possible(node.type)):
                if self.kinds.get((node.graph, name)) == "object":
                    self.fill_copy(Node(node.graph, name, node.copy), SelectionSetNode(selections=tuple(own)))

    @staticmethod
    def with_target(move: FieldMove, target: Node) -> FieldMove:
        return replace(move, target=target)

    # The beginning

    def add_root(self) -> None:
        """From nowhere to each graph that serves a root field: `ROOT/Query` has the moves of all graphs, by graph."""
        schema = self.supergraph.schema
        for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
            if root is None:
                continue
            found: dict[str, tuple[FieldMove, ...]] = {}
            for name in root.fields:
                found[name] = tuple(
                    move
                    for graph in self.supergraph.graphs
                    for move in self.moves.get(Node(graph, root.name), {}).get(name, ())
                )
            self.moves[Node(ROOT, root.name)] = found
