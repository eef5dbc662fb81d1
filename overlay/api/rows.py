"""Domain objects as rows of the contract: plain dicts, by the fields' Python names, with rights applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from contract.decimals import format_decimal, format_money
from overlay.api.context import Context
from overlay.messages import Problem, render
from overlay.orders.model import ApprovalStep, Compensation, Extension, Line, Order, TimelineEntry, order_number
from overlay.orders.rights import may_see_person
from overlay.warehouses.model import Change, Warehouse
from overlay.warehouses.rights import may_change
from overlay.warehouses.service import rule_text
from overlay.warehouses.views import ViewId, format_view_id

__all__ = [
    "change_row",
    "entry_row",
    "order_row",
    "problem_rows",
    "range_row",
    "shown_person",
    "timeline_row",
    "view_row",
    "warehouse_row",
]

Row = dict[str, Any]


def order_row(context: Context, order: Order) -> Row:
    applicant = order.applicant
    return {
        "__typename": "CirculationOrder",
        "id": order.id,
        "number": order.number,
        "flow": order.flow,
        "state": order.state,
        "settlement": order.settlement,
        "applicant": {
            "region_code": applicant.region,
            "region": {"code": applicant.region},
            "unit": applicant.unit,
            "person": shown_person(context, order.id, applicant.person, applicant.unit, applicant.region),
        },
        "range": range_row(order.from_day, order.to_day),
        "overdue": order.is_overdue(context.today),
        "purpose": order.purpose,
        "lines": [_line_row(context, order, line) for line in order.lines],
        "approvals": [_step_row(context, step) for step in order.approvals],
        "holds_expire_at": order.holds_expire_at,
        "accepts_partial": order.accepts_partial,
        "wants": [_want_row(want) for want in order.wants],
        "extensions": [_extension_row(one) for one in order.extensions],
        "days_overdue": order.days_overdue(context.today),
        "notice_until": _day(order.notice_until),
        "ground": order.details.get("ground"),
        "recipient": order.details.get("recipient"),
        "temporary_body": order.details.get("temporaryBody"),
        "version": order.version,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "loan_id": order.loan_id,
        "order": order,
    }


def _want_row(want: Mapping[str, Any]) -> Row:
    return {
        "class_code": want["classCode"],
        "quantity": want.get("quantity") or "1",
        "specification": want.get("specification"),
    }


def _extension_row(extension: Extension) -> Row:
    return {
        "number": extension.number,
        "to": extension.to_day.isoformat(),
        "reason": extension.reason,
        "state": extension.state,
        "asked_at": extension.asked_at,
        "decided_at": extension.decided_at,
    }


def _compensation_row(context: Context, order_id: str, compensation: Compensation) -> Row:
    agreed_by = compensation.agreed_by
    return {
        "amount": format_money(compensation.amount),
        "agreed_by": shown_person(context, order_id, agreed_by, compensation.agreed_unit, compensation.agreed_region),
        "agreed_at": compensation.agreed_at,
        "settled_at": compensation.settled_at,
        "reference": compensation.reference,
    }


def _line_row(context: Context, order: Order, line: Line) -> Row:
    return {
        "id": line.id,
        "asset_id": line.asset_id,
        "asset": {"id": line.asset_id},
        "asset_name": line.asset_name,
        "lending_region": line.lending_region,
        "owner_unit": line.owner_unit,
        "want": line.want,
        "asked": format_decimal(line.asked),
        "refusal": line.refusal,
        "accepts_partial": line.accepts_partial,
        "quantity": format_decimal(line.quantity),
        "unit_of_measure": line.unit_of_measure,
        "dispatched": format_decimal(line.dispatched),
        "arrived": format_decimal(line.arrived),
        "received": format_decimal(line.received),
        "returning": format_decimal(line.returning),
        "returned": format_decimal(line.returned),
        "hold": line.hold_state,
        "outcome": line.outcome,
        "due": _day(order.due_day(line)),
        "estimate": _money(line.estimate),
        "cost": _money(line.cost),
        "appraisal": line.appraisal,
        "quota": line.quota,
        "compensation": None if line.compensation is None else _compensation_row(context, order.id, line.compensation),
        "successors": [{"__typename": "Asset", "id": id_} for id_ in line.successors],
    }


def _step_row(context: Context, step: ApprovalStep) -> Row:
    return {
        "position": step.position,
        "office": step.office,
        "region_code": step.region,
        "unit": step.unit,
        "state": step.state,
        "extension": step.extension,
        "clause": context.services.policy.clause(step.clause, context.language),
        "comment": step.comment,
        "decided_by": shown_person(context, step.order_id, step.decided_by, step.decided_unit, step.decided_region),
        "on_behalf_of": shown_person(context, step.order_id, step.on_behalf_of, step.decided_unit, step.decided_region),
        "decided_at": step.decided_at,
    }


def timeline_row(context: Context, entry: TimelineEntry) -> Row:
    return {
        "at": entry.at,
        "command": entry.command,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "region_code": entry.region,
        "person": shown_person(context, entry.order_id, entry.person, entry.unit, entry.region),
        "comment": entry.comment,
    }


def entry_row(row: RowMapping) -> Row:
    number = None if row["order_seq"] is None else order_number(row["order_created_at"], row["order_seq"])
    return {
        **{
            name: row[name]
            for name in ("id", "lineage", "asset_id", "asset_class", "sequence", "pair", "movement", "at")
        },
        **{name: row[name] for name in ("quantity", "value", "balance", "balance_value")},
        "asset": {"id": row["asset_id"]},
        "account": {"region_code": row["region"], "unit": row["unit"], "custody": row["custody"]},
        "order_id": row["order_id"],
        "order_number": number,
        "previous_hash": row["previous_hash"],
        "hash": row["hash"],
    }


def warehouse_row(context: Context, warehouse: Warehouse) -> Row:
    english = context.language == "en" and warehouse.description_en is not None
    return {
        "__typename": "VirtualWarehouse",
        "id": warehouse.id,
        "name": warehouse.name,
        "name_en": warehouse.name_en,
        "description": warehouse.description_en if english else warehouse.description,
        "scope": warehouse.scope,
        "owner_region": warehouse.owner_region,
        "owner_unit": warehouse.owner_unit,
        "built_in": warehouse.built_in,
        "notify": warehouse.notify,
        "version": warehouse.version,
        "may_change": may_change(context.identity, warehouse),
        "created_at": warehouse.created_at,
        "updated_at": warehouse.updated_at,
        "warehouse": warehouse,
    }


def change_row(context: Context, warehouse_id: str, change: Change) -> Row:
    return {
        **{name: getattr(change, name) for name in ("version", "at", "change", "name", "scope", "unit")},
        "rule_text": rule_text(change.definition.to_json()),
        "region_code": change.region,
        "person": shown_person(context, warehouse_id, change.person, change.unit, change.region),
    }


def view_row(context: Context, warehouse: Warehouse, view: ViewId) -> Row:
    return {
        "__typename": "VirtualWarehouseView",
        "id": format_view_id(view),
        "warehouse": warehouse_row(context, warehouse),
        "window": None if view.window is None else range_row(*view.window),
        "view": view,
    }


def range_row(first: date | None, after: date | None) -> Row | None:
    if first is None or after is None:
        return None
    return {
        "from_": first.isoformat(),
        "to": after.isoformat(),
        "last_day": (after - timedelta(days=1)).isoformat(),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else format_money(amount)


def problem_rows(context: Context, problems: Sequence[Problem]) -> list[Row]:
    rendered = [render(item, context.language) for item in problems]
    return [{"code": r.code, "path": r.path, "message": r.message, "remedy": r.remedy} for r in rendered]


def shown_person(
    context: Context, subject: str, person: str | None, unit: str | None, region: str | None
) -> str | None:
    """A person's name for who may see it. That it is somebody else's is noted: such a read is recorded."""
    if person is None or person == context.identity.person:
        return person
    if not may_see_person(context.identity, unit, region):
        return None
    context.personal_of.add(subject)
    return person
