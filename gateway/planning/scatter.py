"""Stage 5, for partitioned graphs: how each field of the operation is merged over members; see `plan.nodes`.

Adds to the operation what the merge needs and the client did not select, under keys of the gateway's own. Says
nothing about which members there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import GraphQLObjectType, get_named_type, is_composite_type, is_enum_type

from gateway.language.errors import Code
from gateway.plan.nodes import GATHER_EDGES, GATHER_PAGE, GatherField, Scatter, gather_by, gather_key
from gateway.planning.costs import refused
from gateway.planning.groups import Group, OpField, OpSelection
from gateway.planning.operations import field_text, field_variables, simplified
from gateway.query_graph import QueryGraph
from gateway.query_graph.selection import Condition, TypeTable
from gateway.supergraph.model import DECIMAL_SCALAR, TIME_SCALARS, Gather, GatherKind, Partitioned, Partitioning

__all__ = ["prepare_gathers", "scatter_of"]

ROW_FIELDS = frozenset({"nodes", "edges", "pageInfo"})
"""Fields of a connection that depend on which rows are on the page."""
_NO_DECIMALS = frozenset({"Int", "Float", "Boolean", "ID", "String", *TIME_SCALARS})


def prepare_gathers(group: Group, root_type: str, partitioning: Partitioning, types: TypeTable) -> None:
    """Adds what merging needs to the operation of `group`."""
    preparer = _Preparer(partitioning, types)
    for (condition, _, _), one in group.selection.entries.items():
        preparer.prepare(one, condition or root_type)


@dataclass(frozen=True, slots=True)
class _Preparer:
    partitioning: Partitioning
    types: TypeTable

    def prepare(self, one: OpField, parent: str) -> None:
        gather = self.partitioning.gathers.get((parent, one.name))
        if one.children is None:
            return
        if (parent, one.name) in self.partitioning.routes or (gather is not None and gather.kind is GatherKind.LIST):
            self._identify(one.children, one.type_name)
        if gather is None:
            return
        if gather.kind is GatherKind.CONNECTION:
            self._connection(one.children)
        elif gather.kind is GatherKind.GROUPS:
            _prepare_groups(one.children, gather)
        for child in list(one.children.entries.values()):
            self.prepare(child, one.type_name)

    def _connection(self, selection: OpSelection) -> None:
        shown = list(selection.entries.values())
        if not any(one.name in ROW_FIELDS for one in shown):
            return
        for one in shown:
            if one.name == "nodes" and one.children is not None:
                self._identify(one.children, one.type_name)
            elif one.name == "edges" and one.children is not None:
                for inner in list(one.children.entries.values()):
                    if inner.name == "node" and inner.children is not None:
                        self._identify(inner.children, inner.type_name)
        if not _has_cursors(selection):
            cursors = OpSelection()
            cursors.add(None, "cursor", OpField("cursor", "", frozenset(), "String"))
            selection.add(None, GATHER_EDGES, OpField("edges", "", frozenset(), "", (), cursors))
        pages = OpSelection()
        for name in ("hasNextPage", "hasPreviousPage"):
            pages.add(None, name, OpField(name, "", frozenset(), "Boolean"))
        selection.add(None, GATHER_PAGE, OpField("pageInfo", "", frozenset(), "PageInfo", (), pages))

    def _identify(self, selection: OpSelection, type_name: str) -> None:
        """Sees to it that the rows bring their partition keys."""
        for name in sorted(self.types.possible(type_name)):
            partitioned = self.partitioning.types.get(name)
            if partitioned is None:
                continue
            plain = selection.entries.get((None, partitioned.key, ()))
            if plain is None or plain.name != partitioned.key:
                condition = name if self.types.is_abstract(type_name) else None
                selection.add(condition, gather_key(partitioned), OpField(partitioned.key, "", frozenset(), "ID"))


def _has_cursors(selection: OpSelection) -> bool:
    """Whether the client selects every row's cursor itself, whatever its conditions."""
    return any(
        one.name == "edges"
        and not conditions
        and one.children is not None
        and any(inner.name == "cursor" and not under for (_, _, under), inner in one.children.entries.items())
        for (_, _, conditions), one in selection.entries.items()
    )


def _prepare_groups(selection: OpSelection, gather: Gather) -> None:
    for name in gather.by:
        selected = selection.entries.get((None, name, ()))
        if selected is None or selected.name != name:
            selection.add(None, gather_by(name), OpField(name, "", frozenset(), ""))


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
        is_decimal=fold is not None and _is_decimal(graph, one.type_name),
        decimals_by=() if gather is None else _decimals_by(graph, gather, one.type_name),
        children=children,
        conditions=tuple(one for one in one.conditions if one not in lifted),
        rows=_rows(one, gather, parent, partitioning, graph.types),
    )


def _rows(
    one: OpField, gather: Gather | None, parent: str, partitioning: Partitioning, types: TypeTable
) -> tuple[Partitioned, ...]:
    """The keys of the partitioned types that rows of this field may be of."""
    name = one.type_name
    if gather is not None and gather.kind is GatherKind.CONNECTION:
        found = next((row for row in _row_types(one)), None)
        if found is None:
            return ()
        name = found
    elif (parent, one.name) not in partitioning.routes and (gather is None or gather.kind is not GatherKind.LIST):
        return ()
    if one.children is None:
        return ()
    keys = (partitioning.types.get(each) for each in sorted(types.possible(name)))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _row_types(connection: OpField) -> Iterator[str]:
    for each in connection.children.entries.values() if connection.children is not None else ():
        if each.name == "nodes" and each.children is not None:
            yield each.type_name
        elif each.name == "edges" and each.children is not None:
            yield from (inner.type_name for inner in each.children.entries.values() if inner.name == "node")


def _is_decimal(graph: QueryGraph, name: str) -> bool:
    kind = graph.types.schema.type_map.get(name)
    return kind is not None and not is_composite_type(kind) and not is_enum_type(kind) and name not in _NO_DECIMALS


def _decimals_by(graph: QueryGraph, gather: Gather, name: str) -> tuple[str, ...]:
    kind = graph.types.schema.type_map.get(name)
    fields = kind.fields if isinstance(kind, GraphQLObjectType) else {}
    return tuple(
        each for each in gather.by if each in fields and get_named_type(fields[each].type).name == DECIMAL_SCALAR
    )


def _ruleless(parent: str, name: str, graph: str) -> Exception:
    return refused(
        Code.PLANNING_IMPOSSIBLE,
        f'"{parent}.{name}" lies in the partitioned graph {graph} and has neither @gather nor @route, '
        "so no rule says how the members' answers become one.",
    )
