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
    PUBLIC_NOTICE = "PUBLIC_NOTICE"
    IN_APPROVAL = "IN_APPROVAL"
    APPROVED = "APPROVED"
    TO_DISPATCH = "TO_DISPATCH"
    IN_TRANSIT = "IN_TRANSIT"
    TO_RECEIVE = "TO_RECEIVE"
    LENT = "LENT"
    EXTENDING = "EXTENDING"
    RETURNING = "RETURNING"
    TO_APPRAISE = "TO_APPRAISE"
    TO_STORE = "TO_STORE"
    TO_DIAGNOSE = "TO_DIAGNOSE"
    UNDER_REPAIR = "UNDER_REPAIR"
    TO_INSPECT = "TO_INSPECT"
    TO_COMPENSATE = "TO_COMPENSATE"
    TO_EXECUTE = "TO_EXECUTE"
    TO_WRITE_OFF = "TO_WRITE_OFF"
    DONE = "DONE"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    STOPPED = "STOPPED"
    SENT_BACK = "SENT_BACK"


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
    EXTEND = "EXTEND"
    ARRIVE = "ARRIVE"
    RETURN_TO_OWNER = "RETURN_TO_OWNER"
    PROPOSE_COMPENSATION = "PROPOSE_COMPENSATION"
    AGREE_COMPENSATION = "AGREE_COMPENSATION"
    SETTLE_COMPENSATION = "SETTLE_COMPENSATION"
    APPRAISE = "APPRAISE"
    STORE = "STORE"
    DIAGNOSE = "DIAGNOSE"
    FINISH_REPAIR = "FINISH_REPAIR"
    OBJECT = "OBJECT"
    STOP = "STOP"
    CLOSE_NOTICE = "CLOSE_NOTICE"
    EXECUTE = "EXECUTE"
    WRITE_OFF = "WRITE_OFF"
    GIVE_UP_REST = "GIVE_UP_REST"


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
    LOST = "LOST"
    SCRAP = "SCRAP"


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
class ExtensionState(enum.StrEnum):
    ASKED = "ASKED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


@strawberry.enum
class SurrenderGround(enum.StrEnum):
    IDLE = "IDLE"
    OVER_STANDARD = "OVER_STANDARD"
    TEMPORARY_BODY_ENDED = "TEMPORARY_BODY_ENDED"


@strawberry.enum
class QuotaFinding(enum.StrEnum):
    WITHIN = "WITHIN"
    NO_DATA = "NO_DATA"


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
    LOSE = "LOSE"
    TRANSFER = "TRANSFER"
    SEND_BACK = "SEND_BACK"
    SURRENDER = "SURRENDER"
    REPAIR = "REPAIR"
    SCRAP = "SCRAP"
    EXECUTE = "EXECUTE"
    WRITE_OFF = "WRITE_OFF"


@strawberry.enum
class Custody(enum.StrEnum):
    OPENING = "OPENING"
    IN_STORE = "IN_STORE"
    IN_TRANSIT = "IN_TRANSIT"
    LENT = "LENT"
    RETURNING = "RETURNING"
    DAMAGED = "DAMAGED"
    LOST = "LOST"
    IN_REPAIR = "IN_REPAIR"
    TO_DISPOSE = "TO_DISPOSE"
    DISPOSING = "DISPOSING"
    DISPOSED = "DISPOSED"
    DONATED = "DONATED"


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
