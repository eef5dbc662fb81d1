"""What each flow asks of an application beyond what all have in common: one drafter for each."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from contract.decimals import format_decimal, format_money
from contract.identity import Role
from contract.ids import parse_id
from overlay.group.facts import AssetFacts
from overlay.ledger.entries import share_of
from overlay.messages import Problem, problem
from overlay.orders.commands.base import Desk
from overlay.orders.commands.checks import AMOUNT_MAX, TEXT_MAX, refusal_of_range, to_amount
from overlay.orders.commands.draft import Draft, Drafter, DraftLine, Window
from overlay.orders.model import Flow, QuotaFinding, SurrenderGround

__all__ = ["DRAFTERS", "Draft", "DraftLine"]

Path = tuple[str, ...]
Input = Mapping[str, Any]

RECIPIENT_MAX = 200
_WORKS = frozenset({"NEW", "GOOD", "USABLE"})


class _LoanDrafter(Drafter):
    """借用: the range is the applicant's, as long as policy lets a loan be."""

    finds_sources = True

    def check_words(self, desk: Desk) -> list[Problem]:
        refusal = refusal_of_range(self.window(desk), desk.limits(self.flow), desk.today)
        return [] if refusal is None else [refusal]

    def details(self, body: Input) -> dict[str, Any]:
        return {} if body.get("temporaryBody") is None else {"temporaryBody": body["temporaryBody"]}

    def window(self, desk: Desk) -> Window:
        days = desk.body["range"]
        return date.fromisoformat(days["from"]), date.fromisoformat(days["to"])

    def refusal_of(self, desk: Desk, path: Path, line: Input, facts: AssetFacts) -> Problem | None:
        if not _shareable(facts, self.window(desk)[1]):
            return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
        if (refusal := self._refusal_of_status(desk, path, facts)) is not None:
            return refusal
        return problem("OWN_ASSET", *path) if _is_own(desk, facts) else None

    def _refusal_of_status(self, desk: Desk, path: Path, facts: AssetFacts) -> Problem | None:
        """An idle asset is for its book to decide. A reserved or lent one too, but only where the book explains the
        status: a loan that the legacy store made by itself has no calendar, so nobody can say when it ends."""
        statuses = desk.policy.statuses(self.flow, desk.today)
        if facts.status in statuses.apply:
            return None
        first, after = self.window(desk)
        if facts.status not in statuses.apply_if_booked or not facts.busy:
            return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
        if facts.quantity <= 1 and any(one.from_day < after and first < one.to_day for one in facts.busy):
            return problem("ASSET_BUSY", *path, id=facts.id)
        return None


class _ReallocationDrafter(Drafter):
    """调剂: the applicant's unit receives what another unit owns, as far as its quota goes."""

    finds_sources = True

    def refusal_of(self, desk: Desk, path: Path, line: Input, facts: AssetFacts) -> Problem | None:
        if _wrong_status(desk, self.flow, facts) or not _shareable(facts, self.window(desk)[1]):
            return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
        return problem("RECEIVER_IS_OWNER", *path) if _is_own(desk, facts) else None

    async def check_whole(self, desk: Desk, lines: list[DraftLine]) -> list[Problem]:
        region, unit = desk.identity.region or "", desk.identity.unit or ""
        wanted: dict[str | None, Decimal] = {}
        problems: list[Problem] = []
        for place, line in enumerate(lines):
            code = line.facts.class_code
            wanted[code] = wanted.get(code, Decimal(0)) + line.quantity
            left = await desk.quota.left(region, unit, code)
            lines[place] = replace(line, quota=QuotaFinding.NO_DATA if left is None else QuotaFinding.WITHIN)
            if left is not None and wanted[code] > left:
                problems.append(problem("OVER_QUOTA", "lines", str(line.index), "quantity", max=format_decimal(left)))
        return problems


class _SurrenderDrafter(Drafter):
    """上缴: one's own, with a ground, and nobody else's claim on it."""

    def check_words(self, desk: Desk) -> list[Problem]:
        body, limits = desk.body, desk.limits(self.flow)
        problems: list[Problem] = []
        if not body["titleClear"]:
            problems.append(problem("TITLE_NOT_CLEAR", "titleClear", clause=limits.clause))
        since = None if body.get("since") is None else date.fromisoformat(body["since"])
        ground = SurrenderGround(body["ground"])
        if ground is SurrenderGround.IDLE:
            latest = months_before(desk.today, limits.idle_months_min)
            if since is None or since > latest:
                problems.append(problem("IDLE_TOO_SHORT", "since", months=str(limits.idle_months_min)))
        if ground is SurrenderGround.TEMPORARY_BODY_ENDED and (since is None or since > desk.today):
            problems.append(problem("BODY_NOT_ENDED", "since"))
        return problems

    def refusal_of(self, desk: Desk, path: Path, line: Input, facts: AssetFacts) -> Problem | None:
        if not _is_own(desk, facts):
            return problem("NOT_OWN_ASSET", *path)
        is_idle = facts.status == "IDLE" or desk.body["ground"] != SurrenderGround.IDLE
        if _wrong_status(desk, self.flow, facts) or not is_idle:
            return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
        return None

    def details(self, body: Input) -> dict[str, Any]:
        return {"ground": body["ground"], "since": body.get("since")}


