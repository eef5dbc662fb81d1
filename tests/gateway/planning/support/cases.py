"""A federated schema made ready for tests: planned and executed by the product, and compared with one single schema."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, execute, parse, validate

from gateway.execution.compiled import compile_plan
from gateway.execution.executor import Clients
from gateway.execution.limits import Deadline
from gateway.execution.members import Member, Members
from gateway.execution.run import Request, Result
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline
from gateway.plan.nodes import QueryPlan, Subscription
from gateway.planning.planner import Planner
from gateway.supergraph.group import group_supergraph
from gateway.supergraph.model import Supergraph
from gateway.supergraph.served import as_subgraph
from tests.gateway.planning.support.compose import compose_for_test
from tests.gateway.planning.support.schemas import SCHEMAS
from tests.gateway.planning.support.served import Served
from tests.gateway.planning.support.subgraph import Asked, Subgraph
from tests.gateway.planning.support.things import REGIONS
from tests.gateway.planning.support.universe import Data, Universe

__all__ = ["Case", "Change", "case"]

Change = Callable[[QueryPlan], QueryPlan]
"""What a test does to a plan before it is executed."""


class Case:
    def __init__(
        self,
        subgraphs: Mapping[str, str],
        labels: frozenset[str] = frozenset(),
        data: Data | None = None,
        whole: GraphQLSchema | None = None,
        served: str | None = None,
    ) -> None:
        """`whole`: the schema before it was split; None: what composition makes of the subgraphs.

        `served`: the one subgraph that is planned for, as others ask it."""
        self.labels = labels
        self.supergraph: Supergraph = compose_for_test(subgraphs)
        if served is not None:
            self.supergraph = as_subgraph(group_supergraph(self.supergraph, served.upper()), subgraphs[served])
        self.whole = whole or self.supergraph.api_schema
        self.planner = Planner(self.supergraph)
        self.universe = Universe.of(subgraphs, self.supergraph.schema, labels, data)
        self.log: list[Asked] = []
        """What subgraphs were asked."""
        self.complaints: list[str] = []
        """What they found wrong with it."""
        self.uses: set[str] = set()
        """What of federation was at work in it."""
        self.change: Change = lambda plan: plan

    def is_valid(self, text: str) -> bool:
        return not validate(self.supergraph.api_schema, parse(text))

    def plan(self, text: str, **options: Any) -> QueryPlan:
        document = parse(text)
        errors = validate(self.supergraph.api_schema, document)
        assert not errors, errors
        return self.planner.plan(document, None, labels=self.labels, **options)

    # The two answers

    def single(self, text: str, variables: Mapping[str, Any]) -> ExecutionResult:
        """What one schema answers that serves everything."""
        self.universe.changes = 0
        result = execute(
            self.whole,
            parse(text),
            variable_values=dict(variables),
            field_resolver=self.universe.resolve,
            type_resolver=lambda value, info, kind: value.type,
        )
        assert isinstance(result, ExecutionResult)
        return result

    def expected(self, text: str, variables: Mapping[str, Any]) -> Any:
        result = self.single(text, variables)
        assert self.universe.data.faults or not result.errors, result.errors
        return result.data

    @cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline(self.supergraph, self.clients, _Plans(self))

    @cached_property
    def clients(self) -> Clients:
        return {graph: self._client(one.name) for graph, one in self.supergraph.graphs.items()}

    def _client(self, name: str) -> Subgraph | Members:
        served = self.universe.subgraphs[name]
        if not served.is_partitioned:
            return self._subgraph(served)
        return Members(Member(region, region, self._subgraph(served, region)) for region in REGIONS)

    def _subgraph(self, served: Served, region: str | None = None) -> Subgraph:
        return Subgraph(served, self.universe, self.log, self.complaints, self.uses, region)

    @property
    def requests(self) -> dict[str, dict[str, int]]:
        """Partitioned graph → member → how many requests it got."""
        counts = {
            name: dict.fromkeys(REGIONS, 0) for name, one in self.universe.subgraphs.items() if one.is_partitioned
        }
        for asked in self.log:
            if asked.region is not None:
                counts[asked.graph][asked.region] += 1
        return counts

    def renew(self) -> None:
        """Forget what was planned."""
        self.__dict__.pop("pipeline", None)

    def begin(self) -> None:
        self.universe.changes = 0
        self.log.clear()
        self.complaints.clear()
        self.uses.clear()

    async def ask(self, text: str, variables: Mapping[str, Any]) -> Answered:
        """The whole way of a query."""
        self.begin()
        return await self.pipeline.answer(GraphQLRequest(text, None, variables), Caller())

    def federated(self, plan: QueryPlan, variables: Mapping[str, Any]) -> Any:
        """The answer of a plan. No subgraph may complain, nor may there be an error, unless faults are part of the case."""
        self.begin()
        result = asyncio.run(self._executed(plan, variables))
        assert not self.complaints, self.complaints
        assert self.universe.data.faults or not result.errors, result.errors
        return result.data

    async def _executed(self, plan: QueryPlan, variables: Mapping[str, Any]) -> Result:
        executor = self.pipeline.executor
        compiled = compile_plan(plan, self.supergraph)
        request = Request(Deadline.after(10), dict(variables))
        if not isinstance(plan.root, Subscription):
            return await executor.execute(compiled, request)
        async for event in executor.open_stream(plan.root.primary, request):
            return await executor.complete_event(compiled, request, plan.root, event)
        raise AssertionError("the subscription gave no event")

    def check(self, text: str, variables: Mapping[str, Any] | None = None) -> QueryPlan:
        """The plan, after it has given the answer that the single schema gives."""
        plan = self.plan(text)
        assert self.federated(plan, variables or {}) == self.expected(text, variables or {})
        return plan


class _Plans:
    """Planning under the case's labels."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def plan(self, document: DocumentNode, operation_name: str | None) -> QueryPlan:
        return self._case.change(self._case.planner.plan(document, operation_name, labels=self._case.labels))


@cache
def case(name: str) -> Case:
    """One of the standing schemas."""
    return Case(SCHEMAS[name])
