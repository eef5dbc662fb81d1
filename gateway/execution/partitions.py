"""A fetch on a partitioned graph, run: ask the members that concern it; `settle` makes one value of what comes back.

Reading is partial by default: a member that is slow, down, wrong or refusing costs its own rows, and is named. With
`Partial.NONE`, or when a required member is missing, the gathered field is null instead. A routed field goes to one
member only; a change is never sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from gateway.execution.answers import Failure, Outcome
from gateway.execution.compiled import CompiledFetch
from gateway.execution.gather import Missing
from gateway.execution.members import Member, Members
from gateway.execution.representations import Batch, all_places
from gateway.execution.run import MemberReport, Run, subgraph_error
from gateway.execution.scatter import CompiledScatter, UnknownRegion, choose_members, owner_of
from gateway.execution.settle import Reply, Settlement, entity_replies, path_of, root_replies
from gateway.execution.shapes import Shape
from gateway.execution.trace import FetchTrace, MemberTrace, rows_of
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind

__all__ = ["Ask", "PartitionedGraph"]

Ask: TypeAlias = Callable[[Member, str, Mapping[str, Any]], Awaitable[tuple[Outcome, float]]]
"""(member, operation, variables) → what it answered, after how many milliseconds."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One round of entity requests: who was asked for which representations, and what came back."""

    scatter: CompiledScatter
    batch: Batch
    jobs: Mapping[Member, Sequence[int]]
    """Member → places of representations in the batch, in the order in which they were sent."""
    replies: Mapping[Member, Reply]

    def is_owned(self, place: int) -> bool:
        """Whether the entity lives in one member, by its key."""
        return self.batch.representations[place]["__typename"] in self.scatter.partitioned

    def owns_any(self, member: Member) -> bool:
        return any(self.is_owned(place) for place in self.jobs[member])


