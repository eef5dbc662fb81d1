"""Members' last good answers: what may stand in, where the client allows it, when a member gives none.

A member's answer is kept as it came, under everything that it depends on: the graph, the contract and the member's own
version of it, the region, the operation with its variables, and who asked in which language. So nobody is shown what was given to somebody else, and a
page stands in for the same page only. Answers with errors, answers that turned out to be no good, and answers to
changes are never kept; what is brought back is judged like any other answer. A page is kept in whatever size it was
asked for: the merge gives no rows behind its last one, so a short one is true as well.

A store may lose whatever it likes and never fails: then there is nothing to bring back.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import orjson

from gateway.execution.answers import Answer, Outcome, read_answer
from gateway.execution.asking import Call
from gateway.execution.members import Member
from gateway.execution.run import Run

__all__ = ["Earlier", "Kept", "LastAnswers", "MemoryStale", "StaleStore"]

ENTRY_BYTES = 400
"""What an entry costs beside its body: its key, and the store's records."""
KEY_BYTES = 32
"""Of a digest: long enough that two questions never share one, for a shared one would show an answer to the wrong reader."""
WAIT_SHARE = 0.5
"""Of the time that remains, the most that a store is waited for."""


@dataclass(frozen=True, slots=True)
class Kept:
    body: bytes
    at: float
    """When it came, in seconds since 1970."""
    age_s: float


class StaleStore(Protocol):
    """Where bodies of answers are kept."""

    async def get(self, key: str) -> Kept | None:
        """Never raises, and does not wait for long."""

    def put(self, key: str, body: bytes) -> None:
        """At once; whether it is kept in the end is the store's affair."""

    async def close(self) -> None: ...


class MemoryStale:
    """In this process: bounded in bytes (what was used the longest ago goes first) and in age."""

    def __init__(self, bytes_max: int, age_max_s: float, now: Callable[[], float] = time.time) -> None:
        self._bytes_max = bytes_max
        self._age_max_s = age_max_s
        self._now = now
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: str) -> Kept | None:
        found = self._kept.get(key)
        if found is None:
            return None
        body, at = found
        age_s = max(0.0, self._now() - at)
        if age_s > self._age_max_s:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return Kept(body, at, age_s)

    def put(self, key: str, body: bytes) -> None:
        now = self._now()
        if key in self._kept:
            self._drop(key)
        if len(body) + ENTRY_BYTES > self._bytes_max:
            return
        self._kept[key] = (body, now)
        self.bytes += len(body) + ENTRY_BYTES
        while self._kept and (self.bytes > self._bytes_max or self._oldest_at < now - self._age_max_s):
            self._drop(next(iter(self._kept)))

    async def close(self) -> None:
        self._kept.clear()
        self.bytes = 0

    @property
    def _oldest_at(self) -> float:
        return next(iter(self._kept.values()))[1]

    def _drop(self, key: str) -> None:
        body, _ = self._kept.pop(key)
        self.bytes -= len(body) + ENTRY_BYTES


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer that was kept, brought back."""

    answer: Answer
    at: float
    """When it came, in seconds since 1970."""
    age_s: float


@dataclass(frozen=True, slots=True)
class LastAnswers:
    """What one run keeps of the answers of a graph's members, and brings back."""

    store: StaleStore
    graph: str
    run: Run

    @staticmethod
    def of(store: StaleStore | None, graph: str, run: Run) -> LastAnswers | None:
        """None: nothing is kept here, or nothing may be: of a change, or of who is not known."""
        is_change = run.compiled.plan.operation_kind == "mutation"
        return None if store is None or is_change or run.request.who is None else LastAnswers(store, graph, run)

    def keep(self, member: Member, call: Call, outcome: Outcome) -> None:
        if isinstance(outcome, Answer) and outcome.body and not outcome.errors and outcome.data is not None:
            self.store.put(self._key(member, call), outcome.body)

    async def recall(self, member: Member, call: Call) -> Earlier | None:
        try:
            async with asyncio.timeout(self.run.request.deadline.remaining_s * WAIT_SHARE):
                kept = await self.store.get(self._key(member, call))
        except TimeoutError:
            return None
        if kept is None:
            return None
        answer = read_answer(200, kept.body)
        return Earlier(answer, kept.at, kept.age_s) if isinstance(answer, Answer) and not answer.errors else None

    def _key(self, member: Member, call: Call) -> str:
        versions = (self.run.compiled.types.version, None if member.contract is None else member.contract.version)
        operation, variables = call.planned or (call.operation, call.variables)
        depends_on = [self.graph, versions, member.region, self.run.request.who, operation, variables]
        return blake2b(orjson.dumps(depends_on, option=orjson.OPT_SORT_KEYS), digest_size=KEY_BYTES).hexdigest()
