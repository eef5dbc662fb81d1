"""What every command is made of.

A command runs in up to four stages, each of which the store survives:
1. `prepare`: outside of any transaction; asks the owners for facts. May refuse; has changed nothing.
2. `begin`: in one transaction with the command's own row; changes what changes at once and plans the steps that must
   be carried out at the owners. May refuse; the transaction is then undone.
3. `step_done`: for each step, in the transaction that records its result.
4. `finish`: in the transaction that closes the command, when all steps have a result.

The saga (`overlay.orders.saga`) drives 3 and 4, now or after a crash, from what stands in the store alone.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.decimals import format_decimal
from contract.identity import Identity
from overlay.approvals.chain import StepPlan
from overlay.clock import parse_instant, shanghai_today, text_of
from overlay.group.custody import AssetFacts, Custody, Unavailable
from overlay.ledger import entries as ledger
from overlay.messages import Problem, problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.notices.told import order_changed
from overlay.orders import repository
from overlay.orders.machine import transition_for
from overlay.orders.model import ApprovalState, Command, Line, Order, Settlement, State
from overlay.orders.policy import Policy
from overlay.store import tables

__all__ = [
    "CommandRow",
    "Desk",
    "Handler",
    "Step",
    "Work",
    "check_unchanged",
    "gather_facts",
    "goods_damaged",
    "line_quantities",
]

_READS_AT_ONCE_MAX = 8
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class CommandRow:
    id: str
    name: Command
    order_id: str
    body: Mapping[str, Any]
    actor: Identity
    state: str


@dataclass(frozen=True, slots=True)
class Step:
    """One command to an owner's custody book; its id is the idempotency key that is sent."""

    id: str
    action: str
    line_id: str
    asset_id: str
    input: Mapping[str, Any]
    state: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may ask before it begins."""

    custody: Custody
    policy: Policy
    now: datetime
    identity: Identity
    body: dict[str, Any]


@dataclass(slots=True)
class Work:
    """One transaction in the life of a command."""

    connection: AsyncConnection
    policy: Policy
    now: datetime
    command: CommandRow
    planned: int = 0
    moved: list[str] = field(default_factory=list)

    @property
    def at(self) -> str:
        return text_of(self.now)

    async def reload(self, order_id: str) -> Order:
        order = await repository.load_order(self.connection, order_id, lock=True)
        if order is None:
            raise LookupError(f"the order {order_id} has gone")
        return order

    async def plan(self, action: str, line: Line, input_: Mapping[str, Any]) -> None:
        self.planned += 1
        await repository.insert_row(
            self.connection,
            tables.steps,
            id=uuid.uuid4().hex,
            command_id=self.command.id,
            order_id=self.command.order_id,
            line_id=line.id,
            position=self.planned,
            action=action,
            asset_id=line.asset_id,
            input=dict(input_),
            state="PENDING",
            result=None,
            problems=[],
            attempts=0,
            updated_at=self.at,
        )

    async def transition(
        self,
        order: Order,
        command: Command,
        to: State,
        *,
        actor: Identity | None = None,
        comment: str | None = None,
        **values: Any,
    ) -> None:
        """Change the order's state by a row of the table, and say so in its timeline."""
        row = transition_for(order.flow, order.state, command)
        if row is None or to not in row.to:
            raise AssertionError(f"no row lets {order.flow} {order.state} go to {to} by {command}")
        await repository.update_order(self.connection, order.id, self.at, state=to, **values)
        await self.note(order.id, command, order.state, to, actor or self.command.actor, comment)
        await order_changed(self.connection, self.at, order, command, to)

    async def note(
        self, order_id: str, command: Command, before: State | None, after: State, actor: Identity, comment: str | None
    ) -> None:
        await repository.insert_row(
            self.connection,
            tables.timeline,
            order_id=order_id,
            at=self.at,
            command=command,
            from_state=before,
            to_state=after,
            person=actor.person,
            unit=actor.unit,
            region=actor.region,
            comment=comment,
        )

    async def set_order(self, order: Order, **values: Any) -> None:
        await repository.update_order(self.connection, order.id, self.at, **values)

    async def set_line(self, line: Line, **values: Any) -> None:
        await repository.update_line(self.connection, line.id, **values)

    async def write_chain(self, order_id: str, chain: Sequence[StepPlan]) -> None:
        for position, step in enumerate(chain, start=1):
            await repository.insert_row(
                self.connection,
                tables.approval_steps,
                order_id=order_id,
                position=position,
                office=step.office,
                region=step.region,
                unit=step.unit,
                clause=step.clause,
                state=ApprovalState.WAITING,
            )

    async def enter_approval(self, order: Order) -> None:
        """Put every step back to waiting and give the first one its turn."""
        for step in order.approvals:
            await repository.update_step(
                self.connection,
                order.id,
                step.position,
                state=ApprovalState.WAITING,
                comment=None,
                decided_by=None,
                decided_unit=None,
                decided_region=None,
                decided_at=None,
                on_behalf_of=None,
            )
        await self.give_turn(order, 1)

    async def decide(self, order: Order, state: ApprovalState, comment: str | None) -> None:
        step, actor = order.current_step, self.command.actor
        if step is None:
            raise AssertionError("only a current step is decided")
        await repository.update_step(
            self.connection,
            order.id,
            step.position,
            state=state,
            comment=comment,
            decided_by=actor.person,
            decided_unit=actor.unit,
            decided_region=actor.region,
            decided_at=self.at,
            on_behalf_of=self.command.body.get("onBehalfOf"),
        )

    async def give_turn(self, order: Order, position: int) -> None:
        """Make a step the current one, and tell those who hold its office."""
        await repository.update_step(self.connection, order.id, position, state=ApprovalState.CURRENT)
        step = next(step for step in order.approvals if step.position == position)
        audience = Audience(step.region, step.unit, office=step.office)
        await put(self.connection, self.at, Topic.STEP_WAITING, order.id, audience, {"number": order.number})

    async def book(
        self,
        order: Order,
        line: Line,
        movement: ledger.Movement,
        source: ledger.Account,
        target: ledger.Account,
        quantity: Decimal,
        moved_before: Decimal,
    ) -> None:
        """Write the movement's pair into the ledger."""
        in_store = ledger.Account(line.lending_region, line.owner_unit, ledger.Custody.IN_STORE)
        opening = ledger.Opening(in_store, line.card_quantity, line.card_value, line.asset_class)
        value = ledger.share_of(line.card_value, moved_before, quantity, line.card_quantity)
        transfer = ledger.Transfer(movement, source, target, quantity, value)
        await ledger.append(self.connection, line.asset_id, order.id, self.at, opening, transfer)


