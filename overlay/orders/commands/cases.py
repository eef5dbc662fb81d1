"""An order as policy sees it, for its approval chain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from overlay.approvals.chain import Case, CaseLine
from overlay.ledger.entries import share_of
from overlay.orders.model import Line, Order

__all__ = ["case_of"]


def case_of(order: Order, lines: Sequence[Line], *, damaged: bool = False, extension: bool = False) -> Case:
    applicant = order.applicant
    of_lines = tuple(_line(line) for line in lines)
    return Case(applicant.region or "", applicant.unit, of_lines, damaged=damaged, extension=extension)


def _line(line: Line) -> CaseLine:
    value = share_of(line.card_value, Decimal(0), line.quantity, line.card_quantity)
    return CaseLine(line.lending_region, line.owner_unit, line.asset_class, value)
