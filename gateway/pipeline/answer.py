"""The way of a query, once: request → prepared operation → variables → execution → answer.

`Pipeline` is the one thing servers talk to. A change (mutation) is shielded: when the client leaves, it is carried to
its end within its deadline, because tearing it would leave its outcome unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLSchema, execute_sync, parse

from gateway.execution.executor import Clients, Executor
from gateway.execution.flights import Flights
from gateway.execution.limits import Deadline, ExecutionLimits
from gateway.execution.run import Request, Result
from gateway.execution.stale import StaleStore
from gateway.language.errors import (
    Code,
    ExecutionFailed,
    GatewayError,
    GatewayException,
    RequestRefused,
    SupergraphInvalid,
)
from gateway.pipeline.document import DocumentLimits, Documents
from gateway.pipeline.explain import Stopwatch, explained
from gateway.pipeline.locations import add_locations
from gateway.pipeline.prepare import MakesPlans, Prepared, Preparer
from gateway.subscriptions.hub import Hub, HubFull, Listener
from gateway.subscriptions.source import events
from gateway.supergraph.model import Supergraph, Wish

__all__ = ["Answered", "Caller", "GraphQLRequest", "Pipeline", "PipelineOptions"]

log = logging.getLogger("gateway.pipeline")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf, and how: the part of a request that is not GraphQL."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent to every subgraph."""
    renewed: Callable[[], Mapping[str, str]] | None = None
    """The same headers with a token that has not run out: a subscription outlives any token."""
    who: str | None = None
    """Equal for callers of equal rights and language, whatever their tokens; None: equal headers."""
    until: float | None = None
    """When the token that says who it is expires (seconds since 1970); who holds on to a caller ends by then."""
    deadline_s: float = 10.0
    wish: Wish = Wish.PARTIAL
    """When a member of a partitioned graph gives no answer."""
    language: str = "zh"
    explain: bool = False
    may_change: bool = True
    """False for GET: a query only."""

    def headers_now(self) -> Mapping[str, str]:
        return self.headers if self.renewed is None else self.renewed()

    @property
    def rights(self) -> str:
        return orjson.dumps(sorted(self.headers.items())).decode() if self.who is None else self.who

    @property
    def shares(self) -> Hashable:
        """Callers for whom this is equal get equal answers."""
        return self.rights, self.wish, self.language, self.explain


@dataclass(frozen=True, slots=True)
class Answered:
    data: Any
    errors: tuple[GatewayError, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)
    executed: bool = True
    """False: the request was refused before execution; the answer has no `data`."""
    by_post_only: bool = False
    """A change that came by GET."""
    _written: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {"data": self.data} if self.executed else {}
        if self.errors:
            written["errors"] = [error.to_json() for error in self.errors]
        if self.extensions:
            written["extensions"] = dict(self.extensions)
        return written

    @property
    def written(self) -> bytes:
        """As JSON; written once, however many callers share the answer."""
        if not self._written:
            self._written.append(orjson.dumps(self.to_json()))
        return self._written[0]


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    documents: DocumentLimits = field(default_factory=DocumentLimits)
    execution: ExecutionLimits = field(default_factory=ExecutionLimits)
    introspection: bool = True
    subscriptions_max: int = 5_000
    subscription_queue_max: int = 64
    """Events that wait for one slow client before the oldest is dropped."""
    stale: StaleStore | None = None
    """Where members' last good answers are kept, for clients that allow them; None: nowhere. Who made it closes it."""
    share: bool = False
    """Whether queries that are equal in text, variables and rights share one execution while it is in flight."""