class Handler:
    """A command with no steps and nothing to do; each stage is overridden where it does something."""

    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        return ()

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        return None

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        return None


async def gather_facts(
    custody: Custody, asset_ids: Sequence[str], window: tuple[date, date]
) -> dict[str, AssetFacts | Unavailable | None]:
    """The facts of all assets, some at a time."""
    gate = asyncio.Semaphore(_READS_AT_ONCE_MAX)

    async def one(asset_id: str) -> AssetFacts | Unavailable | None:
        async with gate:
            return await custody.facts(asset_id, window)

    return dict(zip(asset_ids, await asyncio.gather(*(one(asset_id) for asset_id in asset_ids)), strict=True))


async def check_unchanged(desk: Desk, order: Order, lines: Sequence[Line], statuses: frozenset[str]) -> list[Problem]:
    """Whether the assets are still what was applied for, and still in a status that allows it."""
    facts = await gather_facts(desk.custody, [line.asset_id for line in lines], loan_window(order))
    problems: list[Problem] = []
    for line in lines:
        found = facts[line.asset_id]
        path = ("lines", str(line.position))
        if isinstance(found, Unavailable):
            problems.append(problem("REGION_UNAVAILABLE", *path, region=line.lending_region))
        elif found is None or found.status not in statuses or not found.shareable:
            problems.append(problem("ASSET_NOT_AVAILABLE", *path, id=line.asset_id))
        elif found.digest != line.facts:
            problems.append(problem("ASSET_CHANGED", *path, id=line.asset_id))
    return problems


def line_quantities(
    body: Mapping[str, Any], lines: Sequence[Line], left: Mapping[str, Decimal]
) -> tuple[list[tuple[Line, Decimal]], list[Problem]]:
    """Which lines and how much: what the input names, or all that is left of the lines given."""
    wanted = body.get("lines")
    if wanted is None:
        chosen = [(line, left[line.id]) for line in lines if left[line.id] > 0]
        return chosen, [] if chosen else [problem("NOTHING_TO_DO", "lines")]
    by_id = {line.id: line for line in lines}
    chosen, problems, seen = [], [], set()
    for index, item in enumerate(wanted):
        path = ("lines", str(index))
        line = by_id.get(item["lineId"])
        if line is None:
            problems.append(problem("UNKNOWN_LINE", *path, "lineId"))
            continue
        quantity = left[line.id] if item.get("quantity") is None else to_quantity(item["quantity"])
        if line.id in seen:
            problems.append(problem("DUPLICATE_LINE", *path))
        elif quantity is None or not 0 < quantity <= left[line.id]:
            problems.append(problem("INVALID_QUANTITY", *path, "quantity", max=format_decimal(left[line.id])))
        else:
            chosen.append((line, quantity))
        seen.add(line.id)
    if not wanted:
        problems.append(problem("NOTHING_TO_DO", "lines"))
    return chosen, problems


def goods_damaged(path: Sequence[str], asset_id: str, damaged: Decimal, free: Decimal) -> Problem:
    numbers = {"damaged": format_decimal(damaged), "free": format_decimal(max(free, Decimal(0)))}
    return problem("GOODS_DAMAGED", *path, id=asset_id, **numbers)


def to_quantity(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def expiry_of(data: Mapping[str, Any]) -> str | None:
    """When the hold that an owner answered with lapses, in the spelling that sorts by time."""
    expires = (data.get("hold") or {}).get("expiresAt")
    return None if expires is None else text_of(parse_instant(expires))


def shanghai_day(desk: Desk) -> date:
    return shanghai_today(desk.now)


def loan_window(order: Order) -> tuple[date, date]:
    if order.from_day is None or order.to_day is None:
        raise ValueError(f"{order.id} has no range")
    return order.from_day, order.to_day


SETTLED: dict[str, Any] = {"command_id": None, "settlement": Settlement.SETTLED}
