"""Reading and writing orders. Every function works inside a transaction that its caller opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, Table, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal
from contract.identity import Identity
from overlay.ledger.entries import is_awaited
from overlay.orders.model import (
    OPEN_STEPS,
    ApprovalState,
    ApprovalStep,
    Command,
    Compensation,
    Extension,
    ExtensionState,
    Flow,
    HoldState,
    Line,
    Office,
    Order,
    Outcome,
    QuotaFinding,
    Settlement,
    State,
    TimelineEntry,
)
from overlay.store import tables
from overlay.store.statements import ByValue, add, change
from subgraphs.kit.prepared import kept

__all__ = [
    "count_orders",
    "load_order",
    "load_orders",
    "load_timelines",
    "orders_of_assets",
    "repairs_of_lines",
    "returns_of_loans",
    "select_orders",
    "update_line",
    "update_order",
    "update_step",
]

_T = tables
_Row = RowMapping | Mapping[str, Any]
_ARRIVALS = ("RETURN", "STORE", "REPAIR_IN")
"""Steps that bring goods to the owner of a card."""


def _of_orders(table: Table, column: str) -> ByValue:
    return ByValue(lambda is_one: select(table).where(is_one(table.c.order_id)).order_by(table.c[column]))


# Every command reads these several times (`overlay.store.statements`).
_ORDER = kept(select(_T.orders).where(_T.orders.c.id == bindparam("id")))
_ORDER_LOCKED = kept(_ORDER.with_for_update())
_LINES = _of_orders(_T.order_lines, "position")
_APPROVALS = _of_orders(_T.approval_steps, "position")
_COMPENSATIONS = _of_orders(_T.compensations, "line_id")
_EXTENSIONS = _of_orders(_T.extensions, "number")


def select_orders(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Orders that are listed: an application that was refused before it was placed is kept, but never shown."""
    return select(_T.orders).where(_T.orders.c.listed, *conditions)


async def load_orders(
    connection: AsyncConnection, query: Select[Any], parameters: Mapping[str, Any] | None = None
) -> list[Order]:
    """Whole orders in at most five queries, however many there are."""
    rows = (await connection.execute(query, parameters)).mappings().all()
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    compensations = await _compensations(connection, [row["id"] for row in rows if row["flow"] == Flow.RETURN])
    placed = [row for row in rows if row["state"] != State.DRAFT]  # only these can have approvals or extensions
    extensions = await _extensions(connection, [row["id"] for row in placed if row["flow"] == Flow.LOAN])
    lines: dict[str, list[Line]] = defaultdict(list)
    for row in await _LINES.rows(connection, ids):
        lines[row["order_id"]].append(_line(row, compensations.get(row["id"])))
    approvals: dict[str, list[ApprovalStep]] = defaultdict(list)
    for row in await _APPROVALS.rows(connection, [row["id"] for row in placed]):
        approvals[row["order_id"]].append(_step(row))
    return [
        _order(row, tuple(lines[row["id"]]), tuple(approvals[row["id"]]), tuple(extensions[row["id"]])) for row in rows
    ]


async def _compensations(connection: AsyncConnection, order_ids: Sequence[str]) -> dict[str, Compensation]:
    return {row["line_id"]: _compensation(row) for row in await _COMPENSATIONS.rows(connection, order_ids)}


async def _extensions(connection: AsyncConnection, order_ids: Sequence[str]) -> dict[str, list[Extension]]:
    found: dict[str, list[Extension]] = defaultdict(list)
    for row in await _EXTENSIONS.rows(connection, order_ids):
        found[row["order_id"]].append(_extension(row))
    return found


async def load_order(connection: AsyncConnection, order_id: str, *, lock: bool = False) -> Order | None:
    found = await load_orders(connection, _ORDER_LOCKED if lock else _ORDER, {"id": order_id})
    return found[0] if found else None


