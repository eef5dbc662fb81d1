"""A subgraph's schema as composition sees it: names are the standard ones, directives are read, extensions are joined.

`parse` makes these values out of a document; every later stage reads them and nothing changes them. Each keeps the
nodes it came from, so that an error can say where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import (
    ConstDirectiveNode,
    ConstValueNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldNode,
    InlineFragmentNode,
    Node,
    SelectionSetNode,
    TypeNode,
)

from gateway.composition.carried import NOTHING_CARRIED, Carried
from gateway.supergraph.elements import named_type
from gateway.supergraph.links import Link, Version

__all__ = [
    "ComposeRequest",
    "FieldSet",
    "FromContext",
    "HorizontalMark",
    "Key",
    "Marks",
    "Override",
    "Subgraph",
    "SubgraphEnumValue",
    "SubgraphField",
    "SubgraphType",
    "SubgraphValue",
    "TypeKind",
    "walk",
]


class TypeKind(StrEnum):
    OBJECT = "Object"
    INTERFACE = "Interface"
    UNION = "Union"
    ENUM = "Enum"
    INPUT = "InputObject"
    SCALAR = "Scalar"


@dataclass(frozen=True, slots=True)
class Marks:
    """What any element may bear."""

    inaccessible: bool = False
    tags: tuple[str, ...] = ()
    deprecated: str | None = None
    """The reason; None: not deprecated."""
    carried: Carried = NOTHING_CARRIED
    composed: tuple[str, ...] = ()
    """Applications of directives that `@composeDirective` asks for, as text."""


@dataclass(frozen=True, slots=True)
class HorizontalMark:
    """A directive of the horizontal specification, under its own name, with its arguments as written."""

    name: str
    node: ConstDirectiveNode


@dataclass(frozen=True, slots=True)
class FieldSet:
    """The `fields` argument of `@key`, `@requires` or `@provides`."""

    text: str
    selections: SelectionSetNode | None
    """None: the text does not parse (a rule reports it)."""
    node: ConstDirectiveNode
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class FromContext:
    """`@fromContext(field: "$context { selection }")`, as far as it can be read."""

    text: str
    context: str | None
    """None: the text names none, or nothing of it."""
    selections: SelectionSetNode | None
    problem: str
    """Why what follows the context's name is no selection."""
    node: ConstDirectiveNode


@dataclass(frozen=True, slots=True)
class Key:
    fields: FieldSet
    resolvable: bool


@dataclass(frozen=True, slots=True)
class Override:
    source: str
    label: str | None
    node: ConstDirectiveNode


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """`@composeDirective(name: …)` on the schema."""

    name: str | None
    node: ConstDirectiveNode


@dataclass(frozen=True, slots=True)
class SubgraphValue:
    """An argument or an input field."""

    name: str
    type: TypeNode
    default: ConstValueNode | None
    description: str | None
    marks: Marks
    node: Node
    from_context: FromContext | None = None


@dataclass(frozen=True, slots=True)
class SubgraphField:
    name: str
    type: TypeNode
    arguments: Mapping[str, SubgraphValue]
    description: str | None
    marks: Marks
    external: bool
    """Marked so, and meant so: on an extension's key, Federation 1 had to write it without meaning it."""
    says_external: bool
    """Marked so, whether meant or not."""
    requires: FieldSet | None
    provides: FieldSet | None
    shareable: bool
    """By its own mark or its type's; keys are shareable without (see `merge.sharing`)."""
    override: Override | None
    horizontal: tuple[HorizontalMark, ...]
    node: Node
    directives: tuple[ConstDirectiveNode, ...]
    """All that it bears, as written."""


@dataclass(frozen=True, slots=True)
class SubgraphEnumValue:
    name: str
    description: str | None
    marks: Marks
    node: Node


@dataclass(frozen=True, slots=True)
class SubgraphType:
    name: str
    kind: TypeKind
    description: str | None
    marks: Marks
    nodes: tuple[Node, ...]
    """Its definition and extensions."""
    is_extension: bool
    """Extended here without being defined here (or marked `@extends`)."""
    keys: tuple[Key, ...] = ()
    is_interface_object: bool = False
    interfaces: tuple[str, ...] = ()
    fields: Mapping[str, SubgraphField] = field(default_factory=dict)
    inputs: Mapping[str, SubgraphValue] = field(default_factory=dict)
    values: Mapping[str, SubgraphEnumValue] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    specified_by: str | None = None
    one_of: bool = False
    horizontal: tuple[HorizontalMark, ...] = ()

    @property
    def node(self) -> Node:
        return self.nodes[0]


@dataclass(frozen=True, slots=True)
class Subgraph:
    name: str
    graph: str
    """Its value of `join__Graph`."""
    url: str
    federation: Version | None
    """None: Federation 1."""
    types: Mapping[str, SubgraphType]
    directives: Mapping[str, DirectiveDefinitionNode]
    """Definitions of its own, not of a linked specification."""
    document: DocumentNode
    is_horizontal: bool = False
    """It links the horizontal specification."""
    directive_names: Mapping[str, str] = field(default_factory=dict)
    """Local name → name in the federation specification."""
    compose: tuple[ComposeRequest, ...] = ()
    foreign_links: tuple[Link, ...] = ()
    """Specifications it links that composition does not know."""

    @property
    def is_federation_1(self) -> bool:
        return self.federation is None

    def possible_types(self, type_name: str) -> frozenset[str]:
        """Object types that a value of the type can be in this subgraph."""
        type_ = self.types.get(type_name)
        if type_ is None:
            return frozenset()
        match type_.kind:
            case TypeKind.OBJECT:
                return frozenset({type_name})
            case TypeKind.UNION:
                return frozenset(type_.members)
            case TypeKind.INTERFACE:
                return frozenset(
                    one.name
                    for one in self.types.values()
                    if one.kind is TypeKind.OBJECT and type_name in one.interfaces
                )
            case _:
                return frozenset()


def walk(subgraph: Subgraph, type_name: str, selections: SelectionSetNode) -> Iterator[tuple[str, FieldNode]]:
    """Each field that a field set selects, with the type it is selected on; passes over what does not exist."""
    type_ = subgraph.types.get(type_name)
    for selection in selections.selections:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else type_name
            yield from walk(subgraph, condition, selection.selection_set)
        elif isinstance(selection, FieldNode):
            yield type_name, selection
            found = type_.fields.get(selection.name.value) if type_ is not None else None
            if found is not None and selection.selection_set is not None:
                yield from walk(subgraph, named_type(found.type), selection.selection_set)
