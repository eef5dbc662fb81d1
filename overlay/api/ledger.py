"""The contract's part of the ledger: entries, balances, anchors, reconciliation, and the record of exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import strawberry
from sqlalchemy import select
from strawberry import UNSET

from contract.decimals import format_decimal, format_money
from overlay.api.enums import LedgerDimension
from overlay.api.inputs import (
    LedgerFilterInput,
    RecordLedgerExportInput,
    StartReconciliationInput,
    to_plain,
)
from overlay.api.ledger_types import (
    LedgerAnchor,
    LedgerBalances,
    LedgerEntryConnection,
    ReconciliationPayload,
    ReconciliationRun,
    RecordLedgerExportPayload,
)
from overlay.api.paging import connection, page_size, read_cursor
from overlay.api.rows import entry_row, problem_rows
from overlay.api.types import Info, read_window, signed_in
from overlay.ledger.balances import Dimension, Group, LedgerFilter, TooManyGroups, read_balances
from overlay.ledger.rights import regions_reconciled, sees_accounts
from overlay.ledger.runs import find_run
from overlay.ledger.statement import read_journal, read_statement
from overlay.store.tables import ledger_anchors
from subgraphs.kit.assets import DateRangeInput
from subgraphs.kit.errors import BadInput, Forbidden
from subgraphs.kit.scalars import Date

__all__ = ["LedgerMutation", "LedgerQuery"]

STATEMENT_PAGE_MAX = 200
JOURNAL_PAGE_MAX = 500
ANCHORS_MAX = 400
_NAMES = {
    Dimension.REGION: "region_code",
    Dimension.UNIT: "unit",
    Dimension.CLASS: "class_",
    Dimension.TOP_CLASS: "class_",
    Dimension.CUSTODY: "custody",
}


@strawberry.type
class LedgerQuery:
    @strawberry.field
    async def ledger_entries(
        self, info: Info, asset_id: strawberry.ID, first: int = 50, after: str | None = UNSET
    ) -> LedgerEntryConnection | None:
        context = signed_in(info)
        size, place = page_size(first, STATEMENT_PAGE_MAX), read_cursor("entry", after or None)
        async with context.services.database.read() as database:
            rows = await read_statement(database, context.identity, asset_id, place or 0, size + 1)
        return connection(  # type: ignore[return-value]
            "entry", rows, size, place is not None, lambda row: int(row["sequence"]), entry_row
        )

    @strawberry.field
    async def ledger_journal(
        self,
        info: Info,
        filter: LedgerFilterInput | None = UNSET,
        range: DateRangeInput | None = UNSET,
        first: int = 100,
        after: str | None = UNSET,
    ) -> LedgerEntryConnection | None:
        context = signed_in(info)
        size, place = page_size(first, JOURNAL_PAGE_MAX), read_cursor("journal", after or None)
        days, wanted = read_window(range or None), _filter(filter)
        async with context.services.database.read() as database:
            rows = await read_journal(database, context.identity, wanted, days, place or 0, size + 1)
        return connection(  # type: ignore[return-value]
            "journal", rows, size, place is not None, lambda row: int(row["position"]), entry_row
        )

    @strawberry.field
    async def ledger_balances(
        self,
        info: Info,
        by: list[LedgerDimension],
        filter: LedgerFilterInput | None = UNSET,
        day: Date | None = UNSET,
    ) -> LedgerBalances | None:
        context = signed_in(info)
        if not sees_accounts(context.identity):
            raise Forbidden("balances are for officers of a unit, a region or the city")
        dimensions, wanted = [Dimension(one.value) for one in by], _filter(filter)
        if len({_NAMES[one] for one in dimensions}) != len(dimensions):
            raise BadInput("by names a dimension twice, or both CLASS and TOP_CLASS")
        as_of = date.fromisoformat(day) if day else None
        try:
            async with context.services.database.read() as database:
                groups = await read_balances(database, context.identity, dimensions, wanted, as_of)
        except TooManyGroups as error:
            raise BadInput(str(error)) from None
        rows = [_group_row(dimensions, key, group) for key, group in groups.items()]
        shown = (as_of or context.today).isoformat()
        return {"day": shown, "groups": rows, "filter": wanted, "as_of": as_of}  # type: ignore[return-value]

    @strawberry.field
    async def ledger_anchors(self, info: Info, first: int = 30) -> list[LedgerAnchor] | None:
        context = signed_in(info)
        query = select(ledger_anchors).order_by(ledger_anchors.c.day.desc()).limit(page_size(first, ANCHORS_MAX))
        async with context.services.database.read() as database:
            rows = (await database.execute(query)).mappings().all()
        return [dict(row) for row in rows]  # type: ignore[misc]

    @strawberry.field
    async def reconciliation(self, info: Info, id: strawberry.ID | None = UNSET) -> ReconciliationRun | None:
        context = signed_in(info)
        regions = regions_reconciled(context.identity)
        if regions is not None and not regions:
            raise Forbidden("reconciliations are for the city, auditors, and a region's officers and finance")
        return await find_run(context.services.database, id or None, regions)  # type: ignore[return-value]


@strawberry.type
class LedgerMutation:
    @strawberry.mutation
    async def start_reconciliation(self, info: Info, input: StartReconciliationInput) -> ReconciliationPayload:
        context = signed_in(info)
        answer = await context.services.ledger.reconciliation.start(context.identity, input.idempotency_key)
        run = None if answer.id is None else await find_run(context.services.database, answer.id, None)
        return {"run": run, "problems": problem_rows(context, answer.problems)}  # type: ignore[return-value]

    @strawberry.mutation
    async def record_ledger_export(self, info: Info, input: RecordLedgerExportInput) -> RecordLedgerExportPayload:
        context, body = signed_in(info), to_plain(input)
        key = body.pop("idempotencyKey")
        answer = await context.services.ledger.record_export(context.identity, key, body)
        return {"problems": problem_rows(context, answer.problems)}  # type: ignore[return-value]


def _filter(given: LedgerFilterInput | None) -> LedgerFilter:
    wanted: Mapping[str, Any] = to_plain(given) if given else {}
    return LedgerFilter(
        wanted.get("regions"),
        wanted.get("units"),
        wanted.get("classes"),
        wanted.get("custodies"),
        wanted.get("assetIds"),
    )


def _group_row(by: list[Dimension], key: tuple[str | None, ...], group: Group) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(_NAMES.values())
    row |= {_NAMES[dimension]: value for dimension, value in zip(by, key, strict=True)}
    return row | {
        "quantity": format_decimal(group.quantity),
        "valued_quantity": format_decimal(group.valued),
        "value": format_money(group.value) if group.valued or group.value else None,
    }
