"""The published SDL file is the contract; the Strawberry schema serves it. Two tools keep them one:

- `apply_descriptions` puts the file's descriptions on the schema, so that they live once;
- `differences` lists where the schema's structure departs from the file's: types, fields, arguments, types of
  both, defaults, enum values in order, interfaces, unions, descriptions. A subgraph's test asserts that it is empty.

Directives are the file's alone: an executable schema does not need them, `_service { sdl }` answers the file's text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    ObjectTypeDefinitionNode,
    Undefined,
    build_ast_schema,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    print_ast,
)
from graphql.utilities import ast_from_value

__all__ = ["apply_descriptions", "differences", "entity_types", "read_sdl"]

_FEDERATION_TYPES = frozenset(("_Any", "_Entity", "_Service"))
_FEDERATION_FIELDS = frozenset(("_service", "_entities"))
_LINKED_BUT_NOT_SERVED = ("Gather", "Fold")
"""Enums that only the file's directives use."""


def read_sdl(sdl: str) -> GraphQLSchema:
    """The contract's structure. Federation's directives need no definition here."""
    return build_ast_schema(parse(sdl), assume_valid_sdl=True)


def entity_types(sdl: str) -> list[str]:
    """Names of object types with a resolvable `@key`, in order of the file."""
    return [
        node.name.value
        for node in parse(sdl).definitions
        if isinstance(node, ObjectTypeDefinitionNode) and any(_is_resolvable_key(d) for d in node.directives)
    ]


def _is_resolvable_key(directive: Any) -> bool:
    return directive.name.value == "key" and not any(
        argument.name.value == "resolvable" and argument.value.value is False for argument in directive.arguments
    )


def apply_descriptions(schema: GraphQLSchema, contract: GraphQLSchema) -> None:
    """Give every type, field, argument and enum value of `schema` the description it has in `contract`."""
    for name, described in contract.type_map.items():
        served = schema.type_map.get(name)
        if served is None or is_introspection_type(served):
            continue
        served.description = described.description
        for member_name, member in _members(described).items():
            served_member = _members(served).get(member_name)
            if served_member is None:
                continue
            served_member.description = member.description
            for argument_name, argument in getattr(member, "args", {}).items():
                if argument_name in served_member.args:
                    served_member.args[argument_name].description = argument.description


def differences(schema: GraphQLSchema, contract: GraphQLSchema) -> list[str]:
    """Where the served schema departs from the contract, one line each; empty when it serves it exactly."""
    served, published = _named_types(schema), _named_types(contract)
    found = [f"{name}: not served" for name in published if name not in served]
    found += [f"{name}: not published" for name in served if name not in published]
    for name, type_ in published.items():
        if name in served:
            found += _compare_types(served[name], type_)
    return found


def _named_types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {
        name: type_
        for name, type_ in schema.type_map.items()
        if not is_introspection_type(type_)
        and not is_specified_scalar_type(type_)
        and name not in _FEDERATION_TYPES
        and name not in _LINKED_BUT_NOT_SERVED
    }


def _compare_types(served: GraphQLNamedType, published: GraphQLNamedType) -> Iterator[str]:
    name = published.name
    if not isinstance(served, type(published)):
        yield f"{name}: served as {type(served).__name__}, published as {type(published).__name__}"
        return
    if served.description != published.description:
        yield f"{name}: description"
    if isinstance(published, GraphQLObjectType | GraphQLInterfaceType):
        yield from _compare_sets(name, "interfaces", served, published)
    if isinstance(published, GraphQLUnionType):
        yield from _compare_sets(name, "types", served, published)
    ours, theirs = _members(served), _members(published)
    yield from (f"{name}.{member}: not served" for member in theirs if member not in ours)
    yield from (f"{name}.{member}: not published" for member in ours if member not in theirs)
    if isinstance(published, GraphQLEnumType) and list(ours) != list(theirs):
        yield f"{name}: the values' order"
    for member_name, member in theirs.items():
        if member_name in ours:
            yield from _compare_members(f"{name}.{member_name}", ours[member_name], member)


def _compare_sets(name: str, attribute: str, served: Any, published: Any) -> Iterator[str]:
    ours, theirs = ({t.name for t in getattr(type_, attribute)} for type_ in (served, published))
    if ours != theirs:
        yield f"{name}: {attribute} {sorted(ours)} are served, {sorted(theirs)} published"


def _compare_members(where: str, served: Any, published: Any) -> Iterator[str]:
    if hasattr(published, "type") and str(served.type) != str(published.type):
        yield f"{where}: {served.type} is served, {published.type} published"
        return
    if served.description != published.description:
        yield f"{where}: description"
    if hasattr(published, "default_value") and _default(served) != _default(published):
        yield f"{where}: default {_default(served)} is served, {_default(published)} published"
    ours, theirs = getattr(served, "args", {}), getattr(published, "args", {})
    yield from (f"{where}({name}:): not served" for name in theirs if name not in ours)
    yield from (f"{where}({name}:): not published" for name in ours if name not in theirs)
    for name, argument in theirs.items():
        if name in ours:
            yield from _compare_members(f"{where}({name}:)", ours[name], argument)


def _default(member: Any) -> str | None:
    if member.default_value is Undefined:
        return None
    node = ast_from_value(member.default_value, member.type)
    return None if node is None else print_ast(node)


def _members(type_: GraphQLNamedType) -> Mapping[str, Any]:
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return {name: field for name, field in type_.fields.items() if name not in _FEDERATION_FIELDS}
    if isinstance(type_, GraphQLEnumType):
        return type_.values
    return {}
