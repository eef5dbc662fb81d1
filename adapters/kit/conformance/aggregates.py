"""Groups and rows by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import GROUP_FIELDS, groups_of
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.model import Compare, Filter, GroupRow, Row

__all__ = ["CHECKS", "differences"]

_GROUPINGS: tuple[tuple[str, ...], ...] = ((), *((name,) for name in GROUP_FIELDS), ("status", "classTop"))
_FILTERS: tuple[Filter | None, ...] = (None, Compare("originalValue", "gte", Decimal(1000)))
_KEYS = 200
_NO_SUCH_KEY = "no/such:key 没有"
_UNCOMPARED = {"observedAt"}
"""The moment of the answer."""


async def _groups(subject: Subject) -> Findings:
    findings = Findings()
    asked = 0
    for by in _GROUPINGS:
        for filter_ in _FILTERS:
            asked += 1
            wanted = groups_of(subject.expected(filter_), by)
            got = await subject.store.groups(by, subject.within(filter_))
            words = f"groups by {', '.join(by) or 'nothing'}" + (" of rows from 1000 yuan" if filter_ else "")
            _compare_groups(findings, words, by, wanted, got)
    findings.looked_at = f"{asked} groupings"
    return findings


def _compare_groups(
    findings: Findings, words: str, by: tuple[str, ...], wanted: Sequence[GroupRow], got: Sequence[GroupRow]
) -> None:
    field = by[0] if by else None
    expected = {group.key: group for group in wanted}
    found = {group.key: group for group in got}
    for key in [*expected, *(key for key in found if key not in expected)]:
        mine, theirs = expected.get(key), found.get(key)
        if mine != theirs:
            findings.add(f"{words}: the group {_key_text(key)}", field=field, expected=_sums(mine), found=_sums(theirs))
    if len(found) != len(got):
        findings.add(words, field=field, expected="each group once", found=f"{len(got) - len(found)} repeated")
    if found == expected and list(wanted) != list(got):
        findings.add(words, field=field, expected="groups in the order of their keys, null last", found="another order")


def _key_text(key: tuple[str | None, ...]) -> str:
    return " / ".join("(null)" if part is None else part for part in key) or "of all rows"


def _sums(group: GroupRow | None) -> str:
    if group is None:
        return "no group"
    return f"{group.count} rows, quantity {group.quantity}, value {group.original_value}, net {group.net_value}"


def differences(wanted: Row, got: Row) -> list[tuple[str, object, object]]:
    """(field, expected, found) of two rows of one key; issues by code and field."""
    # By type too: 12.5 is not "12.50", and 0 is not False.
    names = [name for name in ("version", *CANONICAL_FIELDS) if name not in _UNCOMPARED]
    pairs = ((name, wanted.get(name), got.get(name)) for name in names)
    found = [(name, _or_null(a), _or_null(b)) for name, a, b in pairs if (type(a), a) != (type(b), b)]
    mine, theirs = (sorted((item["code"], item["field"] or "") for item in row["issues"]) for row in (wanted, got))
    if mine != theirs:
        found.append(("issues", mine, theirs))
    return found


def _or_null(value: object) -> object:
    return "null" if value is None else value


async def _by_key(subject: Subject) -> Findings:
    findings = Findings()
    step = max(1, len(subject.rows) // _KEYS)
    asked = {row["native"]: row for row, _ in subject.rows[::step]}
    got = await subject.store.rows([*asked, _NO_SUCH_KEY])
    for key, wanted in asked.items():
        if key not in got:
            findings.add("rows by key", key=key, expected="the row", found="no row")
            continue
        for field, expected, found in differences(wanted, got[key]):
            findings.add("rows by key", key=key, field=field, expected=expected, found=found)
    for key in got.keys() - asked.keys():
        findings.add("rows by key", key=key, expected="no row: it was not asked for", found="a row")
    await _some_columns(subject, list(asked)[:5], findings)
    findings.looked_at = f"{len(asked)} keys"
    return findings


async def _some_columns(subject: Subject, keys: Sequence[str], findings: Findings) -> None:
    columns = frozenset({"name", "originalValue"})
    rows: Mapping[str, Row] = await subject.store.rows(keys, columns)
    for key, row in rows.items():
        for name in sorted({*columns, "native", "version", "issues"} - set(row)):
            findings.add("rows by key with columns named", key=key, field=name, expected="the field", found="no field")


CHECKS = (
    Check(
        "groups",
        "each group has its rows' number and exact sums; rows without a value make a group of their own",
        _groups,
        "Group with the same conditions as pages, keep the null group, sum exactly (no floats); a null amount adds "
        "nothing.",
    ),
    Check(
        "rows by key",
        "a native key gives the row that pages give; a key that is unknown, secret or in quarantine gives none",
        _by_key,
        "Look the key up with the same conditions as pages, compared exactly (no collation, no padding).",
    ),
)
