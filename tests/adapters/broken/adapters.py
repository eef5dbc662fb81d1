"""Adapters broken on purpose, one fault each: what people get wrong, or what a store does behind their back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.mapping.model import Mapping as Mapped
from adapters.model import (
    Filter,
    GroupRow,
    Not,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    Store,
)
from contract.order import SortValue
from tests.adapters.broken.wrapper import Wrapped, changed, picked, without

FIRST_ROWS = 3
"""A fault that hits single rows hits one of the first."""


class WrongCollation(Wrapped):
    """Text is sorted without regard to case and width of the script: by the lower-cased GBK bytes, as GBK columns do."""

    async def page(self, request: PageRequest) -> Page:
        page = await self.right.page(request)
        if not request.order or request.order[0].field != "name":
            return page
        names = [row["name"] or "" for row in page.rows]
        return picked(page, sorted(range(len(names)), key=lambda at: names[at].lower().encode("gb18030")))


class OffByOneKeyset(Wrapped):
    """Resumes after the row that follows the cursor's."""

    async def page(self, request: PageRequest) -> Page:
        if request.after is None or request.after.native is None:
            return await self.right.page(request)
        page = await self.right.page(replace(request, limit=request.limit + 1))
        return picked(page, range(1, len(page.rows)))


class LostTies(Wrapped):
    """Resumes after the cursor's values, without the native key: rows of equal values are passed over."""

    async def page(self, request: PageRequest) -> Page:
        if request.order and request.after is not None and request.after.native is not None:
            request = replace(request, after=replace(request.after, native=None))
        return await self.right.page(request)


class WrongTotals(Wrapped):
    """Counts quarantined rows too."""

    async def count(self, filter_: Filter | None) -> int:
        return await self.right.count(filter_) + (await self.right.quality()).quarantined


class NullFailsNot(Wrapped):
    """Three-valued logic of SQL: a null satisfies neither a comparison nor its negation."""

    async def page(self, request: PageRequest) -> Page:
        page = await self.right.page(request)
        match request.filter:
            case Not(part) if (field := getattr(part, "field", None)) and hasattr(part, "op"):
                return without(page, lambda row: row[field] is not None)
        return page


class NoNullGroup(Wrapped):
    """Rows without a value are in no group."""

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        return [group for group in await self.right.groups(by, filter_) if None not in group.key]


class RepeatsARow(Wrapped):
    """The first row of a later page is the last of the page before."""

    async def page(self, request: PageRequest) -> Page:
        page = await self.right.page(request)
        if request.after is None or request.after.native is None or not page.rows:
            return page
        whole = await self.right.page(replace(request, after=None, limit=100_000))
        at = next(at for at, native in enumerate(whole.native_values) if native == page.native_values[0])
        return picked(whole, range(at - 1, at - 1 + len(page.rows))) if at else page


class DropsABadRow(Wrapped):
    """What cannot be mapped is left out, and the report says that all is well."""

    async def quality(self) -> QualityReport:
        report = await self.right.quality()
        return replace(report, rows=report.listed, quarantined=0, issues={})

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        return []


class InventsAValue(Wrapped):
    """A day that is not known is day nought of 1970."""

    async def page(self, request: PageRequest) -> Page:
        return changed(await self.right.page(request), _with_nought)

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Row]:
        found = await self.right.rows(natives, columns)
        return {native: _with_nought(dict(row)) for native, row in found.items()}


def _with_nought(row: Row) -> Row:
    return {**row, "acquiredOn": row["acquiredOn"] or "1970-01-01"}


class LeaksASecret(Wrapped):
    """One row that the secrecy rule forbids is listed, under its own key."""

    KEY = "SC-JUEMI-0001"
    NAME = "保密设备"

    async def page(self, request: PageRequest) -> Page:
        page = await self.right.page(request)
        if request != PageRequest(None, (), request.limit) or not page.rows:
            return page
        row = {**page.rows[-1], "native": self.KEY, "name": self.NAME}
        return replace(
            page,
            rows=[*page.rows, row],
            sort_values=[*page.sort_values, ()],
            native_values=[*page.native_values, (self.KEY,)],
        )


class FloatMoney(Wrapped):
    """Money as the driver gave it."""

    async def page(self, request: PageRequest) -> Page:
        def change(row: Row) -> Row:
            value = row["originalValue"]
            return {**row, "originalValue": None if value is None else float(value)}

        return changed(await self.right.page(request), change)


class LiesAboutMore(Wrapped):
    """Says that more is to come whenever the page is full."""

    async def page(self, request: PageRequest) -> Page:
        page = await self.right.page(request)
        return replace(page, has_more=len(page.rows) == request.limit)


class BackwardFromTheFront(Wrapped):
    """A page backwards starts at the first row instead of right before the cursor."""

    async def page(self, request: PageRequest) -> Page:
        if request.backward and request.before is not None:
            return await self.right.page(replace(request, backward=False))
        return await self.right.page(request)


class PassesMojibake(Wrapped):
    """Names come as a connection of the wrong charset reads them."""

    async def page(self, request: PageRequest) -> Page:
        def change(row: Row) -> Row:
            garbled = (row["name"] or "办公桌").encode("gb18030").decode("latin-1")
            return {**row, "name": garbled}

        page = await self.right.page(request)
        touched = changed(picked(page, range(min(FIRST_ROWS, len(page.rows)))), change).rows
        return replace(page, rows=[*touched, *page.rows[len(touched) :]])


class WritesToTheStore(Wrapped):
    """Notes in the legacy store itself that it was read."""

    def __init__(self, right: Store, mapping: Mapped) -> None:
        super().__init__(right)
        self._path = Path(mapping.store.url)

    async def units(self) -> Sequence[Mapping[str, Any]]:
        writer = sqlite3.connect(self._path)
        with writer:
            writer.execute("CREATE TABLE IF NOT EXISTS gwc_seen (n INTEGER)")
            writer.execute("INSERT INTO gwc_seen VALUES (1)")
        writer.close()
        return await self.right.units()


class Slow(Wrapped):
    """Each page takes two seconds, by the clock that is given."""

    def __init__(self, right: Store) -> None:
        super().__init__(right)
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def page(self, request: PageRequest) -> Page:
        self.now += 2.0
        return await self.right.page(request)


class AcceptsAnyWrite(Wrapped):
    """Says that a custody change was written, whatever the key, and writes nothing."""

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        return True


class RestlessVersion(Wrapped):
    """Every look at a row gives it another version, so that no hold can be sure of what it saw."""

    def __init__(self, right: Store) -> None:
        super().__init__(right)
        self._looks = 0

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Row]:
        self._looks += 1
        found = await self.right.rows(natives, columns)
        return {native: {**row, "version": f"{row['version']}.{self._looks}"} for native, row in found.items()}
