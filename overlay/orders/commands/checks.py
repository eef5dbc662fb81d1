"""What commands check alike: the assets as their owners know them, and the lines and quantities that an input names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from contract.decimals import format_decimal
from overlay.clock import parse_instant, text_of
from overlay.group.custody import Custody
from overlay.group.facts import AssetFacts, Unavailable, Window
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Desk
from overlay.orders.model import Line, Order
from overlay.orders.policy import Limits
from overlay.orders.traits import TRAITS

__all__ = [
    "AMOUNT_MAX",
    "TEXT_MAX",
    "check_lengths",
    "check_text",
    "check_unchanged",
    "expiry_of",
    "gather_facts",
    "goods_damaged",
    "line_of",
    "line_quantities",
    "refusal_of_range",
    "to_amount",
    "to_quantity",
    "window_of",
]

TEXT_MAX = 1000
_TEXTS = ("comment", "purpose", "reason", "reference")
AMOUNT_MAX = Decimal(1_000_000_000)


async def gather_facts(
    custody: Custody, asset_ids: Sequence[str], window: Window
) -> dict[str, AssetFacts | Unavailable | None]:
    found = await asyncio.gather(*(custody.facts(asset_id, window) for asset_id in asset_ids))
    return dict(zip(asset_ids, found, strict=True))


async def check_unchanged(desk: Desk, order: Order, lines: Sequence[Line], statuses: frozenset[str]) -> list[Problem]:
    """Whether the assets are still what was applied for, and still in a status that allows it."""
    facts = await gather_facts(desk.custody, [line.asset_id for line in lines], window_of(order))
    own_use = TRAITS[order.flow].own_use
    problems: list[Problem] = []
    for line in lines:
        found = facts[line.asset_id]
        path = ("lines", str(line.position))
        if isinstance(found, Unavailable):
            problems.append(problem("REGION_UNAVAILABLE", *path, region=line.lending_region))
        elif found is None or found.status not in statuses or not (own_use or found.shareable):
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
    for index, item in enumerate(wanted[: len(lines) + 1]):
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
        quantity = Decimal(text)
    except InvalidOperation:
        return None
    return quantity if quantity.is_finite() else None


def expiry_of(data: Mapping[str, Any]) -> str | None:
    """When the hold that an owner answered with lapses, in the spelling that sorts by time."""
    expires = (data.get("hold") or {}).get("expiresAt")
    return None if expires is None else text_of(parse_instant(expires))


def window_of(order: Order) -> tuple[date, date]:
    if order.from_day is None or order.to_day is None:
        raise ValueError(f"{order.id} has no range")
    return order.from_day, order.to_day


def line_of(order: Order, line_id: str) -> Line:
    return next(line for line in order.lines if line.id == line_id)


def to_amount(text: str) -> Decimal | None:
    """Yuan with at most two decimals, more than 0; None where the text is no such amount."""
    amount = to_quantity(text)
    if amount is None or not 0 < amount <= AMOUNT_MAX or amount != amount.quantize(Decimal("0.01")):
        return None
    return amount


def refusal_of_range(window: tuple[date, date], limits: Limits, today: date) -> Problem | None:
    """Why policy lets no loan have these days."""
    first, after = window
    if not today <= first < after:
        return problem("INVALID_RANGE", "range", **{"from": first.isoformat(), "to": after.isoformat()})
    if (first - today).days > limits.ahead_days_max:
        return problem("LOAN_TOO_FAR_AHEAD", "range", max=str(limits.ahead_days_max))
    if after > limits.latest_end(first):
        return problem("LOAN_TOO_LONG", "range", max=str(limits.days_max), clause=limits.clause)
    return None


def check_text(body: Mapping[str, Any], name: str) -> list[Problem]:
    """Whether a text that must be given says something, and not too much."""
    if not 1 <= len((body.get(name) or "").strip()) <= TEXT_MAX:
        return [problem("INVALID_TEXT", name, max=str(TEXT_MAX))]
    return []


def check_lengths(body: Mapping[str, Any]) -> list[Problem]:
    """Whether no text that a command may have is too long, as it will be stored."""
    too_long = [name for name in _TEXTS if len(body.get(name) or "") > TEXT_MAX]
    return [problem("INVALID_TEXT", name, max=str(TEXT_MAX)) for name in too_long]
