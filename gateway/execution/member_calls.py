"""What is sent to one member, and what comes back: the calls of one scattered fetch.

A member of another age is asked what it knows. Where the client allows it, what it said last to the same request comes
along when it cannot answer. What is asked for in sizes is kept and brought back under the request as the plan has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from gateway.execution.answers import Failure
from gateway.execution.asking import Asker, Call, CallKind, Target
from gateway.execution.compiled import CompiledFetch
from gateway.execution.entities import OTHER_NUMBER, entities_of
from gateway.execution.member_operations import MemberOperation
from gateway.execution.members import Member
from gateway.execution.outdated import fit_call
from gateway.execution.pages import Rest
from gateway.execution.replies import Reply
from gateway.execution.representations import Batch
from gateway.execution.run import Run
from gateway.execution.scatter import CompiledScatter, idempotency_key
from gateway.execution.shapes import Shape
from gateway.execution.sized import SizedPages, Spot
from gateway.execution.stale import LastAnswers
from gateway.execution.wishes import UnknownWish, wish_of
from gateway.language.errors import Code
from gateway.supergraph.model import GatherKind, Wish

__all__ = ["MemberCalls"]


@dataclass(frozen=True, slots=True)
class MemberCalls:
    compiled: CompiledFetch
    run: Run
    asker: Asker
    last: LastAnswers | None

    async def root(
        self, scatter: CompiledScatter, sizes: SizedPages, member: Member, places: tuple[int, ...], has_others: bool
    ) -> Reply:
        """`has_others`: whether other members could still be asked for what any one can answer."""
        operation, own = sizes.operation(places, member.region)
        shapes = [scatter.shapes[place] for place in places]
        is_change = self.compiled.fetch.operation_kind == "mutation"
        call = Call(
            operation.text,
            self._variables(operation, own),
            self.compiled.rounds_after,
            CallKind.CHANGE if is_change else CallKind.READ,
            idempotency_key(shapes, self.run.request.variables) if is_change else None,
            has_others and all(one.kind is GatherKind.ONE for one in shapes),
            self._as_planned(scatter, places) if own else None,
        )
        reply = await self._reply(member, call)
        # Where any member will do, another one's answer is better than an earlier one of this.
        if any(one.kind is not GatherKind.ONE and self.may_be_stale(one) for one in shapes):
            return await self.with_earlier(reply)
        return reply

    async def entities(
        self,
        scatter: CompiledScatter,
        sizes: SizedPages,
        member: Member,
        batch: Batch,
        representations: Collection[int],
    ) -> Reply:
        """`representations`: which of the batch's."""
        places = tuple(range(len(scatter.shapes)))
        operation, own = sizes.operation(places, member.region)
        given = self._representations(batch, representations)
        planned = self._as_planned(scatter, places, given) if own else None
        call = Call(operation.text, self._variables(operation, own, given), self.compiled.rounds_after, planned=planned)
        reply = _of_number(await self._reply(member, call), len(representations))
        if self.may_be_stale() or any(self.may_be_stale(one) for one in scatter.shapes):
            return await self.with_earlier(reply)
        return reply

    async def rest(self, sizes: SizedPages, spot: Spot, member: Member, rest: Rest, batch: Batch | None) -> Reply:
        """The rows that a page asked for in sizes still wants; `batch`: of the representations, where it is of one."""
        operation, own = sizes.rest(spot.field, rest)
        given: Mapping[str, Any] = {}
        if batch is not None and spot.representation is not None:
            given = self._representations(batch, (spot.representation,))
        call = Call(operation.text, self._variables(operation, own, given), self.compiled.rounds_after)
        reply = await self._reply(member, call)
        return reply if batch is None else _of_number(reply, 1)

    def _variables(self, operation: MemberOperation, *own: Mapping[str, Any]) -> dict[str, Any]:
        """The client's and the plan's, and the gateway's own."""
        variables = self.run.variables(operation.variables, self.compiled.constants)
        for values in own:
            variables.update(values)
        return variables

    def _representations(self, batch: Batch, places: Collection[int]) -> dict[str, Any]:
        name = self.compiled.fetch.representations_variable
        return {name: [orjson.Fragment(batch.texts[place]) for place in places]}

    def _as_planned(
        self, scatter: CompiledScatter, places: tuple[int, ...], *own: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]] | None:
        if self.last is None:
            return None
        operation = scatter.operation_for(places)
        return operation.text, self._variables(operation, *own)

    async def _reply(self, member: Member, call: Call) -> Reply:
        fit = fit_call(call, member.contract)
        if fit.call is None:
            return Reply(member, call, fit.refusal, fit)
        asked = await self.asker.ask(Target.of(self.compiled.fetch.graph, member), fit.call, self.run)
        self.run.note_attempts(member.region, asked.detours)
        fit.fill(asked.outcome)
        return Reply(member, fit.call, asked, fit)

    # Earlier answers

    def may_be_stale(self, shape: Shape | None = None) -> bool:
        """Whether an earlier answer may stand in for a field; without one: for an entity of one member."""
        if self.last is None:
            return False
        try:
            return (self.run.request.wish if shape is None else wish_of(shape, self.run.request)) is Wish.STALE
        except UnknownWish:
            return False

    async def with_earlier(self, reply: Reply) -> Reply:
        """A member that could not answer: with what it said last to the same request, if that was kept."""
        if self.last is None or reply.inability in (None, Code.PARTITION_OUTDATED):
            return reply
        earlier = await self.last.recall(reply.member, reply.call)
        if earlier is not None:
            reply.fit.fill(earlier.answer)
        return replace(reply, earlier=earlier)

    def keep(self, replies: Sequence[Reply], no_good: Collection[str]) -> None:
        """What members said that may stand in later, but for the regions whose answers turned out to be no good."""
        if self.last is not None:
            for reply in replies:
                if reply.member.region not in no_good:
                    self.last.keep(reply.member, reply.call, reply.outcome)


def _of_number(reply: Reply, count: int) -> Reply:
    """An answer of entities, which must be as many as were asked for."""
    outcome = reply.outcome
    if isinstance(outcome, Failure) or outcome.data is None or entities_of(outcome, "_entities", count) is not None:
        return reply
    return replace(reply, asked=replace(reply.asked, outcome=OTHER_NUMBER))
