"""What a print says: an order turned into words and numbers, by the asker's rights. Nothing here knows of paper.

Official papers are in Chinese whoever asks. People are named by the same rule as in the API: to their own unit and
region, and to who audits the city.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

from contract.decimals import format_decimal, format_money
from contract.identity import Identity
from contract.ids import InvalidId, parse_id
from contract.regions import REGIONS
from overlay.clock import parse_instant, shanghai_time
from overlay.ledger.entries import share_of
from overlay.orders.model import ApprovalStep, Flow, Line, Order
from overlay.orders.policy import Policy
from overlay.orders.rights import may_see_person
from overlay.prints.words import APPROVAL_STATES, FLOWS, KINDS, OFFICES, OUTCOMES

__all__ = ["Column", "Kind", "Sheet", "Table", "has_print", "make_sheet"]

_HIDDEN = "（不显示）"
_NONE = "—"


class Kind(StrEnum):
    APPLICATION = "APPLICATION"
    HANDOVER = "HANDOVER"
    RETURN = "RETURN"


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    share: float
    """Of the table's width; a table's shares add up to 1."""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    title: str
    number: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    parties: tuple[str, ...]
    """Who signs at the end."""
    printed_at: str
    summary: dict[str, Any]
    """What somebody who holds the paper can compare with what is known of it."""

    @property
    def code(self) -> str:
        """The digest of all that is printed: 128 bits, which nobody guesses and no two prints share."""
        said = [self.title, self.number, self.facts, [[t.title, t.rows, t.total] for t in self.tables], self.printed_at]
        return hashlib.sha256(orjson.dumps(said)).hexdigest()[:32]


def has_print(order: Order, kind: Kind) -> bool:
    """A return has its own paper; any other order its application, and a handover once goods have left."""
    if kind is Kind.RETURN or order.flow is Flow.RETURN:
        return (kind is Kind.RETURN) == (order.flow is Flow.RETURN)
    return kind is Kind.APPLICATION or any(line.dispatched > 0 for line in order.lines)


def make_sheet(order: Order, kind: Kind, identity: Identity, policy: Policy, now: datetime) -> Sheet:
    goods = _GOODS[kind](order)
    tables = [goods]
    if order.approvals:
        tables.append(_approvals(order.approvals, identity, policy))
    return Sheet(
        title=KINDS[kind].format(flow=FLOWS.get(order.flow, order.flow)),
        number=order.number,
        facts=tuple(_facts(order, identity)),
        tables=tuple(tables),
        parties=_PARTIES[kind],
        printed_at=shanghai_time(now),
        summary={"lines": len(order.lines), "total": list(goods.total or ())},
    )


def _facts(order: Order, identity: Identity) -> list[tuple[str, str]]:
    applicant = order.applicant
    facts = [
        ("申请单位", applicant.unit or _NONE),
        ("所在区划", _region(applicant.region)),
        ("申请人", _person(identity, applicant.person, applicant.unit, applicant.region)),
        ("申请时间", shanghai_time(parse_instant(order.created_at))),
    ]
    if order.from_day is not None and order.to_day is not None:
        last_day = order.to_day - timedelta(days=1)
        facts.append(("起止日期", f"{order.from_day.isoformat()} 至 {last_day.isoformat()}（含）"))
    facts.append(("用途", order.purpose or _NONE))
    return facts


def _application(order: Order) -> Table:
    columns = (
        *_leading(0.07, 0.29, 0.22),
        Column("权属区划", 0.12),
        Column("数量", 0.09, is_number=True),
        Column("单位", 0.07),
        Column("价值（元）", 0.14, is_number=True),
    )
    rows = tuple((*_lead(line), _region(line.lending_region), *_amount(line, line.quantity)) for line in order.lines)
    return Table("资产明细", columns, rows, _total(order.lines, columns, lambda line: line.quantity))


def _handover(order: Order) -> Table:
    columns = (
        *_leading(0.06, 0.25, 0.20),
        Column("申请数量", 0.10, is_number=True),
        Column("移交数量", 0.10, is_number=True),
        Column("接收数量", 0.10, is_number=True),
        Column("单位", 0.06),
        Column("移交价值（元）", 0.13, is_number=True),
    )
    left = [line for line in order.lines if line.dispatched > 0]
    rows = []
    for line in left:
        dispatched, unit, value = _amount(line, line.dispatched)
        rows.append(
            (*_lead(line), format_decimal(line.quantity), dispatched, format_decimal(line.received), unit, value)
        )
    return Table("移交明细", columns, tuple(rows), _total(left, columns, lambda line: line.dispatched))


def _returned(order: Order) -> Table:
    columns = (
        *_leading(0.07, 0.31, 0.24),
        Column("归还数量", 0.12, is_number=True),
        Column("单位", 0.08),
        Column("验收结论", 0.18),
    )
    rows = tuple(
        (
            *_lead(line),
            format_decimal(line.quantity),
            line.unit_of_measure or _NONE,
            "待验收" if line.outcome is None else OUTCOMES.get(line.outcome, line.outcome),
        )
        for line in order.lines
    )
    return Table("归还与验收明细", columns, rows)


def _leading(ordinal: float, name: float, id_: float) -> tuple[Column, ...]:
    """The columns that every table of goods begins with."""
    return (Column("序号", ordinal), Column("资产名称", name), Column("资产标识", id_))


def _lead(line: Line) -> tuple[str, str, str]:
    return (str(line.position), line.asset_name or _NONE, _native(line.asset_id))


def _amount(line: Line, quantity: Decimal) -> tuple[str, str, str]:
    value = share_of(line.card_value, Decimal(0), quantity, line.card_quantity)
    return format_decimal(quantity), line.unit_of_measure or _NONE, _NONE if value is None else _yuan(value)


def _total(
    lines: Sequence[Line], columns: Sequence[Column], quantity: Callable[[Line], Decimal]
) -> tuple[str, ...] | None:
    """The sum of the values, where every line has one: a sum of some would read as the sum of all."""
    values = [share_of(line.card_value, Decimal(0), quantity(line), line.card_quantity) for line in lines]
    known = [value for value in values if value is not None]
    said = _yuan(sum(known, Decimal(0))) if len(known) == len(values) else f"{len(values) - len(known)} 条无价值"
    return ("", "合计", *[""] * (len(columns) - 3), said)


def _approvals(steps: Sequence[ApprovalStep], identity: Identity, policy: Policy) -> Table:
    columns = (
        Column("序号", 0.06),
        Column("审批环节", 0.17),
        Column("依据", 0.27),
        Column("结果", 0.09),
        Column("办理人", 0.12),
        Column("时间", 0.14),
        Column("意见", 0.15),
    )
    return Table("审批记录", columns, tuple(_approval(step, identity, policy) for step in steps))


def _approval(step: ApprovalStep, identity: Identity, policy: Policy) -> tuple[str, ...]:
    office = OFFICES.get(step.office, step.office)
    return (
        str(step.position),
        office if step.region is None else f"{office}（{_region(step.region)}）",
        policy.clause(step.clause, "zh"),
        APPROVAL_STATES.get(step.state, step.state),
        _person(identity, step.decided_by, step.decided_unit, step.decided_region),
        _NONE if step.decided_at is None else shanghai_time(parse_instant(step.decided_at)),
        step.comment or _NONE,
    )


def _person(identity: Identity, person: str | None, unit: str | None, region: str | None) -> str:
    if person is None:
        return _NONE
    return person if person == identity.person or may_see_person(identity, unit, region) else _HIDDEN


def _region(code: str | None) -> str:
    return _NONE if code is None else REGIONS.get(code, (code, code))[0]


def _native(asset_id: str) -> str:
    try:
        return parse_id(asset_id, "asset").native
    except InvalidId:
        return asset_id


def _yuan(value: Decimal) -> str:
    whole, _, cents = format_money(value).partition(".")
    return f"{int(whole):,}.{cents}"


_GOODS: dict[Kind, Callable[[Order], Table]] = {
    Kind.APPLICATION: _application,
    Kind.HANDOVER: _handover,
    Kind.RETURN: _returned,
}
_PARTIES: dict[Kind, tuple[str, ...]] = {
    Kind.APPLICATION: ("申请单位（盖章）", "经办人"),
    Kind.HANDOVER: ("移交方（盖章）", "接收方（盖章）"),
    Kind.RETURN: ("归还方（盖章）", "验收方（盖章）"),
}
