"""`@inaccessible`: what subgraphs may be asked and clients may not, and what follows from hiding it.

Hidden elements are named by coordinates: `Hold`, `Query.commandStatus`, `Query.assets(filter:)`. Hiding a type takes
it out of unions and out of `implements`; everything else that would still point at it is a fault of the schema, for
the API would not be a schema any more. `find_faults` tells each with the code that composition reports;
loading refuses a supergraph that has any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    ConstListValueNode,
    ConstObjectValueNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InputValueDefinitionNode,
    SchemaDefinitionNode,
    ValueNode,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from gateway.supergraph.elements import (
    BUILT_IN_SCALARS,
    CompositeNode,
    InputNode,
    Member,
    TypeSystemNode,
    UnionNode,
    applied,
    members_of,
    named_type,
    type_nodes,
)
from gateway.supergraph.strip import replace_node

__all__ = ["AccessFault", "Hidden", "find_faults", "find_hidden", "remove_hidden"]

Hidden = frozenset[str]


@dataclass(frozen=True, slots=True)
class AccessFault:
    code: str
    message: str
    coordinates: tuple[str, ...]
    """The elements concerned, the one at fault first."""


def find_hidden(document: DocumentNode, directive: str) -> Hidden:
    """Coordinates of everything that bears the directive (which may have been renamed)."""
    return frozenset(_marked(document, directive))


def _marked(document: DocumentNode, directive: str) -> Iterator[str]:
    for node in type_nodes(document):
        name = node.name.value
        if applied(node, directive):
            yield name
        for member in members_of(node):
            coordinate = f"{name}.{member.name.value}"
            if applied(member, directive):
                yield coordinate
            if isinstance(member, FieldDefinitionNode):
                yield from _marked_arguments(coordinate, member.arguments, directive)
    for definition in document.definitions:
        if isinstance(definition, DirectiveDefinitionNode):
            yield from _marked_arguments(f"@{definition.name.value}", definition.arguments, directive)


def _marked_arguments(owner: str, arguments: Iterable[InputValueDefinitionNode], directive: str) -> Iterator[str]:
    for one in arguments:
        if applied(one, directive):
            yield f"{owner}({one.name.value}:)"


def remove_hidden(document: DocumentNode, hidden: Hidden) -> DocumentNode:
    """The document less everything hidden, less hidden types in unions and `implements`, less empty root types."""
    definitions: list[DefinitionNode] = []
    for definition in document.definitions:
        if isinstance(definition, TypeSystemNode):
            kept = _visible_type(definition, hidden) if definition.name.value not in hidden else None
            if kept is not None and not _is_empty_root(kept):
                definitions.append(kept)
        elif isinstance(definition, DirectiveDefinitionNode):
            owner = f"@{definition.name.value}"
            definitions.append(
                replace_node(definition, arguments=_visible_arguments(owner, definition.arguments, hidden))
            )
        else:
            definitions.append(definition)
    return DocumentNode(definitions=tuple(_only_existing_roots(definitions)))


def _is_empty_root(node: TypeSystemNode) -> bool:
    """A mutation or subscription root without visible fields simply is not part of the API."""
    return node.name.value in ("Mutation", "Subscription") and not members_of(node)


def _only_existing_roots(definitions: list[DefinitionNode]) -> Iterator[DefinitionNode]:
    existing = {one.name.value for one in definitions if isinstance(one, TypeSystemNode)}
    for definition in definitions:
        if isinstance(definition, SchemaDefinitionNode):
            roots = tuple(one for one in definition.operation_types if named_type(one.type) in existing)
            yield replace_node(definition, operation_types=roots)
        else:
            yield definition


def _visible_type(node: TypeSystemNode, hidden: Hidden) -> TypeSystemNode:
    name = node.name.value
    if isinstance(node, CompositeNode):
        return replace_node(
            node,
            interfaces=tuple(one for one in node.interfaces or () if one.name.value not in hidden),
            fields=tuple(_visible_members(name, node.fields or (), hidden)),
        )
    if isinstance(node, InputNode):
        return replace_node(node, fields=tuple(_visible_members(name, node.fields or (), hidden)))
    if isinstance(node, UnionNode):
        return replace_node(node, types=tuple(one for one in node.types or () if one.name.value not in hidden))
    if members := members_of(node):
        return replace_node(node, values=tuple(_visible_members(name, members, hidden)))
    return node


def _visible_members(type_name: str, members: Iterable[Member], hidden: Hidden) -> Iterator[Member]:
    for member in members:
        coordinate = f"{type_name}.{member.name.value}"
        if coordinate in hidden:
            continue
        if isinstance(member, FieldDefinitionNode) and member.arguments:
            yield replace_node(member, arguments=_visible_arguments(coordinate, member.arguments, hidden))
        else:
            yield member


def _visible_arguments(
    owner: str, arguments: Iterable[InputValueDefinitionNode], hidden: Hidden
) -> tuple[InputValueDefinitionNode, ...]:
    return tuple(one for one in arguments if f"{owner}({one.name.value}:)" not in hidden)


# Faults


def find_faults(schema: GraphQLSchema, hidden: Hidden) -> list[AccessFault]:
    """Everything that would be wrong with the API after hiding."""
    if not hidden:
        return []
    return list(_Check(schema, hidden).run())


class _Check:
    def __init__(self, schema: GraphQLSchema, hidden: Hidden) -> None:
        self.schema = schema
        self.hidden = hidden

    def run(self) -> Iterator[AccessFault]:
        query = self.schema.query_type
        if query is not None and query.name in self.hidden:
            yield AccessFault(
                "QUERY_ROOT_TYPE_INACCESSIBLE",
                f'Type "{query.name}" is @inaccessible, but it is the query root type: an API needs one.',
                (query.name,),
            )
        for type_ in self.schema.type_map.values():
            if type_.name.startswith("__"):
                continue
            if type_.name in self.hidden:
                yield from self.hidden_type(type_)
            else:
                yield from self.visible_type(type_)

    def hidden_type(self, type_: GraphQLNamedType) -> Iterator[AccessFault]:
        if type_.name in BUILT_IN_SCALARS:
            yield AccessFault(
                "DISALLOWED_INACCESSIBLE", f'Built-in type "{type_.name}" cannot be @inaccessible.', (type_.name,)
            )

    def visible_type(self, type_: GraphQLNamedType) -> Iterator[AccessFault]:
        members = _members(type_)
        if members and all(f"{type_.name}.{name}" in self.hidden for name in members):
            word = "values" if isinstance(type_, GraphQLEnumType) else "fields"
            yield AccessFault(
                "ONLY_INACCESSIBLE_CHILDREN",
                f'Type "{type_.name}" is in the API schema but all of its {word} are @inaccessible.',
                (type_.name, *(f"{type_.name}.{name}" for name in members)),
            )
        for name, member in members.items():
            coordinate = f"{type_.name}.{name}"
            if isinstance(member, GraphQLField):
                yield from self.output_field(type_, name, member)
            elif isinstance(member, GraphQLInputField):
                yield from self.input_value(coordinate, type_.name, member)

    def output_field(self, type_: GraphQLNamedType, name: str, field: GraphQLField) -> Iterator[AccessFault]:
        coordinate = f"{type_.name}.{name}"
        interfaces = type_.interfaces if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else ()
        visible = [one for one in interfaces if one.name not in self.hidden and name in one.fields]
        if coordinate in self.hidden:
            for interface in visible:
                if (implemented := f"{interface.name}.{name}") not in self.hidden:
                    yield AccessFault(
                        "IMPLEMENTED_BY_INACCESSIBLE",
                        f'Field "{coordinate}" is @inaccessible but implements the interface field "{implemented}",'
                        " which is in the API schema.",
                        (coordinate, implemented),
                    )
            return
        yield from self.reference(coordinate, get_named_type(field.type))
        for argument_name, argument in field.args.items():
            argument_coordinate = f"{coordinate}({argument_name}:)"
            yield from self.input_value(argument_coordinate, coordinate, argument)
            if argument_coordinate in self.hidden:
                yield from self.implemented_argument(argument_coordinate, name, argument_name, visible)

    def implemented_argument(
        self, coordinate: str, field: str, argument: str, interfaces: Iterable[GraphQLInterfaceType]
    ) -> Iterator[AccessFault]:
        for interface in interfaces:
            implemented = f"{interface.name}.{field}({argument}:)"
            hidden = implemented in self.hidden or f"{interface.name}.{field}" in self.hidden
            if argument in interface.fields[field].args and not hidden:
                yield AccessFault(
                    "IMPLEMENTED_BY_INACCESSIBLE",
                    f'Argument "{coordinate}" is @inaccessible but implements the interface argument "{implemented}",'
                    " which is in the API schema.",
                    (coordinate, implemented),
                )

    def input_value(
        self, coordinate: str, parent: str, value: GraphQLArgument | GraphQLInputField
    ) -> Iterator[AccessFault]:
        if coordinate in self.hidden:
            if _is_required(value):
                yield AccessFault(
                    "REQUIRED_INACCESSIBLE",
                    f'"{coordinate}" is @inaccessible but required, and "{parent}" is in the API schema.',
                    (coordinate, parent),
                )
            return
        yield from self.reference(coordinate, get_named_type(value.type))
        default = value.ast_node.default_value if value.ast_node else None
        if default is not None:
            yield from self.default_value(coordinate, value.type, default)

    def default_value(self, coordinate: str, type_: GraphQLInputType, value: ValueNode) -> Iterator[AccessFault]:
        nullable = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        named = get_named_type(type_)
        used: list[str] = []
        if isinstance(value, ConstListValueNode) and isinstance(nullable, GraphQLList):
            for one in value.values:
                yield from self.default_value(coordinate, nullable.of_type, one)
        elif isinstance(value, EnumValueNode) and isinstance(named, GraphQLEnumType):
            used.append(f"{named.name}.{value.value}")
        elif isinstance(value, ConstObjectValueNode) and isinstance(named, GraphQLInputObjectType):
            for entry in value.fields:
                used.append(f"{named.name}.{entry.name.value}")
                if entry.name.value in named.fields:
                    inner = named.fields[entry.name.value].type
                    yield from self.default_value(coordinate, inner, entry.value)
        for element in used:
            if element in self.hidden:
                yield AccessFault(
                    "DEFAULT_VALUE_USES_INACCESSIBLE",
                    f'"{element}" is @inaccessible but the default value of "{coordinate}", which is in the API'
                    " schema, uses it.",
                    (element, coordinate),
                )

    def reference(self, coordinate: str, type_: GraphQLNamedType) -> Iterator[AccessFault]:
        if type_.name in self.hidden:
            yield AccessFault(
                "REFERENCED_INACCESSIBLE",
                f'Type "{type_.name}" is @inaccessible but "{coordinate}", which is in the API schema, refers to it.',
                (type_.name, coordinate),
            )


def _members(type_: GraphQLNamedType) -> Mapping[str, object]:
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return dict(type_.fields)
    if isinstance(type_, GraphQLEnumType):
        return dict(type_.values)
    return {}


def _is_required(value: GraphQLArgument | GraphQLInputField) -> bool:
    if isinstance(value, GraphQLArgument):
        return is_required_argument(value)
    return is_required_input_field(value)
