"""Walk a plan: fetch, and merge what comes back into the data.

The executor branches and awaits; what it calls computes, and `asking` alone sends. A fetch that fails leaves an error
behind and its fields null; its siblings and everything that does not need it go on. Time is kept back at each fetch for
the rounds that follow and for writing the answer, so that a hung subgraph costs its own fields and not the whole answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, TypeAlias, assert_never

import orjson

from gateway.execution.answers import Failure, Outcome, error_path
from gateway.execution.asking import Asker, Call, CallKind, Target
from gateway.execution.batches import BatchRequest, batch_requests
from gateway.execution.clients import SubgraphClient
from gateway.execution.compiled import CompiledBatch, CompiledFetch, CompiledPart, CompiledPlan
from gateway.execution.entities import OTHER_NUMBER, entities_of, entity_paths, merge_by_path, part_paths
from gateway.execution.finish import Introspect, finish
from gateway.execution.given import AS_GIVEN, CompiledGiven
from gateway.execution.limits import ExecutionLimits
from gateway.execution.members import Members
from gateway.execution.merge import copied, merge_entities, merge_into, rewrite
from gateway.execution.partitions import PartitionedGraph
from gateway.execution.places import collect, locate
from gateway.execution.representations import Batch, all_places, build_batch
from gateway.execution.run import Request, Result, Run, root_keys, subgraph_error
from gateway.execution.stale import StaleStore
from gateway.execution.trace import Trace
from gateway.language.errors import Code
from gateway.plan.nodes import (
    BatchFetch,
    Condition,
    Fetch,
    Flatten,
    Given,
    Node,
    Parallel,
    ScatterFetch,
    Sequence,
    Subscription,
)

__all__ = ["Clients", "Executor"]

Clients: TypeAlias = Mapping[str, SubgraphClient | Members]
"""By graph (the supergraph's enum value): a client, or the members of a partitioned graph."""


class Executor:
    def __init__(
        self,
        clients: Clients,
        services: Mapping[str, str],
        introspect: Introspect,
        limits: ExecutionLimits | None = None,
        stale: StaleStore | None = None,
    ) -> None:
        """`services`: graph → the name that errors show. `stale`: where members' last good answers are kept."""
        self._clients = clients
        self._targets: dict[str, Target] = {}
        """Of graphs that are no partitioned ones."""
        self._services = services
        self._introspect = introspect
        self._asker = Asker(limits or ExecutionLimits())
        self._stale = stale

    async def execute(self, compiled: CompiledPlan, request: Request) -> Result:
        run = _run(compiled, request)
        if compiled.plan.root is not None:
            await self._walk(compiled.plan.root, run)
        return finish(run, self._introspect)

    async def complete_event(
        self, compiled: CompiledPlan, request: Request, subscription: Subscription, event: Outcome
    ) -> Result:
        """One event of a subscription: its data, completed by the rest of the plan."""
        run = _run(compiled, request)
        self._take_root(event, subscription.primary, run)
        if subscription.rest is not None and run.data:
            await self._walk(subscription.rest, run)
        return finish(run, self._introspect)

    async def open_stream(self, primary: Fetch, request: Request) -> AsyncGenerator[Outcome, None]:
        """The upstream of a subscription: each event, and a `Failure` at the end when the stream broke."""
        client = next(iter(self._target(primary.graph).clients), None)
        if client is None:
            yield Failure(Code.SUBGRAPH_UNAVAILABLE, "it is not connected", was_sent=False)
            return
        given = request.variables
        variables = {name: given[name] for name in primary.variables if name in given} | dict(primary.constants)
        async with aclosing(client.subscribe(primary.operation, variables, request.headers)) as stream:
            async for outcome in stream:
                yield outcome

    # Walking

    async def _walk(self, node: Node, run: Run) -> None:
        match node:
            case Fetch():
                await self._fetch_root(run.compiled.fetches[id(node)], run)
            case ScatterFetch():
                await self._scatter_root(run.compiled.fetches[id(node)], run)
            case BatchFetch():
                await self._fetch_batch(run.compiled.batches[id(node)], run)
            case Flatten(node=inner):
                compiled = run.compiled.fetches[id(inner)]
                await (self._fetch_entities if compiled.build is not None else self._fetch_root_below)(compiled, run)
            case Given(node=inner):
                await self._fetch_given(run.compiled.givens[id(node)], run.compiled.fetches[id(inner)], run)
            case Sequence():
                for child in node.nodes:
                    await self._walk(child, run)
            case Parallel():
                await asyncio.gather(*(self._walk(child, run) for child in node.nodes))
            case Condition():
                branch = node.if_true if run.request.variables.get(node.variable) is True else node.if_false
                if branch is not None:
                    await self._walk(branch, run)
            case Subscription():
                raise TypeError("a subscription is opened by the subscriptions package, not walked")
            case _:
                assert_never(node)

    async def _fetch_root(self, compiled: CompiledFetch, run: Run) -> None:
        fetch = compiled.fetch
        variables = run.variables(fetch.variables, compiled.constants)
        is_change = fetch.operation_kind == "mutation"
        kind = CallKind.CHANGE if is_change else CallKind.READ
        outcome = await self._ask(
            fetch.graph, Call(fetch.operation, variables, compiled.rounds_after, kind), compiled, run
        )
        self._take_root(outcome, fetch, run, is_change)
        for one in fetch.rewrites:
            rewrite(run.data, one.path, one.value)

    def _take_root(self, outcome: Outcome, fetch: Fetch, run: Run, is_change: bool = False) -> None:
        service = self._service(fetch.graph)
        if isinstance(outcome, Failure):
            for key in root_keys(fetch.operation):
                run.tell_failure(outcome, service, (key,), is_change)
            return
        if outcome.data is not None:
            merge_into(run.data, outcome.data, run.compiled.types.interfaces)
        for raw in outcome.errors:
            run.tell(subgraph_error(raw, service, error_path(raw)))

    async def _fetch_root_below(self, compiled: CompiledFetch, run: Run) -> None:
        """Root fields of a query, for the query root that fields gave at a path."""
        fetch = compiled.fetch
        objects = collect(run.data, compiled.path)
        if not objects:
            return
        variables = run.variables(fetch.variables, compiled.constants)
        outcome = await self._ask(fetch.graph, Call(fetch.operation, variables, compiled.rounds_after), compiled, run)
        service = self._service(fetch.graph)
        if isinstance(outcome, Failure):
            run.tell_failure(outcome, service, compiled.plain_path)
            return
        for one in objects if outcome.data is not None else ():
            merge_into(one, copied(outcome.data), run.compiled.types.interfaces)
        for raw in outcome.errors:
            below = error_path(raw)
            places = [compiled.plain_path] if below is None else locate(run.data, compiled.path)
            for place in places:
                run.tell(subgraph_error(raw, service, (*place, *(below or ()))))

    async def _fetch_entities(self, compiled: CompiledFetch, run: Run) -> None:
        assert compiled.build is not None, "planning gives entity fetches their requirements"
        batch = build_batch(collect(run.data, compiled.path), compiled.build)
        if not batch.texts:
            return
        if compiled.scatter is not None:
            entities = await self._partitioned(compiled, run).entities(
                compiled.scatter.under(run.request.variables), batch
            )
        else:
            entities = await self._ask_entities(compiled, batch, run)
        for one in compiled.fetch.rewrites:
            for entity in entities:
                rewrite(entity, one.path, one.value)
        merge_entities(batch.objects, batch.owners, entities, run.compiled.types.interfaces)

    async def _ask_entities(self, compiled: CompiledFetch, batch: Batch, run: Run) -> list[Any]:
        fetch = compiled.fetch
        service = self._service(fetch.graph)
        variables = run.variables(fetch.variables, compiled.constants)
        variables[fetch.representations_variable] = [orjson.Fragment(text) for text in batch.texts]
        outcome = await self._ask(fetch.graph, Call(fetch.operation, variables, compiled.rounds_after), compiled, run)
        if isinstance(outcome, Failure):
            run.tell_failure(outcome, service, compiled.plain_path)
            return [None] * len(batch.texts)
        if outcome.errors:
            places = all_places(run.data, (compiled.path,), batch)
            for raw in outcome.errors:
                for path in entity_paths(raw, "_entities", places, compiled.plain_path):
                    run.tell(subgraph_error(raw, service, path))
        entities = entities_of(outcome, "_entities", len(batch.texts))
        if entities is None:
            if not outcome.errors:
                run.tell_failure(OTHER_NUMBER, service, compiled.plain_path)
            return [None] * len(batch.texts)
        return entities

    async def _fetch_batch(self, compiled: CompiledBatch, run: Run) -> None:
        """Entities at several paths, in one request."""
        requests = batch_requests(compiled, run.data)
        if len(requests) == 1:
            await self._ask_batch(compiled, requests[0], run)
        else:
            await asyncio.gather(*(self._ask_batch(compiled, one, run) for one in requests))

    async def _ask_batch(self, compiled: CompiledBatch, request: BatchRequest, run: Run) -> None:
        batch_fetch = compiled.batch
        service = self._service(batch_fetch.graph)
        variables = {**run.variables(batch_fetch.variables, {}), **request.variables}
        call = Call(request.operation, variables, compiled.rounds_after)
        outcome = await self._ask(batch_fetch.graph, call, compiled, run)
        if isinstance(outcome, Failure):
            for one in request.asked:
                if one.batch.texts:
                    self._tell_part(outcome, one.part, service, run)
            return
        for raw in outcome.errors:
            for path in part_paths(raw, request.asked, run.data):
                run.tell(subgraph_error(raw, service, path))
        for one in request.asked:
            entities = entities_of(outcome, one.part.alias, len(one.batch.texts))
            if entities is not None:
                merge_by_path(one.batch, one.lengths, entities, run.compiled.types.interfaces)
            elif one.batch.texts and not outcome.errors:
                self._tell_part(OTHER_NUMBER, one.part, service, run)

    @staticmethod
    def _tell_part(failure: Failure, part: CompiledPart, service: str, run: Run) -> None:
        for path in dict.fromkeys(part.plain_paths):
            run.tell_failure(failure, service, path)

    async def _scatter_root(self, compiled: CompiledFetch, run: Run) -> None:
        assert compiled.scatter is not None
        scatter = compiled.scatter.under(run.request.variables)
        merge_into(run.data, await self._partitioned(compiled, run).root(scatter))

    async def _fetch_given(self, given: CompiledGiven, compiled: CompiledFetch, run: Run) -> None:
        assert compiled.scatter is not None
        items, refusals = given.read(run.request.variables)
        for refusal in refusals:
            run.tell(refusal)
        run.data[given.key] = items  # Errors find there what they are about.
        batch = build_batch([one for one in items if one is not None], AS_GIVEN)
        scatter = compiled.scatter.under(run.request.variables)
        entities = await self._partitioned(compiled, run).entities(scatter, batch)
        run.data[given.key] = given.answer(items, batch.owners, entities)

    # Asking

    def _partitioned(self, compiled: CompiledFetch, run: Run) -> PartitionedGraph:
        graph = compiled.fetch.graph
        members = self._clients[graph]
        if not isinstance(members, Members):
            raise TypeError(f"graph {graph} is partitioned, but its client is a single one")

        return PartitionedGraph(members, self._service(graph), compiled, run, self._asker, self._stale)

    async def _ask(self, graph: str, call: Call, compiled: CompiledFetch | CompiledBatch, run: Run) -> Outcome:
        trace = None if run.trace is None else run.trace.begin(self._service(graph), compiled.printed_paths)
        asked = await self._asker.ask(self._target(graph), call, run)
        if trace is not None:
            trace.end(asked.outcome)
        return asked.outcome

    def _target(self, graph: str) -> Target:
        target = self._targets.get(graph)
        if target is None:
            client = self._clients.get(graph)
            target = Target(graph, () if client is None or isinstance(client, Members) else (client,))
            self._targets[graph] = target
        return target

    def _service(self, graph: str) -> str:
        return self._services.get(graph, graph)


def _run(compiled: CompiledPlan, request: Request) -> Run:
    return Run(compiled, request, dict(compiled.plan.known), trace=Trace() if request.explain else None)
