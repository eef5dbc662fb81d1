"""The root of mutations: commands on the custody book, given by the system itself."""

# mypy: disable-error-code="misc"
from __future__ import annotations

from typing import cast

import strawberry
from strawberry import UNSET

from subgraphs.district.custody.commands import place_hold, record_movement, release_hold, renew_hold
from subgraphs.district.inputs import PlaceHoldInput, RecordMovementInput, ReleaseHoldInput, RenewHoldInput
from subgraphs.district.member import DistrictContext
from subgraphs.district.types import HoldPayload, MovementPayload

Info = strawberry.Info[DistrictContext, None]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def placeHold(self, info: Info, input: PlaceHoldInput) -> HoldPayload:
        payload = await place_hold(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            order_id=input.orderId,
            from_day=input.range.from_,
            to_day=input.range.to,
            quantity=input.quantity,
            life_s=input.lifeSeconds,
            expected_version=None if input.expectedVersion is UNSET else input.expectedVersion,
        )
        return cast(HoldPayload, payload)

    @strawberry.mutation
    async def renewHold(self, info: Info, input: RenewHoldInput) -> HoldPayload:
        payload = await renew_hold(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            hold_id=input.holdId,
            life_s=input.lifeSeconds,
        )
        return cast(HoldPayload, payload)

    @strawberry.mutation
    async def releaseHold(self, info: Info, input: ReleaseHoldInput) -> HoldPayload:
        payload = await release_hold(
            info.context, key=input.idempotencyKey, asset_id=input.assetId, hold_id=input.holdId
        )
        return cast(HoldPayload, payload)

    @strawberry.mutation
    async def recordMovement(self, info: Info, input: RecordMovementInput) -> MovementPayload:
        payload = await record_movement(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            hold_id=input.holdId,
            kind=input.kind.value,
            quantity=input.quantity,
        )
        return cast(MovementPayload, payload)
