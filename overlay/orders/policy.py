"""Policy: limits, approval chains and clauses, read from `policy.toml`, and pure functions over them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from overlay.approvals.chain import ApprovalRow, Case, StepPlan, chain_of
from overlay.messages import Language
from overlay.orders.model import Flow

__all__ = ["InvalidPolicy", "Limits", "Policy", "Statuses", "load_policy"]


@dataclass(frozen=True, slots=True)
class Limits:
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


@dataclass(frozen=True, slots=True)
class Statuses:
    apply: frozenset[str]
    apply_if_booked: frozenset[str]
    approve: frozenset[str]
    dispatch: frozenset[str]
    dispatch_batch: frozenset[str]


class InvalidPolicy(ValueError):
    """The policy table cannot be read; the message says which row and why."""


class Policy:
    def __init__(self, data: Mapping[str, Any]) -> None:
        """Raises `InvalidPolicy`."""
        self._clauses: dict[str, dict[str, str]] = {row["id"]: row for row in data["clause"]}
        self._data = data
        try:
            self._approval = [ApprovalRow.model_validate(row) for row in data["approval"]]
        except ValidationError as error:
            raise InvalidPolicy(f"[[approval]]: {error}") from None
        unknown = {row.clause for row in self._approval} - set(self._clauses)
        if unknown:
            raise InvalidPolicy(f"[[approval]] names clauses that are not there: {', '.join(sorted(unknown))}")

    def clause(self, clause_id: str, language: Language) -> str:
        row = self._clauses.get(clause_id)
        return clause_id if row is None else row["zh" if language == "zh" else "en"]

    def limits(self, flow: Flow, day: date) -> Limits:
        row = self._in_force("limits", flow, day)[-1]
        given = {name: row[name] for name in Limits.__dataclass_fields__ if name in row}
        if "overdue_days" in given:
            given["overdue_days"] = tuple(given["overdue_days"])
        if "repair_share" in given:
            given["repair_share"] = Decimal(given["repair_share"])
        return Limits(**given)

    def statuses(self, flow: Flow, day: date) -> Statuses:
        row = self._in_force("statuses", flow, day)[-1]
        return Statuses(**{name: frozenset(row[name]) for name in Statuses.__dataclass_fields__})

    def chain(self, flow: Flow, day: date, case: Case) -> list[StepPlan]:
        """The approval steps of a case; empty where policy asks for none."""
        return chain_of(self._approval, flow, day, case)

    def _in_force(self, table: str, flow: Flow, day: date) -> list[dict[str, Any]]:
        rows = [row for row in self._data[table] if row["flow"] == flow and row["effective"] <= day]
        if not rows:
            raise LookupError(f"no {table} of {flow} are in force on {day}")
        latest = max(row["effective"] for row in rows)
        return [row for row in rows if row["effective"] == latest]


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
