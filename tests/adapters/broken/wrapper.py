"""What all broken adapters are: a right store behind one wrong method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.model import (
    Explanation,
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    Store,
    StoreHealth,
)
from contract.order import SortValue


class Wrapped:
    """The store as it is. A broken adapter overrides what it breaks."""

    def __init__(self, right: Store) -> None:
        self.right = right
        self.region, self.capabilities, self.native_kinds = right.region, right.capabilities, right.native_kinds

    async def open(self) -> None:
        await self.right.open()

    async def close(self) -> None:
        await self.right.close()

    async def page(self, request: PageRequest) -> Page:
        return await self.right.page(request)

    async def explain(self, request: PageRequest) -> Explanation:
        return await self.right.explain(request)

    async def health(self) -> StoreHealth:
        return await self.right.health()

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Row]:
        return await self.right.rows(natives, columns)

    async def count(self, filter_: Filter | None) -> int:
        return await self.right.count(filter_)

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        return await self.right.groups(by, filter_)

    async def quality(self) -> QualityReport:
        return await self.right.quality()

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        return await self.right.quarantine(limit, after)

    async def units(self) -> Sequence[Mapping[str, Any]]:
        return await self.right.units()

    async def warehouses(self) -> Sequence[Mapping[str, Any]]:
        return await self.right.warehouses()

    async def as_of(self) -> datetime:
        return await self.right.as_of()

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        return await self.right.write_status(native, status, expected_version)


def without(page: Page, keep: Callable[[Row], bool]) -> Page:
    """The page with only the rows that are kept, and their cursors."""
    return picked(page, [at for at, row in enumerate(page.rows) if keep(row)])


def picked(page: Page, places: Sequence[int]) -> Page:
    return replace(
        page,
        rows=[page.rows[at] for at in places],
        sort_values=[page.sort_values[at] for at in places],
        native_values=[page.native_values[at] for at in places],
    )


def changed(page: Page, change: Callable[[Row], Row]) -> Page:
    return replace(page, rows=[change(dict(row)) for row in page.rows])
