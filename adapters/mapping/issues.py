"""The issues a mapping can find; docs/data-quality.md says what each means. Blocking ones quarantine the row."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.model import Issue

__all__ = ["BLOCKING", "counted", "is_blocked", "issue"]

BLOCKING = frozenset(
    {"REGION_UNDECIDED", "UNMAPPABLE_AMOUNT", "EMPTY_KEY", "DUPLICATE_KEY", "MALFORMED_ROW", "QUARANTINE_RULE"},
)
RAW_LENGTH_MAX = 200


def issue(code: str, field: str | None, raw: str | None, rule: str) -> Issue:
    shown = raw if raw is None or len(raw) <= RAW_LENGTH_MAX else raw[:RAW_LENGTH_MAX] + "…"
    return Issue(code=code, field=field, raw=shown, rule=rule, blocking=code in BLOCKING)


def counted(issues: Iterable[Issue], listed: bool) -> set[tuple[str, str | None]]:
    """What a row adds to the counts of a quality report: each (code, field) once; of a quarantined row only what keeps
    it there."""
    return {(found["code"], found["field"]) for found in issues if listed or found["blocking"]}


def is_blocked(issues: list[Issue]) -> bool:
    return any(found["blocking"] for found in issues)
