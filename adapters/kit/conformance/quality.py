"""Nothing dropped in silence, nothing invented, nothing secret shown: the store against its own quarantine and witness."""

from __future__ import annotations

from collections import Counter

from adapters.kit.conformance.aggregates import differences
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.mapping.issues import counted
from adapters.model import QualityReport, QuarantinedRow
from contract.order import SortValue

__all__ = ["CHECKS"]

_PAGE = 50
_WHOLE_PAGES_MAX = 1_000
"""A list of quarantine that does not end is no list."""
_SAMPLE_PAGES = 10


async def _listing(subject: Subject) -> Findings:
    findings = Findings(looked_at=f"{subject.total} listed rows")
    if subject.total == 0:
        findings.add("the number of all rows", expected="1 or more", found=0)
    return findings


# --- quarantine ---------------------------------------------------------------------------------------------------


async def _quarantine(subject: Subject) -> Findings:
    findings = Findings()
    report = await subject.store.quality()
    kept_back = await _all_quarantined(subject)
    sums = [
        ("rows = listed + quarantined", report.listed + report.quarantined, report.rows),
        ("listed = the number of all rows", subject.total, report.listed),
    ]
    if subject.whole:
        sums.append(("quarantined = rows of the quarantine list", len(kept_back), report.quarantined))
    for words, expected, found in sums:
        if expected != found:
            findings.add(words, expected=expected, found=found)
    if subject.witness is not None:
        seen = subject.witness.quality
        for name in ("rows", "listed", "quarantined"):
            if getattr(seen, name) != getattr(report, name):
                findings.add(
                    f"{name}, as the mapping read a second way has them",
                    expected=getattr(seen, name),
                    found=getattr(report, name),
                )
    _check_rows(kept_back, {row["native"] for row, _ in subject.seen}, findings)
    if subject.whole:
        _check_issues(subject, kept_back, report, findings)
    findings.looked_at = f"{report.listed} listed and {report.quarantined} quarantined rows"
    return findings


async def _all_quarantined(subject: Subject) -> list[QuarantinedRow]:
    """All of them; of a store that is compared in part, the first ones."""
    found: list[QuarantinedRow] = []
    after: tuple[SortValue, ...] | None = None
    for _ in range(_WHOLE_PAGES_MAX if subject.whole else _SAMPLE_PAGES):
        rows = await subject.store.quarantine(_PAGE, after)
        if not rows:
            break
        found += rows
        after = rows[-1].native
    return found


def _check_rows(kept_back: list[QuarantinedRow], listed: set[str], findings: Findings) -> None:
    places = Counter(row.native for row in kept_back)
    for place, times in places.items():
        if times > 1:
            key = str(place[0]).partition("\x1f")[0]
            findings.add("the quarantine list", key=key, expected="the row once", found=f"{times} times")
    for row in kept_back:
        key = str(row.native[0]).partition("\x1f")[0] if row.native else ""
        if not any(issue["blocking"] for issue in row.issues):
            findings.add("a row in quarantine", key=key, expected="a blocking issue", found="none")
        if key and key in listed:
            findings.add("a row in quarantine", key=key, expected="not listed", found="listed too")


def _check_issues(subject: Subject, kept_back: list[QuarantinedRow], report: QualityReport, findings: Findings) -> None:
    """The report's counts are those of the rows themselves."""
    own: Counter[tuple[str, str | None]] = Counter()
    for row, _ in subject.seen:
        own.update(counted(row["issues"], listed=True))
    for kept in kept_back:
        own.update(counted(kept.issues, listed=False))
    for code, field in sorted({*own, *report.issues}, key=str):
        wanted, got = own[code, field], report.issues.get((code, field), 0)
        if wanted != got:
            findings.add(f"rows counted with {code}", field=field, expected=wanted, found=got)


# --- against the witness ------------------------------------------------------------------------------------------


def _unseen(subject: Subject) -> Findings:
    return Findings(skipped=subject.why_no_witness or "there is no second reading of this store")


async def _rows(subject: Subject) -> Findings:
    if subject.witness is None:
        return _unseen(subject)
    findings = Findings(looked_at=f"{len(subject.witness.rows)} rows, field by field")
    seen = {row["native"]: row for row, _ in subject.seen}
    for key, wanted in subject.witness.rows.items():
        if key not in seen:
            findings.add("all rows", key=key, expected="listed", found="no row")
            continue
        for field, expected, found in differences(wanted, seen[key]):
            findings.add("a row's value", key=key, field=field, expected=expected, found=found)
    for key in seen:
        if key in subject.witness.quarantined and key not in subject.witness.rows:
            findings.add("all rows", key=key, expected="in quarantine", found="listed")
    return findings


async def _secrecy(subject: Subject) -> Findings:
    """A row that is neither listed nor kept back by the mapping is secret, or no asset: nothing of it is shown."""
    if subject.witness is None:
        return _unseen(subject)
    witness = subject.witness
    findings = Findings(looked_at=f"{len(subject.seen)} listed rows")
    known = witness.rows.keys() | witness.quarantined
    for row, _ in subject.seen:
        if row["native"] not in known:
            # Without its key, and so without being cut out as a whole: what was expected is no secret.
            findings.add("a row whose key is not shown", expected="no row: secret, or not an asset", found="listed")
    return findings


CHECKS = (
    Check(
        "listing",
        "something is listed: of a store that lists nothing, nothing can be proved",
        _listing,
        "Decide [secrecy] open: where it is empty, every row is secret. Else look at source.rows, and at quarantine.",
    ),
    Check(
        "quarantine",
        "every row is listed or quarantined with a reason; the quality report's numbers are those of the rows",
        _quarantine,
        "A row that cannot be mapped must be quarantined with its issue, never left out: see docs/data-quality.md.",
    ),
    Check(
        "rows",
        "each row equals what the mapping says, field by field, issue by issue; null stays null",
        _rows,
        "The store's way (its own query, its index) and the mapper disagree: compare the field's [fields.…] with "
        "what the store keeps.",
    ),
    Check(
        "secrecy",
        "no secret row, and no row that is not an asset, is listed",
        _secrecy,
        "Stop serving this store. Put the secrecy rule into every statement, before anything else.",
    ),
)
