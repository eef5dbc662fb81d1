"""All listable rows of a store, mapped, in memory: how a store is served that cannot filter or sort as asked.

Bounded by the mapping's `scan_rows_max`. Seeing all rows, it also
finds what no single row shows: keys that are not unique (all their rows are quarantined) and codes that occur twice.
Sorted orders are kept, so that a page costs a binary search and a filter over the rows it passes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adapters.evaluate import groups_of, order_value, position_key, predicate, row_key, sorted_rows
from adapters.mapping.issues import counted, issue
from adapters.mapping.mapper import Fate, Mapped, RowMapper, native_kinds
from adapters.model import (
    Filter,
    GroupRow,
    Issue,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    StoreUnsupported,
)
from contract.order import Kind, SortValue

__all__ = ["Snapshot", "SortedRows", "duplicate_code", "duplicate_key", "quarantine_place"]

_ORDERS_KEPT = 8


def duplicate_code(code: str) -> Issue:
    return issue("DUPLICATE_CODE", "code", code, "fields.code")


def duplicate_key(native: str) -> Issue:
    return issue("DUPLICATE_KEY", None, native, "key.columns")


def quarantine_place(native: str | None, number: int) -> tuple[SortValue, ...]:
    """One text: rows in quarantine may lack a key or share one, so their number in reading order goes with it."""
    return (f"{native or ''}\x1f{number:09d}",)


class SortedRows:
    """Listed rows in memory, for pages: orders are kept, and a page is a binary search and a filter."""

    def __init__(self, listed: Iterable[tuple[Row, tuple[SortValue, ...]]], kinds: tuple[Kind, ...]) -> None:
        self._kinds = kinds
        self._listed = sorted_rows(listed, (), kinds)
        self._orders: OrderedDict[tuple[Any, ...], list[tuple[Row, tuple[SortValue, ...]]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[Row]:
        return (row for row, _ in self._listed)

    def page(self, request: PageRequest) -> Page:
        ordered = self._ordered(request)
        low, high = 0, len(ordered)

        def key(pair: tuple[Row, tuple[SortValue, ...]]) -> tuple[Any, ...]:
            return row_key(pair[0], pair[1], request.order, self._kinds)

        if request.after is not None:
            low = bisect_right(ordered, position_key(request.after, request.order, self._kinds), key=key)
        if request.before is not None:
            high = bisect_left(ordered, position_key(request.before, request.order, self._kinds), key=key)
        keep = predicate(request.filter)
        places = range(high - 1, low - 1, -1) if request.backward else range(low, high)
        found: list[tuple[Row, tuple[SortValue, ...]]] = []
        for place in places:
            if keep(ordered[place][0]):
                found.append(ordered[place])
                if len(found) > request.limit:
                    break
        has_more = len(found) > request.limit
        del found[request.limit :]
        if request.backward:
            found.reverse()
        fields = [term.field for term in request.order]
        return Page(
            rows=[row for row, _ in found],
            sort_values=[tuple(order_value(field, row) for field in fields) for row, _ in found],
            native_values=[native for _, native in found],
            has_more=has_more,
        )

    def _ordered(self, request: PageRequest) -> list[tuple[Row, tuple[SortValue, ...]]]:
        if not request.order:
            return self._listed
        ordered = self._orders.get(request.order)
        if ordered is None:
            ordered = sorted_rows(self._listed, request.order, self._kinds)
            self._orders[request.order] = ordered
            if len(self._orders) > _ORDERS_KEPT:
                self._orders.popitem(last=False)
        return ordered


class Snapshot:
    def __init__(self, mapper: RowMapper, raws: Sequence[tuple[Any, ...]], rows_max: int) -> None:
        """`raws`: neither secret nor ignored, which the store itself has left out."""
        if len(raws) > rows_max:
            raise StoreUnsupported(
                f"the store has more than {rows_max} rows and cannot do this by itself: raise store.scan_rows_max"
            )
        self._kinds = native_kinds(mapper.mapping.key)
        self._settle([(mapper.map(raw), raw) for raw in raws], mapper)

    def _settle(self, kept: list[tuple[Mapped, tuple[Any, ...]]], mapper: RowMapper) -> None:
        keys = Counter(mapped.native for mapped, _ in kept if mapped.native)
        codes = Counter(mapped.row["code"] for mapped, _ in kept if mapped.row and mapped.row["code"] is not None)
        listed: list[tuple[Row, tuple[SortValue, ...]]] = []
        self.quarantined: list[QuarantinedRow] = []
        self.issues: Counter[tuple[str, str | None]] = Counter()
        for mapped, raw in kept:
            row, issues = mapped.row, mapped.issues
            assert row is not None
            assert issues is not None
            if row["code"] is not None and codes[row["code"]] > 1:
                issues.append(duplicate_code(row["code"]))
            if mapped.native and keys[mapped.native] > 1:
                issues.append(duplicate_key(row["native"]))
                mapped.fate = Fate.QUARANTINED
            issues.sort(key=lambda found: (found["code"], found["field"] or ""))
            self.issues.update(counted(issues, mapped.fate is Fate.LISTED))
            if mapped.fate is Fate.LISTED:
                listed.append((row, mapped.native))
            else:
                place = quarantine_place(row["native"], len(self.quarantined))
                self.quarantined.append(QuarantinedRow(place, mapper.raw_of(raw), issues))
        self._listed = SortedRows(listed, self._kinds)
        self._by_native = {row["native"]: row for row in self._listed}
        self.quarantined.sort(key=lambda row: row.native)

    def page(self, request: PageRequest) -> Page:
        return self._listed.page(request)

    def rows(self, natives: Iterable[str]) -> dict[str, Row]:
        return {native: row for native in natives if (row := self._by_native.get(native)) is not None}

    def count(self, filter_: Filter | None) -> int:
        if filter_ is None:
            return len(self._listed)
        keep = predicate(filter_)
        return sum(map(keep, self._listed))

    def groups(self, by: Sequence[str], filter_: Filter | None) -> list[GroupRow]:
        keep = predicate(filter_)
        return groups_of(filter(keep, self._listed), by)

    def quality(self) -> QualityReport:
        listed, quarantined = len(self._listed), len(self.quarantined)
        issues: Mapping[tuple[str, str | None], int] = dict(self.issues)
        return QualityReport(listed + quarantined, listed, quarantined, issues)

    def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> list[QuarantinedRow]:
        start = 0 if after is None else bisect_right([row.native for row in self.quarantined], after)
        return self.quarantined[start : start + limit]
