"""归还与验收: the borrower hands goods back, which makes a RETURN order; the owner's keeper inspects each line.

A partial return closes nothing but itself: the loan stays open for what is still out. What passes, or is found
damaged, is back at the owner; what is lost is gone for good; what is refused stays with the borrower. Damage and loss
go to the region's officer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from overlay.group.custody import SERVICE_IDENTITY
from overlay.ledger.entries import Custody, Movement
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.commands.base import Handler, Step, Work
from overlay.orders.commands.cases import case_of
from overlay.orders.commands.checks import line_of, line_quantities
from overlay.orders.commands.compensate import propose, refusal_of_amount
from overlay.orders.commands.extend import drop_extension
from overlay.orders.commands.goods import movement_input
from overlay.orders.commands.rows import new_line, new_order
from overlay.orders.commands.stock import applicant_account, by_lineage, owner_account, telling_who_yields
from overlay.orders.model import Command, Flow, HoldState, Line, Order, Outcome, State
from overlay.orders.progress import OWED, goods_state
from overlay.store import tables

__all__ = ["InspectReturn", "ReturnGoods"]

_DAMAGE = (Outcome.NEEDS_REPAIR, *OWED)
"""Outcomes that the region's officer confirms."""
_PLACES: Mapping[Outcome, tuple[str, Movement, Custody]] = {
    Outcome.PASSED: ("RETURN", Movement.STORE, Custody.IN_STORE),
    Outcome.NEEDS_REPAIR: ("RETURN", Movement.DAMAGE, Custody.DAMAGED),
    Outcome.COMPENSATION: ("RETURN", Movement.DAMAGE, Custody.DAMAGED),
    Outcome.LOST: ("WRITE_OFF", Movement.LOSE, Custody.LOST),
}
"""What an outcome is in the owner's custody book, in the ledger, and where the goods are then."""


