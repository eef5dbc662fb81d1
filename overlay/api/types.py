"""The contract's types. Most fields are read from rows (`overlay.api.rows`); those that cost a query resolve themselves.

Descriptions live in the published contract alone and are put on at start-up.
"""

from __future__ import annotations

from datetime import date

import strawberry
from strawberry import UNSET

from overlay.api.context import Context
from overlay.api.enums import (
    ApprovalOffice,
    ApprovalState,
    ExtensionState,
    InspectionOutcome,
    LineHoldState,
    OrderCommand,
    OrderFlow,
    OrderState,
    PrintKind,
    QuotaFinding,
    Settlement,
    SurrenderGround,
    VirtualWarehouseChangeKind,
    WarehouseScope,
)
from overlay.api.paging import page_size
from overlay.api.papers import Attachment, PrintLink, attachment_rows, print_row
from overlay.api.rows import change_row, order_row, problem_rows, timeline_row, view_row
from overlay.warehouses.rights import may_see_history
from overlay.warehouses.service import rule_text
from overlay.warehouses.views import InvalidView, ViewId
from subgraphs.kit.assets import DateRangeInput
from subgraphs.kit.errors import BadInput, Unauthenticated
from subgraphs.kit.plain import read_attribute
from subgraphs.kit.scalars import AssetRule, Date, DateTime, Decimal

Info = strawberry.Info[Context, None]
ASSET_ORDERS_MAX = 100
HISTORY_MAX = 100


def read_window(window: DateRangeInput | None) -> tuple[date, date] | None:
    if not window:
        return None
    days = (date.fromisoformat(window.from_), date.fromisoformat(window.to))
    try:
        ViewId("", days)
    except InvalidView as error:
        raise BadInput(f"window: {error}") from None
    return days


def signed_in(info: Info) -> Context:
    if info.context.identity.is_anonymous:
        raise Unauthenticated("orders and the ledger are for people who have signed in; send an access token")
    return info.context


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Region:
    code: strawberry.ID


@strawberry.type
class Unit(Node):
    id: strawberry.ID


@strawberry.type
class Warehouse(Node):
    id: strawberry.ID


def _stub(asset_id: str | None) -> Node | None:
    """The id is all the overlay knows of a card in another region."""
    return None if asset_id is None else {"__typename": "Asset", "id": asset_id}  # type: ignore[return-value]


@strawberry.type
class Asset(Node):
    id: strawberry.ID

    @strawberry.field
    async def orders(self, info: Info, first: int = 20) -> list[CirculationOrder] | None:
        bounded = page_size(first, ASSET_ORDERS_MAX)
        found = await info.context.orders_of_asset(bounded).load(read_attribute(self, "id"))
        return [order_row(info.context, order) for order in found]  # type: ignore[misc]

    successorId: strawberry.ID | None
    predecessorId: strawberry.ID | None

    @strawberry.field
    def successor(self) -> Node | None:
        return _stub(read_attribute(self, "successorId"))

    @strawberry.field
    def predecessor(self) -> Node | None:
        return _stub(read_attribute(self, "predecessorId"))


@strawberry.type
class VirtualWarehouse(Node):
    id: strawberry.ID
    name: str
    name_en: str | None
    description: str | None
    scope: WarehouseScope
    owner_region: strawberry.ID | None
    owner_unit: str | None
    built_in: bool
    notify: bool
    version: int
    may_change: bool
    created_at: DateTime
    updated_at: DateTime | None

    @strawberry.field
    async def history(self, info: Info, first: int = 20) -> list[VirtualWarehouseChange] | None:
        warehouse = read_attribute(self, "warehouse")
        newest = page_size(first, HISTORY_MAX)
        if not may_see_history(info.context.identity, warehouse):
            return None
        found = await info.context.services.warehouses.history(warehouse.id, newest)
        return [change_row(info.context, warehouse.id, one) for one in found]  # type: ignore[misc]

    @strawberry.field
    async def rule_text(self, info: Info) -> str:
        warehouse = read_attribute(self, "warehouse")
        return rule_text(await info.context.services.warehouses.filter_of(warehouse))

    @strawberry.field
    def view(self, info: Info, window: DateRangeInput | None = UNSET) -> VirtualWarehouseView:
        warehouse = read_attribute(self, "warehouse")
        view = ViewId(warehouse.id, read_window(window))
        return view_row(info.context, warehouse, view)  # type: ignore[return-value]


@strawberry.type
class VirtualWarehouseChange:
    version: int
    at: DateTime
    change: VirtualWarehouseChangeKind
    name: str
    scope: WarehouseScope
    rule_text: str
    region_code: strawberry.ID | None
    unit: str | None
    person: str | None


@strawberry.type
class VirtualWarehouseView(Node):
    id: strawberry.ID
    warehouse: VirtualWarehouse
    window: DateRange | None

    @strawberry.field
    async def rule(self, info: Info) -> AssetRule:
        """Signed when asked for: the answer depends on the hour, the row does not."""
        warehouse = read_attribute(self, "warehouse")["warehouse"]
        rule = await info.context.services.warehouses.rule(warehouse, read_attribute(self, "view"))
        return AssetRule(rule)


@strawberry.type
class VirtualWarehouseConnection:
    nodes: list[VirtualWarehouse]
    edges: list[VirtualWarehouseEdge]
    page_info: PageInfo


