"""What is checked, and what it is held against.

The oracle is never the store's own cleverness: rows are filtered and sorted in memory by `adapters.evaluate`. Their
values come from a *witness* where there is one: the same mapping read a second way, into a fresh local index. A store
of up to `rows_max` rows is compared whole. Of a larger one, a sample of its first and its last rows is, by putting
their keys into every filter (`scope`), so that each answer stays exactly comparable and bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapters.evaluate import predicate, sorted_rows
from adapters.model import (
    And,
    Filter,
    KeyIn,
    OrderTerm,
    Page,
    PageRequest,
    QualityReport,
    Row,
    Store,
)
from contract.order import SortValue

__all__ = ["ROWS_MAX", "Keyed", "Subject", "Witness", "meet", "order_text", "testify"]

ROWS_MAX = 5_000
"""Rows compared whole: about a second to map, and as much for each statement of a store that must be scanned."""
SAMPLE_ROWS = 150
"""Rows from either end of a larger store: their keys fit into one statement of every engine."""
_QUARANTINE_PAGE = 200

Keyed = tuple[Row, tuple[SortValue, ...]]


@dataclass(frozen=True, slots=True)
class Witness:
    """What the mapping makes of the store, read a second way."""

    rows: Mapping[str, Row]
    quality: QualityReport
    quarantined: frozenset[str]
    """Places in the quarantine list without their numbers: the native keys kept back."""


@dataclass
class Subject:
    store: Store
    total: int
    whole: bool
    scope: Filter | None
    seen: Sequence[Keyed]
    """Listed rows as the store gives them in one page (two, of a larger store), each key once."""
    repeated: Sequence[str]
    """Keys that this page had more than once."""
    witness: Witness | None
    why_no_witness: str = ""

    def __post_init__(self) -> None:
        known = self.witness.rows if self.witness else {}
        # A row that may be secret takes no part: its values would be asked for, and so be shown.
        shown = [(row["native"], row, native) for row, native in self.seen if self.may_be_shown(row["native"])]
        self.rows: list[Keyed] = [(known.get(key, row), native) for key, row, native in shown]
        self._orders: dict[tuple[OrderTerm, ...], list[Keyed]] = {}

    def may_be_shown(self, key: str) -> bool:
        """Whether the mapping itself lists or quarantines this row. Any other may be secret."""
        return self.witness is None or key in self.witness.rows or key in self.witness.quarantined

    def within(self, filter_: Filter | None) -> Filter | None:
        """The filter, over the rows that are compared."""
        parts = tuple(part for part in (self.scope, filter_) if part is not None)
        return parts[0] if len(parts) == 1 else And(parts) if parts else None

    def ordered(self, order: tuple[OrderTerm, ...]) -> list[Keyed]:
        if order not in self._orders:
            self._orders[order] = sorted_rows(self.rows, order, self.store.native_kinds)
        return self._orders[order]

    def expected(self, filter_: Filter | None) -> list[Row]:
        keep = predicate(filter_)
        return [row for row, _ in self.rows if keep(row)]

    async def page(
        self, filter_: Filter | None, order: tuple[OrderTerm, ...], limit: int, *, backward: bool = False
    ) -> Page:
        return await self.store.page(PageRequest(self.within(filter_), order, limit, backward=backward))


async def meet(store: Store, rows_max: int, witness: Witness | None, why_no_witness: str) -> Subject:
    """Look at an open store for the first time: how large it is, and which of its rows are compared."""
    first = await store.page(PageRequest(None, (), rows_max + 1))
    pairs = list(zip(first.rows, first.native_values, strict=True))
    whole = len(pairs) <= rows_max
    if not whole:
        last = await store.page(PageRequest(None, (), SAMPLE_ROWS, backward=True))
        pairs = pairs[:SAMPLE_ROWS] + list(zip(last.rows, last.native_values, strict=True))
    seen, repeated = _once(pairs)
    scope = None if whole else KeyIn(tuple(row["native"] for row, _ in seen))
    return Subject(store, await store.count(None), whole, scope, seen, repeated, witness, why_no_witness)


def _once(pairs: Iterable[Keyed]) -> tuple[list[Keyed], list[str]]:
    seen: dict[str, Keyed] = {}
    repeated = []
    for pair in pairs:
        if pair[0]["native"] in seen:
            repeated.append(pair[0]["native"])
        seen[pair[0]["native"]] = pair
    return list(seen.values()), repeated


async def testify(store: Store, rows_max: int) -> Witness | None:
    """A witness of an open store that was read a second way; None where it has more rows than are compared."""
    quality = await store.quality()
    if quality.rows > rows_max:
        return None
    page = await store.page(PageRequest(None, (), rows_max + 1))
    quarantined: list[str] = []
    after: tuple[SortValue, ...] | None = None
    while rows := await store.quarantine(_QUARANTINE_PAGE, after):
        quarantined += [str(row.native[0]).partition("\x1f")[0] for row in rows]
        after = rows[-1].native
    return Witness({row["native"]: row for row in page.rows}, quality, frozenset(quarantined))


def order_text(order: Sequence[OrderTerm]) -> str:
    return ", ".join(f"{term.field} {term.direction}" for term in order) or "native key"