class Pipeline:
    def __init__(
        self,
        supergraph: Supergraph,
        clients: Clients,
        planner: MakesPlans,
        options: PipelineOptions | None = None,
    ) -> None:
        """Raises `SupergraphInvalid` for a supergraph whose access rules would not be kept here."""
        if supergraph.unenforced:
            message = (
                f"the supergraph has access rules ({', '.join(supergraph.unenforced)}) that this gateway does not"
                " enforce, so it does not serve it."
            )
            raise SupergraphInvalid([GatewayError(Code.SUPERGRAPH_FEATURE_UNKNOWN, message)])
        chosen = options or PipelineOptions()
        self.supergraph = supergraph
        self._options = chosen
        documents = Documents(supergraph.api_schema, chosen.documents)
        self._preparer = Preparer(supergraph, documents, planner)
        names = {graph.graph: graph.name for graph in supergraph.graphs.values()}
        self.executor = Executor(clients, names, _Introspection(supergraph.api_schema), chosen.execution, chosen.stale)
        self.hub: Hub[Answered] = Hub(queue_max=chosen.subscription_queue_max, listeners_max=chosen.subscriptions_max)
        self._changes: set[asyncio.Task[Answered]] = set()
        self._flights: Flights[Answered] | None = Flights() if chosen.share else None

    async def answer(self, asked: GraphQLRequest, caller: Caller) -> Answered:
        """Never raises for what a client or a subgraph did."""
        watch = Stopwatch() if caller.explain else None
        try:
            prepared = self.prepare(asked)
            if watch is not None:
                watch.prepared()
            if prepared.kind == "subscription":
                raise RequestRefused([_refusal("Subscriptions need a websocket (graphql-transport-ws).")])
            if prepared.kind == "mutation" and not caller.may_change:
                error = _refusal("A GET request can only carry a query; send mutations by POST.")
                return Answered(None, (error,), executed=False, by_post_only=True)
            request = self._request(prepared, asked, caller)
        except GatewayException as refused:
            return Answered(None, refused.errors, executed=False)
        if prepared.kind == "mutation":
            return await self._shielded(prepared, request, watch)
        if self._flights is None or caller.explain:
            return await self._execute(prepared, request, watch)
        key = (*_same(asked, request.variables, caller), caller.deadline_s)
        return await self._flights.join(key, lambda: self._execute(prepared, request, watch))

    def prepare(self, asked: GraphQLRequest) -> Prepared:
        """Raises `GatewayException`."""
        try:
            prepared = self._preparer.prepare(asked.query, asked.operation_name)
        except GatewayException:
            raise
        except Exception:
            raise ExecutionFailed([_fault_of_ours("preparing an operation failed")]) from None
        if not self._options.introspection and prepared.compiled.plan.introspection is not None:
            raise RequestRefused([GatewayError(Code.FORBIDDEN, "Introspection is switched off here.")])
        return prepared

    async def drain(self) -> None:
        """Wait for changes that clients have left behind; each ends within its own deadline."""
        if self._changes:
            await asyncio.gather(*self._changes, return_exceptions=True)

    def _request(self, prepared: Prepared, asked: GraphQLRequest, caller: Caller) -> Request:
        return Request(
            deadline=Deadline.after(caller.deadline_s),
            variables=prepared.variables(asked.variables),
            headers=caller.headers_now(),
            wish=caller.wish,
            who=caller.rights,
            language=caller.language,
            explain=caller.explain,
        )

    async def _shielded(self, prepared: Prepared, request: Request, watch: Stopwatch | None) -> Answered:
        task = asyncio.ensure_future(self._execute(prepared, request, watch))
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def _execute(self, prepared: Prepared, request: Request, watch: Stopwatch | None) -> Answered:
        try:
            result = await self.executor.execute(prepared.compiled, request)
        except Exception:
            return Answered(None, (_fault_of_ours("execution failed"),))
        return self._answered(prepared, result, request.variables, watch)

    def _answered(
        self, prepared: Prepared, result: Result, variables: Mapping[str, Any], watch: Stopwatch | None = None
    ) -> Answered:
        extensions = result.extensions
        if "explain" in extensions:
            extensions = {**extensions, "explain": explained(prepared.compiled.plan, extensions["explain"], watch)}
        if not result.errors:
            return Answered(result.data, (), extensions)
        errors = add_locations(result.errors, prepared.document, prepared.operation, variables)
        return Answered(result.data, tuple(errors), extensions)

    # Subscriptions

    def subscribe(self, asked: GraphQLRequest, caller: Caller) -> Listener[Answered]:
        """Join a subscription. Raises `GatewayException`. Callers with equal rights and wishes share one upstream."""
        prepared = self.prepare(asked)
        key = _same(asked, prepared.variables(asked.variables), caller)
        try:
            return self.hub.listen(key, lambda: self._events(prepared, asked, caller))
        except HubFull:
            message = "The gateway serves as many subscriptions as it can."
            raise ExecutionFailed([GatewayError(Code.OVERLOADED, message)]) from None

    async def _events(
        self, prepared: Prepared, asked: GraphQLRequest, caller: Caller
    ) -> AsyncGenerator[Answered, None]:
        def request() -> Request:
            return self._request(prepared, asked, caller)

        variables = prepared.variables(asked.variables)
        try:
            async with aclosing(events(self.executor, prepared.compiled, request)) as results:
                async for result in results:
                    yield self._answered(prepared, result, variables)
        except Exception:
            yield Answered(None, (_fault_of_ours("completing an event failed"),))


def _same(asked: GraphQLRequest, variables: Mapping[str, Any], caller: Caller) -> tuple[Hashable, ...]:
    """Equal for requests that get equal answers."""
    values = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
    return asked.query, asked.operation_name, values, caller.shares


def _fault_of_ours(what: str) -> GatewayError:
    """While an exception is handled: the client learns that there was one, the log learns which."""
    log.exception(what)
    return GatewayError(Code.INTERNAL_SERVER_ERROR, "The gateway failed to answer. The fault is logged.")


def _refusal(message: str) -> GatewayError:
    return GatewayError(Code.BAD_REQUEST, message)


class _Introspection:
    """Introspection by graphql-core from the API schema; without variables, each text's answer is kept by its plan."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def __call__(self, text: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        result = execute_sync(self._schema, parse(text), variable_values=dict(variables))
        assert isinstance(result, ExecutionResult)
        return result.data or {}
