"""The commands on orders, one module per kind; `HANDLERS` says which one carries out what."""

from __future__ import annotations

from overlay.orders.commands.apply import ApplyLoan, ResubmitLoan
from overlay.orders.commands.approve import ApproveLoan, ApproveReturn
from overlay.orders.commands.base import Handler
from overlay.orders.commands.end import ExpireLoan, RejectLoan, ReturnLoanForCorrection, WithdrawLoan
from overlay.orders.commands.move import DispatchLoan, ReceiveLoan
from overlay.orders.commands.restore import InspectReturn, ReturnGoods
from overlay.orders.model import Command, Flow

__all__ = ["HANDLERS"]

HANDLERS: dict[tuple[Flow, Command], Handler] = {
    (Flow.LOAN, Command.APPLY): ApplyLoan(),
    (Flow.LOAN, Command.APPROVE): ApproveLoan(),
    (Flow.LOAN, Command.REJECT): RejectLoan(),
    (Flow.LOAN, Command.RETURN_FOR_CORRECTION): ReturnLoanForCorrection(),
    (Flow.LOAN, Command.RESUBMIT): ResubmitLoan(),
    (Flow.LOAN, Command.WITHDRAW): WithdrawLoan(),
    (Flow.LOAN, Command.EXPIRE): ExpireLoan(),
    (Flow.LOAN, Command.DISPATCH): DispatchLoan(),
    (Flow.LOAN, Command.RECEIVE): ReceiveLoan(),
    (Flow.LOAN, Command.RETURN_GOODS): ReturnGoods(),
    (Flow.RETURN, Command.INSPECT): InspectReturn(),
    (Flow.RETURN, Command.APPROVE): ApproveReturn(),
}