class PartitionedGraph:
    def __init__(self, members: Members, service: str, compiled: CompiledFetch, run: Run, ask: Ask) -> None:
        self._members = members
        self._service = service
        self._compiled = compiled
        self._run = run
        self._ask = ask
        self._is_change = compiled.fetch.operation_kind == "mutation"
        trace = run.trace
        self._trace = None if trace is None else trace.begin(service, compiled.printed_paths, scattered=True)
        self._settlement = Settlement(members, service, run, self._is_change, self._trace)
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
            self._end_trace(self._trace, self._members.all if any_will_do else jobs)
        return data

    def _concerned(self, shape: Shape) -> tuple[Member, ...]:
        if shape.kind is GatherKind.ONE:
            return self._members.by_health[:1]
        return choose_members(shape, self._members, self._run.request.variables)

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
        return await self._reply(scatter, member, operation.text, variables)

    async def _reply(
        self, scatter: CompiledScatter, member: Member, operation: str, variables: Mapping[str, Any]
    ) -> Reply:
        outcome, latency_ms = await self._ask(member, operation, variables)
        if isinstance(outcome, Failure):
            report = MemberReport(member.name, "UNAVAILABLE", latency_ms, outcome.code)
        else:
            report = MemberReport(member.name, "OK", latency_ms)
        self._run.report(report)
        if self._trace is not None:
            rows = rows_of(outcome, scatter.shapes)
            self._trace.asked(MemberTrace(member.name, operation, latency_ms, rows, report.status, report.cause))
        return Reply(member, outcome, latency_ms, self._is_change)

    async def _any_healthy(self, scatter: CompiledScatter, place: int, first: Sequence[Reply]) -> Any:
        """`ONE`: the next member is asked when one fails; only the last failure is told."""
        shape = scatter.shapes[place]
        waiting = [one for one in self._members.by_health if all(one is not reply.member for reply in first)]
        found = root_replies(shape, first)
        while not found.parts and found.missing and waiting and not self._is_change:
            found = root_replies(shape, [await self._ask_root(scatter, waiting.pop(0), (place,))])
        return self._settlement.settle(shape, found, (shape.key,))

    # Entities

    async def entities(self, scatter: CompiledScatter, batch: Batch) -> list[Any]:
        """Each representation's entity: from its one member, or gathered over all that it concerns."""
        jobs: dict[Member, list[int]] = {}
        owners: dict[int, tuple[Member, ...]] = {}
        for place, representation in enumerate(batch.representations):
            for member in self._members_for(scatter, batch, place, representation, owners):
                jobs.setdefault(member, []).append(place)
        answered = await asyncio.gather(
            *(self._ask_entities(scatter, one, batch, places) for one, places in jobs.items())
        )
        asked = _Asked(scatter, batch, jobs, dict(zip(jobs, answered, strict=True)))
        replies = asked.replies
        self._tell_failed_batches(asked)
        values = {
            (member, place): (reply.outcome.data["_entities"][index], reply)
            for member, reply in replies.items()
            if not isinstance(reply.outcome, Failure) and reply.outcome.data is not None
            for index, place in enumerate(jobs[member])
        }
        entities: list[Any] = [None] * len(batch.texts)
        for place, members in owners.items():
            typename = batch.representations[place]["__typename"]
            if typename in scatter.partitioned:
                entities[place] = values.get((members[0], place), (None, None))[0]
            else:
                entities[place] = self._gather_entity(asked, place, members)
        self._carry_entity_errors(asked)
        if self._trace is not None:
            self._end_trace(self._trace, jobs)
        return entities

    def _members_for(
        self,
        scatter: CompiledScatter,
        batch: Batch,
        place: int,
        representation: Mapping[str, Any],
        owners: dict[int, tuple[Member, ...]],
    ) -> tuple[Member, ...]:
        typename = representation["__typename"]
        try:
            partitioned = scatter.partitioned.get(typename)
            if partitioned is not None:
                owners[place] = (owner_of(partitioned, representation, self._members),)
            else:
                owners[place] = self._concerned_by(self._shapes(scatter, typename), representation)
        except UnknownRegion as error:
            for where in self._places_of(batch, place):
                self._settlement.tell_unknown_region(error, where)
            return ()
        return owners[place]

    def _shapes(self, scatter: CompiledScatter, typename: str) -> tuple[Shape, ...]:
        return scatter.shapes_of(typename, self._run.compiled.types.possible_types)

    def _concerned_by(self, shapes: Sequence[Shape], representation: Mapping[str, Any]) -> tuple[Member, ...]:
        """All members that any of the entity's gathered fields concerns."""
        variables = self._run.request.variables
        chosen: dict[Member, None] = {}
        for shape in shapes:
            chosen.update(dict.fromkeys(choose_members(shape, self._members, variables, representation)))
        return tuple(sorted(chosen, key=lambda member: member.region))

    async def _ask_entities(
        self, scatter: CompiledScatter, member: Member, batch: Batch, places: Sequence[int]
    ) -> Reply:
        fetch = self._compiled.fetch
        variables = self._run.variables(fetch.variables, self._compiled.constants)
        variables[fetch.representations_variable] = [orjson.Fragment(batch.texts[place]) for place in places]
        reply = await self._reply(scatter, member, fetch.operation, variables)
        if not isinstance(reply.outcome, Failure) and reply.outcome.data is not None:
            entities = reply.outcome.data.get("_entities")
            if not isinstance(entities, list) or len(entities) != len(places):
                message = "it gave another number of entities than asked for"
                reply.outcome = Failure(Code.SUBGRAPH_BAD_RESPONSE, message)
                self._settlement.report(MemberReport(member.name, "UNAVAILABLE", reply.latency_ms, reply.outcome.code))
        return reply

    def _tell_failed_batches(self, asked: _Asked) -> None:
        """One error for each member whose partitioned entities are missing, about the list they stand in."""
        for member, reply in asked.replies.items():
            if asked.owns_any(member) and isinstance(reply.outcome, Failure):
                lost = Missing(member.name, "UNAVAILABLE", reply.outcome.code)
                self._settlement.tell_missing(lost, self._compiled.plain_path, reply.outcome.message)

    def _gather_entity(self, asked: _Asked, place: int, members: Sequence[Member]) -> dict[str, Any]:
        replies, jobs = asked.replies, asked.jobs
        representation = asked.batch.representations[place]
        entity: dict[str, Any] = {}
        for shape in self._shapes(asked.scatter, representation["__typename"]):
            concerned = choose_members(shape, self._members, self._run.request.variables, representation)
            found = entity_replies(
                shape, [(replies[one], jobs[one].index(place)) for one in concerned if one in members]
            )
            entity[shape.key] = self._settlement.settle(
                shape, found, (*self._places_of(asked.batch, place)[0], shape.key)
            )
        for member in members:
            outcome = replies[member].outcome
            if not isinstance(outcome, Failure) and outcome.data is not None:
                own = outcome.data["_entities"][jobs[member].index(place)]
                if isinstance(own, dict):
                    for key, value in own.items():
                        entity.setdefault(key, value)
        return entity

    def _carry_entity_errors(self, asked: _Asked) -> None:
        """Errors of partitioned entities; those of gathered fields are told where these are settled."""
        for member, reply in asked.replies.items():
            if isinstance(reply.outcome, Failure):
                continue
            for raw in reply.outcome.errors:
                path = path_of(raw)
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
        trace.pruned = tuple(one.region for one in self._members.all if one not in concerned)
        trace.end()
