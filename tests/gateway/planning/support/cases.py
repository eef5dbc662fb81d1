"""A federated schema made ready for tests, and the comparison every test of planning ends in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from graphql import GraphQLSchema, graphql_sync, parse, validate

from gateway.plan.nodes import QueryPlan
from gateway.planning.planner import Planner
from gateway.supergraph.model import Supergraph
from tests.gateway.planning.support.compose import compose_for_test
from tests.gateway.planning.support.interpreter import Interpreter
from tests.gateway.planning.support.schemas import SCHEMAS
from tests.gateway.planning.support.universe import Universe

__all__ = ["Case", "case"]


class Case:
    def __init__(self, subgraphs: Mapping[str, str], labels: frozenset[str] = frozenset()) -> None:
        self.labels = labels
        self.supergraph: Supergraph = compose_for_test(subgraphs)
        self.planner = Planner(self.supergraph)
        self.universe = Universe(self.supergraph, self.planner.query_graph, labels)
        self._single: GraphQLSchema | None = None

    @property
    def single(self) -> GraphQLSchema:
        if self._single is None:
            self._single = self.universe.single_schema()
        return self._single

    def is_valid(self, text: str) -> bool:
        return not validate(self.supergraph.api_schema, parse(text))

    def plan(self, text: str, **options: Any) -> QueryPlan:
        document = parse(text)
        errors = validate(self.supergraph.api_schema, document)
        assert not errors, errors
        return self.planner.plan(document, None, labels=self.labels, **options)

    def expected(self, text: str, variables: Mapping[str, Any]) -> Any:
        """What one schema answers that serves everything."""
        result = graphql_sync(self.single, text, variable_values=dict(variables))
        assert not result.errors, result.errors
        return result.data

    def federated(self, plan: QueryPlan, variables: Mapping[str, Any]) -> Any:
        return Interpreter(self.supergraph.api_schema, self.universe.subgraph).answer(plan, variables)

    def check(self, text: str, variables: Mapping[str, Any] | None = None) -> QueryPlan:
        """The plan, after it has given the answer that the single schema gives."""
        plan = self.plan(text)
        assert self.federated(plan, variables or {}) == self.expected(text, variables or {})
        return plan


@cache
def case(name: str) -> Case:
    """One of the standing schemas."""
    return Case(SCHEMAS[name])
