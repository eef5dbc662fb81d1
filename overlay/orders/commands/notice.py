"""公示: before goods are disposed of or donated they are offered to all, and only what nobody wants goes on.

During the notice nothing is held, so everybody may apply for the goods; who does (`stop_notices`) takes them out of
the notice. Anybody of a unit may object: the order goes back to its applicant. When the notice is over, a hold is
placed for each line; what the owner's book refuses was taken meanwhile and drops out. Then approval begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from overlay.group.custody import SERVICE_IDENTITY
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Work
from overlay.orders.commands.cases import case_of
from overlay.orders.commands.holds import PlacesHolds, place_holds
from overlay.orders.commands.stock import tell_who_yields_to
from overlay.orders.model import Command, HoldState, Order, State
from overlay.orders.traits import TRAITS
from overlay.store import tables
from overlay.store.statements import ByValue

__all__ = ["CloseNotice", "begin_notice", "stop_notices"]

TAKEN = "TAKEN"
"""Why a line dropped out: somebody applied for the goods."""
_ORDERS, _LINES = tables.orders.c, tables.order_lines.c
_NOTICES_OF = ByValue(
    lambda is_one: (
        select(_ORDERS.id)
        .where(
            _ORDERS.state == State.PUBLIC_NOTICE,
            _ORDERS.command_id.is_(None),
            _ORDERS.id.in_(select(_LINES.order_id).where(is_one(_LINES.asset_id))),
        )
        .order_by(_ORDERS.seq)
    )
)
"""Notices that stand for any of some assets."""


async def begin_notice(work: Work, order: Order, command: Command, **values: Any) -> None:
    until = work.today + timedelta(days=work.limits(order.flow).notice_days)
    for line in order.lines:
        await work.set_line(line, hold_id=None, hold_state=HoldState.NONE)
    await work.transition(order, command, State.PUBLIC_NOTICE, notice_until=until, holds_expire_at=None, **values)


async def stop_notices(work: Work, order: Order) -> None:
    """Whoever has applied for goods takes them out of the notices that stand for them. A notice that is being closed
    is left alone: its hold is refused, for the applicant's is there already."""
    if TRAITS[order.flow].own_use:
        return
    wanted = {line.asset_id for line in order.live_lines}
    for notice in await _NOTICES_OF.rows(work.connection, sorted(wanted)):
        await _stop(work, notice["id"], wanted, order.number)


async def _stop(work: Work, notice_id: str, wanted: set[str], number: str) -> None:
    notice = await work.reload(notice_id)
    taken = [line for line in notice.live_lines if line.asset_id in wanted]
    if notice.state is not State.PUBLIC_NOTICE or notice.command_id is not None or not taken:
        return
    for line in taken:
        await work.set_line(line, quantity=Decimal(0), refusal=TAKEN)
    state = State.STOPPED if len(taken) == len(notice.live_lines) else State.PUBLIC_NOTICE
    await work.transition(notice, Command.STOP, state, actor=SERVICE_IDENTITY, comment=number)


class CloseNotice(PlacesHolds):
    """公示期满: by the overlay itself."""

    drops_what_is_refused = True

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        if order.notice_until is None or work.today < order.notice_until:
            return [problem("NOT_ALLOWED_IN_STATE", "orderId", state=order.state, command=Command.CLOSE_NOTICE)]
        limits = work.limits(order.flow)
        window = {"from_day": work.today, "to_day": limits.latest_end(work.today)}
        await work.set_order(order, **window)
        await place_holds(work, await work.reload(order.id), {})
        return ()

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if not order.live_lines:
            await work.transition(order, Command.CLOSE_NOTICE, State.STOPPED, comment=TAKEN)
            return
        steps = tables.approval_steps
        await work.connection.execute(delete(steps).where(steps.c.order_id == order.id))
        chain = work.policy.chain(order.flow, work.today, case_of(order, order.live_lines))
        await work.begin_chain(order, chain)
        await work.transition(order, Command.CLOSE_NOTICE, State.IN_APPROVAL)
        await tell_who_yields_to(work, order)
