"""Merged types → supergraph SDL: join v0.5 and link v1.0, as other routers read it.

The order is fixed (machinery, graphs, types by name, fields as first declared), so that a diff of two supergraphs is a
diff of their subgraphs. Horizontal directives travel as `@join__directive`, which says which graph wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from graphql import print_ast
from graphql.language.block_string import print_block_string

from gateway.composition.carried import print_carried, used_specs
from gateway.composition.merge.composed import link_texts
from gateway.composition.merge.model import Merged, MergedEnumValue, MergedField, MergedType, MergedValue
from gateway.composition.subgraph import HorizontalMark, Marks, TypeKind
from gateway.language.selections import print_selection_set
from gateway.supergraph.elements import ROOT_TYPES
from gateway.supergraph.links import APOLLO, HORIZONTAL
from gateway.supergraph.model import ContextArgument, FieldJoin, Graph, TypeJoin

__all__ = ["print_supergraph"]

_ANYWHERE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | SCALAR | INPUT_OBJECT"
    " | INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION"
)
_INACCESSIBLE = f"directive @inaccessible on {_ANYWHERE}"
_TAG = f"directive @tag(name: String!) repeatable on {_ANYWHERE} | SCHEMA"
_MACHINERY = """
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar join__DirectiveArguments

scalar join__FieldSet

scalar join__FieldValue

scalar link__Import

enum link__Purpose {
  \"\"\"
  `SECURITY` features provide metadata necessary to securely resolve fields.
  \"\"\"
  SECURITY

