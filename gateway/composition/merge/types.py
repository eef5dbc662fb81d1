"""Type references of one element in several subgraphs → the supergraph's.

What comes out may be anything that some subgraph gives, so outputs take the most general type. What goes in must suit
every subgraph, so inputs take the most particular one. Where no given type is that, the subgraphs disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from graphql import ListTypeNode, NamedTypeNode, Node, NonNullTypeNode, TypeNode, print_ast

from gateway.composition.merge.context import Context, where
from gateway.composition.subgraph import Subgraph

__all__ = ["TypeCodes", "describe_types", "is_subtype", "merge_input_type", "merge_output_type", "tell_types"]

Typed = tuple[Subgraph, TypeNode]


@dataclass(frozen=True, slots=True)
class TypeCodes:
    """How one kind of element is called, and what it means when its types differ."""

    noun: str
    mismatch: str
    """The error: nothing suits all."""
    compatible: str
    """The hint: one of them suits all."""


class _Typed(Protocol):
    @property
    def type(self) -> TypeNode: ...
    @property
    def node(self) -> Node: ...


TypedT = TypeVar("TypedT", bound=_Typed)


def tell_types(
    context: Context,
    codes: TypeCodes,
    coordinate: str,
    parts: Sequence[tuple[Subgraph, TypedT]],
    merged: TypeNode | None,
) -> None:
    types = [(subgraph, one.type) for subgraph, one in parts]
    if merged is None:
        context.report.error(
            codes.mismatch,
            f'Type of {codes.noun} "{coordinate}" is incompatible across subgraphs: it has {describe_types(types)}.',
            where(parts),
        )
    elif len({print_ast(one) for _, one in types}) > 1:
        context.report.hint(
            codes.compatible,
            f'{codes.noun.capitalize()} "{coordinate}" has {describe_types(types)}; the supergraph has'
            f' "{print_ast(merged)}".',
            where(parts),
        )


def merge_output_type(context: Context, types: Sequence[Typed]) -> TypeNode | None:
    """The one given type that all others are subtypes of; None: there is none."""
    for _, candidate in types:
        if all(is_subtype(context, one, candidate) for _, one in types):
            return candidate
    return None


def merge_input_type(context: Context, types: Sequence[Typed]) -> TypeNode | None:
    """The one given type that is a subtype of all others; None: there is none."""
    for _, candidate in types:
        if all(is_subtype(context, candidate, one) for _, one in types):
            return candidate
    return None


def is_subtype(context: Context, sub: TypeNode, super_: TypeNode) -> bool:
    if isinstance(super_, NonNullTypeNode):
        return isinstance(sub, NonNullTypeNode) and is_subtype(context, sub.type, super_.type)
    if isinstance(sub, NonNullTypeNode):
        return is_subtype(context, sub.type, super_)
    if isinstance(super_, ListTypeNode):
        return isinstance(sub, ListTypeNode) and is_subtype(context, sub.type, super_.type)
    if isinstance(sub, ListTypeNode):
        return False
    assert isinstance(sub, NamedTypeNode)
    assert isinstance(super_, NamedTypeNode)
    name, wider = sub.name.value, super_.name.value
    return name == wider or wider in context.implements.get(name, ()) or name in context.union_members.get(wider, ())


def describe_types(types: Sequence[Typed]) -> str:
    """`type "Int" in subgraph "a" but type "String" in subgraphs "b" and "c"`."""
    said: dict[str, list[str]] = {}
    for subgraph, type_ in types:
        said.setdefault(print_ast(type_), []).append(f'"{subgraph.name}"')
    parts = [
        f'type "{text}" in subgraph{"s" if len(names) > 1 else ""} {" and ".join(names)}'
        for text, names in said.items()
    ]
    return " but ".join(parts)
