"""One member of the group: a region's store, its custody book, and what little of it is kept in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from adapters.model import Store
from contract.identity import Identity
from contract.ids import format_id
from contract.regions import REGIONS
from contract.rules import RuleVerifier
from subgraphs.district.carded import CardedStore
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.reads import ReadKind
from subgraphs.district.policy import Viewer
from subgraphs.district.windows import Windows
from subgraphs.kit.caller import Caller

__all__ = ["Clock", "DistrictContext", "Member"]

Clock = Callable[[], datetime]
Listed = Mapping[str, Any]
"""A unit or warehouse as the contract shows it."""

_SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""One zone without daylight saving since 1991, so no zone database is needed."""
_LISTS_KEPT_S = 30.0


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Member:
    legacy: Store
    """The legacy store alone: what custody is written to, and judged by."""
    book: CustodyBook
    rules: RuleVerifier | None
    """Checks the rules of virtual warehouses; without it there are no views."""
    clock: Clock = utc_now
    store: Store = field(init=False)
    """All assets of the region: the legacy store's, and the book's cards."""
    region: str = field(init=False)
    units: _Kept = field(init=False)
    warehouses: _Kept = field(init=False)
    windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        self.store = CardedStore(self.legacy, self.book)
        self.region = self.legacy.region
        self.units = _Kept(self.store.units, self._unit)
        self.warehouses = _Kept(self.store.warehouses, self._warehouse)
        self.windows = Windows(self.book, self.store)

    @property
    def region_row(self) -> dict[str, str]:
        chinese, english = REGIONS.get(self.region, (self.region, self.region))
        return {"code": self.region, "name": chinese, "nameEn": english}

    def today(self) -> date:
        """The calendar day in Asia/Shanghai."""
        return self.clock().astimezone(_SHANGHAI).date()

    async def viewer(self, identity: Identity) -> Viewer:
        viewer = Viewer(identity, self.region)
        if identity.unit is None:
            return viewer
        units = await self.units.all()
        return Viewer(identity, self.region, frozenset(k for k, unit in units.items() if unit["uscc"] == identity.unit))

    def _unit(self, row: Mapping[str, Any]) -> Listed:
        id_ = format_id("unit", self.region, row["native"])
        return {"id": id_, "region": self.region_row, "name": row["name"], "uscc": row.get("uscc")}

    def _warehouse(self, row: Mapping[str, Any]) -> Listed:
        return {
            "id": format_id("warehouse", self.region, row["native"]),
            "region": self.region_row,
            "name": row["name"],
            "kind": row["kind"],
            "address": row.get("address"),
        }


class _Kept:
    """A store's list of units or warehouses by native key, read again when it is half a minute old."""

    def __init__(
        self, read: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]], show: Callable[[Mapping[str, Any]], Listed]
    ) -> None:
        self._read = read
        self._show = show
        self._rows: dict[str, Listed] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def all(self) -> dict[str, Listed]:
        if time.monotonic() - self._read_at > _LISTS_KEPT_S:
            async with self._reading:
                if time.monotonic() - self._read_at > _LISTS_KEPT_S:
                    rows = await self._read()
                    self._rows = {str(row["native"]): self._show(row) for row in rows if row.get("name") is not None}
                    self._read_at = time.monotonic()
        return self._rows

    async def listed(self) -> list[Listed]:
        return list((await self.all()).values())


@dataclass(slots=True)
class DistrictContext:
    """What resolvers find as `info.context`: one schema serves all members, the member comes with the request."""

    caller: Caller
    member: Member
    _viewer: Viewer | None = None

    async def viewer(self) -> Viewer:
        if self._viewer is None:
            self._viewer = await self.member.viewer(self.caller.identity)
        return self._viewer

    async def answered(self) -> None:
        """Record whose data is about to be told, before it is. Raises `BookUnavailable`."""
        viewer, reads = self._viewer, self.member.book.reads
        if viewer is not None and viewer.personal_of:
            await reads.record(viewer.identity, ReadKind.PERSONAL, viewer.personal_of)
        if viewer is not None and viewer.raw_of:
            await reads.record(viewer.identity, ReadKind.RAW, viewer.raw_of)
