"""The mutations of the flows beyond borrowing and returning."""

from __future__ import annotations

import strawberry

from overlay.api.flow_inputs import (
    AgreeCompensationInput,
    ApplyDisposalInput,
    ApplyDonationInput,
    ApplyReallocationInput,
    ApplyRepairInput,
    AppraiseSurrenderInput,
    ArriveOrderInput,
    DiagnoseRepairInput,
    ExecuteDisposalInput,
    ExtendLoanInput,
    FinishRepairInput,
    GiveUpRestInput,
    InspectOrderInput,
    ObjectToNoticeInput,
    ProposeCompensationInput,
    ReturnToOwnerInput,
    SettleCompensationInput,
    StoreSurrenderInput,
    SurrenderAssetsInput,
    WriteOffDisposalInput,
)
from overlay.api.payloads import apply, submit
from overlay.api.types import Info, OrderPayload
from overlay.orders.model import Command, Flow

__all__ = ["FlowMutation"]


@strawberry.type
class FlowMutation:
    @strawberry.mutation
    async def apply_reallocation(self, info: Info, input: ApplyReallocationInput) -> OrderPayload:
        return await apply(info, Flow.REALLOCATION, input)

    @strawberry.mutation
    async def surrender_assets(self, info: Info, input: SurrenderAssetsInput) -> OrderPayload:
        return await apply(info, Flow.SURRENDER, input)

    @strawberry.mutation
    async def apply_repair(self, info: Info, input: ApplyRepairInput) -> OrderPayload:
        return await apply(info, Flow.REPAIR, input)

    @strawberry.mutation
    async def apply_disposal(self, info: Info, input: ApplyDisposalInput) -> OrderPayload:
        return await apply(info, Flow.DISPOSAL, input)

    @strawberry.mutation
    async def apply_donation(self, info: Info, input: ApplyDonationInput) -> OrderPayload:
        return await apply(info, Flow.DONATION, input)

    @strawberry.mutation
    async def extend_loan(self, info: Info, input: ExtendLoanInput) -> OrderPayload:
        return await submit(info, Command.EXTEND, input)

    @strawberry.mutation
    async def arrive_order(self, info: Info, input: ArriveOrderInput) -> OrderPayload:
        return await submit(info, Command.ARRIVE, input)

    @strawberry.mutation
    async def return_to_owner(self, info: Info, input: ReturnToOwnerInput) -> OrderPayload:
        return await submit(info, Command.RETURN_TO_OWNER, input)

    @strawberry.mutation
    async def give_up_rest(self, info: Info, input: GiveUpRestInput) -> OrderPayload:
        return await submit(info, Command.GIVE_UP_REST, input)

    @strawberry.mutation
    async def propose_compensation(self, info: Info, input: ProposeCompensationInput) -> OrderPayload:
        return await submit(info, Command.PROPOSE_COMPENSATION, input)

    @strawberry.mutation
    async def agree_compensation(self, info: Info, input: AgreeCompensationInput) -> OrderPayload:
        return await submit(info, Command.AGREE_COMPENSATION, input)

    @strawberry.mutation
    async def settle_compensation(self, info: Info, input: SettleCompensationInput) -> OrderPayload:
        return await submit(info, Command.SETTLE_COMPENSATION, input)

    @strawberry.mutation
    async def appraise_surrender(self, info: Info, input: AppraiseSurrenderInput) -> OrderPayload:
        return await submit(info, Command.APPRAISE, input)

    @strawberry.mutation
    async def store_surrender(self, info: Info, input: StoreSurrenderInput) -> OrderPayload:
        return await submit(info, Command.STORE, input)

    @strawberry.mutation
    async def diagnose_repair(self, info: Info, input: DiagnoseRepairInput) -> OrderPayload:
        return await submit(info, Command.DIAGNOSE, input)

    @strawberry.mutation
    async def finish_repair(self, info: Info, input: FinishRepairInput) -> OrderPayload:
        return await submit(info, Command.FINISH_REPAIR, input)

    @strawberry.mutation
    async def inspect_order(self, info: Info, input: InspectOrderInput) -> OrderPayload:
        return await submit(info, Command.INSPECT, input)

    @strawberry.mutation
    async def object_to_notice(self, info: Info, input: ObjectToNoticeInput) -> OrderPayload:
        return await submit(info, Command.OBJECT, input)

    @strawberry.mutation
    async def execute_disposal(self, info: Info, input: ExecuteDisposalInput) -> OrderPayload:
        return await submit(info, Command.EXECUTE, input)

    @strawberry.mutation
    async def write_off_disposal(self, info: Info, input: WriteOffDisposalInput) -> OrderPayload:
        return await submit(info, Command.WRITE_OFF, input)
