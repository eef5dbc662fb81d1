"""A fetch on a partitioned graph, run: ask the members that concern it; `settle` makes one value of what comes back.

Reading is partial by default: a member that is slow, down, wrong or refusing costs its own rows, and is named. With
`Partial.NONE`, or when a required member is missing, the gathered field is null instead. A routed field goes to one
member only; a change is never sent twice. One roll of members, taken when the run first needs it, holds for everything here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.execution.answers import Asked, Failure, Reason, error_path
from gateway.execution.asking import Asker, Call, CallKind, Target
from gateway.execution.compiled import CompiledFetch
from gateway.execution.entities import OTHER_NUMBER, entities_of
from gateway.execution.members import Member, Members
from gateway.execution.parts import Missing
from gateway.execution.representations import Batch, all_places
from gateway.execution.run import MemberReport, Run, subgraph_error
from gateway.execution.scatter import CompiledScatter, UnknownRegion, choose_members, idempotency_key, owner_of
from gateway.execution.settle import Reply, Settlement, entity_replies, root_replies
from gateway.execution.shapes import Shape
from gateway.execution.trace import FetchTrace, MemberTrace, rows_of
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind, SourceStatus

__all__ = ["PartitionedGraph"]


@dataclass(frozen=True, slots=True)
class _Concerned:
    """Who was asked for one representation."""

    members: tuple[Member, ...]
    by_shape: tuple[tuple[Shape, tuple[Member, ...]], ...] = ()
    """For each gathered field, those of them whom it concerns; empty: the entity lives in its one member."""


@dataclass(frozen=True, slots=True)
class _Round:
    """One round of entity requests: who was asked for which representations, and what came back."""

    scatter: CompiledScatter
    batch: Batch
    jobs: Mapping[Member, Sequence[int]]
    """Member → places of representations in the batch, in the order in which they were sent."""
    replies: Mapping[Member, Reply]

    def is_owned(self, place: int) -> bool:
        """Whether the entity lives in one member, by its key."""
        return self.batch.representations[place]["__typename"] in self.scatter.partitioned

    def entity_of(self, member: Member, place: int) -> Any:
        """What the member gave for a representation; None also when it gave nothing at all."""
        outcome = self.replies[member].outcome
        if isinstance(outcome, Failure) or outcome.data is None:
            return None
        return outcome.data["_entities"][self.jobs[member].index(place)]

    def owns_any(self, member: Member) -> bool:
        return any(self.is_owned(place) for place in self.jobs[member])


class PartitionedGraph:
    def __init__(self, members: Members, service: str, compiled: CompiledFetch, run: Run, asker: Asker) -> None:
        self._graph = compiled.fetch.graph
        self._roll = run.roll(self._graph, members)
        self._service = service
        self._compiled = compiled
        self._run = run
        self._asker = asker
        self._is_change = compiled.fetch.operation_kind == "mutation"
        trace = run.trace
        self._trace = None if trace is None else trace.begin(service, compiled.printed_paths, scattered=True)
        self._settlement = Settlement(self._roll, service, run, self._is_change, self._trace)
        self._places: Mapping[int, Sequence[ResponsePath]] | None = None

    # Root fields

    async def root(self, scatter: CompiledScatter) -> dict[str, Any]:
        """Every root field's value over all members it concerns."""
        data: dict[str, Any] = {}
        jobs: dict[Member, list[int]] = {}
        concerned: dict[int, tuple[Member, ...]] = {}
        for place, shape in enumerate(scatter.shapes):
            try:
                concerned[place] = self._concerned(shape)
            except UnknownRegion as error:
                data[shape.key] = None
                self._settlement.tell_unknown_region(error, (shape.key,))
                continue
            for member in concerned[place]:
                jobs.setdefault(member, []).append(place)
        replies = await self._ask_each(scatter, jobs)
        for place, members in concerned.items():
            shape = scatter.shapes[place]
            found = [replies[member] for member in members]
            if shape.kind is GatherKind.ONE:
                data[shape.key] = await self._any_healthy(scatter, place, found)
            else:
                data[shape.key] = self._settlement.settle(shape, root_replies(shape, found), (shape.key,))
        if self._trace is not None:
            any_will_do = any(one.kind is GatherKind.ONE for one in scatter.shapes)
            self._end_trace(self._trace, self._roll.all if any_will_do else jobs)
        return data

    def _concerned(self, shape: Shape) -> tuple[Member, ...]:
        if shape.kind is GatherKind.ONE:
            return self._roll.by_health()[:1]
        return choose_members(shape, self._roll, self._run.request.variables)

    async def _ask_each(self, scatter: CompiledScatter, jobs: Mapping[Member, Sequence[int]]) -> dict[Member, Reply]:
        return dict(
            zip(
                jobs,
                await asyncio.gather(*(self._ask_root(scatter, one, tuple(places)) for one, places in jobs.items())),
                strict=True,
            )
        )

    async def _ask_root(self, scatter: CompiledScatter, member: Member, places: tuple[int, ...]) -> Reply:
        operation = scatter.operation_for(places)
        variables = self._run.variables(operation.variables, self._compiled.constants)
        kind, key = CallKind.READ, None
        if self._is_change:
            kind = CallKind.CHANGE
            key = idempotency_key([scatter.shapes[place] for place in places], self._run.request.variables)
        return await self._reply(
            scatter, member, Call(operation.text, variables, self._compiled.rounds_after, kind, key)
        )

    async def _reply(self, scatter: CompiledScatter, member: Member, call: Call) -> Reply:
        asked = await self._asker.ask(Target.of(self._graph, member), call, self._run)
        if isinstance(asked.outcome, Failure):
            report = MemberReport(member.name, SourceStatus.UNAVAILABLE, asked.latency_ms, asked.outcome.code)
        else:
            report = MemberReport(member.name, SourceStatus.OK, asked.latency_ms)
        self._run.report(report)
        if self._trace is not None:
            self._trace.asked(_traced(scatter, call, asked, report))
        return Reply(member, asked, self._is_change)

    async def _any_healthy(self, scatter: CompiledScatter, place: int, first: Sequence[Reply]) -> Any:
        """`ONE`: the next member is asked when one fails; only the last failure is told."""
        shape = scatter.shapes[place]
        waiting = [one for one in self._roll.by_health() if all(one is not reply.member for reply in first)]
        found = root_replies(shape, first)
        while not found.parts and found.missing and waiting and not self._is_change:
            found = root_replies(shape, [await self._ask_root(scatter, waiting.pop(0), (place,))])
        return self._settlement.settle(shape, found, (shape.key,))

    # Entities

    async def entities(self, scatter: CompiledScatter, batch: Batch) -> list[Any]:
        """Each representation's entity: from its one member, or gathered over all that it concerns."""
        jobs: dict[Member, list[int]] = {}
        concerned: dict[int, _Concerned] = {}
        for place, representation in enumerate(batch.representations):
            try:
                concerned[place] = self._concerned_by(scatter, representation)
            except UnknownRegion as error:
                for where in self._places_of(batch, place):
                    self._settlement.tell_unknown_region(error, where)
                continue
            for member in concerned[place].members:
                jobs.setdefault(member, []).append(place)
        answered = await asyncio.gather(
            *(self._ask_entities(scatter, one, batch, places) for one, places in jobs.items())
        )
        asked = _Round(scatter, batch, jobs, dict(zip(jobs, answered, strict=True)))
        self._tell_failed_batches(asked)
        entities: list[Any] = [None] * len(batch.texts)
        for place, whom in concerned.items():
            if asked.is_owned(place):
                entities[place] = asked.entity_of(whom.members[0], place)
            else:
                entities[place] = self._gather_entity(asked, place, whom)
        self._carry_entity_errors(asked)
        if self._trace is not None:
            self._end_trace(self._trace, jobs)
        return entities

    def _concerned_by(self, scatter: CompiledScatter, representation: Mapping[str, Any]) -> _Concerned:
        """Raises `UnknownRegion`."""
        partitioned = scatter.partitioned.get(representation["__typename"])
        if partitioned is not None:
            return _Concerned((owner_of(partitioned, representation, self._roll),))
        variables = self._run.request.variables
        by_shape = tuple(
            (shape, choose_members(shape, self._roll, variables, representation))
            for shape in self._shapes(scatter, representation["__typename"])
        )
        chosen = {member for _, members in by_shape for member in members}
        return _Concerned(tuple(sorted(chosen, key=lambda member: member.region)), by_shape)

    def _shapes(self, scatter: CompiledScatter, typename: str) -> tuple[Shape, ...]:
        return scatter.shapes_of(typename, self._run.compiled.types.possible_types)

    async def _ask_entities(
        self, scatter: CompiledScatter, member: Member, batch: Batch, places: Sequence[int]
    ) -> Reply:
        fetch = self._compiled.fetch
        variables = self._run.variables(fetch.variables, self._compiled.constants)
        variables[fetch.representations_variable] = [orjson.Fragment(batch.texts[place]) for place in places]
        reply = await self._reply(scatter, member, Call(fetch.operation, variables, self._compiled.rounds_after))
        outcome = reply.outcome
        if isinstance(outcome, Failure) or outcome.data is None:
            return reply
        if entities_of(outcome, "_entities", len(places)) is not None:
            return reply
        self._settlement.report(
            MemberReport(member.name, SourceStatus.UNAVAILABLE, reply.latency_ms, OTHER_NUMBER.code)
        )
        return replace(reply, asked=replace(reply.asked, outcome=OTHER_NUMBER))

    def _tell_failed_batches(self, asked: _Round) -> None:
        """One error for each member whose partitioned entities are missing, about the list they stand in."""
        for member, reply in asked.replies.items():
            if asked.owns_any(member) and isinstance(reply.outcome, Failure):
                lost = Missing(member.name, SourceStatus.UNAVAILABLE, reply.outcome.code)
                self._settlement.tell_missing(lost, self._compiled.plain_path, reply.outcome.message)

    def _gather_entity(self, asked: _Round, place: int, whom: _Concerned) -> dict[str, Any]:
        entity: dict[str, Any] = {}
        for shape, members in whom.by_shape:
            found = entity_replies(shape, [(asked.replies[one], asked.jobs[one].index(place)) for one in members])
            path = (*self._places_of(asked.batch, place)[0], shape.key)
            entity[shape.key] = self._settlement.settle(shape, found, path)
        for member in whom.members:
            own = asked.entity_of(member, place)
            if isinstance(own, dict):
                for key, value in own.items():
                    entity.setdefault(key, value)
        return entity

    def _carry_entity_errors(self, asked: _Round) -> None:
        """Errors of partitioned entities; those of gathered fields are told where these are settled."""
        for member, reply in asked.replies.items():
            if isinstance(reply.outcome, Failure):
                continue
            for raw in reply.outcome.errors:
                path = error_path(raw) or ()
                if len(path) >= 2 and path[0] == "_entities" and isinstance(path[1], int):
                    if not 0 <= path[1] < len(asked.jobs[member]):
                        continue
                    place = asked.jobs[member][path[1]]
                    if not asked.is_owned(place):
                        continue
                    places = [(*one, *path[2:]) for one in self._places_of(asked.batch, place)]
                elif asked.owns_any(member):
                    places = [self._compiled.plain_path]
                else:
                    continue
                for where in places:
                    self._run.tell(subgraph_error(raw, self._service, where, region=member.region))

    def _places_of(self, batch: Batch, place: int) -> Sequence[ResponsePath]:
        """Where the objects of a representation stand."""
        if self._places is None:
            self._places = all_places(self._run.data, (self._compiled.path,), batch)
        return self._places.get(place) or [self._compiled.plain_path]

    def _end_trace(self, trace: FetchTrace, concerned: Collection[Member]) -> None:
        trace.pruned = tuple(one.region for one in self._roll.all if one not in concerned)
        trace.end()


def _traced(scatter: CompiledScatter, call: Call, asked: Asked, report: MemberReport) -> MemberTrace:
    return MemberTrace(
        member=report.member,
        operation=call.operation,
        milliseconds=asked.latency_ms,
        rows=rows_of(asked.outcome, scatter.shapes),
        state=report.status,
        cause=report.cause,
        attempts=len(asked.attempts),
        is_hedged=any(one.reason is Reason.HEDGE for one in asked.attempts),
        age_s=asked.stale_age_s,
    )
