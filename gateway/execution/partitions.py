"""A fetch on a partitioned graph, run: ask the members that concern it, gather what comes back.

Reading is partial by default: a member that is slow, down, wrong or refusing costs its own rows, and is named. With
`Partial.NONE`, or when a required member is missing, the gathered field is null instead. A routed field goes to one
member only; a change is never sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from gateway.execution.answers import Failure, Outcome
from gateway.execution.compiled import CompiledFetch
from gateway.execution.gather import GatherNotes, InvalidCursor, Missing, Moved, Part, gather
from gateway.execution.members import Member, Members
from gateway.execution.representations import Batch, locate
from gateway.execution.run import MemberReport, Partial, Run, subgraph_error
from gateway.execution.scatter import CompiledScatter, UnknownRegion, choose_members, owner_of
from gateway.execution.shapes import Shape
from gateway.language.errors import Code, GatewayError
from gateway.language.paths import ResponsePath
from gateway.supergraph.model import GatherKind

__all__ = ["Ask", "PartitionedGraph"]

Ask: TypeAlias = Callable[[Member, str, Mapping[str, Any]], Awaitable[tuple[Outcome, float]]]
"""(member, operation, variables) → what it answered, after how many milliseconds."""

OUTDATED_CODES = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"})
"""A member that does not know what the contract asks for."""


@dataclass(slots=True)
class Reply:
    member: Member
    outcome: Outcome
    latency_ms: float
    is_change: bool = False


@dataclass(slots=True)
class FieldReplies:
    """What members said about one field: values, or why there is none."""

    parts: list[Part] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    refusals: list[tuple[Member, Mapping[str, Any]]] = field(default_factory=list)
    """Members that refused by an error of their own (a bad argument, no right): (member, its error)."""
    carried: list[tuple[Member, ResponsePath, Mapping[str, Any]]] = field(default_factory=list)
    """Errors beside a value: (member, path below the field, the error)."""


class PartitionedGraph:
    def __init__(self, members: Members, service: str, compiled: CompiledFetch, run: Run, ask: Ask) -> None:
        self._members = members
        self._service = service
        self._compiled = compiled
        self._run = run
        self._ask = ask

    @property
    def _is_change(self) -> bool:
        return self._compiled.fetch.operation_kind == "mutation"

    # Root fields

    async def root(self, scatter: CompiledScatter) -> dict[str, Any]:
        """Every root field's value over all members it concerns."""
        data: dict[str, Any] = {}
        jobs: dict[Member, list[int]] = {}
        concerned: dict[int, tuple[Member, ...]] = {}
        for place, shape in enumerate(scatter.shapes):
            if not shape.in_force(self._run.request.variables):
                continue
            try:
                concerned[place] = self._concerned(shape)
            except UnknownRegion as error:
                data[shape.key] = None
                self._tell_unknown_region(error, (shape.key,))
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
                data[shape.key] = self._settle(shape, _root_replies(shape, found), (shape.key,))
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
        return await self._reply(member, operation.text, variables)

    async def _reply(self, member: Member, operation: str, variables: Mapping[str, Any]) -> Reply:
        outcome, latency_ms = await self._ask(member, operation, variables)
        if isinstance(outcome, Failure):
            self._run.report(MemberReport(member.name, "UNAVAILABLE", latency_ms, outcome.code))
        else:
            self._run.report(MemberReport(member.name, "OK", latency_ms))
        return Reply(member, outcome, latency_ms, self._is_change)

    async def _any_healthy(self, scatter: CompiledScatter, place: int, first: Sequence[Reply]) -> Any:
        """`ONE`: the next member is asked when one fails; only the last failure is told."""
        shape = scatter.shapes[place]
        waiting = [one for one in self._members.by_health if all(one is not reply.member for reply in first)]
        found = _root_replies(shape, first)
        while not found.parts and found.missing and waiting and not self._is_change:
            found = _root_replies(shape, [await self._ask_root(scatter, waiting.pop(0), (place,))])
        return self._settle(shape, found, (shape.key,))

    # Entities

    async def entities(self, scatter: CompiledScatter, batch: Batch) -> list[Any]:
        """Each representation's entity: from its one member, or gathered over all that it concerns."""
        jobs: dict[Member, list[int]] = {}
        owners: dict[int, tuple[Member, ...]] = {}
        for place, representation in enumerate(batch.representations):
            for member in self._members_for(scatter, batch, place, representation, owners):
                jobs.setdefault(member, []).append(place)
        replies = dict(
            zip(
                jobs,
                await asyncio.gather(*(self._ask_entities(one, batch, places) for one, places in jobs.items())),
                strict=True,
            )
        )
        self._tell_failed_batches(scatter, batch, jobs, replies)
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
                entities[place] = self._gather_entity(scatter, batch, place, members, replies, jobs)
        self._carry_entity_errors(scatter, batch, jobs, replies)
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
            self._tell_unknown_region(error, self._place_of(batch, place))
            return ()
        return owners[place]

    def _shapes(self, scatter: CompiledScatter, typename: str) -> tuple[Shape, ...]:
        return scatter.shapes_of(typename, self._run.compiled.types.possible_types)

    def _concerned_by(self, shapes: Sequence[Shape], representation: Mapping[str, Any]) -> tuple[Member, ...]:
        """All members that any of the entity's gathered fields concerns."""
        variables = self._run.request.variables
        chosen: dict[Member, None] = {}
        for shape in (one for one in shapes if one.in_force(variables)):
            chosen.update(dict.fromkeys(choose_members(shape, self._members, variables, representation)))
        if not shapes:
            return self._members.all
        return tuple(sorted(chosen, key=lambda member: member.region))

    async def _ask_entities(self, member: Member, batch: Batch, places: Sequence[int]) -> Reply:
        fetch = self._compiled.fetch
        variables = self._run.variables(fetch.variables, self._compiled.constants)
        variables[fetch.representations_variable] = [orjson.Fragment(batch.texts[place]) for place in places]
        reply = await self._reply(member, fetch.operation, variables)
        if not isinstance(reply.outcome, Failure) and reply.outcome.data is not None:
            entities = reply.outcome.data.get("_entities")
            if not isinstance(entities, list) or len(entities) != len(places):
                message = "it gave another number of entities than asked for"
                reply.outcome = Failure(Code.SUBGRAPH_BAD_RESPONSE, message)
                self._run.report(MemberReport(member.name, "UNAVAILABLE", reply.latency_ms, reply.outcome.code))
        return reply

    def _tell_failed_batches(
        self,
        scatter: CompiledScatter,
        batch: Batch,
        jobs: Mapping[Member, Sequence[int]],
        replies: Mapping[Member, Reply],
    ) -> None:
        """One error for each member whose partitioned entities are missing, about the list they stand in."""
        for member, reply in replies.items():
            owned = [
                place for place in jobs[member] if batch.representations[place]["__typename"] in scatter.partitioned
            ]
            if owned and isinstance(reply.outcome, Failure):
                lost = Missing(member.name, "UNAVAILABLE", reply.outcome.code)
                self._tell_missing(lost, self._compiled.plain_path, reply.outcome.message)

    def _gather_entity(
        self,
        scatter: CompiledScatter,
        batch: Batch,
        place: int,
        members: Sequence[Member],
        replies: Mapping[Member, Reply],
        jobs: Mapping[Member, Sequence[int]],
    ) -> dict[str, Any]:
        representation = batch.representations[place]
        entity: dict[str, Any] = {}
        for shape in self._shapes(scatter, representation["__typename"]):
            if not shape.in_force(self._run.request.variables):
                continue
            concerned = choose_members(shape, self._members, self._run.request.variables, representation)
            found = _entity_replies(
                shape, [(replies[one], jobs[one].index(place)) for one in concerned if one in members]
            )
            entity[shape.key] = self._settle(shape, found, (*self._place_of(batch, place), shape.key))
        for member in members:
            outcome = replies[member].outcome
            if not isinstance(outcome, Failure) and outcome.data is not None:
                own = outcome.data["_entities"][jobs[member].index(place)]
                if isinstance(own, dict):
                    for key, value in own.items():
                        entity.setdefault(key, value)
        return entity

    def _carry_entity_errors(
        self,
        scatter: CompiledScatter,
        batch: Batch,
        jobs: Mapping[Member, Sequence[int]],
        replies: Mapping[Member, Reply],
    ) -> None:
        """Errors of partitioned entities; those of gathered fields are told where these are settled."""
        for member, reply in replies.items():
            if isinstance(reply.outcome, Failure):
                continue
            for raw in reply.outcome.errors:
                path = _path_of(raw)
                if len(path) >= 2 and path[0] == "_entities" and isinstance(path[1], int):
                    if not 0 <= path[1] < len(jobs[member]):
                        continue
                    place = jobs[member][path[1]]
                    if batch.representations[place]["__typename"] not in scatter.partitioned:
                        continue
                    where = (*self._place_of(batch, place), *path[2:])
                elif any(batch.representations[one]["__typename"] in scatter.partitioned for one in jobs[member]):
                    where = self._compiled.plain_path
                else:
                    continue
                self._run.tell(subgraph_error(raw, self._service, where, region=member.region))

    def _place_of(self, batch: Batch, place: int) -> ResponsePath:
        """Where the first object of a representation stands."""
        return locate(self._run.data, self._compiled.path)[batch.owners.index(place)]

    # One field

    def _settle(self, shape: Shape, found: FieldReplies, path: ResponsePath) -> Any:
        """The field's value, with everything told that the client has to know."""
        if self._all_refuse_alike(found, path):
            return None
        for member, raw in found.refusals:
            code = _code_of(raw)
            status = "OUTDATED" if code in OUTDATED_CODES else "UNAVAILABLE"
            found.missing.append(Missing(member.name, status, code))
            self._run.report(MemberReport(member.name, status, None, code))
        if shape.route is not None:
            return self._settle_routed(found, path)
        notes = GatherNotes(self._run.request.variables, self._run.request.language, bool(found.carried))
        try:
            value = gather(shape, found.parts, found.missing, notes)
        except InvalidCursor as error:
            self._run.tell(GatewayError(Code.BAD_USER_INPUT, f"{error}.", path))
            return None
        self._tell_gathered(found, notes, path)
        lost = [one.member.region for one in found.missing] + [one.member.region for one in notes.violations]
        return None if self._is_too_little(lost) else value

    def _settle_routed(self, found: FieldReplies, path: ResponsePath) -> Any:
        for lost in found.missing:
            self._tell_missing(lost, path)
        self._carry(found, [], path)
        return found.parts[0].value if found.parts else None

    def _tell_gathered(self, found: FieldReplies, notes: GatherNotes, path: ResponsePath) -> None:
        for lost in found.missing:
            self._tell_missing(lost, path)
        for violation in notes.violations:
            where = {"region": violation.member.region, "service": self._service}
            self._run.tell(GatewayError(violation.code, violation.message, (*path, *violation.path), (), where))
            self._run.report(MemberReport(violation.member, "UNAVAILABLE", None, violation.code))
        if notes.missed_earlier:
            self._run.missed_earlier |= notes.missed_earlier
            regions = sorted(notes.missed_earlier)
            message = f"Pages before this one lack rows of {', '.join(regions)}: it did not answer for them then."
            where_missed = {"regions": regions, "remedy": "Walk again from the start to see these rows."}
            self._run.tell(GatewayError(Code.PARTITION_MISSED_EARLIER, message, path, (), where_missed))
        self._carry(found, notes.moved, path)

    def _carry(self, found: FieldReplies, moved: Sequence[Moved], path: ResponsePath) -> None:
        for member, below, raw in found.carried:
            where = _moved(below, member.region, moved)
            if where is not None:
                self._run.tell(subgraph_error(raw, self._service, (*path, *where), region=member.region))

    def _all_refuse_alike(self, found: FieldReplies, path: ResponsePath) -> bool:
        """Every member refused for the same reason: the request is at fault, and its error is told once."""
        if not found.refusals or found.parts or found.missing:
            return False
        codes = {_code_of(raw) for _, raw in found.refusals}
        if len(codes) > 1:
            return False
        member, raw = found.refusals[0]
        alone = {"region": member.region} if len(found.refusals) == 1 else {}
        below = _path_of(raw)[1:]
        self._run.tell(subgraph_error(raw, self._service, (*path, *(below if len(alone) else ())), **alone))
        return True

    def _is_too_little(self, lost: Sequence[str]) -> bool:
        if not lost:
            return False
        if self._run.request.partial is Partial.NONE:
            return True
        return any(member.required for region in lost for member in self._members.by_code(region))

    def _tell_missing(self, lost: Missing, path: ResponsePath, why: str = "") -> None:
        member = lost.member
        where: dict[str, Any] = {"region": member.region, "cause": str(lost.cause), "service": self._service}
        if self._is_change and lost.cause == Code.OUTCOME_UNKNOWN:
            message = f"Whether {member.region} {member.name} carried out the change is unknown."
            where["remedy"] = "Ask for the command's status by its idempotency key before sending it again."
            self._run.tell(GatewayError(Code.OUTCOME_UNKNOWN, message, path, (), where))
            return
        code = Code.PARTITION_OUTDATED if lost.status == "OUTDATED" else Code.PARTITION_UNAVAILABLE
        reason = why or str(lost.cause)
        message = f"{member.region} {member.name} gave no answer ({reason}); its rows are missing here."
        self._run.tell(GatewayError(code, message, path or None, (), where))

    def _tell_unknown_region(self, error: UnknownRegion, path: ResponsePath) -> None:
        where = {"value": error.value, "service": self._service}
        self._run.tell(GatewayError(Code.UNKNOWN_REGION, f"{error}.", path, (), where))


