"""The contract's mutations: each hands its input, as plain JSON, to the counter and shows what came of it."""

from __future__ import annotations

import strawberry

from overlay.api.approvals import ApprovalMutation
from overlay.api.bodies import BodyMutation
from overlay.api.flow_mutations import FlowMutation
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
)
from overlay.api.ledger import LedgerMutation
from overlay.api.notices import NoticeMutation
from overlay.api.paper_mutations import PaperMutation
from overlay.api.payloads import apply, submit
from overlay.api.types import Info, OrderPayload
from overlay.api.warehouses import WarehouseMutations
from overlay.orders.model import Command, Flow

__all__ = ["Mutation"]


@strawberry.type
class Mutation(
    ApprovalMutation, BodyMutation, FlowMutation, LedgerMutation, NoticeMutation, PaperMutation, WarehouseMutations
):
    @strawberry.mutation
    async def apply_loan(self, info: Info, input: ApplyLoanInput) -> OrderPayload:
        return await apply(info, Flow.LOAN, input)

    @strawberry.mutation
    async def approve_order(self, info: Info, input: ApproveOrderInput) -> OrderPayload:
        return await submit(info, Command.APPROVE, input)

    @strawberry.mutation
    async def reject_order(self, info: Info, input: RejectOrderInput) -> OrderPayload:
        return await submit(info, Command.REJECT, input)

    @strawberry.mutation
    async def return_order_for_correction(self, info: Info, input: ReturnOrderForCorrectionInput) -> OrderPayload:
        return await submit(info, Command.RETURN_FOR_CORRECTION, input)

    @strawberry.mutation
    async def resubmit_order(self, info: Info, input: ResubmitOrderInput) -> OrderPayload:
        return await submit(info, Command.RESUBMIT, input)

    @strawberry.mutation
    async def withdraw_order(self, info: Info, input: WithdrawOrderInput) -> OrderPayload:
        return await submit(info, Command.WITHDRAW, input)

    @strawberry.mutation
    async def dispatch_order(self, info: Info, input: DispatchOrderInput) -> OrderPayload:
        return await submit(info, Command.DISPATCH, input)

    @strawberry.mutation
    async def receive_order(self, info: Info, input: ReceiveOrderInput) -> OrderPayload:
        return await submit(info, Command.RECEIVE, input)

    @strawberry.mutation
    async def return_goods(self, info: Info, input: ReturnGoodsInput) -> OrderPayload:
        return await submit(info, Command.RETURN_GOODS, input)

    @strawberry.mutation
    async def inspect_return(self, info: Info, input: InspectReturnInput) -> OrderPayload:
        return await submit(info, Command.INSPECT, input)
