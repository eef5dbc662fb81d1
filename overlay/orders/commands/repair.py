"""维修完成: the workshop is done with goods; their keeper inspects them next."""

from __future__ import annotations

from collections.abc import Sequence

from overlay.messages import Problem
from overlay.orders.commands.base import Handler, Work
from overlay.orders.commands.checks import line_quantities
from overlay.orders.model import Command, Order
from overlay.orders.progress import goods_state, to_finish

__all__ = ["FinishRepair"]


class FinishRepair(Handler):
    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        own = [line for line in order.lines if line.lending_region == work.command.actor.region]
        chosen, problems = line_quantities(work.command.body, own, {line.id: to_finish(line) for line in own})
        if problems:
            return problems
        for line, quantity in chosen:
            await work.set_line(line, returning=line.returning + quantity)
        changed = await work.reload(order.id)
        await work.transition(changed, Command.FINISH_REPAIR, goods_state(changed), comment=work.comment)
        return ()
