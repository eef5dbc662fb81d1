"""What a subgraph's field sets and contexts touch: key fields, what is provided, which externals are used at all."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import SelectionSetNode

from gateway.composition.contexts import context_setters
from gateway.composition.subgraph import FieldSet, Subgraph, TypeKind, walk
from gateway.supergraph.elements import named_type

__all__ = ["context_fields", "external_uses", "key_fields", "provided_fields", "required_fields"]

Coordinate = tuple[str, str]


def key_fields(subgraph: Subgraph) -> frozenset[Coordinate]:
    """All fields that keys select, nested ones too."""
    return frozenset(
        at
        for type_ in subgraph.types.values()
        for key in type_.keys
        for at in _touched(subgraph, type_.name, key.fields.selections)
    )


def provided_fields(subgraph: Subgraph) -> frozenset[Coordinate]:
    return frozenset(_of_fields(subgraph, "provides"))


def required_fields(subgraph: Subgraph) -> frozenset[Coordinate]:
    return frozenset(_of_fields(subgraph, "requires"))


def context_fields(subgraph: Subgraph) -> frozenset[Coordinate]:
    """What contextual arguments are read from."""
    setters = context_setters(subgraph)
    return frozenset(
        at
        for type_ in subgraph.types.values()
        for field in type_.fields.values()
        for argument in field.arguments.values()
        if argument.from_context is not None
        for setter in setters.get(argument.from_context.context or "", ())
        for at in _touched(subgraph, setter, argument.from_context.selections)
    )


def _of_fields(subgraph: Subgraph, which: str) -> Iterator[Coordinate]:
    for type_ in subgraph.types.values():
        for field in type_.fields.values():
            field_set: FieldSet | None = getattr(field, which)
            if field_set is not None:
                start = type_.name if which == "requires" else named_type(field.type)
                yield from _touched(subgraph, start, field_set.selections)


def _touched(subgraph: Subgraph, type_name: str, selections: SelectionSetNode | None) -> Iterator[Coordinate]:
    """A field selected on an interface touches the same field of each implementation too."""
    if selections is None:
        return
    for name, selected in walk(subgraph, type_name, selections):
        yield name, selected.name.value
        type_ = subgraph.types.get(name)
        if type_ is not None and type_.kind is TypeKind.INTERFACE:
            for implementation in subgraph.possible_types(name):
                yield implementation, selected.name.value


def external_uses(subgraph: Subgraph) -> frozenset[Coordinate]:
    """Fields that an `@external` mark is good for: selected by a field set, or asked for by an interface."""
    implemented = {
        (type_.name, field)
        for type_ in subgraph.types.values()
        for interface in type_.interfaces
        if interface in subgraph.types
        for field in subgraph.types[interface].fields
    }
    return (
        key_fields(subgraph)
        | provided_fields(subgraph)
        | required_fields(subgraph)
        | context_fields(subgraph)
        | frozenset(implemented)
    )
