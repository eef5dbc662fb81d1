"""申请: an application on its way to being an order, checked by what all flows have in common.

Its own words come first, then policy, then the assets as their owners know them; all faults are named at once. What a
flow asks beyond that, its drafter says (`overlay.orders.commands.drafters`).

Where the applicant accepts a part, a line of which the owner's calendar has less is reduced to that, and a line of
which there is nothing is dropped: it stays in the order with the quantity zero and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal
from contract.ids import InvalidId, parse_id
from contract.regions import REGIONS
from overlay.group.facts import AssetFacts, Unavailable
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Desk
from overlay.orders.commands.checks import check_text, gather_facts, to_quantity
from overlay.orders.model import Flow, QuotaFinding
from overlay.sourcing.lines import source_lines

__all__ = ["Draft", "DraftLine", "Drafter", "Window"]

QUANTITY_MAX = Decimal(1_000_000)
VERSION_LENGTH_MAX = 256
_DROPPABLE = frozenset({"ASSET_NOT_AVAILABLE", "ASSET_BUSY"})
"""Refusals by which an owner has nothing to give; what the applicant did wrong is never passed over."""

Window = tuple[date, date]
"""[from, to)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    index: int
    """Of the line in the input; the order's lines stand in the order of their assets' ids."""
    facts: AssetFacts
    region: str
    asked: Decimal
    quantity: Decimal
    version: str
    """What the applicant saw; the owner's book refuses when it has changed."""
    accepts_partial: bool
    refusal: str | None = None
    quota: QuotaFinding | None = None
    estimate: Decimal | None = None
    appraisal: str | None = None
    source_line_id: str | None = None
    want: int | None = None
    """Which of the wants it was found for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An application that has passed every check that needs no owner's word."""

    flow: Flow
    window: Window
    purpose: str
    accepts_partial: bool
    lines: tuple[DraftLine, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    wants: Sequence[Mapping[str, Any]] = ()
    """What was asked for by class and quantity."""


class Drafter:
    flow: Flow
    finds_sources = False
    """Whether a line may name a class and a quantity, for which assets are found."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    # --- what a flow says for itself ----------------------------------------------------------------------------------

    def check_words(self, desk: Desk) -> list[Problem]:
        return []

    def window(self, desk: Desk) -> Window:
        """From today, as long as policy lets a case of this flow take."""
        return desk.today, desk.limits(self.flow).latest_end(desk.today)

    def check_line(self, desk: Desk, path: tuple[str, ...], line: Mapping[str, Any]) -> list[Problem]:
        return []

    def refusal_of(
        self, desk: Desk, path: tuple[str, ...], line: Mapping[str, Any], facts: AssetFacts
    ) -> Problem | None:
        return None

    def of_line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """What a line has beside asset and quantity."""
        return {}

    def details(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    async def check_whole(self, desk: Desk, lines: list[DraftLine]) -> list[Problem]:
        """Checks over all lines; may put what it found into them."""
        return []

    # --- what all have in common --------------------------------------------------------------------------------------

    async def draft(self, desk: Desk) -> Draft | list[Problem]:
        body = desk.body
        problems = check_text(body, "purpose") + self.check_words(desk) + self._check_count(desk)
        if self.finds_sources and any(line.get("want") is not None for line in body["lines"]):
            problems = problems or await source_lines(desk, self.flow, self.window(desk))
            problems = problems or self._check_count(desk) + self._check_lines(desk)
        else:
            problems += self._check_lines(desk)
        if problems:
            return problems
        window, days_between = self.window(desk), timedelta(days=desk.limits(self.flow).buffer_days)
        # from today on, for a status such as LENT may be due to a loan that ends before this one begins
        asked = (desk.today, window[1] + days_between)
        facts = await gather_facts(desk.custody, [line["assetId"] for line in body["lines"]], asked)
        lines: list[DraftLine] = []
        for index, line in enumerate(body["lines"]):
            checked = self._line(desk, line.get("at", index), line, facts[line["assetId"]], (window[0], asked[1]))
            if isinstance(checked, Problem):
                problems.append(checked)
            else:
                lines.append(checked)
        problems += await self.check_whole(desk, lines)
        if not problems and not any(line.quantity for line in lines):
            problems = [_unavailable(("lines", str(line.index)), line) for line in lines]
        if problems:
            return problems
        lines.sort(key=lambda item: item.facts.id)
        return Draft(
            flow=self.flow,
            window=window,
            purpose=body["purpose"].strip(),
            accepts_partial=bool(body.get("acceptPartial")),
            lines=tuple(lines),
            details=self.details(body),
            wants=body.get("wants", ()),
        )

    def _check_count(self, desk: Desk) -> list[Problem]:
        limit = desk.limits(self.flow).lines_max
        if not 1 <= len(desk.body["lines"]) <= limit:
            return [problem("TOO_MANY_LINES", "lines", max=str(limit))]
        return []

    def _check_lines(self, desk: Desk) -> list[Problem]:
        problems: list[Problem] = []
        seen: set[str] = set()
        for index, line in enumerate(desk.body["lines"][: desk.limits(self.flow).lines_max]):
            path = ("lines", str(line.get("at", index)))
            if line.get("assetId") is None:
                problems.append(problem("LINE_UNCLEAR", *path))
                continue
            quantity = to_quantity(line.get("quantity") or "1")
            if quantity is None or not 0 < quantity <= QUANTITY_MAX:
                problems.append(problem("INVALID_QUANTITY", *path, "quantity", max=str(QUANTITY_MAX)))
            if not _is_asset(line["assetId"]):
                problems.append(problem("INVALID_ASSET_ID", *path, "assetId", id=line["assetId"][:80]))
            if len(line.get("expectedVersion") or "") > VERSION_LENGTH_MAX:
                problems.append(problem("INVALID_TEXT", *path, "expectedVersion", max=str(VERSION_LENGTH_MAX)))
            if line["assetId"] in seen:
                problems.append(problem("DUPLICATE_LINE", *path))
            seen.add(line["assetId"])
            problems += self.check_line(desk, path, line)
        return problems

    def _line(
        self,
        desk: Desk,
        index: int,
        line: Mapping[str, Any],
        facts: AssetFacts | Unavailable | None,
        window: Window,
    ) -> DraftLine | Problem:
        path, region = ("lines", str(index)), parse_id(line["assetId"]).region
        if isinstance(facts, Unavailable):
            return problem("REGION_UNAVAILABLE", *path, region=region)
        if facts is None:
            return problem("ASSET_NOT_AVAILABLE", *path, id=line["assetId"])
        accepts = bool(desk.body.get("acceptPartial") or line.get("acceptPartial"))
        asked = granted = Decimal(line.get("quantity") or "1")
        refusal, reason = self.refusal_of(desk, path, line, facts), None
        if refusal is not None and not (accepts and refusal.code in _DROPPABLE):
            return refusal
        if refusal is not None:
            granted, reason = Decimal(0), refusal.code
        elif accepts and (free := facts.free(window)) < asked:
            granted, reason = free, "ASSET_BUSY"
        elif asked > facts.quantity:
            return problem("INVALID_QUANTITY", *path, "quantity", max=format_decimal(facts.quantity))
        return DraftLine(
            index=index,
            facts=facts,
            region=region,
            asked=asked,
            quantity=granted,
            version=line.get("expectedVersion") or facts.version,
            accepts_partial=accepts,
            refusal=reason,
            want=line.get("want"),
            **self.of_line(line),
        )


def _unavailable(path: Sequence[str], line: DraftLine) -> Problem:
    return problem(line.refusal or "ASSET_NOT_AVAILABLE", *path, id=line.facts.id)


def _is_asset(id_: str) -> bool:
    try:
        return parse_id(id_, "asset").region in REGIONS
    except InvalidId:
        return False
