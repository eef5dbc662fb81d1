"""What the districts have of a want: the assets that meet it, and how much of each is free throughout the range.

One query over the whole group, page by page. What a district says is advice: it is the owner's book that decides when
the hold is placed, so a plan that is outdated meanwhile is refused there and made anew.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import structlog

from contract.decimals import parse_decimal
from contract.ids import parse_id
from overlay.group.custody import Custody
from overlay.sourcing.plan import Offer, Place

__all__ = ["CLASS_CODE", "Found", "Want", "find_offers"]

_log = structlog.get_logger(__name__)

CLASS_CODE = re.compile(r"A\d{2,8}")
"""GB/T 14885-2022: A and eight digits; fewer name all that is below."""
_PAGE = 500
_PAGES_MAX = 4
"""Of one want: beyond 2,000 candidates more would not make a better plan."""
_ANSWERED = frozenset({"OK", "STALE"})
_DOCUMENT = (
    "query Sources($filter: AssetFilter!, $range: DateRangeInput!, $first: Int!, $after: String) "
    "{ assets(filter: $filter, first: $first, after: $after, partial: PARTIAL) { "
    "nodes { id quantity shareableUntil owner { id uscc } warehouse { id } busy(range: $range) { from to quantity } } "
    "pageInfo { hasNextPage endCursor } sources { region status } } }"
)


@dataclass(frozen=True, slots=True)
class Want:
    class_code: str
    """2022 scheme; all that is below it meets the want."""
    quantity: Decimal
    specification: str | None = None
    """Words that must occur in name, specification, brand or model, or among the class's synonyms."""


@dataclass(frozen=True, slots=True)
class Found:
    offers: tuple[Offer, ...]
    unanswered: tuple[str, ...]
    """Regions whose stores did not answer: they may have more."""


async def find_offers(
    custody: Custody,
    wants: Sequence[Want],
    window: tuple[date, date],
    statuses: Iterable[str],
    own_unit: str | None,
    days_between: timedelta,
) -> Found:
    """`own_unit` need not borrow what it has: its assets are left out. `days_between` lie between two loans: whoever
    comes next must be as far away."""
    offers: list[Offer] = []
    unanswered: set[str] = set()
    for index, want in enumerate(wants):
        rows, silent = await _rows(custody, want, (window[0], window[1] + days_between), statuses)
        unanswered |= silent
        for row in rows:
            free = _free(row, window)
            if free > 0 and (own_unit is None or (row.get("owner") or {}).get("uscc") != own_unit):
                offers.append(Offer(index, row["id"], _place(row), free))
    return Found(tuple(offers), tuple(sorted(unanswered)))


async def _rows(
    custody: Custody, want: Want, window: tuple[date, date], statuses: Iterable[str]
) -> tuple[list[Mapping[str, Any]], set[str]]:
    filter_: dict[str, Any] = {
        "class": {"under": [_without_zeros(want.class_code)]},
        "status": {"in": sorted(statuses)},
        "shareable": True,
    }
    if want.specification:
        filter_["text"] = want.specification
    variables: dict[str, Any] = {
        "filter": filter_,
        "range": {"from": window[0].isoformat(), "to": window[1].isoformat()},
        "first": _PAGE,
        "after": None,
    }
    rows: list[Mapping[str, Any]] = []
    silent: set[str] = set()
    for _ in range(_PAGES_MAX):
        answer = await custody.ask(_DOCUMENT, variables)
        page = (answer.get("data") or {}).get("assets")
        if page is None:
            raise LookupError(f"the districts gave no assets: {answer.get('errors')}")
        rows += page["nodes"]
        silent |= _silent(page["sources"])
        if not page["pageInfo"]["hasNextPage"]:
            break
        variables["after"] = page["pageInfo"]["endCursor"]
    return rows, silent


def _without_zeros(code: str) -> str:
    """A05010000 names all of A0501: pairs of zeros at the end say that nothing finer is meant."""
    while code.endswith("00"):
        code = code[:-2]
    return code


def _silent(sources: Collection[Mapping[str, Any]]) -> set[str]:
    return {source["region"] for source in sources if source["status"] not in _ANSWERED}


def _place(row: Mapping[str, Any]) -> Place:
    """A warehouse is one place. What an owner keeps in its own rooms lies at that owner's."""
    region = parse_id(row["id"], "asset").region
    at = row.get("warehouse") or row.get("owner") or {"id": region}
    return Place(region, at["id"])


def _free(row: Mapping[str, Any], window: tuple[date, date]) -> Decimal:
    until = row.get("shareableUntil")
    if until is not None and date.fromisoformat(until) < window[1]:
        return Decimal(0)
    whole = parse_decimal(row["quantity"]) if row.get("quantity") is not None else Decimal(1)
    return whole - max((parse_decimal(one["quantity"]) for one in row.get("busy") or ()), default=Decimal(0))
