"""Merging the fields of objects and interfaces, and telling on what terms each graph serves them."""

from __future__ import annotations

from collections.abc import Sequence

from graphql import SelectionSetNode, print_ast

from gateway.composition.merge.context import Context, Source, quoted, where
from gateway.composition.merge.contextual import context_arguments, without_contextual
from gateway.composition.merge.externals import check_externals
from gateway.composition.merge.model import MergedField
from gateway.composition.merge.overrides import Overrides, find_overrides
from gateway.composition.merge.sharing import check_sharing
from gateway.composition.merge.told import merge_told
from gateway.composition.merge.types import TypeCodes, merge_output_type, tell_types
from gateway.composition.merge.values import ARGUMENT, merge_values
from gateway.composition.subgraph import FieldSet, Subgraph, SubgraphField, TypeKind
from gateway.supergraph.model import FieldJoin

__all__ = ["merge_fields"]

Declared = tuple[Subgraph, SubgraphField]

FIELD_TYPES = TypeCodes("field", "FIELD_TYPE_MISMATCH", "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE")


def merge_fields(context: Context, kind: TypeKind, sources: Sequence[Source]) -> dict[str, MergedField]:
    names = dict.fromkeys(name for _, type_ in sources for name in type_.fields)
    merged = (_merge_field(context, kind, name, sources) for name in names)
    return {one.name: one for one in merged if one is not None}


def _merge_field(context: Context, kind: TypeKind, name: str, sources: Sequence[Source]) -> MergedField | None:
    type_name = sources[0][1].name
    present = [(subgraph, type_.fields[name]) for subgraph, type_ in sources if name in type_.fields]
    own = [(subgraph, one) for subgraph, one in present if not one.external]
    if not own:
        context.report.error(
            "EXTERNAL_MISSING_ON_BASE",
            f'Field "{type_name}.{name}" is marked @external on all the subgraphs in which it is listed'
            f" ({quoted(subgraph for subgraph, _ in present)}).",
            where(present),
        )
        return None
    overrides = find_overrides(context, type_name, present)
    if kind is TypeKind.OBJECT or any(type_.is_interface_object for _, type_ in sources):
        _check_sharing(context, type_name, sources, present, overrides)
    coordinate = f"{type_name}.{name}({{}}:)"
    arguments = merge_values(context, ARGUMENT, without_contextual(context, own, coordinate), coordinate)
    type_ = merge_output_type(context, [(subgraph, one.type) for subgraph, one in own])
    tell_types(context, FIELD_TYPES, f"{type_name}.{name}", own, type_)
    if type_ is None:
        return None
    description, marks = merge_told(context, f"{type_name}.{name}", own)
    merged = MergedField(
        name=name,
        type=type_,
        arguments=arguments,
        description=description,
        marks=marks,
        joins=_joins(sources, present, overrides),
        horizontal=tuple((subgraph.graph, mark) for subgraph, one in present for mark in one.horizontal),
        where=tuple(where(present)),
    )
    check_externals(context, type_name, merged, own, [(s, one) for s, one in present if one.external])
    return merged


def _check_sharing(
    context: Context, type_name: str, sources: Sequence[Source], present: Sequence[Declared], overrides: Overrides
) -> None:
    """Of an interface's declarations, only interface objects resolve anything."""
    objects = {subgraph.graph for subgraph, type_ in sources if type_.kind is TypeKind.OBJECT}
    resolving = [(subgraph, one) for subgraph, one in present if subgraph.graph in objects]
    if resolving:
        check_sharing(context, type_name, resolving, overrides)


def _joins(
    sources: Sequence[Source], present: Sequence[Declared], overrides: Overrides
) -> tuple[FieldJoin, ...] | None:
    """None where nothing needs saying: every graph that has the type serves the field plainly and alike."""
    serving = [(subgraph, one) for subgraph, one in present if subgraph.graph not in overrides.gone]
    all_equal = len({print_ast(one.type) for _, one in serving}) == 1
    joins = tuple(_join(subgraph, one, overrides, all_equal) for subgraph, one in serving)
    everywhere = len({subgraph.graph for subgraph, _ in sources}) == len(serving)
    if everywhere and all(join == FieldJoin(join.graph) for join in joins):
        return None
    return joins


def _join(subgraph: Subgraph, one: SubgraphField, overrides: Overrides, all_equal: bool) -> FieldJoin:
    return FieldJoin(
        graph=subgraph.graph,
        requires=_selections(one.requires),
        provides=_selections(one.provides),
        external=one.external,
        type=None if all_equal else print_ast(one.type),
        override_from=one.override.source if one.override else None,
        override_label=overrides.labels.get(subgraph.graph),
        used_overridden=subgraph.graph in overrides.still_used,
        context_arguments=tuple(context_arguments(subgraph, one)),
    )


def _selections(field_set: FieldSet | None) -> SelectionSetNode | None:
    return field_set.selections if field_set is not None else None
