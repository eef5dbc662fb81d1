"""What every command is made of.

A command runs in up to four stages, each of which the store survives:
1. `prepare`: outside of any transaction; asks the owners for facts. May refuse; has changed nothing.
2. `begin`: in one transaction with the command's own row; changes what changes at once and plans the steps that must
   be carried out at the owners. May refuse; the transaction is then undone.
3. `step_done` or `step_refused`: for each step, in the transaction that records its result. May plan more steps.
4. `finish`: in the transaction that closes the command, when all steps have a result.

The saga (`overlay.orders.saga`) drives 3 and 4, now or after a crash, from what stands in the store alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.approvals.chain import StepPlan
from overlay.clock import shanghai_today, text_of
from overlay.group.custody import Custody
from overlay.ledger import entries as ledger
from overlay.messages import Problem
from overlay.notices.outbox import Audience, Topic, put
from overlay.notices.told import order_changed
from overlay.orders import repository
from overlay.orders.machine import transition_for
from overlay.orders.model import ApprovalState, ApprovalStep, Command, Flow, Line, Order, Settlement, State
from overlay.orders.policy import Limits, Policy
from overlay.orders.quota import NO_QUOTA, Quota
from overlay.store import tables
from overlay.store.statements import change

__all__ = ["SETTLED", "CommandRow", "Desk", "Handler", "Step", "Work"]

SETTLED: Mapping[str, Any] = MappingProxyType({"command_id": None, "settlement": Settlement.SETTLED})
"""What an order says of itself once its command is carried out."""
_FOLLOW_UPS = 1000
"""Steps that follow from others are carried out after all that were planned at the beginning."""


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
    position: int

    @property
    def is_follow_up(self) -> bool:
        """Whether it was not planned at the beginning."""
        return self.position > _FOLLOW_UPS


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may ask before it begins."""

    custody: Custody
    policy: Policy
    now: datetime
    identity: Identity
    body: dict[str, Any]
    quota: Quota = NO_QUOTA

    @property
    def today(self) -> date:
        return shanghai_today(self.now)

    def limits(self, flow: Flow) -> Limits:
        return self.policy.limits(flow, self.today)


