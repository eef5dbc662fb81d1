"""Documents as rows: dotted paths are columns, a missing path is null.

MongoDB keeps no number that proves nothing has changed. So the index looks at what moves with a change (the number of
documents, the sum of their versions, the latest change) every `reread_s`, and reads everything again every `reload_s`
whatever that says: an answer is never older than that, and `as_of` says when the documents were read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson.decimal128 import Decimal128

from adapters.index import IndexBuilder, IndexedStore, SourceStamp
from adapters.mapping.fields import SideTables
from adapters.mapping.model import Condition, Listing, Lookup, Mapping
from adapters.model import Store
from adapters.mongo.driver import Documents
from adapters.sides import listing_entries, lookup_entries

__all__ = ["MongoSource", "at_path", "open_mongo"]


def open_mongo(mapping: Mapping, cache_dir: Path | None) -> Store:
    return IndexedStore(mapping, MongoSource(mapping), cache_dir)


def at_path(document: Any, path: str) -> Any:
    """The value at a dotted path; None where the way there is missing. A path may lead through lists by number."""
    for step in path.split("."):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document.to_decimal() if isinstance(document, Decimal128) else document


class MongoSource:
    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._documents = Documents(mapping.store.url, mapping.store.guest)

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        await self._documents.close()

    async def stamp(self) -> SourceStamp:
        version, changed = self._mapping.fields.get("version"), self._mapping.fields.get("updatedAt")
        summary = await self._documents.summary(
            self._mapping.table,
            version.columns[0] if version and version.columns else None,
            changed.columns[0] if changed and changed.columns else None,
        )
        period = int(time.time() // self._mapping.store.reload_s)
        return SourceStamp(f"{summary} {period}", datetime.now(UTC))

    async def load(self, stamp: SourceStamp, builder: Callable[[SideTables], IndexBuilder]) -> IndexBuilder:
        building = builder(await self._sides())
        columns = list(self._mapping.columns)
        async for batch in self._documents.find(self._mapping.table, self._filter(), columns):
            raws = [tuple(at_path(document, column) for column in columns) for document in batch]
            await asyncio.to_thread(building.add, raws)
        return building

    def _filter(self) -> dict[str, Any]:
        """Secrecy first, in the store's own query. The mapper judges again: `$in` also looks inside lists."""
        rule = self._mapping.secrecy
        if rule.column is None or rule.lookup is not None:
            return {}
        values: list[Any] = list(rule.open)
        values += [int(text) for text in rule.open if text.isdecimal() and text.isascii()]
        return {rule.column: {"$in": values}}

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
        async for batch in self._documents.find(collection, _conditions(where), columns):
            found += [{column: at_path(document, column) for column in columns} for document in batch]
        return found


def _conditions(where: tuple[Condition, ...]) -> dict[str, Any]:
    tests: dict[str, Callable[[Condition], Any]] = {
        "in": lambda item: {"$in": list(item.values)},
        "not_in": lambda item: {"$nin": [*item.values, None]},
        "null": lambda item: None,
        "not_null": lambda item: {"$ne": None},
    }
    return {"$and": [{item.column: tests[item.test](item)} for item in where]} if where else {}
