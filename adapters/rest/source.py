"""A paged interface as the source of an index.

What has changed is not known before it is read, so all is read again every `reload_s`; where the interface answers rows
changed since an instant, that question is asked at every look between, and another answer brings the next reading
forward. Rows that are gone show in the readings alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.documents.paths import at_path
from adapters.index import IndexBuilder, IndexedStore, RowSource, SourceStamp, add_numbered
from adapters.index.numbered import shown_text
from adapters.mapping.fields import SideTables, condition_test
from adapters.mapping.model import Condition, Listing, Mapping
from adapters.model import Store
from adapters.rest.client import Patience, RestClient
from adapters.rest.pages import Item, PagedList
from adapters.sides import listing_entries, lookup_entries

__all__ = ["RestSource", "open_rest", "rest_source"]

_CLOCKS_APART = timedelta(minutes=5)
"""How far the interface's clock may be behind ours without a change being overlooked."""


def open_rest(mapping: Mapping, cache_dir: Path | None) -> Store:
    return IndexedStore(mapping, rest_source(mapping), cache_dir)


def rest_source(mapping: Mapping) -> RowSource:
    return RestSource(mapping, RestClient(mapping.store.url, mapping.rest, mapping.store.guest))


class RestSource:
    def __init__(
        self, mapping: Mapping, client: RestClient, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._mapping, self._client, self._now = mapping, client, now

    async def open(self) -> None:
        await self._client.open()

    async def close(self) -> None:
        await self._client.close()

    async def stamp(self) -> SourceStamp:
        now = self._now()
        period = int(now.timestamp() // self._mapping.store.reload_s)
        token = f"{period} {await self._changes(period)}"
        return SourceStamp(token, now, is_proved_whole=self._mapping.rest.total_at is not None)

    async def _changes(self, period: int) -> str:
        """What the interface says has changed since this period began, as a digest of its first page."""
        paging = self._mapping.rest
        if paging.since_parameter is None:
            return ""
        since = datetime.fromtimestamp(period * self._mapping.store.reload_s, UTC) - _CLOCKS_APART
        asked = {paging.since_parameter: since.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if paging.size_parameter:
            asked[paging.size_parameter] = str(paging.page_size)
        answer = await self._client.get(self._client.place(self._mapping.table), asked, self._client.patience())
        rows = at_path(answer, paging.rows_at) if paging.rows_at else answer
        return hashlib.blake2b(repr(rows).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        side = SideTables()
        building = builder(side)  # first, so that a reading that nobody wants any more ends between two pages
        patience = self._client.patience(building.check_wanted)
        with tempfile.TemporaryDirectory(prefix="gwc-rest-") as folder:
            await self._read_sides(side, Path(folder), patience)
            key = [part.column for part in self._mapping.key]
            assets = self._list(
                self._mapping.table, self._mapping.columns, key, Path(folder) / "assets", patience, _open_only(building)
            )
            await assets.read()
            await asyncio.to_thread(add_numbered, building, assets.items())
        return building

    def _list(
        self,
        table: str,
        columns: Sequence[str],
        key: Sequence[str],
        folder: Path,
        patience: Patience,
        kept: Callable[[Item], Item | None] = lambda item: item,
    ) -> PagedList:
        folder.mkdir()
        return PagedList(self._client, self._mapping.rest, table, columns, key, folder, patience, kept)

    # --- what rows refer to -------------------------------------------------------------------------------------------

    async def _read_sides(self, side: SideTables, folder: Path, patience: Patience) -> None:
        """Into the tables that the mapper already has in hand."""
        for number, (name, lookup) in enumerate(self._mapping.lookups.items()):
            columns = [lookup.key, lookup.value, *([lookup.label] if lookup.label else [])]
            found = await self._records(lookup.table, columns, lookup.where, folder / f"lookup{number}", patience)
            side.lookups[name] = lookup_entries(tuple(record[column] for column in columns) for record in found)
        for listing, entries in ((self._mapping.units, side.units), (self._mapping.warehouses, side.warehouses)):
            entries.update(await self._listing(listing, folder / listing.kind, patience))

    async def _listing(self, listing: Listing, folder: Path, patience: Patience) -> dict[str, dict[str, Any]]:
        if listing.origin != "table":
            return {}
        wanted = (listing.key, listing.name, listing.uscc, listing.warehouse_kind, listing.address)
        columns = [column for column in wanted if column]
        return listing_entries(listing, await self._records(listing.table, columns, listing.where, folder, patience))

    async def _records(
        self, table: str, columns: list[str], where: tuple[Condition, ...], folder: Path, patience: Patience
    ) -> list[dict[str, Any]]:
        asked = list(dict.fromkeys([*columns, *(condition.column for condition in where)]))
        index = {column: at for at, column in enumerate(asked)}
        holds = [condition_test(condition, index) for condition in where]
        pages = self._list(table, asked, asked[:1], folder, patience)
        await pages.read()
        rows = [item for _, item in await asyncio.to_thread(list, pages.items()) if isinstance(item, tuple)]
        return [dict(zip(asked, row, strict=True)) for row in rows if all(test(row) for test in holds)]


def _open_only(building: IndexBuilder) -> Callable[[Item], Item | None]:
    """What may lie on the disk until all pages have come: no secret row, and nothing of what cannot be judged."""
    mapper = building.mapper

    def kept(item: Item) -> Item | None:
        if isinstance(item, str):
            return shown_text(mapper, item) or ""
        if mapper.is_undecided(item):
            return ""
        return None if mapper.is_secret(item) else item

    return kept
