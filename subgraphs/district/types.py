"""The contract's types for Strawberry. Descriptions live in schema/district.graphql alone.

Attributes bear the contract's own names, for rows are dicts with those keys (`class_` and `from_` where Python has a
word of its own). Fields without a resolver are plain: the kit projects whole lists of them at once.
"""

from __future__ import annotations

import enum

import strawberry

from subgraphs.kit.assets import AssetStatus
from subgraphs.kit.scalars import Date, DateTime, Decimal

ID = strawberry.ID


@strawberry.interface
class Node:
    id: ID


@strawberry.type
class Region:
    code: ID
    name: str
    nameEn: str


@strawberry.type
class Unit(Node):
    region: Region
    name: str
    uscc: str | None


@strawberry.enum
class WarehouseKind(enum.Enum):
    PHYSICAL = "PHYSICAL"
    OWN_ROOM = "OWN_ROOM"


@strawberry.type
class Warehouse(Node):
    region: Region
    name: str
    kind: WarehouseKind
    address: str | None


@strawberry.type
class AssetClass:
    scheme: str
    code: str
    name: str | None


@strawberry.type
class BusyPeriod:
    from_: Date = strawberry.field(name="from")
    to: Date
    quantity: Decimal


@strawberry.type
class DataIssue:
    code: str
    field: str | None
    raw: str | None
    rule: str
    message: str
    blocking: bool


@strawberry.type
class DateRange:
    from_: Date = strawberry.field(name="from")
    to: Date
    lastDay: Date


@strawberry.type
class PageInfo:
    hasNextPage: bool
    hasPreviousPage: bool
    startCursor: str | None
    endCursor: str | None


@strawberry.enum
class AssetFacetField(enum.Enum):
    REGION = "REGION"
    CLASS = "CLASS"
    STATUS = "STATUS"
    CONDITION = "CONDITION"


@strawberry.type
class AssetFacet:
    field: AssetFacetField
    value: str | None
    count: int


@strawberry.enum
class PartialAnswers(enum.Enum):
    """For who gathers; a member has its own rows to give and nothing to choose."""

    ALL = "ALL"
    PARTIAL = "PARTIAL"
    STALE = "STALE"


@strawberry.enum
class PartitionStatus(enum.Enum):
    OK = "OK"
    STALE = "STALE"
    UNAVAILABLE = "UNAVAILABLE"
    OUTDATED = "OUTDATED"


@strawberry.type
class PartitionSource:
    region: ID
    name: str
    status: PartitionStatus
    latencyMs: float | None
    asOf: DateTime | None


@strawberry.enum
class SummaryDimension(enum.Enum):
    REGION = "REGION"
    CLASS = "CLASS"
    STATUS = "STATUS"


@strawberry.type
class SummaryGroup:
    region: ID | None
    class_: str | None = strawberry.field(name="class")
    status: AssetStatus | None
    count: int
    quantity: Decimal
    originalValue: Decimal
    netValue: Decimal


@strawberry.type
class AssetSummary:
    groups: list[SummaryGroup]
    totalIsExact: bool
    sources: list[PartitionSource]


@strawberry.type
class IssueCount:
    code: str
    field: str | None
    count: int


@strawberry.type
class QuarantinedRow:
    region: ID
    raw: str
    issues: list[DataIssue]


@strawberry.type
class QuarantineEdge:
    cursor: str
    node: QuarantinedRow


@strawberry.type
class QuarantineConnection:
    nodes: list[QuarantinedRow]
    edges: list[QuarantineEdge]
    pageInfo: PageInfo


@strawberry.enum
class HoldState(enum.Enum):
    ACTIVE = "ACTIVE"
    DISPATCHED = "DISPATCHED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


@strawberry.type
class Hold:
    id: ID
    assetId: ID
    orderId: ID
    from_: Date = strawberry.field(name="from")
    to: Date
    quantity: Decimal
    state: HoldState
    expiresAt: DateTime | None


@strawberry.type
class Problem:
    code: str
    path: list[str] | None
    message: str
    remedy: str | None


@strawberry.type
class HoldPayload:
    hold: Hold | None
    problems: list[Problem]


@strawberry.enum
class MovementKind(enum.Enum):
    DISPATCH = "DISPATCH"
    RECEIVE = "RECEIVE"
    RETURN = "RETURN"
    STORE = "STORE"
    REPAIR_OUT = "REPAIR_OUT"
    REPAIR_IN = "REPAIR_IN"
    WRITE_OFF = "WRITE_OFF"


@strawberry.type
class MovementPayload:
    writtenBack: bool
    problems: list[Problem]


@strawberry.type
class CardPayload:
    assetId: ID | None
    problems: list[Problem]


@strawberry.type
class CommandStatus:
    idempotencyKey: str
    known: bool
    hold: Hold | None
