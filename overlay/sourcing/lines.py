"""An application's lines by class and quantity become lines of assets, before anything is checked or held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog

from contract.decimals import format_decimal
from overlay.clock import shanghai_today
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Desk
from overlay.orders.model import Flow
from overlay.sourcing.candidates import CLASS_CODE, Found, Want, find_offers
from overlay.sourcing.plan import Plan, find_plan

__all__ = ["WANTS_MAX", "Proposal", "propose", "read_wants", "source_lines"]

_log = structlog.get_logger(__name__)

WANTS_MAX = 20
QUANTITY_MAX = Decimal(1_000_000)
SPECIFICATION_MAX = 100

Proposal = tuple[Plan, Found]


async def source_lines(desk: Desk, flow: Flow, window: tuple[date, date]) -> list[Problem]:
    """Replace each line with a `want` by the assets that are proposed for it. `desk.body` then has the lines to go
    on with, each with its place in the input (`at`) and the index of its want, and the wants themselves beside them."""
    lines = [{**line, "at": index} for index, line in enumerate(desk.body["lines"])]
    unclear = [index for index, line in enumerate(lines) if _is_unclear(line)]
    if unclear:
        return [problem("LINE_UNCLEAR", "lines", str(index)) for index in unclear]
    accepts = bool(desk.body.get("acceptPartial"))
    accepting = {index for index, line in enumerate(lines) if accepts or line.get("acceptPartial")}
    asked = [(index, line["want"]) for index, line in enumerate(lines) if line.get("want") is not None]
    if not asked:
        return []
    wants, problems = read_wants(asked, "lines")
    if problems:
        return problems
    named = {line["assetId"] for line in lines if line.get("assetId") is not None}
    try:
        plan, _ = await propose(desk, flow, wants, window, without=named)
    except Exception as error:  # whatever the transport says, nothing was placed yet
        _log.warning("sources_not_found", error=repr(error))
        return [problem("REGION_UNAVAILABLE", "lines", region="*")]
    places = [at for at, _ in asked]
    problems = [
        problem(
            "NOT_ENOUGH",
            "lines",
            str(places[index]),
            wanted=format_decimal(wants[index].quantity),
            found=format_decimal(wants[index].quantity - missing),
        )
        for index, missing in enumerate(plan.missing)
        if missing > 0 and places[index] not in accepting
    ]
    if not problems and not plan.takes and not named:
        problems = [problem("NOT_ENOUGH", "lines", wanted=_total(wants), found="0")]
    desk.body["lines"] = [line for line in lines if line.get("assetId") is not None] + _taken(plan, places, accepting)
    desk.body["wants"] = [want for _, want in asked]
    return problems


def read_wants(asked: Sequence[tuple[int, Mapping[str, Any]]], *path: str) -> tuple[list[Want], list[Problem]]:
    """The wants as they were given at their places in the input, or what is wrong with them."""
    wants: list[Want] = []
    problems: list[Problem] = []
    for index, given in asked:
        at = (*path, str(index))
        code, specification = given["classCode"].strip(), (given.get("specification") or "").strip()
        quantity = _quantity(given.get("quantity") or "1")
        if not CLASS_CODE.fullmatch(code):
            problems.append(problem("INVALID_CLASS", *at, "classCode", given=code[:20]))
        if quantity is None or not 0 < quantity <= QUANTITY_MAX:
            problems.append(problem("INVALID_QUANTITY", *at, "quantity", max=str(QUANTITY_MAX)))
        if len(specification) > SPECIFICATION_MAX:
            problems.append(problem("INVALID_TEXT", *at, "specification", max=str(SPECIFICATION_MAX)))
        wants.append(Want(code, quantity or Decimal(1), specification or None))
    if len(wants) > WANTS_MAX:
        problems.append(problem("TOO_MANY_LINES", *path, max=str(WANTS_MAX)))
    return wants, problems


async def propose(
    desk: Desk,
    flow: Flow,
    wants: Sequence[Want],
    window: tuple[date, date],
    without: set[str] | frozenset[str] = frozenset(),
) -> Proposal:
    """A plan for the wants, and the offers that it was made of. Raises what the transport raises."""
    identity = desk.identity
    statuses = desk.policy.statuses(flow, shanghai_today(desk.now)).apply
    days_between = timedelta(days=desk.limits(flow).buffer_days)
    found = await find_offers(desk.custody, wants, window, statuses, identity.unit, days_between)
    offers = [offer for offer in found.offers if offer.asset_id not in without]
    return find_plan([want.quantity for want in wants], offers, identity.region or ""), found


def _is_unclear(line: Mapping[str, Any]) -> bool:
    """A line is about an asset, or has a want, which says its quantity itself; an asset that is still to be found has no
    version that somebody saw."""
    if line.get("want") is None:
        return line.get("assetId") is None
    return any(line.get(name) is not None for name in ("assetId", "quantity", "expectedVersion"))


def _taken(plan: Plan, places: Sequence[int], accepting: AbstractSet[int]) -> list[dict[str, Any]]:
    """One line for each asset: an asset that was taken for two wants stands under the first, and a part of it will do
    where it does for both."""
    lines: dict[str, dict[str, Any]] = {}
    for take in plan.takes:
        new = {
            "assetId": take.asset_id,
            "want": take.want,
            "quantity": "0",
            "at": places[take.want],
            "acceptPartial": True,
        }
        line = lines.setdefault(take.asset_id, new)
        line["acceptPartial"] = line["acceptPartial"] and places[take.want] in accepting
        line["quantity"] = format_decimal(Decimal(line["quantity"]) + take.quantity)
    return list(lines.values())


def _total(wants: Sequence[Want]) -> str:
    return format_decimal(sum((want.quantity for want in wants), Decimal(0)))


def _quantity(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
