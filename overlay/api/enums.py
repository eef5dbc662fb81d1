"""The contract's enums. Values are the names, so that stored text, JSON and GraphQL agree."""

from __future__ import annotations

import enum

import strawberry


@strawberry.enum
class WarehouseScope(enum.StrEnum):
    UNIT = "UNIT"
    REGION = "REGION"
    CITY = "CITY"
    ALL = "ALL"


@strawberry.enum
class VirtualWarehouseChangeKind(enum.StrEnum):
    CREATED = "CREATED"
    CHANGED = "CHANGED"
    RETIRED = "RETIRED"


@strawberry.enum
class OrderFlow(enum.StrEnum):
    LOAN = "LOAN"
    RETURN = "RETURN"
    SURRENDER = "SURRENDER"
    REALLOCATION = "REALLOCATION"
    REPAIR = "REPAIR"
    DISPOSAL = "DISPOSAL"
    DONATION = "DONATION"


@strawberry.enum
class OrderState(enum.StrEnum):
    DRAFT = "DRAFT"
    IN_APPROVAL = "IN_APPROVAL"
    APPROVED = "APPROVED"
    TO_DISPATCH = "TO_DISPATCH"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    RETURNING = "RETURNING"
    TO_INSPECT = "TO_INSPECT"
    DONE = "DONE"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


@strawberry.enum
class OrderCommand(enum.StrEnum):
    APPLY = "APPLY"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    RETURN_FOR_CORRECTION = "RETURN_FOR_CORRECTION"
    RESUBMIT = "RESUBMIT"
    WITHDRAW = "WITHDRAW"
    DISPATCH = "DISPATCH"
    RECEIVE = "RECEIVE"
    RETURN_GOODS = "RETURN_GOODS"
    INSPECT = "INSPECT"
    EXPIRE = "EXPIRE"


@strawberry.enum
class Settlement(enum.StrEnum):
    SETTLED = "SETTLED"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"


@strawberry.enum
class LineHoldState(enum.StrEnum):
    NONE = "NONE"
    ACTIVE = "ACTIVE"
    DISPATCHED = "DISPATCHED"
    RELEASED = "RELEASED"
    UNKNOWN = "UNKNOWN"


@strawberry.enum
class InspectionOutcome(enum.StrEnum):
    PASSED = "PASSED"
    NEEDS_REPAIR = "NEEDS_REPAIR"
    COMPENSATION = "COMPENSATION"
    REFUSED = "REFUSED"


@strawberry.enum
class ApprovalOffice(enum.StrEnum):
    UNIT_HEAD = "UNIT_HEAD"
    OWNER_UNIT = "OWNER_UNIT"
    LENDING_REGION = "LENDING_REGION"
    BORROWING_REGION = "BORROWING_REGION"
    DEPARTMENT = "DEPARTMENT"
    WAREHOUSE = "WAREHOUSE"
    LENDING_FINANCE = "LENDING_FINANCE"
    BORROWING_FINANCE = "BORROWING_FINANCE"
    CITY = "CITY"
    GOVERNMENT = "GOVERNMENT"


@strawberry.enum
class ApprovalState(enum.StrEnum):
    WAITING = "WAITING"
    CURRENT = "CURRENT"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"


@strawberry.enum
class PrintKind(enum.StrEnum):
    APPLICATION = "APPLICATION"
    HANDOVER = "HANDOVER"
    RETURN = "RETURN"


@strawberry.enum
class WebhookState(enum.StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@strawberry.enum
class LedgerMovement(enum.StrEnum):
    OPENING = "OPENING"
    ADJUST = "ADJUST"
    DISPATCH = "DISPATCH"
    RECEIVE = "RECEIVE"
    RETURN = "RETURN"
    STORE = "STORE"
    DAMAGE = "DAMAGE"
    REFUSE = "REFUSE"


@strawberry.enum
class Custody(enum.StrEnum):
    OPENING = "OPENING"
    IN_STORE = "IN_STORE"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    RETURNING = "RETURNING"
    DAMAGED = "DAMAGED"


@strawberry.enum
class AssetStatus(enum.StrEnum):
    IN_USE = "IN_USE"
    IDLE = "IDLE"
    TO_STORE = "TO_STORE"
    IN_STORE = "IN_STORE"
    RESERVED = "RESERVED"
    TO_DISPATCH = "TO_DISPATCH"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    IN_REPAIR = "IN_REPAIR"
    FROZEN = "FROZEN"
    TO_DISPOSE = "TO_DISPOSE"
    DISPOSED = "DISPOSED"
    LOST = "LOST"


@strawberry.enum
class AssetCondition(enum.StrEnum):
    NEW = "NEW"
    GOOD = "GOOD"
    USABLE = "USABLE"
    NEEDS_REPAIR = "NEEDS_REPAIR"
    BEYOND_REPAIR = "BEYOND_REPAIR"


@strawberry.enum
class Acquisition(enum.StrEnum):
    PURCHASE = "PURCHASE"
    TRANSFER = "TRANSFER"
    EXCHANGE = "EXCHANGE"
    DONATION = "DONATION"
    CONFISCATION = "CONFISCATION"
    STOCKTAKE_GAIN = "STOCKTAKE_GAIN"


@strawberry.enum
class ValueType(enum.StrEnum):
    ORIGINAL = "ORIGINAL"
    APPRAISED = "APPRAISED"
    NOMINAL = "NOMINAL"
    PROVISIONAL = "PROVISIONAL"


@strawberry.enum
class AssetSource(enum.StrEnum):
    IDLE = "IDLE"
    OVER_STANDARD = "OVER_STANDARD"
    TEMPORARY_BODY = "TEMPORARY_BODY"
    EVENT = "EVENT"
    CONFISCATED = "CONFISCATED"
    BODY_CLOSED = "BODY_CLOSED"
    DONATED = "DONATED"


@strawberry.enum
class LedgerDimension(enum.StrEnum):
    REGION = "REGION"
    UNIT = "UNIT"
    CLASS = "CLASS"
    TOP_CLASS = "TOP_CLASS"
    CUSTODY = "CUSTODY"


@strawberry.enum
class LedgerExportKind(enum.StrEnum):
    JOURNAL = "JOURNAL"
    BALANCES = "BALANCES"
    DIFFERENCES = "DIFFERENCES"


@strawberry.enum
class ReconciliationState(enum.StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


@strawberry.enum
class DifferenceCause(enum.StrEnum):
    STORE_NOT_WRITTEN = "STORE_NOT_WRITTEN"
    STATUS_DIFFERS = "STATUS_DIFFERS"
    HOLD_MISSING = "HOLD_MISSING"
    QUANTITY_DIFFERS = "QUANTITY_DIFFERS"
    OWNER_DIFFERS = "OWNER_DIFFERS"
    ASSET_GONE = "ASSET_GONE"
    REGION_UNAVAILABLE = "REGION_UNAVAILABLE"
