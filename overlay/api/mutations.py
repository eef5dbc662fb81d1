"""The contract's mutations: each hands its input, as plain JSON, to the counter and shows what came of it."""

from __future__ import annotations

from typing import Any

import strawberry

from overlay.api.approvals import ApprovalMutation
from overlay.api.context import Context
from overlay.api.inputs import (
    ApplyLoanInput,
    ApproveOrderInput,
    DispatchOrderInput,
    InspectReturnInput,
    ReceiveOrderInput,
    RejectOrderInput,
    ResubmitOrderInput,
    ReturnGoodsInput,
    ReturnOrderForCorrectionInput,
    WithdrawOrderInput,
    to_plain,
)
from overlay.api.ledger import LedgerMutation
from overlay.api.notices import NoticeMutation
from overlay.api.paper_mutations import PaperMutation
from overlay.api.rows import order_row, problem_rows
from overlay.api.types import Info, OrderPayload
from overlay.api.warehouses import WarehouseMutations
from overlay.orders.model import Command
from overlay.orders.service import CommandAnswer

__all__ = ["Mutation"]


@strawberry.type
class Mutation(ApprovalMutation, LedgerMutation, NoticeMutation, PaperMutation, WarehouseMutations):
    @strawberry.mutation
    async def apply_loan(self, info: Info, input: ApplyLoanInput) -> OrderPayload:
        context, body = info.context, to_plain(input)
        key = body.pop("idempotencyKey")
        return await _payload(context, await context.services.circulation.apply_loan(context.identity, key, body))

    @strawberry.mutation
    async def approve_order(self, info: Info, input: ApproveOrderInput) -> OrderPayload:
        return await _submit(info, Command.APPROVE, input)

    @strawberry.mutation
    async def reject_order(self, info: Info, input: RejectOrderInput) -> OrderPayload:
        return await _submit(info, Command.REJECT, input)

    @strawberry.mutation
    async def return_order_for_correction(self, info: Info, input: ReturnOrderForCorrectionInput) -> OrderPayload:
        return await _submit(info, Command.RETURN_FOR_CORRECTION, input)

    @strawberry.mutation
    async def resubmit_order(self, info: Info, input: ResubmitOrderInput) -> OrderPayload:
        return await _submit(info, Command.RESUBMIT, input)

    @strawberry.mutation
    async def withdraw_order(self, info: Info, input: WithdrawOrderInput) -> OrderPayload:
        return await _submit(info, Command.WITHDRAW, input)

    @strawberry.mutation
    async def dispatch_order(self, info: Info, input: DispatchOrderInput) -> OrderPayload:
        return await _submit(info, Command.DISPATCH, input)

    @strawberry.mutation
    async def receive_order(self, info: Info, input: ReceiveOrderInput) -> OrderPayload:
        return await _submit(info, Command.RECEIVE, input)

    @strawberry.mutation
    async def return_goods(self, info: Info, input: ReturnGoodsInput) -> OrderPayload:
        return await _submit(info, Command.RETURN_GOODS, input)

    @strawberry.mutation
    async def inspect_return(self, info: Info, input: InspectReturnInput) -> OrderPayload:
        return await _submit(info, Command.INSPECT, input)


async def _submit(info: Info, command: Command, input_: Any) -> OrderPayload:
    context, body = info.context, to_plain(input_)
    key, order_id = body.pop("idempotencyKey"), body.pop("orderId")
    answer = await context.services.circulation.submit(context.identity, key, command, order_id, body)
    return await _payload(context, answer)


async def _payload(context: Context, answer: CommandAnswer) -> OrderPayload:
    order = None if answer.order_id is None else await context.fresh_order(answer.order_id)
    return {  # type: ignore[return-value]
        "order": None if order is None else order_row(context, order),
        "problems": problem_rows(context, answer.problems),
    }
