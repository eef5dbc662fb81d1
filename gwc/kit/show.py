"""What the kit found, as lines to print: a survey, a preview, a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.kit.conformance import CheckResult, Report, Verdict
from adapters.kit.draft import Draft
from adapters.kit.raw import RawRow
from adapters.kit.survey import Survey, TableSurvey
from adapters.mapping.model import FieldMapping, Mapping
from adapters.mapping.values import text_of
from gwc.kit.console import table_lines

__all__ = ["preview_lines", "report_lines", "survey_lines"]

_TABLES_SHOWN = 30
_VALUE_WIDTH, _NAME_WIDTH, _REASON_WIDTH = 30, 28, 90
_MARKS = {Verdict.PASS: "ok", Verdict.FAIL: "FAIL", Verdict.ADVICE: "advice", Verdict.SKIPPED: "skipped"}


# --- inspect ------------------------------------------------------------------------------------------------------


def survey_lines(survey: Survey, draft: Draft) -> Iterator[str]:
    scores = {one.table.name: one.score for one in (draft.guess.best, *draft.guess.others)}
    ranked = sorted(survey.tables, key=lambda table: -scores[table.name])
    yield f"{len(survey.tables)} tables, the likeliest asset table first"
    rows = [[table.name, _rows(table), str(len(table.columns)), _key(table), f"{scores[table.name]:.0%}", table.comment]
            for table in ranked[:_TABLES_SHOWN]]  # fmt: skip
    yield from table_lines(
        ["table", "rows", "columns", "key", "assets?", "comment"], rows, [_NAME_WIDTH, 10, 7, 24, 7, 40]
    )
    if len(ranked) > _TABLES_SHOWN:
        yield f"… and {len(ranked) - _TABLES_SHOWN} more"
    yield from (f"note: {note}" for note in survey.notes)
    best = draft.guess.best
    yield ""
    yield f"{best.table.name}: {'; '.join(best.reasons)}"
    guesses = sorted(best.columns.values(), key=lambda guess: -guess.score)
    rows = [[guess.target, guess.column.name, f"{guess.score:.0%}", guess.reason] for guess in guesses]
    yield from table_lines(["meaning", "column", "sure", "why"], rows, [24, _NAME_WIDTH, 4, _REASON_WIDTH])


def _rows(table: TableSurvey) -> str:
    if table.rows is None:
        return "view"
    return f"~{table.rows}" if table.is_estimated else str(table.rows)


def _key(table: TableSurvey) -> str:
    return ", ".join(table.key or (table.unique[0] if table.unique else ()))


# --- preview ------------------------------------------------------------------------------------------------------


def preview_lines(mapping: Mapping, rows: list[RawRow]) -> Iterator[str]:
    for number, one in enumerate(rows, start=1):
        native = (one.row or {}).get("native")
        fate = "listed" if one.is_listed else "QUARANTINED"
        yield f"── row {number} · {'no key' if native is None else f'key {native}'} · {fate}"
        yield from table_lines(
            ["field", "column", "raw", "mapped", "issue"],
            list(_field_rows(mapping, one)),
            [24, _NAME_WIDTH, _VALUE_WIDTH, _VALUE_WIDTH, 40],
        )
        yield ""
    listed = sum(one.is_listed for one in rows)
    yield f"{len(rows)} rows: {listed} listed, {len(rows) - listed} quarantined (issue codes: docs/data-quality.md)"


def _field_rows(mapping: Mapping, one: RawRow) -> Iterator[list[str]]:
    issues: dict[str | None, list[str]] = {}
    for found in one.issues:
        issues.setdefault(found["field"], []).append(found["code"] + (" (blocks)" if found["blocking"] else ""))
    row = one.row or {}
    for name, mapped in mapping.fields.items():
        yield from _field_row(name, _columns(mapped), one, row, issues.pop(name, []))
    if mapping.class_ is not None:
        yield from _field_row("classCode", (mapping.class_.column,), one, row, issues.pop("classCode", []))
    for field, codes in issues.items():
        yield [field or "(row)", "", "", "", ", ".join(codes)]


def _field_row(
    name: str, columns: tuple[str, ...], one: RawRow, row: dict[str, Any], issues: list[str]
) -> Iterator[list[str]]:
    raw = " | ".join(_shown(one.raw.get(column)) for column in columns)
    yield [name, ", ".join(columns), raw, _shown(row.get(name)), ", ".join(issues)]


def _columns(mapped: FieldMapping) -> tuple[str, ...]:
    return (*mapped.columns, *([mapped.minus] if mapped.minus else []))


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(text_of(value))
    return text if text.strip() else repr(text)


# --- check --------------------------------------------------------------------------------------------------------


def report_lines(report: Report) -> Iterator[str]:
    whole = "all of them" if report.rows == report.rows_compared else f"{report.rows_compared} of them"
    yield f"{report.region}: {report.rows} listed rows, {whole} compared"
    for result in report.results:
        yield from _result_lines(result)
    failed = [result.name for result in report.results if result.verdict is Verdict.FAIL]
    yield ""
    yield (
        f"NOT conforming: {', '.join(failed)}" if failed else "conforming: the district's subgraph may serve this store"
    )


def _result_lines(result: CheckResult) -> Iterator[str]:
    yield f"{_MARKS[result.verdict]:<8}{result.name:<16} {result.meaning}"
    if result.summary:
        yield f"{'':<25}{result.summary}"
    for one in result.evidence:
        parts = [one.where]
        parts += [f"key {one.key}"] if one.key is not None else []
        parts += [f"field {one.field}"] if one.field is not None else []
        yield f"{'':<10}- {', '.join(parts)}: expected {one.expected}, found {one.found}"
    if result.findings > len(result.evidence) > 0:
        yield f"{'':<10}- … and {result.findings - len(result.evidence)} more"
    if result.remedy:
        yield f"{'':<10}→ {result.remedy}"
