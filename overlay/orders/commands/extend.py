"""续借: what is lent stays longer, if policy, its own approval chain and every owner's book allow it.

The days are asked for in one request for all that is still lent, and granted line by line: an owner whose goods are
promised to somebody else from then on refuses, and that line keeps its day. What nobody grants is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import update

from overlay.bodies.model import refusal_of_extension
from overlay.group.facts import AssetFacts, Unavailable
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.commands.approve import give_next_turn, is_last_step
from overlay.orders.commands.base import Desk, Handler, Step, Work
from overlay.orders.commands.cases import case_of
from overlay.orders.commands.checks import check_text, check_unchanged, gather_facts, line_of, window_of
from overlay.orders.model import (
    ApprovalState,
    Command,
    Extension,
    ExtensionState,
    Flow,
    Line,
    Order,
    State,
)
from overlay.orders.progress import goods_state
from overlay.store import tables

__all__ = ["ApproveExtension", "Extend", "RejectExtension", "WithdrawExtension", "drop_extension"]


class Extend(Handler):
    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        to_day, limits = date.fromisoformat(desk.body["to"]), desk.limits(Flow.LOAN)
        first, after = window_of(order)
        problems: list[Problem] = []
        if to_day <= max(after, desk.today):
            problems.append(problem("INVALID_RANGE", "to", **{"from": after.isoformat(), "to": to_day.isoformat()}))
        elif to_day > limits.latest_end(first):
            problems.append(problem("LOAN_TOO_LONG", "to", max=str(limits.days_max), clause=limits.clause))
        if order.extensions_granted >= limits.extensions_max:
            problems.append(problem("TOO_MANY_EXTENSIONS", "orderId", max=str(limits.extensions_max)))
        return problems or await _check_free(desk, order, to_day)

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        body, until = order.details.get("temporaryBody"), date.fromisoformat(work.command.body["to"])
        refusal = await refusal_of_extension(work.connection, body and body["id"], until)
        if refusal is not None:
            return [refusal]
        number, reason = len(order.extensions) + 1, (work.command.body.get("reason") or "").strip() or None
        await repository.insert_row(
            work.connection,
            tables.extensions,
            order_id=order.id,
            number=number,
            to_day=work.command.body["to"],
            reason=reason,
            state=ExtensionState.ASKED,
            asked_at=work.at,
        )
        case = case_of(order, [line for line in order.lines if line.lent > 0], extension=True)
        chain = work.policy.chain(Flow.LOAN, work.today, case)
        decided = len(order.approvals)
        await work.begin_chain(order, chain, after=decided, extension=number)
        await work.transition(order, Command.EXTEND, State.EXTENDING, comment=reason)
        return ()


class ApproveExtension(Handler):
    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        return await _check_free(desk, order, _asked(order).to_day)

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        if not is_last_step(order):
            await work.decide(order, ApprovalState.APPROVED, work.comment)
            await give_next_turn(work, order)
            await work.transition(order, Command.APPROVE, State.EXTENDING, comment=work.comment)
            return ()
        for line in order.lines:
            if line.lent > 0:
                await work.plan("EXTEND", line, {"holdId": line.hold_id, "to": _asked(order).to_day.isoformat()})
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await work.set_line(line_of(order, step.line_id), due_day=date.fromisoformat(step.input["to"]))

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        extension = order.asked_extension
        if extension is None or not work.moved:
            return  # decided in `begin`, or refused by every owner: nothing is recorded
        await work.decide(order, ApprovalState.APPROVED, work.comment)
        await _end(work, order, extension, ExtensionState.GRANTED)
        whole = all(line.due_day == extension.to_day for line in order.lines if line.out > 0)
        until = {"to_day": extension.to_day} if whole else {}
        await _leave(work, order, Command.APPROVE, work.comment, overdue_stage=0, **until)


class RejectExtension(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        if problems := check_text(work.command.body, "reason"):
            return problems
        reason = work.command.body["reason"].strip()
        await work.decide(order, ApprovalState.REJECTED, reason)
        await _end(work, order, _asked(order), ExtensionState.REFUSED)
        await _leave(work, order, Command.REJECT, reason)
        return ()


class WithdrawExtension(Handler):
    """撤回续借: the request goes, the loan stays."""

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        await drop_extension(work, order)
        await _leave(work, order, Command.WITHDRAW, work.command.body.get("reason"))
        return ()


async def drop_extension(work: Work, order: Order) -> None:
    """Nobody needs to decide on it any more."""
    await work.skip_steps(order)
    await _end(work, order, _asked(order), ExtensionState.WITHDRAWN)


async def _end(work: Work, order: Order, extension: Extension, state: ExtensionState) -> None:
    table = tables.extensions
    mine = (table.c.order_id == order.id, table.c.number == extension.number)
    await work.connection.execute(update(table).where(*mine).values(state=state, decided_at=work.at))


async def _leave(work: Work, order: Order, command: Command, comment: str | None, **values: Any) -> None:
    decided = await work.reload(order.id)
    await work.transition(decided, command, goods_state(decided), comment=comment, **values)


def _asked(order: Order) -> Extension:
    extension = order.asked_extension
    if extension is None:
        raise ValueError(f"{order.id} asks for no extension")
    return extension


async def _check_free(desk: Desk, order: Order, to_day: date) -> list[Problem]:
    """Whether the goods are still what was lent, and nobody else has the days that are asked for."""
    lines = [line for line in order.lines if line.lent > 0]
    problems = await check_unchanged(desk, order, lines, desk.policy.statuses(Flow.LOAN, desk.today).approve)
    if problems:
        return problems
    days_between = timedelta(days=desk.limits(Flow.LOAN).buffer_days)
    first = min((order.due_day(line) or desk.today for line in lines), default=desk.today)
    facts = await gather_facts(desk.custody, [line.asset_id for line in lines], (first, to_day + days_between))
    for line in lines:
        found, path = facts[line.asset_id], ("lines", str(line.position))
        if isinstance(found, Unavailable):
            problems.append(problem("REGION_UNAVAILABLE", *path, region=line.lending_region))
        elif found is not None and _is_promised(
            found, line, max(order.due_day(line) or first, desk.today), days_between
        ):
            problems.append(problem("ASSET_BUSY", *path, id=line.asset_id))
    return problems


def _is_promised(facts: AssetFacts, line: Line, due: date, days_between: timedelta) -> bool:
    """Whether others have what this line would keep. Its own hold is busy too: until a day after what is overdue, and
    the days between two loans behind that."""
    own, own_end = line.quantity - line.returned, due + timedelta(days=1) + days_between
    for period in facts.busy:
        if period.to_day <= due:
            continue
        others = period.quantity - own if period.from_day < own_end and period.to_day <= own_end else period.quantity
        if own + max(others, Decimal(0)) > facts.quantity:
            return True
    return False
