"""驳回、退回、撤回、过期、异议: an order ends, or goes back, before the goods move.

The order's state changes at once, in the transaction that also plans the release of its holds; the owners hear of it
afterwards. A release that an owner cannot carry out harms nobody: the hold lapses by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overlay.messages import Problem, problem
from overlay.orders.commands.base import Handler, Step, Work
from overlay.orders.commands.checks import check_text, line_of
from overlay.orders.commands.holds import release_holds
from overlay.orders.model import ApprovalState, Command, HoldState, Order, State
from overlay.orders.progress import has_moved
from overlay.orders.traits import TRAITS

__all__ = ["Expire", "Object", "Reject", "ReturnForCorrection", "Withdraw"]


class _Ending(Handler):
    command: Command
    state: State
    step_state: ApprovalState | None = None
    reason_needed = False

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        reason = (work.command.body.get("reason") or "").strip()
        if self.reason_needed and (problems := check_text(work.command.body, "reason")):
            return problems
        if has_moved(order):
            return [problem("GOODS_HAVE_MOVED", "orderId")]
        if self.step_state is not None:
            await work.decide(order, self.step_state, reason)
        releases = self.releases(order)
        expiry = None if releases else order.holds_expire_at
        await work.transition(order, self.command, self.state, comment=reason or None, holds_expire_at=expiry)
        if releases:
            await release_holds(work, order)
        return ()

    def releases(self, order: Order) -> bool:
        return True

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        await work.set_line(line_of(order, step.line_id), hold_state=HoldState.RELEASED)


class Reject(_Ending):
    command, state = Command.REJECT, State.REJECTED
    step_state = ApprovalState.REJECTED
    reason_needed = True


class ReturnForCorrection(_Ending):
    """The holds stay, so that the applicant can correct the order without losing the goods; but what goes back to a
    public notice must be free for others to take."""

    command, state = Command.RETURN_FOR_CORRECTION, State.RETURNED
    step_state = ApprovalState.RETURNED
    reason_needed = True

    def releases(self, order: Order) -> bool:
        return TRAITS[order.flow].has_notice


class Object(_Ending):
    command, state = Command.OBJECT, State.RETURNED
    reason_needed = True


class Withdraw(_Ending):
    command, state = Command.WITHDRAW, State.WITHDRAWN


class Expire(_Ending):
    command, state = Command.EXPIRE, State.EXPIRED
