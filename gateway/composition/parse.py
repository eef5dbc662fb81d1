"""First stage: a subgraph's SDL → a valid document and what its names mean.

The schema is checked as GraphQL with the specifications' own definitions in place, so that `@key(field: "id")` is a
fault with a position, whether or not the file brings definitions along. Types that are only extended (Federation's way
to speak of another subgraph's type) count as defined for this check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    GraphQLError,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    TypeSystemDefinitionNode,
    TypeSystemExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    build_ast_schema,
    parse,
    print_ast,
    validate_schema,
)
from graphql.validation.validate import validate_sdl

from gateway.composition.model import Report, SubgraphSource
from gateway.composition.names import SERVICE_FIELDS, Names, read_names
from gateway.supergraph.elements import TypeSystemNode
from gateway.supergraph.strip import replace_node

__all__ = ["ParsedSubgraph", "parse_subgraph", "schema_of"]

_MAX_TOKENS = 2_000_000
"""Far above any schema written by people; a bound, so that a broken publisher cannot exhaust the composer."""

_DEFINITION_OF: dict[type[TypeExtensionNode], type[TypeDefinitionNode]] = {
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
    ScalarTypeExtensionNode: ScalarTypeDefinitionNode,
}

_SERVICE_KINDS: dict[str, type[TypeDefinitionNode]] = {
    "_Any": ScalarTypeDefinitionNode,
    "_FieldSet": ScalarTypeDefinitionNode,
    "_Service": ObjectTypeDefinitionNode,
    "_Entity": UnionTypeDefinitionNode,
}
"""What a subgraph adds for its gateway; `names.SERVICE_TYPES` says so, too."""


@dataclass(frozen=True, slots=True)
class ParsedSubgraph:
    source: SubgraphSource
    document: DocumentNode
    """Less everything that belongs to specifications; extensions still are extensions."""
    names: Names


def parse_subgraph(source: SubgraphSource, report: Report) -> ParsedSubgraph | None:
    """None when it cannot be read; what is wrong is in the report."""
    document = _parse(source, report)
    if document is None:
        return None
    names = read_names(source.name, document, report)
    if names is None:
        return None
    _check_own_definitions(source.name, document, names, report)
    _check_own_types(source.name, document, names, report)
    own = DocumentNode(definitions=tuple(_own_definitions(document, names)))
    if not _is_valid(source.name, own, names, report):
        return None
    return ParsedSubgraph(source, own, names)


def schema_of(parsed: ParsedSubgraph) -> GraphQLSchema:
    """As a server of its own would have it, with the linked specifications' definitions."""
    return build_ast_schema(_complete(parsed.document, parsed.names), assume_valid_sdl=True)


def _parse(source: SubgraphSource, report: Report) -> DocumentNode | None:
    try:
        document = parse(source.sdl, max_tokens=_MAX_TOKENS)
    except GraphQLError as error:
        _invalid(source.name, error, report)
        return None
    for definition in document.definitions:
        if not isinstance(definition, TypeSystemDefinitionNode | TypeSystemExtensionNode):
            report.error(
                "INVALID_GRAPHQL",
                f"[{source.name}] a schema holds type definitions only.",
                [(source.name, definition)],
            )
            return None
    return document


def _invalid(subgraph: str, error: GraphQLError, report: Report) -> None:
    nodes: list[Node | None] = [*(error.nodes or ())]
    message = f"[{subgraph}] {error.message}{_remedy(error.message)}"
    if not nodes and error.locations:
        message += f" (line {error.locations[0].line}, column {error.locations[0].column})"
    report.error("INVALID_GRAPHQL", message, [(subgraph, node) for node in nodes or [None]])


def _remedy(message: str) -> str:
    if message.startswith("Unknown directive"):
        return ' If it is a directive of Federation, import it: @link(url: …, import: ["@name"]).'
    return ""


def _own_definitions(document: DocumentNode, names: Names) -> Iterator[DefinitionNode]:
    for definition in document.definitions:
        if isinstance(definition, DirectiveDefinitionNode):
            if not names.owns_directive(definition.name.value):
                yield definition
        elif isinstance(definition, TypeSystemNode):
            if not names.owns_type(definition.name.value):
                kept = _without_service_fields(definition)
                if kept is not None:
                    yield kept
        else:
            yield definition


