"""Order: the store's sequence is the canonical one, forwards and backwards, for every order the contract has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.canonical import CANONICAL_FIELDS
from adapters.evaluate import order_value
from adapters.kit.conformance.check import Check
from adapters.kit.conformance.report import Findings
from adapters.kit.conformance.subject import Keyed, Subject, order_text
from adapters.model import OrderTerm, Page
from contract.order import Direction

__all__ = ["CHECKS", "orders"]

_TAIL_ROWS = 20
"""Rows of a last page: enough to hold nulls and ties."""


def orders() -> Iterator[tuple[OrderTerm, ...]]:
    """Each orderable field in both directions, and each followed by another in the other direction."""
    names = [name for name, spec in CANONICAL_FIELDS.items() if spec.orderable]
    yield ()
    for at, name in enumerate(names):
        for direction, other in ((Direction.ASC, Direction.DESC), (Direction.DESC, Direction.ASC)):
            yield (OrderTerm(name, direction),)
            yield (OrderTerm(name, direction), OrderTerm(names[at - 1], other))


async def _order(subject: Subject) -> Findings:
    findings = Findings()
    asked = 0
    for order in orders():
        asked += 1
        page = await subject.page(None, order, len(subject.rows) + 1)
        compare(findings, f"all rows by {order_text(order)}", order, subject.ordered(order), page)
    findings.looked_at = f"{asked} orders of {len(subject.rows)} rows"
    return findings


async def _backward(subject: Subject) -> Findings:
    findings = Findings()
    asked = 0
    limit = min(_TAIL_ROWS, len(subject.rows))
    for order in orders():
        asked += 1
        page = await subject.page(None, order, max(limit, 1), backward=True)
        tail = subject.ordered(order)[len(subject.rows) - limit :]
        compare(findings, f"the last {limit} rows by {order_text(order)}", order, tail, page)
    findings.looked_at = f"the last page of {asked} orders"
    return findings


def compare(
    findings: Findings, where: str, order: tuple[OrderTerm, ...], expected: Sequence[Keyed], page: Page
) -> None:
    """Report the first row that is out of place, and the first whose cursor values are not its own."""
    wanted = [row["native"] for row, _ in expected]
    got = [row["native"] for row in page.rows]
    field = order[0].field if order else None
    if wanted != got:
        at = next(
            (at for at, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got))
        )
        findings.add(
            f"{where}, row {at + 1}",
            key=got[at] if at < len(got) else None,
            field=field,
            expected=wanted[at] if at < len(wanted) else "no more rows",
            found=got[at] if at < len(got) else "no more rows",
        )
        return
    for (row, native), values, natives in zip(expected, page.sort_values, page.native_values, strict=True):
        own = tuple(order_value(term.field, row) for term in order)
        if (values, natives) != (own, native):
            findings.add(
                f"{where}: the cursor",
                key=row["native"],
                field=field,
                expected=[*own, *native],
                found=[*values, *natives],
            )
            return


CHECKS = (
    Check(
        "order",
        "rows come in the canonical order: numbers by value, text by code points, enums as declared, nulls last, "
        "ties by native key",
        _order,
        'The store\'s own collation or null rule shows: sort by code points (COLLATE "C", utf8mb4_nopad_bin, BINARY), '
        'or write mode = "indexed".',
    ),
    Check(
        "order backwards",
        "the last rows of an order are the last, given in forward order",
        _backward,
        "Reverse the whole order, nulls and ties included, take the rows, and turn them around again.",
    ),
)
