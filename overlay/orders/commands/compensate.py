"""赔偿: what damage or loss costs its borrower. The owner's region names the amount, the borrower's unit agrees to it,
the owner's region records that it was paid. An amount that is changed must be agreed to anew."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, update

from contract.decimals import format_money
from contract.identity import Identity, Role
from contract.regions import CITY_REGION
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.commands.base import Handler, Work
from overlay.orders.commands.checks import AMOUNT_MAX, check_text, to_amount
from overlay.orders.model import Command, Line, Order, State
from overlay.orders.progress import OWED, goods_state
from overlay.store import tables

__all__ = ["AgreeCompensation", "ProposeCompensation", "SettleCompensation", "propose", "refusal_of_amount"]


class ProposeCompensation(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        wanted, actor = work.command.body["lines"], work.command.actor
        open_ = {line.id: line for line in _unsettled(order) if _is_of(actor, line)}
        problems: list[Problem] = []
        if not wanted:
            problems.append(problem("NOTHING_TO_DO", "lines"))
        chosen: list[tuple[Line, Decimal]] = []
        for index, item in enumerate(wanted[: len(order.lines) + 1]):
            path, line = ("lines", str(index)), open_.pop(item["lineId"], None)
            if line is None:
                problems.append(problem("UNKNOWN_LINE", *path, "lineId"))
            elif (refusal := refusal_of_amount(item["amount"], *path)) is not None:
                problems.append(refusal)
            else:
                chosen.append((line, Decimal(item["amount"])))
        if problems:
            return problems
        for line, amount in chosen:
            await propose(work, order, line, amount)
        await work.transition(order, Command.PROPOSE_COMPENSATION, State.TO_COMPENSATE, comment=work.comment)
        return ()


class AgreeCompensation(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        lines = _unsettled(order)
        if any(line.compensation is None for line in lines):
            return [problem("NO_AMOUNT", "orderId")]
        actor = work.command.actor
        agreed = {"agreed_by": actor.person, "agreed_unit": actor.unit, "agreed_region": actor.region}
        await _change(work, lines, **agreed, agreed_at=work.at)
        await work.transition(order, Command.AGREE_COMPENSATION, State.TO_COMPENSATE, comment=work.comment)
        return ()


class SettleCompensation(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        lines = [line for line in _unsettled(order) if _is_of(work.command.actor, line)]
        if problems := check_text(work.command.body, "reference"):
            return problems
        if not lines:
            return [problem("NOTHING_TO_DO", "orderId")]
        if any(line.compensation is None or line.compensation.agreed_at is None for line in lines):
            return [problem("NOT_AGREED", "orderId")]
        reference = work.command.body["reference"].strip()
        paid = {"settled_by": work.command.actor.person, "settled_at": work.at, "reference": reference}
        await _change(work, lines, **paid)
        changed = await work.reload(order.id)
        await work.transition(changed, Command.SETTLE_COMPENSATION, goods_state(changed), comment=reference)
        return ()


async def propose(work: Work, order: Order, line: Line, amount: Decimal) -> None:
    """Name the amount; what was agreed to before counts no more."""
    table = tables.compensations
    await work.connection.execute(delete(table).where(table.c.line_id == line.id))
    await repository.insert_row(
        work.connection,
        table,
        line_id=line.id,
        order_id=order.id,
        amount=format_money(amount),
        proposed_by=work.command.actor.person,
    )


def refusal_of_amount(text: str, *path: str) -> Problem | None:
    if to_amount(text) is None:
        return problem("INVALID_AMOUNT", *path, "amount", max=format_money(AMOUNT_MAX))
    return None


def _unsettled(order: Order) -> list[Line]:
    owed = [line for line in order.lines if line.outcome in OWED]
    return [line for line in owed if line.compensation is None or line.compensation.settled_at is None]


def _is_of(actor: Identity, line: Line) -> bool:
    city = line.lending_region == CITY_REGION and actor.has(Role.CITY_OFFICER)
    return city or actor.region == line.lending_region


async def _change(work: Work, lines: Sequence[Line], **values: Any) -> None:
    table = tables.compensations
    ids = [line.id for line in lines]
    await work.connection.execute(update(table).where(table.c.line_id.in_(ids)).values(**values))
