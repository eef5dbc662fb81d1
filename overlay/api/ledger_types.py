"""The contract's types of the ledger."""

from __future__ import annotations

import strawberry
from strawberry import UNSET

from overlay.api.enums import Custody, DifferenceCause, LedgerMovement, ReconciliationState
from overlay.api.paging import connection, page_size, read_cursor
from overlay.api.types import Asset, Info, PageInfo, Problem
from overlay.ledger.balances import count_lineages
from overlay.ledger.runs import read_differences
from subgraphs.kit.plain import read_attribute
from subgraphs.kit.scalars import Date, DateTime, Decimal

DIFFERENCES_PAGE_MAX = 500


@strawberry.type
class LedgerAccount:
    region_code: strawberry.ID
    unit: str | None
    custody: Custody


@strawberry.type
class LedgerEntry:
    id: strawberry.ID
    lineage: strawberry.ID
    asset_id: strawberry.ID
    asset: Asset | None
    asset_class: str | None
    sequence: int
    pair: strawberry.ID
    movement: LedgerMovement
    account: LedgerAccount
    quantity: Decimal
    value: Decimal | None
    balance: Decimal
    balance_value: Decimal | None
    order_id: strawberry.ID | None
    order_number: str | None
    at: DateTime
    previous_hash: str
    hash: str


@strawberry.type
class LedgerEntryConnection:
    nodes: list[LedgerEntry]
    edges: list[LedgerEntryEdge]
    page_info: PageInfo


@strawberry.type
class LedgerEntryEdge:
    cursor: str
    node: LedgerEntry


@strawberry.type
class LedgerBalance:
    region_code: strawberry.ID | None
    unit: str | None
    class_: str | None = strawberry.field(name="class")
    custody: Custody | None
    quantity: Decimal
    valued_quantity: Decimal
    value: Decimal | None


@strawberry.type
class LedgerBalances:
    day: Date
    groups: list[LedgerBalance]

    @strawberry.field
    async def lineages(self, info: Info) -> int:
        wanted, as_of = read_attribute(self, "filter"), read_attribute(self, "as_of")
        async with info.context.services.database.read() as database:
            return await count_lineages(database, info.context.identity, wanted, as_of)


@strawberry.type
class LedgerAnchor:
    day: Date
    hash: str
    made_at: DateTime
    exported_at: DateTime | None


@strawberry.type
class DifferenceCount:
    code: DifferenceCause
    count: int


@strawberry.type
class LedgerDifference:
    code: DifferenceCause
    region_code: strawberry.ID
    asset_id: strawberry.ID | None
    asset: Asset | None
    in_ledger: str | None
    in_store: str | None


@strawberry.type
class LedgerDifferenceEdge:
    cursor: str
    node: LedgerDifference


@strawberry.type
class LedgerDifferenceConnection:
    nodes: list[LedgerDifference]
    edges: list[LedgerDifferenceEdge]
    page_info: PageInfo


@strawberry.type
class ReconciliationRun:
    id: strawberry.ID
    state: ReconciliationState
    started_at: DateTime
    finished_at: DateTime | None
    assets: int | None
    compared: int | None
    matched: int | None
    under_way: int | None
    regions_missing: list[strawberry.ID]
    counts: list[DifferenceCount]

    @strawberry.field
    async def differences(
        self,
        info: Info,
        codes: list[DifferenceCause] | None = UNSET,
        first: int = 50,
        after: str | None = UNSET,
    ) -> LedgerDifferenceConnection:
        size, place = page_size(first, DIFFERENCES_PAGE_MAX), read_cursor("difference", after or None)
        run_id, regions = read_attribute(self, "id"), read_attribute(self, "regions")
        wanted = [one.value for one in codes] if codes else None
        rows = await read_differences(info.context.services.database, run_id, regions, wanted, place or 0, size + 1)
        return connection(  # type: ignore[return-value]
            "difference", rows, size, place is not None, lambda row: int(row["seq"]), lambda row: row
        )


@strawberry.type
class ReconciliationPayload:
    run: ReconciliationRun | None
    problems: list[Problem]


@strawberry.type
class RecordLedgerExportPayload:
    problems: list[Problem]
