"""Policy: limits, approval chains and clauses, read from `policy.toml`, and pure functions over them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.assets import AssetStatus
from overlay.approvals.chain import ApprovalRow, Case, StepPlan, chain_of
from overlay.messages import Language
from overlay.orders.model import Flow

__all__ = ["InvalidPolicy", "Limits", "Policy", "Statuses", "load_policy"]

_APPLIED_FOR = frozenset(Flow) - {Flow.RETURN}
"""A return is not applied for: it is of a loan."""


class _FlowRow(BaseModel):
    """What counts for a flow from a day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effective: date
    flow: Flow


class Limits(_FlowRow):
    clause: str
    days_max: int
    extensions_max: int
    lines_max: int
    hold_days_in_approval: int
    hold_days_to_dispatch: int
    ahead_days_max: int = 350
    """How far ahead a loan may begin. Its hold lasts until then and some days more, and no book holds for over a year."""
    buffer_days: int = 0
    """Between two loans of the same thing."""
    overdue_days: tuple[int, ...] = ()
    """On which days of being overdue the borrower is reminded."""
    idle_months_min: int = 0
    repair_share: Decimal = Decimal(1)
    """Of the replacement's value, that a repair may cost."""
    notice_days: int = 0
    """How long a public notice lasts."""

    def latest_end(self, first: date) -> date:
        """The day after the last one that a case may have which begins on `first`."""
        return first + timedelta(days=self.days_max)


class Statuses(_FlowRow):
    """In which statuses of the legacy store an asset may be applied for, approved, and leave."""

    apply: frozenset[AssetStatus]
    apply_if_booked: frozenset[AssetStatus]
    approve: frozenset[AssetStatus]
    dispatch: frozenset[AssetStatus]
    dispatch_batch: frozenset[AssetStatus]


_Row = TypeVar("_Row", bound=BaseModel)
_InForce = TypeVar("_InForce", bound=_FlowRow)


class InvalidPolicy(ValueError):
    """The policy table cannot be read; the message says which row and why."""


class Policy:
    def __init__(self, data: Mapping[str, Any]) -> None:
        """Raises `InvalidPolicy`."""
        self._clauses: dict[str, dict[str, str]] = {row["id"]: row for row in data["clause"]}
        self._approval = _rows("approval", ApprovalRow, data)
        self._limits = _rows("limits", Limits, data)
        self._statuses = _rows("statuses", Statuses, data)
        self._refuse_unknown_clauses("approval", (row.clause for row in self._approval))
        self._refuse_unknown_clauses("limits", (row.clause for row in self._limits))
        _refuse_missing_flows("limits", self._limits)
        _refuse_missing_flows("statuses", self._statuses)

    def clause(self, clause_id: str, language: Language) -> str:
        row = self._clauses.get(clause_id)
        return clause_id if row is None else row["zh" if language == "zh" else "en"]

    def limits(self, flow: Flow, day: date) -> Limits:
        return _in_force(self._limits, flow, day)

    def statuses(self, flow: Flow, day: date) -> Statuses:
        return _in_force(self._statuses, flow, day)

    def chain(self, flow: Flow, day: date, case: Case) -> list[StepPlan]:
        """The approval steps of a case; empty where policy asks for none."""
        return chain_of(self._approval, flow, day, case)

    def _refuse_unknown_clauses(self, table: str, named: Iterable[str]) -> None:
        if unknown := set(named) - set(self._clauses):
            raise InvalidPolicy(f"[[{table}]] names clauses that are not there: {', '.join(sorted(unknown))}")


def _rows(table: str, form: type[_Row], data: Mapping[str, Any]) -> list[_Row]:
    try:
        return [form.model_validate(row) for row in data[table]]
    except ValidationError as error:
        raise InvalidPolicy(f"[[{table}]]: {error}") from None


def _refuse_missing_flows(table: str, rows: Iterable[_FlowRow]) -> None:
    if missing := _APPLIED_FOR - {row.flow for row in rows}:
        raise InvalidPolicy(f"[[{table}]] has no row of {', '.join(sorted(missing))}")


def _in_force(rows: Iterable[_InForce], flow: Flow, day: date) -> _InForce:
    """Of a flow's rows the one whose day has come last; of the same day, the one that stands last."""
    found = [row for row in rows if row.flow is flow and row.effective <= day]
    if not found:
        raise LookupError(f"policy has no row of {flow} in force on {day}")
    return sorted(found, key=lambda row: row.effective)[-1]


def load_policy(path: Path | None = None) -> Policy:
    """The policy table in a file, or the one that comes with the program. Raises `InvalidPolicy`."""
    if path is None:
        return _shipped_policy()
    try:
        return Policy(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise InvalidPolicy(f"{path}: {error}") from None


@cache
def _shipped_policy() -> Policy:
    text = resources.files("overlay.orders").joinpath("policy.toml").read_text(encoding="utf-8")
    return Policy(tomllib.loads(text))
