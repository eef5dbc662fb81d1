"""The contract's inputs for Strawberry, and how they become plain JSON again.

Filters come as GraphQL arguments and inside rules; both are parsed as JSON by one parser (`filters`), so what
Strawberry makes of an argument is turned back, with what was not given left out.
"""

from __future__ import annotations

import enum
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.types.base import get_object_definition

from subgraphs.district.types import ID, MovementKind
from subgraphs.kit.assets import AssetCondition, AssetSource, AssetStatus, DateRangeInput, ValueType
from subgraphs.kit.scalars import Date, Decimal

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """An input as plain JSON: objects with the contract's names, enums as names; what was not given is absent."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, enum.Enum):
        return value.value
    definition = get_object_definition(value)
    if definition is None:
        return None if value is UNSET else value
    found = {field.graphql_name or field.python_name: getattr(value, field.python_name) for field in definition.fields}
    return {name: plain(one) for name, one in found.items() if one is not UNSET}


@strawberry.enum
class AssetOrderField(enum.Enum):
    CODE = "CODE"
    NAME = "NAME"
    CLASS = "CLASS"
    ACQUIRED_ON = "ACQUIRED_ON"
    ORIGINAL_VALUE = "ORIGINAL_VALUE"
    NET_VALUE = "NET_VALUE"
    QUANTITY = "QUANTITY"
    STATUS = "STATUS"


@strawberry.enum
class OrderDirection(enum.Enum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.input
class AssetOrder:
    field: AssetOrderField
    direction: OrderDirection = OrderDirection.ASC


@strawberry.input
class PlaceHoldInput:
    idempotencyKey: str
    assetId: ID
    orderId: ID
    range: DateRangeInput
    quantity: Decimal
    lifeSeconds: int
    expectedVersion: str | None = UNSET
    bufferDays: int | None = UNSET
    ownUse: bool | None = UNSET
    forGood: bool | None = UNSET


@strawberry.input
class ExtendHoldInput:
    idempotencyKey: str
    assetId: ID
    holdId: ID
    to: Date
    expectedVersion: str | None = UNSET


@strawberry.input
class RenewHoldInput:
    idempotencyKey: str
    assetId: ID
    holdId: ID
    lifeSeconds: int


@strawberry.input
class ReduceHoldInput:
    idempotencyKey: str
    assetId: ID
    holdId: ID
    quantity: Decimal


@strawberry.input
class ReleaseHoldInput:
    idempotencyKey: str
    assetId: ID
    holdId: ID


@strawberry.input
class RecordMovementInput:
    idempotencyKey: str
    assetId: ID
    holdId: ID
    kind: MovementKind
    quantity: Decimal


@strawberry.input
class TransferOutInput:
    idempotencyKey: str
    assetId: ID
    holdId: ID
    orderId: ID
    quantity: Decimal
    successorId: ID


@strawberry.input
class AssetClassInput:
    scheme: str
    code: str
    name: str | None = UNSET


@strawberry.input
class ReceiveCardInput:
    idempotencyKey: str
    assetId: ID
    predecessorId: ID
    lineageId: ID
    orderId: ID
    ownerId: ID | None = UNSET
    ownerUscc: str | None = UNSET
    code: str | None = UNSET
    name: str
    class_: AssetClassInput | None = strawberry.field(name="class", default=UNSET)
    legacyClass: AssetClassInput | None = UNSET
    specification: str | None = UNSET
    brand: str | None = UNSET
    model: str | None = UNSET
    serialNumber: str | None = UNSET
    quantity: Decimal
    unitOfMeasure: str | None = UNSET
    acquiredOn: Date | None = UNSET
    originalValue: Decimal | None = UNSET
    accumulatedDepreciation: Decimal | None = UNSET
    netValue: Decimal | None = UNSET
    valueType: ValueType | None = UNSET
    usefulLifeMonths: int | None = UNSET
    warehouseId: ID | None = UNSET
    location: str | None = UNSET
    source: AssetSource | None = UNSET
    condition: AssetCondition | None = UNSET
    status: AssetStatus
    shareable: bool
    shareableUntil: Date | None = UNSET
    massKg: Decimal | None = UNSET
