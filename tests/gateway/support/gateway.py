"""A whole gateway over the library, without HTTP: what tests of execution and pipeline ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from gateway.execution.executor import Clients
from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline, PipelineOptions
from gateway.planning.planner import Planner
from gateway.supergraph.group import group_supergraph
from gateway.supergraph.served import as_subgraph
from tests.gateway.support.library import LIBRARIES, ROWS, Library, Row, supergraph

_planner: list[Planner] = []


def planner() -> Planner:
    if not _planner:
        _planner.append(Planner(supergraph()))
    return _planner[0]


@cache
def group_planner() -> Planner:
    """Of the libraries alone, as a subgraph."""
    return Planner(as_subgraph(group_supergraph(supergraph(), "LIBRARIES"), LIBRARIES))


class Gateway:
    def __init__(
        self, library: Library, options: PipelineOptions | None = None, pipeline: Pipeline | None = None
    ) -> None:
        self.library = library
        self.pipeline = pipeline or Pipeline(library.supergraph, library.clients, planner(), options)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> Answered:
        return await self.pipeline.answer(GraphQLRequest(query, None, variables or {}), Caller(**caller))

    async def data(self, query: str, variables: Mapping[str, Any] | None = None, **caller: Any) -> Any:
        """The data of an answer that must have no errors."""
        answered = await self.ask(query, variables, **caller)
        assert answered.errors == ()
        return answered.data


@asynccontextmanager
async def gateway(library: Library | None = None, options: PipelineOptions | None = None) -> AsyncIterator[Gateway]:
    async with library or Library() as opened:
        yield Gateway(opened, options)


@asynccontextmanager
async def group(rows: Sequence[Row] = ROWS) -> AsyncIterator[Gateway]:
    """The libraries' group endpoint, as another router asks it."""
    async with Library(rows) as opened:
        planner = group_planner()
        clients: Clients = {"LIBRARIES": opened.group}
        yield Gateway(opened, pipeline=Pipeline(planner.supergraph, clients, planner))


def codes(answered: Answered) -> list[str]:
    return [str(error.code) for error in answered.errors]
