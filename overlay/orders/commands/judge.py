"""鉴定、检测、验收: a keeper finds something of each line, and what was found decides where the goods go.

One table for each command: what an outcome means in the owner's custody book and in the ledger. What moves nothing in
the book counts at once; the rest counts when the book has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contract.decimals import format_money
from overlay.ledger.entries import Custody, Movement
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Desk, Handler, Step, Work
from overlay.orders.commands.checks import TEXT_MAX, check_unchanged, line_of, to_amount
from overlay.orders.commands.goods import finish_goods, movement_input
from overlay.orders.commands.stock import (
    book_from,
    by_lineage,
    owner_account,
    refusals_of_unfit,
    refusals_of_unrecorded,
    telling_who_yields,
)
from overlay.orders.model import Command, HoldState, Line, Order, Outcome
from overlay.orders.progress import goods_state, to_appraise, to_diagnose, to_inspect
from overlay.orders.shortages import USELESS
from overlay.store.locks import lock_goods

__all__ = ["APPRAISE", "DIAGNOSE", "INSPECT_REPAIR", "INSPECT_SENT_BACK", "Judge", "JudgeLines", "Verdict", "judged"]

Changes = Callable[[Line, Decimal], Mapping[str, Any]]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    kind: str | None = None
    """Of the movement in the owner's custody book; None: the book need not know."""
    movement: Movement | None = None
    sources: tuple[Custody, ...] = ()
    target: Custody | None = None
    changes: Changes
    """Of the line, by what was judged of it."""
    frees_hold: bool = False
    """The hold is given back at once, for nothing will leave on it."""
    only_fit: bool = False
    """Whether it can be said only of what works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    command: Command
    verdicts: Mapping[Outcome, Verdict]
    quantity: Callable[[Line], Decimal]
    """How much of a line is to be judged; none: it is not open."""
    is_checked: bool = False
    asks_cost: frozenset[Outcome] = frozenset()


def _back(line: Line, quantity: Decimal) -> Mapping[str, Any]:
    over = line.returned + line.received + quantity == line.dispatched == line.quantity
    return {
        "returning": line.returning - quantity,
        "returned": line.returned + quantity,
        "hold_state": HoldState.RELEASED if over else HoldState.DISPATCHED,
    }


def _left(line: Line, quantity: Decimal) -> Mapping[str, Any]:
    return {"dispatched": quantity, "hold_state": HoldState.DISPATCHED}


def _nothing(line: Line, quantity: Decimal) -> Mapping[str, Any]:
    return {}


APPRAISE = Judge(
    command=Command.APPRAISE,
    quantity=lambda line: line.quantity if to_appraise(line) else Decimal(0),
    is_checked=True,
    verdicts={
        Outcome.PASSED: Verdict(
            kind="DISPATCH",
            movement=Movement.SURRENDER,
            sources=(Custody.IN_STORE,),
            target=Custody.IN_TRANSIT,
            changes=_left,
            only_fit=True,
        ),
        Outcome.REFUSED: Verdict(
            changes=lambda line, _: {"quantity": Decimal(0), "refusal": "REFUSED"}, frees_hold=True
        ),
    },
)
DIAGNOSE = Judge(
    command=Command.DIAGNOSE,
    quantity=lambda line: line.quantity if to_diagnose(line) else Decimal(0),
    asks_cost=frozenset({Outcome.NEEDS_REPAIR}),
    verdicts={
        Outcome.NEEDS_REPAIR: Verdict(
            kind="REPAIR_OUT",
            movement=Movement.REPAIR,
            sources=(Custody.DAMAGED, Custody.TO_DISPOSE, Custody.IN_STORE),
            target=Custody.IN_REPAIR,
            changes=_left,
        ),
        Outcome.SCRAP: Verdict(
            movement=Movement.SCRAP,
            sources=(Custody.DAMAGED, Custody.TO_DISPOSE, Custody.IN_STORE),
            target=Custody.TO_DISPOSE,
            changes=_nothing,
            frees_hold=True,
        ),
    },
)
INSPECT_REPAIR = Judge(
    command=Command.INSPECT,
    quantity=to_inspect,
    verdicts={
        Outcome.PASSED: Verdict(
            kind="REPAIR_IN",
            movement=Movement.STORE,
            sources=(Custody.IN_REPAIR,),
            target=Custody.IN_STORE,
            changes=_back,
        ),
        Outcome.SCRAP: Verdict(
            kind="REPAIR_IN",
            movement=Movement.SCRAP,
            sources=(Custody.IN_REPAIR,),
            target=Custody.TO_DISPOSE,
            changes=_back,
        ),
        Outcome.NEEDS_REPAIR: Verdict(changes=lambda line, quantity: {"returning": line.returning - quantity}),
    },
)
INSPECT_SENT_BACK = Judge(
    command=Command.INSPECT,
    quantity=to_inspect,
    verdicts={
        Outcome.PASSED: Verdict(
            kind="RETURN",
            movement=Movement.STORE,
            sources=(Custody.RETURNING,),
            target=Custody.IN_STORE,
            changes=_back,
        ),
        Outcome.NEEDS_REPAIR: Verdict(
            kind="RETURN",
            movement=Movement.DAMAGE,
            sources=(Custody.RETURNING,),
            target=Custody.DAMAGED,
            changes=_back,
        ),
        Outcome.LOST: Verdict(
            kind="WRITE_OFF",
            movement=Movement.LOSE,
            sources=(Custody.RETURNING,),
            target=Custody.LOST,
            changes=_back,
        ),
    },
)


class JudgeLines(Handler):
    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        if not self._judge.is_checked:
            return ()
        pairs, problems = judged(desk.body, order, desk.identity.region, self._judge)
        if problems:
            return problems
        statuses = desk.policy.statuses(order.flow, desk.today)
        return await check_unchanged(desk, order, [line for line, _ in pairs], statuses.dispatch)

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        pairs, problems = judged(work.command.body, order, work.command.actor.region, self._judge)
        problems = problems or await self._check_goods(work, pairs)
        if problems:
            return problems
        at_once = [(line, self._verdict(item)) for line, item in pairs if self._verdict(item).kind is None]
        await lock_goods(work.connection, [line.asset_id for line, verdict in at_once if verdict.target in USELESS])
        for line, item in by_lineage(pairs):
            verdict = self._verdict(item)
            if verdict.kind is not None:
                await work.plan(verdict.kind, line, movement_input(line, verdict.kind, self._judge.quantity(line)))
                continue
            await self._settle(work, order, line, item)
            if verdict.frees_hold and line.hold_state is HoldState.ACTIVE:
                await work.plan("RELEASE", line, {"holdId": line.hold_id})
        changed = await work.reload(order.id)
        await work.transition(
            changed, self._judge.command, goods_state(changed), comment=work.comment, holds_expire_at=None
        )
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Mapping[str, Any]) -> None:
        line = line_of(order, step.line_id)
        if step.action == "RELEASE":
            await work.set_line(line, hold_state=HoldState.RELEASED)
            return
        item = next(one for one in work.command.body["lines"] if one["lineId"] == line.id)
        await self._settle(work, order, line, item)

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if goods_state(order) is not order.state:
            await finish_goods(work, order, self._judge.command)

    def _verdict(self, item: Item) -> Verdict:
        return self._judge.verdicts[Outcome(item["outcome"])]

    async def _check_goods(self, work: Work, pairs: Sequence[tuple[Line, Item]]) -> list[Problem]:
        moved = [line for line, item in pairs if Custody.IN_STORE in self._verdict(item).sources]
        if problems := await refusals_of_unrecorded(work, moved):
            return problems
        fit = [line for line, item in pairs if self._verdict(item).only_fit]
        return await refusals_of_unfit(work, [(line, self._judge.quantity(line)) for line in fit])

    async def _settle(self, work: Work, order: Order, line: Line, item: Item) -> None:
        """What the verdict means, once it counts."""
        outcome = Outcome(item["outcome"])
        verdict, quantity = self._judge.verdicts[outcome], self._judge.quantity(line)
        found: dict[str, Any] = {"outcome": outcome}
        if item.get("finding"):
            found["appraisal"] = item["finding"].strip()
        if item.get("cost") is not None:
            found["cost"] = Decimal(item["cost"])
        async with telling_who_yields(work, line.asset_id, verdict.target):
            if verdict.movement is not None and verdict.target is not None:
                target, moved = owner_account(line, verdict.target), line.returned + line.received
                await book_from(work, order, line, verdict.movement, verdict.sources, target, quantity, moved)
            await work.set_line(line, **found, **verdict.changes(line, quantity))


def judged(
    body: Mapping[str, Any], order: Order, region: str | None, judge: Judge
) -> tuple[list[tuple[Line, Item]], list[Problem]]:
    """The lines that the input names, each with what it says of it: once, open, of the keeper's region."""
    wanted = body["lines"]
    own = {line.id: line for line in order.lines if line.lending_region == region and judge.quantity(line) > 0}
    if not wanted:
        return [], [problem("NOTHING_TO_DO", "lines")]
    pairs: list[tuple[Line, Item]] = []
    problems: list[Problem] = []
    for index, item in enumerate(wanted[: len(order.lines) + 1]):
        path, line = ("lines", str(index)), own.pop(item["lineId"], None)
        if line is None:
            problems.append(problem("UNKNOWN_LINE", *path, "lineId"))
        elif (refusal := _refusal_of_item(judge, line, item, path)) is not None:
            problems.append(refusal)
        else:
            pairs.append((line, item))
    return sorted(pairs, key=lambda pair: pair[0].position), problems


def _refusal_of_item(judge: Judge, line: Line, item: Item, path: tuple[str, ...]) -> Problem | None:
    outcome = Outcome(item["outcome"])
    if outcome not in judge.verdicts:
        return problem("INVALID_OUTCOME", *path, "outcome", outcomes=", ".join(sorted(judge.verdicts)))
    if len(item.get("finding") or "") > TEXT_MAX:
        return problem("INVALID_TEXT", *path, "finding", max=str(TEXT_MAX))
    if outcome in judge.asks_cost:
        most = line.estimate or Decimal(0)
        cost = to_amount(item.get("cost") or "")
        if cost is None:
            return problem("INVALID_AMOUNT", *path, "cost", max=format_money(most))
        if cost > most:
            return problem("COST_OVER_ESTIMATE", *path, "cost", max=format_money(most))
    return None