class _RepairDrafter(Drafter):
    """维修: of one's own, or of what one keeps, and not dearer than policy lets a repair be."""

    def check_line(self, desk: Desk, path: Path, line: Input) -> list[Problem]:
        names = [name for name in ("estimate", "replacementValue") if line.get(name) is not None]
        return [
            problem("INVALID_AMOUNT", *path, name, max=format_money(AMOUNT_MAX))
            for name in names
            if to_amount(line[name]) is None
        ]

    def refusal_of(self, desk: Desk, path: Path, line: Input, facts: AssetFacts) -> Problem | None:
        keeps = desk.identity.has(Role.KEEPER) and parse_id(facts.id).region == desk.identity.region
        if not keeps and not _is_own(desk, facts):
            return problem("NOT_OWN_ASSET", *path)
        if _wrong_status(desk, self.flow, facts):
            return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
        if facts.condition == "BEYOND_REPAIR":
            return problem("BEYOND_REPAIR", *path, id=facts.id)
        value = _replacement_value(line, facts)
        if value is None:
            return problem("VALUE_UNKNOWN", *path, "replacementValue", id=facts.id)
        most = value * desk.limits(self.flow).repair_share
        if Decimal(line["estimate"]) > most:
            return problem("REPAIR_TOO_DEAR", *path, "estimate", max=format_money(most))
        return None

    def of_line(self, line: Input) -> dict[str, Any]:
        return {"estimate": Decimal(line["estimate"]), "source_line_id": line.get("returnLineId")}


class _DisposalDrafter(Drafter):
    """处置、捐赠: one's own, whose life is over or that was appraised, and that nobody has booked."""

    def check_words(self, desk: Desk) -> list[Problem]:
        recipient = (desk.body.get("recipient") or "").strip()
        if self.flow is Flow.DONATION and not 1 <= len(recipient) <= RECIPIENT_MAX:
            return [problem("INVALID_TEXT", "recipient", max=str(RECIPIENT_MAX))]
        return []

    def check_line(self, desk: Desk, path: Path, line: Input) -> list[Problem]:
        if len(line.get("appraisal") or "") > TEXT_MAX:
            return [problem("INVALID_TEXT", *path, "appraisal", max=str(TEXT_MAX))]
        return []

    def refusal_of(self, desk: Desk, path: Path, line: Input, facts: AssetFacts) -> Problem | None:
        if not _is_own(desk, facts):
            return problem("NOT_OWN_ASSET", *path)
        if _wrong_status(desk, self.flow, facts):
            return problem("ASSET_NOT_AVAILABLE", *path, id=facts.id)
        if not _life_is_over(facts, desk.today) and not (line.get("appraisal") or "").strip():
            return problem("LIFE_NOT_REACHED", *path, "appraisal", id=facts.id)
        if self.flow is Flow.DISPOSAL and facts.condition in _WORKS:
            return problem("STILL_WORKS", *path, id=facts.id)
        return problem("ASSET_BUSY", *path, id=facts.id) if facts.busy else None

    def of_line(self, line: Input) -> dict[str, Any]:
        return {"appraisal": (line.get("appraisal") or "").strip() or None}

    def details(self, body: Input) -> dict[str, Any]:
        return {"recipient": body["recipient"].strip()} if self.flow is Flow.DONATION else {}


DRAFTERS: Mapping[Flow, Drafter] = {
    Flow.LOAN: _LoanDrafter(Flow.LOAN),
    Flow.REALLOCATION: _ReallocationDrafter(Flow.REALLOCATION),
    Flow.SURRENDER: _SurrenderDrafter(Flow.SURRENDER),
    Flow.REPAIR: _RepairDrafter(Flow.REPAIR),
    Flow.DISPOSAL: _DisposalDrafter(Flow.DISPOSAL),
    Flow.DONATION: _DisposalDrafter(Flow.DONATION),
}


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last one of a month that is too short for it."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _is_own(desk: Desk, facts: AssetFacts) -> bool:
    return facts.owner_unit is not None and facts.owner_unit == desk.identity.unit


def _shareable(facts: AssetFacts, until: date) -> bool:
    return facts.shareable and (facts.shareable_until is None or facts.shareable_until >= until)


def _wrong_status(desk: Desk, flow: Flow, facts: AssetFacts) -> bool:
    return facts.status not in desk.policy.statuses(flow, desk.today).apply


def _replacement_value(line: Input, facts: AssetFacts) -> Decimal | None:
    """Of the quantity: what the goods cost when new; the applicant's word counts only where the card does not say."""
    value = share_of(facts.original_value, Decimal(0), Decimal(line.get("quantity") or "1"), facts.quantity)
    if value is None and line.get("replacementValue") is not None:
        return Decimal(line["replacementValue"])
    return value


def _life_is_over(facts: AssetFacts, today: date) -> bool:
    if facts.acquired_on is None or facts.useful_life_months is None:
        return False
    return facts.acquired_on <= months_before(today, facts.useful_life_months)
