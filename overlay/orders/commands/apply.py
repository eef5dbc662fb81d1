"""借用申请: an application is checked against policy, the assets are looked at, and a hold is placed for each line.

All lines or none: when one owner refuses, the saga gives back the holds that were placed. Lines are placed in the
order of their assets' ids, so that of two orders that want the same assets one wins outright.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from contract.identity import Identity
from contract.ids import InvalidId, parse_id
from contract.regions import REGIONS
from overlay.approvals.chain import Case, CaseLine
from overlay.clock import text_of
from overlay.group.custody import AssetFacts, Unavailable
from overlay.ledger.entries import share_of, stock_of
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.commands.base import (
    DAY_S,
    SETTLED,
    Desk,
    Handler,
    Step,
    Work,
    expiry_of,
    gather_facts,
    goods_damaged,
    loan_window,
    shanghai_day,
    to_quantity,
)
from overlay.orders.model import Command, Flow, HoldState, Order, Settlement, State
from overlay.store import tables

__all__ = ["ApplyLoan", "LoanDraft", "LoanLine", "ResubmitLoan", "draft_loan"]

QUANTITY_MAX = Decimal(1_000_000)
TEXT_MAX = 1000


@dataclass(frozen=True, slots=True)
class LoanLine:
    index: int
    """Of the line in the input; the order's lines stand in the order of their assets' ids."""
    facts: AssetFacts
    region: str
    quantity: Decimal
    version: str
    """What the applicant saw; the owner's book refuses when it has changed."""


@dataclass(frozen=True, slots=True)
class LoanDraft:
    """An application that has passed every check that needs no owner's word."""

    from_day: date
    to_day: date
    purpose: str
    lines: tuple[LoanLine, ...]


async def draft_loan(desk: Desk) -> LoanDraft | list[Problem]:
    """Check an application: its own words first, then policy, then the assets."""
    body = desk.body
    problems = _check_words(desk) + _check_lines(desk)
    if problems:
        return problems
    asset_ids = [line["assetId"] for line in body["lines"]]
    window = (date.fromisoformat(body["range"]["from"]), date.fromisoformat(body["range"]["to"]))
    # from today on, for a status such as LENT may be due to a loan that ends before this one begins
    facts = await gather_facts(desk.custody, asset_ids, (shanghai_day(desk), window[1]))
    lines: list[LoanLine] = []
    for index, line in enumerate(body["lines"]):
        checked = _check_asset(desk, index, line, facts[line["assetId"]])
        if isinstance(checked, Problem):
            problems.append(checked)
        else:
            lines.append(checked)
    if problems:
        return problems
    lines.sort(key=lambda item: item.facts.id)
    return LoanDraft(*window, body["purpose"].strip(), tuple(lines))


def _check_words(desk: Desk) -> list[Problem]:
    body, today = desk.body, shanghai_day(desk)
    problems: list[Problem] = []
    if not 1 <= len(body["purpose"].strip()) <= TEXT_MAX:
        problems.append(problem("INVALID_TEXT", "purpose", max=str(TEXT_MAX)))
    first, after = date.fromisoformat(body["range"]["from"]), date.fromisoformat(body["range"]["to"])
    limits = desk.policy.limits(Flow.LOAN, today)
    if not today <= first < after:
        problems.append(problem("INVALID_RANGE", "range", **{"from": first.isoformat(), "to": after.isoformat()}))
    elif (after - first).days > limits.days_max:
        problems.append(problem("LOAN_TOO_LONG", "range", max=str(limits.days_max), clause=limits.clause))
    if not 1 <= len(body["lines"]) <= limits.lines_max:
        problems.append(problem("TOO_MANY_LINES", "lines", max=str(limits.lines_max)))
    return problems


def _check_lines(desk: Desk) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[str] = set()
    limit = desk.policy.limits(Flow.LOAN, shanghai_day(desk)).lines_max
    for index, line in enumerate(desk.body["lines"][:limit]):
        path = ("lines", str(index))
        quantity = to_quantity(line.get("quantity") or "1")
        if quantity is None or not 0 < quantity <= QUANTITY_MAX:
            problems.append(problem("INVALID_QUANTITY", *path, "quantity", max=str(QUANTITY_MAX)))
        try:
            region = parse_id(line["assetId"], "asset").region
        except InvalidId:
            region = ""
        if region not in REGIONS:
            problems.append(problem("INVALID_ASSET_ID", *path, "assetId", id=line["assetId"][:80]))
        if line["assetId"] in seen:
            problems.append(problem("DUPLICATE_LINE", *path))
        seen.add(line["assetId"])
    return problems


