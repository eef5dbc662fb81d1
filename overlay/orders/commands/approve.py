"""审批: the current step is decided by somebody who holds its office.

An order's holds are renewed *before* the decision counts: an approval of goods that somebody else has got meanwhile
is refused, not recorded. So is one of goods that were lost or damaged meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overlay.group.custody import SERVICE_IDENTITY
from overlay.messages import Problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.orders.commands.base import Desk, Handler, Step, Work
from overlay.orders.commands.checks import check_unchanged, expiry_of
from overlay.orders.commands.holds import DAY_S, renew_holds
from overlay.orders.machine import GOODS
from overlay.orders.model import ApprovalState, Command, Order, Outcome, State
from overlay.orders.progress import goods_state
from overlay.orders.shortages import shortages
from overlay.orders.traits import TRAITS

__all__ = ["Approve", "ApproveReturn", "give_next_turn", "is_last_step"]


class Approve(Handler):
    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        statuses = desk.policy.statuses(order.flow, desk.today).approve
        return await check_unchanged(desk, order, order.live_lines, statuses)

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        short = await shortages(work.connection, [line.asset_id for line in order.live_lines], work.today)
        if problems := [short[line.id].told() for line in order.live_lines if line.id in short]:
            return problems
        await renew_holds(work, order, _hold_life_s(work, order))
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await work.set_order(order, holds_expire_at=expiry_of(data))

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if problems:
            return
        await work.decide(order, ApprovalState.APPROVED, work.comment)
        if is_last_step(order):
            await work.transition(order, Command.APPROVE, State.APPROVED, comment=work.comment)
            approved = await work.reload(order.id)
            await work.transition(approved, Command.APPROVE, GOODS[order.flow], actor=SERVICE_IDENTITY)
        else:
            await give_next_turn(work, order)
            await work.transition(order, Command.APPROVE, State.IN_APPROVAL, comment=work.comment)


class ApproveReturn(Handler):
    """损坏确认: the lending region's officer confirms what the keeper found; nothing moves any more."""

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        await work.decide(order, ApprovalState.APPROVED, work.comment)
        if is_last_step(order):
            await work.transition(order, Command.APPROVE, goods_state(order), comment=work.comment)
            await _offer_repairs(work, order)
        else:
            await give_next_turn(work, order)
            await work.transition(order, Command.APPROVE, State.IN_APPROVAL, comment=work.comment)
        return ()


async def _offer_repairs(work: Work, order: Order) -> None:
    """What was found to need it may be repaired: its owner and its keeper are told of each line."""
    for line in order.lines:
        if line.outcome is Outcome.NEEDS_REPAIR:
            data = {"number": order.number, "lineId": line.id, "assetId": line.asset_id}
            for audience in (
                Audience(line.lending_region, line.owner_unit),
                Audience(line.lending_region, office="WAREHOUSE"),
            ):
                await put(work.connection, work.at, Topic.REPAIR_OFFERED, order.id, audience, data)


def is_last_step(order: Order) -> bool:
    step = order.current_step
    return step is not None and step.position == len(order.approvals)


async def give_next_turn(work: Work, order: Order) -> None:
    step = order.current_step
    if step is not None:
        await work.give_turn(order, step.position + 1)


def _hold_life_s(work: Work, order: Order) -> int:
    """In approval a hold lasts some days from now; once approved, until some days after the goods should leave."""
    limits = work.limits(order.flow)
    if not is_last_step(order):
        return limits.hold_days_in_approval * DAY_S
    waits = TRAITS[order.flow].has_range and order.from_day is not None
    until_start = max(0, (order.from_day - work.today).days) if waits and order.from_day is not None else 0
    return (until_start + limits.hold_days_to_dispatch) * DAY_S