def order_of(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Order:
    """A new order as the rows say that have just been written; it has no number yet."""
    row = {**dict.fromkeys(_T.orders.c.keys()), "seq": 0, **plain(order)}
    of_lines = [_line({**dict.fromkeys(_T.order_lines.c.keys()), **plain(line)}, None) for line in lines]
    return _order(row, tuple(of_lines), (), ())


async def count_orders(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(_T.orders).where(_T.orders.c.listed, *conditions)
    return int((await connection.execute(query)).scalar_one())


async def orders_of_assets(
    connection: AsyncConnection, asset_ids: Sequence[str], visible: ColumnElement[bool], per_asset_max: int
) -> dict[str, list[Order]]:
    """The latest visible orders of each asset. One query finds them for all assets, whatever their number."""
    lines, orders = _T.order_lines, _T.orders
    ranked = (
        select(
            lines.c.asset_id,
            orders.c.id,
            func.row_number().over(partition_by=lines.c.asset_id, order_by=orders.c.seq.desc()).label("rank"),
        )
        .join(orders, orders.c.id == lines.c.order_id)
        .where(lines.c.asset_id.in_(asset_ids), orders.c.listed, visible)
        .subquery()
    )
    query = (
        select(ranked.c.asset_id, ranked.c.id)
        .where(ranked.c.rank <= per_asset_max)
        .order_by(ranked.c.asset_id, ranked.c.rank)
    )
    pairs = [(row.asset_id, row.id) for row in await connection.execute(query)]
    wanted = {order_id for _, order_id in pairs}
    loaded = {o.id: o for o in await load_orders(connection, select(orders).where(orders.c.id.in_(wanted)))}
    result: dict[str, list[Order]] = {asset_id: [] for asset_id in asset_ids}
    for asset_id, order_id in pairs:
        if loaded[order_id] not in result[asset_id]:
            result[asset_id].append(loaded[order_id])
    return result


async def dispatches_under_way(connection: AsyncConnection, asset_id: str) -> Decimal:
    """How much of an asset was told to leave, by commands whose owner has not answered yet."""
    steps = _T.steps
    query = select(steps.c.input).where(
        steps.c.asset_id == asset_id, steps.c.action == "DISPATCH", steps.c.state.in_(OPEN_STEPS)
    )
    return sum((Decimal(row.input["quantity"]) for row in await connection.execute(query)), Decimal(0))


async def arrivals_under_way(connection: AsyncConnection, asset_id: str) -> bool:
    """Whether the card may have goods that the ledger has not seen come."""
    steps = _T.steps
    query = select(steps.c.id).where(
        steps.c.asset_id == asset_id, steps.c.action.in_(_ARRIVALS), steps.c.state.in_(OPEN_STEPS)
    )
    if (await connection.execute(query.limit(1))).first() is not None:
        return True
    return await is_awaited(connection, asset_id)


async def returns_of_loans(connection: AsyncConnection, loan_ids: Sequence[str]) -> dict[str, list[Order]]:
    query = select_orders(_T.orders.c.loan_id.in_(loan_ids)).order_by(_T.orders.c.seq)
    result: dict[str, list[Order]] = {loan_id: [] for loan_id in loan_ids}
    for order in await load_orders(connection, query):
        result[str(order.loan_id)].append(order)
    return result


async def repairs_of_lines(connection: AsyncConnection, line_ids: Sequence[str]) -> dict[str, str]:
    """The repair that was asked for, by the line of the return that it comes from; without what came to nothing."""
    orders, lines = _T.orders, _T.order_lines
    query = (
        select(lines.c.loan_line_id, orders.c.id)
        .join(orders, orders.c.id == lines.c.order_id)
        .where(
            lines.c.loan_line_id.in_(line_ids),
            orders.c.flow == Flow.REPAIR,
            orders.c.listed,
            orders.c.state.not_in((State.REJECTED, State.WITHDRAWN, State.EXPIRED)),
        )
        .order_by(orders.c.seq)
    )
    return {row.loan_line_id: row.id for row in await connection.execute(query)}


async def load_timelines(connection: AsyncConnection, order_ids: Sequence[str]) -> dict[str, list[TimelineEntry]]:
    table = _T.timeline
    result: dict[str, list[TimelineEntry]] = {order_id: [] for order_id in order_ids}
    query = select(table).where(table.c.order_id.in_(order_ids)).order_by(table.c.seq)
    for row in (await connection.execute(query)).mappings():
        result[row["order_id"]].append(_entry(row))
    return result


async def insert_row(connection: AsyncConnection, table: Table, **values: Any) -> None:
    await insert_rows(connection, table, [values])


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    await add(connection, table, [plain(row) for row in rows])


async def update_order(connection: AsyncConnection, order_id: str, at: str, **values: Any) -> None:
    await change(connection, _T.orders, {"id": order_id}, {**plain(values), "updated_at": at})


async def update_line(connection: AsyncConnection, line_id: str, **values: Any) -> None:
    await change(connection, _T.order_lines, {"id": line_id}, plain(values))


async def update_step(connection: AsyncConnection, order_id: str, position: int, **values: Any) -> None:
    await change(connection, _T.approval_steps, {"order_id": order_id, "position": position}, plain(values))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the store keeps them."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format_decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _order(
    row: _Row,
    lines: tuple[Line, ...],
    approvals: tuple[ApprovalStep, ...],
    extensions: tuple[Extension, ...],
) -> Order:
    return Order(
        seq=row["seq"],
        id=row["id"],
        flow=Flow(row["flow"]),
        state=State(row["state"]),
        applicant=Identity(row["applicant_person"], row["applicant_unit"], row["applicant_region"]),
        from_day=_day(row["from_day"]),
        to_day=_day(row["to_day"]),
        purpose=row["purpose"],
        loan_id=row["loan_id"],
        accepts_partial=row["accepts_partial"],
        notice_until=_day(row["notice_until"]),
        overdue_stage=row["overdue_stage"],
        details=row["details"],
        command_id=row["command_id"],
        settlement=Settlement(row["settlement"]),
        holds_expire_at=row["holds_expire_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        lines=lines,
        approvals=approvals,
        extensions=extensions,
        wants=tuple(row["wants"] or ()),
    )


def _line(row: _Row, compensation: Compensation | None) -> Line:
    return Line(
        id=row["id"],
        order_id=row["order_id"],
        position=row["position"],
        asset_id=row["asset_id"],
        asset_name=row["asset_name"],
        lending_region=row["lending_region"],
        owner_unit=row["owner_unit"],
        unit_of_measure=row["unit_of_measure"],
        card_quantity=Decimal(row["card_quantity"]),
        card_value=_number(row["card_value"]),
        facts=row["facts"],
        lineage=row["lineage"],
        asked=Decimal(row["asked"]),
        refusal=row["refusal"],
        accepts_partial=row["accepts_partial"],
        quantity=Decimal(row["quantity"]),
        dispatched=Decimal(row["dispatched"]),
        arrived=Decimal(row["arrived"]),
        received=Decimal(row["received"]),
        returning=Decimal(row["returning"]),
        returned=Decimal(row["returned"]),
        hold_id=row["hold_id"],
        hold_state=HoldState(row["hold_state"]),
        loan_line_id=row["loan_line_id"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        due_day=_day(row["due_day"]),
        estimate=_number(row["estimate"]),
        cost=_number(row["cost"]),
        appraisal=row["appraisal"],
        quota=None if row["quota"] is None else QuotaFinding(row["quota"]),
        successors=tuple(row["successors"]),
        compensation=compensation,
        want=row["want"],
        asset_class=row["asset_class"],
    )


def _step(row: _Row) -> ApprovalStep:
    return ApprovalStep(
        order_id=row["order_id"],
        position=row["position"],
        office=Office(row["office"]),
        region=row["region"],
        unit=row["unit"],
        clause=row["clause"],
        extension=row["extension"],
        state=ApprovalState(row["state"]),
        comment=row["comment"],
        decided_by=row["decided_by"],
        decided_unit=row["decided_unit"],
        decided_region=row["decided_region"],
        decided_at=row["decided_at"],
        on_behalf_of=row["on_behalf_of"],
    )


def _entry(row: _Row) -> TimelineEntry:
    return TimelineEntry(
        order_id=row["order_id"],
        at=row["at"],
        command=Command(row["command"]),
        from_state=None if row["from_state"] is None else State(row["from_state"]),
        to_state=State(row["to_state"]),
        person=row["person"],
        unit=row["unit"],
        region=row["region"],
        comment=row["comment"],
    )


def _compensation(row: _Row) -> Compensation:
    return Compensation(
        amount=Decimal(row["amount"]),
        proposed_by=row["proposed_by"],
        agreed_by=row["agreed_by"],
        agreed_unit=row["agreed_unit"],
        agreed_region=row["agreed_region"],
        agreed_at=row["agreed_at"],
        settled_at=row["settled_at"],
        reference=row["reference"],
    )


def _extension(row: _Row) -> Extension:
    return Extension(
        number=row["number"],
        to_day=date.fromisoformat(row["to_day"]),
        reason=row["reason"],
        state=ExtensionState(row["state"]),
        asked_at=row["asked_at"],
        decided_at=row["decided_at"],
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
