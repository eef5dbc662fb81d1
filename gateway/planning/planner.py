"""An operation becomes a plan. The order of the stages stands in `Planner.plan`, and nowhere else.

    operation ── normalise ── bind ─── search + walk ── merge ── batch ── assemble ── write ── shape ──▶ QueryPlan
                 (flat)    (contexts)  (fetches)        (fewer)  (requests) (rounds)   (text)   (output)

Planning does no I/O and keeps nothing between operations but the query graph. It never gives a wrong plan: what it
cannot serve it refuses, with a code (`PLANNING_IMPOSSIBLE`, `PLANNING_UNSUPPORTED`, `QUERY_PLAN_COMPLEXITY_EXCEEDED`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from graphql import DocumentNode

from gateway.language.errors import Code
from gateway.plan.nodes import (
    BatchFetch,
    BatchPart,
    ContextVariable,
    Fetch,
    Flatten,
    Given,
    Node,
    QueryPlan,
    RequiredField,
    RequiredSelection,
    ScatterFetch,
    Subscription,
)
from gateway.planning.assemble import Leaf, assemble, in_sequence
from gateway.planning.batch import Unit, units_of
from gateway.planning.bind import bind_contexts
from gateway.planning.costs import refused
from gateway.planning.entities import ServedWalk
from gateway.planning.groups import Group, Requirement
from gateway.planning.merge import merge_groups
from gateway.planning.normalise import Operation, normalise
from gateway.planning.operations import OperationWriter
from gateway.planning.output import shape_output
from gateway.planning.scatter import prepare_gathers, scatter_of
from gateway.planning.search import Search
from gateway.planning.walk import EVERY_KEY, Walk
from gateway.query_graph import build_query_graph
from gateway.query_graph.selection import SelectionSet
from gateway.supergraph.model import Supergraph

__all__ = ["Planner"]


class Planner:
    """Plans operations of one supergraph; make one and keep it."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        self.query_graph = build_query_graph(supergraph)

    def plan(
        self,
        document: DocumentNode,
        operation_name: str | None = None,
        *,
        client_name: str | None = None,
        labels: frozenset[str] = frozenset(),
    ) -> QueryPlan:
        """`document` is valid against the API schema. `labels`: progressive overrides in force. Raises `PlanningRefused`."""
        operation = normalise(document, operation_name, self.query_graph.types)
        walk = self._walk(operation, labels)
        groups = merge_groups(walk.groups)
        for group in groups:
            self._prepare(group, operation)
        root = self._arrange(operation, groups, client_name)
        output = shape_output(self.query_graph.types, operation.root_type, operation.output, walk.response)
        return QueryPlan(
            operation_kind=operation.kind,
            root=root,
            output=output,
            introspection=operation.introspection,
            graphs=frozenset(one.graph for one in groups),
            known=tuple(walk.known.items()),
            services=tuple((one, self.supergraph.graphs[one].name) for one in sorted({one.graph for one in groups})),
        )

    # Search and walk

    def _walk(self, operation: Operation, labels: frozenset[str]) -> Walk:
        """Walked once, nearly always; again where keys were torn, and with every key apart where that tore others."""
        search = Search(self.query_graph, labels)
        selections = bind_contexts(self.query_graph, operation.root_type, operation.selections)

        def walked(apart: Container[str]) -> Walk:
            return self._walked(operation, selections, self._begin(search, operation, apart))

        walk = walked(frozenset())
        if walk.torn:
            again = walked(frozenset(walk.torn))
            walk = again if again.torn <= walk.torn else walked(EVERY_KEY)
        walk.contexts.settle(walk.groups)
        return walk

    def _begin(self, search: Search, operation: Operation, apart: Container[str]) -> Walk:
        served = self.supergraph.served
        if served is None:
            return Walk(search, apart=apart, variables=operation.variables)
        return ServedWalk(search, apart=apart, variables=operation.variables, supergraph=self.supergraph, served=served)

    def _walked(self, operation: Operation, selections: SelectionSet, walk: Walk) -> Walk:
        if operation.kind == "mutation":
            walk.root_in_series(operation.root_type, selections, frozenset(self.supergraph.partitions))
        else:
            walk.root(operation.root_type, selections)
        return walk

    # Write and assemble

    def _prepare(self, group: Group, operation: Operation) -> None:
        partitioning = self.supergraph.partitions.get(group.graph)
        if partitioning is not None:
            prepare_gathers(group, operation.root_type, partitioning, self.query_graph.types)

    def _arrange(self, operation: Operation, groups: list[Group], client_name: str | None) -> Node | None:
        if not groups:
            return None
        writer = OperationWriter(
            operation.kind, operation.variables, operation.variables_named_representations, client_name
        )
        numbers = {group: number for number, group in enumerate(groups)}

        def leaf(unit: Unit) -> Node:
            number = numbers[unit.groups[0]]
            if len(unit.groups) > 1 or unit.groups[0].contextual:
                return self._batch(unit, writer, number)
            return self._node(unit.groups[0], operation, writer, number)

        match operation.kind:
            case "mutation":
                return in_sequence([assemble(self._units(run), leaf) for run in _runs(groups)])
            case "subscription":
                return self._subscription(groups, leaf)
            case _:
                return assemble(self._units(groups), leaf)

    def _units(self, groups: list[Group]) -> list[Unit]:
        return units_of(groups, lambda group: group.graph not in self.supergraph.partitions)

    def _subscription(self, groups: list[Group], leaf: Leaf) -> Node:
        roots = [one for one in groups if not one.path]
        primary = leaf(Unit([roots[0]], roots[0].conditions))
        if len(roots) != 1 or not isinstance(primary, Fetch):
            raise refused(
                Code.PLANNING_UNSUPPORTED, "A subscription must come from exactly one, unpartitioned subgraph."
            )
        rest = [one for one in groups if one is not roots[0]]
        for one in rest:
            one.deps.discard(roots[0])
        return Subscription(primary, assemble(self._units(rest), leaf) if rest else None)

    def _batch(self, unit: Unit, writer: OperationWriter, number: int) -> BatchFetch:
        text, variables, parts = writer.write_batch(unit.groups, number, self.supergraph.graphs[unit.graph].name)
        return BatchFetch(
            graph=unit.graph,
            operation=text,
            variables=variables,
            parts=tuple(
                BatchPart(alias, variable, tuple(one.path for one in same), _requires(same[0]), _contexts(same[0]))
                for alias, variable, same in parts
            ),
        )

    def _node(self, group: Group, operation: Operation, writer: OperationWriter, number: int) -> Node:
        text, variables = writer.write(group, number, self.supergraph.graphs[group.graph].name)
        fetch = Fetch(
            graph=group.graph,
            operation_kind="query" if group.path else operation.kind,
            operation=text,
            variables=variables,
            requires=_requires(group) if group.given is None else (),
            representations_variable=writer.representations,
        )
        partitioning = self.supergraph.partitions.get(group.graph)
        node: Fetch | ScatterFetch = fetch
        if partitioning is not None:
            if group.path and not group.is_entity:
                told = "A field that gives the query root does not lead to the root fields of a partitioned subgraph."
                raise refused(Code.PLANNING_UNSUPPORTED, told)
            scatter = scatter_of(group, operation.root_type, partitioning, self.query_graph, tuple(operation.variables))
            node = ScatterFetch(fetch, scatter)
        if group.given is not None:
            assert isinstance(node, ScatterFetch), "only a partitioned graph is served as a subgraph"
            echoes = tuple((name, echo) for (name, _), echo in group.given.echoes.items())
            return Given(group.path[0], group.given.representations, node, echoes)
        return Flatten(group.path, node) if group.path else node


def _runs(groups: list[Group]) -> Iterable[list[Group]]:
    """Mutations: each root fetch with all that completes it, in the order of the operation."""
    run_of: dict[Group, int] = {}
    roots = [one for one in groups if not one.path]

    def find(group: Group) -> int:
        if group not in run_of:
            run_of[group] = max((find(dep) for dep in group.deps), default=0)
        return run_of[group]

    run_of.update((one, place) for place, one in enumerate(roots))
    for place in range(len(roots)):
        yield [one for one in groups if find(one) == place]


def _requires(group: Group) -> tuple[RequiredSelection, ...]:
    return tuple(
        RequiredSelection(condition, send, _fields(requirement))
        for (condition, send), requirement in group.requires.items()
    )


def _contexts(group: Group) -> tuple[ContextVariable, ...]:
    return tuple(ContextVariable(one.variable, one.argument.type, one.values) for one in group.contextual.values())


def _fields(requirement: Requirement) -> tuple[RequiredField, ...]:
    return tuple(
        RequiredField(
            name,
            one.source,
            tuple(RequiredSelection(condition, send, _fields(below)) for (condition, send), below in one.below.items()),
        )
        for name, one in requirement.items()
    )
