"""The one way by which a fetch reaches a subgraph or a member.

Whoever needs an answer makes a `Call`, names a `Target`, and gets an `Asked`. How much time the call may take, in which
queues it waits, and which of the target's addresses it goes to, are settled here and nowhere else; nothing here knows
what the answer is for. A failure is a value.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contract.identity import DEADLINE_HEADER
from gateway.execution.answers import Asked, Attempt, Failure, Outcome, Reason
from gateway.execution.clients import SubgraphClient
from gateway.execution.limits import Deadline, ExecutionLimits, Limiter, Overloaded
from gateway.execution.members import Member
from gateway.execution.run import Run
from gateway.language.errors import Code

__all__ = ["Asker", "Call", "CallKind", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a call goes to: a subgraph, or one member of a partitioned graph."""

    graph: str
    clients: tuple[SubgraphClient, ...]
    """One for each address at which it answers alike; empty: it is not connected."""
    member: Member | None = None

    @staticmethod
    def of(graph: str, member: Member) -> Target:
        return Target(graph, member.clients, member)


class CallKind(StrEnum):
    READ = "READ"
    CHANGE = "CHANGE"


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    variables: Mapping[str, Any]
    rounds_after: int
    """How many rounds of fetches follow at least: time is kept back for them."""
    kind: CallKind = CallKind.READ
    idempotency_key: str | None = None
    """Of a change: with it, who gets the change twice carries it out once."""


class Asker:
    def __init__(self, limits: ExecutionLimits) -> None:
        self._limits = limits
        self._limiter = Limiter(limits.concurrency_max, limits.queue_max)

    async def ask(self, target: Target, call: Call, run: Run) -> Asked:
        asked = await self._ask(target, call, run)
        outcome, member = asked.outcome, target.member
        if member is not None:
            if isinstance(outcome, Failure):
                member.failed(outcome.code)
            else:
                member.answered(asked.latency_ms)
        return asked

    async def _ask(self, target: Target, call: Call, run: Run) -> Asked:
        if not target.clients:
            return Asked(Failure(Code.SUBGRAPH_UNAVAILABLE, "it is not connected", was_sent=False))
        deadline = self._deadline_for(run.request.deadline, call.rounds_after)
        if deadline.remaining_s <= 0:
            return Asked(Failure(Code.SUBGRAPH_TIMEOUT, "no time was left to ask it", was_sent=False))
        started = time.monotonic()
        outcome = await self._send(target, call, deadline, run)
        latency_ms = (time.monotonic() - started) * 1000
        return Asked(outcome, latency_ms, (Attempt(0, latency_ms, outcome.said, Reason.FIRST),))

    async def _send(self, target: Target, call: Call, deadline: Deadline, run: Run) -> Outcome:
        member = target.member
        if self._enter_now(member):
            try:
                return await self._execute(target.clients[0], call, deadline, run)
            finally:
                self._limiter.leave()
                if member is not None:
                    member.limiter.leave()
        try:
            async with asyncio.timeout(deadline.remaining_s) as waiting:
                # The member's own queue first: who waits for a slow member holds no place that others could use.
                async with member.limiter if member is not None else nullcontext(), self._limiter:
                    waiting.reschedule(None)
                    return await self._execute(target.clients[0], call, deadline, run)
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

    async def _execute(self, client: SubgraphClient, call: Call, deadline: Deadline, run: Run) -> Outcome:
        headers = {**run.request.headers, DEADLINE_HEADER: deadline.header}
        return await client.execute(call.operation, call.variables, headers, deadline)

    def _deadline_for(self, whole: Deadline, rounds_after: int) -> Deadline:
        limits = self._limits
        remaining = whole.remaining_s
        share = min(0.5, limits.round_share * rounds_after) + limits.answer_share
        kept_back = limits.answer_margin_s + remaining * share
        return whole.earlier(kept_back).at_most(limits.member_timeout_s)
