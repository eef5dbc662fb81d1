"""The root of mutations: commands on the custody book, given by the system itself."""

# mypy: disable-error-code="misc"
from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar, cast

import strawberry
from strawberry import UNSET

from contract.decimals import format_decimal, format_money
from subgraphs.district.custody.commands import (
    extend_hold,
    place_hold,
    receive_card,
    record_movement,
    reduce_hold,
    release_hold,
    renew_hold,
    transfer_out,
)
from subgraphs.district.inputs import (
    AssetClassInput,
    ExtendHoldInput,
    PlaceHoldInput,
    ReceiveCardInput,
    RecordMovementInput,
    ReduceHoldInput,
    ReleaseHoldInput,
    RenewHoldInput,
    TransferOutInput,
    plain,
)
from subgraphs.district.member import DistrictContext
from subgraphs.district.types import CardPayload, HoldPayload, MovementPayload

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
            expected_version=_given(input.expectedVersion),
            buffer_days=_given(input.bufferDays) or 0,
            own_use=bool(_given(input.ownUse)),
            for_good=bool(_given(input.forGood)),
        )
        return cast(HoldPayload, payload)

    @strawberry.mutation
    async def extendHold(self, info: Info, input: ExtendHoldInput) -> HoldPayload:
        payload = await extend_hold(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            hold_id=input.holdId,
            to_day=input.to,
            expected_version=_given(input.expectedVersion),
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
    async def reduceHold(self, info: Info, input: ReduceHoldInput) -> HoldPayload:
        payload = await reduce_hold(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            hold_id=input.holdId,
            quantity=input.quantity,
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

    @strawberry.mutation
    async def transferOut(self, info: Info, input: TransferOutInput) -> MovementPayload:
        payload = await transfer_out(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            hold_id=input.holdId,
            order_id=input.orderId,
            quantity=input.quantity,
            successor_id=input.successorId,
        )
        return cast(MovementPayload, payload)

    @strawberry.mutation
    async def receiveCard(self, info: Info, input: ReceiveCardInput) -> CardPayload:
        payload = await receive_card(
            info.context,
            key=input.idempotencyKey,
            asset_id=input.assetId,
            predecessor_id=input.predecessorId,
            lineage_id=input.lineageId,
            order_id=input.orderId,
            owner_id=_given(input.ownerId),
            owner_uscc=_given(input.ownerUscc),
            warehouse_id=_given(input.warehouseId),
            fields=_card_fields(input),
        )
        return cast(CardPayload, payload)


T = TypeVar("T")


def _given(value: T | None) -> T | None:
    return None if value is UNSET else value


_AS_THEY_ARE = (
    "code", "name", "specification", "brand", "model", "serialNumber", "unitOfMeasure", "acquiredOn", "valueType",
    "usefulLifeMonths", "location", "source", "condition", "status", "shareable", "shareableUntil",
)  # fmt: skip
_MONEY = ("originalValue", "accumulatedDepreciation", "netValue")
_NUMBERS = ("quantity", "massKg")


def _card_fields(input: ReceiveCardInput) -> dict[str, Any]:
    """The input as canonical fields, each value in its one spelling."""
    given = plain(input)
    fields = {name: given.get(name) for name in _AS_THEY_ARE}
    for names, spelled in ((_MONEY, format_money), (_NUMBERS, format_decimal)):
        for name in names:
            fields[name] = None if given.get(name) is None else spelled(Decimal(given[name]))
    for prefix, value in (("class", _given(input.class_)), ("legacyClass", _given(input.legacyClass))):
        fields |= _class_fields(prefix, value)
    return fields


def _class_fields(prefix: str, value: AssetClassInput | None) -> dict[str, str | None]:
    if value is None:
        return dict.fromkeys((f"{prefix}Scheme", f"{prefix}Code", f"{prefix}Name"))
    return {f"{prefix}Scheme": value.scheme, f"{prefix}Code": value.code, f"{prefix}Name": _given(value.name)}