  \"\"\"
  `EXECUTION` features provide metadata necessary for operation execution.
  \"\"\"
  EXECUTION
}
""".strip()


def print_supergraph(merged: Merged) -> str:
    types = [_type(one) for one in merged.types.values()]
    body = "\n\n".join(types)
    # The links are told by what is used: a supergraph without @tag does not ask its reader to know tags.
    uses_inaccessible, uses_tags = "@inaccessible" in body, "@tag(" in body
    specs = used_specs(one.carried for one in _all_marks(merged))
    blocks = [
        _schema(merged, uses_inaccessible, uses_tags, [*(one.link for one in specs), *link_texts(merged.composed)]),
        *([_INACCESSIBLE] if uses_inaccessible else []),
        _MACHINERY,
        *([_TAG] if uses_tags else []),
        *(text for one in specs for text in one.definitions),
        *(print_ast(one) for one in merged.directives),
        *(print_ast(one.definition) for one in merged.composed),
        _graphs(merged.graphs),
        *types,
    ]
    return "\n\n".join(blocks) + "\n"


def _schema(merged: Merged, uses_inaccessible: bool, uses_tags: bool, more: list[str]) -> str:
    links = [f'@link(url: "{APOLLO}/link/v1.0")', f'@link(url: "{APOLLO}/join/v0.5", for: EXECUTION)']
    if uses_inaccessible:
        links.append(f'@link(url: "{APOLLO}/inaccessible/v0.2", for: SECURITY)')
    if uses_tags:
        links.append(f'@link(url: "{APOLLO}/tag/v0.3")')
    links += more
    if merged.is_horizontal:
        links.append(f'@link(url: "{HORIZONTAL}/v1.0")')
    roots = [f"  {operation}: {name}" for operation, name in ROOT_TYPES.items() if name in merged.types]
    return "schema\n" + "".join(f"  {link}\n" for link in links) + "{\n" + "\n".join(roots) + "\n}"


def _all_marks(merged: Merged) -> Iterator[Marks]:
    for type_ in merged.types.values():
        yield type_.marks
        for field in type_.fields.values():
            yield field.marks
            yield from (one.marks for one in field.arguments.values())
        yield from (one.marks for one in type_.inputs.values())


def _graphs(graphs: Iterable[Graph]) -> str:
    values = [f"  {one.graph} @join__graph(name: {_string(one.name)}, url: {_string(one.url)})" for one in graphs]
    return "enum join__Graph {\n" + "\n".join(values) + "\n}"


def _type(type_: MergedType) -> str:
    head = _head(type_)
    directives = [*_type_directives(type_), *_marks(type_.marks)]
    text = _description(type_.description, "") + head + "".join(f"\n  {one}" for one in directives)
    match type_.kind:
        case TypeKind.SCALAR:
            return text
        case TypeKind.UNION:
            members = dict.fromkeys(member for _, member in type_.members)
            return f"{text}\n  = {' | '.join(members)}"
        case TypeKind.ENUM:
            body = [_enum_value(one) for one in type_.values.values()]
        case TypeKind.INPUT:
            body = [_value(one, "  ") for one in type_.inputs.values()]
        case _:
            body = [_field(one) for one in type_.fields.values()]
    return f"{text}\n{{\n" + "\n".join(body) + "\n}"


def _head(type_: MergedType) -> str:
    word = {
        TypeKind.OBJECT: "type",
        TypeKind.INTERFACE: "interface",
        TypeKind.UNION: "union",
        TypeKind.ENUM: "enum",
        TypeKind.INPUT: "input",
        TypeKind.SCALAR: "scalar",
    }[type_.kind]
    interfaces = f" implements {' & '.join(type_.interfaces)}" if type_.interfaces else ""
    return f"{word} {type_.name}{interfaces}"


def _type_directives(type_: MergedType) -> Iterator[str]:
    for graph, interface in type_.implements:
        yield f'@join__implements(graph: {graph}, interface: "{interface}")'
    for join in type_.joins:
        yield _type_join(join)
    for graph, member in type_.members:
        yield f'@join__unionMember(graph: {graph}, member: "{member}")'
    for graph, mark in type_.horizontal:
        yield _horizontal(graph, mark)
    if type_.specified_by is not None:
        yield f"@specifiedBy(url: {_string(type_.specified_by)})"
    if type_.one_of:
        yield "@oneOf"


def _type_join(join: TypeJoin) -> str:
    arguments = [f"graph: {join.graph}"]
    if join.key is not None:
        arguments.append(f"key: {_string(print_selection_set(join.key))}")
    if join.extension:
        arguments.append("extension: true")
    if not join.resolvable:
        arguments.append("resolvable: false")
    if join.is_interface_object:
        arguments.append("isInterfaceObject: true")
    return f"@join__type({', '.join(arguments)})"


def _field(one: MergedField) -> str:
    directives = [
        *_joins(one.joins),
        *(_horizontal(graph, mark) for graph, mark in one.horizontal),
        *_marks(one.marks),
    ]
    text = f"{_description(one.description, '  ')}  {one.name}{_arguments(one)}: {print_ast(one.type)}"
    return text + "".join(f" {directive}" for directive in directives)


def _arguments(one: MergedField) -> str:
    if not one.arguments:
        return ""
    arguments = list(one.arguments.values())
    if any(argument.description for argument in arguments):
        return "(\n" + "\n".join(_value(argument, "    ") for argument in arguments) + "\n  )"
    return "(" + ", ".join(_value(argument, "") for argument in arguments) + ")"


def _value(one: MergedValue, indent: str) -> str:
    default = f" = {print_ast(one.default)}" if one.default is not None else ""
    directives = "".join(f" {directive}" for directive in [*_joins(one.joins), *_marks(one.marks)])
    return f"{_description(one.description, indent)}{indent}{one.name}: {print_ast(one.type)}{default}{directives}"


def _enum_value(one: MergedEnumValue) -> str:
    directives = [f"@join__enumValue(graph: {graph})" for graph in one.graphs] + list(_marks(one.marks))
    return f"{_description(one.description, '  ')}  {one.name} {' '.join(directives)}"


def _joins(joins: tuple[FieldJoin, ...] | None) -> Iterator[str]:
    if joins is None:
        return
    if not joins:
        yield "@join__field"
    for join in joins:
        yield f"@join__field({', '.join(_join_arguments(join))})"


def _join_arguments(join: FieldJoin) -> Iterator[str]:
    yield f"graph: {join.graph}"
    if join.requires is not None:
        yield f"requires: {_string(print_selection_set(join.requires))}"
    if join.provides is not None:
        yield f"provides: {_string(print_selection_set(join.provides))}"
    if join.type is not None:
        yield f"type: {_string(join.type)}"
    if join.external:
        yield "external: true"
    if join.override_from is not None:
        yield f"override: {_string(join.override_from)}"
    if join.used_overridden:
        yield "usedOverridden: true"
    if join.override_label is not None:
        yield f"overrideLabel: {_string(join.override_label)}"
    if join.context_arguments:
        yield f"contextArguments: [{', '.join(map(_context_argument, join.context_arguments))}]"


def _context_argument(one: ContextArgument) -> str:
    selection = print_selection_set(one.selection)
    if not selection.startswith("..."):
        selection = f"{{ {selection} }}"
    values = {"context": one.context, "name": one.name, "type": one.type, "selection": selection}
    return "{" + ", ".join(f"{name}: {_string(value)}" for name, value in values.items()) + "}"


def _horizontal(graph: str, mark: HorizontalMark) -> str:
    arguments = ", ".join(print_ast(one) for one in mark.node.arguments or ())
    return f'@join__directive(graphs: [{graph}], name: "{mark.name}", args: {{{arguments}}})'


def _marks(marks: Marks) -> Iterator[str]:
    for tag in marks.tags:
        yield f"@tag(name: {_string(tag)})"
    if marks.inaccessible:
        yield "@inaccessible"
    if marks.deprecated is not None:
        yield f"@deprecated(reason: {_string(marks.deprecated)})"
    yield from print_carried(marks.carried)
    yield from marks.composed


def _description(text: str | None, indent: str) -> str:
    if not text:
        return ""
    block = print_block_string(text).replace("\n", f"\n{indent}")
    return f"{indent}{block}\n"


def _string(text: str) -> str:
    """A GraphQL string; JSON's escapes are a part of GraphQL's."""
    return json.dumps(text, ensure_ascii=False)
