"""出仓、接收、入仓、执行、核销: goods move, per line and quantity. One table says what each move means.

Each movement counts as soon as the owner's custody book has it: line and ledger change in the transaction that
records the step. A movement cannot be taken back, so what one owner refuses does not undo what another has done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from overlay.ledger.entries import Account, Custody, Movement
from overlay.ledger.model import HERE
from overlay.messages import Problem
from overlay.orders.commands.base import Desk, Handler, Step, Work
from overlay.orders.commands.checks import check_unchanged, line_of, line_quantities
from overlay.orders.commands.stock import (
    applicant_account,
    book_from,
    owner_account,
    refusals_of_short,
    refusals_of_unfit,
    refusals_of_unrecorded,
)
from overlay.orders.model import Command, HoldState, Line, Order
from overlay.orders.progress import goods_state, to_store, to_write_off

__all__ = [
    "DISPATCH",
    "EXECUTE",
    "RECEIVE",
    "STORE",
    "WRITE_OFF_DISPOSED",
    "WRITE_OFF_DONATED",
    "Move",
    "MoveGoods",
    "finish_goods",
    "movement_input",
]

Target = Callable[[Order, Line], Account]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    command: Command
    kind: str
    """Of the movement in the owner's custody book."""
    movement: Movement
    sources: tuple[Custody, ...]
    """The owner's accounts that give the goods, in this order."""
    target: Target
    left: Callable[[Line], Decimal]
    grows: str
    """The line's quantity that grows by what was moved."""
    only_own_region: bool = True
    is_checked: bool = False
    """Whether the assets must still be what was applied for."""
    only_fit: bool = False
    """Whether what came back damaged must stay."""
    ends_hold: bool = False
    """Whether nothing of the hold is left once the whole line has moved."""


def _at_owner(custody: Custody) -> Target:
    return lambda order, line: owner_account(line, custody)


DISPATCH = Move(
    command=Command.DISPATCH,
    kind="DISPATCH",
    movement=Movement.DISPATCH,
    sources=(Custody.IN_STORE,),
    target=_at_owner(Custody.IN_TRANSIT),
    left=lambda line: line.to_dispatch,
    grows="dispatched",
    is_checked=True,
    only_fit=True,
)
RECEIVE = Move(
    command=Command.RECEIVE,
    kind="RECEIVE",
    movement=Movement.RECEIVE,
    sources=(Custody.IN_TRANSIT,),
    target=lambda order, line: applicant_account(order, Custody.LENT),
    left=lambda line: line.in_transit,
    grows="received",
    only_own_region=False,
)
STORE = Move(
    command=Command.STORE,
    kind="STORE",
    movement=Movement.STORE,
    sources=(Custody.IN_TRANSIT,),
    target=_at_owner(Custody.IN_STORE),
    left=to_store,
    grows="received",
    ends_hold=True,
)
EXECUTE = Move(
    command=Command.EXECUTE,
    kind="DISPATCH",
    movement=Movement.EXECUTE,
    sources=(Custody.TO_DISPOSE, Custody.DAMAGED, Custody.IN_STORE),
    target=_at_owner(Custody.DISPOSING),
    left=lambda line: line.to_dispatch,
    grows="dispatched",
    is_checked=True,
)
WRITE_OFF_DISPOSED = Move(
    command=Command.WRITE_OFF,
    kind="WRITE_OFF",
    movement=Movement.WRITE_OFF,
    sources=(Custody.DISPOSING,),
    target=_at_owner(Custody.DISPOSED),
    left=to_write_off,
    grows="received",
    ends_hold=True,
)
WRITE_OFF_DONATED = Move(
    command=Command.WRITE_OFF,
    kind="WRITE_OFF",
    movement=Movement.WRITE_OFF,
    sources=(Custody.DISPOSING,),
    target=_at_owner(Custody.DONATED),
    left=to_write_off,
    grows="received",
    ends_hold=True,
)


class MoveGoods(Handler):
    def __init__(self, move: Move) -> None:
        self._move = move

    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        if not self._move.is_checked:
            return ()
        chosen, problems = self._chosen(desk.body, order, desk.identity.region)
        if problems:
            return problems
        statuses = desk.policy.statuses(order.flow, desk.today)
        single = [line for line, _ in chosen if line.card_quantity <= 1]
        batch = [line for line, _ in chosen if line.card_quantity > 1]
        of_single, of_batch = await asyncio.gather(  # at once, so that each region is asked once
            check_unchanged(desk, order, single, statuses.dispatch),
            check_unchanged(desk, order, batch, statuses.dispatch_batch),
        )
        return of_single + of_batch

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        chosen, problems = self._chosen(work.command.body, order, work.command.actor.region)
        if not problems and self._move.sources[0] in HERE:
            problems = await refusals_of_unrecorded(work, [line for line, _ in chosen])
        if not problems and self._move.only_fit:
            problems = await refusals_of_unfit(work, chosen) or await refusals_of_short(work, chosen)
        if problems:
            return problems
        for line, quantity in chosen:
            await work.plan(self._move.kind, line, movement_input(line, self._move.kind, quantity))
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        move, line, quantity = self._move, line_of(order, step.line_id), Decimal(step.input["quantity"])
        before: Decimal = getattr(line, move.grows)
        await book_from(work, order, line, move.movement, move.sources, move.target(order, line), quantity, before)
        is_over = move.ends_hold and before + quantity == line.quantity
        state = HoldState.RELEASED if is_over else HoldState.DISPATCHED
        await work.set_line(line, hold_state=state, **{move.grows: before + quantity})

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        await finish_goods(work, order, self._move.command)

    def _chosen(
        self, body: Mapping[str, Any], order: Order, region: str | None
    ) -> tuple[list[tuple[Line, Decimal]], list[Problem]]:
        everywhere = not self._move.only_own_region
        lines = [line for line in order.live_lines if everywhere or line.lending_region == region]
        return line_quantities(body, lines, {line.id: self._move.left(line) for line in lines})


async def finish_goods(work: Work, order: Order, command: Command) -> None:
    """The state that the lines now say; nothing is noted when no movement was carried out."""
    if work.moved:
        await work.transition(order, command, goods_state(order), comment=work.comment, holds_expire_at=None)


def movement_input(line: Line, kind: str, quantity: Decimal) -> dict[str, Any]:
    return {"holdId": line.hold_id, "kind": kind, "quantity": format_decimal(quantity)}
