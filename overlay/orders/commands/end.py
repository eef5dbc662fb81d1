"""驳回、退回、撤回、过期: an order ends, or goes back, before the goods move.

The order's state changes at once, in the transaction that also plans the release of its holds; the owners hear of it
afterwards. A release that an owner cannot carry out harms nobody: the hold lapses by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overlay.messages import Problem, problem
from overlay.orders.commands.base import Handler, Step, Work
from overlay.orders.model import ApprovalState, Command, HoldState, Order, State

__all__ = ["ExpireLoan", "RejectLoan", "ReturnLoanForCorrection", "WithdrawLoan"]

REASON_MAX = 1000


class _Ending(Handler):
    command: Command
    state: State
    step_state: ApprovalState | None = None
    reason_needed = False
    releases = True

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        reason = (work.command.body.get("reason") or "").strip()
        if len(reason) > REASON_MAX or (self.reason_needed and not reason):
            return [problem("INVALID_TEXT", "reason", max=str(REASON_MAX))]
        if any(line.dispatched > 0 for line in order.lines):
            return [problem("GOODS_HAVE_MOVED", "orderId")]
        if self.step_state is not None:
            await work.decide(order, self.step_state, reason)
        await work.transition(order, self.command, self.state, comment=reason or None)
        if self.releases:
            for line in order.lines:
                if line.hold_id is not None and line.hold_state is HoldState.ACTIVE:
                    await work.plan("RELEASE", line, {"holdId": line.hold_id})
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = next(line for line in order.lines if line.id == step.line_id)
        await work.set_line(line, hold_state=HoldState.RELEASED)


class RejectLoan(_Ending):
    command, state = Command.REJECT, State.REJECTED
    step_state = ApprovalState.REJECTED
    reason_needed = True


class ReturnLoanForCorrection(_Ending):
    """The holds stay, so that the applicant can correct the order without losing the goods."""

    command, state = Command.RETURN_FOR_CORRECTION, State.RETURNED
    step_state = ApprovalState.RETURNED
    reason_needed = True
    releases = False


class WithdrawLoan(_Ending):
    command, state = Command.WITHDRAW, State.WITHDRAWN


class ExpireLoan(_Ending):
    command, state = Command.EXPIRE, State.EXPIRED
