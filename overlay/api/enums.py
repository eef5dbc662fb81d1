"""The contract's enums. Values are the names, so that stored text, JSON and GraphQL agree.

What the domain has words for is published as it is, by the contract's name; the rest is the contract's own.
"""

from __future__ import annotations

import enum

import strawberry

from overlay.audit.log import Action
from overlay.ledger import model as ledger
from overlay.ledger.balances import Dimension
from overlay.ledger.compare import Cause
from overlay.orders import model as orders
from overlay.prints.sheet import Kind

__all__ = [
    "ApprovalOffice",
    "ApprovalState",
    "AuditAction",
    "Custody",
    "DifferenceCause",
    "ExtensionState",
    "InspectionOutcome",
    "LedgerDimension",
    "LedgerExportKind",
    "LedgerMovement",
    "LineHoldState",
    "OrderCommand",
    "OrderFlow",
    "OrderState",
    "PrintKind",
    "QuotaFinding",
    "ReconciliationState",
    "Settlement",
    "SurrenderGround",
    "VirtualWarehouseChangeKind",
    "WarehouseScope",
    "WebhookState",
]

ApprovalOffice = orders.Office
ApprovalState = orders.ApprovalState
AuditAction = Action
Custody = ledger.Custody
DifferenceCause = Cause
ExtensionState = orders.ExtensionState
InspectionOutcome = orders.Outcome
LedgerDimension = Dimension
LedgerMovement = ledger.Movement
LineHoldState = orders.HoldState
OrderCommand = orders.Command
OrderFlow = orders.Flow
OrderState = orders.State
PrintKind = Kind
QuotaFinding = orders.QuotaFinding
Settlement = orders.Settlement
SurrenderGround = orders.SurrenderGround

for _name, _enum in {
    "ApprovalOffice": ApprovalOffice,
    "ApprovalState": ApprovalState,
    "AuditAction": AuditAction,
    "Custody": Custody,
    "DifferenceCause": DifferenceCause,
    "ExtensionState": ExtensionState,
    "InspectionOutcome": InspectionOutcome,
    "LedgerDimension": LedgerDimension,
    "LedgerMovement": LedgerMovement,
    "LineHoldState": LineHoldState,
    "OrderCommand": OrderCommand,
    "OrderFlow": OrderFlow,
    "OrderState": OrderState,
    "PrintKind": PrintKind,
    "QuotaFinding": QuotaFinding,
    "Settlement": Settlement,
    "SurrenderGround": SurrenderGround,
}.items():
    strawberry.enum(_enum, name=_name)


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
class WebhookState(enum.StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


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
