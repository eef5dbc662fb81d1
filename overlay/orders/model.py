"""The vocabulary of circulation orders, and an order as it is read from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from contract.identity import Identity

__all__ = [
    "DECISIONS",
    "ApprovalState",
    "ApprovalStep",
    "Command",
    "Flow",
    "HoldState",
    "Line",
    "Office",
    "Order",
    "Outcome",
    "Settlement",
    "State",
    "TimelineEntry",
]


class Flow(StrEnum):
    LOAN = "LOAN"
    RETURN = "RETURN"
    SURRENDER = "SURRENDER"
    REALLOCATION = "REALLOCATION"
    REPAIR = "REPAIR"
    DISPOSAL = "DISPOSAL"
    DONATION = "DONATION"


class State(StrEnum):
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


class Command(StrEnum):
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


DECISIONS = frozenset({Command.APPROVE, Command.REJECT, Command.RETURN_FOR_CORRECTION})
"""What an office does with a step."""


class Settlement(StrEnum):
    SETTLED = "SETTLED"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"


class HoldState(StrEnum):
    NONE = "NONE"
    ACTIVE = "ACTIVE"
    DISPATCHED = "DISPATCHED"
    RELEASED = "RELEASED"
    UNKNOWN = "UNKNOWN"


class Outcome(StrEnum):
    PASSED = "PASSED"
    NEEDS_REPAIR = "NEEDS_REPAIR"
    COMPENSATION = "COMPENSATION"
    REFUSED = "REFUSED"


class Office(StrEnum):
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


class ApprovalState(StrEnum):
    WAITING = "WAITING"
    CURRENT = "CURRENT"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    order_id: str
    position: int
    asset_id: str
    asset_name: str | None
    lending_region: str
    owner_unit: str | None
    unit_of_measure: str | None
    card_quantity: Decimal
    card_value: Decimal | None
    facts: str
    quantity: Decimal
    dispatched: Decimal
    received: Decimal
    returning: Decimal
    returned: Decimal
    hold_id: str | None
    hold_state: HoldState
    loan_line_id: str | None
    outcome: Outcome | None
    want: int | None = None
    """Which of the order's wants it was found for."""
    asset_class: str | None = None
    """Code of the 2022 scheme, for the ledger."""

    @property
    def to_dispatch(self) -> Decimal:
        return self.quantity - self.dispatched

    @property
    def in_transit(self) -> Decimal:
        return self.dispatched - self.received

    @property
    def lent(self) -> Decimal:
        return self.received - self.returning - self.returned


@dataclass(frozen=True, slots=True)
class ApprovalStep:
    order_id: str
    position: int
    office: Office
    region: str | None
    unit: str | None
    clause: str
    state: ApprovalState
    comment: str | None
    decided_by: str | None
    decided_unit: str | None
    decided_region: str | None
    decided_at: str | None
    on_behalf_of: str | None = None
    """Whose office it was, where a delegate decided."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    order_id: str
    at: str
    command: Command
    from_state: State | None
    to_state: State
    person: str | None
    unit: str | None
    region: str | None
    comment: str | None


def order_number(created_at: str, seq: int) -> str:
    return f"GWC{created_at[:4]}{seq:06d}"


@dataclass(frozen=True, slots=True)
class Order:
    seq: int
    id: str
    flow: Flow
    state: State
    applicant: Identity
    """Person, unit and region of the applicant; roles are empty."""
    from_day: date | None
    to_day: date | None
    purpose: str | None
    loan_id: str | None
    command_id: str | None
    """The command that is being settled; no other may begin before it is."""
    settlement: Settlement
    holds_expire_at: str | None
    version: int
    created_at: str
    updated_at: str
    lines: tuple[Line, ...]
    approvals: tuple[ApprovalStep, ...]
    wants: tuple[Mapping[str, Any], ...] = ()
    """What was asked for by class and quantity: classCode, quantity, specification."""

    @property
    def number(self) -> str:
        return order_number(self.created_at, self.seq)

    @property
    def current_step(self) -> ApprovalStep | None:
        return next((step for step in self.approvals if step.state is ApprovalState.CURRENT), None)

    @property
    def lending_regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.lending_region for line in self.lines))

    def is_overdue(self, today: date) -> bool:
        out = any(line.dispatched > line.returned for line in self.lines)
        return self.flow is Flow.LOAN and out and self.to_day is not None and today >= self.to_day
