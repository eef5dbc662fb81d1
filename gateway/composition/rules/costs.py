"""`@cost` and `@listSize` within one subgraph: COST_APPLIED_TO_INTERFACE_FIELD, LIST_SIZE_…"""

from __future__ import annotations

from collections.abc import Iterator

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, print_ast

from gateway.composition.carried import ListSize
from gateway.composition.model import Report
from gateway.composition.subgraph import Subgraph, SubgraphField, TypeKind
from gateway.supergraph.elements import named_type

__all__ = ["check_costs"]

Fault = tuple[str, str]
"""Code and message."""


def check_costs(subgraph: Subgraph, report: Report) -> None:
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            for code, message in _faults(subgraph, type_.name, type_.kind, field):
                report.error(code, f"[{subgraph.name}] {message}", [(subgraph.name, field.node)])


def _faults(subgraph: Subgraph, type_name: str, kind: TypeKind, field: SubgraphField) -> Iterator[Fault]:
    coordinate = f'"{type_name}.{field.name}"'
    if field.marks.carried.cost is not None and kind is TypeKind.INTERFACE:
        yield (
            "COST_APPLIED_TO_INTERFACE_FIELD",
            f"@cost cannot be applied to interface field {coordinate}: say it on the fields of the implementations.",
        )
    size = field.marks.carried.list_size
    if size is None:
        return
    if not size.sized_fields and not _is_list(field.type):
        yield "LIST_SIZE_APPLIED_TO_NON_LIST", f"{coordinate} is not a list, and @listSize names no sizedFields."
    if size.assumed_size is not None and size.assumed_size < 0:
        yield "LIST_SIZE_INVALID_ASSUMED_SIZE", f"The assumed size of {coordinate} cannot be negative."
    yield from _slicing_faults(coordinate, field, size)
    if size.sized_fields:
        yield from _sized_faults(subgraph, coordinate, field, size.sized_fields)


def _slicing_faults(coordinate: str, field: SubgraphField, size: ListSize) -> Iterator[Fault]:
    code = "LIST_SIZE_INVALID_SLICING_ARGUMENT"
    for name in size.slicing_arguments or ():
        argument = field.arguments.get(name)
        if argument is None:
            yield code, f'Slicing argument "{name}" is not an argument of {coordinate}.'
        elif print_ast(argument.type) not in ("Int", "Int!"):
            yield code, f'Slicing argument "{name}" of {coordinate} must be Int or Int!.'


def _sized_faults(
    subgraph: Subgraph, coordinate: str, field: SubgraphField, sized_fields: tuple[str, ...]
) -> Iterator[Fault]:
    target = subgraph.types.get(named_type(field.type))
    if target is None or target.kind not in (TypeKind.OBJECT, TypeKind.INTERFACE):
        yield (
            "LIST_SIZE_INVALID_SIZED_FIELD",
            f'Sized fields of {coordinate} cannot be used because "{named_type(field.type)}" has no fields.',
        )
        return
    for name in sized_fields:
        sized = target.fields.get(name)
        if sized is None:
            yield (
                "LIST_SIZE_INVALID_SIZED_FIELD",
                f'Sized field "{name}" of {coordinate} is not a field of type "{target.name}".',
            )
        elif not _is_list(sized.type):
            yield "LIST_SIZE_APPLIED_TO_NON_LIST", f'Sized field "{target.name}.{name}" of {coordinate} is not a list.'


def _is_list(type_: TypeNode) -> bool:
    while isinstance(type_, NonNullTypeNode):
        type_ = type_.type
    assert isinstance(type_, ListTypeNode | NamedTypeNode)
    return isinstance(type_, ListTypeNode)
