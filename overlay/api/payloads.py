"""How a mutation hands its input, as plain JSON, to the counter, and shows what came of it."""

from __future__ import annotations

from typing import Any

from overlay.api.context import Context
from overlay.api.inputs import to_plain
from overlay.api.rows import order_row, problem_rows
from overlay.api.types import Info, OrderPayload
from overlay.orders.model import Command, Flow
from overlay.orders.service import CommandAnswer

__all__ = ["apply", "submit"]


async def apply(info: Info, flow: Flow, input_: Any) -> OrderPayload:
    context, body = info.context, to_plain(input_)
    key = body.pop("idempotencyKey")
    return await _payload(context, await context.services.circulation.apply(flow, context.identity, key, body))


async def submit(info: Info, command: Command, input_: Any) -> OrderPayload:
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
