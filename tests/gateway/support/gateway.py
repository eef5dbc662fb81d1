"""A whole gateway over the library, without HTTP: what tests of execution and pipeline ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway.pipeline.answer import Answered, Caller, GraphQLRequest, Pipeline, PipelineOptions
from gateway.planning.planner import Planner
from tests.gateway.support.library import Library, supergraph

_planner: list[Planner] = []


def planner() -> Planner:
    if not _planner:
        _planner.append(Planner(supergraph()))
    return _planner[0]


class Gateway:
    def __init__(self, library: Library, options: PipelineOptions | None = None) -> None:
        self.library = library
        self.pipeline = Pipeline(library.supergraph, library.clients, planner(), options)

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


def codes(answered: Answered) -> list[str]:
    return [str(error.code) for error in answered.errors]
