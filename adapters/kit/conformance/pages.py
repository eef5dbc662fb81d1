"""Pages: a walk in either direction gives every row once, and `has_more` is true exactly where more rows lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from adapters.evaluate import order_value, position_key, row_key
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Subject, order_text
from adapters.model import OrderTerm, Page, PageRequest, Position
from contract.order import Direction

__all__ = ["CHECKS"]

_PAGES_OF_A_WALK = 24
_CURSORS = 12
"""Cursors of other members that are tried an order."""
ORDERS: tuple[tuple[OrderTerm, ...], ...] = (
    (),
    (OrderTerm("status"),),
    (OrderTerm("name", Direction.DESC),),
    (OrderTerm("acquiredOn", Direction.DESC), OrderTerm("originalValue")),
)
"""Without ties, with many, text, and two terms with nulls."""


def _size(rows: int) -> int:
    return max(2, -(-rows // _PAGES_OF_A_WALK))


async def _walk(subject: Subject, order: tuple[OrderTerm, ...], *, backward: bool) -> tuple[list[str], list[Page]]:
    """Keys in the order of the walk, and its pages. It ends with the first page that adds no row."""
    request = PageRequest(subject.scope, order, _size(len(subject.rows)), backward=backward)
    keys: list[str] = []
    pages: list[Page] = []
    pages_max = 2 * _PAGES_OF_A_WALK + 2
    while len(pages) < pages_max:
        page = await subject.store.page(request)
        pages.append(page)
        if not page.rows:
            break
        natives = [row["native"] for row in page.rows]
        keys += reversed(natives) if backward else natives
        edge = 0 if backward else -1
        place = Position(page.sort_values[edge], page.native_values[edge], False)
        request = replace(request, before=place) if backward else replace(request, after=place)
    return keys, pages


async def _pages(subject: Subject, *, backward: bool) -> Findings:
    findings = Findings()
    walked = 0
    for order in ORDERS:
        where = f"a walk {'backwards ' if backward else ''}by {order_text(order)}"
        keys, pages = await _walk(subject, order, backward=backward)
        walked += len(pages)
        wanted = [row["native"] for row, _ in subject.ordered(order)]
        _compare(findings, where, wanted[::-1] if backward else wanted, keys, order)
    findings.looked_at = f"{walked} pages of {_size(len(subject.rows))} rows in {len(ORDERS)} walks"
    return findings


def _compare(findings: Findings, where: str, wanted: list[str], got: list[str], order: tuple[OrderTerm, ...]) -> None:
    field = order[0].field if order else None
    times = Counter(got)
    for key in wanted:
        if times[key] != 1:
            findings.add(where, key=key, field=field, expected="the row once", found=f"{times[key]} times")
    for key in times.keys() - set(wanted):
        findings.add(where, key=key, field=field, expected="no such row", found=f"{times[key]} times")
    if sorted(wanted) == sorted(got) and wanted != got:
        at = next(at for at, (a, b) in enumerate(zip(wanted, got, strict=True)) if a != b)
        findings.add(f"{where}, row {at + 1}", key=got[at], field=field, expected=wanted[at], found=got[at])


async def _forward(subject: Subject) -> Findings:
    findings = await _pages(subject, backward=False)
    for key in subject.repeated:
        findings.add("one page of all rows", key=key, expected="the row once", found="more than once")
    return findings


async def _backward(subject: Subject) -> Findings:
    return await _pages(subject, backward=True)


async def _has_more(subject: Subject) -> Findings:
    findings = Findings()
    rows = len(subject.rows)
    asked = 0
    for order in ORDERS:
        for backward in (False, True):
            for limit in sorted({1, _size(rows), rows - 1, rows, rows + 1}):
                if limit < 1:
                    continue
                asked += 1
                page = await subject.page(None, order, limit, backward=backward)
                if page.has_more is not (limit < rows):
                    findings.add(
                        f"{'the last' if backward else 'the first'} {limit} of {rows} rows by {order_text(order)}",
                        field="has_more",
                        expected=limit < rows,
                        found=page.has_more,
                    )
    findings.looked_at = f"{asked} pages"
    return findings


async def _cursors(subject: Subject) -> Findings:
    """Cursors of other members: values without a native key of ours, before or after all rows that have them."""
    findings = Findings()
    asked = 0
    limit = _size(len(subject.rows))
    for order in ORDERS[1:]:
        ordered = subject.ordered(order)
        for place in _places(subject, order):
            for backward in (False, True):
                asked += 1
                edge = position_key(place, order, subject.store.native_kinds)
                side = [
                    row["native"]
                    for row, native in ordered
                    if (row_key(row, native, order, subject.store.native_kinds) < edge) is backward
                ]
                wanted = side[-limit:] if backward else side[:limit]
                request = PageRequest(subject.scope, order, limit, backward=backward)
                request = replace(request, before=place) if backward else replace(request, after=place)
                got = [row["native"] for row in (await subject.store.page(request)).rows]
                if got != wanted:
                    findings.add(
                        f"{'before' if backward else 'after'} another member's cursor by {order_text(order)}"
                        f" ({'inclusive' if place.inclusive else 'exclusive'})",
                        key=got[0] if got else None,
                        field=order[0].field,
                        expected=f"{len(wanted)} rows from {wanted[0] if wanted else 'none'}",
                        found=f"{len(got)} rows from {got[0] if got else 'none'}",
                    )
    findings.looked_at = f"{asked} pages"
    return findings


def _places(subject: Subject, order: tuple[OrderTerm, ...]) -> Iterator[Position]:
    step = max(1, len(subject.rows) // _CURSORS)
    for row, _ in subject.ordered(order)[::step]:
        for inclusive in (True, False):
            yield Position(tuple(order_value(term.field, row) for term in order), None, inclusive)


CHECKS = (
    Check(
        "pages",
        "a walk page by page gives every row exactly once, in order",
        _forward,
        "The keyset is wrong: resume strictly after the last row's order values AND native key (ties!), nulls "
        "included.",
    ),
    Check(
        "pages backwards",
        "the same walk from the end gives every row exactly once",
        _backward,
        "Resume strictly before the first row's order values and native key, in the reversed order.",
    ),
    Check(
        "has_more",
        "has_more is true exactly where rows lie beyond the page",
        _has_more,
        "Read one row more than the page holds, in the page's direction, and say whether it was there.",
    ),
    Check(
        "cursors",
        "a cursor of another member is resumed at the right place",
        _cursors,
        "A position without native key lies before (inclusive) or after all rows of its values: use >= or >.",
    ),
)
