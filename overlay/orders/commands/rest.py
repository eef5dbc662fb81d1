"""放弃剩余: what has not left and never will is given up, and the order goes on with what has left.

The line loses that quantity as soon as the owner's custody book has let it go, and says why. An order of which nothing
has left is withdrawn instead; but where goods were lost or damaged since, what is not there any more may be given up
before the rest leaves, so that the order keeps its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Handler, Step, Work
from overlay.orders.commands.checks import check_text, line_of, line_quantities
from overlay.orders.model import Command, HoldState, Order
from overlay.orders.progress import goods_state, has_moved
from overlay.orders.rights import hangs_on_stock, rest_of
from overlay.orders.shortages import shortages
from overlay.orders.traits import TRAITS

__all__ = ["GIVEN_UP", "GiveUpRest"]

GIVEN_UP = "GIVEN_UP"
"""Why a line has less than was asked for."""


class GiveUpRest(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        assets = [line.asset_id for line in order.live_lines]
        short = await shortages(work.connection, assets, work.today) if hangs_on_stock(order) else {}
        rest = rest_of(work.command.actor, order, short)
        if not has_moved(order) and not any(rest.values()):
            return [problem("NOTHING_HAS_LEFT", "orderId")]
        mine = [line for line in order.live_lines if line.id in rest]
        chosen, problems = line_quantities(work.command.body, mine, rest)
        problems += check_text(work.command.body, "reason")
        if problems:
            return problems
        for line, quantity in chosen:
            await work.plan("REDUCE", line, {"holdId": line.hold_id, "quantity": format_decimal(quantity)})
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = line_of(order, step.line_id)
        kept = line.quantity - Decimal(step.input["quantity"])
        gone = line.received if TRAITS[order.flow].for_good else Decimal(0)
        state = HoldState.RELEASED if line.returned + gone == kept else line.hold_state
        await work.set_line(line, quantity=kept, refusal=GIVEN_UP, hold_state=state)

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if work.moved:
            reason = work.command.body["reason"].strip()
            await work.transition(order, Command.GIVE_UP_REST, goods_state(order), comment=reason)
