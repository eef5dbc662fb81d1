"""调剂: goods arrive, and their title passes from the owner to the receiver.

At each receipt the receiver's book makes a successor card, then the owner's book lets the goods go for good and names
the successor, and the ledger moves them from (owner's region, unit) to (receiver's region, unit) on the lineage that
both cards share. The card comes first: a receiver's store that refuses leaves the goods where they are, in transit,
to be received again later or sent back to their owner. The successor's id follows from line and receipt, so a
receipt that is repeated after a fault asks for the same card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal, format_money, parse_decimal
from contract.ids import successor_id
from overlay.group.facts import Unavailable
from overlay.ledger.entries import Custody, Movement, share_of
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Desk, Handler, Step, Work
from overlay.orders.commands.checks import check_text, line_of, line_quantities
from overlay.orders.commands.goods import finish_goods
from overlay.orders.commands.stock import applicant_account, by_lineage, owner_account
from overlay.orders.model import Command, HoldState, Line, Order
from overlay.orders.progress import goods_state

__all__ = ["Arrive", "ReceiveForGood", "ReturnToOwner"]

_MONEY = ("originalValue", "accumulatedDepreciation", "netValue")
STATUS = "IN_USE"
"""Of the receiver's card: who asked for goods uses them."""


class Arrive(Handler):
    """到货: goods stand at the receiver's door, counted but not accepted."""

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        left = {line.id: line.on_the_road for line in order.lines}
        chosen, problems = line_quantities(work.command.body, order.lines, left)
        if problems:
            return problems
        for line, quantity in chosen:
            await work.set_line(line, arrived=line.arrived + quantity)
        changed = await work.reload(order.id)
        await work.transition(changed, Command.ARRIVE, goods_state(changed), comment=work.comment)
        return ()


class ReturnToOwner(Handler):
    """退回权属方: what the receiver will not or cannot take goes back; its owner's keeper inspects it."""

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        left = {line.id: line.on_the_road + line.at_the_door for line in order.lines}
        chosen, problems = line_quantities(work.command.body, order.lines, left)
        problems += check_text(work.command.body, "reason")
        if problems:
            return problems
        for line, quantity in by_lineage(chosen):
            source, target = owner_account(line, Custody.IN_TRANSIT), owner_account(line, Custody.RETURNING)
            before = line.received + line.returning + line.returned
            await work.book(order, line, Movement.SEND_BACK, source, target, quantity, before)
            # what turns round on the road counts as having come and been refused
            arrived = max(line.arrived, before + quantity)
            await work.set_line(line, arrived=arrived, returning=line.returning + quantity)
        changed = await work.reload(order.id)
        reason = work.command.body["reason"].strip()
        await work.transition(changed, Command.RETURN_TO_OWNER, goods_state(changed), comment=reason)
        return ()


class ReceiveForGood(Handler):
    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        chosen, problems = _chosen(desk.body, order)
        cards: dict[str, Any] = {}
        for line, quantity in chosen if not problems else ():
            card = await desk.custody.card(line.asset_id)
            path = ("lines", str(line.position))
            if isinstance(card, Unavailable):
                problems.append(problem("REGION_UNAVAILABLE", *path, region=line.lending_region))
            elif card is None:
                problems.append(problem("ASSET_NOT_AVAILABLE", *path, id=line.asset_id))
            else:
                cards[line.id] = _successor(order, line, quantity, card)
        desk.body["cards"] = cards
        return problems

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        chosen, problems = _chosen(work.command.body, order)
        if problems:
            return problems
        for line, quantity in chosen:
            successor = _successor_id(order, line)
            if successor in line.successors:
                await _plan_transfer(work, order, line, quantity, successor)
            else:
                await work.plan("RECEIVE_CARD", line, work.command.body["cards"][line.id], asset_id=successor)
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line, quantity = line_of(order, step.line_id), Decimal(step.input["quantity"])
        if step.action == "RECEIVE_CARD":
            await work.set_line(line, successors=[*line.successors, step.asset_id])
            work.follow_up(step)
            await _plan_transfer(work, order, line, quantity, step.asset_id)
            return
        source, target = owner_account(line, Custody.IN_TRANSIT), applicant_account(order, Custody.IN_STORE)
        successor = step.input["successorId"]
        await work.book(order, line, Movement.TRANSFER, source, target, quantity, line.received, successor)
        received = line.received + quantity
        over = received + line.returned == line.quantity
        await work.set_line(line, received=received, hold_state=HoldState.RELEASED if over else HoldState.DISPATCHED)

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        await finish_goods(work, order, Command.RECEIVE)


def _chosen(body: Mapping[str, Any], order: Order) -> tuple[list[tuple[Line, Decimal]], list[Problem]]:
    return line_quantities(body, order.lines, {line.id: line.at_the_door for line in order.lines})


def _successor_id(order: Order, line: Line) -> str:
    reference = f"{line.id}:{format_decimal(line.received)}"
    return successor_id(order.applicant.region or "", line.asset_id, reference)


async def _plan_transfer(work: Work, order: Order, line: Line, quantity: Decimal, successor: str) -> None:
    input_ = {
        "holdId": line.hold_id,
        "orderId": order.id,
        "quantity": format_decimal(quantity),
        "successorId": successor,
    }
    await work.plan("TRANSFER_OUT", line, input_)


def _successor(order: Order, line: Line, quantity: Decimal, card: Mapping[str, Any]) -> dict[str, Any]:
    """The receiver's card: what the owner's card says, for so many of it and their share of its value."""
    taken = {name: value for name, value in card.items() if value is not None and name not in _MONEY}
    for name in _MONEY:
        if card.get(name) is not None:
            share = share_of(parse_decimal(card[name]), Decimal(0), quantity, parse_decimal(card["quantity"]))
            taken[name] = format_money(share or Decimal(0))
    return {
        **taken,
        "predecessorId": line.asset_id,
        "lineageId": line.lineage or line.asset_id,
        "orderId": order.id,
        "ownerUscc": order.applicant.unit,
        "name": card.get("name") or line.asset_name or line.asset_id,
        "quantity": format_decimal(quantity),
        "status": STATUS,
        "shareable": False,
    }
