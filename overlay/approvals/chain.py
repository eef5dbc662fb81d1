"""Approval chains, computed from the policy table.

A row says: from a day on, cases of a flow that meet its conditions need a step of an office, by a clause. A chain is
made office by office, in the order of `stage`; an office on the owner's side gets a step for each region (or unit)
whose goods are asked for, and looks at those lines alone.

Which rows are in force for a region: its own of the latest effective day if it has any, else the city-wide ones of
the latest effective day. A later set replaces an earlier one whole, so that what was dropped is dropped.

What a store does not say counts as reaching every limit: a value that is unknown is not below ¥50,000, a class that
could not be translated may be the one that needs a further office.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contract.identity import Role
from contract.regions import CITY_REGION, REGIONS
from overlay.approvals.offices import OFFICES, Scope, Side
from overlay.orders.model import Flow, Office

__all__ = ["ApprovalRow", "Case", "CaseLine", "StepPlan", "chain_of"]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """What policy may ask of a line."""

    owner_region: str
    owner_unit: str | None
    class_code: str | None
    """In the 2022 scheme; None where it is unknown."""
    value: Decimal | None
    """Of the quantity asked for, CNY yuan; None where it is unknown."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as policy sees it: who asks, and for what."""

    region: str
    """The applicant's."""
    unit: str | None
    lines: tuple[CaseLine, ...]
    damaged: bool = False
    extension: bool = False
    """The case is a loan's extension, which has a chain of its own."""

    @property
    def owner_regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.owner_region for line in self.lines))

    @property
    def crosses_regions(self) -> bool:
        return any(line.owner_region != self.region for line in self.lines)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One approval step before it belongs to an order."""

    office: Office
    region: str | None
    unit: str | None
    clause: str


class ApprovalRow(BaseModel):
    """A row of the policy table; conditions that are not given do not restrict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effective: date
    flow: Flow
    region: str | None = None
    """Whose rule it is; None: the whole city's."""
    stage: int = Field(ge=1)
    office: Office
    clause: str
    across_regions: bool | None = None
    city_stock: bool | None = None
    damaged: bool | None = None
    extension: bool = False
    amount_from: Decimal | None = None
    """CNY yuan, of all the lines that the office looks at."""
    single_from: Decimal | None = None
    """CNY yuan, of any one line."""
    class_under: tuple[str, ...] = ()
    """2022 codes: any line of one of them or of what is below."""

    @field_validator("region")
    @classmethod
    def _known(cls, region: str | None) -> str | None:
        if region is not None and region not in REGIONS:
            raise ValueError(f"{region} is no region")
        return region

    def holds(self, case: Case, seen: Sequence[CaseLine]) -> bool:
        """Whether the case needs this step, the office looking at the lines `seen`."""
        values = [line.value for line in seen]
        return (
            self.extension is case.extension
            and _equals(self.across_regions, case.crosses_regions)
            and _equals(self.city_stock, CITY_REGION in case.owner_regions)
            and _equals(self.damaged, case.damaged)
            and (self.amount_from is None or _total(values) >= self.amount_from)
            and (self.single_from is None or any(value is None or value >= self.single_from for value in values))
            and (not self.class_under or any(_is_under(line.class_code, self.class_under) for line in seen))
        )


def chain_of(rows: Iterable[ApprovalRow], flow: Flow, day: date, case: Case) -> list[StepPlan]:
    """The steps of a case: who, in which order, by which clause. Who has decided once is not asked again, though a
    later row asks for another office of theirs: the earliest stage stands."""
    begun = [row for row in rows if row.flow is flow and row.effective <= day]
    planned: dict[tuple[Role, Scope, str | None, str | None], StepPlan] = {}
    for _row, step in sorted(_candidates(begun, case), key=lambda item: item[0].stage):
        rule = OFFICES[step.office]
        planned.setdefault((rule.role, rule.scope, step.region, step.unit), step)
    return list(planned.values())


def _candidates(begun: Sequence[ApprovalRow], case: Case) -> Iterator[tuple[ApprovalRow, StepPlan]]:
    for side, region, lines in _parties(case):
        for row in _in_force(begun, region):
            rule = OFFICES[row.office]
            if rule.side is not side:
                continue
            units = dict.fromkeys(line.owner_unit for line in lines) if side is Side.OWNER else {case.unit: None}
            for unit in units if rule.scope is Scope.UNIT else (None,):
                of_unit = rule.scope is Scope.UNIT and side is Side.OWNER
                seen = [line for line in lines if line.owner_unit == unit] if of_unit else lines
                if row.holds(case, seen):
                    yield row, StepPlan(row.office, region, unit, row.clause)


def _parties(case: Case) -> Iterator[tuple[Side, str, Sequence[CaseLine]]]:
    """Each region that a case concerns, as what, and the lines that its offices look at."""
    yield Side.APPLICANT, case.region, case.lines
    for region in case.owner_regions:
        yield Side.OWNER, region, [line for line in case.lines if line.owner_region == region]
    yield Side.CITY, CITY_REGION, case.lines


def _in_force(begun: Sequence[ApprovalRow], region: str) -> list[ApprovalRow]:
    own = [row for row in begun if row.region == region] or [row for row in begun if row.region is None]
    latest = max((row.effective for row in own), default=None)
    return [row for row in own if row.effective == latest]


def _equals(wanted: bool | None, found: bool) -> bool:
    return wanted is None or wanted is found


def _total(values: Sequence[Decimal | None]) -> Decimal:
    if any(value is None for value in values):
        return Decimal("Infinity")
    return sum((value for value in values if value is not None), Decimal(0))


def _is_under(code: str | None, classes: Sequence[str]) -> bool:
    return code is None or code.startswith(tuple(classes))
