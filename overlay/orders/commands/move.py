"""出仓与接收: goods leave the owner's warehouse and reach the borrower, per line and quantity.

Each movement counts as soon as the owner's custody book has it: line and ledger change in the transaction that
records the step. A movement cannot be taken back, so what one owner refuses does not undo what another has done.

Whether goods are there to leave, their owner's book decides; but that some came back damaged only the ledger knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.ledger.entries import Account, Custody, Movement, stock_of
from overlay.messages import Problem
from overlay.orders import repository
from overlay.orders.commands.base import (
    Desk,
    Handler,
    Step,
    Work,
    check_unchanged,
    goods_damaged,
    line_quantities,
    shanghai_day,
)
from overlay.orders.machine import loan_state
from overlay.orders.model import Command, Flow, HoldState, Line, Order

__all__ = ["DispatchLoan", "ReceiveLoan", "borrower_account", "owner_account"]


def owner_account(line: Line, custody: Custody) -> Account:
    return Account(line.lending_region, line.owner_unit, custody)


def borrower_account(order: Order, custody: Custody) -> Account:
    return Account(order.applicant.region or "", order.applicant.unit, custody)


def line_of(order: Order, line_id: str) -> Line:
    return next(line for line in order.lines if line.id == line_id)


class DispatchLoan(Handler):
    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        chosen, problems = _chosen_to_dispatch(desk.body, order, desk.identity.region)
        if problems:
            return problems
        statuses = desk.policy.statuses(Flow.LOAN, shanghai_day(desk))
        single = [line for line, _ in chosen if line.card_quantity <= 1]
        batch = [line for line, _ in chosen if line.card_quantity > 1]
        found = await check_unchanged(desk, order, single, statuses.dispatch) if single else []
        return found + (await check_unchanged(desk, order, batch, statuses.dispatch_batch) if batch else [])

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        chosen, problems = _chosen_to_dispatch(work.command.body, order, work.command.actor.region)
        if problems:
            return problems
        damaged = [await _refusal_of_damage(work, line, quantity) for line, quantity in chosen]
        if any(damaged):
            return [found for found in damaged if found is not None]
        for line, quantity in chosen:
            await work.plan("DISPATCH", line, _movement(line, "DISPATCH", quantity))
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line, quantity = line_of(order, step.line_id), Decimal(step.input["quantity"])
        source, target = owner_account(line, Custody.IN_STORE), owner_account(line, Custody.IN_TRANSIT)
        await work.book(order, line, Movement.DISPATCH, source, target, quantity, line.dispatched)
        await work.set_line(line, dispatched=line.dispatched + quantity, hold_state=HoldState.DISPATCHED)

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        await finish_movement(work, order, Command.DISPATCH)


async def _refusal_of_damage(work: Work, line: Line, quantity: Decimal) -> Problem | None:
    stock = await stock_of(work.connection, line.asset_id)
    if not stock.damaged:
        return None
    free = stock.in_store - await repository.dispatches_under_way(work.connection, line.asset_id)
    if quantity <= free:
        return None
    return goods_damaged(("lines", str(line.position)), line.asset_id, stock.damaged, free)


class ReceiveLoan(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        left = {line.id: line.in_transit for line in order.lines}
        chosen, problems = line_quantities(work.command.body, order.lines, left)
        if problems:
            return problems
        for line, quantity in chosen:
            await work.plan("RECEIVE", line, _movement(line, "RECEIVE", quantity))
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line, quantity = line_of(order, step.line_id), Decimal(step.input["quantity"])
        source, target = owner_account(line, Custody.IN_TRANSIT), borrower_account(order, Custody.LENT)
        await work.book(order, line, Movement.RECEIVE, source, target, quantity, line.received)
        await work.set_line(line, received=line.received + quantity)

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        await finish_movement(work, order, Command.RECEIVE)


async def finish_movement(work: Work, order: Order, command: Command) -> None:
    """The state that the lines now say; nothing is noted when no movement was carried out."""
    if work.moved:
        await work.transition(order, command, loan_state(order), holds_expire_at=None)


def _chosen_to_dispatch(
    body: Mapping[str, Any], order: Order, region: str | None
) -> tuple[list[tuple[Line, Decimal]], list[Problem]]:
    own = [line for line in order.lines if line.lending_region == region]
    return line_quantities(body, own, {line.id: line.to_dispatch for line in own})


def _movement(line: Line, kind: str, quantity: Decimal) -> dict[str, Any]:
    return {"holdId": line.hold_id, "kind": kind, "quantity": format_decimal(quantity)}
