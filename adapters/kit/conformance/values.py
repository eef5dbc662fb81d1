"""Whether each value is canonical, and each text a text: what no mapping may get wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.canonical import CANONICAL_FIELDS
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.mapping.values import TRIMMED, is_mojibake
from adapters.model import FieldKind, FieldSpec, Row
from contract.decimals import InvalidDecimal, format_decimal, format_money, parse_decimal
from contract.order import Kind, SortValue

__all__ = ["CHECKS"]

_MONEY = ("originalValue", "accumulatedDepreciation", "netValue")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ISSUE_KEYS = {"code", "field", "raw", "rule", "blocking"}


# --- values -------------------------------------------------------------------------------------------------------


def _is_decimal(value: Any, write: Callable[[Decimal], str]) -> bool:
    try:
        return isinstance(value, str) and write(parse_decimal(value)) == value
    except InvalidDecimal:
        return False


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_instant(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(_INSTANT.fullmatch(value)) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _fault(spec: FieldSpec, value: Any) -> str | None:
    """What is expected of the value, where it is not that."""
    if spec.kind is FieldKind.DECIMAL:
        write, form = (
            (format_money, "money as text, such as 1200.00")
            if spec.name in _MONEY
            else (format_decimal, "a number as text, such as 2.5")
        )
        return None if _is_decimal(value, write) else form
    tests: dict[FieldKind, tuple[bool, str]] = {
        FieldKind.TEXT: (isinstance(value, str), "a text"),
        FieldKind.REFERENCE: (isinstance(value, str), "a native key as text"),
        FieldKind.ENUM: (value in spec.values, "a value of the contract's enum"),
        FieldKind.BOOLEAN: (isinstance(value, bool), "true or false"),
        FieldKind.INTEGER: (isinstance(value, int) and not isinstance(value, bool), "a whole number"),
        FieldKind.DATE: (_is_date(value), "a day, such as 2022-01-31"),
        FieldKind.DATETIME: (_is_instant(value), "an instant in UTC, such as 2022-01-31T00:00:00Z"),
    }
    holds, form = tests[spec.kind]
    return None if holds else form


async def _values(subject: Subject) -> Findings:
    findings = Findings(looked_at=f"{len(subject.seen)} rows")
    for row, native in subject.seen:
        key = str(row.get("native"))
        for spec in CANONICAL_FIELDS.values():
            if spec.name not in row:
                findings.add("a page of all columns", key=key, field=spec.name, expected="the field", found="no field")
            elif row[spec.name] is not None and (expected := _fault(spec, row[spec.name])):
                findings.add("a row's value", key=key, field=spec.name, expected=expected, found=row[spec.name])
        _check_envelope(row, native, subject.store.native_kinds, findings)
    return findings


def _check_envelope(row: Row, native: tuple[SortValue, ...], kinds: tuple[Kind, ...], findings: Findings) -> None:
    key = str(row.get("native"))
    if not isinstance(row.get("native"), str) or not row["native"]:
        findings.add("a row's native key", key=key, expected="a text that is not empty", found=row.get("native"))
    if not isinstance(row.get("version"), str):
        findings.add("a row's version", key=key, field="version", expected="a text", found=row.get("version"))
    typed = all(isinstance(part, str if kind is Kind.TEXT else int) for part, kind in zip(native, kinds, strict=False))
    if len(native) != len(kinds) or not typed:
        expected = ", ".join(kind.name.lower() for kind in kinds)
        findings.add("the order values of a native key", key=key, expected=expected, found=list(native))
    for issue in row.get("issues") or []:
        if set(issue) != _ISSUE_KEYS:
            findings.add("an issue of a row", key=key, expected=", ".join(sorted(_ISSUE_KEYS)), found=sorted(issue))
        elif issue["blocking"]:
            findings.add("an issue of a listed row", key=key, expected="one that does not block", found=issue["code"])


# --- encoding -----------------------------------------------------------------------------------------------------


def _text_fault(text: str, known: bool) -> str | None:
    """`known`: an issue says that the text is garbled."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "no half of a surrogate pair"
    if _CONTROL.search(text):
        return "no control character"
    if is_mojibake(text) and not known:
        return "a text that can be read, or the issue MOJIBAKE"
    return None


async def _encoding(subject: Subject) -> Findings:
    findings = Findings(looked_at=f"all texts of {len(subject.seen)} rows")
    wide = spaced = 0
    for row, _ in subject.seen:
        garbled = {issue["field"] for issue in row["issues"] if issue["code"] == "MOJIBAKE"}
        for name, spec in CANONICAL_FIELDS.items():
            text = row.get(name)
            if spec.kind is not FieldKind.TEXT or not isinstance(text, str):
                continue
            if expected := _text_fault(text, name in garbled):
                findings.add("a row's text", key=row["native"], field=name, expected=expected, found=text)
            wide += name == "code" and not text.isascii() and unicodedata.normalize("NFKC", text) != text
            spaced += text != text.strip(TRIMMED)
    if wide:
        findings.advice.append(f'{wide} codes hold full-width characters: add "width" to fields.code.clean.')
    if spaced:
        findings.advice.append(f'{spaced} texts begin or end with spaces: add "trim" to the field\'s clean.')
    return findings


CHECKS = (
    Check(
        "values",
        "each value has its canonical form: money and numbers as exact text, days, instants, the contract's enums",
        _values,
        "Correct the field's mapping (unit, formats, codes); an adapter of your own must not hand out floats or "
        "native values.",
    ),
    Check(
        "encoding",
        "texts are whole Unicode: nothing garbled without an issue, no control characters, no half characters",
        _encoding,
        'Add clean = ["trim", "mojibake"] to the field, or correct store.encoding (or the connection\'s charset).',
    ),
)