def _without_service_fields(definition: TypeSystemNode) -> TypeSystemNode | None:
    """None when nothing else stood in it: a query root that serves only the gateway."""
    if not isinstance(definition, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
        return definition
    fields = tuple(one for one in definition.fields or () if one.name.value not in SERVICE_FIELDS)
    if len(fields) == len(definition.fields or ()):
        return definition
    return replace_node(definition, fields=fields) if fields else None


def _check_own_definitions(subgraph: str, document: DocumentNode, names: Names, report: Report) -> None:
    """A schema may bring the specifications' definitions along, but not change them."""
    expected = {one.name.value: one for one in names.definitions if isinstance(one, DirectiveDefinitionNode)}
    for definition in document.definitions:
        if not isinstance(definition, DirectiveDefinitionNode) or definition.name.value not in expected:
            continue
        spec = expected[definition.name.value]
        known = {one.name.value: one for one in spec.arguments}
        for argument in definition.arguments:
            same = known.get(argument.name.value)
            if same is None:
                report.error(
                    "DIRECTIVE_DEFINITION_INVALID",
                    f'[{subgraph}] Invalid definition for directive "@{spec.name.value}": unknown argument'
                    f' "{argument.name.value}". The specification has: {print_ast(spec)}',
                    [(subgraph, argument)],
                )
        given = {one.name.value for one in definition.arguments}
        for name, argument in known.items():
            if name not in given and print_ast(argument.type).endswith("!"):
                report.error(
                    "DIRECTIVE_DEFINITION_INVALID",
                    f'[{subgraph}] Invalid definition for directive "@{spec.name.value}": missing required argument'
                    f' "{name}".',
                    [(subgraph, definition)],
                )


def _check_own_types(subgraph: str, document: DocumentNode, names: Names, report: Report) -> None:
    expected = {one.name.value: type(one) for one in names.definitions if isinstance(one, TypeDefinitionNode)}
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode):
            kind = expected.get(definition.name.value, _SERVICE_KINDS.get(definition.name.value))
            if kind is not None and not isinstance(definition, kind):
                report.error(
                    "TYPE_DEFINITION_INVALID",
                    f'[{subgraph}] Invalid definition for type "{definition.name.value}": it should be a'
                    f" {_kind_name(kind)} but is defined as a {_kind_name(type(definition))}.",
                    [(subgraph, definition)],
                )


def _kind_name(kind: type[TypeDefinitionNode]) -> str:
    return kind.__name__.removesuffix("DefinitionNode")


def _is_valid(subgraph: str, document: DocumentNode, names: Names, report: Report) -> bool:
    complete = _complete(document, names)
    try:
        errors = validate_sdl(complete)
        if not errors:
            errors = validate_schema(build_ast_schema(complete, assume_valid_sdl=True))
    except GraphQLError as fault:
        errors = [fault]
    except TypeError as fault:  # graphql-core's way to say that a type does not exist or cannot stand here.
        errors = [GraphQLError(str(fault))]
    errors = [error for error in errors if not error.message.startswith("Query root type must be provided")]
    for error in errors:
        _invalid(subgraph, error, report)
    return not errors


def _complete(document: DocumentNode, names: Names) -> DocumentNode:
    return DocumentNode(definitions=(*_as_definitions(document), *names.definitions))


def _as_definitions(document: DocumentNode) -> Iterator[DefinitionNode]:
    """Extensions without a definition become one; the schema's own directives (`@link`) are not of interest here."""
    defined = {one.name.value for one in document.definitions if isinstance(one, TypeDefinitionNode)}
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            yield replace_node(definition, directives=())
        elif isinstance(definition, SchemaExtensionNode):
            if definition.operation_types:
                yield replace_node(definition, directives=())
        elif isinstance(definition, TypeExtensionNode) and definition.name.value not in defined:
            defined.add(definition.name.value)
            attributes = {key: getattr(definition, key, None) for key in definition.keys}
            yield _DEFINITION_OF[type(definition)](**attributes)
        else:
            yield definition
