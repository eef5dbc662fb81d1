"""What districts and overlay publish alike of assets: the words on a card, the filter over its fields, ranges of days.

A filter comes as an argument to a district, or in a warehouse's rule to the overlay, and is the same.
"""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from contract.assets import Acquisition, AssetCondition, AssetSource, AssetStatus, ValueType
from subgraphs.kit.scalars import Date, DateTime, Decimal

__all__ = [
    "Acquisition",
    "AcquisitionFilter",
    "AssetCondition",
    "AssetFilter",
    "AssetSource",
    "AssetStatus",
    "ClassFilter",
    "ConditionFilter",
    "DateFilter",
    "DateRangeInput",
    "DateTimeFilter",
    "DecimalFilter",
    "IdFilter",
    "IntFilter",
    "SourceFilter",
    "StatusFilter",
    "TextFilter",
    "ValueType",
    "ValueTypeFilter",
]

for word in (Acquisition, AssetCondition, AssetSource, AssetStatus, ValueType):
    strawberry.enum(word)


@strawberry.input
class DateRangeInput:
    from_: Date = strawberry.field(name="from")
    to: Date


@strawberry.input
class IdFilter:
    eq: strawberry.ID | None = UNSET
    in_: list[strawberry.ID] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input
class TextFilter:
    eq: str | None = UNSET
    in_: list[str] | None = strawberry.field(name="in", default=UNSET)
    contains: str | None = UNSET
    startsWith: str | None = UNSET
    isNull: bool | None = UNSET


@strawberry.input
class DecimalFilter:
    eq: Decimal | None = UNSET
    gt: Decimal | None = UNSET
    gte: Decimal | None = UNSET
    lt: Decimal | None = UNSET
    lte: Decimal | None = UNSET
    isNull: bool | None = UNSET


@strawberry.input
class DateFilter:
    eq: Date | None = UNSET
    gt: Date | None = UNSET
    gte: Date | None = UNSET
    lt: Date | None = UNSET
    lte: Date | None = UNSET
    isNull: bool | None = UNSET


@strawberry.input
class IntFilter:
    eq: int | None = UNSET
    gt: int | None = UNSET
    gte: int | None = UNSET
    lt: int | None = UNSET
    lte: int | None = UNSET
    isNull: bool | None = UNSET


@strawberry.input
class DateTimeFilter:
    eq: DateTime | None = UNSET
    gt: DateTime | None = UNSET
    gte: DateTime | None = UNSET
    lt: DateTime | None = UNSET
    lte: DateTime | None = UNSET
    isNull: bool | None = UNSET


@strawberry.input
class ClassFilter:
    eq: str | None = UNSET
    in_: list[str] | None = strawberry.field(name="in", default=UNSET)
    under: list[str] | None = UNSET
    isNull: bool | None = UNSET


@strawberry.input
class StatusFilter:
    eq: AssetStatus | None = UNSET
    in_: list[AssetStatus] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input
class ConditionFilter:
    eq: AssetCondition | None = UNSET
    in_: list[AssetCondition] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input
class SourceFilter:
    eq: AssetSource | None = UNSET
    in_: list[AssetSource] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input
class AcquisitionFilter:
    eq: Acquisition | None = UNSET
    in_: list[Acquisition] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input
class ValueTypeFilter:
    eq: ValueType | None = UNSET
    in_: list[ValueType] | None = strawberry.field(name="in", default=UNSET)


@strawberry.input
class AssetFilter:
    and_: list[AssetFilter] | None = strawberry.field(name="and", default=UNSET)
    or_: list[AssetFilter] | None = strawberry.field(name="or", default=UNSET)
    not_: AssetFilter | None = strawberry.field(name="not", default=UNSET)
    text: str | None = UNSET
    id: IdFilter | None = UNSET
    region: IdFilter | None = UNSET
    code: TextFilter | None = UNSET
    name: TextFilter | None = UNSET
    specification: TextFilter | None = UNSET
    brand: TextFilter | None = UNSET
    model: TextFilter | None = UNSET
    serialNumber: TextFilter | None = UNSET
    class_: ClassFilter | None = strawberry.field(name="class", default=UNSET)
    legacyClassCode: TextFilter | None = UNSET
    quantity: DecimalFilter | None = UNSET
    unitOfMeasure: TextFilter | None = UNSET
    acquiredOn: DateFilter | None = UNSET
    acquisition: AcquisitionFilter | None = UNSET
    originalValue: DecimalFilter | None = UNSET
    accumulatedDepreciation: DecimalFilter | None = UNSET
    netValue: DecimalFilter | None = UNSET
    valueType: ValueTypeFilter | None = UNSET
    usefulLifeMonths: IntFilter | None = UNSET
    owner: IdFilter | None = UNSET
    warehouse: IdFilter | None = UNSET
    location: TextFilter | None = UNSET
    source: SourceFilter | None = UNSET
    condition: ConditionFilter | None = UNSET
    status: StatusFilter | None = UNSET
    shareable: bool | None = UNSET
    shareableUntil: DateFilter | None = UNSET
    massKg: DecimalFilter | None = UNSET
    updatedAt: DateTimeFilter | None = UNSET
    hasIssues: bool | None = UNSET
