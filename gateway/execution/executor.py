"""Walk a plan: fetch, merge, and shape the answer.

The executor branches and awaits; what it calls computes. A fetch that fails leaves an error behind and its fields
null; its siblings and everything that does not need it go on. Time is kept back at each fetch for the rounds that
follow and for writing the answer, so that a hung subgraph costs its own fields and not the whole answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from collections.abc import Sequence as Sequence_
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never

import orjson

from contract.identity import DEADLINE_HEADER
from gateway.execution.answers import Answer, Failure, Outcome
from gateway.execution.clients import SubgraphClient
from gateway.execution.compiled import CompiledBatch, CompiledFetch, CompiledPart, CompiledPlan
from gateway.execution.limits import Deadline, Limiter, Overloaded
from gateway.execution.members import Member, Members
from gateway.execution.merge import copied, merge_entities, merge_into, rewrite
from gateway.execution.partitions import PartitionedGraph
from gateway.execution.project import Notes, client_path
from gateway.execution.representations import Batch, all_places, build_batch, collect
from gateway.execution.run import Request, Result, Run, root_keys, subgraph_error
from gateway.execution.trace import Trace
from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath
from gateway.plan.nodes import (
    BatchFetch,
    Condition,
    Fetch,
    Flatten,
    Node,
    Parallel,
    ScatterFetch,
    Sequence,
    Subscription,
)

__all__ = ["Clients", "ExecutionLimits", "Executor", "Introspect"]

Clients: TypeAlias = Mapping[str, SubgraphClient | Members]
"""By graph (the supergraph's enum value): a client, or the members of a partitioned graph."""
Introspect: TypeAlias = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""(introspection operation, variables) → its data, from the API schema."""


OTHER_NUMBER = Failure(Code.SUBGRAPH_BAD_RESPONSE, "it gave another number of entities than asked for")


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    member_timeout_s: float = 10.0
    """The longest that one member or subgraph is waited for, within the request's deadline."""
    answer_margin_s: float = 0.02
    answer_share: float = 0.05
    """Kept back from the deadline for shaping and writing the answer, and for its way back on a busy machine."""
    round_share: float = 0.2
    """Share of the remaining time kept back for each further round of fetches, all together at most half."""
    concurrency_max: int = 512
    queue_max: int = 1024
    """Requests to subgraphs at once, over all requests; more wait, then `OVERLOADED`."""


class Executor:
    def __init__(
        self,
        clients: Clients,
        services: Mapping[str, str],
        introspect: Introspect,
        limits: ExecutionLimits | None = None,
    ) -> None:
        """`services`: graph → the name that errors show."""
        self._clients = clients
        self._services = services
        self._introspect = introspect
        self.limits = limits or ExecutionLimits()
        self._limiter = Limiter(self.limits.concurrency_max, self.limits.queue_max)

    async def execute(self, compiled: CompiledPlan, request: Request) -> Result:
        run = _run(compiled, request)
        if compiled.plan.root is not None:
            await self._walk(compiled.plan.root, run)
        return self._finish(run)

    async def complete_event(
        self, compiled: CompiledPlan, request: Request, subscription: Subscription, event: Outcome
    ) -> Result:
        """One event of a subscription: its data, completed by the rest of the plan."""
        run = _run(compiled, request)
        self._take_root(event, subscription.primary, run)
        if subscription.rest is not None and run.data:
            await self._walk(subscription.rest, run)
        return self._finish(run)

    async def open_stream(self, primary: Fetch, request: Request) -> AsyncGenerator[Outcome, None]:
        """The upstream of a subscription: each event, and a `Failure` at the end when the stream broke."""
        client = self._clients.get(primary.graph)
        if client is None or isinstance(client, Members):
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
                await self._fetch_entities(run.compiled.fetches[id(inner)], run)
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
        outcome = await self._ask_graph(fetch.graph, fetch.operation, variables, compiled, run)
        is_change = fetch.operation_kind == "mutation"
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
            run.tell(subgraph_error(raw, service, _path_of(raw)))

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
        outcome = await self._ask_graph(fetch.graph, fetch.operation, variables, compiled, run)
        if isinstance(outcome, Failure):
            run.tell_failure(outcome, service, compiled.plain_path)
            return [None] * len(batch.texts)
        if outcome.errors:
            places = all_places(run.data, (compiled.path,), batch)
            for raw in outcome.errors:
                for path in _entity_paths(raw, "_entities", places, compiled.plain_path):
                    run.tell(subgraph_error(raw, service, path))
        entities = _entities_of(outcome, "_entities", len(batch.texts))
        if entities is None:
            if not outcome.errors:
                run.tell_failure(OTHER_NUMBER, service, compiled.plain_path)
            return [None] * len(batch.texts)
        return entities

    async def _fetch_batch(self, compiled: CompiledBatch, run: Run) -> None:
        """Entities at several paths, in one request."""
        batches: list[tuple[CompiledPart, Batch]] = []
        counts: list[list[int]] = []
        variables = run.variables(compiled.batch.variables, {})
        for part in compiled.parts:
            found = [collect(run.data, path) for path in part.paths]
            counts.append([len(one) for one in found])
            batch = build_batch([one for same in found for one in same], part.build)
            batches.append((part, batch))
            variables[part.variable] = [orjson.Fragment(text) for text in batch.texts]
        if not any(batch.texts for _, batch in batches):
            return
        batch_fetch = compiled.batch
        service = self._service(batch_fetch.graph)
        outcome = await self._ask_graph(batch_fetch.graph, batch_fetch.operation, variables, compiled, run)
        if isinstance(outcome, Failure):
            for part, batch in batches:
                if batch.texts:
                    self._tell_part(outcome, part, service, run)
            return
        for raw in outcome.errors:
            for path in _part_paths(raw, batches, run.data):
                run.tell(subgraph_error(raw, service, path))
        for (part, batch), lengths in zip(batches, counts, strict=True):
            entities = _entities_of(outcome, part.alias, len(batch.texts))
            if entities is not None:
                _merge_by_path(batch, lengths, entities, run.compiled.types.interfaces)
            elif batch.texts and not outcome.errors:
                self._tell_part(OTHER_NUMBER, part, service, run)

    @staticmethod
    def _tell_part(failure: Failure, part: CompiledPart, service: str, run: Run) -> None:
        for path in dict.fromkeys(part.plain_paths):
            run.tell_failure(failure, service, path)

    async def _scatter_root(self, compiled: CompiledFetch, run: Run) -> None:
        assert compiled.scatter is not None
        scatter = compiled.scatter.under(run.request.variables)
        merge_into(run.data, await self._partitioned(compiled, run).root(scatter))

    # Asking

    def _partitioned(self, compiled: CompiledFetch, run: Run) -> PartitionedGraph:
        graph = compiled.fetch.graph
        members = self._clients[graph]
        if not isinstance(members, Members):
            raise TypeError(f"graph {graph} is partitioned, but its client is a single one")

        async def ask(member: Member, operation: str, variables: Mapping[str, Any]) -> tuple[Outcome, float]:
            return await self._ask_member(member, operation, variables, compiled.rounds_after, run)

        return PartitionedGraph(members, self._service(graph), compiled, run, ask)

    async def _ask_graph(
        self,
        graph: str,
        operation: str,
        variables: Mapping[str, Any],
        compiled: CompiledFetch | CompiledBatch,
        run: Run,
    ) -> Outcome:
        client = self._clients.get(graph)
        if client is None or isinstance(client, Members):
            return Failure(Code.SUBGRAPH_UNAVAILABLE, "it is not connected", was_sent=False)
        trace = None if run.trace is None else run.trace.begin(self._service(graph), compiled.printed_paths)
        outcome, _ = await self._ask(client, None, operation, variables, compiled.rounds_after, run)
        if trace is not None:
            trace.end(outcome)
        return outcome

    async def _ask_member(
        self,
        member: Member,
        operation: str,
        variables: Mapping[str, Any],
        rounds_after: int,
        run: Run,
    ) -> tuple[Outcome, float]:
        outcome, latency_ms = await self._ask(member.client, member, operation, variables, rounds_after, run)
        if isinstance(outcome, Failure):
            member.failed(outcome.code)
        else:
            member.answered(latency_ms)
        return outcome, latency_ms

    async def _ask(
        self,
        client: SubgraphClient,
        member: Member | None,
        operation: str,
        variables: Mapping[str, Any],
        rounds_after: int,
        run: Run,
    ) -> tuple[Outcome, float]:
        started = time.monotonic()
        deadline = self._deadline_for(run.request.deadline, rounds_after)
        outcome: Outcome
        if deadline.remaining_s <= 0:
            outcome = Failure(Code.SUBGRAPH_TIMEOUT, "no time was left to ask it", was_sent=False)
        else:
            outcome = await self._send(client, member, operation, variables, deadline, run)
        return outcome, (time.monotonic() - started) * 1000

    async def _send(
        self,
        client: SubgraphClient,
        member: Member | None,
        operation: str,
        variables: Mapping[str, Any],
        deadline: Deadline,
        run: Run,
    ) -> Outcome:
        if self._enter_now(member):
            try:
                return await self._execute(client, operation, variables, deadline, run)
            finally:
                self._limiter.leave()
                if member is not None:
                    member.limiter.leave()
        try:
            async with asyncio.timeout(deadline.remaining_s) as waiting:
                # The member's own queue first: who waits for a slow member holds no place that others could use.
                async with member.limiter if member is not None else nullcontext(), self._limiter:
                    waiting.reschedule(None)
                    return await self._execute(client, operation, variables, deadline, run)
        except Overloaded:
            return Failure(Code.OVERLOADED, "too many requests are waiting for it", was_sent=False)
        except TimeoutError:
            return Failure(Code.SUBGRAPH_TIMEOUT, "its queue did not move in time", was_sent=False)

    def _enter_now(self, member: Member | None) -> bool:
        """The usual way: places are free, nobody waits."""
        if member is not None and not member.limiter.enter_now():
            return False
        if self._limiter.enter_now():
            return True
        if member is not None:
            member.limiter.leave()
        return False

    async def _execute(
        self,
        client: SubgraphClient,
        operation: str,
        variables: Mapping[str, Any],
        deadline: Deadline,
        run: Run,
    ) -> Outcome:
        headers = {**run.request.headers, DEADLINE_HEADER: deadline.header}
        return await client.execute(operation, variables, headers, deadline)

    def _deadline_for(self, whole: Deadline, rounds_after: int) -> Deadline:
        remaining = whole.remaining_s
        share = min(0.5, self.limits.round_share * rounds_after) + self.limits.answer_share
        kept_back = self.limits.answer_margin_s + remaining * share
        return whole.earlier(kept_back).at_most(self.limits.member_timeout_s)

    def _service(self, graph: str) -> str:
        return self._services.get(graph, graph)

    # Shaping

    def _finish(self, run: Run) -> Result:
        known = [replace(error, path=self._client_path(error, run)) for error in run.errors]
        notes = Notes(known, self._introspected(run))
        data = run.compiled.projection(run.request.variables)(run.data, notes)
        errors = (*known, *notes.errors)
        return Result(data, errors, self._extensions(run) if run.members or run.trace is not None else {})

    def _client_path(self, error: GatewayError, run: Run) -> ResponsePath | None:
        return None if error.path is None else client_path(run.compiled.plan.output, error.path)

    def _introspected(self, run: Run) -> Mapping[str, Any]:
        text = run.compiled.plan.introspection
        if text is None:
            return {}
        if "$" in text:
            return self._introspect(text, run.request.variables)
        if run.compiled.introspected is None:
            run.compiled.introspected = self._introspect(text, {})
        return run.compiled.introspected

    def _extensions(self, run: Run) -> dict[str, Any]:
        extensions: dict[str, Any] = {}
        if run.members:
            language = run.request.language
            reports = [run.members[region] for region in sorted(run.members)]
            extensions["partitions"] = [
                {**one.to_json(language), **({"missedEarlier": True} if region in run.missed_earlier else {})}
                for region, one in zip(sorted(run.members), reports, strict=True)
            ]
        if run.trace is not None:
            extensions["explain"] = run.trace.to_json(run.request.language)
        return extensions


def _run(compiled: CompiledPlan, request: Request) -> Run:
    return Run(compiled, request, trace=Trace() if request.explain else None)


def _path_of(raw: Mapping[str, Any]) -> ResponsePath | None:
    path = raw.get("path")
    if not isinstance(path, list) or not all(isinstance(one, (str, int)) for one in path):
        return None
    return tuple(path)


def _merge_by_path(batch: Batch, lengths: Sequence_[int], entities: list[Any], interfaces: frozenset[str]) -> None:
    """Each path has its own copy: below, the client may ask for other things under the same keys at another path."""
    own = [entities, *([copied(one) for one in entities] for _ in lengths[1:])]
    start = 0
    for length, given in zip(lengths, own, strict=True):
        end = start + length
        merge_entities(batch.objects[start:end], batch.owners[start:end], given, interfaces)
        start = end


def _entities_of(answer: Answer, key: str, count: int) -> list[Any] | None:
    """None: the subgraph gave none, or another number than asked for."""
    entities = answer.data.get(key) if answer.data is not None else None
    return entities if isinstance(entities, list) and len(entities) == count else None


def _part_paths(
    raw: Mapping[str, Any], batches: Sequence_[tuple[CompiledPart, Batch]], data: dict[str, Any]
) -> Sequence_[ResponsePath]:
    """`_e1.3.name` → where the objects of the second part's fourth representation stand, then `name`."""
    path = _path_of(raw)
    for part, batch in batches:
        if path is not None and path[:1] == (part.alias,):
            return _entity_paths(raw, part.alias, all_places(data, part.paths, batch), part.plain_paths[0])
    return (batches[0][0].plain_paths[0],)


def _entity_paths(
    raw: Mapping[str, Any], key: str, places: Mapping[int, Sequence_[ResponsePath]], otherwise: ResponsePath
) -> Sequence_[ResponsePath]:
    """`_entities.3.name` → where the fourth representation's objects stand, then `name`: each lacks it."""
    path = _path_of(raw)
    if path is None or len(path) < 2 or path[0] != key or not isinstance(path[1], int) or path[1] < 0:
        return (otherwise,)
    return [(*place, *path[2:]) for place in places.get(path[1], ())] or (otherwise,)
