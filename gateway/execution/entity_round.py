"""One round of entity requests to members, as a value: who was asked for what, and what each gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.execution.answers import Failure
from gateway.execution.members import Member
from gateway.execution.replies import Reply
from gateway.execution.representations import Batch
from gateway.execution.scatter import CompiledScatter

__all__ = ["Concerned", "EntityRound"]


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who was asked for one representation."""

    members: tuple[Member, ...]
    by_field: tuple[tuple[int, tuple[Member, ...]], ...] = ()
    """For each gathered field (its place), those of them whom it concerns; empty: the entity lives in its one member."""


@dataclass(frozen=True, slots=True)
class EntityRound:
    """One round of entity requests: who was asked for which representations, and what came back."""

    scatter: CompiledScatter
    batch: Batch
    jobs: Mapping[Member, Mapping[int, int]]
    """Member → places of its representations in the batch → which of those that it was sent they are."""
    replies: Mapping[Member, Reply]

    def is_owned(self, place: int) -> bool:
        """Whether the entity lives in one member, by its key."""
        return self.batch.representations[place]["__typename"] in self.scatter.partitioned

    def entity_of(self, member: Member, place: int, may_be_stale: bool = False) -> Any:
        """What the member gave for a representation; None also when it gave nothing at all."""
        reply = self.replies[member]
        outcome = reply.outcome
        if isinstance(outcome, Failure) and may_be_stale and reply.earlier is not None:
            outcome = reply.earlier.answer
        if isinstance(outcome, Failure) or outcome.data is None:
            return None
        return self.scatter.asked_for(outcome.data["_entities"][self.jobs[member][place]])

    def owns_any(self, member: Member) -> bool:
        return any(self.is_owned(place) for place in self.jobs[member])
