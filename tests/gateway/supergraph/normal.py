"""A supergraph's model as text that is equal for equal models, so that a failing comparison shows a readable diff.

What cannot matter is left out, and nothing else:

- *order* of graphs, types, fields, values and keys: it decides how things are printed, never how they are planned;
- *order and doubles inside a field set*: `id sku` is the key that `sku id` is;
- *ways of not saying something*: a field without terms is served by every graph of its type, so it is written out; a
  type in one graph that is the merged type is no difference;
- *the version*, a digest of the file's text.

Links never reach the model: which version of the specifications a composer writes is the reader's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InputValueDefinitionNode,
    SelectionSetNode,
    lexicographic_sort_schema,
    parse,
    print_ast,
    print_schema,
)

from gateway.language.selections import canonical_field_set
from gateway.supergraph.elements import Member, TypeSystemNode, members_of, type_nodes
from gateway.supergraph.model import ContextArgument, FieldJoin, Supergraph, TypeJoin

__all__ = ["applications", "difference", "normal_form", "normal_schema"]


def difference(ours: Supergraph, theirs: Supergraph) -> str:
    """As a diff from theirs to ours; empty: the models are equal."""
    lines = (normal_form(one).splitlines() for one in (theirs, ours))
    return "\n".join(unified_diff(*lines, "theirs", "ours", lineterm="", n=0))


def normal_form(supergraph: Supergraph) -> str:
    return "\n".join(
        [
            *sorted(f"graph {one.graph} is {one.name} at {one.url or 'no url'}" for one in supergraph.graphs.values()),
            *(f"partitions {partitions}" for _, partitions in sorted(supergraph.partitions.items())),
            *(f"{name} is set by {', '.join(sorted(types))}" for name, types in sorted(supergraph.contexts.items())),
            *_cache_tags(supergraph),
            *(f"unenforced {url}" for url in sorted(supergraph.unenforced)),
            *_terms(supergraph),
            "--- merged schema",
            normal_schema(supergraph.schema),
            "--- API schema",
            normal_schema(supergraph.api_schema),
        ]
    )


def _cache_tags(supergraph: Supergraph) -> Iterator[str]:
    for (type_name, field), tags in supergraph.cache_tags.items():
        where = type_name if field is None else f"{type_name}.{field}"
        yield from sorted(f"{where} is cached as {one.format} in {', '.join(sorted(one.graphs))}" for one in tags)


def normal_schema(schema: GraphQLSchema) -> str:
    return print_schema(lexicographic_sort_schema(schema))


def _terms(supergraph: Supergraph) -> Iterator[str]:
    for name, type_ in sorted(supergraph.schema.type_map.items()):
        if name not in supergraph.type_joins:
            continue
        yield f"{name}: {_said(_type_term(join) for join in supergraph.type_joins[name])}"
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType():
                yield from _by_graph(f"{name} implements", supergraph.implements.get(name, {}))
                yield from _fields(supergraph, type_)
            case GraphQLInputObjectType():
                yield from _fields(supergraph, type_)
            case GraphQLUnionType():
                yield from _by_graph(f"{name} may be", supergraph.union_members[name])
            case GraphQLEnumType():
                yield from _by_graph(f"{name} has", supergraph.enum_values[name])


def _fields(
    supergraph: Supergraph, type_: GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
) -> Iterator[str]:
    everywhere = tuple(FieldJoin(graph) for graph in dict.fromkeys(j.graph for j in supergraph.type_joins[type_.name]))
    for name, field in sorted(type_.fields.items()):
        joins = supergraph.field_joins.get((type_.name, name), everywhere)
        yield f"{type_.name}.{name}: {_said(_field_term(join, str(field.type)) for join in joins)}"


def _said(terms: Iterator[str]) -> str:
    return ", ".join(sorted(set(terms))) or "nowhere"


def _type_term(join: TypeJoin) -> str:
    told = [
        f"by {{{canonical_field_set(join.key)}}}" if join.key else "",
        "" if join.resolvable else "not resolvable",
        "extension" if join.extension else "",
        "interface object" if join.is_interface_object else "",
    ]
    return " ".join([join.graph, *filter(None, told)])


def _field_term(join: FieldJoin, merged_type: str) -> str:
    told = [
        f"as {join.type}" if join.type not in (None, merged_type) else "",
        "external" if join.external else "",
        _field_set("requires", join.requires),
        _field_set("provides", join.provides),
        f"overrides {join.override_from}" if join.override_from else "",
        f"by label {join.override_label}" if join.override_label else "",
        "used though overridden" if join.used_overridden else "",
        *(_context_argument(one) for one in sorted(join.context_arguments, key=lambda one: one.name)),
    ]
    return " ".join([join.graph, *filter(None, told)])


def _context_argument(one: ContextArgument) -> str:
    return f"takes {one.name}: {one.type} from {one.context} {{{canonical_field_set(one.selection)}}}"


def _field_set(word: str, selections: SelectionSetNode | None) -> str:
    return f"{word} {{{canonical_field_set(selections)}}}" if selections else ""


def _by_graph(what: str, parts: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for graph, names in sorted(parts.items()):
        if names:
            yield f"{what} {', '.join(sorted(names))} in {graph}"


# What the model leaves to the file: tags, costs, demands.


def applications(sdl: str) -> list[str]:
    """Every directive that an element bears, but those of `join` and of the schema itself: `T.f @tag(name: "x")`."""
    return sorted(_applications(parse(sdl)))


def _applications(document: DocumentNode) -> Iterator[str]:
    for node in type_nodes(document):
        yield from _on(node.name.value, node)
        for member in members_of(node):
            coordinate = f"{node.name.value}.{member.name.value}"
            yield from _on(coordinate, member)
            for one in getattr(member, "arguments", None) or ():
                yield from _on(f"{coordinate}({one.name.value}:)", one)


def _on(coordinate: str, node: TypeSystemNode | Member | InputValueDefinitionNode) -> Iterator[str]:
    for one in node.directives or ():
        if not one.name.value.startswith("join__"):
            yield f"{coordinate} {print_ast(one)}"
