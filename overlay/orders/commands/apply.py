"""申请与重新提交: an application becomes an order, and a hold is placed for each line.

All lines or none, unless the applicant accepts a part (`overlay.orders.commands.holds`). Disposal and donation begin
with a public notice instead, and place their holds when nobody took the goods (`overlay.orders.commands.notice`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from contract.identity import Identity
from overlay.bodies.model import TemporaryBody, body_to_borrow
from overlay.group.facts import AssetFacts, Unavailable
from overlay.messages import Problem, problem
from overlay.orders import repository
from overlay.orders.commands.base import SETTLED, Desk, Handler, Step, Work
from overlay.orders.commands.cases import case_of
from overlay.orders.commands.checks import check_text, expiry_of, gather_facts, goods_damaged, window_of
from overlay.orders.commands.draft import Draft, DraftLine
from overlay.orders.commands.holds import DAY_S, PlacesHolds, place_holds, renew_holds
from overlay.orders.commands.notice import begin_notice, stop_notices
from overlay.orders.commands.rows import new_line, new_order
from overlay.orders.commands.stock import tell_who_yields_to, unfit_quantity
from overlay.orders.model import Command, Flow, Order, Outcome, Settlement, State
from overlay.orders.traits import TRAITS
from overlay.store import tables

__all__ = ["Apply", "Resubmit"]


class Apply(PlacesHolds):
    async def create(self, work: Work, order_id: str, draft: Draft, applicant: Identity) -> list[Problem]:
        """Write the whole application and the holds it needs, before anything is sent. May refuse."""
        problems = await _check_sources(work, draft)
        body = await _body_of(work, draft, applicant)
        problems += [body] if isinstance(body, Problem) else []
        lines = [await _fit(work, draft.flow, item) for item in draft.lines]
        problems += [item for item in lines if isinstance(item, Problem)]
        granted = [item for item in lines if isinstance(item, DraftLine)]
        if problems or not any(item.quantity for item in granted):
            return problems or [_nothing_left(item) for item in granted]
        order = _order_values(work, order_id, draft, applicant)
        if isinstance(body, TemporaryBody):
            order |= {"body_id": body.id, "details": {**draft.details, "temporaryBody": body.told()}}
        rows = [_line_values(order_id, position, item) for position, item in enumerate(granted)]
        await repository.insert_row(work.connection, tables.orders, **order)
        await repository.insert_rows(work.connection, tables.order_lines, rows)
        if not TRAITS[draft.flow].has_notice:
            versions = {item.facts.id: item.version for item in granted}
            await place_holds(work, repository.order_of(order, rows), versions)
        await work.note(order_id, Command.APPLY, None, State.DRAFT, applicant, None)
        return []

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if not problems and TRAITS[order.flow].has_notice:
            await begin_notice(work, order, Command.APPLY, listed=True, **SETTLED)
        elif not problems:
            chain = work.policy.chain(order.flow, work.today, case_of(order, order.live_lines))
            await work.begin_chain(order, chain)
            await work.transition(order, Command.APPLY, State.IN_APPROVAL, listed=True, **SETTLED)
            await stop_notices(work, order)
            await tell_who_yields_to(work, order)
        elif order.settlement is Settlement.UNKNOWN:
            # somebody has been shown this order, so its end is shown too
            codes = ", ".join(dict.fromkeys(item.code for item in problems))
            await work.transition(order, Command.APPLY, State.REJECTED, comment=codes, **SETTLED)


async def _fit(work: Work, flow: Flow, item: DraftLine) -> DraftLine | Problem:
    """Nobody is lent or given what came back damaged: less, where a part is accepted, else nothing."""
    if TRAITS[flow].own_use or not (unfit := await unfit_quantity(work.connection, item.facts.id)):
        return item
    fit = item.facts.quantity - unfit
    if item.quantity <= fit:
        return item
    if item.accepts_partial:
        return replace(item, quantity=max(fit, Decimal(0)), refusal="GOODS_DAMAGED")
    return goods_damaged(("lines", str(item.index)), item.facts.id, unfit, fit)


def _nothing_left(item: DraftLine) -> Problem:
    return goods_damaged(("lines", str(item.index)), item.facts.id, item.facts.quantity, Decimal(0))


async def _body_of(work: Work, draft: Draft, applicant: Identity) -> TemporaryBody | Problem | None:
    """The temporary body that the applicant asks for, if they ask for one."""
    id_ = draft.details.get("temporaryBody")
    return None if id_ is None else await body_to_borrow(work.connection, id_, applicant, draft.window[1])


async def _check_sources(work: Work, draft: Draft) -> list[Problem]:
    """A repair that comes from a return must come from a line that was found to need it, and once."""
    lines, problems = tables.order_lines, list[Problem]()
    for item in draft.lines:
        if item.source_line_id is None:
            continue
        query = select(lines.c.id).where(
            lines.c.id == item.source_line_id,
            lines.c.asset_id == item.facts.id,
            lines.c.outcome == Outcome.NEEDS_REPAIR,
        )
        found = (await work.connection.execute(query)).first()
        path = ("lines", str(item.index), "returnLineId")
        if found is None:
            problems.append(problem("UNKNOWN_LINE", *path))
        elif await repository.repairs_of_lines(work.connection, [item.source_line_id]):
            problems.append(problem("REPAIR_ASKED", *path))
    return problems


def _order_values(work: Work, order_id: str, draft: Draft, applicant: Identity) -> dict[str, Any]:
    return new_order(
        work,
        order_id,
        draft.flow,
        State.DRAFT,
        applicant,
        listed=False,
        from_day=draft.window[0],
        to_day=draft.window[1],
        purpose=draft.purpose,
        accepts_partial=draft.accepts_partial,
        details=dict(draft.details),
        wants=[dict(want) for want in draft.wants] or None,
        command_id=work.command.id,
        settlement=Settlement.PENDING,
    )


def _line_values(order_id: str, position: int, item: DraftLine) -> dict[str, Any]:
    facts = item.facts
    return new_line(
        order_id,
        position,
        item.quantity,
        asked=item.asked,
        refusal=item.refusal,
        accepts_partial=item.accepts_partial,
        asset_id=facts.id,
        asset_name=facts.name,
        lending_region=item.region,
        owner_unit=facts.owner_unit,
        unit_of_measure=facts.unit_of_measure,
        card_quantity=facts.quantity,
        card_value=facts.original_value,
        asset_class=facts.class_code,
        lineage=facts.lineage,
        facts=facts.digest,
        loan_line_id=item.source_line_id,
        estimate=item.estimate,
        appraisal=item.appraisal,
        quota=item.quota,
        want=item.want,
    )


class Resubmit(Handler):
    """退回后重新提交: the assets are looked at anew, the holds renewed, and approval starts from its first step."""

    async def prepare(self, desk: Desk, order: Order) -> Sequence[Problem]:
        statuses = desk.policy.statuses(order.flow, desk.today).approve
        lines = order.live_lines
        facts = await gather_facts(desk.custody, [line.asset_id for line in lines], window_of(order))
        fresh: dict[str, str] = {}
        problems: list[Problem] = []
        for line in lines:
            found, path = facts[line.asset_id], ("lines", str(line.position))
            if isinstance(found, Unavailable):
                problems.append(problem("REGION_UNAVAILABLE", *path, region=line.lending_region))
            elif found is None or found.status not in statuses or not _is_offered(order, found):
                problems.append(problem("ASSET_NOT_AVAILABLE", *path, id=line.asset_id))
            else:
                fresh[line.id] = found.digest
        desk.body["facts"] = fresh
        return problems + (check_text(desk.body, "purpose") if desk.body.get("purpose") is not None else [])

    async def begin(self, work: Work, order: Order) -> Sequence[Problem]:
        await renew_holds(work, order, work.limits(order.flow).hold_days_in_approval * DAY_S)
        return ()

    async def step_done(self, work: Work, order: Order, step: Step, data: Any) -> None:
        await work.set_order(order, holds_expire_at=expiry_of(data))

    async def finish(self, work: Work, order: Order, problems: Sequence[Problem]) -> None:
        if problems:
            return
        for line in order.live_lines:
            await work.set_line(line, facts=work.command.body["facts"][line.id])
        purpose = work.command.body.get("purpose") or order.purpose
        if TRAITS[order.flow].has_notice:
            today = work.today
            window = {"from_day": today, "to_day": work.limits(order.flow).latest_end(today)}
            await begin_notice(work, order, Command.RESUBMIT, purpose=purpose, **window)
            return
        await work.enter_approval_again(order)
        await work.transition(order, Command.RESUBMIT, State.IN_APPROVAL, purpose=purpose)


def _is_offered(order: Order, facts: AssetFacts) -> bool:
    """Whether its owner still shares it, for as long as the order lasts; its owner's own business needs no sharing."""
    if TRAITS[order.flow].own_use:
        return True
    until = window_of(order)[1]
    return facts.shareable and (facts.shareable_until is None or facts.shareable_until >= until)
