"""Timing: a page comes within the bound; where the store cannot order or filter by itself, advice says what to do."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from adapters.kit.conformance.check import Check, Look
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject
from adapters.model import Compare, OrderTerm, PageRequest, Position
from contract.order import Direction

__all__ = ["PAGE_MS_MAX", "timing_check"]

PAGE_MS_MAX = 300.0
"""A member's page that a person waits for, beside thirteen others, through two hops."""
_PAGE_ROWS = 50
_TIMES = 5
_SCAN_ROWS_ADVISED = 5_000
"""A live store with more rows than that, all of which must be read for an answer, is better read into an index."""
Clock = Callable[[], float]


def timing_check(clock: Clock, page_ms_max: float) -> Check:
    return Check(
        "timing",
        f"a page of {_PAGE_ROWS} rows takes at most {page_ms_max:g} ms (median of {_TIMES})",
        _look(clock, page_ms_max),
        'Write mode = "indexed" in [store], add an index on the key and order columns in the store, or allow more with '
        "--page-ms.",
    )


def _look(clock: Clock, page_ms_max: float) -> Look:
    async def look(subject: Subject) -> Findings:
        findings = Findings()
        seen = []
        for words, request in await _requests(subject):
            spent = []
            for _ in range(_TIMES):
                start = clock()
                await subject.store.page(request)
                spent.append((clock() - start) * 1000)
            seen.append(f"{words} {median(spent):.1f} ms")
            if median(spent) > page_ms_max:
                findings.add(words, expected=f"at most {page_ms_max:g} ms", found=f"{median(spent):.0f} ms")
        findings.looked_at = ", ".join(seen)
        await _advise(subject, findings)
        return findings

    return look


async def _requests(subject: Subject) -> list[tuple[str, PageRequest]]:
    order = (OrderTerm("originalValue", Direction.DESC),)
    first = await subject.store.page(PageRequest(None, order, _PAGE_ROWS))
    after = Position(first.sort_values[-1], first.native_values[-1], False) if first.rows else None
    return [
        ("first page", PageRequest(None, (), _PAGE_ROWS)),
        ("ordered page after a cursor", PageRequest(None, order, _PAGE_ROWS, after=after)),
        ("filtered page", PageRequest(Compare("status", "eq", "IDLE"), order, _PAGE_ROWS)),
    ]


async def _advise(subject: Subject, findings: Findings) -> None:
    """What `explain` says of an ordered and filtered page."""
    request = (await _requests(subject))[-1][1]
    explained = await subject.store.explain(request)
    if "adapter" not in (explained.filter, explained.order) or subject.store.capabilities.mode != "live":
        return
    reasons = "; ".join(dict.fromkeys(reason.message for reason in explained.reasons)) or "no reason given"
    if subject.total > _SCAN_ROWS_ADVISED:
        findings.advice.append(f'All {subject.total} rows are read for an answer ({reasons}): write mode = "indexed".')
    else:
        findings.looked_at += f"; all rows are read for an answer, which is bounded: {reasons}"
