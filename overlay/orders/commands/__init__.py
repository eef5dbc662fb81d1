"""The commands on orders, one module per kind; `handler_for` says which one carries out what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overlay.orders.commands.apply import Apply, Resubmit
from overlay.orders.commands.approve import Approve, ApproveReturn
from overlay.orders.commands.base import Handler
from overlay.orders.commands.compensate import AgreeCompensation, ProposeCompensation, SettleCompensation
from overlay.orders.commands.end import Expire, Object, Reject, ReturnForCorrection, Withdraw
from overlay.orders.commands.extend import ApproveExtension, Extend, RejectExtension, WithdrawExtension
from overlay.orders.commands.goods import (
    DISPATCH,
    EXECUTE,
    RECEIVE,
    STORE,
    WRITE_OFF_DISPOSED,
    WRITE_OFF_DONATED,
    MoveGoods,
)
from overlay.orders.commands.judge import APPRAISE, DIAGNOSE, INSPECT_REPAIR, INSPECT_SENT_BACK, JudgeLines
from overlay.orders.commands.notice import CloseNotice
from overlay.orders.commands.repair import FinishRepair
from overlay.orders.commands.rest import GiveUpRest
from overlay.orders.commands.restore import InspectReturn, ReturnGoods
from overlay.orders.commands.transfer import Arrive, ReceiveForGood, ReturnToOwner
from overlay.orders.model import Command, Flow
from overlay.orders.traits import TRAITS

__all__ = ["EXTENSION", "HANDLERS", "handler_for"]

EXTENSION = "extension"
"""Under this name a command's body says that it was given on a request for an extension."""

_APPLICATION: Mapping[Command, Handler] = {
    Command.APPLY: Apply(),
    Command.APPROVE: Approve(),
    Command.REJECT: Reject(),
    Command.RETURN_FOR_CORRECTION: ReturnForCorrection(),
    Command.RESUBMIT: Resubmit(),
    Command.WITHDRAW: Withdraw(),
    Command.EXPIRE: Expire(),
    Command.GIVE_UP_REST: GiveUpRest(),
}
_NOTICE: Mapping[Command, Handler] = {
    Command.OBJECT: Object(),
    Command.CLOSE_NOTICE: CloseNotice(),
    Command.EXECUTE: MoveGoods(EXECUTE),
}
_ON_EXTENSIONS: Mapping[Command, Handler] = {
    Command.APPROVE: ApproveExtension(),
    Command.REJECT: RejectExtension(),
    Command.WITHDRAW: WithdrawExtension(),
}

HANDLERS: dict[tuple[Flow, Command], Handler] = {
    **{(flow, command): handler for flow in TRAITS for command, handler in _APPLICATION.items()},
    **{(flow, command): one for flow in (Flow.DISPOSAL, Flow.DONATION) for command, one in _NOTICE.items()},
    (Flow.LOAN, Command.DISPATCH): MoveGoods(DISPATCH),
    (Flow.LOAN, Command.RECEIVE): MoveGoods(RECEIVE),
    (Flow.LOAN, Command.RETURN_GOODS): ReturnGoods(),
    (Flow.LOAN, Command.EXTEND): Extend(),
    (Flow.RETURN, Command.INSPECT): InspectReturn(),
    (Flow.RETURN, Command.APPROVE): ApproveReturn(),
    (Flow.RETURN, Command.PROPOSE_COMPENSATION): ProposeCompensation(),
    (Flow.RETURN, Command.AGREE_COMPENSATION): AgreeCompensation(),
    (Flow.RETURN, Command.SETTLE_COMPENSATION): SettleCompensation(),
    (Flow.REALLOCATION, Command.DISPATCH): MoveGoods(DISPATCH),
    (Flow.REALLOCATION, Command.ARRIVE): Arrive(),
    (Flow.REALLOCATION, Command.RECEIVE): ReceiveForGood(),
    (Flow.REALLOCATION, Command.RETURN_TO_OWNER): ReturnToOwner(),
    (Flow.REALLOCATION, Command.INSPECT): JudgeLines(INSPECT_SENT_BACK),
    (Flow.SURRENDER, Command.APPRAISE): JudgeLines(APPRAISE),
    (Flow.SURRENDER, Command.STORE): MoveGoods(STORE),
    (Flow.REPAIR, Command.DIAGNOSE): JudgeLines(DIAGNOSE),
    (Flow.REPAIR, Command.FINISH_REPAIR): FinishRepair(),
    (Flow.REPAIR, Command.INSPECT): JudgeLines(INSPECT_REPAIR),
    (Flow.DISPOSAL, Command.WRITE_OFF): MoveGoods(WRITE_OFF_DISPOSED),
    (Flow.DONATION, Command.WRITE_OFF): MoveGoods(WRITE_OFF_DONATED),
}


def handler_for(flow: Flow, command: Command, body: Mapping[str, Any]) -> Handler:
    return _ON_EXTENSIONS[command] if EXTENSION in body else HANDLERS[(flow, command)]
