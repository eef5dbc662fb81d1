"""Lent offices in the contract: who lends, to whom, for which days, and what may still be taken back."""

from __future__ import annotations

from typing import Any

import strawberry

from overlay.api.context import Context
from overlay.api.inputs import LendOfficeInput, RevokeOfficeInput, to_plain
from overlay.api.rows import problem_rows, range_row
from overlay.api.types import DateRange, Info, Problem
from overlay.approvals.delegations import Delegation
from overlay.store.once import Answer
from subgraphs.kit.errors import Unauthenticated
from subgraphs.kit.scalars import DateTime

__all__ = ["ApprovalMutation", "ApprovalQuery"]


@strawberry.type
class OfficeDelegation:
    id: strawberry.ID
    person: str
    unit: str | None
    region_code: strawberry.ID | None
    delegate: str
    range: DateRange
    reason: str
    created_at: DateTime
    revoked_at: DateTime | None


@strawberry.type
class DelegationPayload:
    delegation: OfficeDelegation | None
    problems: list[Problem]


@strawberry.type
class ApprovalQuery:
    @strawberry.field
    async def delegations(self, info: Info) -> list[OfficeDelegation] | None:
        context = info.context
        if context.identity.is_anonymous:
            raise Unauthenticated("lent offices are for people who have signed in; send an access token")
        found = await context.services.delegations.of(context.identity)
        return [_row(one) for one in found]  # type: ignore[misc]


@strawberry.type
class ApprovalMutation:
    @strawberry.mutation
    async def lend_office(self, info: Info, input: LendOfficeInput) -> DelegationPayload:
        context, body = info.context, to_plain(input)
        key = body.pop("idempotencyKey")
        return await _payload(context, await context.services.delegations.lend(context.identity, key, body))

    @strawberry.mutation
    async def revoke_office(self, info: Info, input: RevokeOfficeInput) -> DelegationPayload:
        context, body = info.context, to_plain(input)
        key, id_ = body["idempotencyKey"], body["id"]
        return await _payload(context, await context.services.delegations.revoke(context.identity, key, id_))


async def _payload(context: Context, answer: Answer) -> DelegationPayload:
    found = [] if answer.id is None else await context.services.delegations.of(context.identity)
    shown = next((_row(one) for one in found if one.id == answer.id), None)
    return {"delegation": shown, "problems": problem_rows(context, answer.problems)}  # type: ignore[return-value]


def _row(one: Delegation) -> dict[str, Any]:
    return {
        "id": one.id,
        "person": one.person,
        "unit": one.unit,
        "region_code": one.region,
        "delegate": one.delegate,
        "range": range_row(one.from_day, one.to_day),
        "reason": one.reason,
        "created_at": one.created_at,
        "revoked_at": one.revoked_at,
    }
