"""Policy: limits, approval chains and clauses, read from `policy.toml`, and pure functions over them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from overlay.messages import Language
from overlay.orders.model import Flow, Office

__all__ = ["CITY_REGION", "Limits", "Policy", "Statuses", "StepPlan", "load_policy"]

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

    def loan_chain(self, day: date, unit: str | None, region: str, lending: Sequence[str]) -> list[StepPlan]:
        """The approval steps of a loan: who, in which order, by which clause."""
        across = any(other != region for other in lending)
        city = CITY_REGION in lending
        holds = {"always": True, "across_regions": across, "city_stock": city}
        chain: list[StepPlan] = []
        for row in self._in_force("approval", Flow.LOAN, day):
            if holds[row["when"]]:
                chain += _steps_of(Office(row["office"]), row["clause"], unit, region, lending)
        return chain

    def damage_chain(self, day: date, lending: Sequence[str]) -> list[StepPlan]:
        rows = self._in_force("approval", Flow.RETURN, day)
        return [StepPlan(Office(row["office"]), region, None, row["clause"]) for row in rows for region in lending]

    def _in_force(self, table: str, flow: Flow, day: date) -> list[dict[str, Any]]:
        rows = [row for row in self._data[table] if row["flow"] == flow and row["effective"] <= day]
        if not rows:
            raise LookupError(f"no {table} of {flow} are in force on {day}")
        latest = max(row["effective"] for row in rows)
        return [row for row in rows if row["effective"] == latest]


def _steps_of(office: Office, clause: str, unit: str | None, region: str, lending: Sequence[str]) -> list[StepPlan]:
    if office is Office.UNIT_HEAD:
        return [StepPlan(office, region, unit, clause)]
    if office is Office.LENDING_REGION:
        return [StepPlan(office, other, None, clause) for other in lending]
    if office is Office.BORROWING_REGION:
        return [] if region in lending else [StepPlan(office, region, None, clause)]
    return [StepPlan(office, CITY_REGION, None, clause)]


@cache
def load_policy() -> Policy:
    text = resources.files("overlay.orders").joinpath("policy.toml").read_text(encoding="utf-8")
    return Policy(tomllib.loads(text))