@dataclass(slots=True)
class Work:
    """One transaction in the life of a command."""

    connection: AsyncConnection
    policy: Policy
    now: datetime
    command: CommandRow
    planned: int = 0
    moved: list[str] = field(default_factory=list)
    steps: list[Mapping[str, Any]] = field(default_factory=list)
    """As rows, what was planned within this transaction."""
    is_settled: bool = False
    """Whether the order has been told within it that nothing is under way any more."""
    at: str = field(init=False)
    today: date = field(init=False)

    def __post_init__(self) -> None:
        self.at, self.today = text_of(self.now), shanghai_today(self.now)

    @property
    def comment(self) -> str | None:
        return self.command.body.get("comment")

    def limits(self, flow: Flow) -> Limits:
        return self.policy.limits(flow, self.today)

    async def reload(self, order_id: str) -> Order:
        order = await repository.load_order(self.connection, order_id, lock=True)
        if order is None:
            raise LookupError(f"the order {order_id} has gone")
        return order

    def follow_up(self, step: Step) -> None:
        """What is planned from here on follows from this step."""
        self.planned = _FOLLOW_UPS + step.position

    async def plan(self, action: str, line: Line, input_: Mapping[str, Any], asset_id: str | None = None) -> None:
        """Plan a command to the custody book of the line's asset, or of another one, such as its successor."""
        await self._keep_steps([self._planned(action, line, input_, asset_id)])

    async def plan_all(self, action: str, inputs: Sequence[tuple[Line, Mapping[str, Any]]]) -> None:
        """Plan the same for many lines, in this order."""
        await self._keep_steps([self._planned(action, line, input_) for line, input_ in inputs])

    async def _keep_steps(self, rows: Sequence[Mapping[str, Any]]) -> None:
        await repository.insert_rows(self.connection, tables.steps, rows)
        self.steps += rows

    def _planned(
        self, action: str, line: Line, input_: Mapping[str, Any], asset_id: str | None = None
    ) -> dict[str, Any]:
        self.planned += 1
        return {
            "id": uuid.uuid4().hex,
            "command_id": self.command.id,
            "order_id": self.command.order_id,
            "line_id": line.id,
            "position": self.planned,
            "action": action,
            "asset_id": asset_id or line.asset_id,
            "input": dict(input_),
            "state": "PENDING",
            "result": None,
            "problems": [],
            "attempts": 0,
            "updated_at": self.at,
        }

    async def drop(self, step: Step) -> None:
        """An owner refused this, and the applicant does without it: no problem is told, unless nothing else is left; of
        what was tried once more, the first refusal is told."""
        state = "CANCELLED" if step.is_follow_up else "DROPPED"
        await change(self.connection, tables.steps, {"id": step.id}, {"state": state})

    async def cancel(self) -> None:
        """Send no more of what is planned."""
        mine = {"command_id": self.command.id, "state": "PENDING"}
        await change(self.connection, tables.steps, mine, {"state": "CANCELLED"})

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
        await self.set_order(order, state=to, **values)
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
        if order.id == self.command.order_id and values.get("settlement") is Settlement.SETTLED:
            self.is_settled = True

    async def set_line(self, line: Line, **values: Any) -> None:
        await repository.update_line(self.connection, line.id, **values)

    async def begin_chain(
        self, order: Order, chain: Sequence[StepPlan], *, after: int = 0, extension: int | None = None
    ) -> None:
        """Write a new chain and give its first step its turn."""
        rows = [
            {
                "order_id": order.id,
                "position": position,
                "office": step.office,
                "region": step.region,
                "unit": step.unit,
                "clause": step.clause,
                "extension": extension,
                "state": ApprovalState.WAITING if position > after + 1 else ApprovalState.CURRENT,
            }
            for position, step in enumerate(chain, start=after + 1)
        ]
        await repository.insert_rows(self.connection, tables.approval_steps, rows)
        await self._tell_turn(order, chain[0])

    async def enter_approval_again(self, order: Order) -> None:
        """Put every step back to waiting and give the first one its turn."""
        decision = ("comment", "decided_by", "decided_unit", "decided_region", "decided_at", "on_behalf_of")
        undone = {"state": ApprovalState.WAITING, **dict.fromkeys(decision)}
        await change(self.connection, tables.approval_steps, {"order_id": order.id}, undone)
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
        await self._tell_turn(order, next(step for step in order.approvals if step.position == position))

    async def _tell_turn(self, order: Order, step: ApprovalStep | StepPlan) -> None:
        audience = Audience(step.region, step.unit, office=step.office)
        await put(self.connection, self.at, Topic.STEP_WAITING, order.id, audience, {"number": order.number})

    async def skip_steps(self, order: Order) -> None:
        """Nobody's turn it is any more: what was not decided never will be."""
        if (step := order.current_step) is not None:
            await repository.update_step(self.connection, order.id, step.position, state=ApprovalState.WAITING)

    async def book(
        self,
        order: Order,
        line: Line,
        movement: ledger.Movement,
        source: ledger.Account,
        target: ledger.Account,
        quantity: Decimal,
        moved_before: Decimal,
        target_asset: str | None = None,
        *,
        learns: bool = False,
    ) -> None:
        """Write the movement's pair into the ledger. `learns`: as of `ledger.append`."""
        in_store = ledger.Account(line.lending_region, line.owner_unit, ledger.Custody.IN_STORE)
        opening = ledger.Opening(in_store, line.card_quantity, line.card_value, line.asset_class)
        value = ledger.share_of(line.card_value, moved_before, quantity, line.card_quantity)
        transfer = ledger.Transfer(movement, source, target, quantity, value, target_asset)
        await ledger.append(
            self.connection,
            line.asset_id,
            order.id,
            self.at,
            opening,
            transfer,
            lineage=line.lineage,
            learns=learns,
        )


class Handler:
    """A command with no steps and nothing to do; each stage is overridden where it does something."""

    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        return ()

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        return None

    async def step_refused(self, work: Work, order: Order, step: Step, problems: Sequence[Problem]) -> None:
        return None

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        return None
