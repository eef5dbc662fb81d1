"""A fetch on a partitioned graph, run: ask the members that concern it; `settle` makes one value of what comes back.

Reading is partial by default: a member that is slow, down, wrong or refusing costs its own rows, and is named. When the
client wishes all or nothing, or a required member is missing, the gathered field is null instead. When it allows stale
answers, what a member said last to the same request stands in (`stale`). A routed field goes to one member only; a change
is never sent twice. One roll of members, taken when the run first needs it, holds for everything here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.execution.answers import Failure, error_path
from gateway.execution.asking import Asker
from gateway.execution.compiled import CompiledFetch
from gateway.execution.entity_round import Concerned, EntityRound
from gateway.execution.member_calls import MemberCalls
from gateway.execution.members import Member, Members
from gateway.execution.pages import Rest
from gateway.execution.parts import Missing
from gateway.execution.replies import FieldReplies, Reply, entity_replies, report_of, root_replies, status_of, traced
from gateway.execution.representations import Batch, all_places
from gateway.execution.run import Run, subgraph_error
from gateway.execution.scatter import CompiledScatter, UnknownRegion, choose_members, owner_of
from gateway.execution.settle import Gathered, Settlement
from gateway.execution.shapes import Shape
from gateway.execution.sized import SizedPages, Spot, add_rows
from gateway.execution.stale import LastAnswers, StaleStore
from gateway.execution.wishes import UnknownWish, wish_of
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind, SourceStatus

__all__ = ["PartitionedGraph"]


class PartitionedGraph:
    def __init__(
        self,
        members: Members,
        service: str,
        compiled: CompiledFetch,
        run: Run,
        asker: Asker,
        stale: StaleStore | None = None,
    ) -> None:
        graph = compiled.fetch.graph
        self._roll = run.roll(graph, members)
        self._service = service
        self._compiled = compiled
        self._run = run
        self._is_change = compiled.fetch.operation_kind == "mutation"
        trace = run.trace
        self._trace = None if trace is None else trace.begin(service, compiled.printed_paths, scattered=True)
        self._settlement = Settlement(self._roll, service, run, self._is_change, self._trace)
        self._calls = MemberCalls(compiled, run, asker, LastAnswers.of(stale, graph, run))
        self._replies: list[Reply] = []
        self._places: Mapping[int, Sequence[ResponsePath]] | None = None

    # Root fields

    async def root(self, scatter: CompiledScatter) -> dict[str, Any]:
        """Every root field's value over all members it concerns."""
        data: dict[str, Any] = {}
        jobs: dict[Member, list[int]] = {}
        concerned: dict[Spot, tuple[Member, ...]] = {}
        for place, shape in enumerate(scatter.shapes):
            data[shape.key] = None
            try:
                wish_of(shape, self._run.request)
                concerned[Spot(place)] = self._concerned(shape)
            except UnknownWish as unknown:
                self._settlement.tell_unknown_wish(unknown, (shape.key,))
                continue
            except UnknownRegion as error:
                self._settlement.tell_unknown_region(error, (shape.key,))
                continue
            for member in concerned[Spot(place)]:
                jobs.setdefault(member, []).append(place)
        sizes = SizedPages(scatter, self._run.request.variables, concerned)
        replies = await self._ask_each(scatter, jobs, sizes)
        found: dict[Spot, FieldReplies] = {}
        for spot, members in concerned.items():
            shape = scatter.shapes[spot.field]
            if shape.kind is not GatherKind.ONE:
                found[spot] = root_replies(shape, [replies[one] for one in members], self._calls.may_be_stale(shape))
        gathered = await self._fill(scatter, sizes, found)
        for spot, members in concerned.items():
            shape = scatter.shapes[spot.field]
            if shape.kind is GatherKind.ONE:
                first = [replies[one] for one in members]
                data[shape.key] = await self._any_healthy(scatter, spot.field, first, sizes)
            else:
                data[shape.key] = self._settlement.settle(shape, found[spot], (shape.key,), gathered.get(spot))
        any_will_do = any(one.kind is GatherKind.ONE for one in scatter.shapes)
        self._end(self._roll.all if any_will_do else jobs)
        return data

    def _concerned(self, shape: Shape) -> tuple[Member, ...]:
        if shape.kind is GatherKind.ONE:
            return self._roll.by_health()[:1]
        return choose_members(shape, self._roll, self._run.request.variables)

    async def _ask_each(
        self, scatter: CompiledScatter, jobs: Mapping[Member, Sequence[int]], sizes: SizedPages
    ) -> dict[Member, Reply]:
        has_others = len(self._roll.all) > 1
        return dict(
            zip(
                jobs,
                await asyncio.gather(
                    *(self._ask_root(scatter, one, tuple(places), has_others, sizes) for one, places in jobs.items())
                ),
                strict=True,
            )
        )

    async def _ask_root(
        self, scatter: CompiledScatter, member: Member, places: tuple[int, ...], has_others: bool, sizes: SizedPages
    ) -> Reply:
        return self._noted(scatter, await self._calls.root(scatter, sizes, member, places, has_others))

    # The rest of pages that are asked for in sizes, of root fields and of entities

    async def _fill(
        self,
        scatter: CompiledScatter,
        sizes: SizedPages,
        found: Mapping[Spot, FieldReplies],
        batch: Batch | None = None,
    ) -> dict[Spot, Gathered]:
        """The fields that are asked for in sizes, gathered, with all rows that they want."""

        def gather(spot: Spot) -> Gathered:
            return self._settlement.gathered(scatter.shapes[spot.field], found[spot])

        gathered = {spot: gather(spot) for spot in sizes.spots}
        wanted = [
            (spot, member, rest)
            for spot, one in gathered.items()
            for member, rest in sizes.wanted(spot, found[spot], one.notes.filling)
        ]
        replies = await asyncio.gather(*(self._ask_rest(scatter, sizes, *one, batch) for one in wanted))
        for (spot, _, _), reply in zip(wanted, replies, strict=True):
            shape = scatter.shapes[spot.field]
            path = (shape.key,) if spot.representation is None else ("_entities", 0, shape.key)
            add_rows(shape, found[spot], reply, path)
        gathered |= {spot: gather(spot) for spot in {spot for spot, _, _ in wanted}}
        sizes.learn({spot: one.notes.filling for spot, one in gathered.items()})
        for spot, one in gathered.items():
            if one.notes.filling is not None and one.notes.filling.is_full:
                found[spot].cut_short.clear()
        return gathered

    async def _ask_rest(
        self,
        scatter: CompiledScatter,
        sizes: SizedPages,
        spot: Spot,
        member: Member,
        rest: Rest,
        batch: Batch | None,
    ) -> Reply:
        reply = await self._calls.rest(sizes, spot, member, rest, batch)
        if self._trace is not None:
            self._trace.asked(traced((scatter.shapes[spot.field],), reply, report_of(reply)))
        return reply

    def _noted(self, scatter: CompiledScatter, reply: Reply) -> Reply:
        """Who fails is reported where that is told: for each field it may be another matter."""
        self._replies.append(reply)
        report = report_of(reply)
        if report.status is SourceStatus.OK:
            self._run.report(report)
            lacks = reply.fit.lacks_of(scatter.partitioned)
            self._settlement.tell_nulls(reply.member, lacks, self._compiled.plain_path)
        if self._trace is not None:
            self._trace.asked(traced(scatter.shapes, reply, report))
        return reply

    async def _any_healthy(
        self, scatter: CompiledScatter, place: int, first: Sequence[Reply], sizes: SizedPages
    ) -> Any:
        """`ONE`: the next member is asked when one cannot answer; what is told is told of the last."""
        shape = scatter.shapes[place]
        waiting = [one for one in self._roll.by_health() if all(one is not reply.member for reply in first)]
        asked = list(first)
        found = root_replies(shape, asked, may_be_stale=False)
        while not found.parts and asked[-1].inability is not None and waiting and not self._is_change:
            member = waiting.pop(0)
            asked.append(await self._ask_root(scatter, member, (place,), bool(waiting), sizes))
            found = root_replies(shape, asked[-1:], may_be_stale=False)
        if not found.parts and self._calls.may_be_stale(shape):
            found = await self._any_earlier(shape, asked) or found
        value = self._settlement.settle(shape, found, (shape.key,))
        for reply in asked:
            if reply.earlier is None:
                self._run.report(report_of(reply))
        return value

    async def _any_earlier(self, shape: Shape, asked: list[Reply]) -> FieldReplies | None:
        """Of the first that has one; it takes its reply's place."""
        for place, reply in enumerate(asked):
            asked[place] = await self._calls.with_earlier(reply)
            found = root_replies(shape, asked[place : place + 1], may_be_stale=True)
            if found.parts:
                return found
        return None

    # Entities

    async def entities(self, scatter: CompiledScatter, batch: Batch) -> list[Any]:
        """Each representation's entity: from its one member, or gathered over all that it concerns."""
        jobs: dict[Member, dict[int, int]] = {}
        concerned: dict[int, Concerned] = {}
        for place, representation in enumerate(batch.representations):
            try:
                concerned[place] = self._concerned_by(scatter, representation)
            except UnknownRegion as error:
                for where in self._places_of(batch, place):
                    self._settlement.tell_unknown_region(error, where)
                continue
            for member in concerned[place].members:
                own = jobs.setdefault(member, {})
                own[place] = len(own)
        spots = {Spot(field, place): who for place, whom in concerned.items() for field, who in whom.by_field}
        sizes = SizedPages(scatter, self._run.request.variables, spots)
        answered = await asyncio.gather(
            *(self._ask_entities(scatter, one, batch, places, sizes) for one, places in jobs.items())
        )
        asked = EntityRound(scatter, batch, jobs, dict(zip(jobs, answered, strict=True)))
        found = {spot: self._found(asked, spot, members) for spot, members in spots.items()}
        gathered = await self._fill(scatter, sizes, found, batch)
        self._tell_failed_batches(asked)
        entities: list[Any] = [None] * len(batch.texts)
        for place, whom in concerned.items():
            if asked.is_owned(place):
                entities[place] = asked.entity_of(whom.members[0], place, self._calls.may_be_stale())
            else:
                entities[place] = self._gather_entity(asked, place, whom, found, gathered)
        self._carry_entity_errors(asked)
        self._end(jobs)
        return entities

    def _concerned_by(self, scatter: CompiledScatter, representation: Mapping[str, Any]) -> Concerned:
        """Raises `UnknownRegion`."""
        partitioned = scatter.partitioned.get(representation["__typename"])
        if partitioned is not None:
            return Concerned((owner_of(partitioned, representation, self._roll),))
        variables = self._run.request.variables
        by_field = tuple(
            (field, choose_members(scatter.shapes[field], self._roll, variables, representation))
            for field in scatter.places_of(representation["__typename"], self._run.compiled.types.possible_types)
        )
        chosen = {member for _, members in by_field for member in members}
        return Concerned(tuple(sorted(chosen, key=lambda member: member.region)), by_field)

    async def _ask_entities(
        self, scatter: CompiledScatter, member: Member, batch: Batch, places: Collection[int], sizes: SizedPages
    ) -> Reply:
        return self._noted(scatter, await self._calls.entities(scatter, sizes, member, batch, places))

    def _found(self, asked: EntityRound, spot: Spot, members: Sequence[Member]) -> FieldReplies:
        shape, place = asked.scatter.shapes[spot.field], spot.representation
        assert place is not None
        replies = [(asked.replies[one], asked.jobs[one][place]) for one in members]
        return entity_replies(shape, replies, self._calls.may_be_stale(shape))

    def _tell_failed_batches(self, asked: EntityRound) -> None:
        """One error for each member whose partitioned entities are missing, about the list they stand in."""
        for member, reply in asked.replies.items():
            if not asked.owns_any(member) or not isinstance(reply.outcome, Failure):
                continue
            if reply.stood_in is not None and self._calls.may_be_stale():
                self._settlement.tell_stale(member.name, reply.stood_in, reply.latency_ms, self._compiled.plain_path)
                self._settlement.tell_nulls(
                    member, reply.fit.lacks_of(asked.scatter.partitioned), self._compiled.plain_path
                )
            else:
                lost = Missing(member.name, status_of(reply.outcome), reply.outcome.code)
                self._settlement.tell_missing(lost, self._compiled.plain_path, reply.outcome.message)

    def _gather_entity(
        self,
        asked: EntityRound,
        place: int,
        whom: Concerned,
        found: Mapping[Spot, FieldReplies],
        gathered: Mapping[Spot, Gathered],
    ) -> dict[str, Any]:
        entity: dict[str, Any] = {}
        for field, _ in whom.by_field:
            shape, spot = asked.scatter.shapes[field], Spot(field, place)
            path = (*self._places_of(asked.batch, place)[0], shape.key)
            entity[shape.key] = self._settlement.settle(shape, found[spot], path, gathered.get(spot))
        for member in whom.members:
            own = asked.entity_of(member, place)
            if isinstance(own, dict):
                for key, value in own.items():
                    entity.setdefault(key, value)
        return entity

    def _carry_entity_errors(self, asked: EntityRound) -> None:
        """Errors of partitioned entities; those of gathered fields are told where these are settled."""
        for member, reply in asked.replies.items():
            if isinstance(reply.outcome, Failure):
                continue
            for raw in reply.outcome.errors:
                path = error_path(raw) or ()
                if len(path) >= 2 and path[0] == "_entities" and isinstance(path[1], int):
                    if not 0 <= path[1] < len(asked.jobs[member]):
                        continue
                    place = list(asked.jobs[member])[path[1]]
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

    def _end(self, concerned: Collection[Member]) -> None:
        """All is settled: now it is known which answers are worth keeping."""
        self._calls.keep(self._replies, self._settlement.no_good)
        if self._trace is not None:
            self._trace.pruned = tuple(one.region for one in self._roll.all if one not in concerned)
            self._trace.end()
