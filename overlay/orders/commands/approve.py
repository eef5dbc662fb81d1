"""审批: the current step is decided by somebody who holds its office.

A loan's holds are renewed *before* the decision counts: an approval of goods that somebody else has got meanwhile
is refused, not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overlay.clock import shanghai_today
from overlay.group.custody import SERVICE_IDENTITY
from overlay.messages import Problem
from overlay.orders.commands.base import DAY_S, Desk, Handler, Step, Work, check_unchanged, expiry_of, shanghai_day
from overlay.orders.model import ApprovalState, Command, Flow, Order, State
from overlay.orders.policy import Limits

__all__ = ["ApproveLoan", "ApproveReturn"]


class ApproveLoan(Handler):
    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        statuses = desk.policy.statuses(Flow.LOAN, shanghai_day(desk)).approve
        return await check_unchanged(desk, order, order.lines, statuses)

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        life_s = _hold_life_s(work, order)
        for line in order.lines:
            await work.plan("RENEW", line, {"holdId": line.hold_id, "lifeSeconds": life_s})
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await work.set_order(order, holds_expire_at=expiry_of(data))

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if problems:
            return
        comment = work.command.body.get("comment")
        await work.decide(order, ApprovalState.APPROVED, comment)
        if _is_last(order):
            await work.transition(order, Command.APPROVE, State.APPROVED, comment=comment)
            approved = await work.reload(order.id)
            await work.transition(approved, Command.APPROVE, State.TO_DISPATCH, actor=SERVICE_IDENTITY)
        else:
            await _give_next_turn(work, order)
            await work.transition(order, Command.APPROVE, State.IN_APPROVAL, comment=comment)


class ApproveReturn(Handler):
    """损坏确认: the lending region's officer confirms what the keeper found; nothing moves any more."""

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        comment = work.command.body.get("comment")
        await work.decide(order, ApprovalState.APPROVED, comment)
        if _is_last(order):
            await work.transition(order, Command.APPROVE, State.DONE, comment=comment)
        else:
            await _give_next_turn(work, order)
            await work.transition(order, Command.APPROVE, State.IN_APPROVAL, comment=comment)
        return ()


def _is_last(order: Order) -> bool:
    step = order.current_step
    return step is not None and step.position == len(order.approvals)


async def _give_next_turn(work: Work, order: Order) -> None:
    step = order.current_step
    if step is not None:
        await work.give_turn(order, step.position + 1)


def _hold_life_s(work: Work, order: Order) -> int:
    """In approval a hold lasts some days from now; once approved, until some days after the loan should begin."""
    today = shanghai_today(work.now)
    limits: Limits = work.policy.limits(Flow.LOAN, today)
    if not _is_last(order):
        return limits.hold_days_in_approval * DAY_S
    until_start = max(0, (order.from_day - today).days) if order.from_day is not None else 0
    return (until_start + limits.hold_days_to_dispatch) * DAY_S
