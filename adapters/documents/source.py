"""Documents as the source of an index: dotted paths are columns, a missing path is null."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from adapters.documents.paths import at_path, path_reader
from adapters.index import IndexBuilder, SourceStamp, add_numbered
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Condition, Listing, Lookup, Mapping
from adapters.sides import listing_entries, lookup_entries

__all__ = ["DocumentSource", "Documents"]


class Documents(Protocol):
    """Where documents come from. Values that only its driver knows are plain in what it gives."""

    async def close(self) -> None: ...

    async def stamp(self) -> SourceStamp: ...

    def assets(self) -> AsyncIterator[list[dict[str, Any]]]:
        """In batches; secret ones left out where the store can be asked to (the mapper judges again)."""

    def find(
        self, collection: str, where: tuple[Condition, ...], columns: Sequence[str]
    ) -> AsyncIterator[list[dict[str, Any]]]: ...


class DocumentSource:
    def __init__(self, mapping: Mapping, documents: Documents) -> None:
        self._mapping, self._documents = mapping, documents

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        await self._documents.close()

    async def stamp(self) -> SourceStamp:
        return await self._documents.stamp()

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        building = builder(await self._sides())
        readers = [path_reader((column,)) for column in self._mapping.columns]
        number = 1
        async for batch in self._documents.assets():
            rows = [tuple(read(document) for read in readers) for document in batch]
            await asyncio.to_thread(add_numbered, building, list(enumerate(rows, start=number)))
            number += len(rows)
        return building

    async def _sides(self) -> SideTables:
        side = SideTables()
        for name, lookup in self._mapping.lookups.items():
            side.lookups[name] = lookup_entries(await self._lookup_rows(lookup))
        side.units = await self._listing(self._mapping.units)
        side.warehouses = await self._listing(self._mapping.warehouses)
        return side

    async def _lookup_rows(self, lookup: Lookup) -> list[tuple[Any, ...]]:
        columns = [lookup.key, lookup.value, *([lookup.label] if lookup.label else [])]
        records = await self._records(lookup.table, columns, lookup.where)
        return [tuple(record[column] for column in columns) for record in records]

    async def _listing(self, listing: Listing) -> dict[str, dict[str, Any]]:
        if listing.origin != "table":
            return {}
        wanted = (listing.key, listing.name, listing.uscc, listing.warehouse_kind, listing.address)
        columns = [column for column in wanted if column]
        return listing_entries(listing, await self._records(listing.table, columns, listing.where))

    async def _records(self, collection: str, columns: list[str], where: tuple[Condition, ...]) -> list[dict[str, Any]]:
        found = []
        async for batch in self._documents.find(collection, where, columns):
            found += [{column: at_path(document, column) for column in columns} for document in batch]
        return found
