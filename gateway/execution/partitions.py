"""A fetch on a partitioned graph, run: ask the members that concern it; `settle` makes one value of what comes back.

Reading is partial by default: a member that is slow, down, wrong or refusing costs its own rows, and is named. When the
client wishes all or nothing, or a required member is missing, the gathered field is null instead. When it allows stale
answers, what a member said last to the same request stands in (`stale`). A routed field goes to one member only; a change
is never sent twice. One roll of members, taken when the run first needs it, holds for everything here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from gateway.execution.answers import Failure, error_path
from gateway.execution.asking import Asker, Call, CallKind, Target
from gateway.execution.compiled import CompiledFetch
from gateway.execution.entities import OTHER_NUMBER, entities_of
from gateway.execution.entity_round import Concerned, EntityRound
from gateway.execution.member_operations import MemberOperation
from gateway.execution.members import Member, Members
from gateway.execution.outdated import fit_call
from gateway.execution.pages import Rest
from gateway.execution.parts import Missing
from gateway.execution.replies import FieldReplies, Reply, entity_replies, report_of, root_replies, status_of, traced
from gateway.execution.representations import Batch, all_places
from gateway.execution.run import Run, subgraph_error
from gateway.execution.scatter import CompiledScatter, UnknownRegion, choose_members, idempotency_key, owner_of
from gateway.execution.settle import Gathered, Settlement
from gateway.execution.shapes import Shape
from gateway.execution.sized import SizedPages, add_rows
from gateway.execution.stale import LastAnswers, StaleStore
from gateway.execution.wishes import UnknownWish, wish_of
from gateway.language.errors import Code
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind, SourceStatus, Wish

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
        self._last = LastAnswers.of(stale, self._graph, run)
        self._replies: list[Reply] = []
        self._places: Mapping[int, Sequence[ResponsePath]] | None = None

    # Root fields

    async def root(self, scatter: CompiledScatter) -> dict[str, Any]:
        """Every root field's value over all members it concerns."""
        data: dict[str, Any] = {}
        jobs: dict[Member, list[int]] = {}
        concerned: dict[int, tuple[Member, ...]] = {}
        for place, shape in enumerate(scatter.shapes):
            data[shape.key] = None
            try:
                wish_of(shape, self._run.request)
                concerned[place] = self._concerned(shape)
            except UnknownWish as unknown:
                self._settlement.tell_unknown_wish(unknown, (shape.key,))
                continue
            except UnknownRegion as error:
                self._settlement.tell_unknown_region(error, (shape.key,))
                continue
            for member in concerned[place]:
                jobs.setdefault(member, []).append(place)
        sizes = SizedPages(scatter, self._run.request.variables, concerned)
        replies = await self._ask_each(scatter, jobs, sizes)
        found_by = {
            place: root_replies(
                scatter.shapes[place], [replies[one] for one in members], self._may_be_stale(scatter.shapes[place])
            )
            for place, members in concerned.items()
            if scatter.shapes[place].kind is not GatherKind.ONE
        }
        gathered = await self._fill(scatter, sizes, found_by)
        for place, members in concerned.items():
            shape = scatter.shapes[place]
            if shape.kind is GatherKind.ONE:
                data[shape.key] = await self._any_healthy(scatter, place, [replies[one] for one in members], sizes)
            else:
                data[shape.key] = self._settlement.settle(shape, found_by[place], (shape.key,), gathered.get(place))
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
        """`has_others`: whether other members could still be asked for what any one can answer."""
        operation, own = sizes.operation(places, member.region)
        variables = self._variables(operation) | own
        planned = None
        if own and self._last is not None:
            as_planned = scatter.operation_for(places)
            planned = as_planned.text, self._variables(as_planned)
        shapes = [scatter.shapes[place] for place in places]
        kind, key = CallKind.READ, None
        if self._is_change:
            kind, key = CallKind.CHANGE, idempotency_key(shapes, self._run.request.variables)
        others_follow = has_others and all(one.kind is GatherKind.ONE for one in shapes)
        call = Call(operation.text, variables, self._compiled.rounds_after, kind, key, others_follow, planned)
        reply = await self._reply(member, call)
        # Where any member will do, another one's answer is better than an earlier one of this.
        if any(one.kind is not GatherKind.ONE and self._may_be_stale(one) for one in shapes):
            reply = await self._with_earlier(reply)
        return self._noted(scatter, reply)

    def _variables(self, operation: MemberOperation) -> dict[str, Any]:
        return self._run.variables(operation.variables, self._compiled.constants)

    async def _fill(
        self, scatter: CompiledScatter, sizes: SizedPages, found: Mapping[int, FieldReplies]
    ) -> dict[int, Gathered]:
        """The fields that are asked for in sizes, gathered, with all rows that they want."""
        gathered = {place: self._settlement.gathered(scatter.shapes[place], found[place]) for place in sizes.firsts}
        wanted = [
            (place, member, rest)
            for place, one in gathered.items()
            for member, rest in sizes.wanted(place, found[place], one.notes.filling)
        ]
        replies = await asyncio.gather(*(self._ask_rest(scatter, sizes, *one) for one in wanted))
        for (place, _, _), reply in zip(wanted, replies, strict=True):
            add_rows(scatter.shapes[place], found[place], reply)
        for place in {place for place, _, _ in wanted}:
            gathered[place] = self._settlement.gathered(scatter.shapes[place], found[place])
        for place, one in gathered.items():
            sizes.learn(place, one.notes.filling)
            if one.notes.filling is not None and one.notes.filling.is_full:
                found[place].cut_short.clear()
        return gathered

    async def _ask_rest(
        self, scatter: CompiledScatter, sizes: SizedPages, place: int, member: Member, rest: Rest
    ) -> Reply:
        operation, own = sizes.rest(place, rest)
        variables = self._variables(operation) | own
        reply = await self._reply(member, Call(operation.text, variables, self._compiled.rounds_after))
        if self._trace is not None:
            self._trace.asked(traced((scatter.shapes[place],), reply, report_of(reply)))
        return reply

    async def _reply(self, member: Member, call: Call) -> Reply:
        fit = fit_call(call, member.contract)
        if fit.call is None:
            return Reply(member, call, fit.refusal, fit)
        asked = await self._asker.ask(Target.of(self._graph, member), fit.call, self._run)
        self._run.note_attempts(member.region, asked.detours)
        fit.fill(asked.outcome)
        return Reply(member, fit.call, asked, fit)

    def _may_be_stale(self, shape: Shape | None = None) -> bool:
        """Whether an earlier answer may stand in for a field; without one: for an entity of one member."""
        if self._last is None:
            return False
        try:
            return (self._run.request.wish if shape is None else wish_of(shape, self._run.request)) is Wish.STALE
        except UnknownWish:
            return False

    async def _with_earlier(self, reply: Reply) -> Reply:
        """A member that could not answer: with what it said last to the same request, if that was kept."""
        if self._last is None or reply.inability in (None, Code.PARTITION_OUTDATED):
            return reply
        earlier = await self._last.recall(reply.member, reply.call)
        if earlier is not None:
            reply.fit.fill(earlier.answer)
        return replace(reply, earlier=earlier)

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
        if not found.parts and self._may_be_stale(shape):
            found = await self._any_earlier(shape, asked) or found
        value = self._settlement.settle(shape, found, (shape.key,))
        for reply in asked:
            if reply.earlier is None:
                self._run.report(report_of(reply))
        return value

    async def _any_earlier(self, shape: Shape, asked: list[Reply]) -> FieldReplies | None:
        """Of the first that has one; it takes its reply's place."""
        for place, reply in enumerate(asked):
            asked[place] = await self._with_earlier(reply)
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
        answered = await asyncio.gather(
            *(self._ask_entities(scatter, one, batch, places) for one, places in jobs.items())
        )
        asked = EntityRound(scatter, batch, jobs, dict(zip(jobs, answered, strict=True)))
        self._tell_failed_batches(asked)
        entities: list[Any] = [None] * len(batch.texts)
        for place, whom in concerned.items():
            if asked.is_owned(place):
                entities[place] = asked.entity_of(whom.members[0], place, self._may_be_stale())
            else:
                entities[place] = self._gather_entity(asked, place, whom)
        self._carry_entity_errors(asked)
        self._end(jobs)
        return entities

    def _concerned_by(self, scatter: CompiledScatter, representation: Mapping[str, Any]) -> Concerned:
        """Raises `UnknownRegion`."""
        partitioned = scatter.partitioned.get(representation["__typename"])
        if partitioned is not None:
            return Concerned((owner_of(partitioned, representation, self._roll),))
        variables = self._run.request.variables
        by_shape = tuple(
            (shape, choose_members(shape, self._roll, variables, representation))
            for shape in self._shapes(scatter, representation["__typename"])
        )
        chosen = {member for _, members in by_shape for member in members}
        return Concerned(tuple(sorted(chosen, key=lambda member: member.region)), by_shape)

    def _shapes(self, scatter: CompiledScatter, typename: str) -> tuple[Shape, ...]:
        return scatter.shapes_of(typename, self._run.compiled.types.possible_types)

    async def _ask_entities(
        self, scatter: CompiledScatter, member: Member, batch: Batch, places: Collection[int]
    ) -> Reply:
        fetch = self._compiled.fetch
        variables = self._run.variables(fetch.variables, self._compiled.constants)
        variables[fetch.representations_variable] = [orjson.Fragment(batch.texts[place]) for place in places]
        reply = await self._reply(member, Call(fetch.operation, variables, self._compiled.rounds_after))
        outcome = reply.outcome
        if (
            not isinstance(outcome, Failure)
            and outcome.data is not None
            and entities_of(outcome, "_entities", len(places)) is None
        ):
            reply = replace(reply, asked=replace(reply.asked, outcome=OTHER_NUMBER))
        if self._may_be_stale() or any(self._may_be_stale(one) for one in scatter.shapes):
            reply = await self._with_earlier(reply)
        return self._noted(scatter, reply)

    def _tell_failed_batches(self, asked: EntityRound) -> None:
        """One error for each member whose partitioned entities are missing, about the list they stand in."""
        for member, reply in asked.replies.items():
            if not asked.owns_any(member) or not isinstance(reply.outcome, Failure):
                continue
            if reply.stood_in is not None and self._may_be_stale():
                self._settlement.tell_stale(member.name, reply.stood_in, reply.latency_ms, self._compiled.plain_path)
                self._settlement.tell_nulls(
                    member, reply.fit.lacks_of(asked.scatter.partitioned), self._compiled.plain_path
                )
            else:
                lost = Missing(member.name, status_of(reply.outcome), reply.outcome.code)
                self._settlement.tell_missing(lost, self._compiled.plain_path, reply.outcome.message)

    def _gather_entity(self, asked: EntityRound, place: int, whom: Concerned) -> dict[str, Any]:
        entity: dict[str, Any] = {}
        for shape, members in whom.by_shape:
            replies = [(asked.replies[one], asked.jobs[one][place]) for one in members]
            found = entity_replies(shape, replies, self._may_be_stale(shape))
            path = (*self._places_of(asked.batch, place)[0], shape.key)
            entity[shape.key] = self._settlement.settle(shape, found, path)
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
        if self._last is not None:
            for reply in self._replies:
                if reply.member.region not in self._settlement.no_good:
                    self._last.keep(reply.member, reply.call, reply.outcome)
        if self._trace is not None:
            self._trace.pruned = tuple(one.region for one in self._roll.all if one not in concerned)
            self._trace.end()
