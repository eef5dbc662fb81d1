"""Saying why a field cannot be served: the query that asks for it, and what stands in the way at each subgraph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.composition.example_query import example_query
from gateway.language.selections import print_selection_set
from gateway.supergraph.model import FieldJoin, Supergraph, TypeJoin

if TYPE_CHECKING:
    from gateway.composition.serving import Around, Position, Serving

__all__ = ["explain"]


def explain(
    supergraph: Supergraph,
    serving: Serving,
    type_name: str,
    field: str,
    reach: frozenset[Position],
    around: Around,
    way: list[str],
) -> str:
    lines = ["The following supergraph API query:", *example_query(supergraph.api_schema, way, field)]
    lines.append("cannot be satisfied by the subgraphs because:")
    seen = sorted({position.graph for position in reach})
    for graph in seen:
        lines.append(f'- from subgraph "{supergraph.graphs[graph].name}":')
        lines += [f"  - {reason}" for reason in _reasons(supergraph, serving, type_name, field, graph, reach, around)]
    if not seen:
        lines.append(f'- no subgraph returns a "{type_name}" here.')
    return "\n".join(lines)


def _reasons(
    supergraph: Supergraph,
    serving: Serving,
    type_name: str,
    field: str,
    graph: str,
    reach: frozenset[Position],
    around: Around,
) -> Iterator[str]:
    seen_as = next(position.type for position in sorted(reach) if position.graph == graph)
    here = serving.field_join(graph, seen_as, field)
    coordinate = f'"{seen_as}.{field}"'
    if here is None:
        yield f"cannot find field {coordinate}."
    elif here.external:
        yield f"field {coordinate} is not resolvable because marked @external."
    elif not serving.has_context(here, around):
        yield _without_context(coordinate, here, serving, around)
    elif here.requires is not None:
        yield _unmet(coordinate, here)
    elif here.context_arguments:
        yield f"cannot be asked for field {coordinate}, which takes contextual arguments, by any key."
    reached = {position.graph for position in reach}
    for other in supergraph.graphs:
        if other not in reached:
            yield from _cannot_move(supergraph, serving, type_name, field, other)


def _cannot_move(supergraph: Supergraph, serving: Serving, type_name: str, field: str, graph: str) -> Iterator[str]:
    there = serving.field_join(graph, type_name, field)
    if there is None or there.external:
        return
    move = f'cannot move to subgraph "{supergraph.graphs[graph].name}", which has field "{type_name}.{field}"'
    keys = [join for join in serving.type_joins(graph, type_name) if join.key is not None]
    usable = [join for join in keys if join.resolvable]
    if not keys:
        yield f'{move}, because type "{type_name}" has no @key defined there.'
    elif not usable:
        yield f'{move}, because none of the @key of type "{type_name}" there are resolvable.'
    for join in usable:
        yield f"{move}, using key {_key(join)}, because the key field(s) cannot be resolved from here."


def _unmet(coordinate: str, join: FieldJoin) -> str:
    return (
        f'cannot satisfy @require conditions on field {coordinate}: "{print_selection_set(join.requires)}" cannot be'
        " resolved on this path."
    )


def _without_context(coordinate: str, join: FieldJoin, serving: Serving, around: Around) -> str:
    one = next(
        one
        for one in join.context_arguments
        if not serving.has_context(FieldJoin("", context_arguments=(one,)), around)
    )
    return (
        f'cannot find the value of argument "{one.name}" of field {coordinate}: on this path no object sets the context'
        f' "{one.context}", or the nearest that does cannot give "{print_selection_set(one.selection)}".'
    )


def _key(join: TypeJoin) -> str:
    return f'"{print_selection_set(join.key)}"'
