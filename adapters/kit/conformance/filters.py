"""Filters and totals: each operator on each filterable field gives the rows that the canonical evaluation keeps.

Values are taken from the rows themselves, among them the least, the greatest, and one that no row has.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import fold
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.model import (
    And,
    Compare,
    FieldKind,
    FieldSpec,
    Filter,
    HasIssues,
    In,
    IsNull,
    KeyIn,
    Not,
    Nothing,
    Or,
    Row,
    TextContains,
    TextMatch,
    TextPrefix,
    UnderClass,
)

__all__ = ["CHECKS", "filters_of"]

_NO_SUCH = "没有 none"
_HAIR = Decimal("0.001")
"""Less than any step of money: shows a comparison that rounds."""
_COMPARED = {FieldKind.DECIMAL, FieldKind.INTEGER, FieldKind.DATE, FieldKind.DATETIME}
_UNSEEN: dict[FieldKind, Any] = {
    FieldKind.DECIMAL: Decimal("-7.77"),
    FieldKind.INTEGER: -7,
    FieldKind.DATE: "1900-01-01",
    FieldKind.DATETIME: "1900-01-01T00:00:00Z",
}
"""A value that no row has, by kind; of texts `_NO_SUCH`."""

Named = tuple[str, str | None, Filter]
"""(what is asked in words, the field, the filter)."""


def filters_of(rows: Sequence[Row]) -> Iterator[Named]:
    for spec in CANONICAL_FIELDS.values():
        if spec.filterable:
            yield from _of_field(spec, rows)
    yield from _of_rows(rows)


def _of_field(spec: FieldSpec, rows: Sequence[Row]) -> Iterator[Named]:
    name = spec.name
    yield f"{name} is null", name, IsNull(name)
    yield f"{name} is not null", name, Not(IsNull(name))
    if spec.kind is FieldKind.BOOLEAN:
        for flag in (True, False):
            yield f"{name} eq {flag}", name, Compare(name, "eq", flag)
        return
    values = _seen(spec, rows)
    for value in values:
        yield f"{name} eq {value}", name, Compare(name, "eq", value)
        yield f"not {name} eq {value}", name, Not(Compare(name, "eq", value))
    if spec.kind is not FieldKind.INTEGER:
        yield f"{name} in …", name, In(name, tuple(str(value) for value in values))
    if spec.kind in _COMPARED:
        yield from _comparisons(spec, values)
    if spec.kind is FieldKind.TEXT:
        for value in values[:2]:
            yield f"{name} contains {value[1:3]}", name, TextContains(name, value[1:3])
            yield f"{name} begins with {value[:2]}", name, TextPrefix(name, value[:2])
        for odd in ("%", "_", "'"):
            yield f"{name} contains {odd}", name, TextContains(name, odd)


def _seen(spec: FieldSpec, rows: Sequence[Row]) -> list[Any]:
    """The least, the middle, the greatest value, and one that no row has."""
    found = {row[spec.name] for row in rows if row.get(spec.name) is not None}
    if spec.kind is FieldKind.ENUM:
        return [*[value for value in spec.values if value in found][:3], spec.values[-1]]
    convert: Any = {FieldKind.DECIMAL: Decimal, FieldKind.INTEGER: int}.get(spec.kind, str)
    ordered = sorted({convert(value) for value in found})
    middle = [ordered[at] for at in sorted({0, len(ordered) // 2, len(ordered) - 1})] if ordered else []
    return [*middle, _UNSEEN.get(spec.kind, _NO_SUCH)]


def _comparisons(spec: FieldSpec, values: Sequence[Any]) -> Iterator[Named]:
    for value in values:
        near = [value - _HAIR, value + _HAIR] if isinstance(value, Decimal) else []
        for each in (value, *near):
            for op in ("gt", "gte", "lt", "lte"):
                yield f"{spec.name} {op} {each}", spec.name, Compare(spec.name, op, each)


def _of_rows(rows: Sequence[Row]) -> Iterator[Named]:
    """Operators that belong to no single field, and how they are joined."""
    natives = tuple(row["native"] for row in rows[:3])
    yield "these keys", "native", KeyIn((*natives, _NO_SUCH))
    for wanted in (True, False):
        yield f"issues: {wanted}", "issues", HasIssues(wanted)
    codes = sorted({row["classCode"] for row in rows if row.get("classCode")})
    for code in codes[:2]:
        yield f"class {code[:3]} or below", "classCode", UnderClass((code[:3],))
        yield f"class {code} or below", "classCode", UnderClass((code, "Z9"))
    for word in [fold(row["name"]) for row in rows if row.get("name")][:2]:
        yield f"text {word[:2]}", "name", TextMatch(((word[:2], _NO_SUCH),))
        yield f"text {word[:1]} and {word[-1:]}", "name", TextMatch(((word[:1],), (word[-1:],)))
    idle, cheap = In("status", ("IDLE", "IN_STORE")), Compare("originalValue", "lt", Decimal(5000))
    yield "idle and cheap", "status", And((idle, cheap))
    yield "idle or cheap", "status", Or((idle, cheap))
    yield "not (idle or cheap)", "status", Not(Or((idle, cheap)))
    yield "nothing", None, Nothing()
    yield "all of none", None, And(())
    yield "any of none", None, Or(())


async def _filters(subject: Subject) -> Findings:
    findings = Findings()
    asked = 0
    for words, field, filter_ in filters_of([row for row, _ in subject.rows]):
        asked += 1
        wanted = {row["native"] for row in subject.expected(filter_)}
        page = await subject.page(filter_, (), len(subject.rows) + 1)
        got = {row["native"] for row in page.rows}
        for key in sorted(wanted - got)[:1]:
            findings.add(words, key=key, field=field, expected="the row", found="no row")
        for key in sorted(got - wanted)[:1]:
            findings.add(words, key=key, field=field, expected="no row", found="the row")
    findings.looked_at = f"{asked} filters over {len(subject.rows)} rows"
    return findings


async def _totals(subject: Subject) -> Findings:
    findings = Findings()
    asked = 0
    if subject.whole and subject.total != len(subject.rows):
        findings.add("the number of all rows", expected=len(subject.rows), found=subject.total)
    # A number costs a statement of its own, and its conditions are those of the page: each third filter will do.
    for words, field, filter_ in itertools.islice(filters_of([row for row, _ in subject.rows]), 0, None, 3):
        asked += 1
        wanted = len(subject.expected(filter_))
        got = await subject.store.count(subject.within(filter_))
        if got != wanted:
            findings.add(f"the number of rows with {words}", field=field, expected=wanted, found=got)
    findings.looked_at = f"{asked} numbers of rows"
    return findings


CHECKS = (
    Check(
        "filters",
        "each operator on each filterable field keeps the rows that it says; null makes a comparison false, its "
        "negation true",
        _filters,
        "Look at the field's mapping in the store's query (null rule, collation, number as text), or write mode = "
        '"indexed".',
    ),
    Check(
        "totals",
        "the number of rows of a filter is the number of rows it gives",
        _totals,
        "Count with the same conditions as the page: secrecy, row rules and quarantine included, joins to one row.",
    ),
)