@strawberry.type
class VirtualWarehouseEdge:
    cursor: str
    node: VirtualWarehouse


@strawberry.type
class OrderParty:
    region_code: strawberry.ID
    region: Region | None
    unit: str | None
    person: str | None


@strawberry.type
class CirculationOrder(Node):
    id: strawberry.ID
    number: str
    flow: OrderFlow
    state: OrderState
    settlement: Settlement
    applicant: OrderParty
    range: DateRange | None
    overdue: bool
    purpose: str | None
    lines: list[OrderLine]
    approvals: list[ApprovalStep]
    accepts_partial: bool
    wants: list[OrderWant]
    extensions: list[LoanExtension]
    days_overdue: int
    notice_until: Date | None
    ground: SurrenderGround | None
    recipient: str | None
    temporary_body: OrderBody | None
    holds_expire_at: DateTime | None
    version: int
    created_at: DateTime
    updated_at: DateTime

    @strawberry.field
    async def timeline(self, info: Info) -> list[TimelineEntry]:
        entries = await info.context.timelines.load(read_attribute(self, "id"))
        return [timeline_row(info.context, entry) for entry in entries]  # type: ignore[misc]

    @strawberry.field
    async def allowed(self, info: Info) -> list[OrderCommand]:
        return await info.context.allowed(read_attribute(self, "order"))

    @strawberry.field
    async def warnings(self, info: Info) -> list[Problem]:
        found = await info.context.warnings.load(read_attribute(self, "id"))
        return problem_rows(info.context, found)  # type: ignore[return-value]

    @strawberry.field
    async def attachments(self, info: Info) -> list[Attachment]:
        found = await info.context.attachments.load(read_attribute(self, "id"))
        return attachment_rows(info.context, found)  # type: ignore[return-value]

    @strawberry.field
    async def print(self, info: Info, kind: PrintKind) -> PrintLink | None:
        order = await info.context.orders.load(read_attribute(self, "id"))
        return None if order is None else print_row(info.context, order, kind)  # type: ignore[return-value]

    @strawberry.field
    async def loan(self, info: Info) -> CirculationOrder | None:
        loan_id = read_attribute(self, "loan_id")
        order = None if loan_id is None else await info.context.orders.load(loan_id)
        return None if order is None else order_row(info.context, order)  # type: ignore[return-value]

    @strawberry.field
    async def returns(self, info: Info) -> list[CirculationOrder]:
        orders = await info.context.returns.load(read_attribute(self, "id"))
        return [order_row(info.context, order) for order in orders]  # type: ignore[misc]


@strawberry.type
class OrderBody:
    id: strawberry.ID
    name: str
    document: str


@strawberry.type
class OrderLine:
    id: strawberry.ID
    asset_id: strawberry.ID
    asset: Asset | None
    asset_name: str | None
    lending_region: strawberry.ID
    owner_unit: str | None
    want: int | None
    asked: Decimal
    refusal: str | None
    accepts_partial: bool
    quantity: Decimal
    unit_of_measure: str | None
    dispatched: Decimal
    arrived: Decimal
    received: Decimal
    returning: Decimal
    returned: Decimal
    hold: LineHoldState
    outcome: InspectionOutcome | None
    due: Date | None
    estimate: Decimal | None
    cost: Decimal | None
    appraisal: str | None
    quota: QuotaFinding | None
    compensation: Compensation | None
    successors: list[Asset]

    @strawberry.field
    async def repair(self, info: Info) -> CirculationOrder | None:
        repair_id = await info.context.repairs.load(read_attribute(self, "id"))
        order = None if repair_id is None else await info.context.orders.load(repair_id)
        return None if order is None else order_row(info.context, order)  # type: ignore[return-value]


@strawberry.type
class OrderWant:
    class_code: str
    quantity: Decimal
    specification: str | None


@strawberry.type
class Compensation:
    amount: Decimal
    agreed_by: str | None
    agreed_at: DateTime | None
    settled_at: DateTime | None
    reference: str | None


@strawberry.type
class LoanExtension:
    number: int
    to: Date
    reason: str | None
    state: ExtensionState
    asked_at: DateTime
    decided_at: DateTime | None


@strawberry.type
class ApprovalStep:
    position: int
    office: ApprovalOffice
    region_code: strawberry.ID | None
    unit: str | None
    state: ApprovalState
    extension: int | None
    clause: str
    comment: str | None
    decided_by: str | None
    on_behalf_of: str | None
    decided_at: DateTime | None


@strawberry.type
class TimelineEntry:
    at: DateTime
    command: OrderCommand
    from_state: OrderState | None
    to_state: OrderState
    region_code: strawberry.ID | None
    person: str | None
    comment: str | None


@strawberry.type
class OrderConnection:
    nodes: list[CirculationOrder]
    edges: list[OrderEdge]
    page_info: PageInfo
    total_count: int


@strawberry.type
class OrderEdge:
    cursor: str
    node: CirculationOrder


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class DateRange:
    from_: Date = strawberry.field(name="from")
    to: Date
    last_day: Date


@strawberry.type
class Problem:
    code: str
    path: list[str] | None
    message: str
    remedy: str | None


@strawberry.type
class VirtualWarehousePayload:
    virtual_warehouse: VirtualWarehouse | None
    problems: list[Problem]


@strawberry.type
class OrderPayload:
    order: CirculationOrder | None
    problems: list[Problem]
