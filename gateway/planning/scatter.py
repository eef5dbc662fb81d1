"""Stage 5, for partitioned graphs: how each field of the operation is merged over members; see `plan.nodes`.

Adds to the operation what the merge needs and the client did not select, under keys of the gateway's own. Says
nothing about which members there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graphql import is_composite_type, is_enum_type

from gateway.language.errors import Code
from gateway.plan.nodes import GatherField, Scatter
from gateway.planning.costs import refused
from gateway.planning.groups import Group, OpField, OpSelection
from gateway.planning.operations import field_text, field_variables, simplified
from gateway.planning.response import GATHER_EDGES, GATHER_PAGE, by_key
from gateway.query_graph import QueryGraph
from gateway.query_graph.selection import Condition
from gateway.supergraph.model import Gather, GatherKind, Partitioning

__all__ = ["prepare_gathers", "scatter_of"]

ROW_FIELDS = frozenset({"nodes", "edges", "pageInfo"})
"""Fields of a connection that depend on which rows are on the page."""
_NUMBERS = frozenset({"Int", "Float", "Boolean", "ID", "String"})


def prepare_gathers(group: Group, root_type: str, partitioning: Partitioning) -> None:
    """Adds what merging needs to the operation of `group`."""
    for (condition, _, _), one in group.selection.entries.items():
        _prepare(one, condition or root_type, partitioning)


def _prepare(one: OpField, parent: str, partitioning: Partitioning) -> None:
    gather = partitioning.gathers.get((parent, one.name))
    if gather is None or one.children is None:
        return
    match gather.kind:
        case GatherKind.CONNECTION:
            _prepare_connection(one.children)
        case GatherKind.GROUPS:
            _prepare_groups(one.children, gather)
        case _:
            pass
    for child in list(one.children.entries.values()):
        _prepare(child, one.type_name, partitioning)


def _prepare_connection(selection: OpSelection) -> None:
    if not any(one.name in ROW_FIELDS for one in selection.entries.values()):
        return
    cursors = OpSelection()
    cursors.add(None, "cursor", OpField("cursor", "", frozenset(), "String"))
    selection.add(None, GATHER_EDGES, OpField("edges", "", frozenset(), "", (), cursors))
    pages = OpSelection()
    for name in ("hasNextPage", "hasPreviousPage"):
        pages.add(None, name, OpField(name, "", frozenset(), "Boolean"))
    selection.add(None, GATHER_PAGE, OpField("pageInfo", "", frozenset(), "PageInfo", (), pages))


def _prepare_groups(selection: OpSelection, gather: Gather) -> None:
    for name in gather.by:
        selected = selection.entries.get((None, name, ()))
        if selected is None or selected.name != name:
            selection.add(None, by_key(name), OpField(name, "", frozenset(), ""))


def scatter_of(
    group: Group, root_type: str, partitioning: Partitioning, graph: QueryGraph, variables: Sequence[str]
) -> Scatter:
    lifted = frozenset(group.conditions)
    if group.is_entity:
        conditions = [one for one, _ in group.requires]
        return Scatter(
            fields=tuple(_entity_fields(group, partitioning, graph, variables, lifted)),
            partitioned=tuple(
                (name, partitioning.types[name]) for name in dict.fromkeys(conditions) if name in partitioning.types
            ),
        )
    return Scatter(tuple(_root_fields(group, root_type, partitioning, graph, variables, lifted)))


def _root_fields(
    group: Group,
    root_type: str,
    partitioning: Partitioning,
    graph: QueryGraph,
    variables: Sequence[str],
    lifted: frozenset[Condition],
) -> Iterator[GatherField]:
    for (_, key, _), one in simplified(group.selection):
        if not _has_rule(partitioning, root_type, one.name):
            raise _ruleless(root_type, one.name, group.graph)
        yield _describe(key, one, root_type, None, partitioning, graph, variables, lifted)


def _entity_fields(
    group: Group,
    partitioning: Partitioning,
    graph: QueryGraph,
    variables: Sequence[str],
    lifted: frozenset[Condition],
) -> Iterator[GatherField]:
    for (condition, key, _), one in simplified(group.selection):
        assert condition is not None
        if condition in partitioning.types:
            continue
        if not _has_rule(partitioning, condition, one.name):
            raise _ruleless(condition, one.name, group.graph)
        yield _describe(key, one, condition, condition, partitioning, graph, variables, lifted)


def _has_rule(partitioning: Partitioning, parent: str, name: str) -> bool:
    return (parent, name) in partitioning.gathers or (parent, name) in partitioning.routes


def _describe(
    key: str,
    one: OpField,
    parent: str,
    type_condition: str | None,
    partitioning: Partitioning,
    graph: QueryGraph,
    variables: Sequence[str],
    lifted: frozenset[Condition],
) -> GatherField:
    gather = partitioning.gathers.get((parent, one.name))
    fold = partitioning.folds.get((parent, one.name))
    used = frozenset(field_variables(one, lifted))
    children: tuple[GatherField, ...] = ()
    if one.children is not None and (gather is None or gather.kind not in (GatherKind.LIST, GatherKind.ONE)):
        children = tuple(
            _describe(inner_key, inner, one.type_name, None, partitioning, graph, variables, frozenset())
            for (_, inner_key, _), inner in simplified(one.children)
            if (one.type_name, inner.name) in partitioning.gathers or (one.type_name, inner.name) in partitioning.folds
        )
    return GatherField(
        key=key,
        name=one.name,
        gather=gather,
        route=partitioning.routes.get((parent, one.name)),
        fold=None if fold is None else fold.kind,
        arguments=f"{{{one.arguments}}}" if one.arguments else "",
        type_condition=type_condition,
        selection=field_text(key, one, lifted),
        variables=tuple(name for name in variables if name in used),
        element_type=one.type_name,
        is_decimal=fold is not None and _is_other_scalar(graph, one.type_name),
        children=children,
        conditions=tuple(one for one in one.conditions if one not in lifted),
    )


def _is_other_scalar(graph: QueryGraph, name: str) -> bool:
    kind = graph.types.schema.type_map.get(name)
    return kind is not None and not is_composite_type(kind) and not is_enum_type(kind) and name not in _NUMBERS


def _ruleless(parent: str, name: str, graph: str) -> Exception:
    return refused(
        Code.PLANNING_IMPOSSIBLE,
        f'"{parent}.{name}" lies in the partitioned graph {graph} and has neither @gather nor @route, '
        "so no rule says how the members' answers become one.",
    )
