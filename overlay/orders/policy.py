"""Policy: limits, approval chains and clauses, read from `policy.toml`, and pure functions over them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from overlay.messages import Language
from overlay.orders.model import Flow, Office

__all__ = ["CITY_REGION", "Case", "CaseLine", "Limits", "Policy", "Statuses", "StepPlan", "load_policy"]

CITY_REGION = "330100"


@dataclass(frozen=True, slots=True)
class Limits:
    clause: str
    days_max: int
    extensions_max: int
    lines_max: int
    hold_days_in_approval: int
    hold_days_to_dispatch: int


@dataclass(frozen=True, slots=True)
class Statuses:
    apply: frozenset[str]
    apply_if_booked: frozenset[str]
    approve: frozenset[str]
    dispatch: frozenset[str]
    dispatch_batch: frozenset[str]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """What policy may ask of a line."""

    owner_region: str
    owner_unit: str | None
    class_code: str | None
    """In the 2022 scheme."""
    value: Decimal | None
    """Of the quantity asked for, CNY yuan."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as policy sees it: who asks, and for what."""

    region: str
    """The applicant's."""
    unit: str | None
    lines: tuple[CaseLine, ...]
    damaged: bool = False

    @property
    def owner_regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.owner_region for line in self.lines))


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One approval step before it belongs to an order."""

    office: Office
    region: str | None
    unit: str | None
    clause: str


class Policy:
    def __init__(self, data: dict[str, Any]) -> None:
        self._clauses: dict[str, dict[str, str]] = {row["id"]: row for row in data["clause"]}
        self._data = data

    def clause(self, clause_id: str, language: Language) -> str:
        row = self._clauses.get(clause_id)
        return clause_id if row is None else row["zh" if language == "zh" else "en"]

    def limits(self, flow: Flow, day: date) -> Limits:
        row = self._in_force("limits", flow, day)[-1]
        return Limits(**{name: row[name] for name in Limits.__dataclass_fields__})

    def statuses(self, flow: Flow, day: date) -> Statuses:
        row = self._in_force("statuses", flow, day)[-1]
        return Statuses(**{name: frozenset(row[name]) for name in Statuses.__dataclass_fields__})

    def chain(self, flow: Flow, day: date, case: Case) -> list[StepPlan]:
        """The approval steps of a case: who, in which order, by which clause. Empty where policy asks for none."""
        chain: list[StepPlan] = []
        for row in self._in_force("approval", flow, day):
            if _CONDITIONS[row["when"]](case):
                chain += _steps_of(Office(row["office"]), row["clause"], case)
        return chain

    def _in_force(self, table: str, flow: Flow, day: date) -> list[dict[str, Any]]:
        rows = [row for row in self._data[table] if row["flow"] == flow and row["effective"] <= day]
        if not rows:
            raise LookupError(f"no {table} of {flow} are in force on {day}")
        latest = max(row["effective"] for row in rows)
        return [row for row in rows if row["effective"] == latest]


def _steps_of(office: Office, clause: str, case: Case) -> list[StepPlan]:
    if office is Office.UNIT_HEAD:
        return [StepPlan(office, case.region, case.unit, clause)]
    if office is Office.LENDING_REGION:
        return [StepPlan(office, region, None, clause) for region in case.owner_regions]
    if office is Office.BORROWING_REGION:
        return [] if case.region in case.owner_regions else [StepPlan(office, case.region, None, clause)]
    return [StepPlan(office, CITY_REGION, None, clause)]


_CONDITIONS: dict[str, Callable[[Case], bool]] = {
    "always": lambda case: True,
    "across_regions": lambda case: any(region != case.region for region in case.owner_regions),
    "city_stock": lambda case: CITY_REGION in case.owner_regions,
    "damage": lambda case: case.damaged,
}


@cache
def load_policy() -> Policy:
    text = resources.files("overlay.orders").joinpath("policy.toml").read_text(encoding="utf-8")
    return Policy(tomllib.loads(text))
