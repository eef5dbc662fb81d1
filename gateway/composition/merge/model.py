"""Merged types: what the printer writes. Terms of serving are the supergraph model's own records (`FieldJoin`, …)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import ConstValueNode, DirectiveDefinitionNode, TypeNode

from gateway.composition.merge.composed import ComposedDirective
from gateway.composition.model import Where
from gateway.composition.subgraph import HorizontalMark, Marks, TypeKind
from gateway.supergraph.model import FieldJoin, Graph, TypeJoin

__all__ = ["Merged", "MergedEnumValue", "MergedField", "MergedType", "MergedValue"]


@dataclass(frozen=True, slots=True)
class MergedValue:
    """An argument or an input field."""

    name: str
    type: TypeNode
    default: ConstValueNode | None
    description: str | None
    marks: Marks
    joins: tuple[FieldJoin, ...] | None = None
    where: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedField:
    name: str
    type: TypeNode
    arguments: Mapping[str, MergedValue]
    description: str | None
    marks: Marks
    joins: tuple[FieldJoin, ...] | None
    """None: every graph that has the type serves it plainly; empty: none does (it comes by an interface object)."""
    horizontal: tuple[tuple[str, HorizontalMark], ...] = ()
    where: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedEnumValue:
    name: str
    description: str | None
    marks: Marks
    graphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MergedType:
    name: str
    kind: TypeKind
    description: str | None
    marks: Marks
    joins: tuple[TypeJoin, ...]
    fields: Mapping[str, MergedField] = field(default_factory=dict)
    inputs: Mapping[str, MergedValue] = field(default_factory=dict)
    values: Mapping[str, MergedEnumValue] = field(default_factory=dict)
    implements: tuple[tuple[str, str], ...] = ()
    """(graph, interface)."""
    members: tuple[tuple[str, str], ...] = ()
    """(graph, member of the union)."""
    specified_by: str | None = None
    one_of: bool = False
    horizontal: tuple[tuple[str, HorizontalMark], ...] = ()
    where: tuple[Where, ...] = ()

    @property
    def interfaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(interface for _, interface in self.implements))


@dataclass(frozen=True, slots=True)
class Merged:
    graphs: tuple[Graph, ...]
    types: Mapping[str, MergedType]
    """In the order of their names."""
    directives: tuple[DirectiveDefinitionNode, ...]
    """Executable ones, that clients may use in operations."""
    is_horizontal: bool
    composed: tuple[ComposedDirective, ...] = ()
    """The subgraphs' own, asked for by `@composeDirective`."""
