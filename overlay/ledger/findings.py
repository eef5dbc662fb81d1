"""What a verification found wrong, with code, lineage and day: a few in words, all in number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

__all__ = ["SHOWN_MAX", "Finding", "Findings"]

SHOWN_MAX = 200
"""Findings that are kept in words; a ledger that was replaced as a whole has one for every lineage."""


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    lineage: str | None
    day: str | None
    """Of the anchor that tells."""
    detail: str


class Findings:
    def __init__(self) -> None:
        self.shown: list[Finding] = []
        self.by_code: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.by_code.total()

    def add(self, finding: Finding) -> None:
        self.by_code[finding.code] += 1
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(finding)
