"""The vocabulary of the query graph: nodes, and the moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gateway.query_graph.selection import SelectionSet
from gateway.supergraph.model import ContextArgument

__all__ = ["ROOT", "FieldMove", "KeyMove", "Kind", "Label", "Node"]

ROOT = ""
"""The graph of the place where an operation begins: no subgraph yet."""

Kind = str
"""`object`, `abstract`, `interface_object` or `leaf`."""


class Node(NamedTuple):
    """We hold an object of `type` in the answer of `graph`; `copy` > 0: one with more fields, by `@provides`."""

    graph: str
    type: str
    copy: int = 0

    def __str__(self) -> str:
        return f"{self.graph or 'ROOT'}/{self.type}{f'#{self.copy}' if self.copy else ''}"


class Label(NamedTuple):
    """A progressive override: the move is there only while the label is (`active`) or is not in force."""

    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class FieldMove:
    """The graph serves the field itself; `requires` must have been sent to it with the entity."""

    name: str
    target: Node
    type: str
    """The field's type in this graph, as SDL."""
    list_depth: int
    is_leaf: bool
    requires: SelectionSet | None = None
    requires_text: str = ""
    label: Label | None = None
    context_arguments: tuple[ContextArgument, ...] = ()
    is_gathered: bool = False
    """A field of an entity that all members of a partitioned graph have a part of: an object that came from one of them
    has only that one's part."""

    @property
    def is_sent(self) -> bool:
        """Whether the graph must be sent the entity, with something or by itself, so that only an entity fetch has it."""
        return self.requires is not None or bool(self.context_arguments) or self.is_gathered

    @property
    def shape(self) -> str:
        """What a graph compares where fields share a key: a leaf's type, of an object only lists and nullability."""
        return self.type if self.is_leaf else self.type.replace(self.target.type, "")


@dataclass(frozen=True, slots=True)
class KeyMove:
    """A jump to another graph's view of the same entity, which is found there by `key`; the query root needs none."""

    target: Node
    key: SelectionSet
    key_text: str
    send_typename: str
    """What `__typename` of the representation says: the interface's name, when the target is an interface object."""

    @property
    def is_to_root(self) -> bool:
        return not self.key.fields
