"""Second stage: a valid document → `Subgraph`, with standard names and Federation 1 told in Federation 2's words.

- Root types get their standard names, whatever the schema calls them.
- Extensions are joined to their type; directives become attributes.
- Federation 1: `@external` on the key of an extension does not mean external (there was no other way to write it);
  externals that nothing uses are left out; every field but a subscription's is shareable, for sharing was the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    StringValueNode,
    TypeExtensionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    print_ast,
    value_from_ast_untyped,
)

from gateway.composition.carried import read_carried
from gateway.composition.contexts import read_from_context
from gateway.composition.field_sets import external_uses
from gateway.composition.model import Report
from gateway.composition.names import Names
from gateway.composition.parse import ParsedSubgraph
from gateway.composition.subgraph import (
    ComposeRequest,
    FieldSet,
    FromContext,
    HorizontalMark,
    Key,
    Marks,
    Override,
    Subgraph,
    SubgraphEnumValue,
    SubgraphField,
    SubgraphType,
    SubgraphValue,
    TypeKind,
)
from gateway.language.selections import FieldSetSyntaxError, field_paths, parse_field_set
from gateway.supergraph.elements import ROOT_TYPES, TypeSystemNode, members_of, named_type, type_nodes
from gateway.supergraph.links import argument, schema_directives, schema_nodes, string_argument

__all__ = ["normalise"]

_DEFAULT_REASON = "No longer supported"


def normalise(parsed: ParsedSubgraph, graph: str, report: Report) -> Subgraph:
    return _Normaliser(parsed, graph, report).run()


class _Normaliser:
    def __init__(self, parsed: ParsedSubgraph, graph: str, report: Report) -> None:
        self.source = parsed.source
        self.names: Names = parsed.names
        self.document = parsed.document
        self.graph = graph
        self.report = report
        self.renamed = self.root_names()
        self.compose = tuple(
            ComposeRequest(string_argument(one, "name"), one)
            for one in self.find(schema_directives(self.document), "composeDirective")
        )
        self.composed = {one.name for one in self.compose}

    def run(self) -> Subgraph:
        nodes: dict[str, list[TypeSystemNode]] = {}
        for node in type_nodes(self.document):
            nodes.setdefault(self.type_name(node.name.value), []).append(node)
        subgraph = Subgraph(
            name=self.source.name,
            graph=self.graph,
            url=self.source.url,
            federation=self.names.federation,
            types={name: self.type(name, same) for name, same in nodes.items()},
            directives={
                one.name.value: one for one in self.document.definitions if isinstance(one, DirectiveDefinitionNode)
            },
            document=self.document,
            is_horizontal=self.names.is_horizontal,
            directive_names=self.names.directives,
            compose=self.compose,
            foreign_links=self.names.foreign_links,
        )
        return _without_unused_externals(subgraph, self.report) if subgraph.is_federation_1 else subgraph

    # Root types

    def root_names(self) -> dict[str, str]:
        """Local name → standard name, where they differ."""
        operations = {
            one.operation.value: one for node in schema_nodes(self.document) for one in node.operation_types or ()
        }
        defined = {node.name.value: node for node in type_nodes(self.document)}
        renamed: dict[str, str] = {}
        has_schema = any(node.operation_types for node in schema_nodes(self.document))
        for operation, standard in ROOT_TYPES.items():
            stated = operations.get(operation)
            local = named_type(stated.type) if stated else None
            if has_schema and standard in defined and local != standard:
                self.report.error(
                    f"ROOT_{operation.upper()}_USED",
                    f'[{self.source.name}] The schema has a type named "{standard}" but it is not set as the'
                    f" {operation} root type. Rename it: in the supergraph, {standard} is the root type.",
                    [(self.source.name, defined[standard])],
                )
            elif local is not None and local != standard:
                renamed[local] = standard
        return renamed

    def type_name(self, name: str) -> str:
        return self.renamed.get(name, name)

    def type_ref(self, node: TypeNode) -> TypeNode:
        if not self.renamed:
            return node
        if isinstance(node, NonNullTypeNode):
            return NonNullTypeNode(type=self.type_ref(node.type))
        if isinstance(node, ListTypeNode):
            return ListTypeNode(type=self.type_ref(node.type))
        assert isinstance(node, NamedTypeNode)
        return NamedTypeNode(name=NameNode(value=self.type_name(node.name.value)), loc=node.loc)

    # Types

    def type(self, name: str, nodes: list[TypeSystemNode]) -> SubgraphType:
        directives = [one for node in nodes for one in node.directives or ()]
        is_extension = all(isinstance(node, TypeExtensionNode) for node in nodes)
        is_extension = (is_extension or bool(self.find(directives, "extends"))) and name not in ROOT_TYPES.values()
        keys = tuple(
            Key(self.field_set(one), _boolean(one, "resolvable", True)) for one in self.find(directives, "key")
        )
        specified_by = [one for one in directives if one.name.value == "specifiedBy"]
        return SubgraphType(
            name=name,
            kind=_kind(nodes[0]),
            description=_description(nodes),
            marks=self.marks(directives),
            nodes=tuple(nodes),
            is_extension=is_extension,
            keys=keys,
            is_interface_object=bool(self.find(directives, "interfaceObject")),
            interfaces=_unique(
                self.type_name(one.name.value) for node in nodes for one in getattr(node, "interfaces", None) or ()
            ),
            fields=self.fields(nodes, keys if is_extension else ()),
            inputs=self.inputs(nodes),
            values=self.values(nodes),
            members=_unique(
                self.type_name(one.name.value)
                for node in nodes
                if isinstance(node, UnionTypeDefinitionNode | UnionTypeExtensionNode)
                for one in node.types or ()
            ),
            specified_by=string_argument(specified_by[0], "url") if specified_by else None,
            one_of=any(one.name.value == "oneOf" for one in directives),
            horizontal=self.horizontal(directives),
        )

    def fields(self, nodes: list[TypeSystemNode], extension_keys: Iterable[Key]) -> dict[str, SubgraphField]:
        fake = {
            path[0]
            for key in extension_keys
            if key.fields.selections is not None
            for path in field_paths(key.fields.selections)
        }
        found: dict[str, SubgraphField] = {}
        for node in nodes:
            all_external = bool(self.find(node.directives or (), "external"))
            all_shareable = bool(self.find(node.directives or (), "shareable"))
            for member in members_of(node):
                if isinstance(member, FieldDefinitionNode):
                    field = self.field(node, member, all_external, all_shareable, member.name.value in fake)
                    found[field.name] = field
        return found

    def field(
        self, parent: TypeSystemNode, node: FieldDefinitionNode, all_external: bool, all_shareable: bool, fake: bool
    ) -> SubgraphField:
        directives = tuple(node.directives or ())
        requires, provides = self.find(directives, "requires"), self.find(directives, "provides")
        override = self.find(directives, "override")
        external = all_external or bool(self.find(directives, "external"))
        is_interface = isinstance(parent, InterfaceTypeDefinitionNode | InterfaceTypeExtensionNode)
        is_federation_1 = self.names.federation is None
        return SubgraphField(
            name=node.name.value,
            type=self.type_ref(node.type),
            arguments={arg.name.value: self.value(arg) for arg in node.arguments or ()},
            description=node.description.value if node.description else None,
            marks=self.marks(directives),
            external=external and not fake and not (is_federation_1 and is_interface),
            says_external=external,
            requires=self.field_set(requires[0]) if requires else None,
            provides=self.field_set(provides[0]) if provides else None,
            shareable=all_shareable
            or bool(self.find(directives, "shareable"))
            or (is_federation_1 and self.type_name(parent.name.value) != "Subscription"),
            override=_override(override[0]) if override else None,
            horizontal=self.horizontal(directives),
            node=node,
            directives=directives,
        )

    def inputs(self, nodes: list[TypeSystemNode]) -> dict[str, SubgraphValue]:
        return {
            one.name.value: self.value(one)
            for node in nodes
            if isinstance(node, InputObjectTypeDefinitionNode | InputObjectTypeExtensionNode)
            for one in node.fields or ()
        }

    def value(self, node: InputValueDefinitionNode) -> SubgraphValue:
        return SubgraphValue(
            name=node.name.value,
            type=self.type_ref(node.type),
            default=node.default_value,
            description=node.description.value if node.description else None,
            marks=self.marks(node.directives or ()),
            node=node,
            from_context=self.from_context(node.directives or ()),
        )

    def from_context(self, directives: Iterable[ConstDirectiveNode]) -> FromContext | None:
        found = self.find(directives, "fromContext")
        return read_from_context(found[0]) if found else None

    def values(self, nodes: list[TypeSystemNode]) -> dict[str, SubgraphEnumValue]:
        return {
            one.name.value: SubgraphEnumValue(
                one.name.value,
                one.description.value if one.description else None,
                self.marks(one.directives or ()),
                one,
            )
            for node in nodes
            if isinstance(node, EnumTypeDefinitionNode | EnumTypeExtensionNode)
            for one in node.values or ()
        }

    # Directives

    def find(self, directives: Iterable[ConstDirectiveNode], element: str) -> list[ConstDirectiveNode]:
        return [one for one in directives if self.names.directives.get(one.name.value) == element]

    def horizontal(self, directives: Iterable[ConstDirectiveNode]) -> tuple[HorizontalMark, ...]:
        return tuple(
            HorizontalMark(self.names.horizontal[one.name.value], one)
            for one in directives
            if one.name.value in self.names.horizontal
        )

    def marks(self, directives: Iterable[ConstDirectiveNode]) -> Marks:
        given = list(directives)
        deprecated = [one for one in given if one.name.value == "deprecated"]
        return Marks(
            inaccessible=bool(self.find(given, "inaccessible")),
            tags=_unique(string_argument(one, "name") or "" for one in self.find(given, "tag")),
            deprecated=(string_argument(deprecated[0], "reason") or _DEFAULT_REASON) if deprecated else None,
            carried=read_carried(lambda element: self.find(given, element), self.source.name, self.graph),
            composed=tuple(print_ast(one) for one in given if f"@{one.name.value}" in self.composed),
        )

    def field_set(self, node: ConstDirectiveNode) -> FieldSet:
        value = argument(node, "fields")
        if not isinstance(value, StringValueNode):
            text = print_ast(value) if value is not None else ""
            return FieldSet(text, None, node, "type")
        try:
            return FieldSet(value.value, parse_field_set(value.value), node)
        except FieldSetSyntaxError as error:
            return FieldSet(value.value, None, node, str(error))


def _without_unused_externals(subgraph: Subgraph, report: Report) -> Subgraph:
    """Federation 1 let an external stand that nothing used; for Federation 2 it would be a promise. A type that has
    nothing else goes with it, unless something refers to it."""
    used = external_uses(subgraph)
    types: dict[str, SubgraphType] = {}
    for name, type_ in subgraph.types.items():
        fields = {one.name: one for one in type_.fields.values() if not one.external or (name, one.name) in used}
        if fields or not type_.fields:
            types[name] = replace(type_, fields=fields)
        elif _is_referred_to(subgraph, name):
            report.error(
                "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
                f'[{subgraph.name}] Type "{name}" contains only external fields, and none of them is used.',
                [(subgraph.name, type_.node)],
            )
    return replace(subgraph, types=types)


def _is_referred_to(subgraph: Subgraph, name: str) -> bool:
    return any(
        name in type_.members
        or name in type_.interfaces
        or any(named_type(field.type) == name for field in type_.fields.values())
        for type_ in subgraph.types.values()
    )


def _kind(node: TypeSystemNode) -> TypeKind:
    match node:
        case ObjectTypeDefinitionNode() | ObjectTypeExtensionNode():
            return TypeKind.OBJECT
        case InterfaceTypeDefinitionNode() | InterfaceTypeExtensionNode():
            return TypeKind.INTERFACE
        case UnionTypeDefinitionNode() | UnionTypeExtensionNode():
            return TypeKind.UNION
        case EnumTypeDefinitionNode() | EnumTypeExtensionNode():
            return TypeKind.ENUM
        case InputObjectTypeDefinitionNode() | InputObjectTypeExtensionNode():
            return TypeKind.INPUT
        case _:
            return TypeKind.SCALAR


def _override(node: ConstDirectiveNode) -> Override:
    return Override(string_argument(node, "from") or "", string_argument(node, "label"), node)


def _boolean(node: ConstDirectiveNode, name: str, default: bool) -> bool:
    value = argument(node, name)
    return bool(value_from_ast_untyped(value)) if value is not None else default


def _description(nodes: Iterable[Any]) -> str | None:
    return next((one.description.value for one in nodes if getattr(one, "description", None)), None)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
