"""The query graph: which moves between subgraphs are legal.

An operation is answered by moving through nodes. A node is "an object of type T in the answer of graph G"; moves are
- *field moves*: G serves a field of T itself (with `@requires` or `@fromContext`: only when it was sent what it needs);
- *key moves*: the same entity can be asked for in another graph (or again in this one) by one of its keys, and the
  query root, where a field gives it, in any graph by none;
- *downcasts*: an abstract type in G may at run time be one of the object types that G knows for it;
- *interface objects*: a graph that has an interface as if it were an object serves fields for all its types;
- *copies*: below a field with `@provides`, nodes that serve a few fields more than their plain selves.

Whether a move is *affordable* is not said here: collecting a key may take moves of its own. That is planning's work.
The graph is made once for a supergraph, and is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.query_graph.moves import ROOT, FieldMove, KeyMove, Kind, Node
from gateway.query_graph.selection import TypeTable
from gateway.supergraph.model import ContextArgument

__all__ = ["QueryGraph"]


@dataclass(frozen=True)
class QueryGraph:
    """`build_query_graph` makes it."""

    types: TypeTable
    """Of the merged schema, inaccessible elements included."""
    kinds: Mapping[tuple[str, str], Kind]
    """(graph, type) → what the type is in that graph; absent: unknown there."""
    possible_in: Mapping[tuple[str, str], frozenset[str]]
    """(graph, abstract type) → the object types it may be in that graph's answers."""
    field_moves: Mapping[Node, Mapping[str, tuple[FieldMove, ...]]]
    """Several moves of one name differ by label."""
    key_moves_of: Mapping[str, tuple[KeyMove, ...]]
    """Type → every graph that can be asked for it, once for each key."""
    unsupported: Mapping[tuple[str, str], str]
    """(type, field) → why no plan may use it."""
    context_setters: Mapping[str, frozenset[str]]
    """Context → the object types that set it."""
    contextual: Mapping[tuple[str, str], tuple[ContextArgument, ...]]
    """(object type, field) → arguments that some graph takes from a context."""

    def kind(self, node: Node) -> Kind:
        if node.graph == ROOT:
            return "object"
        return self.kinds.get((node.graph, node.type), "leaf")

    def field(self, node: Node, name: str, labels: frozenset[str]) -> FieldMove | None:
        """The graph's own way to the field, if there is one while `labels` are in force."""
        for move in self.field_moves.get(node, {}).get(name, ()):
            if move.label is None or (move.label.name in labels) is move.label.active:
                return move
        return None

    def shapes(self, types: frozenset[str], name: str) -> list[tuple[str, str]]:
        """What each graph promises of a field, of all these types."""
        return sorted(
            {
                (node.graph, move.shape)
                for node, moves in self.field_moves.items()
                if node.type in types and node.graph != ROOT
                for move in moves.get(name, ())
            }
        )

    def key_moves(self, node: Node) -> tuple[KeyMove, ...]:
        """Jumps away from `node`; one that leads back to its own graph serves `@requires` only."""
        return self.key_moves_of.get(node.type, ())

    def possible(self, node: Node) -> frozenset[str]:
        """The object types an object at this node may have at run time."""
        match self.kind(node):
            case "abstract":
                return self.possible_in.get((node.graph, node.type), frozenset())
            case "interface_object":
                return self.types.possible(node.type)
            case _:
                return frozenset((node.type,))

    def downcast(self, node: Node, type_name: str) -> Node:
        """The same object, known to be of `type_name`; a copy stays one where it provides something there."""
        narrowed = Node(node.graph, type_name, node.copy)
        return narrowed if node.copy == 0 or narrowed in self.field_moves else Node(node.graph, type_name)

    def __str__(self) -> str:
        lines: list[str] = []
        for node, moves in self.field_moves.items():
            lines.append(f"{node} ({self.kind(node)})")
            if self.kind(node) == "abstract":
                lines.append(f"  may be {', '.join(sorted(self.possible(node)))}")
            for name, alternatives in moves.items():
                for move in alternatives:
                    requires = f" @requires({move.requires_text})" if move.requires else ""
                    requires += "".join(f" @fromContext({one.name}: {one.context})" for one in move.context_arguments)
                    label = f" @label({move.label.name}: {move.label.active})" if move.label else ""
                    target = move.type if move.is_leaf else str(move.target)
                    lines.append(f"  .{name} -> {target}{requires}{label}")
            if node.copy == 0 and node.graph != ROOT:
                lines += [f"  key {{ {jump.key_text} }} -> {jump.target}" for jump in self.key_moves(node)]
        return "\n".join(lines)
