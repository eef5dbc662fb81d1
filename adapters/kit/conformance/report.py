"""What the conformance kit says: a verdict per check, with evidence that a person can look up, and what to do.

Evidence names keys, fields, and what was expected and found. It holds no personal value (`FieldSpec.personal`) and
nothing of a row that may be secret, not even its key.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from adapters.canonical import CANONICAL_FIELDS

__all__ = ["EVIDENCE_MAX", "CheckResult", "Evidence", "Findings", "Report", "Verdict"]

EVIDENCE_MAX = 5
"""Findings shown of one check; all are counted."""
_TEXT_MAX = 60
_HIDDEN = "(personal, not shown)"


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    ADVICE = "advice"
    """Nothing is wrong, something could be better."""
    SKIPPED = "skipped"
    """Could not be looked at; the summary says why."""


@dataclass(frozen=True, slots=True)
class Evidence:
    where: str
    """What was asked: an order, a filter, a page."""
    key: str | None = None
    field: str | None = None
    expected: str | None = None
    found: str | None = None


@dataclass(slots=True)
class Findings:
    """What one check collects while it looks."""

    evidence: list[Evidence] = field(default_factory=list)
    count: int = 0
    advice: list[str] = field(default_factory=list)
    looked_at: str = ""
    """What was looked at, for the report's reader to judge how much a pass is worth."""
    skipped: str | None = None
    """Why there was nothing to look at."""

    def add(
        self,
        where: str,
        *,
        key: str | None = None,
        field: str | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        self.count += 1
        if len(self.evidence) < EVIDENCE_MAX:
            spec = CANONICAL_FIELDS.get(field or "")
            hide = spec is not None and spec.personal
            self.evidence.append(Evidence(where, key, field, _shown(expected, hide), _shown(found, hide)))

    @property
    def verdict(self) -> Verdict:
        if self.count:
            return Verdict.FAIL
        if self.skipped is not None:
            return Verdict.SKIPPED
        return Verdict.ADVICE if self.advice else Verdict.PASS


def _shown(value: object, hide: bool) -> str | None:
    if value is None:
        return None
    if hide:
        return _HIDDEN
    text = value if isinstance(value, str) else repr(value)
    # Half a surrogate pair can be printed nowhere: it is shown as its escape.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"


@dataclass(frozen=True, slots=True)
class CheckResult:
    name: str
    meaning: str
    """What holds where the check passes."""
    verdict: Verdict
    summary: str
    evidence: tuple[Evidence, ...] = ()
    findings: int = 0
    """How many there are; `evidence` shows the first."""
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    region: str
    rows: int
    """Listed rows, as the store counts them."""
    rows_compared: int
    """How many of them were compared with the canonical evaluation."""
    results: tuple[CheckResult, ...]

    @property
    def is_conforming(self) -> bool:
        return all(result.verdict is not Verdict.FAIL for result in self.results)

    def result(self, name: str) -> CheckResult:
        return next(result for result in self.results if result.name == name)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "conforming": self.is_conforming}
