"""One case of differential fuzzing: a random split, a random operation, the whole gateway against one single schema.

The federated answer comes from the product's own pipeline (parse, validate, plan, execute, project) over subgraphs that
are strict; the expected one from graphql-core on the schema that was never split. With faults, chosen leaf fields raise
in both worlds, and null propagation must come to the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import DocumentNode, GraphQLSchema, execute_sync, parse, validate

from gateway.composition.composer import compose
from gateway.composition.model import SubgraphSource
from gateway.execution.answers import Answer, Outcome
from gateway.execution.limits import Deadline
from gateway.language.errors import PlanningRefused
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline
from gateway.plan.nodes import QueryPlan
from gateway.planning.planner import Planner
from gateway.supergraph.load import load_supergraph
from tests.fuzz.schemas import LABELS, Split, random_split
from tests.gateway.planning.support.compose import linked
from tests.gateway.planning.support.operations import random_operation
from tests.gateway.planning.support.universe import Universe

__all__ = ["Compared", "Difference", "Refused", "World", "run_case"]

OPERATIONS_OF_A_SPLIT = 6
DEADLINE_S = 60.0

PlanChange = Callable[[QueryPlan], QueryPlan]


class Refused(Exception):
    """The split does not compose."""


class Difference(AssertionError):
    """The gateway and the single schema disagree."""

    def __init__(
        self,
        what: str,
        split: Split,
        operation: str,
        variables: Mapping[str, Any],
        broken: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.split = split
        self.operation = operation
        self.variables = variables
        self.broken = broken


@dataclass
class Compared:
    features: set[str]
    operations: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


class _Client:
    """A strict subgraph, in this process."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents: dict[str, DocumentNode] = {}

    async def execute(
        self, operation: str, variables: Mapping[str, Any] | None, headers: Mapping[str, str], deadline: Deadline
    ) -> Outcome:
        document = self._documents.get(operation)
        if document is None:
            document = self._documents[operation] = parse(operation)
            wrong = validate(self._schema, document)
            assert not wrong, f"the subgraph refuses {operation}: {wrong}"
        result = execute_sync(self._schema, document, variable_values=_plain(variables or {}))
        formatted = result.formatted  # type: ignore[union-attr]
        return Answer(formatted.get("data"), tuple(dict(one) for one in formatted.get("errors", ())))

    async def subscribe(self, *_: Any) -> AsyncGenerator[Outcome, None]:
        raise NotImplementedError
        yield

    async def close(self) -> None: ...


def _plain(variables: Mapping[str, Any]) -> dict[str, Any]:
    """As they come out of JSON."""
    import orjson

    return dict(orjson.loads(orjson.dumps(variables)))


class World:
    """A split, composed and ready to be asked."""

    def __init__(self, split: Split, change: PlanChange | None = None, swap_labels: bool = False) -> None:
        """`change`, `swap_labels`: faults to plant."""
        self.split = split
        self.labels = frozenset(LABELS) - split.labels if swap_labels else split.labels
        sources = [SubgraphSource(name, f"http://{name}/", linked(sdl)) for name, sdl in split.subgraphs.items()]
        composition = compose(sources)
        if composition.supergraph_sdl is None:
            raise Refused("; ".join(f"{one.code}: {one.message}" for one in composition.errors))
        self.supergraph = load_supergraph(composition.supergraph_sdl)
        self.planner = Planner(self.supergraph)
        self.universe = Universe(self.supergraph, self.planner.query_graph, split.labels)
        self.single = self.universe.single_schema()
        self._change = change
        clients = {name: _Client(self.universe.subgraph(name)) for name in self.supergraph.graphs}
        self.pipeline = Pipeline(self.supergraph, clients, self)  # type: ignore[arg-type]

    def plan(self, document: DocumentNode, operation_name: str | None) -> QueryPlan:
        plan = self.planner.plan(document, operation_name, labels=self.labels)
        return plan if self._change is None else self._change(plan)

    def is_valid(self, text: str) -> bool:
        return not validate(self.supergraph.api_schema, parse(text))

    async def compare(self, text: str, variables: Mapping[str, Any]) -> None:
        """Raises `Difference`."""
        expected = execute_sync(self.single, parse(text), variable_values=dict(variables))
        try:
            answered = await self.pipeline.answer(GraphQLRequest(text, None, variables), Caller(deadline_s=DEADLINE_S))
        except PlanningRefused as refused:  # pragma: no cover - the pipeline answers refusals
            raise self._difference(f"refused: {refused}", text, variables) from None
        what = _disagreement(expected, answered)
        if what is not None:
            raise self._difference(what, text, variables)

    def _difference(self, what: str, text: str, variables: Mapping[str, Any]) -> Difference:
        return Difference(what, self.split, text, variables, self.universe.broken)


def _disagreement(expected: Any, answered: Answered) -> str | None:
    if answered.data != expected.data:
        return f"expected {expected.data!r}\nanswered {answered.data!r}\nerrors {[str(one) for one in answered.errors]}"
    wanted = {tuple(one.path or ()) for one in expected.errors or ()}
    told = {tuple(one.path or ()) for one in answered.errors}
    if bool(wanted) != bool(told) or not all(one in wanted or _is_null_at(answered.data, one) for one in told):
        return f"errors at {sorted(map(str, wanted))}, told at {sorted(map(str, told))}: {answered.errors!r}"
    return None


def _is_null_at(data: Any, path: tuple[Any, ...]) -> bool:
    """At the path or above it: below a null, one world may stop at the first error where the other finds more."""
    for key in path:
        if data is None:
            return True
        data = data[key]
    return data is None


def run_case(random: Random, change: PlanChange | None = None, *, swap_labels: bool = False) -> Compared:
    """Raises `Refused` or `Difference`."""
    split = random_split(random)
    world = World(split, change, swap_labels)
    compared = Compared(split.features)

    async def all_of_them() -> None:
        for turn in range(OPERATIONS_OF_A_SPLIT):
            kind = "mutation" if world.supergraph.api_schema.mutation_type and turn == 0 else "query"
            text, variables = random_operation(world.supergraph.api_schema, random, kind)
            if not world.is_valid(text):
                continue
            if turn >= OPERATIONS_OF_A_SPLIT - 2:
                world.universe.break_fields(random)
            await world.compare(text, variables)
            compared.operations += 1
            compared.kinds[kind] = compared.kinds.get(kind, 0) + 1

    asyncio.run(all_of_them())
    return compared
