"""归还与验收: the borrower hands goods back, which makes a RETURN order; the owner's keeper inspects each line.

A partial return closes nothing but itself: the loan stays open for what is still out. What passes, or is found
damaged, is back at the owner; what is refused stays with the borrower. Damage goes to the region's officer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.approvals.chain import Case, CaseLine
from overlay.clock import shanghai_today
from overlay.group.custody import SERVICE_IDENTITY
from overlay.ledger.entries import Custody, Movement, share_of
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.commands.base import Handler, Step, Work, line_quantities
from overlay.orders.commands.move import borrower_account, line_of, owner_account
from overlay.orders.machine import loan_state
from overlay.orders.model import Command, Flow, HoldState, Line, Order, Outcome, Settlement, State
from overlay.store import tables

__all__ = ["InspectReturn", "ReturnGoods"]

_DAMAGE = (Outcome.NEEDS_REPAIR, Outcome.COMPENSATION)


class ReturnGoods(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        left = {line.id: line.lent for line in order.lines}
        chosen, problems = line_quantities(work.command.body, order.lines, left)
        if problems:
            return problems
        return_id = str(work.command.body["returnId"])
        await repository.insert_row(work.connection, tables.orders, **_return_values(work, order, return_id))
        for position, (line, quantity) in enumerate(chosen):
            await repository.insert_row(
                work.connection, tables.order_lines, **_line_values(return_id, position, line, quantity)
            )
            source, target = borrower_account(order, Custody.LENT), borrower_account(order, Custody.RETURNING)
            handed = line.returning + line.returned
            await work.book(order, line, Movement.RETURN, source, target, quantity, handed)
            await work.set_line(line, returning=line.returning + quantity)
        actor, comment = work.command.actor, work.command.body.get("comment")
        await work.note(return_id, Command.RETURN_GOODS, None, State.TO_INSPECT, actor, comment)
        moved = await work.reload(order.id)
        await work.transition(moved, Command.RETURN_GOODS, loan_state(moved), comment=comment)
        return ()


class InspectReturn(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        outcomes, problems = _outcomes(work, order)
        if problems:
            return problems
        loan = await work.reload(str(order.loan_id))
        for line, outcome in outcomes:
            loan_line = line_of(loan, str(line.loan_line_id))
            if outcome is Outcome.REFUSED:
                await _refuse(work, order, line, loan, loan_line)
                loan = await work.reload(loan.id)
            else:
                movement = {"holdId": loan_line.hold_id, "kind": "RETURN", "quantity": format_decimal(line.quantity)}
                await work.plan("RETURN", line, movement)
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = line_of(order, step.line_id)
        outcome = _outcome_of(work, line.id)
        loan = await work.reload(str(order.loan_id))
        loan_line = line_of(loan, str(line.loan_line_id))
        damaged = outcome in _DAMAGE
        source = borrower_account(loan, Custody.RETURNING)
        target = owner_account(line, Custody.DAMAGED if damaged else Custody.IN_STORE)
        movement = Movement.DAMAGE if damaged else Movement.STORE
        await work.book(loan, loan_line, movement, source, target, line.quantity, loan_line.returned)
        await work.set_line(line, outcome=outcome, returned=line.quantity)
        returned = loan_line.returned + line.quantity
        state = HoldState.RELEASED if returned == loan_line.quantity else HoldState.DISPATCHED
        await work.set_line(
            loan_line, returning=loan_line.returning - line.quantity, returned=returned, hold_state=state
        )

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        comment = work.command.body.get("comment")
        loan = await work.reload(str(order.loan_id))
        if any(line.outcome is None for line in order.lines):
            await work.transition(order, Command.INSPECT, State.TO_INSPECT, comment=comment)
        elif any(line.outcome in _DAMAGE for line in order.lines):
            lines = tuple(_case_line(line) for line in order.lines if line.outcome in _DAMAGE)
            case = Case(order.applicant.region or "", order.applicant.unit, lines, damaged=True)
            await work.write_chain(order.id, work.policy.chain(Flow.RETURN, shanghai_today(work.now), case))
            await work.enter_approval(await work.reload(order.id))
            await work.transition(order, Command.INSPECT, State.IN_APPROVAL, comment=comment)
        else:
            await work.transition(order, Command.INSPECT, State.DONE, comment=comment)
        if loan.state is not loan_state(loan):
            await work.transition(loan, Command.INSPECT, loan_state(loan), actor=SERVICE_IDENTITY)


def _outcomes(work: Work, order: Order) -> tuple[list[tuple[Line, Outcome]], list[Problem]]:
    own = {line.id: line for line in order.lines if line.lending_region == work.command.actor.region}
    chosen: list[tuple[Line, Outcome]] = []
    problems: list[Problem] = []
    wanted = work.command.body["lines"]
    for index, item in enumerate(wanted):
        line = own.pop(item["lineId"], None)
        if line is None or line.outcome is not None:
            problems.append(problem("UNKNOWN_LINE", "lines", str(index), "lineId"))
        else:
            chosen.append((line, Outcome(item["outcome"])))
    if not wanted:
        problems.append(problem("NOTHING_TO_DO", "lines"))
    return chosen, problems


def _outcome_of(work: Work, line_id: str) -> Outcome:
    return next(Outcome(item["outcome"]) for item in work.command.body["lines"] if item["lineId"] == line_id)


def _case_line(line: Line) -> CaseLine:
    value = share_of(line.card_value, Decimal(0), line.quantity, line.card_quantity)
    return CaseLine(line.lending_region, line.owner_unit, None, value)


async def _refuse(work: Work, order: Order, line: Line, loan: Order, loan_line: Line) -> None:
    source, target = borrower_account(loan, Custody.RETURNING), borrower_account(loan, Custody.LENT)
    handed_before = loan_line.returning + loan_line.returned - line.quantity
    await work.book(loan, loan_line, Movement.REFUSE, source, target, line.quantity, handed_before)
    await work.set_line(line, outcome=Outcome.REFUSED)
    await work.set_line(loan_line, returning=loan_line.returning - line.quantity)


def _return_values(work: Work, loan: Order, return_id: str) -> dict[str, Any]:
    actor = work.command.actor
    return {
        "id": return_id,
        "flow": Flow.RETURN,
        "state": State.TO_INSPECT,
        "listed": True,
        "applicant_person": actor.person,
        "applicant_unit": loan.applicant.unit,
        "applicant_region": loan.applicant.region,
        "from_day": loan.from_day,
        "to_day": loan.to_day,
        "purpose": loan.purpose,
        "loan_id": loan.id,
        "settlement": Settlement.SETTLED,
        "version": 1,
        "created_at": work.at,
        "updated_at": work.at,
    }


def _line_values(return_id: str, position: int, line: Line, quantity: Decimal) -> dict[str, Any]:
    zero = Decimal(0)
    return {
        "id": f"{return_id.removeprefix('order:')}-{position + 1}",
        "order_id": return_id,
        "position": position,
        "asset_id": line.asset_id,
        "asset_name": line.asset_name,
        "lending_region": line.lending_region,
        "owner_unit": line.owner_unit,
        "unit_of_measure": line.unit_of_measure,
        "card_quantity": line.card_quantity,
        "card_value": line.card_value,
        "facts": line.facts,
        "asset_class": line.asset_class,
        "quantity": quantity,
        "dispatched": zero,
        "received": zero,
        "returning": quantity,
        "returned": zero,
        "hold_state": HoldState.NONE,
        "loan_line_id": line.id,
    }
