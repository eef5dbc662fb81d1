"""Holds: placed for each line, kept, renewed and given back.

A hold that an owner refuses ends the whole application, which gives back what it has (compensation), unless the
applicant accepts a part. Then the owner's calendar, which filled meanwhile, is looked at once more: what it still has
is tried, once; where it has nothing the line is dropped and the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.group.custody import LOOK
from overlay.messages import Problem
from overlay.orders.commands.base import Handler, Step, Work
from overlay.orders.commands.checks import expiry_of, line_of, window_of
from overlay.orders.model import HoldState, Line, Order
from overlay.orders.traits import TRAITS
from overlay.store import tables
from overlay.store.statements import change

__all__ = ["COMPENSATING", "DAY_S", "PlacesHolds", "place_holds", "release_holds", "renew_holds"]

COMPENSATING = "COMPENSATING"
"""State of a command that gives back what it has."""
DAY_S = 86_400


async def place_holds(work: Work, order: Order, versions: Mapping[str, str]) -> None:
    """Plan a hold for each line. Lines stand in the order of their assets' ids, so that of two orders that want the
    same assets one wins outright. `versions`: of the assets as the applicant saw them, by asset."""
    traits, limits, (first, after) = TRAITS[order.flow], work.limits(order.flow), window_of(order)
    alike: dict[str, Any] = {
        "orderId": order.id,
        "range": {"from": first.isoformat(), "to": after.isoformat()},
        "lifeSeconds": limits.hold_days_in_approval * DAY_S,
        "bufferDays": limits.buffer_days,
        "ownUse": traits.own_use,
        "forGood": traits.for_good,
    }
    holds = [
        (
            line,
            {
                **alike,
                "quantity": format_decimal(line.quantity),
                "expectedVersion": versions.get(line.asset_id),
            },
        )
        for line in order.live_lines
    ]
    await work.plan_all("PLACE", holds)


async def renew_holds(work: Work, order: Order, life_s: int) -> None:
    held = [line for line in order.live_lines if line.hold_state is HoldState.ACTIVE]
    await work.plan_all("RENEW", [(line, {"holdId": line.hold_id, "lifeSeconds": life_s}) for line in held])


async def release_holds(work: Work, order: Order) -> None:
    held = [line for line in order.lines if line.hold_id is not None and line.hold_state is HoldState.ACTIVE]
    await work.plan_all("RELEASE", [(line, {"holdId": line.hold_id}) for line in held])


class PlacesHolds(Handler):
    drops_what_is_refused = False
    """Whatever the applicant said: what is not to be had is no part of the order any more."""

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = line_of(order, step.line_id)
        if step.action == "PLACE":
            await work.set_line(line, hold_id=data["hold"]["id"], hold_state=HoldState.ACTIVE)
            await work.set_order(order, holds_expire_at=_earliest(order.holds_expire_at, expiry_of(data)))
        elif step.action == LOOK:
            await _try_part(work, step, line, Decimal(data["free"]))
        else:
            await work.set_line(line, hold_state=HoldState.RELEASED)

    async def step_refused(self, work: Work, order: Order, step: Step, problems: Sequence[Problem]) -> None:
        if step.action == LOOK:
            await work.drop(step)
        if step.action != "PLACE":
            return
        line = line_of(order, step.line_id)
        if line.accepts_partial or self.drops_what_is_refused:
            code = problems[0].code
            await work.set_line(line, quantity=Decimal(0), refusal=code, hold_state=HoldState.NONE)
            await work.drop(step)
            if line.accepts_partial and code == "ASSET_BUSY" and not step.is_follow_up:
                await _look_again(work, step, line)
            return
        await work.cancel()
        work.follow_up(step)
        await release_holds(work, order)
        await change(work.connection, tables.commands, {"id": work.command.id}, {"state": COMPENSATING})


async def _look_again(work: Work, step: Step, line: Line) -> None:
    days, buffer = step.input["range"], timedelta(days=step.input["bufferDays"])
    until = date.fromisoformat(days["to"]) + buffer
    work.follow_up(step)
    await work.plan(LOOK, line, {"range": {"from": days["from"], "to": until.isoformat()}, "hold": dict(step.input)})


async def _try_part(work: Work, step: Step, line: Line, free: Decimal) -> None:
    if free <= 0:
        return
    hold = step.input["hold"]
    part = min(free, Decimal(hold["quantity"]))
    await work.set_line(line, quantity=part)
    work.follow_up(step)
    await work.plan("PLACE", line, {**hold, "quantity": format_decimal(part)})


def _earliest(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
