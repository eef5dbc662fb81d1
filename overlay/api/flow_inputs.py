"""The inputs of the flows beyond borrowing and returning."""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from overlay.api.enums import InspectionOutcome, SurrenderGround
from overlay.api.inputs import LineQuantityInput, LoanLineInput
from subgraphs.kit.scalars import Date, Decimal


@strawberry.input
class ApplyReallocationInput:
    idempotency_key: str
    purpose: str
    lines: list[LoanLineInput]
    accept_partial: bool | None = UNSET


@strawberry.input
class SurrenderAssetsInput:
    idempotency_key: str
    purpose: str
    ground: SurrenderGround
    title_clear: bool
    lines: list[LoanLineInput]
    since: Date | None = UNSET
    accept_partial: bool | None = UNSET


@strawberry.input
class RepairLineInput:
    asset_id: strawberry.ID
    estimate: Decimal
    quantity: Decimal | None = UNSET
    expected_version: str | None = UNSET
    accept_partial: bool | None = UNSET
    replacement_value: Decimal | None = UNSET
    return_line_id: strawberry.ID | None = UNSET


@strawberry.input
class ApplyRepairInput:
    idempotency_key: str
    purpose: str
    lines: list[RepairLineInput]
    accept_partial: bool | None = UNSET


@strawberry.input
class DisposalLineInput:
    asset_id: strawberry.ID
    quantity: Decimal | None = UNSET
    expected_version: str | None = UNSET
    accept_partial: bool | None = UNSET
    appraisal: str | None = UNSET


@strawberry.input
class ApplyDisposalInput:
    idempotency_key: str
    purpose: str
    lines: list[DisposalLineInput]
    accept_partial: bool | None = UNSET


@strawberry.input
class ApplyDonationInput:
    idempotency_key: str
    purpose: str
    recipient: str
    lines: list[DisposalLineInput]
    accept_partial: bool | None = UNSET


@strawberry.input
class ExtendLoanInput:
    idempotency_key: str
    order_id: strawberry.ID
    to: Date
    reason: str | None = UNSET


@strawberry.input
class ArriveOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET
    comment: str | None = UNSET


@strawberry.input
class ReturnToOwnerInput:
    idempotency_key: str
    order_id: strawberry.ID
    reason: str
    lines: list[LineQuantityInput] | None = UNSET


@strawberry.input
class GiveUpRestInput:
    idempotency_key: str
    order_id: strawberry.ID
    reason: str
    lines: list[LineQuantityInput] | None = UNSET


@strawberry.input
class CompensationLineInput:
    line_id: strawberry.ID
    amount: Decimal


@strawberry.input
class ProposeCompensationInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[CompensationLineInput]
    comment: str | None = UNSET


@strawberry.input
class AgreeCompensationInput:
    idempotency_key: str
    order_id: strawberry.ID
    comment: str | None = UNSET


@strawberry.input
class SettleCompensationInput:
    idempotency_key: str
    order_id: strawberry.ID
    reference: str


@strawberry.input
class FindingLineInput:
    line_id: strawberry.ID
    outcome: InspectionOutcome
    finding: str | None = UNSET
    cost: Decimal | None = UNSET


@strawberry.input
class AppraiseSurrenderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[FindingLineInput]
    comment: str | None = UNSET


@strawberry.input
class StoreSurrenderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET
    comment: str | None = UNSET


@strawberry.input
class DiagnoseRepairInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[FindingLineInput]
    comment: str | None = UNSET


@strawberry.input
class FinishRepairInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET
    comment: str | None = UNSET


@strawberry.input
class InspectOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[FindingLineInput]
    comment: str | None = UNSET


@strawberry.input
class ObjectToNoticeInput:
    idempotency_key: str
    order_id: strawberry.ID
    reason: str


@strawberry.input
class ExecuteDisposalInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET
    comment: str | None = UNSET


@strawberry.input
class WriteOffDisposalInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET
    comment: str | None = UNSET