def _root_replies(shape: Shape, replies: Sequence[Reply]) -> FieldReplies:
    return _sort(shape, ((reply, reply.outcome, (shape.key,)) for reply in replies))


def _entity_replies(shape: Shape, replies: Sequence[tuple[Reply, int]]) -> FieldReplies:
    return _sort(shape, ((reply, reply.outcome, ("_entities", index, shape.key)) for reply, index in replies))


def _sort(shape: Shape, answers: Any) -> FieldReplies:
    """Each member's answer about one field: a value, a refusal, or nothing."""
    found = FieldReplies()
    for reply, outcome, path in answers:
        member: Member = reply.member
        if isinstance(outcome, Failure):
            cause: str = outcome.code
            if shape.route is not None and outcome.was_sent and reply.is_change:
                cause = Code.OUTCOME_UNKNOWN
            found.missing.append(Missing(member.name, "UNAVAILABLE", cause, reply.latency_ms))
            continue
        value: Any = outcome.data
        for step in path:
            value = value.get(step) if isinstance(value, dict) else value[step] if isinstance(value, list) else None
        own = [raw for raw in outcome.errors if _concerns(_path_of(raw), path)]
        if value is None and own:
            found.refusals.append((member, own[0]))
        elif value is None and shape.route is None and shape.kind in (GatherKind.CONNECTION, GatherKind.FOLD):
            found.missing.append(Missing(member.name, "UNAVAILABLE", Code.SUBGRAPH_BAD_RESPONSE, reply.latency_ms))
        else:
            if value is not None:
                found.parts.append(Part(member.name, value, reply.latency_ms))
            found.carried.extend((member, _path_of(raw)[len(path) :], raw) for raw in own)
    return found


def _concerns(path: ResponsePath, field_path: ResponsePath) -> bool:
    """An error is about the field when it stands at, below or above it."""
    length = min(len(path), len(field_path))
    return path[:length] == field_path[:length]


def _moved(path: ResponsePath, region: str, moved: Sequence[Moved]) -> ResponsePath | None:
    """A path below the field in a member's answer, in the gathered one; None: the row is not on the page."""
    for one in moved:
        length = len(one.path)
        if one.region == region and path[:length] == one.path and len(path) > length:
            index = path[length]
            if not isinstance(index, int):
                return path
            if index not in one.indexes:
                return None
            return (*path[:length], one.indexes[index], *path[length + 1 :])
    for place, element in enumerate(path):
        if isinstance(element, int):
            return path[:place]
    return path


def _path_of(raw: Mapping[str, Any]) -> ResponsePath:
    path = raw.get("path")
    if not isinstance(path, list) or not all(isinstance(one, (str, int)) for one in path):
        return ()
    return tuple(path)


def _code_of(raw: Mapping[str, Any]) -> str:
    extensions = raw.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) else Code.SUBGRAPH_ERROR
