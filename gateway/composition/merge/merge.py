"""The merge itself: same name, same type, laid over each other; enums last, because their use must be known.

Subgraphs come in the order of their names, and everything found keeps the order in which it was first declared, so
that the same subgraphs always give the same supergraph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from graphql import DirectiveDefinitionNode, print_ast

from gateway.composition.merge.composed import find_composed
from gateway.composition.merge.context import Context, Source, join_marks, most_said, quoted, where
from gateway.composition.merge.enums import find_uses, merge_enum_values
from gateway.composition.merge.fields import merge_fields
from gateway.composition.merge.interface_objects import add_interface_object_fields
from gateway.composition.merge.model import Merged, MergedType
from gateway.composition.merge.told import merge_told
from gateway.composition.merge.values import INPUT_FIELD, merge_values
from gateway.composition.model import Report
from gateway.composition.subgraph import Subgraph, SubgraphType, TypeKind
from gateway.supergraph.elements import ROOT_TYPES
from gateway.supergraph.model import Graph, TypeJoin

__all__ = ["merge"]

_EXECUTABLE = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


def merge(subgraphs: tuple[Subgraph, ...], report: Report) -> Merged:
    context = Context.of(subgraphs, report)
    sources = _sources(subgraphs)
    merged = {
        name: _merge_type(context, kind, same)
        for name, same in sources.items()
        if (kind := _common_kind(context, same)) is not None
    }
    uses = find_uses(context, merged.values())
    for name, type_ in merged.items():
        if type_.kind is TypeKind.ENUM:
            merged[name] = replace(type_, values=merge_enum_values(context, uses, sources[name]))
    return Merged(
        graphs=tuple(Graph(one.graph, one.name, one.url) for one in subgraphs),
        types=add_interface_object_fields(merged),
        directives=tuple(_executable_directives(context)),
        is_horizontal=any(one.is_horizontal for one in subgraphs),
        composed=tuple(find_composed(subgraphs, report)),
    )


def _sources(subgraphs: tuple[Subgraph, ...]) -> dict[str, list[Source]]:
    """By name. The query root exists in every subgraph, if only for the gateway's own fields."""
    found: dict[str, list[Source]] = {}
    for subgraph in subgraphs:
        for type_ in subgraph.types.values():
            found.setdefault(type_.name, []).append((subgraph, type_))
    query = [(one, one.types.get("Query") or _empty_query(one)) for one in subgraphs]
    if "Query" in found:
        found["Query"] = query
    return dict(sorted(found.items()))


def _empty_query(subgraph: Subgraph) -> SubgraphType:
    return SubgraphType("Query", TypeKind.OBJECT, None, join_marks(()), nodes=(subgraph.document,), is_extension=False)


def _common_kind(context: Context, sources: Sequence[Source]) -> TypeKind | None:
    """The kind of the supergraph's type; None when the subgraphs disagree."""
    name = sources[0][1].name
    kinds = {type_.kind for _, type_ in sources if not type_.is_interface_object}
    if not kinds:
        context.report.error(
            "INTERFACE_OBJECT_USAGE_ERROR",
            f'Type "{name}" is declared with @interfaceObject in all the subgraphs in which it is defined'
            f" ({quoted(subgraph for subgraph, _ in sources)}).",
            where(sources),
        )
        return None
    if any(type_.is_interface_object for _, type_ in sources):
        kinds.add(TypeKind.INTERFACE)
    if len(kinds) > 1:
        said = " but ".join(f'{type_.kind} Type in subgraph "{subgraph.name}"' for subgraph, type_ in sources)
        context.report.error(
            "TYPE_KIND_MISMATCH",
            f'Type "{name}" has mismatched kind: it is defined as {said}.',
            where(sources),
        )
        return None
    return next(iter(kinds))


def _merge_type(context: Context, kind: TypeKind, sources: Sequence[Source]) -> MergedType:
    name = sources[0][1].name
    if name not in ROOT_TYPES.values() and all(type_.is_extension for _, type_ in sources):
        context.report.error(
            "EXTENSION_WITH_NO_BASE",
            f'Type "{name}" is an extension type, but there is no type definition for "{name}" in any subgraph.',
            where(sources),
        )
    is_composite = kind in (TypeKind.OBJECT, TypeKind.INTERFACE)
    description, marks = merge_told(context, name, sources)
    merged = MergedType(
        name=name,
        kind=kind,
        description=description,
        marks=marks,
        joins=tuple(join for source in sources for join in _type_joins(source)),
        fields=merge_fields(context, kind, sources) if is_composite else {},
        inputs=merge_values(
            context, INPUT_FIELD, [(subgraph, type_.inputs) for subgraph, type_ in sources], f"{name}.{{}}"
        )
        if kind is TypeKind.INPUT
        else {},
        implements=tuple((subgraph.graph, one) for subgraph, type_ in sources for one in type_.interfaces),
        members=tuple((subgraph.graph, one) for subgraph, type_ in sources for one in type_.members),
        specified_by=most_said(type_.specified_by for _, type_ in sources),
        one_of=any(type_.one_of for _, type_ in sources),
        horizontal=tuple((subgraph.graph, mark) for subgraph, type_ in sources for mark in type_.horizontal),
        where=tuple(where(sources)),
    )
    if kind is TypeKind.INPUT and not merged.inputs and not _has_common_input(sources):
        context.report.error(
            "EMPTY_MERGED_INPUT_TYPE",
            f'None of the fields of input object type "{name}" are consistently defined in all the subgraphs defining'
            " that type. As only fields common to all subgraphs are merged, this would result in an empty type.",
            where(sources),
        )
    return merged


def _has_common_input(sources: Sequence[Source]) -> bool:
    """One that was left out for another reason, which is told."""
    return bool(set.intersection(*(set(type_.inputs) for _, type_ in sources)))


def _type_joins(source: Source) -> Iterator[TypeJoin]:
    subgraph, type_ = source
    is_extension = type_.is_extension and not subgraph.is_federation_1  # There, extending was the only way.
    keys = [key for key in type_.keys if key.fields.selections is not None]
    for key in keys:
        yield TypeJoin(subgraph.graph, key.fields.selections, key.resolvable, is_extension, type_.is_interface_object)
    if not keys:
        yield TypeJoin(subgraph.graph, is_interface_object=type_.is_interface_object)


def _executable_directives(context: Context) -> Iterator[DirectiveDefinitionNode]:
    """Directives that clients may use in operations: those that every subgraph defines alike."""
    first = context.subgraphs[0].directives
    names = dict.fromkeys(name for one in context.subgraphs for name in one.directives)
    for name in sorted(names):
        defined = [one.directives[name] for one in context.subgraphs if name in one.directives]
        if not any(location.value in _EXECUTABLE for one in defined for location in one.locations):
            continue
        if len(defined) == len(context.subgraphs) and len({_signature(one) for one in defined}) == 1:
            yield first[name]
        else:
            context.report.hint(
                "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
                f'Executable directive "@{name}" will not be part of the supergraph: not all subgraphs define it alike.',
                [(one.name, one.directives[name]) for one in context.subgraphs if name in one.directives],
            )


def _signature(node: DirectiveDefinitionNode) -> str:
    arguments = ", ".join(f"{one.name.value}: {print_ast(one.type)}" for one in node.arguments)
    return f"({arguments}) on {sorted(one.value for one in node.locations)}"