def _check_asset(
    desk: Desk, index: int, line: Mapping[str, Any], facts: AssetFacts | Unavailable | None
) -> LoanLine | Problem:
    path = ("lines", str(index))
    region = parse_id(line["assetId"]).region
    if isinstance(facts, Unavailable):
        return problem("REGION_UNAVAILABLE", *path, region=region)
    refusal = None if facts is None else _refusal_of_status(desk, path, facts)
    until = date.fromisoformat(desk.body["range"]["to"])
    if facts is None or not _shareable(facts, until):
        return problem("ASSET_NOT_AVAILABLE", *path, id=line["assetId"])
    if refusal is not None:
        return refusal
    if facts.owner_unit is not None and facts.owner_unit == desk.identity.unit:
        return problem("OWN_ASSET", *path)
    quantity = Decimal(line.get("quantity") or "1")
    if quantity > facts.quantity:
        return problem("INVALID_QUANTITY", *path, "quantity", max=format_decimal(facts.quantity))
    return LoanLine(index, facts, region, quantity, line.get("expectedVersion") or facts.version)


def _shareable(facts: AssetFacts, until: date) -> bool:
    return facts.shareable and (facts.shareable_until is None or facts.shareable_until >= until)


def _refusal_of_status(desk: Desk, path: tuple[str, ...], facts: AssetFacts) -> Problem | None:
    """An idle asset is for its book to decide. A reserved or lent one too, but only where the book explains the
    status: a loan that the legacy store made by itself has no calendar, so nobody can say when it ends."""
    statuses = desk.policy.statuses(Flow.LOAN, shanghai_day(desk))
    if facts.status in statuses.apply:
        return None
    first, after = (date.fromisoformat(desk.body["range"][name]) for name in ("from", "to"))
    if facts.status not in statuses.apply_if_booked or not facts.busy:
        return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
    if facts.quantity <= 1 and any(start < after and first < end for start, end in facts.busy):
        return problem("ASSET_BUSY", *path, id=facts.id)
    return None


class ApplyLoan(Handler):
    async def create(self, work: Work, order_id: str, draft: LoanDraft, applicant: Identity) -> list[Problem]:
        """Write the whole application and the holds it needs, before anything is sent. May refuse."""
        problems = [found for item in draft.lines if (found := await _refusal_of_damage(work, item)) is not None]
        if problems:
            return problems
        await repository.insert_row(work.connection, tables.orders, **_order_values(work, order_id, draft, applicant))
        limits = work.policy.limits(Flow.LOAN, draft.from_day)
        for position, item in enumerate(draft.lines):
            await repository.insert_row(work.connection, tables.order_lines, **_line_values(order_id, position, item))
        case = Case(applicant.region or "", applicant.unit, tuple(map(_case_line, draft.lines)))
        await work.write_chain(order_id, work.policy.chain(Flow.LOAN, draft.from_day, case))
        order = await work.reload(order_id)
        for line, item in zip(order.lines, draft.lines, strict=True):
            hold = {
                "orderId": order_id,
                "range": {"from": draft.from_day.isoformat(), "to": draft.to_day.isoformat()},
                "quantity": format_decimal(item.quantity),
                "lifeSeconds": limits.hold_days_in_approval * DAY_S,
                "expectedVersion": item.version,
            }
            await work.plan("PLACE", line, hold)
        await work.note(order_id, Command.APPLY, None, State.DRAFT, applicant, None)
        return []

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = next(line for line in order.lines if line.id == step.line_id)
        if step.action == "PLACE":
            hold = data["hold"]
            await work.set_line(line, hold_id=hold["id"], hold_state=HoldState.ACTIVE)
            await work.set_order(order, holds_expire_at=_earliest(order.holds_expire_at, expiry_of(data)))
        else:
            await work.set_line(line, hold_state=HoldState.RELEASED)

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if not problems:
            await work.enter_approval(order)
            await work.transition(order, Command.APPLY, State.IN_APPROVAL, listed=True, **SETTLED)
        elif order.settlement is Settlement.UNKNOWN:
            # somebody has been shown this order, so its end is shown too
            codes = ", ".join(dict.fromkeys(item.code for item in problems))
            await work.transition(order, Command.APPLY, State.REJECTED, comment=codes, **SETTLED)
        else:
            await work.set_order(order, **SETTLED)


