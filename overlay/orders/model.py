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
    "FINISHED",
    "OPEN_STEPS",
    "RUNNING",
    "ApprovalState",
    "ApprovalStep",
    "Command",
    "Compensation",
    "Extension",
    "ExtensionState",
    "Flow",
    "HoldState",
    "Line",
    "Office",
    "Order",
    "Outcome",
    "QuotaFinding",
    "Settlement",
    "State",
    "SurrenderGround",
    "TimelineEntry",
]

RUNNING, FINISHED = "RUNNING", "FINISHED"
"""States of a command."""
OPEN_STEPS = ("PENDING", "UNKNOWN")
"""States of a command's step that has no result yet."""


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


CAME_TO_NOTHING = frozenset({State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.STOPPED, State.SENT_BACK})
ENDED = CAME_TO_NOTHING | {State.DONE}
"""What no command leads out of."""


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
    LOST = "LOST"
    SCRAP = "SCRAP"


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


class ExtensionState(StrEnum):
    ASKED = "ASKED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class SurrenderGround(StrEnum):
    IDLE = "IDLE"
    OVER_STANDARD = "OVER_STANDARD"
    TEMPORARY_BODY_ENDED = "TEMPORARY_BODY_ENDED"


class QuotaFinding(StrEnum):
    WITHIN = "WITHIN"
    NO_DATA = "NO_DATA"


class ApprovalState(StrEnum):
    WAITING = "WAITING"
    CURRENT = "CURRENT"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Compensation:
    """赔偿: what a line's damage or loss costs its borrower."""

    amount: Decimal
    proposed_by: str | None
    agreed_by: str | None
    agreed_unit: str | None
    agreed_region: str | None
    agreed_at: str | None
    settled_at: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Extension:
    """续借: one request to keep the goods longer."""

    number: int
    to_day: date
    reason: str | None
    state: ExtensionState
    asked_at: str
    decided_at: str | None


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
    lineage: str | None
    asked: Decimal
    """What was applied for; `quantity` is what the owner granted of it, zero where the line was dropped."""
    refusal: str | None
    """Why less was granted than asked for."""
    accepts_partial: bool
    quantity: Decimal
    dispatched: Decimal
    arrived: Decimal
    received: Decimal
    returning: Decimal
    returned: Decimal
    hold_id: str | None
    hold_state: HoldState
    loan_line_id: str | None
    """The line that this one comes from: of the loan, for a return; of the return, for a repair."""
    outcome: Outcome | None
    due_day: date | None
    """The day after the last one of a loan's line, where an extension has moved it."""
    estimate: Decimal | None
    cost: Decimal | None
    appraisal: str | None
    quota: QuotaFinding | None
    successors: tuple[str, ...]
    """The cards that took this one's place, one for each receipt."""
    compensation: Compensation | None
    want: int | None = None
    """Which of the order's wants it was found for."""
    asset_class: str | None = None
    """Code of the 2022 scheme, for the ledger."""

    @property
    def is_live(self) -> bool:
        return self.quantity > 0

    @property
    def out(self) -> Decimal:
        """What has left the owner and is not back."""
        return self.dispatched - self.returned

    @property
    def on_the_road(self) -> Decimal:
        """Of a reallocation: what has left its owner and has not come to the receiver."""
        return self.dispatched - self.arrived

    @property
    def at_the_door(self) -> Decimal:
        """Of a reallocation: arrived, and neither received nor on its way back."""
        return self.arrived - self.received - self.returning - self.returned

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
    extension: int | None
    """The extension that it decides on; None for the application itself."""
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
    accepts_partial: bool
    notice_until: date | None
    """The day on which a public notice ends."""
    overdue_stage: int
    """How many reminders of being overdue have been given."""
    details: Mapping[str, Any]
    """What only one flow has: a surrender's ground, a donation's recipient."""
    command_id: str | None
    """The command that is being settled; no other may begin before it is."""
    settlement: Settlement
    holds_expire_at: str | None
    version: int
    created_at: str
    updated_at: str
    lines: tuple[Line, ...]
    approvals: tuple[ApprovalStep, ...]
    extensions: tuple[Extension, ...]
    wants: tuple[Mapping[str, Any], ...] = ()
    """What was asked for by class and quantity: classCode, quantity, specification."""

    @property
    def number(self) -> str:
        return order_number(self.created_at, self.seq)

    @property
    def current_step(self) -> ApprovalStep | None:
        return next((step for step in self.approvals if step.state is ApprovalState.CURRENT), None)

    @property
    def live_lines(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.is_live)

    @property
    def asked_extension(self) -> Extension | None:
        return next((one for one in self.extensions if one.state is ExtensionState.ASKED), None)

    @property
    def extensions_granted(self) -> int:
        return sum(one.state is ExtensionState.GRANTED for one in self.extensions)

    def due_day(self, line: Line) -> date | None:
        return line.due_day or self.to_day

    @property
    def lending_regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.lending_region for line in self.lines))

    def is_overdue(self, today: date) -> bool:
        return self.days_overdue(today) > 0

    def days_overdue(self, today: date) -> int:
        """How many days the goods that lag most are late: 1 on the day after the last one."""
        if self.flow is not Flow.LOAN:
            return 0
        due = [day for line in self.lines if line.out > 0 and (day := self.due_day(line)) is not None]
        return max(((today - day).days + 1 for day in due), default=0)