class ReturnGoods(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        left = {line.id: line.lent for line in order.lines}
        chosen, problems = line_quantities(work.command.body, order.lines, left)
        if problems:
            return problems
        return_id = str(work.command.body["returnId"])
        await repository.insert_row(work.connection, tables.orders, **_return_values(work, order, return_id))
        for position, (line, quantity) in enumerate(chosen):
            values = new_line(return_id, position, quantity, returning=quantity, **_taken_over(line))
            await repository.insert_row(work.connection, tables.order_lines, **values)
        for line, quantity in by_lineage(chosen):
            source, target = applicant_account(order, Custody.LENT), applicant_account(order, Custody.RETURNING)
            handed = line.returning + line.returned
            await work.book(order, line, Movement.RETURN, source, target, quantity, handed)
            await work.set_line(line, returning=line.returning + quantity)
        actor, comment = work.command.actor, work.comment
        await work.note(return_id, Command.RETURN_GOODS, None, State.TO_INSPECT, actor, comment)
        moved = await work.reload(order.id)
        if moved.asked_extension is not None and not any(line.lent > 0 for line in moved.lines):
            await drop_extension(work, moved)
        await work.transition(moved, Command.RETURN_GOODS, goods_state(moved), comment=comment)
        return ()


class InspectReturn(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        outcomes, problems = _outcomes(work, order)
        if problems:
            return problems
        loan = await work.reload(str(order.loan_id))
        for line, item in by_lineage(outcomes):
            loan_line, outcome = line_of(loan, str(line.loan_line_id)), Outcome(item["outcome"])
            if outcome is Outcome.REFUSED:
                await _refuse(work, line, loan, loan_line)
                loan = await work.reload(loan.id)
                continue
            if outcome in OWED and item.get("amount") is not None:
                await propose(work, order, line, Decimal(item["amount"]))
            kind = _PLACES[outcome][0]
            await work.plan(kind, line, movement_input(loan_line, kind, line.quantity))
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = line_of(order, step.line_id)
        outcome = _outcome_of(work, line.id)
        loan = await work.reload(str(order.loan_id))
        loan_line = line_of(loan, str(line.loan_line_id))
        _, movement, custody = _PLACES[outcome]
        source, target = applicant_account(loan, Custody.RETURNING), owner_account(line, custody)
        returned = loan_line.returned + line.quantity
        state = HoldState.RELEASED if returned == loan_line.quantity else HoldState.DISPATCHED
        async with telling_who_yields(work, line.asset_id, custody):
            await work.book(loan, loan_line, movement, source, target, line.quantity, loan_line.returned)
            await work.set_line(line, outcome=outcome, returned=line.quantity)
            await work.set_line(
                loan_line, returning=loan_line.returning - line.quantity, returned=returned, hold_state=state
            )

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        loan = await work.reload(str(order.loan_id))
        if any(line.outcome is None for line in order.lines):
            await work.transition(order, Command.INSPECT, State.TO_INSPECT, comment=work.comment)
        elif any(line.outcome in _DAMAGE for line in order.lines):
            case = case_of(order, [line for line in order.lines if line.outcome in _DAMAGE], damaged=True)
            await work.begin_chain(order, work.policy.chain(Flow.RETURN, work.today, case))
            await work.transition(order, Command.INSPECT, State.IN_APPROVAL, comment=work.comment)
        else:
            await work.transition(order, Command.INSPECT, State.DONE, comment=work.comment)
        if loan.state is not goods_state(loan):
            await work.transition(loan, Command.INSPECT, goods_state(loan), actor=SERVICE_IDENTITY)


def _outcomes(work: Work, order: Order) -> tuple[list[tuple[Line, Mapping[str, Any]]], list[Problem]]:
    own = {line.id: line for line in order.lines if line.lending_region == work.command.actor.region}
    chosen: list[tuple[Line, Mapping[str, Any]]] = []
    problems: list[Problem] = []
    wanted = work.command.body["lines"]
    for index, item in enumerate(wanted[: len(order.lines) + 1]):
        path, line = ("lines", str(index)), own.pop(item["lineId"], None)
        if line is None or line.outcome is not None:
            problems.append(problem("UNKNOWN_LINE", *path, "lineId"))
        elif (refusal := _refusal_of(item, path)) is not None:
            problems.append(refusal)
        else:
            chosen.append((line, item))
    if not wanted:
        problems.append(problem("NOTHING_TO_DO", "lines"))
    return chosen, problems


def _refusal_of(item: Mapping[str, Any], path: tuple[str, ...]) -> Problem | None:
    outcome = Outcome(item["outcome"])
    if outcome is not Outcome.REFUSED and outcome not in _PLACES:
        return problem("INVALID_OUTCOME", *path, "outcome", outcomes=", ".join(sorted([*_PLACES, Outcome.REFUSED])))
    return None if item.get("amount") is None else refusal_of_amount(item["amount"], *path)


def _outcome_of(work: Work, line_id: str) -> Outcome:
    return next(Outcome(item["outcome"]) for item in work.command.body["lines"] if item["lineId"] == line_id)


async def _refuse(work: Work, line: Line, loan: Order, loan_line: Line) -> None:
    source, target = applicant_account(loan, Custody.RETURNING), applicant_account(loan, Custody.LENT)
    handed_before = loan_line.returning + loan_line.returned - line.quantity
    await work.book(loan, loan_line, Movement.REFUSE, source, target, line.quantity, handed_before)
    await work.set_line(line, outcome=Outcome.REFUSED)
    await work.set_line(loan_line, returning=loan_line.returning - line.quantity)


def _return_values(work: Work, loan: Order, return_id: str) -> dict[str, Any]:
    return new_order(
        work,
        return_id,
        Flow.RETURN,
        State.TO_INSPECT,
        loan.applicant,
        applicant_person=work.command.actor.person,
        from_day=loan.from_day,
        to_day=loan.to_day,
        purpose=loan.purpose,
        loan_id=loan.id,
    )


def _taken_over(line: Line) -> dict[str, Any]:
    """What a return's line has from the loan's."""
    names = (
        "asset_id",
        "asset_name",
        "lending_region",
        "owner_unit",
        "unit_of_measure",
        "card_quantity",
        "card_value",
        "asset_class",
        "lineage",
        "facts",
    )
    return {"loan_line_id": line.id, **{name: getattr(line, name) for name in names}}