async def _refusal_of_damage(work: Work, item: LoanLine) -> Problem | None:
    damaged = (await stock_of(work.connection, item.facts.id)).damaged
    if not damaged or item.quantity <= item.facts.quantity - damaged:
        return None
    return goods_damaged(("lines", str(item.index)), item.facts.id, damaged, item.facts.quantity - damaged)


class ResubmitLoan(Handler):
    """退回后重新提交: the assets are looked at anew, the holds renewed, and approval starts from its first step."""

    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        statuses = desk.policy.statuses(Flow.LOAN, shanghai_day(desk)).approve
        facts = await gather_facts(desk.custody, [line.asset_id for line in order.lines], loan_window(order))
        fresh: dict[str, str] = {}
        problems: list[Problem] = []
        for line in order.lines:
            found, path = facts[line.asset_id], ("lines", str(line.position))
            if isinstance(found, Unavailable):
                problems.append(problem("REGION_UNAVAILABLE", *path, region=line.lending_region))
            elif found is None or found.status not in statuses or not _shareable(found, loan_window(order)[1]):
                problems.append(problem("ASSET_NOT_AVAILABLE", *path, id=line.asset_id))
            else:
                fresh[line.id] = found.digest
        desk.body["facts"] = fresh
        purpose = desk.body.get("purpose")
        if purpose is not None and not 1 <= len(purpose.strip()) <= TEXT_MAX:
            problems.append(problem("INVALID_TEXT", "purpose", max=str(TEXT_MAX)))
        return problems

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        limits = work.policy.limits(Flow.LOAN, order.from_day or work.now.date())
        for line in order.lines:
            input_ = {"holdId": line.hold_id, "lifeSeconds": limits.hold_days_in_approval * DAY_S}
            await work.plan("RENEW", line, input_)
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await work.set_order(order, holds_expire_at=expiry_of(data))

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if problems:
            return
        for line in order.lines:
            await work.set_line(line, facts=work.command.body["facts"][line.id])
        await work.enter_approval(order)
        purpose = work.command.body.get("purpose") or order.purpose
        await work.transition(order, Command.RESUBMIT, State.IN_APPROVAL, purpose=purpose)


def new_order_id() -> str:
    return f"order:{uuid.uuid4().hex}"


def _earliest(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _order_values(work: Work, order_id: str, draft: LoanDraft, applicant: Identity) -> dict[str, Any]:
    return {
        "id": order_id,
        "flow": Flow.LOAN,
        "state": State.DRAFT,
        "listed": False,
        "applicant_person": applicant.person,
        "applicant_unit": applicant.unit,
        "applicant_region": applicant.region,
        "from_day": draft.from_day,
        "to_day": draft.to_day,
        "purpose": draft.purpose,
        "command_id": work.command.id,
        "settlement": Settlement.PENDING,
        "version": 1,
        "created_at": text_of(work.now),
        "updated_at": text_of(work.now),
    }


def _case_line(item: LoanLine) -> CaseLine:
    facts = item.facts
    value = share_of(facts.original_value, Decimal(0), item.quantity, facts.quantity)
    return CaseLine(item.region, facts.owner_unit, facts.class_code, value)


def _line_values(order_id: str, position: int, item: LoanLine) -> dict[str, Any]:
    zero = Decimal(0)
    return {
        "id": f"{order_id.removeprefix('order:')}-{position + 1}",
        "order_id": order_id,
        "position": position,
        "asset_id": item.facts.id,
        "asset_name": item.facts.name,
        "lending_region": item.region,
        "owner_unit": item.facts.owner_unit,
        "unit_of_measure": item.facts.unit_of_measure,
        "card_quantity": item.facts.quantity,
        "card_value": item.facts.original_value,
        "facts": item.facts.digest,
        "asset_class": item.facts.class_code,
        "quantity": item.quantity,
        "dispatched": zero,
        "received": zero,
        "returning": zero,
        "returned": zero,
        "hold_state": HoldState.NONE,
    }
