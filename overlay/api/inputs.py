"""The contract's inputs, and how they become plain JSON: the shape in which commands are kept and rules are signed."""

from __future__ import annotations

import enum
from collections.abc import Collection
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.types import get_object_definition

from overlay.api.enums import (
    Custody,
    InspectionOutcome,
    LedgerExportKind,
    OrderFlow,
    OrderState,
    WarehouseScope,
)
from subgraphs.kit.assets import AssetFilter, DateRangeInput
from subgraphs.kit.scalars import Date, Decimal

__all__ = [
    "ApplyLoanInput",
    "ApproveOrderInput",
    "CreateVirtualWarehouseInput",
    "DispatchOrderInput",
    "InspectReturnInput",
    "InspectionLineInput",
    "LedgerFilterInput",
    "LendOfficeInput",
    "LineQuantityInput",
    "LoanLineInput",
    "LoanSourcesInput",
    "OrderFilter",
    "ReceiveOrderInput",
    "RecordLedgerExportInput",
    "RejectOrderInput",
    "ResubmitOrderInput",
    "ReturnGoodsInput",
    "ReturnOrderForCorrectionInput",
    "RevokeOfficeInput",
    "StartReconciliationInput",
    "WantInput",
    "WithdrawOrderInput",
    "to_plain",
]


def to_plain(value: Any, cleared: Collection[str] = ()) -> Any:
    """An input as JSON, by the contract's names; what was not given is left out, and null too but for `cleared`."""
    definition = get_object_definition(value)
    if definition is not None:
        pairs = ((_name(field), getattr(value, field.python_name)) for field in definition.fields)
        return {
            name: to_plain(item) for name, item in pairs if item is not UNSET and (item is not None or name in cleared)
        }
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    return value.name if isinstance(value, enum.Enum) else value


def _name(field: Any) -> str:
    if field.graphql_name:
        return str(field.graphql_name)
    head, *rest = str(field.python_name).split("_")
    return head + "".join(part.title() for part in rest)


@strawberry.input
class OrderFilter:
    flows: list[OrderFlow] | None = UNSET
    states: list[OrderState] | None = UNSET
    asset_id: strawberry.ID | None = UNSET
    region: strawberry.ID | None = UNSET
    mine: bool | None = UNSET


@strawberry.input
class CreateVirtualWarehouseInput:
    idempotency_key: str
    name: str
    name_en: str | None = UNSET
    description: str | None = UNSET
    scope: WarehouseScope
    notify: bool | None = UNSET
    filter: AssetFilter | None = UNSET
    union_with: list[strawberry.ID] | None = UNSET
    intersect_with: list[strawberry.ID] | None = UNSET
    without: list[strawberry.ID] | None = UNSET


@strawberry.input
class WantInput:
    class_code: str
    quantity: Decimal | None = UNSET
    specification: str | None = UNSET


@strawberry.input
class LoanSourcesInput:
    range: DateRangeInput
    wants: list[WantInput]


@strawberry.input
class LoanLineInput:
    asset_id: strawberry.ID | None = UNSET
    want: WantInput | None = UNSET
    quantity: Decimal | None = UNSET
    expected_version: str | None = UNSET
    accept_partial: bool | None = UNSET


@strawberry.input
class ApplyLoanInput:
    idempotency_key: str
    range: DateRangeInput
    purpose: str
    lines: list[LoanLineInput]
    accept_partial: bool | None = UNSET
    temporary_body: strawberry.ID | None = UNSET


@strawberry.input
class ApproveOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    comment: str | None = UNSET
    on_behalf_of: str | None = UNSET


@strawberry.input
class RejectOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    reason: str
    on_behalf_of: str | None = UNSET


@strawberry.input
class ReturnOrderForCorrectionInput:
    idempotency_key: str
    order_id: strawberry.ID
    reason: str
    on_behalf_of: str | None = UNSET


@strawberry.input
class LendOfficeInput:
    idempotency_key: str
    delegate: str
    range: DateRangeInput
    reason: str


@strawberry.input
class RevokeOfficeInput:
    idempotency_key: str
    id: strawberry.ID


@strawberry.input
class ResubmitOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    purpose: str | None = UNSET


@strawberry.input
class WithdrawOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    reason: str | None = UNSET


@strawberry.input
class LineQuantityInput:
    line_id: strawberry.ID
    quantity: Decimal | None = UNSET


@strawberry.input
class DispatchOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET


@strawberry.input
class ReceiveOrderInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET


@strawberry.input
class ReturnGoodsInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[LineQuantityInput] | None = UNSET
    comment: str | None = UNSET


@strawberry.input
class InspectionLineInput:
    line_id: strawberry.ID
    outcome: InspectionOutcome
    amount: Decimal | None = UNSET


@strawberry.input
class InspectReturnInput:
    idempotency_key: str
    order_id: strawberry.ID
    lines: list[InspectionLineInput]
    comment: str | None = UNSET


# ledger


@strawberry.input
class LedgerFilterInput:
    regions: list[strawberry.ID] | None = UNSET
    units: list[str] | None = UNSET
    classes: list[str] | None = UNSET
    custodies: list[Custody] | None = UNSET
    asset_ids: list[strawberry.ID] | None = UNSET


@strawberry.input
class StartReconciliationInput:
    idempotency_key: str


@strawberry.input
class RecordLedgerExportInput:
    idempotency_key: str
    kind: LedgerExportKind
    format: str
    filter: LedgerFilterInput | None = UNSET
    range: DateRangeInput | None = UNSET
    day: Date | None = UNSET
