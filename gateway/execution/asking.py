"""The one way by which a fetch reaches a subgraph or a member.

Whoever needs an answer makes a `Call`, names a `Target`, and gets an `Asked`. How much time the call may take, in which
queues it waits, which of the target's addresses it goes to, and whether it is made again or twice, are settled here and
nowhere else; nothing here knows what the answer is for. A failure is a value.

The usual call is one attempt: a place in the queues, the breaker, the client. Only what `resilience` permits comes on
top: the next address where a breaker is open, a second request beside a slow one, another attempt after a failure that
may pass. Each attempt takes places of its own, is told the time that is left for it, and gives all back when it ends or
is cancelled.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from contract.identity import DEADLINE_HEADER
from gateway.execution.answers import CANCELLED, Answer, Asked, Attempt, Failure, Outcome, Reason
from gateway.execution.clients import SubgraphClient
from gateway.execution.limits import Deadline, ExecutionLimits, Limiter, Overloaded
from gateway.execution.members import Member
from gateway.execution.resilience.breaker import Breaker
from gateway.execution.resilience.hedge import first_good
from gateway.execution.resilience.retry import RETRIES_MAX, is_free, may_repeat, pause_s
from gateway.execution.resilience.state import Resilience
from gateway.execution.run import Run
from gateway.language.errors import Code

__all__ = ["Asker", "Call", "CallKind", "Target"]

PATIENCE_SHARE = 0.9
"""Of a target's timeout: how much silence opens its breaker. Less than all, for a request that waited in a queue first
has less than all to wait, and one that ran into the whole timeout must count as that."""


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
    others_follow: bool = False
    """Whether another target can be asked when this one does not answer: it leaves time for that, and is asked once."""
    planned: tuple[str, Mapping[str, Any]] | None = None
    """Operation and variables as the plan has them, where a page is asked for in another size."""


@dataclass(slots=True)
class _Errand:
    """One call on its way: what its attempts have in common, and what became of them."""

    target: Target
    call: Call
    run: Run
    deadline: Deadline
    patience_s: float
    state: Resilience
    attempts: list[Attempt] = field(default_factory=list)


_CIRCUIT_OPEN = Failure(Code.CIRCUIT_OPEN, "it failed so often of late that it was not asked", was_sent=False)
_REJECTED = Attempt(0, 0.0, _CIRCUIT_OPEN.said, Reason.REJECTED)


class Asker:
    def __init__(self, limits: ExecutionLimits, jitter: Callable[[], float] = random.random) -> None:
        self._limits = limits
        self._limiter = Limiter(limits.concurrency_max, limits.queue_max)
        self._jitter = jitter
        self._graphs: dict[str, Resilience] = {}
        """State of graphs that are no partitioned ones; members have their own."""

    async def ask(self, target: Target, call: Call, run: Run) -> Asked:
        if not target.clients:
            return Asked(Failure(Code.SUBGRAPH_UNAVAILABLE, "it is not connected", was_sent=False))
        timeout_s = self._timeout_s(target, call)
        deadline = self._deadline_for(run.request.deadline, call, timeout_s)
        if deadline.remaining_s <= 0:
            return Asked(Failure(Code.SUBGRAPH_TIMEOUT, "no time was left to ask it", was_sent=False))
        errand = _Errand(target, call, run, deadline, timeout_s * PATIENCE_SHARE, self._state_of(target))
        started = time.monotonic()
        outcome = await self._run(errand)
        asked = Asked(outcome, (time.monotonic() - started) * 1000, tuple(errand.attempts))
        if target.member is not None and outcome is not _CIRCUIT_OPEN:
            _note(target.member, asked)
        return asked

    def _state_of(self, target: Target) -> Resilience:
        if target.member is not None:
            return target.member.resilience
        state = self._graphs.get(target.graph)
        if state is None:
            state = self._graphs[target.graph] = Resilience(len(target.clients))
        return state

    # Time

    def _timeout_s(self, target: Target, call: Call) -> float:
        if target.member is None or call.kind is CallKind.CHANGE:
            return self._limits.subgraph_timeout_s
        own = target.member.timeout_s
        return self._limits.member_timeout_s if own is None else own

    def _deadline_for(self, whole: Deadline, call: Call, timeout_s: float) -> Deadline:
        limits = self._limits
        now = time.monotonic()
        remaining = whole.at - now
        share = min(0.5, limits.round_share * call.rounds_after) + limits.answer_share
        kept_back = limits.answer_margin_s + remaining * share
        if call.others_follow:
            timeout_s = min(timeout_s, (remaining - kept_back) * limits.share_before_others)
        return Deadline(min(whole.at - kept_back, now + timeout_s))

    # Attempts

    async def _run(self, errand: _Errand) -> Outcome:
        errand.state.retries.deposit()
        address = errand.state.address()
        if address is None:
            errand.attempts.append(_REJECTED)
            errand.state.counted[Reason.REJECTED] += 1
            return _CIRCUIT_OPEN
        first = self._attempt(errand, address, Reason.FIRST)
        hedge_after_s = self._hedge_after_s(errand)
        if hedge_after_s is None:
            outcome = await first
        else:
            outcome = await first_good(first, lambda: self._second(errand, address), hedge_after_s, _is_answer)
        if isinstance(outcome, Failure) and outcome.may_pass and not errand.call.others_follow:
            return await self._repeat(errand, outcome)
        return outcome

    def _hedge_after_s(self, errand: _Errand) -> float | None:
        """When a second address is asked beside the first; None: it is not."""
        if len(errand.target.clients) == 1 or errand.call.kind is CallKind.CHANGE:
            return None
        errand.state.hedges.deposit()
        return errand.state.latencies.p95()

    def _second(self, errand: _Errand, first: int) -> Awaitable[Outcome] | None:
        address = errand.state.address(avoid=first)
        if address is None or address == first:
            return None
        member = errand.target.member
        if member is not None and member.limiter.busy == member.limiter.limit:
            return None  # What waits for a place here gets it no sooner by waiting twice.
        return self._attempt(errand, address, Reason.HEDGE) if errand.state.hedges.withdraw() else None

    async def _repeat(self, errand: _Errand, failure: Failure) -> Outcome:
        """After a failure that may pass: further attempts, as far as time and budget go."""
        call, state = errand.call, errand.state
        was_sent = failure.was_sent
        for retried in range(RETRIES_MAX):
            is_read, has_key = call.kind is CallKind.READ, call.idempotency_key is not None
            if not may_repeat(failure, is_read=is_read, has_key=has_key):
                break
            failed_at = errand.attempts[-1].address
            address = state.address(avoid=failed_at)
            if address is None:
                break
            is_elsewhere = address != failed_at
            pause = pause_s(failure, retried, errand.deadline.remaining_s, self._jitter, is_elsewhere=is_elsewhere)
            if pause is None or not (is_free(failure, is_elsewhere=is_elsewhere) or state.retries.withdraw()):
                break
            if pause:
                await asyncio.sleep(pause)
            outcome = await self._attempt(errand, address, Reason.RETRY)
            if isinstance(outcome, Answer):
                return outcome
            failure = outcome
            was_sent = was_sent or failure.was_sent
        return failure if failure.was_sent == was_sent else replace(failure, was_sent=was_sent)

    async def _attempt(self, errand: _Errand, address: int, reason: Reason) -> Outcome:
        """One attempt, noted whether it ends or is cancelled."""
        place = len(errand.attempts)
        errand.attempts.append(_REJECTED)
        started = time.monotonic()
        said = CANCELLED
        try:
            outcome = await self._send(errand, address)
            said = outcome.said
            if outcome is _CIRCUIT_OPEN:
                reason = Reason.REJECTED
            return outcome
        finally:
            errand.attempts[place] = Attempt(address, (time.monotonic() - started) * 1000, said, reason)
            if reason is not Reason.FIRST:
                errand.state.counted[reason] += 1

    async def _send(self, errand: _Errand, address: int) -> Outcome:
        member = errand.target.member
        if self._enter_now(member):
            try:
                return await self._execute(errand, address)
            finally:
                self._limiter.leave()
                if member is not None:
                    member.limiter.leave()
        try:
            async with asyncio.timeout(errand.deadline.remaining_s) as waiting:
                # The member's own queue first: who waits for a slow member holds no place that others could use.
                async with member.limiter if member is not None else nullcontext(), self._limiter:
                    waiting.reschedule(None)
                    return await self._execute(errand, address)
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

    async def _execute(self, errand: _Errand, address: int) -> Outcome:
        breaker = errand.state.breakers[address]
        began = breaker.enter()
        if began is None:
            return _CIRCUIT_OPEN
        call, deadline = errand.call, errand.deadline
        headers = {**errand.run.request.headers, DEADLINE_HEADER: deadline.header}
        try:
            outcome = await errand.target.clients[address].execute(call.operation, call.variables, headers, deadline)
        except BaseException:
            breaker.gave_up(began)
            raise
        _learn(errand, breaker, began, outcome)
        return outcome


def _learn(errand: _Errand, breaker: Breaker, began: float, outcome: Outcome) -> None:
    """What an outcome says about the address: an answer that is no good, and a 429, prove it alive as well."""
    if isinstance(outcome, Failure):
        if outcome.code is Code.SUBGRAPH_TIMEOUT:
            breaker.silent(began, errand.patience_s)
        elif outcome.code is Code.SUBGRAPH_UNAVAILABLE and outcome.may_pass:
            breaker.failed(began)
        else:
            breaker.answered(began)
        return
    took_s = breaker.answered(began)
    if errand.call.kind is CallKind.READ:
        errand.state.latencies.record(took_s)


def _note(member: Member, asked: Asked) -> None:
    if isinstance(asked.outcome, Failure):
        member.failed(asked.outcome.code)
    else:
        member.answered(asked.latency_ms)


def _is_answer(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer)
